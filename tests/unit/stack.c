/* SPDX-License-Identifier: MIT */
#include "support/support.h"

/* ---- fixture ---- */

struct fixture {
	struct gn_iobuf iobuf;
	struct side s;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	gn_iobuf_init(&f->iobuf);
	side_init(&f->s, &f->iobuf);
	dummy_finis = 0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	side_fini(&f->s);
	gn_iobuf_fini(&f->iobuf);
	free(f);
	return 0;
}

static struct gn_layer *push(struct fixture *f, const struct gn_layer_ops *ops, struct dummy_cfg cfg, bool gates)
{
	struct gn_layer *l = NULL;

	assert_int_equal(gn_stack_push(&f->s.stack, ops, &cfg, gates, &l), 0);
	return l;
}

/* ---- the pump ---- */

static void an_empty_stack_does_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(gn_stack_pump(&f->s.stack, 1, 10), 0);
	assert_true(gn_stack_wake(&f->s.stack) == GN_NEVER);
	assert_ptr_equal(gn_stack_top_rx(&f->s.stack), &f->s.rx);
	gn_stack_mark_bottom(&f->s.stack);
	gn_stack_mark_top(&f->s.stack);
}

static void only_dirty_layers_are_advanced(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg quiet = {.ret = GN_EAGAIN};
	struct gn_layer *a = push(f, &dummy_probe, quiet, false), *b = push(f, &dummy_probe, quiet, false);

	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(dummy_of(a)->advances, 1);
	assert_int_equal(dummy_of(b)->advances, 1);
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(dummy_of(a)->advances, 1);
	gn_layer_mark(b);
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(dummy_of(a)->advances, 1);
	assert_int_equal(dummy_of(b)->advances, 2);
	gn_stack_mark_bottom(&f->s.stack);
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(dummy_of(a)->advances, 2);
	assert_int_equal(dummy_of(b)->advances, 2);
}

static void a_mark_asks_to_be_pumped(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg quiet = {.ret = GN_EAGAIN};
	struct gn_layer *a = push(f, &dummy_probe, quiet, false);
	unsigned work = f->s.work;

	gn_layer_mark(a);
	assert_int_equal(f->s.work, work + 1);
	(void)side_pump(&f->s, 1);
	assert_int_equal(f->s.work, work + 1);
}

static void a_pump_keeps_to_its_budget(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg busy = {.ret = 0};
	struct gn_layer *a = push(f, &dummy_probe, busy, false), *b = push(f, &dummy_probe, busy, false);

	assert_int_equal(gn_stack_pump(&f->s.stack, 1, 11), GN_EAGAIN);
	assert_int_equal(dummy_of(a)->advances + dummy_of(b)->advances, 11);
	assert_true(dummy_of(b)->advances >= 5); /* no layer is starved */
	dummy_of(a)->cfg.ret = dummy_of(b)->cfg.ret = GN_EAGAIN;
	assert_int_equal(gn_stack_pump(&f->s.stack, 1, 11), 0);
}

/* When a layer marks another one, the other one is advanced, although the first one moved no bytes. */
static void a_mark_by_a_step_that_moved_nothing_counts(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg quiet = {.ret = GN_EAGAIN}, marks = {.ret = GN_EAGAIN};
	struct gn_layer *a = push(f, &dummy_probe, quiet, false), *b;

	marks.marks = &a;
	b = push(f, &dummy_probe, marks, false);
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(dummy_of(b)->advances, 1);
	assert_int_equal(dummy_of(a)->advances, 2);
}

static void a_layer_is_advanced_at_its_wake_time(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg five = {.ret = GN_EAGAIN, .wake = 500}, three = {.ret = GN_EAGAIN, .wake = 300};
	struct gn_layer *a = push(f, &dummy_probe, five, false), *b = push(f, &dummy_probe, three, false);

	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_true(gn_stack_wake(&f->s.stack) == 300);
	assert_int_equal(side_pump(&f->s, 299), 0);
	assert_int_equal(dummy_of(b)->advances, 1);
	dummy_of(b)->cfg.wake = 0;
	assert_int_equal(side_pump(&f->s, 300), 0);
	assert_int_equal(dummy_of(b)->advances, 2);
	assert_int_equal(dummy_of(a)->advances, 1);
	assert_true(gn_stack_wake(&f->s.stack) == 500); /* the wake time of b has passed */
	dummy_of(a)->cfg.wake = 0;
	assert_int_equal(side_pump(&f->s, 700), 0);
	assert_true(gn_stack_wake(&f->s.stack) == GN_NEVER);
}

