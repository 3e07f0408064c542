/* SPDX-License-Identifier: MIT */
/*
 * A finder (node/finder.h): a meeting place in memory, which all nodes that were given it as configuration share.
 * Announcements of one node are found by the others.
 */
#ifndef GN_SUPPORT_DUMMY_FINDER_H
#define GN_SUPPORT_DUMMY_FINDER_H

#include "base/list.h"
#include "node/finder.h"

/* Has to stay valid while a finder that uses it is attached. */
struct dummy_finder_place {
	struct gn_list adverts;
	gn_time delay;   /* of answers, and between two announcements */
	int err;         /* of announcements */
	unsigned n_open; /* searches and announcements that exist */
};
void dummy_finder_place_init(struct dummy_finder_place *place);

extern const struct gn_finder_ops dummy_finder;

#endif
