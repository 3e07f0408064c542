/* SPDX-License-Identifier: MIT */
/*
 * A transport that only pretends to listen: every address with TCP is bound as it is, without a socket, and no link
 * ever comes.  It is for tests of what a node does with its listening addresses.
 */
#ifndef GN_SUPPORT_FAKE_TRANSPORT_H
#define GN_SUPPORT_FAKE_TRANSPORT_H

#include "gn.h"
#include "transport/transport.h"

extern const struct gn_transport_ops fake_transport;
extern int fake_transport_err;           /* what listening fails with; 0: it succeeds */
extern unsigned fake_transport_n_closed; /* listeners closed so far */

/* Adds the transport in front of mem to a node's configuration; for net_add(). */
void fake_transport_tune(struct gn_node_cfg *cfg);

#endif
