/* SPDX-License-Identifier: MIT */
/* protocol: checks PROTO operands. */
#ifndef CMD_COMMON_PROTOCOL_H
#define CMD_COMMON_PROTOCOL_H

#include "diag.h"

#define PROTOCOL_MAX 1022

/* Returns 0 if the text may be a protocol's id, or -1 and a fault. */
int protocol_check(const char *id, struct fault *f);

#endif
