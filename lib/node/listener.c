/* SPDX-License-Identifier: MIT */
#include "node/listener.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "node/event.h"
#include "node/limits.h"
#include "node/node.h"
#include "security/secure.h"

struct gn_listener {
	struct gn_list link; /* in node->listeners */
	struct gn_node *node;
	const struct gn_transport_ops *transport;
	struct gn_link_listener *at;
	struct gn_multiaddr *bound; /* without /p2p */
};

/* The text for the log: why a connection was refused or has failed. */
static const char *listener_reason(const struct gn_conn *c, int err)
{
	switch (c->refusal) {
	case GN_GO_AWAY_CONNS:
		return "refused: as many connections are open as the limit conns allows";
	case GN_GO_AWAY_CONNS_PER_ADDR:
		return "refused: as many connections from its address are open as the limit conns-per-addr allows";
	default:
		return gn_strerror(err);
	}
}

/* Logs each connection that was refused or has failed. */
static void listener_on_open(void *arg, struct gn_conn *c, int err)
{
	/* Pending connections that are closed to make room can be many, and say nothing that a user can act on. */
	bool is_evicted = err == GN_ELIMIT && c->refusal == 0;
	enum gn_log_level level = is_evicted ? GN_LOG_INFO : GN_LOG_NOTICE;
	char *text, id[GN_PEER_ID_TEXT_MAX] = "";

	(void)arg;
	if (err == 0 || !gn_log_is_on(level))
		return;
	text = gn_multiaddr_format(c->remote);
	if (gn_conn_peer(c)->len > 0)
		gn_peer_id_format(gn_conn_peer(c), id);
	gn_log_about(level, c->remote, "%s%s%s: %s", text != NULL ? text : "?", id[0] ? "/p2p/" : "", id,
		     listener_reason(c, err));
	free(text);
}

static void listener_on_link(void *arg, struct gn_link *link)
{
	struct gn_listener *l = arg;
	struct gn_conn_cfg cfg = {.node = l->node,
				  .env = &l->node->conn_env,
				  .link = link,
				  .inbound = true,
				  .origin = GN_ORIGIN_INBOUND,
				  .on_open = listener_on_open};
	struct gn_conn *c;
	int err = gn_node_make_room(l->node);

	if (err != 0)
		link->ops->abort(link);
	else
		err = gn_conn_new(&cfg, &c);
	if (err != 0)
		gn_log(GN_LOG_INFO, "a connection was not accepted: %s", gn_strerror(err));
}

int gn_listener_open(struct gn_node *node, const struct gn_multiaddr *addr, struct gn_listener **out)
{
	const struct gn_transport_ops *t = gn_node_transport(node, addr);
	struct gn_link_listen_cfg cfg = {.loop = node->loop, .node = node, .addr = addr, .on_link = listener_on_link};
	struct gn_listener *l;
	bool changed;
	int err;

	if (t == NULL)
		return GN_ENOTRANS;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return -ENOMEM;
	l->node = node;
	l->transport = t;
	gn_list_init(&l->link);
	cfg.arg = l;
	err = t->listen(gn_components_state(&node->components, t), &cfg, &l->at, &l->bound);
	if (err != 0) {
		free(l);
		return err;
	}
	err = gn_own_add(&node->own, GN_OWN_LISTENING, l->bound, GN_NEVER, &changed);
	if (err != 0 && err != GN_ELIMIT) { /* past the limit the address is only not advertised */
		t->close(l->at);
		gn_multiaddr_free(l->bound);
		free(l);
		return err;
	}
	gn_list_add_tail(&node->listeners, &l->link);
	for (size_t i = 0; node->cfg.components->securities[i] != NULL; i++) {
		const struct gn_security_ops *security = node->cfg.components->securities[i];

		if (security->prepare != NULL)
			security->prepare(gn_components_state(&node->components, security));
	}
	gn_event_listener(node, l->bound, 0);
	gn_node_changed(node);
	*out = l;
	return 0;
}

const struct gn_multiaddr *gn_listener_addr(const struct gn_listener *l)
{
	return l->bound;
}

/* Closes a listener; the caller reports the change. */
static void listener_free(struct gn_listener *l, int err)
{
	bool changed;

	gn_list_del(&l->link);
	l->transport->close(l->at);
	(void)gn_own_del(&l->node->own, GN_OWN_LISTENING, l->bound, &changed);
	gn_event_listener(l->node, l->bound, err);
	gn_multiaddr_free(l->bound);
	free(l);
}

void gn_listener_close(struct gn_listener *l)
{
	struct gn_node *node = l->node;

	listener_free(l, GN_ECLOSED);
	gn_node_changed(node);
}

int gn_node_listen(struct gn_node *node, const struct gn_multiaddr *addr, struct gn_multiaddr **bound)
{
	struct gn_listener *l;
	int err = gn_listener_open(node, addr, &l);

	if (err == 0 && bound != NULL && (err = gn_multiaddr_with_peer(l->bound, &node->id, bound)) != 0)
		gn_listener_close(l);
	return err;
}

void gn_listeners_close(struct gn_node *node)
{
	struct gn_listener *l;

	while ((l = gn_list_first(&node->listeners, struct gn_listener, link)) != NULL)
		listener_free(l, GN_ECLOSED);
}

void gn_node_unlisten(struct gn_node *node)
{
	gn_listeners_close(node);
	gn_node_changed(node);
}
