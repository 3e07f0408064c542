/* SPDX-License-Identifier: MIT */
/* A security layer for tests, which protects nothing: the second component of the interface security/secure.h.  Both sides
 * send a greeting with their peer id, then records.  It has a state per node (how many layers there are, which must be 0 in
 * stop) and per connection (the position in its mask in either direction). */
#ifndef GN_SUPPORT_DUMMY_SECURITY_H
#define GN_SUPPORT_DUMMY_SECURITY_H

#include "security/secure.h"

extern const struct gn_security_ops dummy_security;

#endif
