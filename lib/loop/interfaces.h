/* SPDX-License-Identifier: MIT */
/*
 * The interfaces of this host: which of them lead to the internet, which belong to containers and virtual machines
 * on this host, and when any of that changes.  On Linux this is asked of rtnetlink; elsewhere nothing is known.
 */
#ifndef GN_LOOP_INTERFACES_H
#define GN_LOOP_INTERFACES_H

#include "gn.h"

/* From the one whose addresses others are likeliest to reach. */
enum gn_interface_kind {
	GN_INTERFACE_DEFAULT, /* a default route of its family goes through it, that with the lowest metric */
	GN_INTERFACE_OTHER,
	GN_INTERFACE_VIRTUAL /* a bridge that has no default route: containers and virtual machines */
};

/* What is known at one moment. */
struct gn_interfaces;

/* Asks the system, which takes about 50 us and never waits for a network.  -errno, -ENOMEM; -ENOSYS where there is
 * no rtnetlink.  Freed by the caller. */
int gn_interfaces_get(struct gn_interfaces **out);
void gn_interfaces_free(struct gn_interfaces *all);
/* Of the interface with this number, for addresses of a family (4 or 6).  all may be NULL: GN_INTERFACE_OTHER. */
enum gn_interface_kind gn_interfaces_kind(const struct gn_interfaces *all, uint32_t index, int family);

/* Reports that addresses, interfaces or routes of this host have changed, once for changes that come within
 * GN_INTERFACES_SETTLE of one another; the caller looks at what it needs.  Never called from inside a call.
 * For programs that stay: it takes a descriptor.  -errno, -ENOMEM, -ENOSYS; -EINVAL on a virtual loop. */
#define GN_INTERFACES_SETTLE (500 * GN_MSEC)
struct gn_interfaces_watch;
int gn_interfaces_watch_new(struct gn_loop *loop, void (*on_change)(void *arg), void *arg,
			    struct gn_interfaces_watch **out);
void gn_interfaces_watch_free(struct gn_interfaces_watch *w); /* also from inside on_change */

#endif
