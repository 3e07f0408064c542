/* SPDX-License-Identifier: MIT */
/*
 * Small work over gn.h: echoes of small frames, streams and connections.
 *
 *   small serve                                    an echo; prints its address, serves until it is killed
 *   small ADDR PID SECONDS echo SIZE IN-FLIGHT     frames of SIZE bytes on one stream, so many in flight
 *   small ADDR PID SECONDS streams AT-ONCE         streams, each opened, used for one echo, and ended
 *   small ADDR PID SECONDS conns                   connections, one after the other, each used for one echo
 *
 * PID is that of the server.  Prints the count, the nanoseconds that it took, and the processor time of both.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gn.h"
#include "support/measure.h"

enum { MANY = 100000, FRAME_MAX = 65536 };

#define PROTOCOL "/test/echo/1.0.0"

struct client {
	struct measure m;
	struct gn_loop *loop;
	struct gn_node *node;
	const struct gn_key *key;
	struct gn_multiaddr *addr;
	struct gn_timer *timer;
	size_t size;
	unsigned at_once;
	bool is_echo, is_conns;
	uint8_t frame[FRAME_MAX];
};

static void check(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, gn_strerror(r));
}

static struct gn_node *new_node(struct gn_loop *loop, const struct gn_key *key)
{
	struct gn_node_cfg cfg;
	struct gn_node *node;

	gn_node_cfg_init(&cfg);
	cfg.loop = loop;
	cfg.key = key;
	cfg.limits.conns = MANY;
	cfg.limits.conns_pending = MANY;
	cfg.limits.streams_per_conn = MANY;
	cfg.limits.streams_per_peer = MANY;
	check(gn_node_new(&cfg, &node), "node");
	return node;
}

/* ---- the server ----------------------------------------------------------------- */

static void on_echo(void *arg, struct gn_channel *ch, unsigned events)
{
	struct iovec v;
	ptrdiff_t n = 0;
	int r;

	(void)arg;
	(void)events;
	while ((r = gn_channel_peek(ch, &v, 1)) > 0) {
		n = gn_channel_write(ch, v.iov_base, v.iov_len);
		if (n <= 0)
			break; /* the rest is written on GN_CAN_WRITE */
		gn_channel_skip(ch, (size_t)n);
	}
	if (r == GN_EAGAIN || (r > 0 && n == GN_EAGAIN))
		return;
	if (r == GN_EOF)
		gn_channel_end(ch);
	gn_channel_free(ch);
}

static void on_open(void *arg, struct gn_channel *ch)
{
	gn_channel_on_event(ch, on_echo, arg);
}

static void serve(struct gn_loop *loop, const struct gn_key *key)
{
	struct gn_protocol_cfg echo = {.id = PROTOCOL, .kind = GN_BYTES, .on_open = on_open};
	struct gn_node *node = new_node(loop, key);
	struct gn_multiaddr *at, *bound;

	check(gn_protocol_add(node, &echo), "protocol");
	check(gn_multiaddr_parse("/ip4/127.0.0.1/tcp/0", &at, NULL), "address");
	check(gn_node_listen(node, at, &bound), "listen");
	puts(gn_multiaddr_format(bound));
	fflush(stdout);
	check(gn_loop_run(loop), "loop");
}

/* ---- the client ----------------------------------------------------------------- */

static void start_stream(struct client *c);

static void on_stream(void *arg, struct gn_channel *ch, unsigned events)
{
	struct client *c = arg;
	const void *frame;
	size_t len;
	int r;

	if ((events & GN_DEAD) != 0)
		check(gn_channel_error(ch), "stream");
	while ((r = gn_channel_receive(ch, &frame, &len)) == 0) {
		if (c->is_echo) {
			c->m.count++;
			check(gn_channel_send(ch, c->frame, c->size), "send");
		}
	}
	if (r == GN_EAGAIN)
		return;
	if (r != GN_EOF)
		check(r, "receive");
	gn_channel_free(ch);
	c->m.count++;
	if (c->is_conns)
		gn_loop_stop(c->loop);
	else
		start_stream(c);
}

static void on_dialed(void *arg, int r, struct gn_channel *ch)
{
	struct client *c = arg;

	check(r, "dial");
	gn_channel_on_event(ch, on_stream, c);
	for (unsigned i = 0; i < (c->is_echo ? c->at_once : 1); i++)
		check(gn_channel_send(ch, c->frame, c->size), "send");
	if (!c->is_echo)
		check(gn_channel_end(ch), "end");
}

static void start_stream(struct client *c)
{
	const struct gn_multiaddr *addr = c->addr;
	struct gn_dial_cfg cfg = {.target.addrs = &addr,
				  .target.n_addrs = 1,
				  .protocol = PROTOCOL,
				  .kind = GN_FRAMES,
				  .on_done = on_dialed,
				  .arg = c};
	struct gn_dial *op;

	check(gn_dial_start(c->node, &cfg, &op), "dial");
}

/* At the end of the warm-up, and at the end of the run. */
static void on_timer(void *arg)
{
	struct client *c = arg;

	if (c->m.begin != 0) {
		gn_loop_stop(c->loop);
		return;
	}
	measure_begin(&c->m);
	gn_timer_start(c->timer, (gn_time)(c->m.seconds * (double)GN_SEC));
}

static void measure_on_one_connection(struct client *c)
{
	c->node = new_node(c->loop, c->key);
	check(gn_timer_new(c->loop, on_timer, c, &c->timer), "timer");
	gn_timer_start(c->timer, (gn_time)(MEASURE_WARM_UP * (double)GN_SEC));
	for (unsigned i = 0; i < (c->is_echo ? 1 : c->at_once); i++)
		start_stream(c);
	check(gn_loop_run(c->loop), "loop");
	measure_end(&c->m);
}

static void measure_connections(struct client *c)
{
	int64_t start = measure_clock(CLOCK_MONOTONIC);

	while (!measure_is_over(&c->m, start)) {
		c->node = new_node(c->loop, c->key);
		start_stream(c);
		check(gn_loop_run(c->loop), "loop");
		gn_node_free(c->node);
	}
	measure_end(&c->m);
}

int main(int argc, char **argv)
{
	static struct client c = {.size = 1, .at_once = 1};
	struct gn_key *key;

	check(gn_loop_new(&c.loop), "loop");
	check(gn_key_new(&key), "key");
	c.key = key;
	if (argc == 2 && strcmp(argv[1], "serve") == 0) {
		serve(c.loop, key);
		return 0;
	}
	if (argc >= 5) {
		check(gn_multiaddr_parse(argv[1], &c.addr, NULL), "address");
		measure_init(&c.m, argv[2], argv[3]);
	}
	c.is_echo = argc == 7 && strcmp(argv[4], "echo") == 0;
	c.is_conns = argc == 5 && strcmp(argv[4], "conns") == 0;
	if (c.is_echo) {
		c.size = strtoul(argv[5], NULL, 10);
		c.at_once = (unsigned)strtoul(argv[6], NULL, 10);
	} else if (argc == 6 && strcmp(argv[4], "streams") == 0) {
		c.at_once = (unsigned)strtoul(argv[5], NULL, 10);
	} else if (!c.is_conns) {
		fputs("usage: small serve | small ADDR PID SECONDS echo SIZE IN-FLIGHT|streams AT-ONCE|conns\n",
		      stderr);
		return 2;
	}
	if (c.size == 0 || c.size > FRAME_MAX || c.at_once == 0)
		errx(2, "the size is 1 to %d, the number at least 1", FRAME_MAX);
	if (c.is_conns)
		measure_connections(&c);
	else
		measure_on_one_connection(&c);
	return 0;
}
