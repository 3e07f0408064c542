/* SPDX-License-Identifier: MIT */
#include "support/rng.h"

/* splitmix64 */
static uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void rng_seed(struct rng *r, uint64_t seed)
{
	*r = (struct rng){.s = seed * 0x2545f4914f6cdd1d + 1};
}

void rng_input(struct rng *r, const uint8_t *p, size_t n)
{
	*r = (struct rng){.s = 1, .p = p, .end = p + n, .from_input = true};
}

bool rng_is_done(const struct rng *r)
{
	return r->from_input && r->p == r->end;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	uint32_t v = 0;

	if (!r->from_input)
		return (uint32_t)((rng_next(r) >> 32) % n);
	for (uint32_t left = n - 1; left > 0; left >>= 8)
		v = v << 8 | (r->p < r->end ? *r->p++ : 0);
	return v % n;
}

size_t rng_size(struct rng *r, size_t max)
{
	unsigned bits = rng_below(r, 25);
	size_t top = (size_t)1 << bits;

	return rng_below(r, (uint32_t)((top < max ? top : max) + 1));
}

bool rng_one_in(struct rng *r, uint32_t n)
{
	return rng_below(r, n) == 0;
}

void rng_fill(struct rng *r, void *to, size_t n)
{
	uint8_t *at = to;
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (i % 8 == 0)
			v = rng_next(r);
		at[i] = (uint8_t)(v >> i % 8 * 8);
	}
}

void rng_seeds(uint64_t *first, uint64_t *n)
{
	const char *one = getenv("GN_SEED"), *many = getenv("GN_SEEDS");

	if (one != NULL) {
		*first = strtoull(one, NULL, 0);
		*n = 1;
	}
	if (many != NULL)
		*n = strtoull(many, NULL, 0);
}
