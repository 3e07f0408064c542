/* SPDX-License-Identifier: MIT */
/* Stacks of toy layers: the pump, and what it carries (ends, resets, stalls, nesting). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire.h"

/* ---- toys ---- */

struct toy_cfg {
	int ret;           /* what a probe returns */
	gn_time wake;      /* what it sets */
	const char *hello; /* what is written in init */
	int init;          /* what init returns */
	struct gn_layer **marks; /* a probe marks this layer once */
	size_t take;       /* a greeter's message */
};

struct toy {
	struct toy_cfg cfg;
	unsigned advances;
	gn_time last;
	bool is_ready;
};

static unsigned finis;

static int toy_init(struct gn_layer *l, const void *cfg)
{
	struct toy *t = l->state;

	t->cfg = *(const struct toy_cfg *)cfg;
	if (t->cfg.hello != NULL)
		assert_int_equal(gn_pipe_put(l->tx, t->cfg.hello, strlen(t->cfg.hello)), 0);
	if (l->up_rx != NULL && t->cfg.init != 0)
		assert_int_equal(gn_pipe_put(l->up_rx, "left behind", 11), 0);
	return t->cfg.init;
}

static void toy_fini(struct gn_layer *l)
{
	(void)l;
	finis++;
}

/* A probe does nothing but count. */
static int probe_advance(struct gn_layer *l, gn_time now)
{
	struct toy *t = l->state;

	t->advances++;
	t->last = now;
	if (t->cfg.wake != 0)
		l->wake = t->cfg.wake;
	if (t->cfg.marks != NULL) {
		gn_layer_mark(*t->cfg.marks);
		t->cfg.marks = NULL;
	}
	return t->cfg.ret;
}

static const struct gn_layer_ops probe = {
	.name = "probe", .size = sizeof(struct toy), .init = toy_init, .advance = probe_advance, .fini = toy_fini};

/* Ends climb and sink, bytes are turned over, both ways. */
static int turn(struct gn_pipe *from, struct gn_pipe *to)
{
	struct iovec v;
	size_t room = gn_pipe_room(to);
	uint8_t *at;
	int end = gn_pipe_end(from);

	if (end != 0 && !gn_pipe_is_closed(to)) {
		if (end == GN_EOF)
			gn_pipe_close(to, GN_EOF);
		else
			gn_pipe_reset(to, end);
		return 0;
	}
	if (room == 0 || gn_pipe_peek(from, &v, 1, room < 3000 ? room : 3000) == 0)
		return GN_EAGAIN;
	at = gn_pipe_reserve(to, v.iov_len);
	if (at == NULL)
		return GN_EAGAIN;
	for (size_t i = 0; i < v.iov_len; i++)
		at[i] = ((uint8_t *)v.iov_base)[i] ^ 0xff;
	gn_pipe_commit(to, v.iov_len);
	gn_pipe_skip(from, v.iov_len);
	return 0;
}

static int turner_advance(struct gn_layer *l, gn_time now)
{
	struct toy *t = l->state;
	int in, out;

	(void)now;
	t->advances++;
	if (!t->is_ready) {
		t->is_ready = true;
		return GN_READY;
	}
	in = turn(l->rx, l->up_rx);
	out = turn(l->up_tx, l->tx);
	return in == 0 || out == 0 ? 0 : GN_EAGAIN;
}

static const struct gn_layer_ops turner = {.name = "turner", .size = sizeof(struct toy), .up_cap = 10000,
					   .init = toy_init, .advance = turner_advance, .fini = toy_fini};

/* Says hello in init, waits for as long a hello, answers "ok" with its last step, is done. */
static int greeter_advance(struct gn_layer *l, gn_time now)
{
	struct toy *t = l->state;
	uint8_t *p;
	int r = gn_pipe_whole(l->rx, t->cfg.take, &p);

	(void)now;
	t->advances++;
	if (r != 0)
		return r;
	if (memcmp(p, "bad", 3) == 0)
		return GN_EPROTO;
	gn_pipe_skip(l->rx, t->cfg.take);
	r = gn_pipe_put(l->tx, "ok", 2);
	return r == 0 ? GN_DONE : r;
}

