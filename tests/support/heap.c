/* SPDX-License-Identifier: MIT */
#include "support/heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS_MAX = 32768 };

struct heap heap;

static struct {
	void *p;
	size_t size; /* as it was asked for */
} blocks[BLOCKS_MAX];

static bool is_on;
static size_t first_failing, last_failing;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
char *__real_strdup(const char *s);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
char *__wrap_strdup(const char *s);
void __wrap_free(void *p);

void heap_on(size_t fail, size_t how_many)
{
	is_on = true;
	heap.n = 0;
	first_failing = fail;
	last_failing = fail + how_many - 1;
}

void heap_off(void)
{
	is_on = false;
}

static bool heap_fails(void)
{
	if (!is_on)
		return false;
	heap.n++;
	if (first_failing == 0 || heap.n < first_failing || heap.n > last_failing)
		return false;
	errno = ENOMEM;
	return true;
}

static void *heap_add(void *p, size_t size)
{
	if (p == NULL)
		return NULL;
	if (heap.blocks == BLOCKS_MAX)
		abort();
	blocks[heap.blocks].p = p;
	blocks[heap.blocks++].size = size;
	heap.bytes += size;
	heap.usable += malloc_usable_size(p);
	return p;
}

/* The block is about to be freed. */
static void heap_del(void *p)
{
	for (size_t i = heap.blocks; i > 0; i--) {
		if (blocks[i - 1].p != p)
			continue;
		heap.bytes -= blocks[i - 1].size;
		heap.usable -= malloc_usable_size(p);
		blocks[i - 1] = blocks[--heap.blocks];
		break;
	}
}

void *__wrap_malloc(size_t n)
{
	return heap_fails() ? NULL : heap_add(__real_malloc(n), n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return heap_fails() ? NULL : heap_add(__real_calloc(n, size), n * size);
}

/* The tests do not run out of memory, so the real one succeeds. */
void *__wrap_realloc(void *p, size_t n)
{
	if (heap_fails())
		return NULL;
	heap_del(p);
	p = __real_realloc(p, n);
	if (p == NULL)
		abort();
	return heap_add(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	return heap_fails() ? NULL : heap_add(__real_aligned_alloc(align, n), n);
}

char *__wrap_strdup(const char *s)
{
	return heap_fails() ? NULL : heap_add(__real_strdup(s), strlen(s) + 1);
}

void __wrap_free(void *p)
{
	heap_del(p);
	__real_free(p);
}
