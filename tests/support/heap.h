/* SPDX-License-Identifier: MIT */
/*
 * The allocations of the library, counted, and made to fail.  A test that uses this is linked so that the calls of
 * malloc(), calloc(), realloc(), aligned_alloc(), strdup() and free() come here (see the Makefile).  Blocks that
 * the C library has allocated by itself are not counted.
 */
#ifndef GN_SUPPORT_HEAP_H
#define GN_SUPPORT_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap {
	size_t n;      /* allocations since heap_on() */
	size_t blocks; /* that are allocated */
	size_t bytes;  /* of them, as they were asked for */
	size_t usable; /* of them, as malloc() has rounded them up */
};
extern struct heap heap;

/* Counts from 0 on; how_many allocations fail, beginning with number `fail`, from 1; 0: none. */
void heap_on(size_t fail, size_t how_many);
/* No allocation fails any more, and heap.n stays. */
void heap_off(void);

#endif