static const struct gn_layer_ops greeter = {
	.name = "greeter", .size = sizeof(struct toy), .init = toy_init, .advance = greeter_advance, .fini = toy_fini};

static struct toy *toy_of(struct gn_layer *l)
{
	return l->state;
}

/* ---- fixture ---- */

struct fixture {
	struct gn_scratch scratch;
	struct side s;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	gn_scratch_init(&f->scratch);
	side_init(&f->s, &f->scratch);
	finis = 0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	side_fini(&f->s);
	gn_scratch_fini(&f->scratch);
	free(f);
	return 0;
}

static struct gn_layer *push(struct fixture *f, const struct gn_layer_ops *ops, struct toy_cfg cfg, bool gates)
{
	struct gn_layer *l = NULL;

	assert_int_equal(gn_stack_push(&f->s.stack, ops, &cfg, gates, &l), 0);
	return l;
}

static void assert_bytes(struct gn_pipe *p, const char *want)
{
	char got[100] = "";

	assert_int_equal(gn_pipe_len(p), strlen(want));
	gn_pipe_copy(p, got, strlen(want));
	assert_string_equal(got, want);
}

/* ---- the pump ---- */

static void an_empty_stack_rests(void **state)
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
	struct toy_cfg quiet = {.ret = GN_EAGAIN};
	struct gn_layer *a = push(f, &probe, quiet, false), *b = push(f, &probe, quiet, false);

	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(toy_of(a)->advances, 1);
	assert_int_equal(toy_of(b)->advances, 1);
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(toy_of(a)->advances, 1);
	gn_layer_mark(b);
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(toy_of(a)->advances, 1);
	assert_int_equal(toy_of(b)->advances, 2);
	gn_stack_mark_bottom(&f->s.stack);
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(toy_of(a)->advances, 2);
	assert_int_equal(toy_of(b)->advances, 2);
}

static void a_mark_asks_to_be_pumped(void **state)
{
	struct fixture *f = *state;
	struct toy_cfg quiet = {.ret = GN_EAGAIN};
	struct gn_layer *a = push(f, &probe, quiet, false);
	unsigned work = f->s.work;

	gn_layer_mark(a);
	assert_int_equal(f->s.work, work + 1);
	(void)side_pump(&f->s, 1);
	assert_int_equal(f->s.work, work + 1);
}

static void the_budget_is_kept(void **state)
{
	struct fixture *f = *state;
	struct toy_cfg busy = {.ret = 0};
	struct gn_layer *a = push(f, &probe, busy, false), *b = push(f, &probe, busy, false);

	assert_int_equal(gn_stack_pump(&f->s.stack, 1, 11), GN_EAGAIN);
	assert_int_equal(toy_of(a)->advances + toy_of(b)->advances, 11);
	assert_true(toy_of(b)->advances >= 5); /* none is starved */
	toy_of(a)->cfg.ret = toy_of(b)->cfg.ret = GN_EAGAIN;
	assert_int_equal(gn_stack_pump(&f->s.stack, 1, 11), 0);
}

/* A layer that marks another and moves nothing itself: the mark is not forgotten. */
static void a_mark_from_a_quiet_step_counts(void **state)
{
	struct fixture *f = *state;
	struct toy_cfg quiet = {.ret = GN_EAGAIN}, marks = {.ret = GN_EAGAIN};
	struct gn_layer *a = push(f, &probe, quiet, false), *b;

	marks.marks = &a;
	b = push(f, &probe, marks, false);
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(toy_of(b)->advances, 1);
	assert_int_equal(toy_of(a)->advances, 2);
}

static void wake_times(void **state)
{
	struct fixture *f = *state;
	struct toy_cfg five = {.ret = GN_EAGAIN, .wake = 500}, three = {.ret = GN_EAGAIN, .wake = 300};
	struct gn_layer *a = push(f, &probe, five, false), *b = push(f, &probe, three, false);

	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_true(gn_stack_wake(&f->s.stack) == 300);
	assert_int_equal(side_pump(&f->s, 299), 0);
	assert_int_equal(toy_of(b)->advances, 1);
	toy_of(b)->cfg.wake = 0;
	assert_int_equal(side_pump(&f->s, 300), 0);
	assert_int_equal(toy_of(b)->advances, 2);
	assert_int_equal(toy_of(a)->advances, 1);
	assert_true(gn_stack_wake(&f->s.stack) == 500); /* b's was used up */
	toy_of(a)->cfg.wake = 0;
	assert_int_equal(side_pump(&f->s, 700), 0);
	assert_true(gn_stack_wake(&f->s.stack) == GN_NEVER);
}

