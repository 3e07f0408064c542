/* SPDX-License-Identifier: MIT */
/* allow: the set of --allow ID, as the gate of a node.  An empty set lets everyone in. */
#ifndef CMD_COMMON_ALLOW_H
#define CMD_COMMON_ALLOW_H

#include "gn.h"
#include "opt.h"

struct allow {
	struct gn_peer_id *ids;
	size_t n;
};

/* From the texts of --allow; 0, or -1 and a fault. */
int allow_init(struct allow *a, const struct opt_list *texts, struct fault *f);
void allow_fini(struct allow *a);
/* gn_node_cfg.gate with the set as its arg: GN_EREFUSED and a line on stderr for an
 * inbound peer that is not in it; what the tool itself dials is let through. */
int allow_gate(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote, bool inbound);

#endif
