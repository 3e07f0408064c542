/* SPDX-License-Identifier: MIT */
/* protocol: is this text fit to be a protocol's id? */
#ifndef CMD_COMMON_PROTOCOL_H
#define CMD_COMMON_PROTOCOL_H

#include "diag.h"

#define PROTOCOL_MAX 1022

/* 0, or -1 and a fault. */
int protocol_check(const char *id, struct fault *f);

#endif
