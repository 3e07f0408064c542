/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite of layers: two layers of one kind are connected by wires that deliver bytes in
 * pieces of all sizes, are cut at any offset, or stall.  A component is an entry of `kinds`, which
 * contains the functions that set it up and use it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "id/key.h"
#include "mux/session.h"
#include "security/secure.h"
#include "stack/select.h"
#include "support/support.h"

struct both;

/* A component: how its layer is pushed, and how bytes are written and read once it is open. */
struct kind {
	const char *name;
	const struct gn_security_ops *security; /* NULL: not a security layer */
	void (*push)(struct both *b, int i);
	bool (*is_open)(struct both *b, int i);
	/* The pipes of the user at end i; NULL while there are none. */
	struct gn_pipe *(*tx)(struct both *b, int i);
	struct gn_pipe *(*rx)(struct both *b, int i);
	void (*touch)(struct both *b, int i);
	/* True when end i knows that the connection has ended. */
	bool (*is_over)(struct both *b, int i);
	size_t holds; /* the most bytes that are buffered above while the user does not read */
};

struct both {
	const struct kind *kind;
	struct pair p;
	struct gn_layer *l[2];
	struct gn_key *key[2];
	void *secure[2]; /* the states of the security layer, one for each node */
	struct gn_mux_stream *st[2];
	int expects, wrong;   /* expects 1: each end expects the other; 2: end `wrong` expects another */
	size_t in[2], out[2]; /* numbers of bytes that end i has written and read */
};

/* ---- select: the bytes that follow the negotiation ---- */

static const char *const ids[] = {"/none/1", "/some/1"};

static int find(void *arg, const char *id, size_t len)
{
	(void)arg;
	(void)len;
	return strcmp(id, ids[1]) == 0 ? 1 : GN_ENOPROTO;
}

static void select_push(struct both *b, int i)
{
	struct gn_select_cfg cfg = {.initiator = i == 0, .ids = ids, .n = 2, .find = find};

	assert_int_equal(gn_stack_push(&b->p.side[i].stack, &gn_select_ops, &cfg, true, &b->l[i]), 0);
}

static bool select_is_open(struct both *b, int i)
{
	return side_returned(&b->p.side[i], GN_DONE);
}

static struct gn_pipe *bare_tx(struct both *b, int i)
{
	return &b->p.side[i].tx;
}

static struct gn_pipe *bare_rx(struct both *b, int i)
{
	return &b->p.side[i].rx;
}

static void stack_touch(struct both *b, int i)
{
	gn_stack_mark_top(&b->p.side[i].stack);
}

static bool select_is_over(struct both *b, int i)
{
	return b->p.side[i].stack.err != 0 || (select_is_open(b, i) && gn_pipe_end(&b->p.side[i].rx) != 0);
}

/* ---- a security layer ---- */

static void secure_push(struct both *b, int i)
{
	struct gn_secure_cfg cfg = {.initiator = i == 0};
	uint8_t seed[32] = {(uint8_t)(i + 1)};

	assert_int_equal(gn_key_new_seeded(seed, &b->key[i]), 0);
	assert_int_equal(b->kind->security->start(NULL, NULL, &b->secure[i]), 0);
	cfg.state = b->secure[i];
	cfg.key = b->key[i];
	if (b->expects > 0) {
		struct gn_key *other;

		seed[0] = (uint8_t)(b->expects == 2 && b->wrong == i ? 9 : !i + 1);
		assert_int_equal(gn_key_new_seeded(seed, &other), 0);
		gn_key_id(other, &cfg.expect);
		gn_key_free(other);
	}
	assert_int_equal(gn_stack_push(&b->p.side[i].stack, b->kind->security->layer, &cfg, false, &b->l[i]), 0);
}

static bool secure_is_open(struct both *b, int i)
{
	return side_returned(&b->p.side[i], GN_READY);
}

static struct gn_pipe *up_tx(struct both *b, int i)
{
	return b->l[i]->up_tx;
}

static struct gn_pipe *up_rx(struct both *b, int i)
{
	return b->l[i]->up_rx;
}

static bool secure_is_over(struct both *b, int i)
{
	return b->p.side[i].stack.err != 0 || gn_pipe_end(b->l[i]->up_rx) != 0;
}

/* ---- a muxer: one stream, from end 0 to end 1 ---- */

