/* SPDX-License-Identifier: MIT */
/*
 * A transport that opens no socket: listening on any TCP address succeeds with that address as the bound one,
 * and no link ever arrives.  Tests use it to check what a node does with its listening addresses.
 */
#ifndef GN_SUPPORT_FAKE_TRANSPORT_H
#define GN_SUPPORT_FAKE_TRANSPORT_H

#include "gn.h"
#include "transport/transport.h"

extern const struct gn_transport_ops fake_transport;
extern int fake_transport_err;           /* the error that listening returns; 0: it succeeds */
extern bool fake_transport_defers;       /* listeners stay OPENING (transport.h) until fake_transport_state() */
extern unsigned fake_transport_n_calls;  /* the number of calls of listen so far */
extern unsigned fake_transport_n_closed; /* the number of listeners closed so far */

/* The state of the listener that was opened last changes, now: it is up at `bound`, or down because of err. */
void fake_transport_state(int err, const char *bound);

/* Puts the transport in front of mem in a node's configuration.  It is an argument for net_add(). */
void fake_transport_tune(struct gn_node_cfg *cfg);

#endif
