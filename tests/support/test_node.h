/* SPDX-License-Identifier: MIT */
/*
 * A node under test on a loop of its own, which serves four protocols:
 *
 *     /echo    sends back what it receives, and the end of the stream
 *     /sink    reads to the end and discards the bytes
 *     /hold    keeps the channel in test_node.held and does not read
 *     /flood   keeps the channel and writes whenever it can
 *
 * Clients that use it as intended are in this header (echo_client, outcome), peers that send arbitrary bytes
 * in raw_peer.h.  On a virtual loop connections run over mem, on a real one over TCP on the loopback
 * interface.
 */
#ifndef GN_SUPPORT_TEST_NODE_H
#define GN_SUPPORT_TEST_NODE_H

#include "base/time.h"
#include "id/key.h"
#include "mux/yamux.h"
#include "node/conn.h"
#include "node/node.h"
#include "support/cmocka.h"
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
	unsigned opened;           /* the number of channels of /hold and /flood so far */
	struct gn_channel *held[TEST_NODE_HELD];
	unsigned n_held;
};

/* Limits that a test may change before it passes them to test_node_init(). */
extern struct gn_limits test_limits;
/* Sets test_limits to the defaults; a setup function of cmocka. */
int test_limits_reset(void **state);

/* The stock components with mem in front of TCP. */
const struct gn_components *test_node_components(void);

/* The callbacks on_open of /echo and of /sink. */
void test_node_echo(void *arg, struct gn_channel *ch);

void test_node_sink(void *arg, struct gn_channel *ch);

/* Adds the four protocols to a node. */
void test_node_serve(struct gn_node *node, struct test_node *t);

/* Returns a new key whose seed is this byte, 32 times. */
struct gn_key *test_node_key(uint8_t seed);

/* Returns a new node with this key, these limits and test_node_components(). */
struct gn_node *test_node_node(struct gn_loop *loop, const struct gn_key *key, const struct gn_limits *lim);

/* Listens on an address; returns the bound one with /p2p, for the caller to free. */
struct gn_multiaddr *test_node_listen(struct gn_node *node, const char *text);

/* Makes the loop and the node, and listens.  lim NULL: the default limits. */
void test_node_init(struct test_node *t, bool is_virtual, const struct gn_limits *lim);

/* Frees a channel of /hold or /flood. */
void test_node_drop(struct test_node *t, struct gn_channel *ch);

/* Turns the loop until this much time has passed, or the loop has nothing more to wait for. */
void test_node_run(struct test_node *t, gn_time span);

/* Turns the loop until the condition holds, and fails the test when it does not hold after the time
 * `span`. */
#define TEST_NODE_UNTIL(t, what, span)                                                                              \
	do {                                                                                                        \
		gn_time until_ = gn_loop_now((t)->loop) + (span);                                                   \
		while (!(what)) {                                                                                   \
			gn_time left_ = until_ - gn_loop_now((t)->loop);                                            \
			if (left_ <= 0 || gn_loop_turn((t)->loop, gn_time_min(10 * GN_MSEC, left_)) == GN_EAGAIN) { \
				assert_true(what);                                                                  \
				break;                                                                              \
			}                                                                                           \
		}                                                                                                   \
	} while (0)

/* Waits until the node has no connection, and asserts that it then uses no memory and no I/O buffer. */
void test_node_quiet(struct test_node *t);

/* Returns the node's first connection, which must exist. */
struct gn_conn *test_node_first_conn(const struct test_node *t);

/* Asserts that the node has released everything of its peers and still serves a client, and frees it. */
void test_node_stop(struct test_node *t);

void test_node_fini(struct test_node *t);

/* A client of /echo that sends ECHO_CLIENT_BYTES and reads until the stream ends. */
struct echo_client {
	struct gn_channel *ch;
	int err;
	size_t sent, got;
	bool is_done;  /* the dial has ended */
	bool is_ended; /* with err: the dial has failed or the stream has ended */
};

enum { ECHO_CLIENT_BYTES = 100000 };

void echo_client_on_done(void *arg, int err, struct gn_channel *ch);

/* Runs an echo client on a node of its own.  Returns the error that ended its stream, GN_EOF when all
 * bytes were received. */
int echo_client_try(struct test_node *t, uint8_t seed);

/* Asserts that the node still serves an echo client. */
void test_node_serves(struct test_node *t);

/* The result of a dial. */
struct outcome {
	int err;
	unsigned done, attempts;
	int attempt_err[8];
	gn_time took[8], when;
	struct gn_loop *loop;
	struct gn_channel *ch;
};

void outcome_on_done(void *arg, int err, struct gn_channel *ch);

/* Starts a dial of /echo that fills in *o. */
void outcome_dial(struct gn_node *node, struct outcome *o, const struct gn_multiaddr *const *addrs, size_t n);

#endif
