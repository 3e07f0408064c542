/* SPDX-License-Identifier: MIT */
#include "support/channel_pair.h"

#include "support/cmocka.h"

uint8_t channel_pair_byte(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static void channel_end_read(struct channel_end *e)
{
	struct iovec v[4];
	int n;

	while ((n = gn_channel_peek(e->ch, v, 4)) > 0) {
		size_t len = 0;

		for (int i = 0; i < n; i++)
			for (size_t k = 0; k < v[i].iov_len; k++, len++)
				assert_int_equal(((uint8_t *)v[i].iov_base)[k], channel_pair_byte(e->got + len));
		gn_channel_skip(e->ch, len);
		e->got += len;
	}
	if (n != GN_EAGAIN)
		e->in = n;
}

void channel_end_write(struct channel_end *e)
{
	uint8_t buf[5000];

	while (e->sent < CHANNEL_PAIR_BYTES) {
		size_t n = CHANNEL_PAIR_BYTES - e->sent < sizeof buf ? CHANNEL_PAIR_BYTES - e->sent : sizeof buf;
		ptrdiff_t r;

		for (size_t i = 0; i < n; i++)
			buf[i] = channel_pair_byte(e->sent + i);
		r = gn_channel_write(e->ch, buf, n);
		if (r <= 0)
			return;
		e->sent += (size_t)r;
	}
	if (!e->has_ended)
		assert_int_equal(gn_channel_end(e->ch), 0);
	e->has_ended = true;
}

void channel_end_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct channel_end *e = arg;

	assert_ptr_equal(ch, e->ch);
	assert_false(e->is_freed);
	assert_int_equal(e->dead, 0); /* GN_DEAD is the last event */
	assert_int_not_equal(events, 0);
	assert_int_equal(events & ~(unsigned)(GN_CAN_READ | GN_CAN_WRITE | GN_OPENED | GN_DRAINED | GN_ACKED | GN_DEAD),
			 0);
	assert_int_equal(e->seen & events & (GN_OPENED | GN_DRAINED), 0); /* at most one event of each */
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
		channel_end_read(e);
	if (e->writes && !e->is_reset)
		channel_end_write(e);
}

static void channel_pair_on_open(void *arg, struct gn_channel *ch)
{
	struct channel_pair *s = arg;

	s->opened++;
	if (s->frees_in_open) {
		gn_channel_free(ch);
		return;
	}
	s->server.ch = ch;
	gn_channel_on_event(ch, channel_end_on_event, &s->server);
}

void channel_pair_on_done(void *arg, int err, struct gn_channel *ch)
{
	struct channel_pair *s = arg;

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
	gn_channel_on_event(ch, channel_end_on_event, &s->dialer);
	if (s->dialer.writes)
		channel_end_write(&s->dialer);
}

void channel_pair_init(struct channel_pair *s, gn_time delay)
{
	struct gn_mem_cfg path = {.seed = 1, .delay = delay};
	struct gn_protocol_cfg p = {.id = "/pair", .kind = GN_BYTES, .on_open = channel_pair_on_open, .arg = s};
	struct gn_limits lim;

	memset(s, 0, sizeof *s);
	test_node_init(&s->t, true, NULL);
	assert_int_equal(gn_mem_set(s->t.loop, &path), 0);
	assert_int_equal(gn_protocol_add(s->t.node, &p), 0);
	s->key = test_node_key(5);
	gn_limits_init(&lim);
	s->client = test_node_node(s->t.loop, s->key, &lim);
	s->server.reads = s->server.writes = s->dialer.reads = s->dialer.writes = true;
}

void channel_pair_dial(struct channel_pair *s)
{
	const struct gn_multiaddr *addrs[1] = {s->t.addr};
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = "/pair",
				  .kind = GN_BYTES,
				  .on_done = channel_pair_on_done,
				  .arg = s};

	assert_int_equal(gn_dial_start(s->client, &cfg, &s->op), 0);
	assert_int_equal(s->done, 0);
}

void channel_pair_run(struct channel_pair *s, unsigned ms)
{
	test_node_run(&s->t, ms * GN_MSEC);
}

void channel_pair_fini(struct channel_pair *s)
{
	if (s->dialer.ch != NULL)
		gn_channel_free(s->dialer.ch);
	/* The server's channel may be opened only after this; it is then freed at GN_DEAD. */
	s->server.free_on = GN_DEAD;
	channel_pair_run(s, 1000);
	if (s->server.ch != NULL)
		gn_channel_free(s->server.ch);
	channel_pair_run(s, 10000);
	assert_int_equal(s->client->scope.used, 0);
	assert_int_equal(s->t.node->scope.used, 0);
	gn_node_free(s->client);
	gn_key_free(s->key);
	test_node_quiet(&s->t);
	test_node_serves(&s->t);
	test_node_quiet(&s->t);
	test_node_fini(&s->t);
}
