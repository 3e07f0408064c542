/* SPDX-License-Identifier: MIT */
/* Two stacks of dummy layers: half-close, resets, stalls, a cancelled handshake, nesting. */
#include <errno.h>

#include "support/support.h"

static void greeted(struct side *s, struct gn_layer *l, int what)
{
	struct dummy_cfg cfg = {0};

	if (what == GN_DONE && l->ops == &dummy_greeter)
		assert_int_equal(gn_stack_push(&s->stack, &dummy_inverter, &cfg, false, NULL), 0);
}

static void two_ends(struct pair *p, bool shared)
{
	struct dummy_cfg greet = {.take = 5, .hello = "hello"};

	pair_init(p, shared);
	for (int i = 0; i < 2; i++) {
		p->side[i].on_step = greeted;
		assert_int_equal(gn_stack_push(&p->side[i].stack, &dummy_greeter, &greet, true, NULL), 0);
	}
}

static struct gn_pipe *top_tx(struct pair *p, int i)
{
	return gn_stack_top_tx(&p->side[i].stack);
}

static struct gn_pipe *top_rx(struct pair *p, int i)
{
	return gn_stack_top_rx(&p->side[i].stack);
}

/* Completes the handshakes of both sides, and drops the "ok" that the greeters have left in the pipes. */
static void opened(struct pair *p)
{
	pair_run(p, 7, false);
	for (int i = 0; i < 2; i++) {
		assert_true(side_returned(&p->side[i], GN_READY));
		assert_int_equal(gn_pipe_len(top_rx(p, i)), 2);
		gn_pipe_skip(top_rx(p, i), 2);
	}
}

static void an_end_passes_through_one_direction_only(void **state)
{
	struct pair p;

	(void)state;
	two_ends(&p, false);
	opened(&p);
	assert_int_equal(gn_pipe_put(top_tx(&p, 0), "question", 8), 0);
	gn_pipe_close(top_tx(&p, 0), GN_EOF);
	gn_stack_mark_top(&p.side[0].stack);
	pair_run(&p, 3, false);
	pipe_assert_text(top_rx(&p, 1), "question");
	gn_pipe_skip(top_rx(&p, 1), 8);
	assert_int_equal(gn_pipe_end(top_rx(&p, 1)), GN_EOF);
	assert_int_equal(gn_pipe_end(top_rx(&p, 0)), 0); /* the other direction is still open */
	assert_int_equal(gn_pipe_put(top_tx(&p, 1), "answer", 6), 0);
	gn_pipe_close(top_tx(&p, 1), GN_EOF);
	gn_stack_mark_top(&p.side[1].stack);
	pair_run(&p, 1, true);
	pipe_assert_text(top_rx(&p, 0), "answer");
	gn_pipe_skip(top_rx(&p, 0), 6);
	assert_int_equal(gn_pipe_end(top_rx(&p, 0)), GN_EOF);
	pair_fini(&p);
}

static void a_reset_reaches_the_top(void **state)
{
	struct pair p;

	(void)state;
	two_ends(&p, true);
	opened(&p);
	assert_int_equal(gn_pipe_put(top_tx(&p, 0), "lost", 4), 0);
	gn_stack_mark_top(&p.side[0].stack);
	pair_run(&p, 100, true);
	assert_int_equal(gn_pipe_len(top_rx(&p, 1)), 4);
	gn_pipe_reset(&p.side[1].rx, -ECONNRESET);
	gn_stack_mark_bottom(&p.side[1].stack);
	(void)side_pump(&p.side[1], 1);
	assert_int_equal(gn_pipe_end(top_rx(&p, 1)), -ECONNRESET);
	pair_fini(&p);
}

