/* SPDX-License-Identifier: MIT */
/* What gn.h promises of lifetimes: channels freed and reset inside their callbacks, dials
 * cancelled at every moment, nodes closed and freed with everything alive, callbacks that come
 * exactly once; and half-close, sources, frames of every size, state and metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "town.h"

enum { BYTES = 300000, DELAY = 5 };

/* One end of a channel, and what it is to do when an event comes. */
struct end {
	struct gn_channel *ch;
	unsigned seen;                   /* events, ored */
	unsigned count;
	unsigned dead;
	unsigned free_on, reset_on;      /* at the first of these */
	bool is_freed, is_reset, has_ended;
	bool reads, writes;
	size_t sent, got;
	int in;                          /* how reading ended */
};

struct scene {
	struct town t;
	struct gn_node *client;
	struct gn_key *key;
	struct gn_dial *op;
	struct end server, dialer;
	unsigned done, opened;
	int err;
	bool frees_in_open, frees_in_done;
};

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static void end_read(struct end *e)
{
	struct iovec v[4];
	int n;

	while ((n = gn_channel_peek(e->ch, v, 4)) > 0) {
		size_t len = 0;

		for (int i = 0; i < n; i++)
			for (size_t k = 0; k < v[i].iov_len; k++, len++)
				assert_int_equal(((uint8_t *)v[i].iov_base)[k], byte_at(e->got + len));
		gn_channel_skip(e->ch, len);
		e->got += len;
	}
	if (n != GN_EAGAIN)
		e->in = n;
}

static void end_write(struct end *e)
{
	uint8_t buf[5000];

	while (e->sent < BYTES) {
		size_t n = BYTES - e->sent < sizeof buf ? BYTES - e->sent : sizeof buf;
		ptrdiff_t r;

		for (size_t i = 0; i < n; i++)
			buf[i] = byte_at(e->sent + i);
		r = gn_channel_write(e->ch, buf, n);
		if (r <= 0)
			return;
		e->sent += (size_t)r;
	}
	if (!e->has_ended)
		assert_int_equal(gn_channel_end(e->ch), 0);
	e->has_ended = true;
}

static void on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct end *e = arg;

	assert_ptr_equal(ch, e->ch);
	assert_false(e->is_freed);
	assert_int_equal(e->dead, 0); /* it is the last */
	assert_int_not_equal(events, 0);
	assert_int_equal(events & ~(unsigned)(GN_CAN_READ | GN_CAN_WRITE | GN_OPENED | GN_DRAINED | GN_DEAD), 0);
	assert_int_equal(e->seen & events & (GN_OPENED | GN_DRAINED), 0); /* these are said once */
	e->seen |= events;
	e->count++;
	if (events & GN_DEAD) {
		e->dead++;
		assert_true(gn_channel_error(ch) < 0);
	}
	if (events & e->reset_on && !e->is_reset) {
		e->is_reset = true;
		gn_channel_reset(ch);
		assert_int_not_equal(gn_channel_error(ch), 0);
	}
	if (events & e->free_on) {
		e->is_freed = true;
		gn_channel_free(ch);
		e->ch = NULL;
		return;
	}
	if (e->reads)
		end_read(e);
	if (e->writes && !e->is_reset)
		end_write(e);
}

static void on_open(void *arg, struct gn_channel *ch)
{
	struct scene *s = arg;

	s->opened++;
	if (s->frees_in_open) {
		gn_channel_free(ch);
		return;
	}
	s->server.ch = ch;
	gn_channel_on_event(ch, on_event, &s->server);
}

static void on_done(void *arg, int err, struct gn_channel *ch)
{
	struct scene *s = arg;

	assert_int_equal(s->done, 0);
	assert_true((err == 0) == (ch != NULL));
	s->done++;
	s->err = err;
	s->op = NULL;
	if (err != 0)
		return;
	if (s->frees_in_done) {
		gn_channel_free(ch);
		return;
	}
	s->dialer.ch = ch;
	gn_channel_on_event(ch, on_event, &s->dialer);
	if (s->dialer.writes)
		end_write(&s->dialer);
}

static void scene_init(struct scene *s, gn_time delay)
{
	struct gn_mem_cfg path = {.seed = 1, .delay = delay};
	struct gn_protocol_cfg p = {.id = "/scene", .kind = GN_BYTES, .on_open = on_open, .arg = s};
	struct gn_limits lim;

	memset(s, 0, sizeof *s);
	town_init(&s->t, true, NULL);
	assert_int_equal(gn_mem_set(s->t.loop, &path), 0);
	assert_int_equal(gn_protocol_add(s->t.node, &p), 0);
	s->key = town_key(5);
	gn_limits_init(&lim);
	s->client = town_node(s->t.loop, s->key, &lim);
	s->server.reads = s->server.writes = s->dialer.reads = s->dialer.writes = true;
}

