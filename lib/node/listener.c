/* SPDX-License-Identifier: MIT */
#include "node/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "loop/interfaces.h"
#include "loop/socket.h"
#include "node/event.h"
#include "node/limits.h"
#include "node/node.h"
#include "security/secure.h"

/* UP      -- the transport reports that it is down --> DOWN
 * UP      -- its address has left this host --> ABSENT
 * ABSENT  -- the address is back --> UP
 * ABSENT  -- the transport reports that it is down --> DOWN
 * OPENING -- the transport reports that it is up --> UP, or that it is down --> DOWN
 * DOWN    -- with retry, the timer has expired or the interfaces have changed: it listens --> UP or OPENING
 * The program is notified when UP begins, when UP ends, and when a listener is DOWN that never was up. */
enum listener_state {
	LISTENER_DOWN,    /* the transport has no listener; with retry the timer runs */
	LISTENER_OPENING, /* the transport's listener waits for somebody else */
	LISTENER_UP,
	LISTENER_ABSENT, /* the transport still listens, so that it works again as soon as the address is back */
};

struct gn_listener {
	struct gn_list link; /* in node->listeners */
	struct gn_node *node;
	const struct gn_transport_ops *transport;
	struct gn_multiaddr *addr; /* to listen on */
	bool retries;
	bool is_reported_down; /* by an event, after which none has reported that it is up */
	bool is_of_host;       /* the IP address was one of this host's when the listener came up */
	enum listener_state state;
	struct gn_link_listener *at; /* NULL in DOWN */
	struct gn_multiaddr *bound;  /* without /p2p; NULL in DOWN and OPENING */
	struct gn_timer timer;       /* until the next attempt */
	gn_time wait;                /* of the timer */
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

/* ---- states ---- */

/* Reports and logs that the listener is up, at its bound address. */
static void listener_report_up(struct gn_listener *l)
{
	gn_event_listener(l->node, l->bound, 0);
	if (l->is_reported_down && gn_log_is_on(GN_LOG_NOTICE)) {
		char *text = gn_multiaddr_format(l->bound);

		gn_log(GN_LOG_NOTICE, "listening on %s again", text != NULL ? text : "?");
		free(text);
	}
	l->is_reported_down = false;
}

/* Reports and logs that the listener is not up, unless that was reported already. */
static void listener_report_down(struct gn_listener *l, int err)
{
	const struct gn_multiaddr *addr = l->bound != NULL ? l->bound : l->addr;

	if (l->is_reported_down)
		return;
	l->is_reported_down = true;
	gn_event_listener(l->node, addr, err);
	if (gn_log_is_on(GN_LOG_NOTICE)) {
		char *text = gn_multiaddr_format(addr);

		gn_log(GN_LOG_NOTICE, "cannot listen on %s: %s%s", text != NULL ? text : "?", gn_strerror(err),
		       l->retries ? "; it will be tried again" : "");
		free(text);
	}
}

/* The addresses of this host, which are asked for when they are needed. */
struct listener_host {
	struct gn_ifaddr *ifs;
	size_t n;
	bool is_known;
};

/* Whether the listener's address is one of this host's.  One without an IP address, a wildcard, and the loopback are in
 * any case. */
static bool listener_has_host(const struct gn_listener *l, struct listener_host *host)
{
	struct gn_ip ip;

	if (gn_multiaddr_to_ip(l->bound, &ip, NULL) != 0 || gn_multiaddr_scope(l->bound) == GN_SCOPE_UNSPECIFIED ||
	    gn_multiaddr_is_loopback(l->bound))
		return true;
	if (!host->is_known && gn_ifaddrs_get(&host->ifs, &host->n) != 0)
		return true;
	host->is_known = true;
	for (size_t i = 0; i < host->n; i++)
		if ((host->ifs[i].addr.family == 6) == ip.is_ip6 &&
		    memcmp(host->ifs[i].addr.ip, ip.addr, ip.is_ip6 ? 16 : 4) == 0)
			return true;
	return false;
}

/* The listener is up at its bound address. */
static int listener_set_up(struct gn_listener *l)
{
	bool changed;
	int err = gn_own_add(&l->node->own, GN_OWN_LISTENING, l->bound, GN_NEVER, &changed);

	if (err != 0 && err != GN_ELIMIT) /* past the limit the address is only not advertised */
		return err;
	l->state = LISTENER_UP;
	l->wait = GN_LISTENER_RETRY_MIN;
	listener_report_up(l);
	return 0;
}

/* The listener is not up, or no longer up, because of err. */
static void listener_set_not_up(struct gn_listener *l, enum listener_state state, int err)
{
	bool changed;

	if (l->state == LISTENER_UP)
		(void)gn_own_del(&l->node->own, GN_OWN_LISTENING, l->bound, &changed);
	l->state = state;
	listener_report_down(l, err);
}

/* Closes the transport's listener. */
static void listener_shut(struct gn_listener *l)
{
	if (l->at != NULL)
		l->transport->close(l->at);
	l->at = NULL;
	gn_multiaddr_free(l->bound);
	l->bound = NULL;
}

/* Arranges the next attempt, with a wait that doubles. */
static void listener_retry_later(struct gn_listener *l)
{
	gn_timer_start(&l->timer, l->wait);
	l->wait = gn_time_min(2 * l->wait, GN_LISTENER_RETRY_MAX);
}

/* The transport does not listen, because of err. */
static void listener_fail(struct gn_listener *l, int err)
{
	listener_set_not_up(l, LISTENER_DOWN, err);
	listener_shut(l);
	if (l->retries)
		listener_retry_later(l);
}

/* The transport has bound an address, which the listener owns from now on. */
static int listener_bind(struct gn_listener *l, struct gn_multiaddr *bound)
{
	struct listener_host host = {NULL, 0, false};
	int err;

	l->bound = bound;
	err = listener_set_up(l);
	if (err == 0 && l->retries) {
		l->is_of_host = listener_has_host(l, &host);
		free(host.ifs);
	}
	return err;
}

static void listener_on_state(void *arg, int err, const struct gn_multiaddr *bound)
{
	struct gn_listener *l = arg;
	struct gn_multiaddr *copy = NULL;

	if (err == 0)
		err = gn_multiaddr_dup(bound, &copy);
	if (err == 0)
		err = listener_bind(l, copy);
	if (err != 0)
		listener_fail(l, err);
	gn_node_changed(l->node);
}

/* Listens.  An error leaves the listener DOWN, with no timer. */
static int listener_start(struct gn_listener *l)
{
	struct gn_link_listen_cfg cfg = {.loop = l->node->loop,
					 .node = l->node,
					 .addr = l->addr,
					 .on_link = listener_on_link,
					 .on_state = listener_on_state,
					 .arg = l};
	struct gn_multiaddr *bound = NULL;
	int err = l->transport->listen(gn_components_state(&l->node->components, l->transport), &cfg, &l->at, &bound);

	if (err != 0)
		return err;
	l->state = LISTENER_OPENING;
	if (bound == NULL)
		return 0;
	err = listener_bind(l, bound);
	if (err != 0) {
		l->state = LISTENER_DOWN;
		listener_shut(l);
	}
	return err;
}

static void listener_on_timer(void *arg)
{
	struct gn_listener *l = arg;

	if (listener_start(l) != 0)
		listener_retry_later(l);
	else
		gn_node_changed(l->node);
}

/* Whether an address may become available later: it is in use, or is of an interface that is missing or down. */
static bool listener_may_come(int err)
{
	return err == -EADDRNOTAVAIL || err == -EADDRINUSE || err == -ENETDOWN || err == -ENODEV || err == GN_ENOZONE;
}

/* ---- changes of the interfaces ---- */

/* Returns whether the own addresses have changed. */
static bool listener_check(struct gn_listener *l, struct listener_host *host)
{
	if (l->state == LISTENER_DOWN) {
		l->wait = GN_LISTENER_RETRY_MIN;
		gn_timer_start(&l->timer, 0);
		return false;
	}
	if (l->state == LISTENER_UP && l->is_of_host && !listener_has_host(l, host)) {
		listener_set_not_up(l, LISTENER_ABSENT, -EADDRNOTAVAIL);
		return true;
	}
	if (l->state == LISTENER_ABSENT && listener_has_host(l, host)) {
		if (listener_set_up(l) != 0)
			listener_fail(l, -ENOMEM);
		return true;
	}
	return false;
}

void gn_listeners_check(struct gn_node *node)
{
	struct listener_host host = {NULL, 0, false};
	bool has_changed = false;
	struct gn_list *at;

	gn_list_for_each(at, &node->listeners) {
		struct gn_listener *l = gn_list_entry(at, struct gn_listener, link);

		if (l->retries && listener_check(l, &host))
			has_changed = true;
	}
	free(host.ifs);
	if (has_changed)
		gn_node_changed(node);
}

bool gn_listeners_retry(const struct gn_node *node)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->listeners)
		if (gn_list_entry(at, struct gn_listener, link)->retries)
			return true;
	return false;
}

