/* SPDX-License-Identifier: MIT */
#include "id/bcrypt_pbkdf.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define HASH_LEN 32
#define SHA_LEN crypto_hash_sha512_BYTES

/* Blowfish (B. Schneier, 1993). */
struct blowfish {
	uint32_t p[18], s[4][256];
};

/* ---- Blowfish's initial state: the fractional part of pi ---- */

#define PI_WORDS (1 + 18 + 4 * 256 + 2) /* the integer part, the state, two words for rounding errors */

struct fixed {
	uint32_t w[PI_WORDS]; /* w[0] is the integer part */
};

/* *out = *a / d.  All words of *a before `from` are zero. */
static void fixed_div(const struct fixed *a, size_t from, uint32_t d, struct fixed *out)
{
	uint64_t rest = 0;

	for (size_t i = from; i < PI_WORDS; i++) {
		rest = rest << 32 | a->w[i];
		out->w[i] = (uint32_t)(rest / d);
		rest %= d;
	}
}

/* Adds *a to *sum, or subtracts it.  All words of *a before `from` are zero. */
static void fixed_add(struct fixed *sum, const struct fixed *a, size_t from, bool is_minus)
{
	uint64_t carry = is_minus;

	for (size_t i = PI_WORDS; i-- > 0 && (i >= from || carry != is_minus);) {
		uint32_t w = i >= from ? a->w[i] : 0;

		carry += (uint64_t)sum->w[i] + (is_minus ? ~w : w);
		sum->w[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

/* Adds m * arctan(1 / x) = m/x - m/3x^3 + m/5x^5 - ..., or subtracts it. */
static void arctan_add(struct fixed *sum, uint32_t m, uint32_t x, bool is_minus)
{
	struct fixed power = {.w = {m}}, term = {.w = {0}};
	size_t from = 0;

	fixed_div(&power, 0, x, &power);
	for (uint32_t k = 1; from < PI_WORDS; k += 2) {
		fixed_div(&power, from, k, &term);
		fixed_add(sum, &term, from, is_minus);
		is_minus = !is_minus;
		fixed_div(&power, from, x * x, &power);
		while (from < PI_WORDS && power.w[from] == 0)
			term.w[from++] = 0;
	}
}

/* Machin's formula: pi = 16 arctan(1/5) - 4 arctan(1/239).  Computing it takes 30 ms, less than the rounds
 * that follow, and is shorter than a table of 1,042 words. */
static void blowfish_init(struct blowfish *b)
{
	struct fixed pi = {.w = {0}};

	arctan_add(&pi, 16, 5, false);
	arctan_add(&pi, 4, 239, true);
	memcpy(b->p, pi.w + 1, sizeof(b->p));
	memcpy(b->s, pi.w + 1 + 18, sizeof(b->s));
}

/* ---- Blowfish ---- */

static uint32_t f(const struct blowfish *b, uint32_t x)
{
	return ((b->s[0][x >> 24] + b->s[1][x >> 16 & 255]) ^ b->s[2][x >> 8 & 255]) + b->s[3][x & 255];
}

static void encipher(const struct blowfish *b, uint32_t v[2])
{
	uint32_t l = v[0] ^ b->p[0], r = v[1];

	for (size_t i = 1; i <= 16; i += 2) {
		r ^= f(b, l) ^ b->p[i];
		l ^= f(b, r) ^ b->p[i + 1];
	}
	v[0] = r ^ b->p[17];
	v[1] = l;
}

/* Replaces n words of the state.  *at is the position in the salt, which is used cyclically and may be
 * NULL. */
static void bcrypt_pbkdf_replace(struct blowfish *b, uint32_t *words, size_t n, uint32_t v[2], const uint8_t *salt,
				 size_t *at)
{
	for (size_t i = 0; i < n; i += 2) {
		if (salt != NULL) {
			v[0] ^= gn_get_u32(salt + *at);
			v[1] ^= gn_get_u32(salt + *at + 4);
			*at = (*at + 8) % SHA_LEN;
		}
		encipher(b, v);
		words[i] = v[0];
		words[i + 1] = v[1];
	}
}

static void expand(struct blowfish *b, const uint8_t key[SHA_LEN], const uint8_t *salt)
{
	uint32_t v[2] = {0, 0};
	size_t at = 0;

	for (size_t i = 0; i < 18; i++)
		b->p[i] ^= gn_get_u32(key + i * 4 % SHA_LEN);
	bcrypt_pbkdf_replace(b, b->p, 18, v, salt, &at);
	for (size_t i = 0; i < 4; i++)
		bcrypt_pbkdf_replace(b, b->s[i], 256, v, salt, &at);
}

/* ---- bcrypt ---- */

struct work {
	struct blowfish first, b;
	uint8_t pass[SHA_LEN], salt[SHA_LEN];
	uint8_t hash[HASH_LEN], sum[HASH_LEN];
};

/* Computes w->hash from w->pass and w->salt. */
static void bcrypt_hash(struct work *w)
{
	static const uint8_t magic[] = "OxychromaticBlowfishSwatDynamite";
	uint32_t text[HASH_LEN / 4];

	w->b = w->first;
	expand(&w->b, w->pass, w->salt);
	for (int i = 0; i < 64; i++) {
		expand(&w->b, w->salt, NULL);
		expand(&w->b, w->pass, NULL);
	}
	for (size_t i = 0; i < HASH_LEN / 4; i++)
		text[i] = gn_get_u32(magic + 4 * i);
	for (size_t i = 0; i < HASH_LEN / 4; i += 2)
		for (int k = 0; k < 64; k++)
			encipher(&w->b, text + i);
	for (size_t i = 0; i < HASH_LEN; i++) /* little-endian */
		w->hash[i] = (uint8_t)(text[i / 4] >> i % 4 * 8);
}

/* Computes the block of number `count`, the XOR of all rounds, in w->sum. */
static void block_make(struct work *w, const struct gn_bcrypt_pbkdf_cfg *cfg, uint32_t count)
{
	uint8_t salted[GN_BCRYPT_PBKDF_SALT_MAX + 4];

	memcpy(salted, cfg->salt, cfg->n_salt);
	gn_put_u32(salted + cfg->n_salt, count);
	(void)crypto_hash_sha512(w->salt, salted, cfg->n_salt + 4);
	bcrypt_hash(w);
	memcpy(w->sum, w->hash, HASH_LEN);
	for (uint32_t i = 1; i < cfg->rounds; i++) {
		(void)crypto_hash_sha512(w->salt, w->hash, HASH_LEN);
		bcrypt_hash(w);
		for (size_t k = 0; k < HASH_LEN; k++)
			w->sum[k] ^= w->hash[k];
	}
}

int gn_bcrypt_pbkdf(const struct gn_bcrypt_pbkdf_cfg *cfg, uint8_t *key, size_t n)
{
	const size_t stride = (n + HASH_LEN - 1) / HASH_LEN;
	struct work *w;

	if (n == 0 || n > GN_BCRYPT_PBKDF_KEY_MAX || cfg->n_salt == 0 || cfg->n_salt > GN_BCRYPT_PBKDF_SALT_MAX ||
	    cfg->rounds == 0)
		return -EINVAL;
	w = malloc(sizeof *w);
	if (w == NULL)
		return -ENOMEM;
	blowfish_init(&w->first);
	(void)crypto_hash_sha512(w->pass, cfg->pass, cfg->n_pass);
	/* The blocks are interleaved: every stride-th byte of the key comes from the same block. */
	for (size_t i = 0; i < stride; i++) {
		block_make(w, cfg, (uint32_t)i + 1);
		for (size_t k = 0; k * stride + i < n; k++)
			key[k * stride + i] = w->sum[k];
	}
	sodium_memzero(w, sizeof *w);
	free(w);
	return 0;
}