static void an_error_ends_the_stack(void **state)
{
	struct fixture *f = *state;
	struct toy_cfg bad = {.ret = GN_EPROTO}, quiet = {.ret = GN_EAGAIN};
	struct gn_layer *b;

	push(f, &probe, bad, false);
	b = push(f, &probe, quiet, false);
	assert_int_equal(side_pump(&f->s, 1), GN_EPROTO);
	assert_int_equal(f->s.n_steps, 1);
	assert_int_equal(f->s.steps[0], GN_EPROTO);
	assert_int_equal(toy_of(b)->advances, 0);
	gn_stack_mark_bottom(&f->s.stack);
	assert_int_equal(side_pump(&f->s, 2), GN_EPROTO);
	assert_int_equal(f->s.n_steps, 1);
}

static void a_failed_init_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct toy_cfg bad = {.init = GN_ELIMIT};
	struct gn_layer *l = NULL;

	assert_int_equal(gn_stack_push(&f->s.stack, &turner, &bad, false, &l), GN_ELIMIT);
	assert_null(l);
	assert_int_equal(f->s.stack.n, 0);
	assert_int_equal(finis, 0);
	assert_ptr_equal(gn_stack_top_rx(&f->s.stack), &f->s.rx);
}

static void a_stack_has_so_many_layers(void **state)
{
	struct fixture *f = *state;
	struct toy_cfg quiet = {.ret = GN_EAGAIN};

	for (int i = 0; i < GN_STACK_LAYERS; i++)
		push(f, &probe, quiet, false);
	assert_int_equal(gn_stack_push(&f->s.stack, &probe, &quiet, false, NULL), GN_ELIMIT);
	gn_stack_fini(&f->s.stack);
	assert_int_equal(finis, GN_STACK_LAYERS);
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
	struct gn_layer *t = push(f, &turner, (struct toy_cfg){0}, false);

	f->s.on_step = repump;
	f->s.arg = &inner;
	assert_int_equal(side_pump(&f->s, 1), 0);
	assert_int_equal(inner, 0);
	assert_int_equal(toy_of(t)->advances, 2);
}

/* ---- gates ---- */

static void a_gate_holds_back_those_above(void **state)
{
	struct fixture *f = *state;
	struct toy_cfg quiet = {.ret = GN_EAGAIN, .wake = 5, .hello = "<then>"};
	struct toy_cfg greet = {.take = 5, .hello = "<first>"};
	struct gn_layer *above;

	push(f, &greeter, greet, true);
	above = push(f, &probe, quiet, false);
	assert_ptr_equal(above->rx, &f->s.rx);
	assert_bytes(&f->s.tx, "<first><then>"); /* lazily: in one go */
	assert_int_equal(side_pump(&f->s, 10), 0);
	assert_int_equal(toy_of(above)->advances, 0);
	assert_true(gn_stack_wake(&f->s.stack) == GN_NEVER);
	side_feed(&f->s, "hel", 3, 10);
	assert_int_equal(toy_of(above)->advances, 0);
	side_feed(&f->s, "lo and more", 11, 10);
	assert_int_equal(f->s.steps[0], GN_DONE);
	assert_int_equal(toy_of(above)->advances, 1);
	assert_bytes(&f->s.rx, " and more"); /* what was read ahead stays */
	assert_int_equal(finis, 1);
	assert_int_equal(f->s.stack.n, 1);
}

static struct gn_layer *pushed;

static void push_turner(struct side *s, struct gn_layer *l, int what)
{
	struct toy_cfg cfg = {0};

	(void)l;
	if (what == GN_DONE)
		assert_int_equal(gn_stack_push(&s->stack, &turner, &cfg, false, &pushed), 0);
}