static void mux_push(struct both *b, int i)
{
	struct gn_mux_cfg cfg = {.client = i == 0, .window = 1 << 20};
	struct gn_mux_session *s;

	assert_int_equal(gn_stack_push(&b->p.side[i].stack, gn_muxer_yamux.layer, &cfg, false, &b->l[i]), 0);
	s = gn_muxer_yamux.session(b->l[i]);
	if (i == 0)
		assert_int_equal(s->ops->open(s, &b->st[0]), 0);
}

static void mux_new(void *arg, struct gn_mux_stream *st)
{
	struct both *b = arg;

	assert_null(b->st[1]);
	assert_int_equal(st->session->ops->establish(st), 0);
	b->st[1] = st;
}

static bool mux_is_open(struct both *b, int i)
{
	gn_mux_session_deliver(gn_muxer_yamux.session(b->l[i]), mux_new, b);
	return b->st[i] != NULL;
}

static struct gn_pipe *mux_tx(struct both *b, int i)
{
	return mux_is_open(b, i) ? &b->st[i]->tx : NULL;
}

static struct gn_pipe *mux_rx(struct both *b, int i)
{
	return mux_is_open(b, i) ? &b->st[i]->rx : NULL;
}

static void mux_touch(struct both *b, int i)
{
	if (mux_is_open(b, i))
		b->st[i]->session->ops->touch(b->st[i]);
}

static bool mux_is_over(struct both *b, int i)
{
	return gn_muxer_yamux.session(b->l[i])->err != 0;
}

static const struct kind kinds[] = {
	{"select", NULL, select_push, select_is_open, bare_tx, bare_rx, stack_touch, select_is_over, 600 * 1024},
	{"noise", &gn_security_noise, secure_push, secure_is_open, up_tx, up_rx, stack_touch, secure_is_over,
	 640 * 1024},
	{"dummy security", &dummy_security, secure_push, secure_is_open, up_tx, up_rx, stack_touch, secure_is_over,
	 640 * 1024},
	{"yamux", NULL, mux_push, mux_is_open, mux_tx, mux_rx, mux_touch, mux_is_over, 256 * 1024},
};

/* ---- the tests ---- */

static void both_init(struct both *b, const struct kind *k, bool shared)
{
	memset(b, 0, sizeof *b);
	b->kind = k;
	pair_init(&b->p, shared);
	for (int i = 0; i < 2; i++)
		k->push(b, i);
}

static void both_fini(struct both *b)
{
	pair_fini(&b->p);
	gn_key_free(b->key[0]);
	gn_key_free(b->key[1]);
	for (int i = 0; i < 2; i++)
		if (b->secure[i] != NULL)
			b->kind->security->stop(b->secure[i]);
}

static uint8_t nth(int writer, size_t i)
{
	return (uint8_t)(i * 3 + i / 255 + (size_t)writer * 77);
}

/* Writes up to n bytes if the pipe is open. */
static void writes(struct both *b, int i, size_t n)
{
	struct gn_pipe *tx = b->kind->tx(b, i);

	if (tx == NULL || (b->kind->push == select_push && !select_is_open(b, i)))
		return;
	for (; n > 0; n--) {
		if (gn_pipe_write(tx, &(uint8_t){nth(i, b->in[i])}, 1) != 1)
			break;
		b->in[i]++;
	}
	b->kind->touch(b, i);
}

/* Reads everything, which must be what the other end wrote. */
static void reads(struct both *b, int i)
{
	struct gn_pipe *rx = b->kind->rx(b, i);
	struct iovec v;

	if (rx == NULL || (b->kind->push == select_push && !select_is_open(b, i)))
		return;
	while (gn_pipe_peek(rx, &v, 1, 65536) == 1) {
		for (size_t k = 0; k < v.iov_len; k++)
			if (((uint8_t *)v.iov_base)[k] != nth(!i, b->out[i]++))
				fail_msg("%s: byte %zu at end %d is not what was sent", b->kind->name, b->out[i] - 1,
					 i);
		gn_pipe_skip(rx, v.iov_len);
	}
	assert_true(b->out[i] <= b->in[!i]);
	b->kind->touch(b, i);
}

/* The conditions of a run. */
struct run {
	size_t step; /* the most bytes that are moved at a time */
	bool by_read;
	size_t total;   /* bytes in each direction */
	bool stalls[2]; /* end i does not read */
	size_t cut[2];  /* the wire of end i ends after so many bytes; SIZE_MAX: never */
	int end;        /* the end or error with which a wire ends */
};

