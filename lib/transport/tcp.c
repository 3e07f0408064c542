/* SPDX-License-Identifier: MIT */
/* TCP: /ip4/A/tcp/P and /ip6/A/tcp/P, with a zone or without.  Dialing and listening. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "transport/tcp_link.h"

/* Enough that the writer never waits for a round trip to this process, and little enough
 * that a ping does not wait behind it for long. */
#define NOTSENT ((size_t)256 << 10)
#define BACKLOG 1024
#define ACCEPT_TIMES 16             /* a turn */
#define ACCEPT_REST (100 * GN_MSEC) /* when this process is out of descriptors */

static bool tcp_is_for(const struct gn_multiaddr *addr)
{
	static const uint32_t four[] = {GN_MA_IP4, GN_MA_TCP}, six[] = {GN_MA_IP6, GN_MA_TCP};
	static const uint32_t before[] = {GN_MA_IP6ZONE, GN_MA_IP6, GN_MA_TCP};
	static const uint32_t after[] = {GN_MA_IP6, GN_MA_IP6ZONE, GN_MA_TCP};

	return gn_multiaddr_is_shape(addr, four, 2) || gn_multiaddr_is_shape(addr, six, 2) ||
	       gn_multiaddr_is_shape(addr, before, 3) || gn_multiaddr_is_shape(addr, after, 3);
}

static int tcp_prepare(struct gn_loop *loop, const struct gn_multiaddr *addr, struct gn_sockaddr *sa)
{
	int err = tcp_is_for(addr) ? gn_tcp_addr_decode(addr, sa) : GN_ENOTRANS;

	return err ? err : gn_tcp_link_init(loop);
}

/* ---- dialing ------------------------------------------------------------------ */

struct gn_link_dial {
	struct gn_loop *loop;
	void (*on_done)(void *arg, int err, struct gn_link *link);
	void *arg;
	struct gn_sockaddr to;
	int fd;  /* -1: it failed at once, */
	int err; /* of this */
	struct gn_watch *watch;
	struct gn_task task;
};

static void dial_free(struct gn_link_dial *op)
{
	gn_task_cancel(&op->task);
	gn_watch_free(op->watch);
	if (op->fd >= 0)
		gn_socket_close(op->fd);
	free(op);
}

static void dial_finish(struct gn_link_dial *op, int err, struct gn_link *link)
{
	void (*on_done)(void *arg, int err, struct gn_link *link) = op->on_done;
	void *arg = op->arg;

	dial_free(op);
	on_done(arg, err, link);
}

static int dial_connected(struct gn_link_dial *op, struct gn_link **link)
{
	struct gn_sockaddr local;
	int err = gn_socket_error(op->fd);

	if (err)
		return err == -EINPROGRESS ? GN_EAGAIN : err;
	/* Nobody listens, and chance gave this socket the very port that it connects to:
	 * TCP then opens it to itself. */
	if (gn_socket_local(op->fd, &local) == 0 && gn_sockaddr_is_equal(&local, &op->to))
		return -ECONNREFUSED;
	gn_watch_free(op->watch);
	op->watch = NULL;
	err = gn_tcp_link_new(op->loop, op->fd, &op->to, link);
	if (!err)
		op->fd = -1;
	return err;
}

static void on_connected(void *arg, unsigned ready)
{
	struct gn_link_dial *op = arg;
	struct gn_link *link = NULL;
	int err = dial_connected(op, &link);

	(void)ready;
	if (err != GN_EAGAIN)
		dial_finish(op, err, link);
}

static void run_failed(struct gn_task *task)
{
	struct gn_link_dial *op = gn_list_entry(task, struct gn_link_dial, task);

	dial_finish(op, op->err, NULL);
}

static int dial_begin(struct gn_link_dial *op)
{
	int err = gn_socket_dial(&op->to, &op->fd);

	if (err)
		return err;
	gn_socket_tune(op->fd, NOTSENT);
	err = gn_watch_new(op->loop, op->fd, on_connected, op, &op->watch);
	if (err)
		return err;
	gn_watch_start(op->watch, GN_WRITABLE);
	return 0;
}