static void a_stalled_reader_stops_the_writer_at_the_caps(void **state)
{
	struct pair p;
	uint8_t block[1000];
	size_t in = 0, out = 0, held;

	(void)state;
	two_ends(&p, true);
	opened(&p);
	for (int i = 0; i < 10000; i++) {
		memset(block, (int)(in / sizeof block), sizeof block);
		if (gn_pipe_put(top_tx(&p, 0), block, sizeof block) == 0)
			in += sizeof block;
		gn_stack_mark_top(&p.side[0].stack);
		/* Like a transport, receive only while there is room. */
		if (wire_take(&p.wire[0], &p.side[0].tx, 3000))
			gn_stack_mark_bottom(&p.side[0].stack);
		if (p.wire[0].len > 20000)
			break;
		if (gn_pipe_len(&p.side[1].rx) < 3000 && wire_give(&p.wire[0], &p.side[1].rx, 3000, true))
			gn_stack_mark_bottom(&p.side[1].stack);
		(void)side_pump(&p.side[0], 1);
		(void)side_pump(&p.side[1], 1);
	}
	held = gn_pipe_len(top_rx(&p, 1));
	assert_true(held <= 10000 && held > 9000);
	assert_true(gn_pipe_len(&p.side[1].rx) <= 6000);
	/* The transfer continues when the reader consumes bytes, and none are lost. */
	while (out < in) {
		struct iovec v;

		if (gn_pipe_peek(top_rx(&p, 1), &v, 1, 777) == 1) {
			for (size_t i = 0; i < v.iov_len; i++)
				assert_int_equal(((uint8_t *)v.iov_base)[i], (uint8_t)((out + i) / sizeof block));
			out += v.iov_len;
			gn_pipe_skip(top_rx(&p, 1), v.iov_len);
			gn_stack_mark_top(&p.side[1].stack);
			(void)side_pump(&p.side[1], 1);
		} else {
			assert_true(pair_carry(&p, 3000, true));
		}
	}
	assert_int_equal(out, in);
	pair_fini(&p);
}

/* A dial that is cancelled at any point of the handshake causes no leak. */
static void a_handshake_may_be_cancelled_at_any_point(void **state)
{
	(void)state;
	for (int rounds = 0; rounds < 20; rounds++) {
		struct pair p;
		bool over = false;

		two_ends(&p, true);
		for (int i = 0; i < rounds; i++)
			pair_carry(&p, 1, true);
		side_fini(&p.side[0]);
		side_init(&p.side[0], &p.iobuf[0]);
		p.wire[0].end = -ECONNRESET;
		while (wire_give(&p.wire[0], &p.side[1].rx, 100, true)) {
			gn_stack_mark_bottom(&p.side[1].stack);
			over = side_pump(&p.side[1], 1) != 0;
		}
		/* An error before the hello fails the handshake; a later one is delivered at the top. */
		if (!over) {
			gn_pipe_skip(top_rx(&p, 1), gn_pipe_len(top_rx(&p, 1)));
			assert_int_equal(gn_pipe_end(top_rx(&p, 1)), -ECONNRESET);
		} else {
			assert_true(side_returned(&p.side[1], -ECONNRESET));
		}
		pair_fini(&p);
	}
}

static void a_bad_handshake_fails_at_once(void **state)
{
	struct pair p;

	(void)state;
	two_ends(&p, true);
	side_feed(&p.side[0], "bad..", 5, 1);
	assert_true(side_returned(&p.side[0], GN_EPROTO));
	assert_int_equal(side_pump(&p.side[0], 1), GN_EPROTO);
	pair_fini(&p);
}

/* ---- a connection in a stream ---- */

struct nested {
	struct pair p;
	struct gn_stack inner[2];
	unsigned n_ready;
};

static void inner_step(void *arg, struct gn_stack *s, struct gn_layer *l, int what)
{
	struct nested *n = arg;
	struct dummy_cfg cfg = {0};

	(void)l;
	n->n_ready += what == GN_READY;
	if (what == GN_DONE)
		assert_int_equal(gn_stack_push(s, &dummy_inverter, &cfg, false, NULL), 0);
}

static void nest(struct nested *n)
{
	struct dummy_cfg greet = {.take = 5, .hello = "inner"};

	memset(n, 0, sizeof *n);
	two_ends(&n->p, true);
	opened(&n->p);
	for (int i = 0; i < 2; i++) {
		struct gn_stack_cfg cfg = {.iobuf = &n->p.iobuf[0],
					   .rx = top_rx(&n->p, i),
					   .tx = top_tx(&n->p, i),
					   .on_step = inner_step,
					   .arg = n};

		gn_stack_init(&n->inner[i], &cfg);
		assert_int_equal(gn_stack_push(&n->inner[i], &dummy_greeter, &greet, true, NULL), 0);
	}
}