static void what_is_chosen_takes_the_place(void **state)
{
	struct fixture *f = *state;
	struct toy_cfg greet = {.take = 5};
	uint8_t got[4];

	f->s.on_step = push_turner;
	push(f, &greeter, greet, true);
	side_feed(&f->s, "hello\x9e\x9d\x9c", 8, 1);
	assert_int_equal(f->s.stack.n, 1);
	assert_ptr_equal(f->s.stack.layers[0], pushed);
	assert_ptr_equal(pushed->rx, &f->s.rx);
	assert_ptr_equal(pushed->tx, &f->s.tx);
	assert_int_equal(gn_pipe_len(pushed->up_rx), 3);
	gn_pipe_copy(pushed->up_rx, got, 3);
	assert_memory_equal(got, "abc", 3);
}

static void ready_is_told_once(void **state)
{
	struct fixture *f = *state;

	push(f, &turner, (struct toy_cfg){0}, false);
	(void)side_pump(&f->s, 1);
	side_feed(&f->s, "abc", 3, 1);
	assert_int_equal(f->s.n_steps, 1);
	assert_int_equal(f->s.steps[0], GN_READY);
}

/* What the last step wrote must go on: the layer below has to hear of it. */
static void the_answer_of_the_last_step_goes_out(void **state)
{
	struct fixture *f = *state;
	struct toy_cfg greet = {.take = 5};

	push(f, &turner, (struct toy_cfg){0}, false);
	push(f, &greeter, greet, true);
	(void)side_pump(&f->s, 1);
	side_feed(&f->s, "\x97\x9a\x93\x93\x90", 5, 1);
	assert_true(side_said(&f->s, GN_DONE));
	assert_int_equal(gn_pipe_len(&f->s.tx), 2);
}

/* Bytes that the top writes behind an open selection go out before its answer has come. */
static void lazy_bytes_pass_the_gate(void **state)
{
	struct fixture *f = *state;
	struct toy_cfg greet = {.take = 5, .hello = "one"};

	push(f, &turner, (struct toy_cfg){0}, false);
	push(f, &greeter, greet, true);
	(void)side_pump(&f->s, 1);
	assert_int_equal(gn_pipe_len(&f->s.tx), 3);
	assert_int_equal(gn_pipe_put(gn_stack_top_tx(&f->s.stack), "two", 3), 0);
	gn_stack_mark_top(&f->s.stack);
	(void)side_pump(&f->s, 1);
	assert_int_equal(gn_pipe_len(&f->s.tx), 6);
}

/* ---- gate 1 of the plan: two ends over toy layers ---- */

static void greeted(struct side *s, struct gn_layer *l, int what)
{
	struct toy_cfg cfg = {0};

	if (what == GN_DONE && l->ops == &greeter)
		assert_int_equal(gn_stack_push(&s->stack, &turner, &cfg, false, NULL), 0);
}

