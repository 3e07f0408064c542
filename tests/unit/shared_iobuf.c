/* SPDX-License-Identifier: MIT */
/* lib/node/shared_iobuf: the nodes of a loop share their I/O buffers. */
#include "support/support.h"

#include "node/shared_iobuf.h"

enum { BYTES = 300000 };

struct end {
	struct gn_channel *ch;
	size_t n_sent, n_received;
};

static uint8_t shared_byte(size_t i)
{
	return (uint8_t)(i * 7 + (i >> 9));
}

static void end_send(struct end *e)
{
	uint8_t buf[5000];
	ptrdiff_t n = 1;

	while (e->n_sent < BYTES && n > 0) {
		size_t part = sizeof buf < BYTES - e->n_sent ? sizeof buf : BYTES - e->n_sent;

		for (size_t i = 0; i < part; i++)
			buf[i] = shared_byte(e->n_sent + i);
		n = gn_channel_write(e->ch, buf, part);
		if (n > 0)
			e->n_sent += (size_t)n;
	}
}

static void end_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct end *e = arg;
	uint8_t buf[3000];
	ptrdiff_t n;

	if ((events & GN_DEAD) != 0) {
		gn_channel_free(ch);
		e->ch = NULL;
		return;
	}
	while ((n = gn_channel_read(ch, buf, sizeof buf)) > 0)
		for (ptrdiff_t i = 0; i < n; i++)
			assert_int_equal(buf[i], shared_byte(e->n_received++));
	end_send(e);
}

static void end_start(void *arg, struct gn_channel *ch)
{
	struct end *e = arg;

	e->ch = ch;
	gn_channel_on_event(ch, end_on_event, e);
	end_send(e);
}

static void end_on_dialed(void *arg, int err, struct gn_channel *ch)
{
	assert_int_equal(err, 0);
	end_start(arg, ch);
}

static void dial_node(struct net *w, size_t from, size_t to, struct end *e)
{
	const struct gn_multiaddr *addr = w->addr[to];
	struct gn_dial_cfg dial = {.target.addrs = &addr,
				   .target.n_addrs = 1,
				   .protocol = "/bytes",
				   .on_done = end_on_dialed,
				   .arg = e};
	struct gn_dial *op;

	assert_int_equal(gn_dial_start(w->node[from], &dial, &op), 0);
}

static void nodes_on_one_loop_share_their_buffers(void **state)
{
	struct end server[3] = {{0}}, client[3] = {{0}};
	struct net w;

	(void)state;
	net_init(&w, 3, NULL);
	assert_ptr_equal(w.node[0]->iobuf, w.node[1]->iobuf);
	assert_ptr_equal(w.node[0]->iobuf, w.node[2]->iobuf);
	for (size_t i = 0; i < 3; i++) {
		struct gn_protocol_cfg bytes = {.id = "/bytes",
						.kind = GN_BYTES,
						.on_open = end_start,
						.arg = &server[i]};

		assert_int_equal(gn_protocol_add(w.node[i], &bytes), 0);
	}
	/* Each node reads, writes and seals while the others do. */
	for (size_t i = 0; i < 3; i++)
		dial_node(&w, i, (i + 1) % 3, &client[i]);
	net_run(&w, 5 * GN_SEC);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(client[i].n_received, BYTES);
		assert_int_equal(server[i].n_received, BYTES);
	}
	net_fini(&w);
}

/* Frees a node during its transfers.  The transfers of the other nodes must still complete. */
static void the_buffers_outlive_a_node_that_is_freed(void **state)
{
	struct end server[3] = {{0}}, client[3] = {{0}};
	struct gn_iobuf *shared, *again;
	struct net w;

	(void)state;
	net_init(&w, 3, NULL);
	for (size_t i = 0; i < 3; i++) {
		struct gn_protocol_cfg bytes = {.id = "/bytes",
						.kind = GN_BYTES,
						.on_open = end_start,
						.arg = &server[i]};

		assert_int_equal(gn_protocol_add(w.node[i], &bytes), 0);
	}
	for (size_t i = 0; i < 3; i++)
		dial_node(&w, i, (i + 1) % 3, &client[i]);
	while (client[0].n_received == 0 || server[0].n_received == 0)
		assert_int_equal(gn_loop_turn(w.loop, GN_SEC), 0);
	shared = w.node[1]->iobuf;
	/* This resets client[2] and server[1], and frees the node's own channels. */
	gn_node_free(w.node[0]);
	w.node[0] = NULL;
	net_run(&w, 5 * GN_SEC);
	assert_int_equal(client[1].n_received, BYTES);
	assert_int_equal(server[2].n_received, BYTES);
	assert_int_equal(gn_shared_iobuf_acquire(w.loop, &again), 0);
	assert_ptr_equal(again, shared);
	gn_shared_iobuf_release(w.loop);
	net_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_on_one_loop_share_their_buffers),
		cmocka_unit_test(the_buffers_outlive_a_node_that_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