static void turn(struct both *b, const struct run *r)
{
	for (int i = 0; i < 2; i++) {
		struct side *from = &b->p.side[i], *to = &b->p.side[!i];
		struct wire *w = &b->p.wire[i];

		if (b->in[i] < r->total)
			writes(b, i, r->total - b->in[i] < 5000 ? r->total - b->in[i] : 5000);
		(void)side_pump(from, b->p.now);
		if (w->total < r->cut[i]) {
			size_t left = r->cut[i] - w->total;

			if (w->len < 100000)
				wire_take(w, &from->tx, r->step < left ? r->step : left);
		}
		if (w->total >= r->cut[i] && w->end == 0)
			w->end = r->end;
		gn_stack_mark_bottom(&from->stack);
		if (gn_pipe_len(&to->rx) < 300000)
			wire_give(w, &to->rx, r->step, r->by_read);
		gn_stack_mark_bottom(&to->stack);
		(void)side_pump(to, b->p.now);
		if (!r->stalls[!i])
			reads(b, !i);
	}
}

static bool is_through(struct both *b, size_t total)
{
	return b->out[0] == total && b->out[1] == total;
}

static const struct run well = {.step = SIZE_MAX, .total = 1000, .cut = {SIZE_MAX, SIZE_MAX}};

static void assert_passes(const struct kind *k, const struct run *r, bool shared, unsigned turns)
{
	struct both b;

	both_init(&b, k, shared);
	while (!is_through(&b, r->total) && turns-- > 0)
		turn(&b, r);
	if (!is_through(&b, r->total))
		fail_msg("%s: %zu and %zu of %zu came", k->name, b.out[0], b.out[1], r->total);
	assert_int_equal(b.p.side[0].stack.err, 0);
	assert_int_equal(b.p.side[1].stack.err, 0);
	both_fini(&b);
}

static const struct kind *kind_of(void **state)
{
	return *state;
}

static void bytes_pass_in_order(void **state)
{
	struct run r = well;

	r.total = 50000;
	for (int by_read = 0; by_read < 2; by_read++) {
		r.by_read = by_read;
		assert_passes(kind_of(state), &r, false, 1000);
		assert_passes(kind_of(state), &r, true, 1000);
	}
}

static void bytes_pass_one_at_a_time(void **state)
{
	struct run r = well;

	r.step = 1;
	for (int by_read = 0; by_read < 2; by_read++) {
		r.by_read = by_read;
		assert_passes(kind_of(state), &r, by_read, 10000);
	}
}

static void bytes_pass_in_pieces_of_each_size(void **state)
{
	struct run r = well;

	r.by_read = true;
	for (r.step = 2; r.step < 70; r.step++)
		assert_passes(kind_of(state), &r, r.step & 1, 10000);
}

/* Cuts the wire of one end at each offset.  The other end must detect it, and must have read a prefix. */
static void cut(const struct kind *k, int victim, int end)
{
	for (size_t at = 0;; at += at < 400 ? 1 : 37) {
		struct run r = well;
		struct both b;
		bool all;

		r.total = 300;
		r.cut[victim] = at;
		r.end = end;
		r.by_read = at & 1;
		both_init(&b, k, true);
		for (int i = 0; i < 60; i++)
			turn(&b, &r);
		all = b.p.wire[victim].total < at;
		if (!all && !k->is_over(&b, !victim))
			fail_msg("%s: cut at %zu, end %d has not noticed", k->name, at, !victim);
		both_fini(&b);
		if (all)
			return;
	}
}

static void an_end_at_each_offset_is_noticed(void **state)
{
	for (int victim = 0; victim < 2; victim++)
		cut(kind_of(state), victim, GN_EOF);
}

static void a_reset_at_each_offset_is_noticed(void **state)
{
	for (int victim = 0; victim < 2; victim++)
		cut(kind_of(state), victim, -ECONNRESET);
}

/* While the user of one end does not read, the number of buffered bytes is limited.  All bytes arrive once
 * the user reads again. */
static void a_full_pipe_above_stops_the_writer(void **state)
{
	const struct kind *k = kind_of(state);
	struct run r = well;
	struct both b;

	r.total = 2 << 20;
	r.by_read = true;
	r.stalls[1] = true;
	both_init(&b, k, false);
	for (int i = 0; i < 1500; i++)
		turn(&b, &r);
	assert_true(b.out[1] == 0);
	assert_true(gn_pipe_len(k->rx(&b, 1)) <= k->holds);
	assert_true(gn_pipe_len(k->rx(&b, 1)) >= 60000);
	assert_true(b.in[0] < r.total);      /* the writer was stopped */
	assert_int_equal(b.out[0], r.total); /* the other direction is not stopped */
	r.stalls[1] = false;
	for (int i = 0; i < 2000 && !is_through(&b, r.total); i++)
		turn(&b, &r);
	assert_true(is_through(&b, r.total));
	both_fini(&b);
}

