/* SPDX-License-Identifier: MIT */
/* The conformance suite of transport/transport.h.  It runs over every transport, and over mem also with a
 * delay and with short reads and writes. */

#include "support/support.h"

/* ---- the tests ---------------------------------------------------------------- */

static void a_dial_makes_two_links(void **state)
{
	struct link_pair *f = *state;

	link_pair_connect(f);
	assert_true(gn_multiaddr_is_equal(f->a.link->remote, f->bound));
	assert_true(gn_multiaddr_is_equal(f->b.link->local, f->bound));
	assert_true(gn_multiaddr_is_equal(f->a.link->local, f->b.link->remote));
	assert_true(f->v->ops->is_for(f->a.link->local));
	assert_int_equal(f->a.link->ops->unacked(f->a.link), 0);
	assert_int_equal(f->a.calls + f->b.calls, 0); /* no event is watched */
}

static void a_trailing_peer_id_is_ignored(void **state)
{
	struct link_pair *f = *state;
	struct gn_multiaddr *addr;

	assert_int_equal(gn_multiaddr_encapsulate_text(
				 f->bound, "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA", &addr),
			 0);
	assert_true(f->v->ops->is_for(addr));
	link_pair_dial(f, addr);
	gn_multiaddr_free(addr); /* the dial has made a copy */
	link_pair_until(f, f->dones && f->links);
	assert_int_equal(f->err, 0);
	assert_true(gn_multiaddr_is_equal(f->a.link->remote, f->bound)); /* remote has no /p2p part */
}

static void exchange(struct link_pair *f, size_t ab, size_t ba, size_t unit_a, size_t unit_b)
{
	link_pair_connect(f);
	f->a.to_send = ab;
	f->b.to_send = ba;
	f->a.unit = unit_a;
	f->b.unit = unit_b;
	f->a.end_after = f->b.end_after = true;
	link_end_want(&f->a);
	link_end_want(&f->b);
	link_pair_until(f, f->a.err && f->b.err);
	assert_int_equal(f->a.err, GN_EOF);
	assert_int_equal(f->b.err, GN_EOF);
	assert_int_equal(f->b.got, ab);
	assert_int_equal(f->a.got, ba);
}

static void bytes_arrive_in_both_directions(void **state)
{
	exchange(*state, 1000003, 777777, SIZE_MAX, SIZE_MAX);
}

static void odd_sizes_arrive_whole(void **state)
{
	exchange(*state, 20011, 30011, 1, 7);
}

static void more_odd_sizes_arrive_whole(void **state)
{
	exchange(*state, 300000, 70001, 4097, 61);
}

static void an_empty_stream_ends(void **state)
{
	exchange(*state, 0, 0, SIZE_MAX, SIZE_MAX);
}

/* While the peer does not read, writing stops and no GN_WRITABLE is reported.  Writing continues when the
 * peer reads. */
static void a_full_link_stops_the_writer(void **state)
{
	struct link_pair *f = *state;
	ptrdiff_t put;

	link_pair_connect(f);
	f->a.to_send = (size_t)64 << 20;
	f->b.holds = true;
	do {
		put = link_end_write(&f->a);
	} while (put > 0);
	assert_int_equal(put, GN_EAGAIN);
	assert_true(f->a.sent > 0 && f->a.sent < f->a.to_send);
	f->a.to_send = f->a.sent + 100000;
	f->a.end_after = true;
	f->b.holds = false;
	link_end_want(&f->a);
	link_end_want(&f->b);
	link_pair_until(f, f->b.err);
	assert_int_equal(f->b.err, GN_EOF);
	assert_int_equal(f->b.got, f->a.to_send);
}

static void half_close(struct link_pair *f, struct link_end *first, struct link_end *second)
{
	struct iovec v = {&(char){'x'}, 1};

	link_pair_connect(f);
	first->to_send = 5001;
	first->end_after = true;
	link_end_want(first);
	link_end_want(second);
	link_pair_until(f, second->err);
	assert_int_equal(second->err, GN_EOF);
	assert_int_equal(second->got, 5001);
	assert_int_equal(first->err, 0);
	assert_int_equal(first->link->ops->write(first->link, &v, 1), GN_ECLOSED);
	assert_int_equal(first->link->ops->end(first->link), 0); /* a second end has no effect */
	second->to_send = 200003;
	second->end_after = true;
	link_end_want(second);
	link_pair_until(f, first->err);
	assert_int_equal(first->err, GN_EOF);
	assert_int_equal(first->got, 200003);
}