static void scene_dial(struct scene *s)
{
	const struct gn_multiaddr *addrs[1] = {s->t.addr};
	struct gn_dial_cfg cfg = {.addrs = addrs, .n_addrs = 1, .protocol = "/scene", .kind = GN_BYTES,
				  .on_done = on_done, .arg = s};

	assert_int_equal(gn_dial_start(s->client, &cfg, &s->op), 0);
	assert_int_equal(s->done, 0);
}

static void scene_run(struct scene *s, unsigned ms)
{
	town_run(&s->t, ms * GN_MSEC);
}

static void scene_fini(struct scene *s)
{
	if (s->dialer.ch != NULL)
		gn_channel_free(s->dialer.ch);
	/* It may come only now. */
	s->server.free_on = GN_DEAD;
	scene_run(s, 1000);
	if (s->server.ch != NULL)
		gn_channel_free(s->server.ch);
	scene_run(s, 10000);
	assert_int_equal(s->client->budget.used, 0);
	assert_int_equal(s->t.node->budget.used, 0);
	gn_node_free(s->client);
	gn_key_free(s->key);
	town_quiet(&s->t);
	town_serves(&s->t);
	town_quiet(&s->t);
	town_fini(&s->t);
}

static void goes_well(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, DELAY * GN_MSEC);
	scene_dial(&s);
	scene_run(&s, 3000);
	assert_int_equal(s.err, 0);
	assert_int_equal(s.dialer.got, BYTES);
	assert_int_equal(s.server.got, BYTES);
	assert_int_equal(s.dialer.in, GN_EOF);
	assert_int_equal(s.server.in, GN_EOF);
	assert_true(s.dialer.seen & GN_OPENED && s.dialer.seen & GN_DRAINED && s.server.seen & GN_DRAINED);
	assert_int_equal(s.dialer.dead + s.server.dead, 0);
	assert_int_equal(gn_channel_error(s.dialer.ch), 0);
	scene_fini(&s);
}

/* ---- free and reset inside callbacks ---- */

static void inside(unsigned event, bool at_server, bool is_free)
{
	struct scene s;
	struct end *e, *other;

	scene_init(&s, DELAY * GN_MSEC);
	e = at_server ? &s.server : &s.dialer;
	other = at_server ? &s.dialer : &s.server;
	if (is_free)
		e->free_on = event;
	else
		e->reset_on = event;
	if (event == GN_DEAD) /* the other one kills it */
		other->reset_on = GN_CAN_READ;
	scene_dial(&s);
	scene_run(&s, 3000);
	assert_int_equal(s.done, 1);
	assert_int_equal(s.err, 0);
	if (event == GN_OPENED && at_server) { /* it was open when it came */
		assert_int_equal(s.server.got, BYTES);
	} else {
		assert_true(e->seen & event);
		assert_true(is_free ? e->is_freed : e->is_reset);
		/* The other side is told, unless it was over for it. */
		if (event != GN_DEAD)
			assert_true(other->dead == 1 || other->in == GN_EOF);
		/* An end in good order means that all had come. */
		if (other->in == GN_EOF)
			assert_int_equal(other->got, BYTES);
	}
	assert_true(s.dialer.dead <= 1 && s.server.dead <= 1);
	scene_fini(&s);
}

static void free_inside(void **state)
{
	(void)state;
	for (unsigned event = GN_CAN_READ; event <= GN_DEAD; event <<= 1)
		for (int i = 0; i < 2; i++)
			inside(event, i, true);
}

static void reset_inside(void **state)
{
	(void)state;
	for (unsigned event = GN_CAN_READ; event <= GN_DEAD; event <<= 1)
		for (int i = 0; i < 2; i++)
			inside(event, i, false);
}

static void free_at_birth(void **state)
{
	(void)state;
	for (int i = 1; i < 4; i++) {
		struct scene s;

		scene_init(&s, DELAY * GN_MSEC);
		s.frees_in_done = i & 1;
		s.frees_in_open = i & 2;
		scene_dial(&s);
		scene_run(&s, 3000);
		assert_int_equal(s.done, 1);
		if (i == 1) /* it was never said, or it was reset at once */
			assert_true(s.opened == 0 || s.server.dead == 1);
		if (i == 2) {
			assert_int_equal(s.opened, 1);
			assert_int_equal(s.dialer.dead, 1);
		}
		scene_fini(&s);
	}
}

