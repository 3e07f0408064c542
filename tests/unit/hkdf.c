/* SPDX-License-Identifier: MIT */
#include "crypto/hkdf.h"

#include "support/support.h"

static void check(const char *ikm_hex, const char *salt_hex, const char *info_hex, const char *prk_hex,
		  const char *okm_hex)
{
	size_t n_ikm, n_salt, n_info, n = strlen(okm_hex) / 2;
	uint8_t *ikm = unhex(ikm_hex, &n_ikm), *salt = unhex(salt_hex, &n_salt), *info = unhex(info_hex, &n_info);
	uint8_t prk[GN_HKDF_LEN], *okm = malloc(n);

	gn_hkdf_extract(salt, n_salt, ikm, n_ikm, prk);
	assert_hex(prk, sizeof(prk), prk_hex);
	assert_int_equal(gn_hkdf_expand(prk, info, n_info, okm, n), 0);
	assert_hex(okm, n, okm_hex);
	free(ikm);
	free(salt);
	free(info);
	free(okm);
}

/* RFC 5869, appendix A.1 and A.3. */
static void rfc_5869_vectors_hold(void **state)
{
	(void)state;
	check("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
	      "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
	      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
	check("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
	      "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
	      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void a_pair_is_two_outputs_of_one_extraction(void **state)
{
	uint8_t ck[GN_HKDF_LEN] = {1}, ikm[GN_HKDF_LEN] = {2}, prk[GN_HKDF_LEN], both[2 * GN_HKDF_LEN],
		two[GN_HKDF_LEN];

	(void)state;
	gn_hkdf_extract(ck, sizeof(ck), ikm, sizeof(ikm), prk);
	assert_int_equal(gn_hkdf_expand(prk, NULL, 0, both, sizeof(both)), 0);
	gn_hkdf_pair(ck, ikm, sizeof(ikm), ck, two); /* the output overwrites the input */
	assert_memory_equal(ck, both, GN_HKDF_LEN);
	assert_memory_equal(two, both + GN_HKDF_LEN, GN_HKDF_LEN);
}

static void the_longest_output_is_255_blocks(void **state)
{
	uint8_t prk[GN_HKDF_LEN] = {3}, *out = malloc(GN_HKDF_EXPAND_MAX + 1);

	(void)state;
	assert_non_null(out);
	assert_int_equal(gn_hkdf_expand(prk, "i", 1, out, GN_HKDF_EXPAND_MAX), 0);
	assert_int_equal(gn_hkdf_expand(prk, "i", 1, out, GN_HKDF_EXPAND_MAX + 1), GN_ETOOBIG);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_5869_vectors_hold),
		cmocka_unit_test(a_pair_is_two_outputs_of_one_extraction),
		cmocka_unit_test(the_longest_output_is_255_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
