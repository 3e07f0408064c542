/* SPDX-License-Identifier: MIT */
#include "support/test_node.h"

struct gn_limits test_limits;

int test_limits_reset(void **state)
{
	(void)state;
	gn_limits_init(&test_limits);
	return 0;
}

const struct gn_components *test_node_components(void)
{
	static const struct gn_transport_ops *const transports[] = {&gn_transport_mem, &gn_transport_tcp, NULL};
	static const struct gn_security_ops *const securities[] = {&gn_security_noise, NULL};
	static const struct gn_muxer_ops *const muxers[] = {&gn_muxer_yamux, NULL};
	static const struct gn_service_ops *const services[] = {&gn_service_identify, &gn_service_ping, NULL};
	static const struct gn_components all = {transports, securities, muxers, services};

	return &all;
}

/* ---- what the node serves ---- */

static void test_node_on_echo(void *arg, struct gn_channel *ch, unsigned events)
{
	ptrdiff_t n = 0;

	(void)arg;
	if (events & GN_DEAD) {
		gn_channel_free(ch);
		return;
	}
	for (;;) {
		struct gn_channel_state st;
		struct iovec v;

		gn_channel_state(ch, &st);
		if (st.queued > 65536)
			return;
		n = gn_channel_peek(ch, &v, 1);
		if (n <= 0)
			break;
		n = gn_channel_write(ch, v.iov_base, v.iov_len < 4096 ? v.iov_len : 4096);
		if (n == GN_EAGAIN)
			return;
		if (n < 0) { /* -ENOMEM */
			gn_channel_reset(ch);
			gn_channel_free(ch);
			return;
		}
		gn_channel_skip(ch, (size_t)n);
	}
	if (n == GN_EOF)
		gn_channel_end(ch);
	if (n != GN_EAGAIN)
		gn_channel_free(ch);
}

void test_node_echo(void *arg, struct gn_channel *ch)
{
	gn_channel_on_event(ch, test_node_on_echo, arg);
}

static void test_node_on_sink(void *arg, struct gn_channel *ch, unsigned events)
{
	uint8_t buf[8192];
	ptrdiff_t n;

	(void)arg;
	(void)events;
	while ((n = gn_channel_read(ch, buf, sizeof buf)) > 0)
		;
	if (n != GN_EAGAIN)
		gn_channel_free(ch);
}

void test_node_sink(void *arg, struct gn_channel *ch)
{
	gn_channel_on_event(ch, test_node_on_sink, arg);
}

void test_node_drop(struct test_node *t, struct gn_channel *ch)
{
	for (unsigned i = 0; i < t->n_held; i++) {
		if (t->held[i] == ch) {
			t->held[i] = t->held[--t->n_held];
			gn_channel_free(ch);
			return;
		}
	}
	assert_true(ch == NULL); /* fails when the channel is not in t->held */
}

static void test_node_on_hold(void *arg, struct gn_channel *ch, unsigned events)
{
	if (events & GN_DEAD)
		test_node_drop(arg, ch);
}

static void test_node_hold(void *arg, struct gn_channel *ch)
{
	struct test_node *t = arg;

	assert_true(t->n_held < TEST_NODE_HELD);
	t->opened++;
	t->held[t->n_held++] = ch;
	gn_channel_on_event(ch, test_node_on_hold, t);
}

static void test_node_on_flood(void *arg, struct gn_channel *ch, unsigned events)
{
	static const uint8_t zeros[16384];

	if (events & GN_DEAD) {
		test_node_drop(arg, ch);
		return;
	}
	while (gn_channel_write(ch, zeros, sizeof zeros) > 0)
		;
}

static void test_node_flood(void *arg, struct gn_channel *ch)
{
	test_node_hold(arg, ch);
	gn_channel_on_event(ch, test_node_on_flood, arg);
	test_node_on_flood(arg, ch, GN_CAN_WRITE);
}

void test_node_serve(struct gn_node *node, struct test_node *t)
{
	struct gn_protocol_cfg echo = {.id = "/echo", .kind = GN_BYTES, .on_open = test_node_echo, .arg = t};
	struct gn_protocol_cfg sink = {.id = "/sink", .kind = GN_BYTES, .on_open = test_node_sink, .arg = t};
	struct gn_protocol_cfg hold = {.id = "/hold", .kind = GN_BYTES, .on_open = test_node_hold, .arg = t};
	struct gn_protocol_cfg flood = {.id = "/flood", .kind = GN_BYTES, .on_open = test_node_flood, .arg = t};

	assert_true(gn_protocol_add(node, &echo) == 0);
	assert_true(gn_protocol_add(node, &sink) == 0);
	assert_true(gn_protocol_add(node, &hold) == 0);
	assert_true(gn_protocol_add(node, &flood) == 0);
}

struct gn_key *test_node_key(uint8_t seed)
{
	uint8_t bytes[32];
	struct gn_key *key;

	memset(bytes, seed, sizeof bytes);
	assert_true(gn_key_new_seeded(bytes, &key) == 0);
	return key;
}

struct gn_node *test_node_node(struct gn_loop *loop, const struct gn_key *key, const struct gn_limits *lim)
{
	struct gn_node_cfg cfg;
	struct gn_node *node;

	memset(&cfg, 0, sizeof cfg);
	cfg.loop = loop;
	cfg.key = key;
	cfg.components = test_node_components();
	cfg.limits = *lim;
	assert_true(gn_node_new(&cfg, &node) == 0);
	return node;
}

struct gn_multiaddr *test_node_listen(struct gn_node *node, const char *text)
{
	struct gn_multiaddr *at, *bound;