/* Whoever is no longer listening hears nothing; who listens anew hears what he has missed. */
static void listens_late(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, DELAY * GN_MSEC);
	scene_dial(&s);
	TOWN_UNTIL(&s.t, s.opened == 1, GN_SEC);
	gn_channel_on_event(s.server.ch, NULL, NULL);
	s.server.count = 0;
	scene_run(&s, 2000);
	assert_int_equal(s.server.count, 0);
	gn_channel_reset(s.dialer.ch);
	scene_run(&s, 100);
	gn_channel_on_event(s.server.ch, on_event, &s.server);
	scene_run(&s, 100);
	assert_int_equal(s.server.dead, 1);
	scene_fini(&s);
}

/* ---- dialing ---- */

static void cancelled_at_each_step(void **state)
{
	unsigned open = 0;

	(void)state;
	for (unsigned ms = 0; ms < 60; ms++) {
		struct scene s;

		scene_init(&s, DELAY * GN_MSEC);
		scene_dial(&s);
		scene_run(&s, ms);
		if (s.op != NULL) {
			assert_int_equal(s.done, 0);
			gn_dial_cancel(s.op);
			scene_run(&s, 5000);
			assert_int_equal(s.done, 0);
			assert_int_equal(s.client->n_channels, 0);
			assert_int_equal(s.opened, 0);
		} else {
			open++;
		}
		scene_fini(&s);
	}
	assert_true(open > 10 && open < 60);
}

static void cancel_in_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct scene *s = arg;

	(void)addr;
	(void)err;
	(void)took;
	assert_non_null(s->op);
	gn_dial_cancel(s->op);
	s->op = NULL;
}

static void cancelled_inside_on_attempt(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		const struct gn_multiaddr *addrs[2];
		struct gn_multiaddr *nobody;
		struct gn_dial_cfg cfg = {.addrs = addrs, .protocol = "/scene", .on_attempt = cancel_in_attempt,
					  .on_done = on_done};
		struct scene s;

		scene_init(&s, DELAY * GN_MSEC);
		assert_int_equal(gn_multiaddr_parse(i < 2 ? "/memory/12345" : "/ip4/1.2.3.4/udp/5", &nobody, NULL), 0);
		cfg.arg = &s;
		addrs[0] = i == 0 ? s.t.addr : nobody;
		addrs[1] = i == 1 ? s.t.addr : nobody;
		cfg.n_addrs = i == 2 ? 1 : 2;
		assert_int_equal(gn_dial_start(s.client, &cfg, &s.op), 0);
		scene_run(&s, 3000);
		assert_null(s.op);
		assert_int_equal(s.done, 0);
		gn_multiaddr_free(nobody);
		scene_fini(&s);
	}
}

static void close_in_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct scene *s = arg;

	(void)addr;
	(void)err;
	(void)took;
	gn_node_close(s->client, GN_SEC, NULL, NULL);
}

static void closed_inside_on_attempt(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct gn_multiaddr *addrs[2];
		struct gn_multiaddr *nobody;
		struct gn_dial_cfg cfg = {.addrs = addrs, .n_addrs = 2, .protocol = "/scene", .on_attempt = close_in_attempt,
					  .on_done = on_done};
		struct scene s;

		scene_init(&s, DELAY * GN_MSEC);
		assert_int_equal(gn_multiaddr_parse("/memory/12345", &nobody, NULL), 0);
		cfg.arg = &s;
		addrs[i] = nobody;
		addrs[1 - i] = s.t.addr;
		assert_int_equal(gn_dial_start(s.client, &cfg, &s.op), 0);
		scene_run(&s, 3000);
		assert_int_equal(s.done, 1);
		assert_int_equal(s.err, GN_ECLOSED);
		gn_multiaddr_free(nobody);
		scene_fini(&s);
	}
}

/* Success, nobody there, the wrong peer, no transport, no protocol: once each. */
static void done_exactly_once(void **state)
{
	static const char *const at[] = {"/memory/7", "/memory/99", "/ip4/1.2.3.4/udp/5",
					 "/memory/7/p2p/12D3KooWDMCQbZZvLgHiHntG1KwcHoqHPAxL37KvhgibWqFtpqUY"};
	static const int want[] = {0, -ECONNREFUSED, GN_ENOTRANS, GN_EPEERID};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct gn_multiaddr *addr;
		const struct gn_multiaddr *addrs[1];
		struct gn_dial_cfg cfg = {.addrs = addrs, .n_addrs = 1, .protocol = "/nobody/has/it",
					  .on_done = on_done};
		struct scene s;

		scene_init(&s, DELAY * GN_MSEC);
		assert_int_equal(gn_multiaddr_parse(at[i], &addr, NULL), 0);
		addrs[0] = addr;
		cfg.arg = &s;
		assert_int_equal(gn_dial_start(s.client, &cfg, &s.op), 0);
		assert_int_equal(s.done, 0);
		gn_multiaddr_free(addr);
		scene_run(&s, 30000);
		assert_int_equal(s.done, 1);
		assert_int_equal(s.err, want[i]);
		if (i == 0) {
			assert_int_equal(s.dialer.dead, 1);
			assert_int_equal(gn_channel_error(s.dialer.ch), GN_ENOPROTO);
		}
		scene_fini(&s);
	}
}

