/* SPDX-License-Identifier: MIT */
/* A component that makes a node reachable (node/reach.h): it maps each TCP listener to a port of 198.51.100.1. */
#ifndef GN_SUPPORT_DUMMY_REACH_H
#define GN_SUPPORT_DUMMY_REACH_H

#include "node/reach.h"

/* Has to stay valid while the component is attached. */
struct dummy_reach_cfg {
	gn_time delay;    /* before a mapping exists, and before another try */
	gn_time lifetime; /* of a mapping, which is renewed at half of it */
	int err;          /* of mappings; 0: they succeed */
	int start_err;    /* that start returns */
};

/* Two of the same kind, since a node can have each only once. */
extern const struct gn_reach_ops dummy_reach, dummy_reach_second;

#endif