/* Marks and pumps both stacks, as the node does in each turn for a connection over a stream. */
static bool nested_carry(struct nested *n, size_t max)
{
	bool moved = pair_carry(&n->p, max, true);

	for (int i = 0; i < 2; i++) {
		size_t was = gn_pipe_len(top_tx(&n->p, i)) + gn_pipe_len(top_rx(&n->p, i));

		gn_stack_mark_bottom(&n->inner[i]);
		(void)gn_stack_pump(&n->inner[i], 1, 100);
		moved = moved || was != gn_pipe_len(top_tx(&n->p, i)) + gn_pipe_len(top_rx(&n->p, i));
		gn_stack_mark_top(&n->p.side[i].stack);
		(void)side_pump(&n->p.side[i], 1);
	}
	return moved || gn_pipe_len(&n->p.side[0].tx) + gn_pipe_len(&n->p.side[1].tx) > 0;
}

static void nested_fini(struct nested *n)
{
	gn_stack_fini(&n->inner[0]);
	gn_stack_fini(&n->inner[1]);
	pair_fini(&n->p);
}

static void a_connection_runs_in_a_stream(void **state)
{
	struct nested n;
	struct gn_pipe *to, *at;
	size_t in = 0, out = 0;

	(void)state;
	nest(&n);
	while (nested_carry(&n, 5))
		;
	assert_int_equal(n.n_ready, 2);
	to = gn_stack_top_tx(&n.inner[0]);
	at = gn_stack_top_rx(&n.inner[1]);
	gn_pipe_skip(at, 2);
	assert_int_equal(gn_pipe_len(at), 0);
	for (int i = 0; i < 100000 && gn_pipe_end(at) == 0; i++) {
		struct iovec v;

		for (; in < 100000 && gn_pipe_room(to) > 0; in++)
			assert_int_equal(gn_pipe_write(to, &(uint8_t){(uint8_t)(in / 3)}, 1), 1);
		if (in == 100000)
			gn_pipe_close(to, GN_EOF);
		gn_stack_mark_top(&n.inner[0]);
		nested_carry(&n, 1500);
		while (gn_pipe_peek(at, &v, 1, 999) == 1) {
			for (size_t k = 0; k < v.iov_len; k++)
				assert_int_equal(((uint8_t *)v.iov_base)[k], (uint8_t)((out + k) / 3));
			out += v.iov_len;
			gn_pipe_skip(at, v.iov_len);
		}
		gn_stack_mark_top(&n.inner[1]);
	}
	assert_int_equal(out, 100000);
	assert_int_equal(gn_pipe_end(at), GN_EOF);
	nested_fini(&n);
}

static void a_reset_reaches_the_nested_connection(void **state)
{
	struct nested n;

	(void)state;
	nest(&n);
	while (nested_carry(&n, 100))
		;
	gn_pipe_reset(&n.p.side[1].rx, GN_ERESET);
	gn_stack_mark_bottom(&n.p.side[1].stack);
	(void)side_pump(&n.p.side[1], 1);
	nested_carry(&n, 100);
	assert_int_equal(gn_pipe_end(gn_stack_top_rx(&n.inner[1])), GN_ERESET);
	nested_fini(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_passes_through_one_direction_only),
		cmocka_unit_test(a_reset_reaches_the_top),
		cmocka_unit_test(a_stalled_reader_stops_the_writer_at_the_caps),
		cmocka_unit_test(a_handshake_may_be_cancelled_at_any_point),
		cmocka_unit_test(a_bad_handshake_fails_at_once),
		cmocka_unit_test(a_connection_runs_in_a_stream),
		cmocka_unit_test(a_reset_reaches_the_nested_connection),
	};

	return cmocka_run_group_tests_name("stack: two ends", tests, NULL, NULL);
}
