/* SPDX-License-Identifier: MIT */
/*
 * The listeners of a node: gn_node_listen() and gn_node_unlisten() of gn.h, gn_listener.h, and these functions.  The
 * bound address of each listener that is up, wildcards included, is in node->own; of more than GN_OWN_MAX, the first
 * ones.
 */
#ifndef GN_NODE_LISTENER_H
#define GN_NODE_LISTENER_H

#include "gn.h"

/* The first wait of a listener that retries, which doubles with each attempt that fails, and the longest one. */
#define GN_LISTENER_RETRY_MIN (1 * GN_SEC)
#define GN_LISTENER_RETRY_MAX (60 * GN_SEC)

/* The addresses of this host may have changed: listeners that retry and are down try at once, and those whose address
 * has left this host go down, or come up because it is back.  host_watch.h calls this. */
void gn_listeners_check(struct gn_node *node);
bool gn_listeners_retry(const struct gn_node *node); /* whether any listener retries */

void gn_listeners_close(struct gn_node *node);

#endif
