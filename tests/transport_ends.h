/* SPDX-License-Identifier: MIT */
/* The fixture of tests/conform/transport.c: a listener, a dialer, the two ends of a link, and a loop with a time limit. */
#ifndef GN_TESTS_TRANSPORT_ENDS_H
#define GN_TESTS_TRANSPORT_ENDS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "transport/mem.h"

#define LIMIT (20 * GN_SEC) /* after which a test fails */

struct variant {
	const char *name;
	const struct gn_transport_ops *ops;
	const char *addr;
	bool is_virtual;
	struct gn_mem_cfg mem;
};

struct fix;

/* One end of a link, and its owner, which sends `to_send` bytes of a pattern and optionally the end, and reads and checks
 * what it receives. */
struct side {
	struct fix *f;
	struct gn_link *link;
	size_t to_send, sent, got;
	size_t unit; /* bytes per call at most */
	bool end_after, has_ended;
	bool holds; /* does not read */
	int err;    /* GN_EOF, or what reading ended with */
	unsigned seen;
	int calls;
};

struct fix {
	const struct variant *v;
	struct gn_loop *loop;
	struct gn_link_listener *listener;
	struct gn_multiaddr *bound;
	struct gn_link_dial *dial;
	struct gn_timer guard;
	bool is_late;
	bool closes_listener, cancels_dial; /* in on_link */
	int err, dones, links;
	struct side a, b; /* a is the dialer's, b the listener's */
};

static uint8_t pattern(size_t at)
{
	return (uint8_t)(at * 31 + (at >> 8));
}

/* ---- the ends ----------------------------------------------------------------- */

static inline void side_want(struct side *s)
{
	bool writes = s->sent < s->to_send || (s->end_after && !s->has_ended);

	if (s->link)
		s->link->ops->watch(s->link,
				    (s->holds || s->err != 0 ? 0u : GN_READABLE) | (writes ? GN_WRITABLE : 0u));
}

static inline void side_read(struct side *s)
{
	static _Alignas(64) uint8_t buf[1 << 16];
	size_t n = s->unit < sizeof buf ? s->unit : sizeof buf;
	ptrdiff_t got, i;

	while ((got = s->link->ops->read(s->link, buf, n)) > 0) {
		assert_true((size_t)got <= n);
		for (i = 0; i < got; i++)
			if (buf[i] != pattern(s->got + (size_t)i))
				fail_msg("byte %zu is not what was sent", s->got + (size_t)i);
		s->got += (size_t)got;
	}
	assert_int_not_equal(got, 0);
	if (got != GN_EAGAIN) {
		s->err = (int)got;
		/* The error is returned again. */
		assert_int_equal(s->link->ops->read(s->link, buf, n), got);
	}
}

/* Writes in three views, one of them empty.  Returns the result of the last call. */
static inline ptrdiff_t side_write_some(struct side *s)
{
	static uint8_t buf[1 << 16];
	size_t n = s->to_send - s->sent, i;
	struct iovec v[3];
	ptrdiff_t put;

	n = n < s->unit ? n : s->unit;
	n = n < sizeof buf ? n : sizeof buf;
	for (i = 0; i < n; i++)
		buf[i] = pattern(s->sent + i);
	v[0] = (struct iovec){buf, n / 3};
	v[1] = (struct iovec){buf, 0};
	v[2] = (struct iovec){buf + n / 3, n - n / 3};
	put = s->link->ops->write(s->link, v, 3);
	assert_int_not_equal(put, 0);
	assert_true(put < 0 || (size_t)put <= n);
	if (put > 0)
		s->sent += (size_t)put;
	return put;
}

static inline ptrdiff_t side_write(struct side *s)
{
	ptrdiff_t put = 0;

	while (s->sent < s->to_send && put >= 0)
		put = side_write_some(s);
	if (s->sent == s->to_send && s->end_after && !s->has_ended) {
		assert_int_equal(s->link->ops->end(s->link), 0);
		s->has_ended = true;
	}
	return put;
}

static inline void on_ready(void *arg, unsigned ready)
{
	struct side *s = arg;

	s->seen |= ready;
	s->calls++;
	if ((ready & GN_READABLE) && !s->holds && !s->err)
		side_read(s);
	if (ready & GN_WRITABLE)
		(void)side_write(s);
	side_want(s);
}