static void took_link(void *arg, struct gn_link *taken)
{
	*(struct gn_link **)arg = taken;
}

/* The far end speaks Noise and is gone in the same breath. */
static void a_peer_that_leaves_at_once(void **state)
{
	(void)state;
	for (int how = 0; how < 2; how++) {
		static const char hello[] = FOE_SELECT FOE_NOISE;
		struct gn_link_listen_cfg cfg;
		struct gn_link_listener *l;
		struct gn_link *link = NULL;
		struct gn_multiaddr *at, *bound;
		const struct gn_multiaddr *addrs[1];
		struct gn_dial_cfg dial = {.addrs = addrs, .n_addrs = 1, .protocol = "/scene", .on_done = on_done};
		static const char *const muxers[] = {"/yamux/1.0.0"};
		uint8_t payload[4096], msg[4200];
		struct noise_peer noise;
		struct wire in = {0};
		struct iovec v;
		struct scene s;
		size_t n;

		scene_init(&s, DELAY * GN_MSEC);
		noise_peer_init(&noise, false, 3);
		cfg = (struct gn_link_listen_cfg){.loop = s.t.loop, .on_link = took_link, .arg = &link};
		assert_int_equal(gn_multiaddr_parse("/memory/55", &at, NULL), 0);
		cfg.addr = at;
		assert_int_equal(gn_transport_mem.listen(&cfg, &l, &bound), 0);
		addrs[0] = at;
		dial.arg = &s;
		assert_int_equal(gn_dial_start(s.client, &dial, &s.op), 0);
		scene_run(&s, 4 * DELAY);
		assert_non_null(link);
		for (ptrdiff_t r; (r = link->ops->read(link, msg, sizeof msg)) > 0;)
			wire_put(&in, msg, (size_t)r);
		wire_skip(&in, 28);
		noise_peer_read(&noise, 1, &in);
		v = (struct iovec){(void *)(uintptr_t)hello, 28};
		assert_int_equal(link->ops->write(link, &v, 1), 28);
		n = noise_peer_payload(&noise, muxers, (size_t)how, payload);
		v = (struct iovec){msg, noise_peer_write(&noise, 2, payload, n, msg)};
		assert_int_equal(link->ops->write(link, &v, 1), v.iov_len);
		link->ops->end(link);
		scene_run(&s, 3000);
		assert_int_equal(s.done, 1);
		assert_true(s.err != 0 || s.dialer.dead == 1);
		link->ops->abort(link);
		gn_transport_mem.close(l);
		gn_multiaddr_free(at);
		gn_multiaddr_free(bound);
		noise_peer_fini(&noise);
		wire_fini(&in);
		scene_fini(&s);
	}
}

/* ---- closing and freeing nodes ---- */

struct closed {
	unsigned times;
	gn_time when;
	struct gn_loop *loop;
};

static void on_closed(void *arg)
{
	struct closed *c = arg;

	c->times++;
	c->when = gn_loop_now(c->loop);
}

static void close_with_nothing(void **state)
{
	struct closed c = {0};
	struct scene s;

	(void)state;
	scene_init(&s, 0);
	c.loop = s.t.loop;
	assert_int_equal(gn_node_close(s.client, GN_SEC, on_closed, &c), 0);
	assert_int_equal(c.times, 0);
	assert_int_equal(gn_node_close(s.client, GN_SEC, on_closed, &c), GN_ECLOSED);
	scene_run(&s, 5000);
	assert_int_equal(c.times, 1);
	scene_fini(&s);
}

/* A stream that nobody ends keeps the node until the limit, exactly. */
static void close_with_streams(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) { /* at the dialer, at the listener */
		struct closed c = {0};
		struct scene s;
		struct end *e;
		gn_time begin;

		scene_init(&s, DELAY * GN_MSEC);
		s.server.writes = false;
		scene_dial(&s);
		scene_run(&s, 1000);
		assert_int_equal(s.server.got, BYTES);
		c.loop = s.t.loop;
		begin = gn_loop_now(s.t.loop);
		assert_int_equal(gn_node_close(i ? s.t.node : s.client, 2 * GN_SEC, on_closed, &c), 0);
		scene_run(&s, 1900);
		assert_int_equal(c.times, 0);
		assert_int_equal(s.dialer.dead + s.server.dead, 0);
		scene_run(&s, 1000);
		assert_int_equal(c.times, 1);
		assert_int_equal(c.when - begin, 2 * GN_SEC);
		e = i ? &s.server : &s.dialer;
		assert_int_equal(e->dead, 1);
		assert_int_equal(gn_channel_error(e->ch), GN_ECLOSED);
		scene_run(&s, 1000);
		assert_int_equal(s.dialer.dead + s.server.dead, 2);
		assert_int_equal(c.times, 1);
		gn_channel_free(s.dialer.ch);
		gn_channel_free(s.server.ch);
		gn_node_free(s.client);
		gn_key_free(s.key);
		town_quiet(&s.t);
		town_fini(&s.t);
	}
}

