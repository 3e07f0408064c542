/* SPDX-License-Identifier: MIT */
#include "loop/loop.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

void gn_heap_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}
