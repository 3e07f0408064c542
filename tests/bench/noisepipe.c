/* SPDX-License-Identifier: MIT */
/*
 * A pipe over the library's TCP and Noise without a multiplexer: the cost of the security layer
 * and the pump compared with the minimal program.
 *
 *   noisepipe listen ADDR >out    noisepipe dial ADDR <in    (ADDR: /ip4/.../tcp/...)
 *
 * It uses the library's internal headers, as a connection does (lib/node/conn_io.c).  The listener
 * writes its address to descriptor 9.  Keys are made for each run, and every peer is accepted.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "security/secure.h"
#include "stack/stack.h"
#include "transport/transport.h"

enum { FEED = 4 * 65519, ROUNDS = 4, BUDGET = 64, VIEWS = 64, READY_FD = 9 };

struct end {
	struct gn_loop *loop;
	struct gn_key *key;
	void *noise; /* the state of /noise */
	struct gn_iobuf iobuf;
	struct gn_link_listener *listener; /* until a peer has connected */
	struct gn_link *link;
	struct gn_pipe rx, tx;
	struct gn_stack stack;
	struct gn_task task;
	struct gn_timer timer;
	uint8_t *in; /* data from stdin that was not sent yet */
	size_t in_at, in_len;
	bool dials, ready, can_read, can_write, ended;
};

static void check(int r, const char *what)
{
	if (r < 0)
		errx(8, "%s: %s", what, gn_strerror(r));
}

/* ---- the top of the stack ------------------------------------------------------- */

static int show_input(void *arg, struct iovec *v, int max, size_t limit)
{
	struct end *e = arg;
	size_t n = e->in_len - e->in_at;

	if (n == 0 || max < 1 || limit == 0)
		return 0;
	*v = (struct iovec){e->in + e->in_at, n < limit ? n : limit};
	return 1;
}

static void skip_input(void *arg, size_t n)
{
	((struct end *)arg)->in_at += n;
}

static const struct gn_source input = {show_input, skip_input};

/* Reads stdin when all earlier data is sealed.  Returns true if the stack has work to do. */
static bool feed(struct end *e)
{
	struct gn_pipe *top = gn_stack_top_tx(&e->stack);
	ssize_t n;

	if (!e->ready || e->in_at < e->in_len || gn_pipe_is_closed(top))
		return false;
	n = e->dials ? read(STDIN_FILENO, e->in, FEED) : 0;
	if (n < 0)
		err(1, "standard input");
	e->in_at = 0;
	e->in_len = (size_t)n;
	if (n == 0)
		gn_pipe_close(top, GN_EOF);
	gn_stack_mark_top(&e->stack);
	return true;
}

/* Writes out the data that was opened.  Returns true if there was some. */
static bool drain(struct end *e)
{
	struct gn_pipe *top = gn_stack_top_rx(&e->stack);
	struct iovec v[VIEWS];
	bool moved = false;
	int n;

	while ((n = gn_pipe_peek(top, v, VIEWS, SIZE_MAX)) > 0) {
		ssize_t put = writev(STDOUT_FILENO, v, n);

		if (put < 0)
			err(1, "standard output");
		gn_pipe_skip(top, (size_t)put);
		moved = true;
	}
	if (moved)
		gn_stack_mark_top(&e->stack);
	return moved;
}

/* ---- the bottom, as in lib/node/conn_io.c ------------------------------------------ */

static bool take_in(struct end *e)
{
	size_t room;
	uint8_t *at;
	ptrdiff_t n;

	if (!e->can_read || gn_pipe_is_closed(&e->rx) || gn_pipe_len(&e->rx) > GN_IOBUF_REST)
		return false;
	at = gn_iobuf_fill(&e->iobuf, &e->rx, &room);
	check(at != NULL ? 0 : -ENOMEM, "receive");
	n = e->link->ops->read(e->link, at, room);
	if (n == GN_EAGAIN) {
		e->can_read = false;
		return false;
	}
	if (n > 0) {
		e->can_read = (size_t)n == room;
		gn_iobuf_filled(&e->iobuf, &e->rx, (size_t)n);
	} else {
		gn_pipe_close(&e->rx, (int)n);
	}
	gn_stack_mark_bottom(&e->stack);
	return true;
}

static bool put_out(struct end *e)
{
	struct iovec v[VIEWS];
	bool moved = false;
	int views;

	while (e->can_write && (views = gn_pipe_peek(&e->tx, v, VIEWS, SIZE_MAX)) > 0) {
		ptrdiff_t n = e->link->ops->write(e->link, v, views);

		if (n == GN_EAGAIN) {
			e->can_write = false;
			break;
		}
		check((int)n, "send");
		gn_pipe_skip(&e->tx, (size_t)n);
		moved = true;
	}
	if (moved && gn_pipe_len(&e->tx) == 0)
		gn_stack_mark_bottom(&e->stack);
	return moved;
}

static void pump(struct end *e)
{
	check(gn_stack_pump(&e->stack, gn_loop_now(e->loop), BUDGET) == GN_EAGAIN ? 0 : e->stack.err, "connection");
}

