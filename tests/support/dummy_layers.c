/* SPDX-License-Identifier: MIT */
#include "support/dummy_layers.h"

#include "support/cmocka.h"

unsigned dummy_finis;

static int dummy_init(struct gn_layer *l, const void *cfg)
{
	struct dummy *t = l->state;

	t->cfg = *(const struct dummy_cfg *)cfg;
	if (t->cfg.hello != NULL)
		assert_int_equal(gn_pipe_put(l->tx, t->cfg.hello, strlen(t->cfg.hello)), 0);
	if (l->up_rx != NULL && t->cfg.init != 0)
		assert_int_equal(gn_pipe_put(l->up_rx, "left behind", 11), 0);
	return t->cfg.init;
}

static void dummy_fini(struct gn_layer *l)
{
	(void)l;
	dummy_finis++;
}

static int dummy_probe_advance(struct gn_layer *l, gn_time now)
{
	struct dummy *t = l->state;

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

const struct gn_layer_ops dummy_probe = {.name = "probe",
					 .size = sizeof(struct dummy),
					 .init = dummy_init,
					 .advance = dummy_probe_advance,
					 .fini = dummy_fini};

/* Moves inverted bytes from one pipe to another, and then the end or the reset.  Returns 0 when anything
 * moved. */
static int dummy_invert(struct gn_pipe *from, struct gn_pipe *to)
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

static int dummy_inverter_advance(struct gn_layer *l, gn_time now)
{
	struct dummy *t = l->state;
	int in, out;

	(void)now;
	t->advances++;
	if (!t->is_ready) {
		t->is_ready = true;
		return GN_READY;
	}
	in = dummy_invert(l->rx, l->up_rx);
	out = dummy_invert(l->up_tx, l->tx);
	return in == 0 || out == 0 ? 0 : GN_EAGAIN;
}

const struct gn_layer_ops dummy_inverter = {.name = "turner",
					    .size = sizeof(struct dummy),
					    .up_cap = 10000,
					    .init = dummy_init,
					    .advance = dummy_inverter_advance,
					    .fini = dummy_fini};

/* Waits for a message of cfg.take bytes, sends "ok" and is done.  A message that begins with "bad" is an
 * error. */
static int dummy_greeter_advance(struct gn_layer *l, gn_time now)
{
	struct dummy *t = l->state;
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

const struct gn_layer_ops dummy_greeter = {.name = "greeter",
					   .size = sizeof(struct dummy),
					   .init = dummy_init,
					   .advance = dummy_greeter_advance,
					   .fini = dummy_fini};

struct dummy *dummy_of(struct gn_layer *l)
{
	return l->state;
}

void pipe_assert_text(struct gn_pipe *p, const char *want)
{
	char got[100] = "";

	assert_int_equal(gn_pipe_len(p), strlen(want));
	gn_pipe_copy(p, got, strlen(want));
	assert_string_equal(got, want);
}
