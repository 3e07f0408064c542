/* SPDX-License-Identifier: MIT */
/*
 * The interface of services: protocols that the node itself runs on its connections, such as
 * identify.  A service is a component of the layer "protocols".  Those of the node's list of
 * components are attached when the node is created; others may be attached and detached later.
 *
 * A service has a state per node, which start() creates, and may keep a state per connection, which
 * embeds a struct gn_service_conn.  A service without the latter adds nothing to a connection.
 *
 * The node calls the functions of a service from the loop, never while a stack is pumped.  All of them
 * may open, reset and close streams, close connections, add and delete protocols, and attach and
 * detach services.
 */
#ifndef GN_NODE_SERVICE_H
#define GN_NODE_SERVICE_H

#include "gn.h"

struct gn_conn;

enum { GN_SERVICES_MAX = 32 }; /* of a node */

struct gn_service_ops {
	const char *name;
	/* Creates the state and adds the service's protocols to the node.  config is what gn_service_attach() was
	 * given, or for a component of the node's list what gn_node_cfg.configs has for it; it is valid during the
	 * call; NULL: defaults.  0 or an error. */
	int (*start)(struct gn_node *node, const void *config, void **state);
	/* Deletes the protocols and frees the state.  The service was detached, or the node is being freed
	 * (node->is_being_freed); only in the first case are the callbacks of pending operations called. */
	void (*stop)(void *state);

	/* The functions below may be NULL. */

	/* A connection is open: streams may be opened on it; if it is limited (gn_conn_is_limited()), only
	 * with GN_STREAM_LIMITED.  A probe (c->is_probe) is its dialer's; a service opens no stream on it.  A
	 * service that is attached later is called for each connection that is open already. */
	void (*on_conn)(void *state, struct gn_conn *c);
	/* The identify message of the peer was received, or a push has changed it.  info is valid during the call.
	 * Called only after on_conn; see gn_identify_get() for messages that were received before. */
	void (*on_identified)(void *state, struct gn_conn *c, const struct gn_identify_info *info);
	/* The path of the connection has changed: direct or relayed, or its limits.  See paths.h. */
	void (*on_path)(void *state, struct gn_conn *c);
	/* The connection has become suspect (c->is_suspect): nothing came from the peer, although the answer of a ping
	 * is overdue, and new streams go elsewhere.  Or it is no longer suspect, because something came. */
	void (*on_suspect)(void *state, struct gn_conn *c);
	/* The protocols or the own addresses of this node have changed. */
	void (*on_change)(void *state);
	/* The connection begins to close in good order, at most once; NULL: the node does, and then each of its
	 * connections.  The service may send last messages: the connection stays open until its streams are
	 * closed, but while a node closes no longer than the limit of gn_node_close(), and otherwise only as long
	 * as the peer acknowledges bytes. */
	void (*on_closing)(void *state, struct gn_conn *c);
	/* The connection has ended, or the service is being detached, or the node is being freed.  Called exactly
	 * once after each on_conn.  The service closes its streams of the connection, which may still be open, and
	 * frees its state of it. */
	void (*on_gone)(void *state, struct gn_conn *c);
};

/* The head of a state that a service keeps for a connection. */
struct gn_service_conn {
	struct gn_service_conn *next; /* of another service */
	void *service;                /* the state per node */
};
void gn_service_conn_add(struct gn_conn *c, struct gn_service_conn *s, void *service);
void gn_service_conn_del(struct gn_conn *c, struct gn_service_conn *s);
/* The state that the service has added to the connection, or NULL. */
struct gn_service_conn *gn_service_conn_find(const struct gn_conn *c, const void *service);

/* Starts a service.  When the node has connections, on_conn is called for each of them from the loop, not from inside
 * this call.  -EEXIST: it is attached, or its detaching is not complete; GN_ECLOSED: the node is closing; GN_ELIMIT:
 * GN_SERVICES_MAX; -ENOMEM; an error of start(). */
int gn_service_attach(struct gn_node *node, const struct gn_service_ops *ops, const void *config);
/* Stops a service.  From now on only on_gone and stop are called, from the loop, not from inside this call.  May be
 * called from inside any function of a service, also of this one.  -ENOENT: it is not attached. */
int gn_service_detach(struct gn_node *node, const struct gn_service_ops *ops);
/* The state of a service; NULL when it is not attached, or was detached. */
void *gn_node_service(const struct gn_node *node, const struct gn_service_ops *ops);

/* ---- for the node ---- */

int gn_services_start(struct gn_node *node);  /* those of the node's components */
void gn_services_stop(struct gn_node *node);  /* all, when the node is freed */
void gn_services_close(struct gn_node *node); /* the node begins to close */
void gn_node_conn_opened(struct gn_node *node, struct gn_conn *c);
void gn_node_conn_closing(struct gn_node *node, struct gn_conn *c);
void gn_node_conn_gone(struct gn_node *node, struct gn_conn *c);
void gn_node_conn_path(struct gn_node *node, struct gn_conn *c);
void gn_node_conn_suspect(struct gn_node *node, struct gn_conn *c);
/* Whether any service has on_identified, and the call of it. */
bool gn_node_wants_identified(const struct gn_node *node);
void gn_node_conn_identified(struct gn_node *node, struct gn_conn *c, const struct gn_identify_info *info);
/* The protocols or the listening addresses of the node have changed. */
void gn_node_changed(struct gn_node *node);

#endif
