/* SPDX-License-Identifier: MIT */
/* The features that only the mem transport has: faults, delays, and runs that a seed determines.
 * tests/conform/transport.c tests the features that all transports have. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/mem.h"

static const struct gn_transport_ops *const mem = &gn_transport_mem;

struct fix {
	struct gn_loop *loop;
	struct gn_link_listener *listener;
	struct gn_multiaddr *bound;
	struct gn_link *a, *b;
	gn_time done_at;
	unsigned a_seen, b_seen;
};

static void on_a(void *arg, unsigned ready)
{
	struct fix *f = arg;

	f->a_seen |= ready;
	f->a->ops->watch(f->a, 0);
}

static void on_b(void *arg, unsigned ready)
{
	struct fix *f = arg;

	f->b_seen |= ready;
	f->b->ops->watch(f->b, 0);
}

static void on_link(void *arg, struct gn_link *link)
{
	struct fix *f = arg;

	f->b = link;
	link->on_ready = on_b;
	link->arg = f;
}

static void on_done(void *arg, int err, struct gn_link *link)
{
	struct fix *f = arg;

	assert_int_equal(err, 0);
	f->a = link;
	f->done_at = gn_loop_now(f->loop);
	link->on_ready = on_a;
	link->arg = f;
}

static void open_pair(struct fix *f, const struct gn_mem_cfg *cfg)
{
	struct gn_link_listen_cfg lcfg = {.on_link = on_link, .arg = f};
	struct gn_link_dial_cfg dcfg = {.on_done = on_done, .arg = f};
	struct gn_multiaddr *any;
	struct gn_link_dial *op;

	memset(f, 0, sizeof *f);
	assert_int_equal(gn_loop_new_virtual(&f->loop), 0);
	assert_int_equal(gn_mem_set(f->loop, cfg), 0);
	assert_int_equal(gn_multiaddr_parse("/memory/0", &any, NULL), 0);
	lcfg.loop = dcfg.loop = f->loop;
	lcfg.addr = any;
	assert_int_equal(mem->listen(NULL, &lcfg, &f->listener, &f->bound), 0);
	gn_multiaddr_free(any);
	dcfg.addr = f->bound;
	assert_int_equal(gn_mem_count(f->loop), 0);
	assert_int_equal(mem->dial(NULL, &dcfg, &op), 0);
	assert_int_equal(gn_loop_run(f->loop), 0);
	assert_non_null(f->a);
	assert_non_null(f->b);
	assert_int_equal(gn_mem_count(f->loop), 1);
}

static void close_pair(struct fix *f)
{
	if (f->a != NULL)
		f->a->ops->abort(f->a);
	if (f->b != NULL)
		f->b->ops->abort(f->b);
	assert_int_equal(gn_mem_count(f->loop), 0);
	mem->close(f->listener);
	gn_multiaddr_free(f->bound);
	gn_loop_free(f->loop);
}

static ptrdiff_t put(struct gn_link *l, const char *text)
{
	char copy[64];
	struct iovec v = {copy, strlen(text)};

	memcpy(copy, text, v.iov_len);
	return l->ops->write(l, &v, 1);
}

static ptrdiff_t get(struct gn_link *l, char text[64])
{
	ptrdiff_t got = l->ops->read(l, text, 63);

	text[got > 0 ? got : 0] = '\0';
	return got;
}

/* A dial takes twice the delay, and a byte takes the delay once. */
static void a_dial_takes_the_delay_twice(void **state)
{
	struct gn_mem_cfg cfg = {.delay = 50 * GN_MSEC};
	struct fix f;
	gn_time sent;
	char text[64];

	(void)state;
	open_pair(&f, &cfg);
	assert_int_equal(f.done_at, GN_SEC + 100 * GN_MSEC);
	sent = gn_loop_now(f.loop);
	assert_int_equal(put(f.a, "hello"), 5);
	assert_int_equal(f.a->ops->unacked(f.a), 5);
	assert_int_equal(get(f.b, text), GN_EAGAIN);
	f.b->ops->watch(f.b, GN_READABLE);
	assert_int_equal(gn_loop_run(f.loop), 0);
	assert_int_equal(f.b_seen, GN_READABLE);
	assert_int_equal(gn_loop_now(f.loop), sent + 50 * GN_MSEC);
	assert_int_equal(get(f.b, text), 5);
	assert_string_equal(text, "hello");
	close_pair(&f);
}

/* After a cut both ends read the bytes that have arrived, and then the error.  Bytes in transit are lost. */
static void a_cut_loses_what_is_in_flight(void **state)
{
	struct gn_mem_cfg cfg = {.delay = 50 * GN_MSEC};
	struct fix f;
	char text[64];

	(void)state;
	open_pair(&f, &cfg);
	assert_int_equal(put(f.a, "one"), 3);
	f.b->ops->watch(f.b, GN_READABLE);
	assert_int_equal(gn_loop_run(f.loop), 0);
	assert_int_equal(put(f.a, "two"), 3);
	f.a->ops->watch(f.a, GN_READABLE);
	assert_int_equal(gn_mem_cut(f.loop, 1), -ENOENT);
	assert_int_equal(gn_mem_cut(f.loop, 0), 0);
	assert_int_equal(gn_loop_run(f.loop), 0);
	assert_int_equal(f.a_seen, GN_READABLE);
	assert_int_equal(get(f.b, text), 3);
	assert_string_equal(text, "one");
	assert_int_equal(get(f.b, text), GN_ERESET);
	assert_int_equal(get(f.a, text), GN_ERESET);
	assert_int_equal(put(f.a, "x"), GN_ERESET);
	assert_int_equal(f.a->ops->end(f.a), GN_ERESET);
	close_pair(&f);
}