static void the_dialer_may_end_first(void **state)
{
	struct link_pair *f = *state;

	half_close(f, &f->a, &f->b);
}

static void the_listener_may_end_first(void **state)
{
	struct link_pair *f = *state;

	half_close(f, &f->b, &f->a);
}

/* Makes a link on which five bytes were received and not read, and then a reset. */
static void reset_behind_bytes(struct link_pair *f)
{
	link_pair_connect(f);
	f->a.to_send = 5;
	assert_true(link_end_write(&f->a) > 0);
	f->b.holds = true;
	f->b.link->ops->watch(f->b.link, GN_READABLE);
	link_pair_until(f, f->b.seen & GN_READABLE);
	link_end_abort(&f->a);
	f->b.holds = false;
}

static void a_reset_is_read_behind_the_bytes(void **state)
{
	struct link_pair *f = *state;

	reset_behind_bytes(f);
	link_end_want(&f->b);
	link_pair_until(f, f->b.err);
	assert_int_equal(f->b.got, 5);
	assert_int_equal(f->b.err, GN_ERESET);
	/* A failed link is readable and writable. */
	f->b.seen = 0;
	f->b.link->ops->watch(f->b.link, GN_READABLE | GN_WRITABLE);
	link_pair_until(f, f->b.seen == (GN_READABLE | GN_WRITABLE));
}

/* The reset is first reported by a write.  Reading still returns the bytes, and then the error, not
 * GN_EOF. */
static void a_reset_found_by_writing_is_read_behind_the_bytes(void **state)
{
	struct link_pair *f = *state;
	ptrdiff_t put;

	reset_behind_bytes(f);
	f->b.to_send = SIZE_MAX;
	f->b.unit = 100;
	f->b.holds = true;
	gn_timer_start(&f->guard, LINK_TIME_LIMIT);
	do {
		put = link_end_write_some(&f->b);
		if (put == GN_EAGAIN)
			f->b.link->ops->watch(f->b.link, GN_WRITABLE);
		(void)gn_loop_turn(f->loop, 0);
		if (put > 0 && f->v->is_virtual)
			(void)gn_loop_turn(f->loop, GN_MSEC);
		assert_false(f->is_late);
	} while (put > 0 || put == GN_EAGAIN);
	assert_int_equal(put, GN_ERESET);
	assert_int_equal(f->b.link->ops->end(f->b.link), GN_ERESET);
	f->b.unit = SIZE_MAX;
	link_end_read(&f->b);
	assert_int_equal(f->b.got, 5);
	assert_int_equal(f->b.err, GN_ERESET);
}

/* A link is closed while it has unread bytes.  The bytes that were written to it still reach the peer. */
static void a_close_delivers_what_was_written(void **state)
{
	struct link_pair *f = *state;

	link_pair_connect(f);
	f->a.holds = f->b.holds = true;
	f->b.to_send = 10000;
	link_end_write(&f->b);
	f->a.link->ops->watch(f->a.link, GN_READABLE);
	link_pair_until(f, f->a.seen & GN_READABLE); /* the bytes stay unread */
	f->a.to_send = 20000;
	link_end_write(&f->a);
	assert_int_equal(f->a.sent, 20000);
	f->a.link->ops->close(f->a.link);
	f->a.link = NULL;
	f->a.calls = 0;
	f->b.to_send = 300000; /* the peer sends more than any buffer holds */
	f->b.end_after = true;
	f->b.holds = false;
	link_end_want(&f->b);
	link_pair_until(f, f->b.err && f->b.has_ended);
	assert_int_equal(f->b.err, GN_EOF);
	assert_int_equal(f->b.got, 20000);
	assert_int_equal(f->a.calls, 0);
	/* Only the listener keeps the loop running. */
	f->b.link->ops->close(f->b.link);
	f->b.link = NULL;
	f->v->ops->close(f->listener);
	f->listener = NULL;
	assert_int_equal(gn_loop_run(f->loop), 0);
}

/* Both ends close while they have unread bytes. */
static void both_ends_may_close_with_unread_bytes(void **state)
{
	struct link_pair *f = *state;

	link_pair_connect(f);
	f->a.to_send = f->b.to_send = 3000;
	link_end_write(&f->a);
	link_end_write(&f->b);
	f->a.link->ops->close(f->a.link);
	f->b.link->ops->close(f->b.link);
	f->a.link = f->b.link = NULL;
	f->v->ops->close(f->listener);
	f->listener = NULL;
	assert_int_equal(gn_loop_run(f->loop), 0);
}

