/* SPDX-License-Identifier: MIT */
/* A yamux session against a peer that the fuzzer controls: it sends frames or arbitrary bytes, in pieces
 * of any size, while our owner opens, writes, reads, closes, resets and releases streams.  All frames that
 * the session sends are checked: it must follow the protocol whatever it receives. */
#include "support/yamux_watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { STREAMS = 16, STEPS = 600 };

struct owner {
	struct gn_mux_session *ses;
	struct gn_mux_stream *st[STREAMS];
	struct rng *r;
	unsigned refused;
};

static void on_events(void *arg, struct gn_mux_stream *st, unsigned events)
{
	struct owner *o = arg;
	bool found = false;

	for (int i = 0; i < STREAMS; i++)
		found = found || o->st[i] == st;
	REQUIRE(found && events != 0);
	REQUIRE(!(events & GN_MUX_STREAM_GONE) || st->err != 0);
}

static void take_up(struct owner *o, struct gn_mux_stream *st)
{
	for (int i = 0; i < STREAMS; i++) {
		if (o->st[i] == NULL) {
			o->st[i] = st;
			st->on_events = on_events;
			st->arg = o;
			return;
		}
	}
	o->ses->ops->release(st);
}

static void on_new(void *arg, struct gn_mux_stream *st)
{
	struct owner *o = arg;

	/* Release some streams without establishing them. */
	if (rng_size(o->r, 3) > 0 && o->ses->ops->establish(st) != 0)
		o->ses->ops->release(st);
	else
		take_up(o, st);
}

static int admit(void *arg)
{
	struct owner *o = arg;

	return o->ses->streams < 40 ? 0 : GN_ELIMIT;
}

static void act(struct owner *o, uint8_t op)
{
	static const uint8_t block[100000];
	struct gn_mux_stream *st = o->st[op % STREAMS], *made;

	if (st == NULL) {
		if (op < 128 && o->ses->ops->open(o->ses, &made) == 0)
			take_up(o, made);
		return;
	}
	switch (op / STREAMS) {
	case 0:
	case 1:
	case 2:
		(void)gn_pipe_write(&st->tx, block, rng_size(o->r, sizeof block));
		o->ses->ops->touch(st);
		break;
	case 3:
	case 4:
	case 5:
	case 6: {
		size_t len = gn_pipe_len(&st->rx);

		gn_pipe_skip(&st->rx, op / STREAMS == 6 ? len : rng_size(o->r, len));
		o->ses->ops->touch(st);
		break;
	}
	case 7:
	case 8:
	case 9:
		gn_pipe_close(&st->tx, GN_EOF);
		o->ses->ops->touch(st);
		break;
	case 10:
	case 11:
		o->ses->ops->reset(st);
		break;
	case 12:
	case 13:
	case 14:
		o->st[op % STREAMS] = NULL;
		o->ses->ops->release(st);
		break;
	default:
		if (op % STREAMS == 0)
			o->ses->ops->go_away(o->ses, op & 16 ? 0 : GN_GO_AWAY_GATED);
	}
}

/* Sends raw bytes, or a frame whose fields are near the values that the session distinguishes. */
static void speak(struct rng *r, struct wire *w)
{
	static const uint32_t lengths[] = {0,      1,      12,     1000,       65507,
					   131072, 262144, 262145, UINT32_MAX, UINT32_MAX - 262144};
	uint8_t kind = (uint8_t)rng_below(r, 256), h[YAMUX_HEAD] = {0};
	static uint8_t body[262145];
	uint32_t len;

	if (kind < 32) {
		size_t n = rng_below(r, 32);

		for (size_t i = 0; i < n; i++)
			h[i % YAMUX_HEAD] = (uint8_t)rng_below(r, 256);
		wire_put(w, h, n % (YAMUX_HEAD + 1));
		return;
	}
	h[1] = kind % 16 == 0 ? 2 : kind % 16 == 1 ? 3 : kind % 2;
	h[3] = (uint8_t)rng_below(r, 256) & 15;
	if (h[1] < 2)
		h[7] = (uint8_t)rng_below(r, 256) % 24;
	len = rng_one_in(r, 2) ? rng_below(r, 300) : lengths[rng_below(r, 10)];
	gn_put_u32(h + 8, len);
	wire_put(w, h, YAMUX_HEAD);
	if (h[1] == 0 && len <= sizeof body)
		wire_put(w, body, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct watch watch;
	struct gn_iobuf iobuf;
	struct gn_scope scope = {.max = 30 * YAMUX_WINDOW_INITIAL};
	struct side s;
	struct wire in = {0}, out = {0};
	struct rng r;
	struct owner o = {.r = &r};
	struct gn_mux_cfg cfg = {.window = 1 << 20,
				 .scope = &scope,
				 .keepalive = 30 * GN_SEC,
				 .ping = 10 * GN_SEC,
				 .admit = admit,
				 .arg = &o};
	struct gn_layer *l;
	gn_time now = GN_SEC;

	rng_input(&r, data, n);
	cfg.client = rng_one_in(&r, 2);
	gn_iobuf_init(&iobuf);
	side_init(&s, &iobuf);
	s.rx.cap = 4 << 20;
	watch_init(&watch, cfg.client);
	REQUIRE(gn_stack_push(&s.stack, gn_muxer_yamux.layer, &cfg, false, &l) == 0);
	o.ses = gn_muxer_yamux.session(l);
	for (int i = 0; i < STEPS && !rng_is_done(&r); i++) {
		uint8_t op = (uint8_t)rng_below(&r, 256);
		size_t len, was = out.total;

		if (op < 110)
			speak(&r, &in);
		else if (op < 200)
			act(&o, (uint8_t)rng_below(&r, 256));
		else if (op < 210)
			now += (gn_time)rng_below(&r, 256) * 100 * GN_MSEC;
		else if (op < 230)
			wire_take(&out, &s.tx, rng_size(&r, 300000));
		if (out.total > was)
			REQUIRE(watch_send(&watch, out.p + out.at + out.len - (out.total - was), out.total - was));
		wire_skip(&out, out.len);
		len = op % 4 == 0 ? in.len : rng_size(&r, in.len);
		len = len < 500000 ? len : 500000;
		if (len > 0) {
			watch_receive(&watch, in.p + in.at, len);
			(void)wire_give(&in, &s.rx, len, op & 8);
		}
		gn_stack_mark_bottom(&s.stack);
		REQUIRE(side_pump(&s, now) == 0);
		gn_mux_check_overflows(&iobuf);
		if (op & 1)
			gn_mux_session_deliver(o.ses, on_new, &o);
		/* The session never holds more memory than its scope allows. */
		REQUIRE(scope.used <= scope.max);
		for (int k = 0; k < STREAMS; k++) {
			struct yamux_stream *ys = o.st[k] != NULL ? yamux_stream_of(o.st[k]) : NULL;

			REQUIRE(ys == NULL || gn_pipe_len(&o.st[k]->rx) <= ys->window);
		}
		REQUIRE(o.ses->streams <= 40 + STREAMS + 64);
	}
	side_fini(&s);
	REQUIRE(scope.used == 0 && scope.streams == 0);
	gn_iobuf_fini(&iobuf);
	wire_fini(&in);
	wire_fini(&out);
	return 0;
}
