/* SPDX-License-Identifier: MIT */
/* The identify message of this node, with the addresses that are useful to the peer. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "node/node.h"
#include "protocols/identify.h"

static const char *own_protocol(void *arg, size_t i)
{
	return gn_registry_show(arg, i);
}

/* The sequence number of a record.  It grows from record to record, also over restarts. */
static uint64_t own_sequence(void)
{
	struct timespec t = {0, 0};

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int gn_identify_own_make(const struct gn_conn *conn, struct gn_buf *out)
{
	struct gn_node *node = conn->node;
	enum gn_ip_scope peer = gn_multiaddr_scope(conn->remote);
	struct gn_identify_own own = {.key = node->key,
				      .agent = node->agent,
				      .protocol = own_protocol,
				      .arg = &node->registry,
				      .seq = own_sequence()};
	const struct gn_multiaddr **listen;
	struct gn_multiaddr **addrs = NULL;
	size_t n = 0;
	int err = gn_node_addrs(node, &addrs, &n);

	if (err != 0)
		return err;
	listen = calloc(n + 1, sizeof(const struct gn_multiaddr *));
	if (listen == NULL) {
		gn_multiaddrs_free(addrs, n);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		if (gn_multiaddr_is_for(addrs[i], peer)) /* others have no meaning in the network of the peer */
			listen[own.n_listen++] = addrs[i];
	own.listen = listen;
	/* Through a relay, remote is the address of the relay. */
	if (!gn_multiaddr_has(conn->remote, GN_MA_P2P_CIRCUIT))
		own.observed = conn->remote;
	err = gn_identify_own_encode(&own, out);
	free(listen);
	gn_multiaddrs_free(addrs, n);
	return err;
}