/* Streams that end in time: everything comes through, and it is over before the limit. */
static void close_in_good_order(void **state)
{
	struct closed c = {0};
	struct scene s;

	(void)state;
	scene_init(&s, DELAY * GN_MSEC);
	scene_dial(&s);
	scene_run(&s, 6 * DELAY); /* under way */
	c.loop = s.t.loop;
	assert_int_equal(gn_node_close(s.client, 60 * GN_SEC, on_closed, &c), 0);
	TOWN_UNTIL(&s.t, s.dialer.in == GN_EOF && s.server.in == GN_EOF, 10 * GN_SEC);
	assert_int_equal(s.dialer.got, BYTES);
	assert_int_equal(s.server.got, BYTES);
	assert_int_equal(c.times, 0); /* the channels are ours still */
	gn_channel_free(s.dialer.ch);
	gn_channel_free(s.server.ch);
	s.dialer.ch = s.server.ch = NULL;
	TOWN_UNTIL(&s.t, c.times == 1, 5 * GN_SEC);
	assert_int_equal(s.client->n_conns, 0);
	scene_fini(&s);
}

/* A node that closes takes no dial, and those that run have failed, once. */
static void close_while_dialing(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms < 8 * DELAY; ms++) {
		const struct gn_multiaddr *addrs[1];
		struct gn_dial_cfg cfg = {.addrs = addrs, .n_addrs = 1, .protocol = "/scene", .on_done = on_done};
		struct closed c = {0};
		struct gn_dial *op;
		struct scene s;

		scene_init(&s, DELAY * GN_MSEC);
		scene_dial(&s);
		scene_run(&s, ms);
		c.loop = s.t.loop;
		assert_int_equal(gn_node_close(s.client, 5 * GN_SEC, on_closed, &c), 0);
		addrs[0] = s.t.addr;
		assert_int_equal(gn_dial_start(s.client, &cfg, &op), GN_ECLOSED);
		scene_run(&s, 3000);
		assert_int_equal(s.done, 1);
		if (s.err != 0) {
			assert_int_equal(s.err, GN_ECLOSED);
			assert_int_equal(c.times, 1);
		}
		scene_fini(&s);
		assert_int_equal(c.times, 1);
	}
}

static void on_ping_done(void *arg, int err)
{
	(void)err;
	++*(unsigned *)arg;
}

static void on_identified(void *arg, int err, const struct gn_identify_info *info)
{
	(void)err;
	(void)info;
	++*(unsigned *)arg;
}

/* Freed at each moment with channels, dials, pings, listeners alive: not a word, no leak. */
static void free_with_everything(void **state)
{
	(void)state;
	for (unsigned ms = 0; ms < 80; ms++) {
		unsigned told = 0, before;
		const struct gn_multiaddr *addrs[1];
		struct gn_ping_cfg ping = {.dial = {.addrs = addrs, .n_addrs = 1}, .on_done = on_ping_done, .arg = &told};
		struct gn_identify_cfg ident = {
			.dial = {.addrs = addrs, .n_addrs = 1}, .on_done = on_identified, .arg = &told};
		struct gn_identify *id_op;
		struct gn_ping *ping_op;
		struct gn_multiaddr *bound;
		struct scene s;
		unsigned done, opened, events;

		scene_init(&s, DELAY * GN_MSEC);
		addrs[0] = s.t.addr;
		bound = town_listen(s.client, "/memory/31");
		gn_multiaddr_free(bound);
		scene_dial(&s);
		assert_int_equal(gn_ping_start(s.client, &ping, &ping_op), 0);
		assert_int_equal(gn_identify_start(s.client, &ident, &id_op), 0);
		scene_run(&s, ms);
		before = told;
		done = s.done;
		opened = s.opened;
		events = s.dialer.count;
		if (ms % 2) {
			gn_node_free(s.client);
			s.dialer.ch = NULL;
			scene_run(&s, 5000);
			assert_true(s.server.ch == NULL || s.server.dead == 1 || s.server.in == GN_EOF);
			if (s.server.ch != NULL)
				gn_channel_free(s.server.ch);
			town_quiet(&s.t);
			town_fini(&s.t);
		} else { /* the listener's end */
			struct gn_loop *loop = s.t.loop;

			s.t.loop = NULL;
			gn_node_free(s.t.node);
			gn_node_free(s.client);
			gn_key_free(s.t.key);
			gn_multiaddr_free(s.t.addr);
			while (gn_loop_turn(loop, GN_SEC) != GN_EAGAIN)
				;
			gn_loop_free(loop);
			assert_int_equal(s.opened, opened);
		}
		assert_int_equal(told, before);
		assert_int_equal(s.done, done);
		assert_int_equal(s.dialer.count, events);
		gn_key_free(s.key);
	}
}

