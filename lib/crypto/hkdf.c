/* SPDX-License-Identifier: MIT */
#include "crypto/hkdf.h"

#include <sodium.h>
#include <string.h>

#include "base/random.h"
#include "gn.h"

_Static_assert(GN_HKDF_LEN == crypto_auth_hmacsha256_BYTES, "HMAC-SHA256's output");

void gn_hkdf_extract_parts(const void *salt, size_t n_salt, const struct gn_hkdf_part *ikm, int n_ikm,
			   uint8_t out[GN_HKDF_LEN])
{
	static const uint8_t none[1];
	crypto_auth_hmacsha256_state st;

	gn_random_init();
	crypto_auth_hmacsha256_init(&st, n_salt > 0 ? salt : none, n_salt);
	for (int i = 0; i < n_ikm; i++)
		crypto_auth_hmacsha256_update(&st, ikm[i].p, ikm[i].n);
	crypto_auth_hmacsha256_final(&st, out);
	sodium_memzero(&st, sizeof(st));
}

void gn_hkdf_extract(const void *salt, size_t n_salt, const void *ikm, size_t n_ikm, uint8_t out[GN_HKDF_LEN])
{
	const struct gn_hkdf_part part = {ikm, n_ikm};

	gn_hkdf_extract_parts(salt, n_salt, &part, 1, out);
}

int gn_hkdf_expand_parts(const uint8_t prk[GN_HKDF_LEN], const struct gn_hkdf_part *info, int n_info, uint8_t *out,
			 size_t n)
{
	crypto_auth_hmacsha256_state st;
	uint8_t t[GN_HKDF_LEN];

	if (n > GN_HKDF_EXPAND_MAX)
		return GN_ETOOBIG;
	/* T(i) = HMAC(prk, T(i - 1), info, i); the output is T(1), T(2), ... up to n bytes. */
	for (uint8_t i = 1; n > 0; i++) {
		size_t k = n < sizeof(t) ? n : sizeof(t);

		crypto_auth_hmacsha256_init(&st, prk, GN_HKDF_LEN);
		if (i > 1)
			crypto_auth_hmacsha256_update(&st, t, sizeof(t));
		for (int j = 0; j < n_info; j++)
			crypto_auth_hmacsha256_update(&st, info[j].p, info[j].n);
		crypto_auth_hmacsha256_update(&st, &i, 1);
		crypto_auth_hmacsha256_final(&st, t);
		memcpy(out, t, k);
		out += k;
		n -= k;
	}
	sodium_memzero(&st, sizeof(st));
	sodium_memzero(t, sizeof(t));
	return 0;
}

int gn_hkdf_expand(const uint8_t prk[GN_HKDF_LEN], const void *info, size_t n_info, uint8_t *out, size_t n)
{
	const struct gn_hkdf_part part = {info, n_info};

	return gn_hkdf_expand_parts(prk, &part, 1, out, n);
}

void gn_hkdf_pair(const uint8_t ck[GN_HKDF_LEN], const void *ikm, size_t n_ikm, uint8_t out1[GN_HKDF_LEN],
		  uint8_t out2[GN_HKDF_LEN])
{
	uint8_t prk[GN_HKDF_LEN], both[2 * GN_HKDF_LEN];

	gn_hkdf_extract(ck, GN_HKDF_LEN, ikm, n_ikm, prk);
	(void)gn_hkdf_expand(prk, NULL, 0, both, sizeof(both));
	memcpy(out1, both, GN_HKDF_LEN);
	memcpy(out2, both + GN_HKDF_LEN, GN_HKDF_LEN);
	sodium_memzero(prk, sizeof(prk));
	sodium_memzero(both, sizeof(both));
}