/* A loop that is freed frees the links that are closing. */
static void a_loop_frees_links_that_are_closing(void **state)
{
	struct link_pair *f = *state;

	link_pair_connect(f);
	f->a.link->ops->close(f->a.link);
	f->a.link = NULL;
}

/* The link is closed from inside its callback. */
static void on_ready_close(void *arg, unsigned ready)
{
	struct link_end *s = arg;
	struct gn_link *link = s->link;

	(void)ready;
	s->calls++;
	s->link = NULL;
	if (s == &s->f->a)
		link->ops->close(link);
	else
		link->ops->abort(link);
}

static void a_link_may_be_closed_in_its_callback(void **state)
{
	struct link_pair *f = *state;

	link_pair_connect(f);
	f->a.link->on_ready = on_ready_close;
	f->b.link->on_ready = on_ready_close;
	f->a.link->ops->watch(f->a.link, GN_WRITABLE | GN_READABLE);
	f->b.link->ops->watch(f->b.link, GN_WRITABLE | GN_READABLE);
	link_pair_until(f, f->a.link == NULL && f->b.link == NULL);
	assert_int_equal(f->a.calls, 1);
	assert_int_equal(f->b.calls, 1);
	f->v->ops->close(f->listener);
	f->listener = NULL;
	assert_int_equal(gn_loop_run(f->loop), 0);
}

static void received_bytes_are_acknowledged(void **state)
{
	struct link_pair *f = *state;

	link_pair_connect(f);
	f->a.to_send = 5000;
	link_end_write(&f->a);
	link_end_want(&f->b);
	link_pair_until(f, f->b.got == 5000);
	link_pair_until_by(f, f->a.link->ops->unacked(f->a.link) == 0, GN_MSEC);
}

static void a_dial_without_a_listener_is_refused(void **state)
{
	struct link_pair *f = *state;

	f->v->ops->close(f->listener);
	f->listener = NULL;
	link_pair_dial(f, f->bound);
	link_pair_until(f, f->dones);
	assert_int_equal(f->err, -ECONNREFUSED);
	assert_int_equal(f->dones, 1);
	assert_int_equal(gn_loop_run(f->loop), 0);
}

static void a_cancelled_dial_is_not_reported(void **state)
{
	struct link_pair *f = *state;

	link_pair_dial(f, f->bound);
	f->v->ops->cancel(f->dial);
	f->dial = NULL;
	f->v->ops->close(f->listener);
	f->listener = NULL;
	assert_int_equal(gn_loop_run(f->loop), 0);
	assert_int_equal(f->dones, 0);
}

/* The dial is cancelled after the listener has received the link.  The link then ends at the listener. */
static void a_cancelled_dial_ends_the_link_at_the_listener(void **state)
{
	struct link_pair *f = *state;

	f->cancels_dial = true;
	link_pair_dial(f, f->bound);
	link_pair_until(f, f->links);
	if (f->v->mem.delay)
		assert_int_equal(f->dones, 0);
	if (f->dones)
		link_end_abort(&f->a);
	link_end_want(&f->b);
	link_pair_until(f, f->b.err);
	assert_int_equal(f->b.got, 0);
	assert_true(f->b.err == GN_EOF || f->b.err == GN_ERESET);
}

static void a_listener_may_be_closed_in_its_callback(void **state)
{
	struct link_pair *f = *state;

	f->closes_listener = true;
	link_pair_connect(f);
	assert_null(f->listener);
	link_end_abort(&f->a);
	f->dones = 0;
	link_pair_dial(f, f->bound);
	link_pair_until(f, f->dones);
	assert_int_equal(f->err, -ECONNREFUSED);
}

static void an_address_in_use_is_refused(void **state)
{
	struct link_pair *f = *state;
	struct gn_link_listen_cfg cfg = {.loop = f->loop, .addr = f->bound, .on_link = link_pair_on_link, .arg = f};
	struct gn_link_listener *l;
	struct gn_multiaddr *bound;

	assert_int_equal(f->v->ops->listen(f->state, &cfg, &l, &bound), -EADDRINUSE);
	f->v->ops->close(f->listener);
	/* The address can be used again at once. */
	assert_int_equal(f->v->ops->listen(f->state, &cfg, &f->listener, &bound), 0);
	assert_true(gn_multiaddr_is_equal(bound, f->bound));
	gn_multiaddr_free(bound);
	link_pair_connect(f);
}

