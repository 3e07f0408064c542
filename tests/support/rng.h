/* SPDX-License-Identifier: MIT */
/* What a random test chooses by: a seeded generator, or the bytes of a fuzzer's input.
 * GN_SEED in the environment makes a test run that one seed alone, GN_SEEDS so many. */
#ifndef GN_SUPPORT_RNG_H
#define GN_SUPPORT_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct rng {
	uint64_t s;
	const uint8_t *p, *end; /* of a fuzzer's input; NULL: seeded */
	bool from_input;
};

void rng_seed(struct rng *r, uint64_t seed);

void rng_input(struct rng *r, const uint8_t *p, size_t n);

/* The input is used up; never so with a seed. */
bool rng_is_done(const struct rng *r);

/* In [0, n), n > 0. */
uint32_t rng_below(struct rng *r, uint32_t n);

/* A size in [0, max], small ones as likely as large ones. */
size_t rng_size(struct rng *r, size_t max);

bool rng_one_in(struct rng *r, uint32_t n);

/* Bytes that do not cost the fuzzer any input. */
void rng_fill(struct rng *r, void *to, size_t n);

/* The seeds that a test runs over: from first, n of them, or GN_SEED's. */
void rng_seeds(uint64_t *first, uint64_t *n);

#endif