/* The pipe below accepts at most two bytes at a time.  All bytes still arrive. */
static void a_narrow_pipe_below_only_slows(void **state)
{
	const struct kind *k = kind_of(state);
	struct both b;

	both_init(&b, k, false);
	for (int i = 0; i < 2000000 && !is_through(&b, 500); i++) {
		struct run r = well;

		r.total = 500;
		r.step = (size_t)(i % 3);
		r.by_read = true;
		turn(&b, &r);
	}
	assert_true(is_through(&b, 500));
	both_fini(&b);
}

/* Each end knows the peer id of the other one, and refuses a peer that it does not expect. */
static void a_security_authenticates_the_peer(void **state)
{
	const struct kind *k = kind_of(state);

	for (int wrong = -1; k->security != NULL && wrong < 2; wrong++) {
		struct run r = well;
		struct both b;

		memset(&b, 0, sizeof b);
		b.kind = k;
		b.expects = wrong < 0 ? 1 : 2;
		b.wrong = wrong;
		pair_init(&b.p, true);
		k->push(&b, 0);
		k->push(&b, 1);
		for (int i = 0; i < 20; i++)
			turn(&b, &r);
		for (int i = 0; i < 2; i++) {
			struct gn_peer_id id;

			gn_key_id(b.key[!i], &id);
			if (wrong < 0) {
				assert_true(gn_peer_id_is_equal(&k->security->info(b.l[i])->peer, &id));
				assert_int_equal(k->security->info(b.l[i])->muxer, -1);
			} else {
				assert_int_equal(secure_is_open(&b, wrong), false);
			}
		}
		if (wrong >= 0)
			assert_int_equal(b.p.side[wrong].stack.err, GN_EPEERID);
		both_fini(&b);
	}
}

/* Both ends are freed after each number of steps, and so in each state; a sanitizer detects leaks. */
static void a_layer_may_be_freed_in_each_state(void **state)
{
	for (int turns = 0; turns < 400; turns++) {
		struct run r = well;
		struct both b;

		r.step = 3;
		r.by_read = turns & 1;
		both_init(&b, kind_of(state), turns & 2);
		for (int i = 0; i < turns; i++)
			turn(&b, &r);
		both_fini(&b);
	}
}

static void random_bytes_end_the_connection(void **state)
{
	for (uint64_t seed = 1; seed < 200; seed++) {
		struct both b;
		struct rng rng;
		struct wire out = {0};

		rng_seed(&rng, seed);
		both_init(&b, kind_of(state), true);
		for (int i = 0; i < 2; i++) {
			uint8_t bytes[300];

			rng_fill(&rng, bytes, sizeof bytes);
			if (seed % 3 == 0)
				bytes[0] = 0;
			side_feed(&b.p.side[i], bytes, sizeof bytes, 1);
			gn_pipe_close(&b.p.side[i].rx, GN_EOF);
			gn_stack_mark_bottom(&b.p.side[i].stack);
			(void)side_pump(&b.p.side[i], 1);
			side_drain(&b.p.side[i], &out, 1);
			if (!b.kind->is_over(&b, i))
				fail_msg("%s: seed %llu: random bytes are accepted", b.kind->name,
					 (unsigned long long)seed);
			wire_skip(&out, out.len);
			out.end = 0;
		}
		wire_fini(&out);
		both_fini(&b);
	}
}

int main(void)
{
	int failed = 0;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		void *k = (void *)(uintptr_t)&kinds[i];
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(bytes_pass_in_order, k),
			cmocka_unit_test_prestate(bytes_pass_one_at_a_time, k),
			cmocka_unit_test_prestate(bytes_pass_in_pieces_of_each_size, k),
			cmocka_unit_test_prestate(an_end_at_each_offset_is_noticed, k),
			cmocka_unit_test_prestate(a_reset_at_each_offset_is_noticed, k),
			cmocka_unit_test_prestate(a_full_pipe_above_stops_the_writer, k),
			cmocka_unit_test_prestate(a_narrow_pipe_below_only_slows, k),
			cmocka_unit_test_prestate(a_security_authenticates_the_peer, k),
			cmocka_unit_test_prestate(a_layer_may_be_freed_in_each_state, k),
			cmocka_unit_test_prestate(random_bytes_end_the_connection, k),
		};

		print_message("%s\n", kinds[i].name);
		failed += cmocka_run_group_tests_name(kinds[i].name, tests, NULL, NULL);
	}
	return failed;
}
