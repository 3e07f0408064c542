/* SPDX-License-Identifier: MIT */
/*
 * The source of choices for a random test: a generator with a seed, or the bytes of a fuzzer's input.  The
 * environment variable GN_SEED makes a test run with that seed only, and GN_SEEDS sets the number of seeds.
 */
#ifndef GN_SUPPORT_RNG_H
#define GN_SUPPORT_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct rng {
	uint64_t s;
	const uint8_t *p, *end; /* the unused bytes of a fuzzer's input; NULL with a seed */
	bool from_input;
};

void rng_seed(struct rng *r, uint64_t seed);

void rng_input(struct rng *r, const uint8_t *p, size_t n);

/* Returns true when the fuzzer's input is used up.  With a seed, always returns false. */
bool rng_is_done(const struct rng *r);

/* Returns a number in [0, n); n must not be 0. */
uint32_t rng_below(struct rng *r, uint32_t n);

/* Returns a size in [0, max].  Its upper bound is a random power of two, so that small sizes are frequent. */
size_t rng_size(struct rng *r, size_t max);

/* Returns true with a probability of 1 / n. */
bool rng_one_in(struct rng *r, uint32_t n);

/* Fills memory with random bytes, without consuming any of the fuzzer's input. */
void rng_fill(struct rng *r, void *to, size_t n);

/* Changes the range of seeds of a test, n seeds from *first on, as GN_SEED and GN_SEEDS require. */
void rng_seeds(uint64_t *first, uint64_t *n);

#endif