static void a_foreign_address_is_refused(void **state)
{
	static const char *const texts[] = {"/unix/%2Ftmp%2Fx", "/ip4/127.0.0.1/udp/1", "/ip4/127.0.0.1/tcp/1/ws",
					    "/dns4/localhost/tcp/1", "/memory/1/p2p-circuit"};
	struct link_pair *f = *state;
	struct gn_link_dial_cfg cfg = {.loop = f->loop, .on_done = link_pair_on_done, .arg = f};
	struct gn_multiaddr *addr;
	size_t i;

	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(gn_multiaddr_parse(texts[i], &addr, NULL), 0);
		assert_false(f->v->ops->is_for(addr));
		cfg.addr = addr;
		assert_int_equal(f->v->ops->dial(f->state, &cfg, &f->dial), GN_ENOTRANS);
		gn_multiaddr_free(addr);
	}
	assert_int_equal(f->dones, 0);
}

static void a_paused_listener_reports_no_link(void **state)
{
	struct link_pair *f = *state;

	f->v->ops->pause(f->listener, true);
	link_pair_dial(f, f->bound);
	link_pair_until(f, f->dones); /* the link waits in the backlog */
	assert_int_equal(f->err, 0);
	(void)gn_loop_turn(f->loop, 0);
	assert_int_equal(f->links, 0);
	f->a.to_send = 1234;
	f->a.end_after = true;
	link_end_write(&f->a);
	f->v->ops->pause(f->listener, false);
	link_pair_until(f, f->links);
	link_end_want(&f->b);
	link_pair_until(f, f->b.err);
	assert_int_equal(f->b.got, 1234);
}

/* Closing a listener resets the links in its backlog. */
static void closing_a_listener_resets_its_backlog(void **state)
{
	struct link_pair *f = *state;

	f->v->ops->pause(f->listener, true);
	link_pair_dial(f, f->bound);
	link_pair_until(f, f->dones);
	f->v->ops->close(f->listener);
	f->listener = NULL;
	link_end_want(&f->a);
	link_pair_until(f, f->a.err);
	assert_int_equal(f->links, 0);
	assert_int_equal(f->a.err, GN_ERESET);
}

/* ---- many --------------------------------------------------------------------- */

#define MANY 200

struct many {
	struct link_pair *f;
	struct link_end in[MANY], out[MANY];
	struct gn_link_dial *dial[MANY];
	size_t n_in, n_out;
};

static void side_start(struct link_end *s, struct link_pair *f, struct gn_link *link)
{
	*s = (struct link_end){.f = f, .unit = 997, .to_send = 10007, .end_after = true};
	link_end_init(s, link);
	link_end_want(s);
}

static void on_link_many(void *arg, struct gn_link *link)
{
	struct many *m = arg;

	assert_true(m->n_in < MANY);
	side_start(&m->in[m->n_in++], m->f, link);
}

static void on_done_many(void *arg, int err, struct gn_link *link)
{
	struct many *m = arg;

	assert_int_equal(err, 0);
	side_start(&m->out[m->n_out++], m->f, link);
}

static size_t count_ended(const struct many *m)
{
	size_t n = 0, i;

	for (i = 0; i < m->n_in; i++)
		n += m->in[i].err && m->in[i].has_ended;
	for (i = 0; i < m->n_out; i++)
		n += m->out[i].err && m->out[i].has_ended;
	return n;
}

static void many_links_at_once(void **state)
{
	struct link_pair *f = *state;
	struct many *m = calloc(1, sizeof *m);
	struct gn_link_listen_cfg lcfg = {.loop = f->loop, .addr = f->bound, .on_link = on_link_many, .arg = m};
	struct gn_link_dial_cfg cfg = {.loop = f->loop, .addr = f->bound, .on_done = on_done_many, .arg = m};
	struct gn_multiaddr *bound;
	size_t i;

	assert_non_null(m);
	m->f = f;
	f->v->ops->close(f->listener);
	assert_int_equal(f->v->ops->listen(f->state, &lcfg, &f->listener, &bound), 0);
	gn_multiaddr_free(bound);
	for (i = 0; i < MANY; i++)
		assert_int_equal(f->v->ops->dial(f->state, &cfg, &m->dial[i]), 0);
	link_pair_until(f, count_ended(m) == 2 * (size_t)MANY);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(m->in[i].err, GN_EOF);
		assert_int_equal(m->out[i].err, GN_EOF);
		assert_int_equal(m->in[i].got, 10007);
		assert_int_equal(m->out[i].got, 10007);
		m->in[i].link->ops->close(m->in[i].link);
		m->out[i].link->ops->close(m->out[i].link);
	}
	free(m);
}

