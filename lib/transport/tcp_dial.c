/* SPDX-License-Identifier: MIT */
/* Dialing of the tcp transport. */
#include "transport/tcp_dial.h"

#include <errno.h>
#include <stdlib.h>

/* LISTENER -- see tcp_dial.h --> CHOSEN
 */
enum dial_port {
	DIAL_PORT_CHOSEN,   /* the system chose the local port */
	DIAL_PORT_LISTENER, /* the local port is that of a listener, and `wait` runs */
};

struct gn_link_dial {
	struct gn_loop *loop;
	void (*on_done)(void *arg, int err, struct gn_link *link);
	void *arg;
	struct gn_sockaddr to;
	enum dial_port port;
	int fd;  /* -1: the attempt failed at once */
	int err; /* with this error */
	struct gn_watch *watch;
	struct gn_timer wait;
	struct gn_task task;
};

static void dial_close(struct gn_link_dial *op)
{
	gn_timer_stop(&op->wait);
	gn_watch_free(op->watch);
	op->watch = NULL;
	if (op->fd >= 0)
		gn_socket_close(op->fd);
	op->fd = -1;
}

static void dial_free(struct gn_link_dial *op)
{
	gn_task_cancel(&op->task);
	dial_close(op);
	gn_timer_fini(&op->wait);
	free(op);
}

static void dial_finish(struct gn_link_dial *op, int err, struct gn_link *link)
{
	void (*on_done)(void *arg, int err, struct gn_link *link) = op->on_done;
	void *arg = op->arg;

	dial_free(op);
	on_done(arg, err, link);
}

static void dial_run_failed(struct gn_task *task)
{
	struct gn_link_dial *op = gn_list_entry(task, struct gn_link_dial, task);

	dial_finish(op, op->err, NULL);
}

/* ---- the local address ---- */

/* Returns the listener from whose address a dial is to come; NULL: none. */
static struct gn_tcp_port *port_find(const struct gn_tcp *tcp, const struct gn_sockaddr *to)
{
	struct gn_sockaddr source;
	bool is_known = false;
	struct gn_list *at;

	gn_list_for_each(at, &tcp->ports) {
		struct gn_tcp_port *p = gn_list_entry(at, struct gn_tcp_port, link);

		if (p->at.family == to->family && gn_sockaddr_is_wildcard(&p->at))
			return p;
	}
	gn_list_for_each(at, &tcp->ports) {
		struct gn_tcp_port *p = gn_list_entry(at, struct gn_tcp_port, link);

		if (p->at.family != to->family)
			continue;
		if (!is_known && gn_socket_source(to, &source) != 0)
			return NULL;
		is_known = true;
		source.port = p->at.port;
		if (gn_sockaddr_is_equal(&p->at, &source))
			return p;
	}
	return NULL;
}

/* Returns whether dials may come from the listener's address. */
static bool port_share(struct gn_tcp_port *p)
{
	if (!p->is_shared)
		p->is_shared = gn_socket_share(p->fd) == 0;
	return p->is_shared;
}

/* ---- connecting ---- */

static void dial_on_ready(void *arg, unsigned ready);

/* Connects, from an address or (NULL) from one that the system chooses. */
static int dial_connect(struct gn_link_dial *op, const struct gn_sockaddr *from)
{
	int err = from != NULL ? gn_socket_dial_from(&op->to, from, &op->fd) : gn_socket_dial(&op->to, &op->fd);

	if (err != 0)
		return err;
	gn_socket_tune(op->fd, GN_TCP_NOTSENT);
	err = gn_watch_new(op->loop, op->fd, dial_on_ready, op, &op->watch);
	if (err != 0) {
		dial_close(op);
		return err;
	}
	gn_watch_start(op->watch, GN_WRITABLE);
	return 0;
}

static int dial_begin(struct gn_link_dial *op, const struct gn_tcp *tcp)
{
	struct gn_tcp_port *p = tcp != NULL ? port_find(tcp, &op->to) : NULL;

	if (p != NULL && port_share(p) && dial_connect(op, &p->at) == 0) {
		op->port = DIAL_PORT_LISTENER;
		gn_timer_start(&op->wait, GN_TCP_FROM_LISTENER_WAIT);
		return 0;
	}
	return dial_connect(op, NULL);
}

/* Connects once more, from a port that the system chooses. */
static void dial_fall_back(struct gn_link_dial *op)
{
	int err;

	dial_close(op);
	op->port = DIAL_PORT_CHOSEN;
	err = dial_connect(op, NULL);
	if (err != 0)
		dial_finish(op, err, NULL);
}

static void dial_on_wait(void *arg)
{
	dial_fall_back(arg);
}

/* Whether an attempt that comes from a listener's port may have failed because of that. */
static bool dial_is_port_error(int err)
{
	return err == -EADDRNOTAVAIL || err == -EADDRINUSE || err == -ETIMEDOUT;
}

static int dial_connected(struct gn_link_dial *op, struct gn_link **link)
{
	struct gn_sockaddr local;
	int err = gn_socket_error(op->fd);

	if (err != 0)
		return err == -EINPROGRESS ? GN_EAGAIN : err;
	/* A socket whose own address is the one that it connects to is connected to itself (RFC 793, simultaneous
	 * open).  With a port that the system chose this happens on one host only, when nobody listens there; a
	 * node that dials from the port on which it listens has dialled its own listener. */
	if (gn_socket_local(op->fd, &local) == 0 && gn_sockaddr_is_equal(&local, &op->to))
		return op->port == DIAL_PORT_LISTENER ? -EADDRINUSE : -ECONNREFUSED;
	gn_watch_free(op->watch);
	op->watch = NULL;
	err = gn_tcp_link_new(op->loop, op->fd, &op->to, link);
	if (err != 0)
		return err;
	if (op->port == DIAL_PORT_LISTENER)
		gn_tcp_link_set_from_listener(*link);
	op->fd = -1;
	return 0;
}

static void dial_on_ready(void *arg, unsigned ready)
{
	struct gn_link_dial *op = arg;
	struct gn_link *link = NULL;
	int err = dial_connected(op, &link);

	(void)ready;
	if (err == GN_EAGAIN)
		return;
	if (op->port == DIAL_PORT_LISTENER && dial_is_port_error(err))
		dial_fall_back(op);
	else
		dial_finish(op, err, link);
}

/* ---- the interface ---- */

int gn_tcp_dial(void *state, const struct gn_link_dial_cfg *cfg, struct gn_link_dial **out)
{
	struct gn_sockaddr to;
	struct gn_link_dial *op;
	int err = gn_tcp_prepare(cfg->loop, cfg->addr, &to);

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
	gn_timer_init(&op->wait, op->loop, dial_on_wait, op);
	op->err = dial_begin(op, cfg->avoids_listener ? NULL : state);
	if (op->err != 0)
		gn_task_post(op->loop, &op->task);
	*out = op;
	return 0;
}

void gn_tcp_cancel(struct gn_link_dial *op)
{
	dial_free(op);
}
