/* SPDX-License-Identifier: MIT */
/* cmocka with the headers that it expects to be included before it. */
#ifndef GN_SUPPORT_CMOCKA_H
#define GN_SUPPORT_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