/* ---- every test over every transport ------------------------------------------ */

static const struct link_variant variants[] = {
	{.name = "mem", .ops = &gn_transport_mem, .addr = "/memory/0", .is_virtual = true},
	{.name = "mem, far and in pieces",
	 .ops = &gn_transport_mem,
	 .addr = "/memory/0",
	 .is_virtual = true,
	 .mem = {.seed = 7, .max_chunk = 1500, .delay = 30 * GN_MSEC, .buffer = 25000}},
	{.name = "mem on a real clock", .ops = &gn_transport_mem, .addr = "/memory/0"},
	{.name = "tcp over IPv4", .ops = &gn_transport_tcp, .addr = "/ip4/127.0.0.1/tcp/0"},
	{.name = "tcp over IPv6", .ops = &gn_transport_tcp, .addr = "/ip6/::1/tcp/0"},
};

static void refuse_link(void *arg, struct gn_link *link)
{
	(void)arg;
	link->ops->abort(link);
}

/* Returns true when the transport can be used here.  A host may have no IPv6. */
static bool is_available(const struct link_variant *v)
{
	struct gn_link_listen_cfg cfg = {.on_link = refuse_link};
	struct gn_multiaddr *addr = NULL, *bound;
	struct gn_link_listener *l;
	void *state = NULL;
	bool had = false;

	if (v->is_virtual)
		return true;
	if (gn_loop_new(&cfg.loop) != 0)
		return false;
	if (v->ops->start != NULL)
		assert_int_equal(v->ops->start(NULL, NULL, &state), 0);
	if (gn_multiaddr_parse(v->addr, &addr, NULL) == 0) {
		cfg.addr = addr;
		if (v->ops->listen(state, &cfg, &l, &bound) == 0) {
			had = true;
			v->ops->close(l);
			gn_multiaddr_free(bound);
		}
	}
	gn_multiaddr_free(addr);
	if (v->ops->stop != NULL)
		v->ops->stop(state);
	gn_loop_free(cfg.loop);
	return had;
}

#define ON(test)                                                                                                       \
	{                                                                                                              \
		.name = #test, .test_func = (test), .setup_func = link_pair_setup, .teardown_func = link_pair_teardown \
	}

int main(void)
{
	struct CMUnitTest tests[] = {
		ON(a_dial_makes_two_links),
		ON(a_trailing_peer_id_is_ignored),
		ON(bytes_arrive_in_both_directions),
		ON(odd_sizes_arrive_whole),
		ON(more_odd_sizes_arrive_whole),
		ON(an_empty_stream_ends),
		ON(a_full_link_stops_the_writer),
		ON(the_dialer_may_end_first),
		ON(the_listener_may_end_first),
		ON(a_reset_is_read_behind_the_bytes),
		ON(a_reset_found_by_writing_is_read_behind_the_bytes),
		ON(a_close_delivers_what_was_written),
		ON(both_ends_may_close_with_unread_bytes),
		ON(a_loop_frees_links_that_are_closing),
		ON(a_link_may_be_closed_in_its_callback),
		ON(received_bytes_are_acknowledged),
		ON(a_dial_without_a_listener_is_refused),
		ON(a_cancelled_dial_is_not_reported),
		ON(a_cancelled_dial_ends_the_link_at_the_listener),
		ON(a_listener_may_be_closed_in_its_callback),
		ON(an_address_in_use_is_refused),
		ON(a_foreign_address_is_refused),
		ON(a_paused_listener_reports_no_link),
		ON(closing_a_listener_resets_its_backlog),
		ON(many_links_at_once),
	};
	struct link_variant v[sizeof variants / sizeof variants[0]];
	int failed = 0;
	size_t i, k;

	memcpy(v, variants, sizeof v);
	for (i = 0; i < sizeof v / sizeof v[0]; i++) {
		if (!is_available(&v[i])) {
			print_message("not run, this host has no such network: %s\n", v[i].name);
			continue;
		}
		print_message("over %s:\n", v[i].name);
		for (k = 0; k < sizeof tests / sizeof tests[0]; k++)
			tests[k].initial_state = &v[i];
		failed += cmocka_run_group_tests_name(v[i].name, tests, NULL, NULL);
	}
	return failed;
}
