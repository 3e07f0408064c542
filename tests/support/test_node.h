/* SPDX-License-Identifier: MIT */
/* A node on a loop, the one that is tested, with honest clients; tests/raw_peer.h has the others.
 * On a virtual loop everything runs over mem, else over TCP on the loopback. */
#ifndef GN_SUPPORT_TEST_NODE_H
#define GN_SUPPORT_TEST_NODE_H

#include "base/time.h"
#include "id/key.h"
#include "mux/yamux.h"
#include "node/conn.h"
#include "node/node.h"
#include "support/noise_peer.h"
#include "transport/mem.h"
#include "transport/tcp_link.h"

enum { TEST_NODE_HELD = 2048 };

struct test_node {
	struct gn_loop *loop;
	bool is_virtual;
	struct gn_key *key;
	struct gn_node *node;
	struct gn_multiaddr *addr; /* with /p2p */
	unsigned opened;           /* channels of /hold and /flood that came */
	struct gn_channel *held[TEST_NODE_HELD];
	unsigned n_held;
};

const struct gn_components *test_node_components(void);

void test_node_echo(void *arg, struct gn_channel *ch);

void test_node_sink(void *arg, struct gn_channel *ch);

void test_node_serve(struct gn_node *node, struct test_node *t);

struct gn_key *test_node_key(uint8_t seed);

struct gn_node *test_node_node(struct gn_loop *loop, const struct gn_key *key, const struct gn_limits *lim);

struct gn_multiaddr *test_node_listen(struct gn_node *node, const char *text);

/* lim NULL: the defaults. */
void test_node_init(struct test_node *t, bool is_virtual, const struct gn_limits *lim);

/* Frees a channel of /hold or /flood. */
void test_node_drop(struct test_node *t, struct gn_channel *ch);

void test_node_run(struct test_node *t, gn_time span);

/* Turns until the condition holds; false: not within the time. */
#define TEST_NODE_UNTIL(t, what, span)                                                                              \
	do {                                                                                                        \
		gn_time until_ = gn_loop_now((t)->loop) + (span);                                                   \
		while (!(what)) {                                                                                   \
			gn_time left_ = until_ - gn_loop_now((t)->loop);                                            \
			if (left_ <= 0 || gn_loop_turn((t)->loop, gn_time_min(10 * GN_MSEC, left_)) == GN_EAGAIN) { \
				REQUIRE(what);                                                                      \
				break;                                                                              \
			}                                                                                           \
		}                                                                                                   \
	} while (0)

/* Nobody is left, and nothing is owed. */
void test_node_quiet(struct test_node *t);

void test_node_fini(struct test_node *t);

struct echo_client {
	struct gn_channel *ch;
	int err;
	size_t sent, got;
	bool is_done, is_over;
};

enum { ECHO_CLIENT_BYTES = 100000 };

void echo_client_on_done(void *arg, int err, struct gn_channel *ch);

/* How a stream to /echo with 100 kB ends: GN_EOF with all of them back; from a client of its own. */
int echo_client_try(struct test_node *t, uint8_t seed);

/* The node still serves. */
void test_node_serves(struct test_node *t);

struct outcome {
	int err;
	unsigned done, attempts;
	int attempt_err[8];
	gn_time took[8], when;
	struct gn_loop *loop;
	struct gn_channel *ch;
};

void outcome_on_done(void *arg, int err, struct gn_channel *ch);

void outcome_dial(struct gn_node *node, struct outcome *o, const struct gn_multiaddr *const *addrs, size_t n);

#endif
