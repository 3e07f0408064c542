/* SPDX-License-Identifier: MIT */
#include "support/yamux_script.h"

#include "support/cmocka.h"

/* ---- the session ---- */

static int script_admit(void *arg)
{
	return ((struct yamux_script *)arg)->admits;
}

static void script_skip_ping(struct yamux_script *f);

void script_start(struct yamux_script *f, bool client)
{
	f->cfg.client = client;
	side_init(&f->s, &f->iobuf);
	f->s.rx.cap = 8 << 20;
	assert_int_equal(gn_stack_push(&f->s.stack, gn_muxer_yamux.layer, &f->cfg, false, &f->l), 0);
	f->ses = gn_muxer_yamux.session(f->l);
	f->ops = f->ses->ops;
	f->n_came = 0;
	memset(f->events, 0, sizeof f->events);
	assert_int_equal(side_pump(&f->s, f->now), 0);
	if (f->cfg.keepalive == 0)
		script_skip_ping(f);
}

void script_stop(struct yamux_script *f)
{
	side_fini(&f->s);
	wire_skip(&f->out, f->out.len);
	f->out.end = 0;
	assert_int_equal(f->scope.used, 0);
}

int script_setup(void **state)
{
	struct yamux_script *f = calloc(1, sizeof *f);

	assert_non_null(f);
	gn_iobuf_init(&f->iobuf);
	f->now = GN_SEC;
	f->admits = 0;
	f->scope.max = SIZE_MAX;
	f->cfg = (struct gn_mux_cfg){.window = 16 << 20, .scope = &f->scope, .admit = script_admit, .arg = f};
	*state = f;
	return 0;
}

int script_teardown(void **state)
{
	struct yamux_script *f = *state;

	wire_fini(&f->out);
	gn_iobuf_fini(&f->iobuf);
	free(f);
	return 0;
}

static void script_on_events(void *arg, struct gn_mux_stream *st, unsigned events)
{
	struct yamux_script *f = arg;

	f->events[st->id % SCRIPT_EVENT_SLOTS] |= events;
}

void script_on_new(void *arg, struct gn_mux_stream *st)
{
	struct yamux_script *f = arg;

	assert_true(st->inbound);
	if (f->releases) {
		f->ops->release(st);
		return;
	}
	if (f->ops->establish(st) != 0) {
		f->ops->release(st);
		return;
	}
	f->came[f->n_came++ % SCRIPT_EVENT_SLOTS] = st;
	st->on_events = script_on_events;
	st->arg = f;
}

void script_deliver(struct yamux_script *f)
{
	while (!gn_list_is_empty(&f->ses->events))
		gn_mux_session_deliver(f->ses, script_on_new, f);
}

void script_receive(struct yamux_script *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length, size_t body)
{
	static uint8_t buf[YAMUX_HEAD + (1 << 20)];

	assert_true(body <= 1 << 20);
	buf[0] = 0;
	buf[1] = type;
	gn_put_u16(buf + 2, flags);
	gn_put_u32(buf + 4, id);
	gn_put_u32(buf + 8, length);
	for (size_t i = 0; i < body; i++)
		buf[YAMUX_HEAD + i] = (uint8_t)(i * 3);
	side_feed(&f->s, buf, YAMUX_HEAD + body, f->now);
	script_deliver(f);
}

void script_receive_bytes(struct yamux_script *f, size_t n)
{
	static uint8_t zeros[1 << 16];

	side_feed(&f->s, zeros, n, f->now);
	script_deliver(f);
}

void script_drain(struct yamux_script *f)
{
	side_drain(&f->s, &f->out, f->now);
	script_deliver(f);
}

void script_expect(struct yamux_script *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length)
{
	const uint8_t *h;
	size_t body = type == YAMUX_DATA ? length : 0;

	if (f->out.len < YAMUX_HEAD + body)
		script_drain(f);
	assert_true(f->out.len >= YAMUX_HEAD);
	h = f->out.p + f->out.at;
	if (h[0] != 0 || h[1] != type || gn_get_u16(h + 2) != flags || gn_get_u32(h + 4) != id ||
	    gn_get_u32(h + 8) != length)
		fail_msg("the frame is %d flags %x id %u length %u, not %d %x %u %u", h[1], gn_get_u16(h + 2),
			 gn_get_u32(h + 4), gn_get_u32(h + 8), type, flags, id, length);
	assert_true(f->out.len >= YAMUX_HEAD + body);
	wire_skip(&f->out, YAMUX_HEAD + body);
}

void script_expect_nothing(struct yamux_script *f)
{
	script_drain(f);
	if (f->out.len > 0)
		fail_msg("there is an unexpected frame: type %d, %zu bytes", f->out.p[f->out.at + 1], f->out.len);
}

/* The session sends a ping when it first receives a frame, and no further one until that is answered.
 * This consumes the ping, so that the tests do not have to expect it. */
static void script_skip_ping(struct yamux_script *f)
{
	script_receive(f, YAMUX_WINDOW, 0, 1000000, 0, 0);
	script_expect(f, YAMUX_PING, YAMUX_SYN, 0, 1);
	script_expect_nothing(f);
}

struct gn_mux_stream *script_open(struct yamux_script *f)
{
	struct gn_mux_stream *st = NULL;

	assert_int_equal(f->ops->open(f->ses, &st), 0);
	st->on_events = script_on_events;
	st->arg = f;
	return st;
}

struct gn_mux_stream *script_open_acked(struct yamux_script *f)
{
	struct gn_mux_stream *st = script_open(f);

	script_expect(f, YAMUX_WINDOW, YAMUX_SYN, st->id, 0);
	script_receive(f, YAMUX_WINDOW, YAMUX_ACK, st->id, 0, 0);
	return st;
}

struct gn_mux_stream *script_accept(struct yamux_script *f, uint32_t id)
{
	unsigned was = f->n_came;

	script_receive(f, YAMUX_WINDOW, YAMUX_SYN, id, 0, 0);
	assert_int_equal(f->n_came, was + 1);
	script_expect(f, YAMUX_WINDOW, YAMUX_ACK, id, 0);
	assert_int_equal(f->came[was % SCRIPT_EVENT_SLOTS]->id, id);
	return f->came[was % SCRIPT_EVENT_SLOTS];
}

void script_put(struct yamux_script *f, struct gn_mux_stream *st, size_t n)
{
	uint8_t *p = calloc(1, n);

	assert_int_equal(gn_pipe_put(&st->tx, p, n), 0);
	f->ops->touch(st);
	free(p);
}

void script_take(struct yamux_script *f, struct gn_mux_stream *st, size_t n)
{
	assert_true(gn_pipe_len(&st->rx) >= n);
	gn_pipe_skip(&st->rx, n);
	f->ops->touch(st);
}

void script_close(struct yamux_script *f, struct gn_mux_stream *st)
{
	gn_pipe_close(&st->tx, GN_EOF);
	f->ops->touch(st);
}

void script_expect_broken(struct yamux_script *f, int err, uint32_t code)
{
	script_expect(f, YAMUX_GO_AWAY, 0, 0, code);
	script_expect_nothing(f);
	assert_int_equal(f->ses->err, err);
	assert_true(f->ses->is_remote_go_away);
	assert_int_equal(f->out.end, GN_EOF);
}
