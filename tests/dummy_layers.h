/* SPDX-License-Identifier: MIT */
/* Toy layers: one that only counts, one that turns bytes over, one that greets. */
#ifndef GN_TESTS_DUMMY_LAYERS_H
#define GN_TESTS_DUMMY_LAYERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire.h"

struct toy_cfg {
	int ret;                 /* what a probe returns */
	gn_time wake;            /* what it sets */
	const char *hello;       /* what is written in init */
	int init;                /* what init returns */
	struct gn_layer **marks; /* a probe marks this layer once */
	size_t take;             /* a greeter's message */
};

struct toy {
	struct toy_cfg cfg;
	unsigned advances;
	gn_time last;
	bool is_ready;
};

static unsigned finis;

static inline int toy_init(struct gn_layer *l, const void *cfg)
{
	struct toy *t = l->state;

	t->cfg = *(const struct toy_cfg *)cfg;
	if (t->cfg.hello != NULL)
		assert_int_equal(gn_pipe_put(l->tx, t->cfg.hello, strlen(t->cfg.hello)), 0);
	if (l->up_rx != NULL && t->cfg.init != 0)
		assert_int_equal(gn_pipe_put(l->up_rx, "left behind", 11), 0);
	return t->cfg.init;
}

static inline void toy_fini(struct gn_layer *l)
{
	(void)l;
	finis++;
}

/* A probe does nothing but count. */
static inline int probe_advance(struct gn_layer *l, gn_time now)
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

static const struct gn_layer_ops probe = {.name = "probe",
					  .size = sizeof(struct toy),
					  .init = toy_init,
					  .advance = probe_advance,
					  .fini = toy_fini};

/* Ends climb and sink, bytes are turned over, both ways. */
static inline int turn(struct gn_pipe *from, struct gn_pipe *to)
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

static inline int turner_advance(struct gn_layer *l, gn_time now)
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

static const struct gn_layer_ops turner = {.name = "turner",
					   .size = sizeof(struct toy),
					   .up_cap = 10000,
					   .init = toy_init,
					   .advance = turner_advance,
					   .fini = toy_fini};

/* Says hello in init, waits for as long a hello, answers "ok" with its last step, is done. */
static inline int greeter_advance(struct gn_layer *l, gn_time now)
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

static const struct gn_layer_ops greeter = {.name = "greeter",
					    .size = sizeof(struct toy),
					    .init = toy_init,
					    .advance = greeter_advance,
					    .fini = toy_fini};

static inline struct toy *toy_of(struct gn_layer *l)
{
	return l->state;
}

static inline void assert_bytes(struct gn_pipe *p, const char *want)
{
	char got[100] = "";

	assert_int_equal(gn_pipe_len(p), strlen(want));
	gn_pipe_copy(p, got, strlen(want));
	assert_string_equal(got, want);
}

#endif