/* ---- half-close ---- */

static void half_close(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, DELAY * GN_MSEC);
	s.server.writes = false;
	scene_dial(&s);
	scene_run(&s, 1000);
	assert_int_equal(s.server.in, GN_EOF);
	assert_int_equal(s.server.got, BYTES);
	assert_true(s.dialer.seen & GN_DRAINED);
	/* This side is shut, the other one is not. */
	assert_int_equal(gn_channel_write(s.dialer.ch, "x", 1), GN_ECLOSED);
	assert_int_equal(s.dialer.in, 0);
	end_write(&s.server);
	s.server.writes = true;
	scene_run(&s, 1000);
	assert_int_equal(s.dialer.in, GN_EOF);
	assert_int_equal(s.dialer.got, BYTES);
	assert_int_equal(s.dialer.dead + s.server.dead, 0);
	/* And the end stays the end. */
	assert_int_equal(gn_channel_read(s.dialer.ch, &(uint8_t){0}, 1), GN_EOF);
	assert_int_equal(gn_channel_error(s.dialer.ch), 0);
	scene_fini(&s);
}

/* Given up behind its end: what is queued arrives; before it: a reset. */
static void given_up(void **state)
{
	(void)state;
	for (int ended = 0; ended < 2; ended++) {
		struct scene s;

		scene_init(&s, DELAY * GN_MSEC);
		s.dialer.writes = s.dialer.reads = false;
		scene_dial(&s);
		TOWN_UNTIL(&s.t, s.dialer.ch != NULL, GN_SEC);
		for (size_t i = 0; i < 100000; i++)
			assert_int_equal(gn_channel_write(s.dialer.ch, &(uint8_t){byte_at(i)}, 1), 1);
		if (ended)
			assert_int_equal(gn_channel_end(s.dialer.ch), 0);
		gn_channel_free(s.dialer.ch);
		s.dialer.ch = NULL;
		scene_run(&s, 3000);
		if (ended) {
			assert_int_equal(s.server.got, 100000);
			assert_int_equal(s.server.in, GN_EOF);
		} else {
			assert_true(s.opened == 0 || s.server.dead == 1);
		}
		scene_fini(&s);
	}
}

/* ---- sources ---- */

struct shown {
	uint8_t bytes[BYTES];
	size_t taken, size;
	bool is_gone;
};

static int shown_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	struct shown *sh = arg;
	size_t left = sh->size - sh->taken;
	int n = 0;

	assert_false(sh->is_gone);
	while (n < max && left > 0 && limit > 0) { /* in pieces */
		size_t len = left < 1000 ? left : 1000;

		if (len > limit)
			len = limit;
		v[n].iov_base = sh->bytes + (sh->size - left);
		v[n++].iov_len = len;
		left -= len;
		limit -= len;
	}
	return n;
}

static void shown_skip(void *arg, size_t n)
{
	struct shown *sh = arg;

	assert_false(sh->is_gone);
	assert_true(n <= sh->size - sh->taken);
	memset(sh->bytes + sh->taken, 0xdd, n); /* it is ours again */
	sh->taken += n;
}

static const struct gn_source shown_source = {shown_peek, shown_skip};

/* Freed or reset each ms, with the end said before or not: the far end sees all of it and the
 * end, or a reset; and the source is never asked again. */
static void sources(void **state)
{
	static struct shown sh;

	(void)state;
	for (unsigned ms = 0; ms < 120; ms++) {
		bool ends = ms % 3 > 0, resets = ms % 2, taken_off = ms % 5 == 4;
		struct scene s;

		memset(&sh, 0, sizeof sh);
		sh.size = BYTES;
		for (size_t i = 0; i < BYTES; i++)
			sh.bytes[i] = byte_at(i);
		scene_init(&s, DELAY * GN_MSEC);
		s.dialer.writes = s.server.writes = false;
		scene_dial(&s);
		TOWN_UNTIL(&s.t, s.dialer.ch != NULL, GN_SEC);
		assert_int_equal(gn_channel_source(s.dialer.ch, &shown_source, &sh), 0);
		if (ends)
			assert_int_equal(gn_channel_end(s.dialer.ch), 0);
		scene_run(&s, ms);
		if (ms == 119)
			scene_run(&s, 3000);
		if (taken_off)
			gn_channel_source(s.dialer.ch, NULL, NULL);
		else if (resets)
			gn_channel_reset(s.dialer.ch);
		gn_channel_free(s.dialer.ch);
		s.dialer.ch = NULL;
		sh.is_gone = true;
		scene_run(&s, 3000);
		if (s.server.in == GN_EOF && !taken_off)
			assert_int_equal(s.server.got, BYTES);
		if (s.opened > 0)
			assert_true(s.server.in == GN_EOF || s.server.dead == 1);
		if (ms == 119 || sh.taken == BYTES)
			assert_int_equal(s.server.got, BYTES);
		scene_fini(&s);
	}
}