/* ---- opening and closing ---- */

static int listener_new(struct gn_node *node, const struct gn_listener_cfg *cfg, struct gn_listener **out)
{
	const struct gn_transport_ops *t = gn_node_transport(node, cfg->addr);
	struct gn_listener *l;

	if (t == NULL)
		return GN_ENOTRANS;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return -ENOMEM;
	if (gn_multiaddr_dup(cfg->addr, &l->addr) != 0) {
		free(l);
		return -ENOMEM;
	}
	l->node = node;
	l->transport = t;
	l->retries = cfg->retry;
	l->wait = GN_LISTENER_RETRY_MIN;
	gn_timer_init(&l->timer, node->loop, listener_on_timer, l);
	gn_list_init(&l->link);
	*out = l;
	return 0;
}

/* Frees a listener, which is reported if it is up; the caller reports the change of the own addresses. */
static void listener_free(struct gn_listener *l, int err)
{
	bool changed;

	gn_list_del(&l->link);
	gn_timer_fini(&l->timer);
	if (l->state == LISTENER_UP) {
		(void)gn_own_del(&l->node->own, GN_OWN_LISTENING, l->bound, &changed);
		gn_event_listener(l->node, l->bound, err);
	}
	listener_shut(l);
	gn_multiaddr_free(l->addr);
	free(l);
}