static void turn(struct gn_task *task)
{
	struct end *e = gn_list_entry(task, struct end, task);
	bool moved = true;

	for (int i = 0; i < ROUNDS && moved; i++) {
		moved = take_in(e);
		pump(e);
		moved |= drain(e);
		moved |= feed(e);
		pump(e);
		moved |= put_out(e);
	}
	if (!e->ended && gn_pipe_end(&e->tx) != 0) {
		e->ended = true;
		check(e->link->ops->end(e->link), "end");
	}
	if (e->ended && e->ready && gn_pipe_end(gn_stack_top_rx(&e->stack)) == GN_EOF) {
		e->link->ops->close(e->link);
		gn_loop_stop(e->loop);
		return;
	}
	e->link->ops->watch(e->link, (gn_pipe_is_closed(&e->rx) ? 0 : GN_READABLE) | (e->can_write ? 0 : GN_WRITABLE));
	gn_timer_start_at(&e->timer, gn_stack_wake(&e->stack));
	if (moved)
		gn_task_post(e->loop, &e->task);
}

static void on_ready(void *arg, unsigned ready)
{
	struct end *e = arg;

	e->can_read |= (ready & GN_READABLE) != 0;
	e->can_write |= (ready & GN_WRITABLE) != 0;
	gn_task_post(e->loop, &e->task);
}

static void on_timer(void *arg)
{
	struct end *e = arg;

	gn_task_post(e->loop, &e->task);
}

static void on_work(void *arg)
{
	on_timer(arg);
}

static void on_step(void *arg, struct gn_stack *s, struct gn_layer *l, int what)
{
	struct end *e = arg;

	(void)l;
	if (what != GN_READY)
		return;
	e->ready = true;
	gn_pipe_source(gn_stack_top_tx(s), &input, e);
}

/* ---- one connection ------------------------------------------------------------- */

static void start(struct end *e, struct gn_link *link)
{
	static const char *const none[] = {NULL};
	struct gn_stack_cfg stack = {&e->iobuf, &e->rx, &e->tx, on_step, on_work, e};
	struct gn_secure_cfg secure = {.state = e->noise, .key = e->key, .initiator = e->dials, .muxers = none};

	e->link = link;
	link->on_ready = on_ready;
	link->arg = e;
	e->can_write = true;
	gn_pipe_init(&e->rx, &e->iobuf, GN_IOBUF_RX + GN_IOBUF_REST);
	gn_pipe_init(&e->tx, &e->iobuf, GN_IOBUF_TX);
	e->tx.sends = true;
	gn_stack_init(&e->stack, &stack);
	check(gn_stack_push(&e->stack, gn_security_noise.layer, &secure, false, NULL), "noise");
	gn_task_post(e->loop, &e->task);
}

static void on_dialed(void *arg, int r, struct gn_link *link)
{
	check(r, "dial");
	start(arg, link);
}

static void on_link(void *arg, struct gn_link *link)
{
	struct end *e = arg;

	if (e->link != NULL)
		link->ops->abort(link);
	else
		start(e, link);
}

static void listen_at(struct end *e, const struct gn_multiaddr *addr)
{
	const struct gn_link_listen_cfg cfg = {.loop = e->loop, .addr = addr, .on_link = on_link, .arg = e};
	struct gn_multiaddr *bound;
	char *text;

	check(gn_transport_tcp.listen(NULL, &cfg, &e->listener, &bound), "listen");
	gn_security_noise.prepare(e->noise);
	text = gn_multiaddr_format(bound);
	gn_multiaddr_free(bound);
	if (text != NULL && fcntl(READY_FD, F_GETFD) >= 0) {
		dprintf(READY_FD, "%s\n", text);
		close(READY_FD);
	}
	free(text);
}

int main(int argc, char **argv)
{
	static struct end e;
	struct gn_multiaddr *addr;
	struct gn_link_dial *dial;

	if (argc != 3 || (strcmp(argv[1], "listen") != 0 && strcmp(argv[1], "dial") != 0)) {
		fputs("usage: noisepipe listen|dial ADDR\n", stderr);
		return 2;
	}
	e.dials = strcmp(argv[1], "dial") == 0;
	check(gn_multiaddr_parse(argv[2], &addr, NULL), argv[2]);
	check(gn_loop_new(&e.loop), "loop");
	check(gn_key_new(&e.key), "key");
	check(gn_security_noise.start(NULL, NULL, &e.noise), "noise");
	gn_iobuf_init(&e.iobuf);
	gn_task_init(&e.task, turn);
	gn_timer_init(&e.timer, e.loop, on_timer, &e);
	e.in = aligned_alloc(64, (FEED + 63) / 64 * 64);
	if (e.in == NULL)
		err(1, "input");
	fcntl(e.dials ? STDIN_FILENO : STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
	if (e.dials) {
		const struct gn_link_dial_cfg cfg = {.loop = e.loop, .addr = addr, .on_done = on_dialed, .arg = &e};

		check(gn_transport_tcp.dial(NULL, &cfg, &dial), "dial");
	} else {
		listen_at(&e, addr);
	}
	check(gn_loop_run(e.loop), "loop");
	gn_multiaddr_free(addr);
	gn_key_free(e.key);
	free(e.in);
	return 0;
}