	assert_true(gn_multiaddr_parse(text, &at, NULL) == 0);
	assert_true(gn_node_listen(node, at, &bound) == 0);
	gn_multiaddr_free(at);
	return bound;
}

void test_node_init(struct test_node *t, bool is_virtual, const struct gn_limits *lim)
{
	struct gn_limits stock;

	memset(t, 0, sizeof *t);
	t->is_virtual = is_virtual;
	assert_true((is_virtual ? gn_loop_new_virtual(&t->loop) : gn_loop_new(&t->loop)) == 0);
	gn_limits_init(&stock);
	t->key = test_node_key(1);
	t->node = test_node_node(t->loop, t->key, lim != NULL ? lim : &stock);
	test_node_serve(t->node, t);
	t->addr = test_node_listen(t->node, is_virtual ? "/memory/7" : "/ip4/127.0.0.1/tcp/0");
}

/* ---- time ---- */

void test_node_run(struct test_node *t, gn_time span)
{
	gn_time end = gn_loop_now(t->loop) + span;

	while (gn_loop_now(t->loop) < end)
		if (gn_loop_turn(t->loop, end - gn_loop_now(t->loop)) == GN_EAGAIN)
			break;
}

void test_node_quiet(struct test_node *t)
{
	TEST_NODE_UNTIL(t, t->node->n_conns == 0, 10 * GN_SEC);
	assert_true(t->node->n_pending == 0);
	assert_true(t->node->scope.used == 0);
	assert_true(gn_list_is_empty(&t->node->iobuf->borrowers));
}

void test_node_fini(struct test_node *t)
{
	gn_node_free(t->node);
	gn_key_free(t->key);
	gn_multiaddr_free(t->addr);
	gn_loop_free(t->loop);
}

/* ---- an echo client ---- */

static void echo_client_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	static uint8_t buf[8192];
	struct echo_client *h = arg;
	ptrdiff_t n;

	(void)events;
	while (h->sent < ECHO_CLIENT_BYTES) {
		size_t left = ECHO_CLIENT_BYTES - h->sent;

		memset(buf, 'a', sizeof buf);
		n = gn_channel_write(ch, buf, left < sizeof buf ? left : sizeof buf);
		if (n < 0 && n != GN_EAGAIN) {
			h->err = (int)n;
			h->is_ended = true;
			return;
		}
		if (n <= 0)
			break;
		h->sent += (size_t)n;
		if (h->sent == ECHO_CLIENT_BYTES)
			gn_channel_end(ch);
	}
	while ((n = gn_channel_read(ch, buf, sizeof buf)) > 0)
		h->got += (size_t)n;
	if (n != GN_EAGAIN) {
		h->err = (int)n;
		h->is_ended = true;
	}
}

void echo_client_on_done(void *arg, int err, struct gn_channel *ch)
{
	struct echo_client *h = arg;

	h->is_done = true;
	h->err = err;
	h->ch = ch;
	if (err != 0) {
		h->is_ended = true;
		return;
	}
	gn_channel_on_event(ch, echo_client_on_event, h);
	echo_client_on_event(h, ch, GN_CAN_WRITE);
}

int echo_client_try(struct test_node *t, uint8_t seed)
{
	struct gn_limits lim;
	struct gn_key *key = test_node_key(seed);
	struct gn_node *node;
	struct echo_client h = {0};
	const struct gn_multiaddr *addrs[1] = {t->addr};
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = "/echo",
				  .kind = GN_BYTES,
				  .on_done = echo_client_on_done,
				  .arg = &h};
	struct gn_dial *op;

	gn_limits_init(&lim);
	node = test_node_node(t->loop, key, &lim);
	assert_true(gn_dial_start(node, &cfg, &op) == 0);
	TEST_NODE_UNTIL(t, h.is_ended, 20 * GN_SEC);
	gn_channel_free(h.ch);
	gn_node_free(node);
	gn_key_free(key);
	if (h.err == GN_EOF)
		assert_true(h.got == ECHO_CLIENT_BYTES);
	return h.err;
}

void test_node_serves(struct test_node *t)
{
	assert_true(echo_client_try(t, 99) == GN_EOF);
}

void test_node_stop(struct test_node *t)
{
	test_node_quiet(t);
	test_node_serves(t);
	test_node_quiet(t);
	test_node_fini(t);
}

struct gn_conn *test_node_first_conn(const struct test_node *t)
{
	assert_false(gn_list_is_empty(&t->node->conns));
	return gn_list_entry(t->node->conns.next, struct gn_conn, link_node);
}

/* ---- the result of a dial ---- */

static void outcome_on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct outcome *o = arg;

	(void)addr;
	assert_true(o->attempts < 8);
	o->attempt_err[o->attempts] = err;
	o->took[o->attempts++] = took;
}

void outcome_on_done(void *arg, int err, struct gn_channel *ch)
{
	struct outcome *o = arg;

	o->done++;
	o->err = err;
	o->ch = ch;
	o->when = gn_loop_now(o->loop);
}

void outcome_dial(struct gn_node *node, struct outcome *o, const struct gn_multiaddr *const *addrs, size_t n)
{
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = n,
				  .protocol = "/echo",
				  .kind = GN_BYTES,
				  .target.on_attempt = outcome_on_attempt,
				  .on_done = outcome_on_done,
				  .arg = o};
	struct gn_dial *op;

	memset(o, 0, sizeof *o);
	o->loop = node->loop;
	assert_true(gn_dial_start(node, &cfg, &op) == 0);
	assert_true(o->done == 0);
}