/* Inbound connections are to come: the securities may do what takes time before that. */
static void listener_prepare(struct gn_node *node)
{
	for (size_t i = 0; node->cfg.components->securities[i] != NULL; i++) {
		const struct gn_security_ops *security = node->cfg.components->securities[i];

		if (security->prepare != NULL)
			security->prepare(gn_components_state(&node->components, security));
	}
}

int gn_listener_open(struct gn_node *node, const struct gn_listener_cfg *cfg, struct gn_listener **out)
{
	struct gn_listener *l;
	int err = listener_new(node, cfg, &l);

	if (err != 0)
		return err;
	gn_list_add_tail(&node->listeners, &l->link);
	err = listener_start(l);
	if (err != 0 && (!l->retries || !listener_may_come(err))) {
		listener_free(l, err);
		return err;
	}
	if (err != 0)
		listener_fail(l, err);
	listener_prepare(node);
	gn_node_changed(node);
	*out = l;
	return 0;
}

const struct gn_multiaddr *gn_listener_addr(const struct gn_listener *l)
{
	return l->state == LISTENER_UP ? l->bound : NULL;
}

void gn_listener_close(struct gn_listener *l)
{
	struct gn_node *node = l->node;

	listener_free(l, GN_ECLOSED);
	gn_node_changed(node);
}

int gn_node_listen(struct gn_node *node, const struct gn_multiaddr *addr, struct gn_multiaddr **bound)
{
	const struct gn_listener_cfg cfg = {.addr = addr};
	struct gn_multiaddr *whole = NULL;
	struct gn_listener *l;
	int err = gn_listener_open(node, &cfg, &l);

	if (err != 0 || bound == NULL)
		return err;
	if (l->bound != NULL)
		err = gn_multiaddr_with_peer(l->bound, &node->id, &whole);
	if (err != 0)
		gn_listener_close(l);
	else
		*bound = whole;
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