static void two_ends(struct pair *p, bool shared)
{
	struct toy_cfg greet = {.take = 5, .hello = "hello"};

	pair_init(p, shared);
	for (int i = 0; i < 2; i++) {
		p->side[i].on_step = greeted;
		assert_int_equal(gn_stack_push(&p->side[i].stack, &greeter, &greet, true, NULL), 0);
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

/* The greeters leave their "ok" on the wire, turned bytes follow; drops it. */
static void opened(struct pair *p)
{
	pair_run(p, 7, false);
	for (int i = 0; i < 2; i++) {
		assert_true(side_said(&p->side[i], GN_READY));
		assert_int_equal(gn_pipe_len(top_rx(p, i)), 2);
		gn_pipe_skip(top_rx(p, i), 2);
	}
}

static void half_close(void **state)
{
	struct pair p;

	(void)state;
	two_ends(&p, false);
	opened(&p);
	assert_int_equal(gn_pipe_put(top_tx(&p, 0), "question", 8), 0);
	gn_pipe_close(top_tx(&p, 0), GN_EOF);
	gn_stack_mark_top(&p.side[0].stack);
	pair_run(&p, 3, false);
	assert_bytes(top_rx(&p, 1), "question");
	gn_pipe_skip(top_rx(&p, 1), 8);
	assert_int_equal(gn_pipe_end(top_rx(&p, 1)), GN_EOF);
	assert_int_equal(gn_pipe_end(top_rx(&p, 0)), 0); /* the other direction lives */
	assert_int_equal(gn_pipe_put(top_tx(&p, 1), "answer", 6), 0);
	gn_pipe_close(top_tx(&p, 1), GN_EOF);
	gn_stack_mark_top(&p.side[1].stack);
	pair_run(&p, 1, true);
	assert_bytes(top_rx(&p, 0), "answer");
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

static void a_stalled_reader_stops_the_writer_and_costs_the_caps(void **state)
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
		/* A transport reads only while there is room. */
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
	/* It goes on where it stood. */
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

/* A dial that is given up at any point of the handshake leaves nothing behind. */
static void a_handshake_cancelled_in_the_middle(void **state)
{
	(void)state;
	for (int rounds = 0; rounds < 20; rounds++) {
		struct pair p;
		bool over = false;

		two_ends(&p, true);
		for (int i = 0; i < rounds; i++)
			pair_carry(&p, 1, true);
		side_fini(&p.side[0]);
		side_init(&p.side[0], &p.scratch[0]);
		p.wire[0].end = -ECONNRESET;
		while (wire_give(&p.wire[0], &p.side[1].rx, 100, true)) {
			gn_stack_mark_bottom(&p.side[1].stack);
			over = side_pump(&p.side[1], 1) != 0;
		}
		/* Before the hello: the handshake fails; behind it: the error is at the top. */
		if (!over) {
			gn_pipe_skip(top_rx(&p, 1), gn_pipe_len(top_rx(&p, 1)));
			assert_int_equal(gn_pipe_end(top_rx(&p, 1)), -ECONNRESET);
		} else {
			assert_true(side_said(&p.side[1], -ECONNRESET));
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
	assert_true(side_said(&p.side[0], GN_EPROTO));
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
	struct toy_cfg cfg = {0};

	(void)l;
	n->n_ready += what == GN_READY;
	if (what == GN_DONE)
		assert_int_equal(gn_stack_push(s, &turner, &cfg, false, NULL), 0);
}

static void nest(struct nested *n)
{
	struct toy_cfg greet = {.take = 5, .hello = "inner"};

	memset(n, 0, sizeof *n);
	two_ends(&n->p, true);
	opened(&n->p);
	for (int i = 0; i < 2; i++) {
		struct gn_stack_cfg cfg = {.scratch = &n->p.scratch[0], .rx = top_rx(&n->p, i), .tx = top_tx(&n->p, i),
					   .on_step = inner_step, .arg = n};

		gn_stack_init(&n->inner[i], &cfg);
		assert_int_equal(gn_stack_push(&n->inner[i], &greeter, &greet, true, NULL), 0);
	}
}

/* What the node does for a connection over a stream: each turn both stacks are told. */
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

static void a_connection_in_a_stream(void **state)
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

static void a_reset_reaches_what_is_nested(void **state)
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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_empty_stack_rests),
		T(only_dirty_layers_are_advanced),
		T(a_mark_asks_to_be_pumped),
		T(the_budget_is_kept),
		T(a_mark_from_a_quiet_step_counts),
		T(wake_times),
		T(an_error_ends_the_stack),
		T(a_failed_init_leaves_nothing),
		T(a_stack_has_so_many_layers),
		T(a_pump_in_the_pump_does_nothing),
		T(a_gate_holds_back_those_above),
		T(what_is_chosen_takes_the_place),
		T(ready_is_told_once),
		T(the_answer_of_the_last_step_goes_out),
		T(lazy_bytes_pass_the_gate),
		cmocka_unit_test(half_close),
		cmocka_unit_test(a_reset_reaches_the_top),
		cmocka_unit_test(a_stalled_reader_stops_the_writer_and_costs_the_caps),
		cmocka_unit_test(a_handshake_cancelled_in_the_middle),
		cmocka_unit_test(a_bad_handshake_fails_at_once),
		cmocka_unit_test(a_connection_in_a_stream),
		cmocka_unit_test(a_reset_reaches_what_is_nested),
	};

	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