static inline void side_take(struct side *s, struct gn_link *link)
{
	assert_non_null(link->local);
	assert_non_null(link->remote);
	s->link = link;
	link->on_ready = on_ready;
	link->arg = s;
}

static inline void side_drop(struct side *s)
{
	if (s->link)
		s->link->ops->abort(s->link);
	s->link = NULL;
}

/* ---- the loop ----------------------------------------------------------------- */

static inline void on_guard(void *arg)
{
	struct fix *f = arg;

	f->is_late = true;
}

#define turn_until(f, cond) turn_until_by(f, cond, GN_NEVER)
/* For a condition that no event reports: checks it again after `wait`. */
#define turn_until_by(f, cond, wait)                                        \
	do {                                                                \
		gn_timer_start(&(f)->guard, LIMIT);                         \
		while (!(cond)) {                                           \
			assert_int_equal(gn_loop_turn((f)->loop, wait), 0); \
			assert_false((f)->is_late);                         \
		}                                                           \
		gn_timer_stop(&(f)->guard);                                 \
	} while (0)

static inline void on_link(void *arg, struct gn_link *link)
{
	struct fix *f = arg;

	f->links++;
	if (f->b.link) {
		link->ops->abort(link);
		return;
	}
	side_take(&f->b, link);
	if (f->closes_listener) {
		f->v->ops->close(f->listener);
		f->listener = NULL;
	}
	if (f->cancels_dial && f->dial) {
		f->v->ops->cancel(f->dial);
		f->dial = NULL;
	}
}

static inline void on_done(void *arg, int err, struct gn_link *link)
{
	struct fix *f = arg;

	f->dial = NULL;
	f->dones++;
	f->err = err;
	if (err == 0)
		side_take(&f->a, link);
	else
		assert_null(link);
}

static inline void start_dial(struct fix *f, const struct gn_multiaddr *addr)
{
	struct gn_link_dial_cfg cfg = {.loop = f->loop, .addr = addr, .on_done = on_done, .arg = f};

	assert_int_equal(f->v->ops->dial(&cfg, &f->dial), 0);
	assert_int_equal(f->dones, 0);
}

static inline void start_listen(struct fix *f)
{
	struct gn_link_listen_cfg cfg = {.loop = f->loop, .on_link = on_link, .arg = f};
	struct gn_multiaddr *addr;

	assert_int_equal(gn_multiaddr_parse(f->v->addr, &addr, NULL), 0);
	assert_true(f->v->ops->is_for(addr));
	cfg.addr = addr;
	assert_int_equal(f->v->ops->listen(&cfg, &f->listener, &f->bound), 0);
	assert_true(f->v->ops->is_for(f->bound));
	assert_false(gn_multiaddr_is_equal(f->bound, addr));
	gn_multiaddr_free(addr);
}

static inline void connect_both(struct fix *f)
{
	start_dial(f, f->bound);
	turn_until(f, f->dones && f->links);
	assert_int_equal(f->err, 0);
	assert_int_equal(f->dones, 1);
	assert_non_null(f->b.link);
}

static inline int setup(void **state)
{
	const struct variant *v = *state;
	struct fix *f = calloc(1, sizeof *f);

	if (!f || (v->is_virtual ? gn_loop_new_virtual(&f->loop) : gn_loop_new(&f->loop)) != 0)
		return -1;
	f->v = v;
	f->a = f->b = (struct side){.f = f, .unit = SIZE_MAX};
	gn_timer_init(&f->guard, f->loop, on_guard, f);
	if (v->ops == &gn_transport_mem && gn_mem_set(f->loop, &v->mem) != 0)
		return -1;
	start_listen(f);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fix *f = *state;

	if (f->dial)
		f->v->ops->cancel(f->dial);
	side_drop(&f->a);
	side_drop(&f->b);
	if (f->listener)
		f->v->ops->close(f->listener);
	gn_timer_fini(&f->guard);
	gn_multiaddr_free(f->bound);
	gn_loop_free(f->loop);
	free(f);
	return 0;
}

#endif