/* ---- frames ---- */

static const size_t sizes[] = {0, 1, 127, 128, 65506, 65507, 65508, 65519, 65535, 65536, 262142, 262143, 262144, 262145,
			       524288, 1048575, 1048576, 0, 3};
enum { N_SIZES = sizeof sizes / sizeof sizes[0] };

struct framing {
	struct gn_channel *in, *out;
	size_t sent, got;
	int err;
	uint8_t *buf;
};

static void frames_send(struct framing *fr)
{
	while (fr->sent < N_SIZES) {
		int r;

		memset(fr->buf, (int)fr->sent, sizes[fr->sent]);
		r = gn_channel_send(fr->out, fr->buf, sizes[fr->sent]);
		if (r == GN_EAGAIN)
			return;
		assert_int_equal(r, 0);
		fr->sent++;
	}
	if (fr->sent++ == N_SIZES)
		gn_channel_end(fr->out);
}

static void on_frame_out(void *arg, struct gn_channel *ch, unsigned events)
{
	(void)ch;
	if (!(events & GN_DEAD))
		frames_send(arg);
}

static void on_frame_in(void *arg, struct gn_channel *ch, unsigned events)
{
	struct framing *fr = arg;
	const void *frame;
	size_t len;
	int r;

	(void)events;
	while ((r = gn_channel_receive(ch, &frame, &len)) == 0) {
		assert_true(fr->got < N_SIZES);
		assert_int_equal(len, sizes[fr->got]);
		for (size_t i = 0; i < len; i++)
			if (((const uint8_t *)frame)[i] != (uint8_t)fr->got)
				fail_msg("frame %zu at %zu", fr->got, i);
		fr->got++;
	}
	if (r != GN_EAGAIN)
		fr->err = r;
}

static void on_frames(void *arg, struct gn_channel *ch)
{
	struct framing *fr = arg;

	fr->in = ch;
	gn_channel_on_event(ch, on_frame_in, fr);
}

static void on_frames_done(void *arg, int err, struct gn_channel *ch)
{
	struct framing *fr = arg;

	assert_int_equal(err, 0);
	fr->out = ch;
	gn_channel_on_event(ch, on_frame_out, fr);
	frames_send(fr);
}

static void frames(void **state)
{
	static const size_t chunks[] = {0, 1000, 70000};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct gn_mem_cfg path = {.seed = 9, .delay = GN_MSEC, .max_chunk = i < 3 ? chunks[i] : 0};
		struct framing fr = {.buf = malloc(GN_FRAME_MAX + 1)};
		struct gn_protocol_cfg p = {.id = "/frames", .kind = GN_FRAMES, .on_open = on_frames, .arg = &fr};
		const struct gn_multiaddr *addrs[1];
		struct gn_dial_cfg cfg = {.addrs = addrs, .n_addrs = 1, .protocol = "/frames", .kind = GN_FRAMES,
					  .on_done = on_frames_done, .arg = &fr};
		struct gn_metrics m;
		struct scene s;

		p.max_frame = i == 3 ? GN_FRAME_MAX - 1 : 0;
		scene_init(&s, GN_MSEC);
		assert_int_equal(gn_mem_set(s.t.loop, &path), 0);
		assert_int_equal(gn_protocol_add(s.t.node, &p), 0);
		addrs[0] = s.t.addr;
		assert_int_equal(gn_dial_start(s.client, &cfg, &s.op), 0);
		TOWN_UNTIL(&s.t, fr.err != 0, 60 * GN_SEC);
		assert_int_equal(gn_channel_send(fr.out, fr.buf, GN_FRAME_MAX + 1), GN_ETOOBIG);
		if (i == 3) { /* its limit is less than ours, by one */
			assert_int_equal(fr.err, GN_ETOOBIG);
			assert_int_equal(fr.got, N_SIZES - 3);
		} else {
			assert_int_equal(fr.err, GN_EOF);
			assert_int_equal(fr.got, N_SIZES);
			gn_channel_metrics(fr.out, &m);
			assert_int_equal(m.frames_out, N_SIZES);
			gn_channel_metrics(fr.in, &m);
			assert_int_equal(m.frames_in, N_SIZES);
			gn_node_metrics(s.t.node, &m);
			assert_int_equal(m.frames_in, N_SIZES);
		}
		gn_channel_free(fr.in);
		gn_channel_free(fr.out);
		free(fr.buf);
		scene_fini(&s);
	}
}

