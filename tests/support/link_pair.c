/* SPDX-License-Identifier: MIT */
#include "support/link_pair.h"

#include "support/cmocka.h"

static uint8_t link_pattern(size_t at)
{
	return (uint8_t)(at * 31 + (at >> 8));
}

/* ---- the ends ----------------------------------------------------------------- */

void link_end_want(struct link_end *s)
{
	bool writes = s->sent < s->to_send || (s->end_after && !s->has_ended);

	if (s->link)
		s->link->ops->watch(s->link, (s->holds || s->err ? 0u : GN_READABLE) | (writes ? GN_WRITABLE : 0u));
}

void link_end_read(struct link_end *s)
{
	static _Alignas(64) uint8_t buf[1 << 16];
	size_t n = s->unit < sizeof(buf) ? s->unit : sizeof(buf);
	ptrdiff_t got, i;

	while ((got = s->link->ops->read(s->link, buf, n)) > 0) {
		assert_true((size_t)got <= n);
		for (i = 0; i < got; i++)
			if (buf[i] != link_pattern(s->got + (size_t)i))
				fail_msg("byte %zu is not what was sent", s->got + (size_t)i);
		s->got += (size_t)got;
	}
	assert_int_not_equal(got, 0);
	if (got != GN_EAGAIN) {
		s->err = (int)got;
		/* Each further call returns the same. */
		assert_int_equal(s->link->ops->read(s->link, buf, n), got);
	}
}

ptrdiff_t link_end_write_some(struct link_end *s)
{
	static uint8_t buf[1 << 16];
	size_t n = s->to_send - s->sent, i;
	struct iovec v[3];
	ptrdiff_t put;

	n = n < s->unit ? n : s->unit;
	n = n < sizeof(buf) ? n : sizeof(buf);
	for (i = 0; i < n; i++)
		buf[i] = link_pattern(s->sent + i);
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

ptrdiff_t link_end_write(struct link_end *s)
{
	ptrdiff_t put = 0;

	while (s->sent < s->to_send && put >= 0)
		put = link_end_write_some(s);
	if (s->sent == s->to_send && s->end_after && !s->has_ended) {
		assert_int_equal(s->link->ops->end(s->link), 0);
		s->has_ended = true;
	}
	return put;
}

static void link_end_on_ready(void *arg, unsigned ready)
{
	struct link_end *s = arg;

	s->seen |= ready;
	s->calls++;
	if ((ready & GN_READABLE) && !s->holds && !s->err)
		link_end_read(s);
	if (ready & GN_WRITABLE)
		(void)link_end_write(s);
	link_end_want(s);
}

void link_end_init(struct link_end *s, struct gn_link *link)
{
	assert_non_null(link->local);
	assert_non_null(link->remote);
	s->link = link;
	link->on_ready = link_end_on_ready;
	link->arg = s;
}

void link_end_abort(struct link_end *s)
{
	if (s->link)
		s->link->ops->abort(s->link);
	s->link = NULL;
}

/* ---- the loop ----------------------------------------------------------------- */

static void link_pair_on_guard(void *arg)
{
	struct link_pair *f = arg;

	f->is_late = true;
}

void link_pair_on_link(void *arg, struct gn_link *link)
{
	struct link_pair *f = arg;

	f->links++;
	if (f->b.link) {
		link->ops->abort(link);
		return;
	}
	link_end_init(&f->b, link);
	if (f->closes_listener) {
		f->v->ops->close(f->listener);
		f->listener = NULL;
	}
	if (f->cancels_dial && f->dial) {
		f->v->ops->cancel(f->dial);
		f->dial = NULL;
	}
}

void link_pair_on_done(void *arg, int err, struct gn_link *link)
{
	struct link_pair *f = arg;

	f->dial = NULL;
	f->dones++;
	f->err = err;
	if (!err)
		link_end_init(&f->a, link);
	else
		assert_null(link);
}

void link_pair_dial(struct link_pair *f, const struct gn_multiaddr *addr)
{
	struct gn_link_dial_cfg cfg = {.loop = f->loop, .addr = addr, .on_done = link_pair_on_done, .arg = f};

	assert_int_equal(f->v->ops->dial(f->state, &cfg, &f->dial), 0);
	assert_int_equal(f->dones, 0);
}

static void link_pair_listen(struct link_pair *f)
{
	struct gn_link_listen_cfg cfg = {.loop = f->loop, .on_link = link_pair_on_link, .arg = f};
	struct gn_multiaddr *addr;

	assert_int_equal(gn_multiaddr_parse(f->v->addr, &addr, NULL), 0);
	assert_true(f->v->ops->is_for(addr));
	cfg.addr = addr;
	assert_int_equal(f->v->ops->listen(f->state, &cfg, &f->listener, &f->bound), 0);
	assert_true(f->v->ops->is_for(f->bound));
	assert_false(gn_multiaddr_is_equal(f->bound, addr));
	gn_multiaddr_free(addr);
}

void link_pair_connect(struct link_pair *f)
{
	link_pair_dial(f, f->bound);
	link_pair_until(f, f->dones && f->links);
	assert_int_equal(f->err, 0);
	assert_int_equal(f->dones, 1);
	assert_non_null(f->b.link);
}

int link_pair_setup(void **state)
{
	const struct link_variant *v = *state;
	struct link_pair *f = calloc(1, sizeof(*f));

	if (!f || (v->is_virtual ? gn_loop_new_virtual(&f->loop) : gn_loop_new(&f->loop)) != 0)
		return -1;
	f->v = v;
	f->a = f->b = (struct link_end){.f = f, .unit = SIZE_MAX};
	gn_timer_init(&f->guard, f->loop, link_pair_on_guard, f);
	if (v->ops == &gn_transport_mem && gn_mem_set(f->loop, &v->mem) != 0)
		return -1;
	if (v->ops->start != NULL && v->ops->start(NULL, NULL, &f->state) != 0)
		return -1;
	link_pair_listen(f);
	*state = f;
	return 0;
}

int link_pair_teardown(void **state)
{
	struct link_pair *f = *state;

	if (f->dial)
		f->v->ops->cancel(f->dial);
	link_end_abort(&f->a);
	link_end_abort(&f->b);
	if (f->listener)
		f->v->ops->close(f->listener);
	gn_timer_fini(&f->guard);
	gn_multiaddr_free(f->bound);
	if (f->v->ops->stop != NULL)
		f->v->ops->stop(f->state);
	gn_loop_free(f->loop);
	free(f);
	return 0;
}