/* A read returns an end of file again, also after a cut. */
static void a_cut_does_not_change_an_end_that_was_read(void **state)
{
	struct gn_mem_cfg cfg = {.seed = 1};
	struct fix f;
	char text[64];

	(void)state;
	open_pair(&f, &cfg);
	assert_int_equal(put(f.a, "one"), 3);
	assert_int_equal(f.a->ops->end(f.a), 0);
	gn_mem_cut_all(f.loop);
	assert_int_equal(get(f.b, text), 3);
	assert_int_equal(get(f.b, text), GN_EOF);
	assert_int_equal(get(f.a, text), GN_ERESET);
	close_pair(&f);
}

static void a_stall_delays_one_direction(void **state)
{
	struct gn_mem_cfg cfg = {.seed = 1};
	struct fix f;
	gn_time begin;
	char text[64];

	(void)state;
	open_pair(&f, &cfg);
	begin = gn_loop_now(f.loop);
	assert_int_equal(gn_mem_stall(f.loop, 0, true, 3 * GN_SEC), 0);
	assert_int_equal(gn_mem_stall(f.loop, 0, true, GN_SEC), 0);
	assert_int_equal(put(f.a, "there"), 5);
	assert_int_equal(f.a->ops->end(f.a), 0);
	assert_int_equal(put(f.b, "back"), 4);
	assert_int_equal(get(f.a, text), 4); /* the other direction is not stalled */
	assert_int_equal(get(f.b, text), GN_EAGAIN);
	f.b->ops->watch(f.b, GN_READABLE);
	assert_int_equal(gn_loop_run(f.loop), 0);
	assert_int_equal(gn_loop_now(f.loop), begin + 3 * GN_SEC);
	assert_int_equal(get(f.b, text), 5);
	assert_int_equal(get(f.b, text), GN_EOF);
	/* After a cut during a stall the delayed bytes are lost. */
	assert_int_equal(gn_mem_stall(f.loop, 0, false, GN_NEVER), 0);
	assert_int_equal(put(f.b, "lost"), 4);
	assert_int_equal(gn_mem_cut(f.loop, 0), 0);
	assert_int_equal(get(f.a, text), GN_ERESET);
	close_pair(&f);
}

/* A link that is closing waits 2 s for the peer's end, and then resets. */
static void a_close_ends_after_two_seconds(void **state)
{
	struct gn_mem_cfg cfg = {.seed = 1};
	struct fix f;
	gn_time begin;
	char text[64];

	(void)state;
	open_pair(&f, &cfg);
	begin = gn_loop_now(f.loop);
	assert_int_equal(put(f.a, "last"), 4);
	f.a->ops->close(f.a);
	f.a = NULL;
	assert_int_equal(gn_loop_run(f.loop), 0);
	assert_int_equal(gn_loop_now(f.loop), begin + 2 * GN_SEC);
	assert_int_equal(get(f.b, text), 4);
	assert_int_equal(get(f.b, text), GN_EOF);
	assert_int_equal(put(f.b, "x"), GN_ERESET);
	close_pair(&f);
}

/* Runs writes and reads of random sizes, and returns a hash of their sizes. */
static uint64_t run_seed(uint64_t seed, size_t buffer)
{
	static uint8_t buf[4096];
	struct gn_mem_cfg cfg = {.seed = seed, .max_chunk = 500, .buffer = buffer};
	struct iovec v = {buf, sizeof buf};
	uint64_t sum = 0;
	ptrdiff_t n;
	struct fix f;
	int i;

	open_pair(&f, &cfg);
	for (i = 0; i < 200; i++) {
		n = f.a->ops->write(f.a, &v, 1);
		assert_true(n == GN_EAGAIN || (n > 0 && n <= 500));
		sum = sum * 31 + (uint64_t)n;
		n = f.b->ops->read(f.b, buf, sizeof buf);
		assert_true(n > 0 && n <= 500);
		sum = sum * 31 + (uint64_t)n;
	}
	close_pair(&f);
	return sum;
}

static void a_seed_determines_the_run(void **state)
{
	(void)state;
	assert_true(run_seed(1, 3000) == run_seed(1, 3000));
	assert_true(run_seed(1, 3000) != run_seed(2, 3000));
}

static void a_full_buffer_stops_the_writer(void **state)
{
	static uint8_t buf[4096];
	struct gn_mem_cfg cfg = {.buffer = 1000};
	struct iovec v = {buf, sizeof buf};
	struct fix f;

	(void)state;
	open_pair(&f, &cfg);
	assert_int_equal(f.a->ops->write(f.a, &v, 1), 1000);
	assert_int_equal(f.a->ops->write(f.a, &v, 1), GN_EAGAIN);
	f.a->ops->watch(f.a, GN_WRITABLE);
	assert_int_equal(gn_loop_run(f.loop), 0); /* returns, as no bytes are in transit */
	assert_int_equal(f.a_seen, 0);
	assert_int_equal(f.b->ops->read(f.b, buf, 300), 300);
	assert_int_equal(gn_loop_run(f.loop), 0);
	assert_int_equal(f.a_seen, GN_WRITABLE);
	assert_int_equal(f.a->ops->write(f.a, &v, 1), 300);
	close_pair(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dial_takes_the_delay_twice),
		cmocka_unit_test(a_cut_loses_what_is_in_flight),
		cmocka_unit_test(a_cut_does_not_change_an_end_that_was_read),
		cmocka_unit_test(a_stall_delays_one_direction),
		cmocka_unit_test(a_close_ends_after_two_seconds),
		cmocka_unit_test(a_seed_determines_the_run),
		cmocka_unit_test(a_full_buffer_stops_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