/* ---- what is known ---- */

static void state_and_metrics(void **state)
{
	struct gn_channel_state d, l;
	struct gn_metrics m;
	struct gn_peer_id id;
	struct scene s;

	(void)state;
	scene_init(&s, DELAY * GN_MSEC);
	scene_dial(&s);
	TOWN_UNTIL(&s.t, s.dialer.ch != NULL, GN_SEC);
	gn_channel_state(s.dialer.ch, &d);
	assert_false(d.opened);
	assert_true(d.queued > 0);
	gn_node_metrics(s.client, &m);
	assert_int_equal(m.channels, 1);
	assert_int_equal(m.conns, 1);
	scene_run(&s, 2000);
	gn_channel_state(s.dialer.ch, &d);
	gn_channel_state(s.server.ch, &l);
	assert_true(d.opened && l.opened && !d.inbound && l.inbound);
	assert_string_equal(d.protocol, "/scene");
	assert_string_equal(l.protocol, "/scene");
	assert_string_equal(d.found, "address");
	assert_string_equal(l.found, "inbound");
	assert_string_equal(d.path, "direct");
	assert_int_equal(d.channels, 1);
	assert_int_equal(l.channels, 1);
	assert_int_equal(d.queued, 0);
	gn_node_id(s.t.node, &id);
	assert_true(gn_peer_id_is_equal(&id, &d.peer));
	gn_node_id(s.client, &id);
	assert_true(gn_peer_id_is_equal(&id, &l.peer));
	assert_true(gn_multiaddr_is_equal(d.remote, l.local));
	assert_int_not_equal(gn_multiaddr_peer(d.remote, &id), 0);
	assert_memory_not_equal(d.guid, l.guid, GN_GUID_LEN); /* each end's own */

	gn_channel_metrics(s.dialer.ch, &m);
	assert_int_equal(m.bytes_out, BYTES);
	assert_int_equal(m.bytes_in, BYTES);
	assert_int_equal(m.frames_in + m.frames_out, 0);
	assert_true(m.rtt >= 2 * DELAY * GN_MSEC && m.rtt <= 20 * DELAY * GN_MSEC);
	assert_true(m.age > 1900 * GN_MSEC && m.age <= 2100 * GN_MSEC);
	assert_true(m.heard >= 0 && m.heard <= 2000 * GN_MSEC);
	gn_channel_conn_metrics(s.server.ch, &m);
	assert_true(m.bytes_in >= BYTES && m.bytes_out >= BYTES);
	assert_int_equal(m.channels, 1);
	assert_int_equal(m.conns, 1);
	gn_channel_free(s.dialer.ch);
	gn_channel_free(s.server.ch);
	s.dialer.ch = s.server.ch = NULL;
	scene_run(&s, 100);
	gn_node_metrics(s.t.node, &m);
	assert_int_equal(m.channels, 0);
	assert_true(m.bytes_in >= BYTES && m.bytes_out >= BYTES);
	gn_node_free(s.client);
	town_quiet(&s.t);
	gn_node_metrics(s.t.node, &m); /* sums outlive connections */
	assert_int_equal(m.conns, 0);
	assert_true(m.bytes_in >= BYTES && m.bytes_out >= BYTES);
	gn_key_free(s.key);
	town_fini(&s.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_well),
		cmocka_unit_test(free_inside),
		cmocka_unit_test(reset_inside),
		cmocka_unit_test(free_at_birth),
		cmocka_unit_test(listens_late),
		cmocka_unit_test(cancelled_at_each_step),
		cmocka_unit_test(cancelled_inside_on_attempt),
		cmocka_unit_test(closed_inside_on_attempt),
		cmocka_unit_test(done_exactly_once),
		cmocka_unit_test(a_peer_that_leaves_at_once),
		cmocka_unit_test(close_with_nothing),
		cmocka_unit_test(close_with_streams),
		cmocka_unit_test(close_in_good_order),
		cmocka_unit_test(close_while_dialing),
		cmocka_unit_test(free_with_everything),
		cmocka_unit_test(half_close),
		cmocka_unit_test(given_up),
		cmocka_unit_test(sources),
		cmocka_unit_test(frames),
		cmocka_unit_test(state_and_metrics),
	};

	WIRE_MUST(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
