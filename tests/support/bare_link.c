/* SPDX-License-Identifier: MIT */
#include "support/bare_link.h"

#include "support/cmocka.h"
#include "support/net.h"
#include "support/test_node.h"

static void bare_link_on_ready(void *arg, unsigned ready)
{
	(void)arg;
	(void)ready;
}

static void bare_link_on_peer(void *arg, struct gn_link *link)
{
	struct bare_link *b = arg;

	assert_null(b->peer);
	b->peer = link;
	link->on_ready = bare_link_on_ready;
	link->arg = b;
}

static void bare_link_on_own(void *arg, int err, struct gn_link *link)
{
	assert_int_equal(err, 0);
	((struct bare_link *)arg)->own = link;
}

void bare_link_init(struct bare_link *b, void (*tune)(struct gn_node_cfg *cfg))
{
	struct gn_multiaddr *addr = net_addr("/memory/1"), *bound;
	struct gn_link_listen_cfg listen = {.addr = addr, .on_link = bare_link_on_peer, .arg = b};
	struct gn_link_dial_cfg dial = {.addr = addr, .on_done = bare_link_on_own, .arg = b};
	struct gn_link_dial *op;
	struct gn_node_cfg cfg;

	memset(b, 0, sizeof *b);
	assert_int_equal(gn_loop_new_virtual(&b->loop), 0);
	b->key = test_node_key(1);
	gn_node_cfg_init(&cfg);
	cfg.loop = listen.loop = dial.loop = b->loop;
	cfg.key = b->key;
	cfg.components = test_node_components();
	if (tune != NULL)
		tune(&cfg);
	assert_int_equal(gn_node_new(&cfg, &b->node), 0);
	assert_int_equal(gn_transport_mem.listen(NULL, &listen, &b->listener, &bound), 0);
	assert_int_equal(gn_transport_mem.dial(NULL, &dial, &op), 0);
	while (b->own == NULL || b->peer == NULL)
		assert_int_equal(gn_loop_turn(b->loop, GN_SEC), 0);
	gn_multiaddr_free(bound);
	gn_multiaddr_free(addr);
}

void bare_link_drop(struct bare_link *b)
{
	if (b->peer != NULL)
		b->peer->ops->abort(b->peer);
	b->peer = NULL;
}

void bare_link_fini(struct bare_link *b)
{
	bare_link_drop(b);
	if (b->own != NULL)
		b->own->ops->abort(b->own);
	bare_link_run(b, 10 * GN_SEC);
	assert_int_equal(b->node->n_conns, 0);
	assert_int_equal(b->node->n_pending, 0);
	assert_int_equal(b->node->n_admitted, 0);
	assert_int_equal(b->node->scope.used, 0);
	gn_transport_mem.close(b->listener);
	gn_node_free(b->node);
	gn_key_free(b->key);
	gn_loop_free(b->loop);
	wire_fini(&b->in);
}

static void bare_link_on_open(void *arg, struct gn_conn *c, int err)
{
	struct bare_link *b = arg;

	assert_ptr_equal(c, b->c); /* on_open is not called from inside gn_conn_new() */
	b->opened++;
	b->err = err;
}

void bare_link_conn(struct bare_link *b, bool inbound, const struct gn_peer_id *expect, gn_time began)
{
	struct gn_conn_cfg cfg = {.node = b->node,
				  .env = &b->node->conn_env,
				  .link = b->own,
				  .inbound = inbound,
				  .expect = expect,
				  .origin = inbound ? GN_ORIGIN_INBOUND : GN_ORIGIN_ADDRESS,
				  .began = began,
				  .on_open = bare_link_on_open,
				  .arg = b};

	b->own = NULL;
	assert_int_equal(gn_conn_new(&cfg, &b->c), 0);
	assert_int_equal(b->opened, 0);
}

void bare_link_run(struct bare_link *b, gn_time span)
{
	gn_time end = gn_loop_now(b->loop) + span;
	uint8_t buf[4096];
	ptrdiff_t n;

	while (gn_loop_now(b->loop) < end && gn_loop_turn(b->loop, end - gn_loop_now(b->loop)) == 0)
		;
	while (b->peer != NULL && b->in_err == 0) {
		n = b->peer->ops->read(b->peer, buf, sizeof buf);
		if (n == GN_EAGAIN)
			break;
		if (n < 0)
			b->in_err = (int)n;
		else
			wire_put(&b->in, buf, (size_t)n);
	}
}

void bare_link_send(struct bare_link *b, const void *p, size_t n)
{
	struct iovec v = {(void *)(uintptr_t)p, n};

	assert_int_equal(b->peer->ops->write(b->peer, &v, 1), n);
	bare_link_run(b, GN_MSEC);
}

void bare_link_expect(struct bare_link *b, const void *p, size_t n)
{
	bare_link_run(b, GN_MSEC);
	assert_true(b->in.len >= n);
	assert_memory_equal(b->in.p + b->in.at, p, n);
	wire_skip(&b->in, n);
}