static int tcp_dial(const struct gn_link_dial_cfg *cfg, struct gn_link_dial **out)
{
	struct gn_sockaddr to;
	struct gn_link_dial *op;
	int err = tcp_prepare(cfg->loop, cfg->addr, &to);

	if (err)
		return err;
	op = calloc(1, sizeof(*op));
	if (op == NULL)
		return -ENOMEM;
	op->loop = cfg->loop;
	op->on_done = cfg->on_done;
	op->arg = cfg->arg;
	op->to = to;
	op->fd = -1;
	gn_task_init(&op->task, run_failed);
	op->err = dial_begin(op);
	if (op->err)
		gn_task_post(op->loop, &op->task);
	*out = op;
	return 0;
}

static void tcp_cancel(struct gn_link_dial *op)
{
	dial_free(op);
}

/* ---- listening ---------------------------------------------------------------- */

struct gn_link_listener {
	struct gn_loop *loop;
	void (*on_link)(void *arg, struct gn_link *link);
	void *arg;
	int fd;
	struct gn_watch *watch;
	struct gn_timer rest;
	bool is_paused;
	bool is_short; /* of descriptors, and that was said */
	bool is_busy;  /* telling of links, in whose callback it may be closed: */
	bool is_gone;  /* it is then freed after that */
};

static void listener_watch(struct gn_link_listener *l)
{
	gn_watch_start(l->watch, l->is_paused || l->rest.at ? 0 : GN_READABLE);
}

static void on_rested(void *arg)
{
	listener_watch(arg);
}

/* What waits stays readable: without a rest the loop would spin on it. */
static void listener_rest(struct gn_link_listener *l, int err)
{
	if (!l->is_short)
		gn_log(GN_LOG_NOTICE, "tcp: cannot accept a connection: %s; they wait", gn_strerror(err));
	l->is_short = true;
	gn_timer_start(&l->rest, ACCEPT_REST);
	listener_watch(l);
}

static void on_incoming(void *arg, unsigned ready)
{
	struct gn_link_listener *l = arg;
	struct gn_sockaddr remote;
	struct gn_link *link;
	int fd, err, i;

	(void)ready;
	l->is_busy = true;
	for (i = 0; i < ACCEPT_TIMES && !l->is_gone && !l->is_paused; i++) {
		err = gn_socket_accept(l->fd, &fd, &remote);
		if (err == GN_EAGAIN)
			break;
		if (err) {
			listener_rest(l, err);
			break;
		}
		l->is_short = false;
		if (gn_tcp_link_new(l->loop, fd, &remote, &link) == 0)
			l->on_link(l->arg, link);
		else
			gn_socket_reset(fd);
	}
	l->is_busy = false;
	if (l->is_gone)
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
	gn_watch_free(l->watch);
	if (l->fd >= 0)
		gn_socket_close(l->fd);
	l->is_gone = true;
	if (!l->is_busy)
		free(l);
}

static int listener_open(struct gn_link_listener *l, const struct gn_sockaddr *at, struct gn_multiaddr **bound)
{
	struct gn_sockaddr real;
	int err = gn_socket_listen(at, BACKLOG, &l->fd);

	if (err)
		return err;
	gn_socket_tune(l->fd, NOTSENT);
	err = gn_socket_local(l->fd, &real);
	if (!err)
		err = gn_watch_new(l->loop, l->fd, on_incoming, l, &l->watch);
	return err ? err : gn_tcp_addr_encode(&real, bound);
}

static int tcp_listen(const struct gn_link_listen_cfg *cfg, struct gn_link_listener **out, struct gn_multiaddr **bound)
{
	struct gn_link_listener *l;
	struct gn_sockaddr at;
	int err = tcp_prepare(cfg->loop, cfg->addr, &at);

	if (err)
		return err;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	l->loop = cfg->loop;
	l->on_link = cfg->on_link;
	l->arg = cfg->arg;
	l->fd = -1;
	gn_timer_init(&l->rest, l->loop, on_rested, l);
	err = listener_open(l, &at, bound);
	if (err) {
		tcp_unlisten(l);
		return err;
	}
	listener_watch(l);
	*out = l;
	return 0;
}

const struct gn_transport_ops gn_transport_tcp = {
	.name = "tcp",
	.is_for = tcp_is_for,
	.dial = tcp_dial,
	.cancel = tcp_cancel,
	.listen = tcp_listen,
	.pause = tcp_pause,
	.close = tcp_unlisten,
};
