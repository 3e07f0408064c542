/* SPDX-License-Identifier: MIT */
/*
 * A security layer for tests, which protects nothing.  It is a second implementation of security/secure.h,
 * next to Noise.  Both sides send a greeting with their peer id, and then records.  The layer has a state for
 * each node (the number of layers, which must be 0 when the node stops it) and one for each connection (the
 * position in the mask in each direction).
 */
#ifndef GN_SUPPORT_DUMMY_SECURITY_H
#define GN_SUPPORT_DUMMY_SECURITY_H

#include "security/secure.h"

extern const struct gn_security_ops dummy_security;

#endif