static void an_error_ends_the_stack(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg bad = {.ret = GN_EPROTO}, quiet = {.ret = GN_EAGAIN};
	struct gn_layer *b;

	push(f, &dummy_probe, bad, false);
	b = push(f, &dummy_probe, quiet, false);
	assert_int_equal(side_pump(&f->s, 1), GN_EPROTO);
	assert_int_equal(f->s.n_steps, 1);
	assert_int_equal(f->s.steps[0], GN_EPROTO);
	assert_int_equal(dummy_of(b)->advances, 0);
	gn_stack_mark_bottom(&f->s.stack);
	assert_int_equal(side_pump(&f->s, 2), GN_EPROTO);
	assert_int_equal(f->s.n_steps, 1);
}

static void a_failed_init_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg bad = {.init = GN_ELIMIT};
	struct gn_layer *l = NULL;

	assert_int_equal(gn_stack_push(&f->s.stack, &dummy_inverter, &bad, false, &l), GN_ELIMIT);
	assert_null(l);
	assert_int_equal(f->s.stack.n, 0);
	assert_int_equal(dummy_finis, 0);
	assert_ptr_equal(gn_stack_top_rx(&f->s.stack), &f->s.rx);
}

static void a_stack_has_at_most_four_layers(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg quiet = {.ret = GN_EAGAIN};

	for (int i = 0; i < GN_STACK_LAYERS; i++)
		push(f, &dummy_probe, quiet, false);
	assert_int_equal(gn_stack_push(&f->s.stack, &dummy_probe, &quiet, false, NULL), GN_ELIMIT);
	gn_stack_fini(&f->s.stack);
	assert_int_equal(dummy_finis, GN_STACK_LAYERS);
}

static void repump(struct side *s, struct gn_layer *l, int what)
{
	(void)l;
	(void)what;
	*(int *)s->arg = gn_stack_pump(&s->stack, 1, 100);
}

static void a_pump_in_the_pump_does_nothing(void **state)
{
	struct fixture *f = *state;
	int inner = 77;
	struct gn_layer *t = push(f, &dummy_inverter, (struct dummy_cfg){0}, false);

	f->s.on_step = repump;
	f->s.arg = &inner;
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(inner, 0);
	assert_int_equal(dummy_of(t)->advances, 2);
}

/* ---- another bottom ---- */

static void the_pipes_of_layers_are_charged_to_the_scope_of_the_new_bottom(void **state)
{
	static const uint8_t bytes[20000];
	struct fixture *f = *state;
	struct dummy_cfg quiet = {.ret = GN_EAGAIN};
	struct gn_scope before, after;
	struct gn_pipe rx, tx;
	struct gn_layer *l;
	size_t held;

	gn_scope_init(&before, NULL, SIZE_MAX);
	gn_scope_init(&after, NULL, SIZE_MAX);
	gn_pipe_init(&rx, &f->iobuf, SIZE_MAX);
	gn_pipe_init(&tx, &f->iobuf, SIZE_MAX);
	f->s.rx.scope = &before;
	rx.scope = tx.scope = &after;
	l = push(f, &dummy_inverter, quiet, false);
	l->up_rx->cap = sizeof bytes;
	assert_int_equal(gn_pipe_put(l->up_rx, bytes, sizeof bytes), 0);
	held = before.used;
	assert_true(held >= sizeof bytes);
	gn_stack_set_bottom(&f->s.stack, &rx, &tx);
	assert_int_equal(before.used, 0);
	assert_int_equal(after.used, held);
	gn_pipe_skip(l->up_rx, sizeof bytes);
	assert_int_equal(before.used, 0);
	assert_int_equal(after.used, 0);
	gn_stack_set_bottom(&f->s.stack, &f->s.rx, &f->s.tx);
	f->s.rx.scope = NULL;
	gn_pipe_fini(&rx);
	gn_pipe_fini(&tx);
}

/* ---- gates ---- */

