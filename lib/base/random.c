/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "gn.h"

static atomic_bool ready;

void gn_random_init(void)
{
	if (atomic_load_explicit(&ready, memory_order_acquire))
		return;
	if (sodium_init() < 0)
		abort();
	atomic_store_explicit(&ready, true, memory_order_release);
}

void gn_random(void *buf, size_t n)
{
	gn_random_init();
	randombytes_buf(buf, n);
}

uint32_t gn_random_below(uint32_t n)
{
	gn_random_init();
	return n > 1 ? randombytes_uniform(n) : 0;
}
