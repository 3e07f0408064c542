/* SPDX-License-Identifier: MIT */
/*
 * crowd [FEW [MANY]]: checks that a connection does not cost more when many are open.
 *
 * One node listens on loopback, and every peer is a node of its own, all in this process.  With FEW (10)
 * connections open, and then with MANY (1000), it measures the processor time of a connection that is opened,
 * used for one echo and closed, and that of a stream on one of the open connections, in turn.  It prints both
 * and their ratios, and fails if a ratio is over 1.3.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "gn.h"
#include "support/measure.h"

enum { CONNS = 100, STREAMS = 2000, MOST = 20000 };

#define PROTOCOL "/crowd/1.0.0"
#define MARK 1.3

static struct gn_loop *loop;
static struct gn_multiaddr *addr;
static struct gn_node *peers[MOST];

static void check(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, gn_strerror(r));
}

static struct gn_node *new_node(void)
{
	struct gn_node_cfg cfg;
	struct gn_node *node;
	struct gn_key *key;

	gn_node_cfg_init(&cfg);
	check(gn_key_new(&key), "key");
	cfg.loop = loop;
	cfg.key = key;
	cfg.limits.conns = cfg.limits.conns_pending = 2 * MOST;
	cfg.limits.first_stream = 3600 * GN_SEC;
	cfg.limits.keepalive = 0;
	check(gn_node_new(&cfg, &node), "node");
	gn_key_free(key);
	return node;
}

/* ---- the listener, which echoes what it receives ---- */

static void on_echo(void *arg, struct gn_channel *ch, unsigned events)
{
	char byte;
	ptrdiff_t n;

	(void)arg;
	(void)events;
	while ((n = gn_channel_read(ch, &byte, 1)) > 0)
		check((int)gn_channel_write(ch, &byte, 1), "write");
	if (n == GN_EAGAIN)
		return;
	if (n == GN_EOF)
		gn_channel_end(ch);
	gn_channel_free(ch);
}

static void on_open(void *arg, struct gn_channel *ch)
{
	gn_channel_on_event(ch, on_echo, arg);
}

static void start_listener(void)
{
	struct gn_protocol_cfg echo = {.id = PROTOCOL, .kind = GN_BYTES, .on_open = on_open};
	struct gn_node *node = new_node();
	struct gn_multiaddr *at;

	check(gn_protocol_add(node, &echo), "protocol");
	check(gn_multiaddr_parse("/ip4/127.0.0.1/tcp/0", &at, NULL), "address");
	check(gn_node_listen(node, at, &addr), "listen");
	gn_multiaddr_free(at);
}

/* ---- the peers ---- */

static void on_answer(void *arg, struct gn_channel *ch, unsigned events)
{
	char byte;
	ptrdiff_t n;

	(void)arg;
	(void)events;
	while ((n = gn_channel_read(ch, &byte, 1)) > 0)
		;
	if (n == GN_EAGAIN)
		return;
	if (n != GN_EOF)
		check((int)n, "read");
	gn_channel_free(ch);
	gn_loop_stop(loop);
}

static void on_dialed(void *arg, int r, struct gn_channel *ch)
{
	check(r, "dial");
	gn_channel_on_event(ch, on_answer, arg);
	check((int)gn_channel_write(ch, "x", 1), "write");
	check(gn_channel_end(ch), "end");
}

/* Uses a stream of the node for one echo, on its connection or on a new one.  Returns when the stream has
 * ended. */
static void use(struct gn_node *node)
{
	const struct gn_multiaddr *to = addr;
	struct gn_dial_cfg cfg = {.target.addrs = &to,
				  .target.n_addrs = 1,
				  .protocol = PROTOCOL,
				  .kind = GN_BYTES,
				  .on_done = on_dialed};
	struct gn_dial *op;

	check(gn_dial_start(node, &cfg, &op), "dial");
	check(gn_loop_run(loop), "loop");
}

/* ---- measurements ---- */

static double cpu_of_a_connection(void)
{
	int64_t before = measure_clock(CLOCK_PROCESS_CPUTIME_ID);

	for (int i = 0; i < CONNS; i++) {
		struct gn_node *node = new_node();

		use(node);
		gn_node_free(node);
	}
	return (double)(measure_clock(CLOCK_PROCESS_CPUTIME_ID) - before) / CONNS / 1e3;
}

static double cpu_of_a_stream(int n_peers)
{
	int64_t before = measure_clock(CLOCK_PROCESS_CPUTIME_ID);

	for (int i = 0; i < STREAMS; i++)
		use(peers[i % n_peers]);
	return (double)(measure_clock(CLOCK_PROCESS_CPUTIME_ID) - before) / STREAMS / 1e3;
}

static bool judge(const char *what, double few, double many)
{
	bool met = many <= MARK * few;

	printf("  %-12s %8.1f us %8.1f us   ratio %.2f   (%.1f)  %s\n", what, few, many, many / few, MARK,
	       met ? "met" : "NOT MET");
	return met;
}

int main(int argc, char **argv)
{
	int n[2] = {argc > 1 ? atoi(argv[1]) : 10, argc > 2 ? atoi(argv[2]) : 1000}, open = 0;
	double conn[2], stream[2];
	struct rlimit files;
	bool met;

	if (n[0] < 1 || n[1] < n[0] || n[1] > MOST)
		errx(2, "usage: crowd [FEW [MANY]], at most %d", MOST);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	check(gn_loop_new(&loop), "loop");
	start_listener();
	for (int k = 0; k < 2; k++) {
		for (; open < n[k]; open++) {
			peers[open] = new_node();
			use(peers[open]);
		}
		cpu_of_a_connection(); /* a warm-up */
		conn[k] = cpu_of_a_connection();
		stream[k] = cpu_of_a_stream(n[k]);
	}
	printf("CPU of both ends with %d and with %d connections open:\n", n[0], n[1]);
	met = judge("a connection", conn[0], conn[1]);
	met = judge("a stream", stream[0], stream[1]) && met;
	return !met;
}