static void a_gate_holds_back_those_above(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg quiet = {.ret = GN_EAGAIN, .wake = 5, .hello = "<then>"};
	struct dummy_cfg greet = {.take = 5, .hello = "<first>"};
	struct gn_layer *above;

	push(f, &dummy_greeter, greet, true);
	above = push(f, &dummy_probe, quiet, false);
	assert_ptr_equal(above->rx, &f->s.rx);
	pipe_assert_text(&f->s.tx, "<first><then>"); /* lazy negotiation sends both together */
	assert_int_equal(side_pump(&f->s, 10), 0);
	assert_int_equal(dummy_of(above)->advances, 0);
	assert_true(gn_stack_wake(&f->s.stack) == GN_NEVER);
	side_feed(&f->s, "hel", 3, 10);
	assert_int_equal(dummy_of(above)->advances, 0);
	side_feed(&f->s, "lo and more", 11, 10);
	assert_int_equal(f->s.steps[0], GN_DONE);
	assert_int_equal(dummy_of(above)->advances, 1);
	pipe_assert_text(&f->s.rx, " and more"); /* bytes that were received early are kept */
	assert_int_equal(dummy_finis, 1);
	assert_int_equal(f->s.stack.n, 1);
}

static struct gn_layer *pushed;

static void push_turner(struct side *s, struct gn_layer *l, int what)
{
	struct dummy_cfg cfg = {0};

	(void)l;
	if (what == GN_DONE)
		assert_int_equal(gn_stack_push(&s->stack, &dummy_inverter, &cfg, false, &pushed), 0);
}

static void a_pushed_layer_takes_the_place_of_one_that_is_done(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg greet = {.take = 5};
	uint8_t got[4];

	f->s.on_step = push_turner;
	push(f, &dummy_greeter, greet, true);
	side_feed(&f->s, "hello\x9e\x9d\x9c", 8, 1);
	assert_int_equal(f->s.stack.n, 1);
	assert_ptr_equal(f->s.stack.layers[0], pushed);
	assert_ptr_equal(pushed->rx, &f->s.rx);
	assert_ptr_equal(pushed->tx, &f->s.tx);
	assert_int_equal(gn_pipe_len(pushed->up_rx), 3);
	gn_pipe_copy(pushed->up_rx, got, 3);
	assert_memory_equal(got, "abc", 3);
}

static void ready_is_notified_once(void **state)
{
	struct fixture *f = *state;

	push(f, &dummy_inverter, (struct dummy_cfg){0}, false);
	(void)side_pump(&f->s, 1);
	side_feed(&f->s, "abc", 3, 1);
	assert_int_equal(f->s.n_steps, 1);
	assert_int_equal(f->s.steps[0], GN_READY);
}

/* The layer below is marked after the last step of a handshake, so that the bytes of this step are sent. */
static void the_answer_of_the_last_step_goes_out(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg greet = {.take = 5};

	push(f, &dummy_inverter, (struct dummy_cfg){0}, false);
	push(f, &dummy_greeter, greet, true);
	(void)side_pump(&f->s, 1);
	side_feed(&f->s, "\x97\x9a\x93\x93\x90", 5, 1);
	assert_true(side_returned(&f->s, GN_DONE));
	assert_int_equal(gn_pipe_len(&f->s.tx), 2);
}

/* Bytes that are written during a lazy selection are sent before its answer is received. */
static void lazy_bytes_pass_the_gate(void **state)
{
	struct fixture *f = *state;
	struct dummy_cfg greet = {.take = 5, .hello = "one"};

	push(f, &dummy_inverter, (struct dummy_cfg){0}, false);
	push(f, &dummy_greeter, greet, true);
	(void)side_pump(&f->s, 1);
	assert_int_equal(gn_pipe_len(&f->s.tx), 3);
	assert_int_equal(gn_pipe_put(gn_stack_top_tx(&f->s.stack), "two", 3), 0);
	gn_stack_mark_top(&f->s.stack);
	(void)side_pump(&f->s, 1);
	assert_int_equal(gn_pipe_len(&f->s.tx), 6);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_empty_stack_does_nothing),
		T(only_dirty_layers_are_advanced),
		T(a_mark_asks_to_be_pumped),
		T(a_pump_keeps_to_its_budget),
		T(a_mark_by_a_step_that_moved_nothing_counts),
		T(a_layer_is_advanced_at_its_wake_time),
		T(an_error_ends_the_stack),
		T(a_failed_init_leaves_nothing),
		T(a_stack_has_at_most_four_layers),
		T(a_pump_in_the_pump_does_nothing),
		T(the_pipes_of_layers_are_charged_to_the_scope_of_the_new_bottom),
		T(a_gate_holds_back_those_above),
		T(a_pushed_layer_takes_the_place_of_one_that_is_done),
		T(ready_is_notified_once),
		T(the_answer_of_the_last_step_goes_out),
		T(lazy_bytes_pass_the_gate),
	};

	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
