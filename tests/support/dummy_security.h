/* SPDX-License-Identifier: MIT */
/* A security layer for tests, which protects nothing: the second component of the interface security/secure.h.  Both sides
 * send a greeting with their peer id, then records.  Each connection has a state of its own: the position in its
 * mask in either direction. */
#ifndef GN_SUPPORT_DUMMY_SECURITY_H
#define GN_SUPPORT_DUMMY_SECURITY_H

#include "security/secure.h"

extern const struct gn_security_ops dummy_security;

#endif
