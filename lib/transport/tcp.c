/* SPDX-License-Identifier: MIT */
/* The tcp transport: its state, and listening on /ip4/A/tcp/P and /ip6/A/tcp/P, with or without a zone. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "transport/tcp_dial.h"

#define BACKLOG 1024
#define ACCEPT_TIMES 16             /* connections per turn */
#define ACCEPT_REST (100 * GN_MSEC) /* pause after accept() failed, such as for want of descriptors */

static bool tcp_is_for(const struct gn_multiaddr *addr)
{
	static const uint32_t four[] = {GN_MA_IP4, GN_MA_TCP}, six[] = {GN_MA_IP6, GN_MA_TCP};
	static const uint32_t before[] = {GN_MA_IP6ZONE, GN_MA_IP6, GN_MA_TCP};
	static const uint32_t after[] = {GN_MA_IP6, GN_MA_IP6ZONE, GN_MA_TCP};

	return gn_multiaddr_is_shape(addr, four, 2) || gn_multiaddr_is_shape(addr, six, 2) ||
	       gn_multiaddr_is_shape(addr, before, 3) || gn_multiaddr_is_shape(addr, after, 3);
}

int gn_tcp_prepare(struct gn_loop *loop, const struct gn_multiaddr *addr, struct gn_sockaddr *sa)
{
	int err = tcp_is_for(addr) ? gn_tcp_addr_decode(addr, sa) : GN_ENOTRANS;

	return err != 0 ? err : gn_tcp_link_init(loop);
}

/* ---- the state of a node ------------------------------------------------------ */

static int tcp_start(struct gn_node *node, const void *config, void **state)
{
	struct gn_tcp *tcp;

	(void)node;
	if (config != NULL) /* there is nothing to configure */
		return -EINVAL;
	tcp = calloc(1, sizeof *tcp);
	if (tcp == NULL)
		return -ENOMEM;
	gn_list_init(&tcp->ports);
	*state = tcp;
	return 0;
}

static void tcp_stop(void *state)
{
	free(state);
}

/* ---- listening ---------------------------------------------------------------- */

struct gn_link_listener {
	struct gn_loop *loop;
	void (*on_link)(void *arg, struct gn_link *link);
	void (*on_state)(void *arg, int err, const struct gn_multiaddr *bound);
	void *arg;
	struct gn_tcp_port port;
	struct gn_watch *watch;
	struct gn_timer rest;
	bool is_paused;
	bool is_failing;   /* accept() failed, which was logged, and has not succeeded since */
	bool is_down;      /* the socket has failed */
	bool is_accepting; /* on_link or on_state may be running, which may close the listener */
	bool is_closed;    /* from inside on_link or on_state: it is freed when that has returned */
};

static void listener_watch(struct gn_link_listener *l)
{
	gn_watch_start(l->watch, l->is_paused || l->is_down || gn_timer_is_running(&l->rest) ? 0 : GN_READABLE);
}

static void listener_on_rest(void *arg)
{
	listener_watch(arg);
}

/* The pending connection keeps the socket readable.  Without a pause the loop would spin. */
static void listener_rest(struct gn_link_listener *l, int err)
{
	if (!l->is_failing)
		gn_log(GN_LOG_NOTICE, "tcp: cannot accept a connection: %s; they wait", gn_strerror(err));
	l->is_failing = true;
	gn_timer_start(&l->rest, ACCEPT_REST);
	listener_watch(l);
}

/* Whether an error of accept() means that the socket does not listen any more. */
static bool listener_has_failed(int err)
{
	return err == -EINVAL || err == -EBADF || err == -ENOTSOCK;
}

static void listener_fail(struct gn_link_listener *l, int err)
{
	l->is_down = true;
	gn_list_del(&l->port.link);
	listener_watch(l);
	if (l->on_state != NULL)
		l->on_state(l->arg, err, NULL);
}

static void listener_on_ready(void *arg, unsigned ready)
{
	struct gn_link_listener *l = arg;
	struct gn_sockaddr remote;
	struct gn_link *link;
	int fd, err, i;

	(void)ready;
	l->is_accepting = true;
	for (i = 0; i < ACCEPT_TIMES && !l->is_closed && !l->is_paused; i++) {
		err = gn_socket_accept(l->port.fd, &fd, &remote);
		if (err == GN_EAGAIN)
			break;
		if (err != 0) {
			if (listener_has_failed(err))
				listener_fail(l, err);
			else
				listener_rest(l, err);
			break;
		}
		l->is_failing = false;
		if (gn_tcp_link_new(l->loop, fd, &remote, &link) == 0)
			l->on_link(l->arg, link);
		else
			gn_socket_reset(fd);
	}
	l->is_accepting = false;
	if (l->is_closed)
		free(l);
}

static void tcp_pause(struct gn_link_listener *l, bool paused)
{
	l->is_paused = paused;
	listener_watch(l);
}

static void tcp_unlisten(struct gn_link_listener *l)
{
	gn_timer_fini(&l->rest);
	gn_list_del(&l->port.link);
	gn_watch_free(l->watch);
	if (l->port.fd >= 0)
		gn_socket_close(l->port.fd);
	l->is_closed = true;
	if (!l->is_accepting)
		free(l);
}

static int listener_open(struct gn_link_listener *l, const struct gn_sockaddr *at, struct gn_multiaddr **bound)
{
	int err = gn_socket_listen(at, BACKLOG, &l->port.fd);

	if (err != 0)
		return err;
	gn_socket_tune(l->port.fd, GN_TCP_NOTSENT);
	err = gn_socket_local(l->port.fd, &l->port.at);
	if (err == 0)
		err = gn_watch_new(l->loop, l->port.fd, listener_on_ready, l, &l->watch);
	return err != 0 ? err : gn_tcp_addr_encode(&l->port.at, bound);
}

static int tcp_listen(void *state, const struct gn_link_listen_cfg *cfg, struct gn_link_listener **out,
		      struct gn_multiaddr **bound)
{
	struct gn_tcp *tcp = state;
	struct gn_link_listener *l;
	struct gn_sockaddr at;
	int err = gn_tcp_prepare(cfg->loop, cfg->addr, &at);

	if (err != 0)
		return err;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return -ENOMEM;
	l->loop = cfg->loop;
	l->on_link = cfg->on_link;
	l->on_state = cfg->on_state;
	l->arg = cfg->arg;
	l->port.fd = -1;
	gn_list_init(&l->port.link);
	gn_timer_init(&l->rest, l->loop, listener_on_rest, l);
	err = listener_open(l, &at, bound);
	if (err != 0) {
		tcp_unlisten(l);
		return err;
	}
	if (tcp != NULL)
		gn_list_add_tail(&tcp->ports, &l->port.link);
	listener_watch(l);
	*out = l;
	return 0;
}

const struct gn_transport_ops gn_transport_tcp = {
	.name = "tcp",
	.start = tcp_start,
	.stop = tcp_stop,
	.is_for = tcp_is_for,
	.dial = gn_tcp_dial,
	.cancel = gn_tcp_cancel,
	.listen = tcp_listen,
	.pause = tcp_pause,
	.close = tcp_unlisten,
};
