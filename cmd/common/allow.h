/* SPDX-License-Identifier: MIT */
/* allow: the peers of --allow ID, used as the gate of a node.  An empty set admits every peer. */
#ifndef CMD_COMMON_ALLOW_H
#define CMD_COMMON_ALLOW_H

#include "gn.h"
#include "opt.h"

struct allow {
	struct gn_peer_id *ids;
	size_t n;
};

/* Parses the values of --allow.  0, or -1 and a fault. */
int allow_init(struct allow *a, const struct opt_list *texts, struct fault *f);
void allow_fini(struct allow *a);
/* For gn_node_cfg.gate; arg is the set.  Returns GN_EREFUSED and prints a line for an inbound peer that is
 * not in the set, 0 for others.  Outbound connections are always admitted. */
int allow_gate(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote, bool inbound);

#endif
