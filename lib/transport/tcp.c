/* SPDX-License-Identifier: MIT */
/* The tcp transport: dialing and listening on /ip4/A/tcp/P and /ip6/A/tcp/P, with or without a zone. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "transport/tcp_link.h"

/* Bytes that may wait in the kernel unsent: enough that the kernel does not run out of bytes while this
 * process is busy, and few enough that a ping is not queued behind them for long. */
#define NOTSENT ((size_t)256 << 10)
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

static int tcp_prepare(struct gn_loop *loop, const struct gn_multiaddr *addr, struct gn_sockaddr *sa)
{
	int err = tcp_is_for(addr) ? gn_tcp_addr_decode(addr, sa) : GN_ENOTRANS;

	return err != 0 ? err : gn_tcp_link_init(loop);
}

/* ---- dialing ------------------------------------------------------------------ */

struct gn_link_dial {
	struct gn_loop *loop;
	void (*on_done)(void *arg, int err, struct gn_link *link);
	void *arg;
	struct gn_sockaddr to;
	int fd;  /* -1: the attempt failed at once */
	int err; /* with this error */
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

	if (err != 0)
		return err == -EINPROGRESS ? GN_EAGAIN : err;
	/* A socket whose own port, chosen by the kernel, is the port that it connects to is connected to
	 * itself (RFC 793, simultaneous open).  This happens on one host only, when nobody listens there. */
	if (gn_socket_local(op->fd, &local) == 0 && gn_sockaddr_is_equal(&local, &op->to))
		return -ECONNREFUSED;
	gn_watch_free(op->watch);
	op->watch = NULL;
	err = gn_tcp_link_new(op->loop, op->fd, &op->to, link);
	if (err == 0)
		op->fd = -1;
	return err;
}

static void dial_on_ready(void *arg, unsigned ready)
{
	struct gn_link_dial *op = arg;
	struct gn_link *link = NULL;
	int err = dial_connected(op, &link);

	(void)ready;
	if (err != GN_EAGAIN)
		dial_finish(op, err, link);
}

static void dial_run_failed(struct gn_task *task)
{
	struct gn_link_dial *op = gn_list_entry(task, struct gn_link_dial, task);

	dial_finish(op, op->err, NULL);
}

static int dial_begin(struct gn_link_dial *op)
{
	int err = gn_socket_dial(&op->to, &op->fd);

	if (err != 0)
		return err;
	gn_socket_tune(op->fd, NOTSENT);
	err = gn_watch_new(op->loop, op->fd, dial_on_ready, op, &op->watch);
	if (err != 0)
		return err;
	gn_watch_start(op->watch, GN_WRITABLE);
	return 0;
}

static int tcp_dial(void *state, const struct gn_link_dial_cfg *cfg, struct gn_link_dial **out)
{
	struct gn_sockaddr to;
	struct gn_link_dial *op;
	int err = tcp_prepare(cfg->loop, cfg->addr, &to);

	(void)state;
	if (err != 0)
		return err;
	op = calloc(1, sizeof *op);
	if (op == NULL)
		return -ENOMEM;
	op->loop = cfg->loop;
	op->on_done = cfg->on_done;
	op->arg = cfg->arg;
	op->to = to;
	op->fd = -1;
	gn_task_init(&op->task, dial_run_failed);
	op->err = dial_begin(op);
	if (op->err != 0)
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
	bool is_failing;   /* accept() failed, which was logged, and has not succeeded since */
	bool is_accepting; /* on_link may be running, which may close the listener */
	bool is_closed;    /* from inside on_link: it is freed when that has returned */
};

static void listener_watch(struct gn_link_listener *l)
{
	gn_watch_start(l->watch, l->is_paused || gn_timer_is_running(&l->rest) ? 0 : GN_READABLE);
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

static void listener_on_ready(void *arg, unsigned ready)
{
	struct gn_link_listener *l = arg;
	struct gn_sockaddr remote;
	struct gn_link *link;
	int fd, err, i;

	(void)ready;
	l->is_accepting = true;
	for (i = 0; i < ACCEPT_TIMES && !l->is_closed && !l->is_paused; i++) {
		err = gn_socket_accept(l->fd, &fd, &remote);
		if (err == GN_EAGAIN)
			break;
		if (err != 0) {
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
	gn_watch_free(l->watch);
	if (l->fd >= 0)
		gn_socket_close(l->fd);
	l->is_closed = true;
	if (!l->is_accepting)
		free(l);
}

static int listener_open(struct gn_link_listener *l, const struct gn_sockaddr *at, struct gn_multiaddr **bound)
{
	struct gn_sockaddr real;
	int err = gn_socket_listen(at, BACKLOG, &l->fd);

	if (err != 0)
		return err;
	gn_socket_tune(l->fd, NOTSENT);
	err = gn_socket_local(l->fd, &real);
	if (err == 0)
		err = gn_watch_new(l->loop, l->fd, listener_on_ready, l, &l->watch);
	return err != 0 ? err : gn_tcp_addr_encode(&real, bound);
}

static int tcp_listen(void *state, const struct gn_link_listen_cfg *cfg, struct gn_link_listener **out,
		      struct gn_multiaddr **bound)
{
	struct gn_link_listener *l;
	struct gn_sockaddr at;
	int err = tcp_prepare(cfg->loop, cfg->addr, &at);

	(void)state;
	if (err != 0)
		return err;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return -ENOMEM;
	l->loop = cfg->loop;
	l->on_link = cfg->on_link;
	l->arg = cfg->arg;
	l->fd = -1;
	gn_timer_init(&l->rest, l->loop, listener_on_rest, l);
	err = listener_open(l, &at, bound);
	if (err != 0) {
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
