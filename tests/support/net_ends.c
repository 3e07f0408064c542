/* SPDX-License-Identifier: MIT */
#include "support/net_ends.h"

uint64_t net_seed;

/* ---- the pattern -------------------------------------------------------------- */

static uint8_t net_pattern(const struct net_op *op, size_t at)
{
	if (at < NET_ID_BYTES)
		return (uint8_t)(op->id >> (8 * at));
	return (uint8_t)((at * 2654435761u + op->id * 40503u) >> 7);
}

void net_pattern_fill(const struct net_op *op, size_t at, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = net_pattern(op, at + i);
}

static void net_pattern_check(const struct net_op *op, size_t at, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		NET_MUST(p[i] == net_pattern(op, at + i));
}

/* Returns the length of the frame that begins at this byte of the pattern. */
static size_t net_frame_len(const struct net_op *op, size_t at)
{
	size_t n = at == 0 ? NET_ID_BYTES : (at * 7919 + op->id) % NET_FRAME_MAX;

	if (n == 0)
		n = 1;
	return n < op->total - at ? n : op->total - at;
}

/* ---- an end ------------------------------------------------------------------- */

static void net_on_pause(void *arg)
{
	struct net_end *e = arg;

	e->is_paused = false;
	net_end_step(e);
}

void net_end_init(struct net_end *e, struct net_world *w, bool is_server)
{
	memset(e, 0, sizeof *e);
	e->w = w;
	e->is_server = is_server;
	gn_timer_init(&e->pause, w->net.loop, net_on_pause, e);
	gn_list_init(&e->link);
}

int net_source_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	const struct net_end *e = arg;
	size_t at = e->sent;
	int n = 0;

	NET_MUST(e->shown != NULL && max > 0 && limit > 0);
	for (; n < max && limit > 0 && at < e->op->total; n++) {
		size_t len = 1 + (at * 31 + e->op->id) % (2 * e->w->piece);

		if (len > limit)
			len = limit;
		if (len > e->op->total - at)
			len = e->op->total - at;
		v[n].iov_base = e->shown + at;
		v[n].iov_len = len;
		limit -= len;
		at += len;
	}
	return n;
}

void net_source_skip(void *arg, size_t n)
{
	struct net_end *e = arg;

	NET_MUST(n <= e->op->total - e->sent);
	e->sent += n;
}

static void net_end_free(struct net_end *e)
{
	if (e->ch != NULL)
		gn_channel_free(e->ch);
	e->ch = NULL;
	gn_timer_stop(&e->pause);
}

static void net_end_fail(struct net_end *e, int err)
{
	e->dead = true;
	e->err = err;
	NET_MUST(err < 0 && err != GN_EAGAIN && err != GN_EOF);
	net_end_free(e);
}

/* At random, makes the end pause: it continues when a timer expires.  Returns true when it pauses. */
static bool net_end_pauses(struct net_end *e)
{
	struct rng *r = &e->w->rng;

	if (!rng_one_in(r, 20))
		return false;
	e->is_paused = true;
	gn_timer_start(&e->pause, (gn_time)rng_below(r, rng_one_in(r, 10) ? 3000 : 30) * GN_MSEC);
	return true;
}

static size_t net_end_some(struct net_end *e, size_t max)
{
	size_t n = e->w->piece < max ? e->w->piece : max;

	return n > 0 ? rng_below(&e->w->rng, (uint32_t)n) + 1 : 0;
}

/* ---- reading ------------------------------------------------------------------ */

/* The functions that read return 1 when something was read, 0 when the server still has bytes to write back,
 * or GN_EAGAIN, GN_EOF or the error of the channel. */

static void net_server_identify(struct net_end *e);

void net_end_take(struct net_end *e, const uint8_t *p, size_t n)
{
	if (e->op == NULL) { /* the first bytes that a server reads identify the operation */
		memcpy(e->held + e->n_held, p, n);
		e->n_held += n;
		return;
	}
	NET_MUST(e->got + n <= e->op->total);
	net_pattern_check(e->op, e->got, p, n);
	e->got += n;
	if (e->is_server && !e->has_ended) {
		memcpy(e->held + e->n_held, p, n);
		e->n_held += n;
	}
}

static int net_read_frame(struct net_end *e)
{
	const void *frame;
	size_t n, before = e->got;
	int r;

	if (e->is_server && e->holds)
		return 0;
	r = gn_channel_receive(e->ch, &frame, &n);
	if (r != 0)
		return r;
	NET_MUST(n <= NET_FRAME_MAX);
	net_end_take(e, frame, n);
	if (e->op == NULL)
		net_server_identify(e);
	else
		NET_MUST(n == net_frame_len(e->op, before));
	e->holds = e->is_server && !e->has_ended;
	return 1;
}

static int net_read_bytes(struct net_end *e)
{
	uint8_t buf[NET_FRAME_MAX];
	size_t want = e->op == NULL ? NET_ID_BYTES - e->n_held : net_end_some(e, sizeof buf);
	ptrdiff_t n;

	if (e->is_server && e->op != NULL && !e->has_ended && e->n_held > 0)
		return 0;
	if (rng_one_in(&e->w->rng, 3)) { /* with peek and skip instead of read */
		struct iovec v[3];
		int views = gn_channel_peek(e->ch, v, 3);
		size_t done = 0;

		for (int i = 0; i < views && done < want; i++) {
			size_t len = v[i].iov_len < want - done ? v[i].iov_len : want - done;

			NET_MUST(len > 0);
			net_end_take(e, v[i].iov_base, len);
			done += len;
		}
		NET_MUST(views <= 0 || done > 0);
		if (views > 0)
			gn_channel_skip(e->ch, done);
		n = views > 0 ? (ptrdiff_t)done : views;
	} else {
		n = gn_channel_read(e->ch, buf, want);
		NET_MUST(n != 0);
		if (n > 0)
			net_end_take(e, buf, (size_t)n);
	}
	if (n > 0 && e->op == NULL && e->n_held == NET_ID_BYTES)
		net_server_identify(e);
	return n > 0 ? 1 : (int)n;
}

static bool net_is_frames(const struct net_end *e)
{
	struct gn_channel_state st;

	if (e->op != NULL)
		return e->op->frames;
	gn_channel_state(e->ch, &st);
	return strcmp(st.protocol, "/frames") == 0;
}

/* ---- writing ------------------------------------------------------------------ */

static bool net_at_plan(struct net_end *e)
{
	return (e->plan == NET_RESET || e->plan == NET_FREE || e->plan == NET_STOP) && e->sent >= e->at;
}

static int net_write_some(struct net_end *e, const uint8_t *p, size_t n)
{
	ptrdiff_t r;

	if (e->op->frames)
		r = gn_channel_send(e->ch, p, n) == 0 ? (ptrdiff_t)n : GN_EAGAIN;
	else
		r = gn_channel_write(e->ch, p, n);
	if (e->op->frames && r == GN_EAGAIN && gn_channel_error(e->ch) != 0)
		return gn_channel_error(e->ch);
	NET_MUST(r != 0 && r <= (ptrdiff_t)n);
	if (r > 0)
		e->sent += (size_t)r;
	return (int)r;
}

static int net_client_write(struct net_end *e)
{
	const struct net_op *op = e->op;
	uint8_t buf[NET_FRAME_MAX];
	size_t left = op->total - e->sent, n;

	if (left == 0)
		return 0;
	n = op->frames ? net_frame_len(op, e->sent) : net_end_some(e, left < sizeof buf ? left : sizeof buf);
	net_pattern_fill(op, e->sent, buf, n);
	return net_write_some(e, buf, n);
}

static int net_server_write(struct net_end *e)
{
	int r;

	if (e->op == NULL || (e->n_held == 0 && !e->holds))
		return 0;
	r = net_write_some(e, e->held, e->n_held);
	if (r > 0) {
		e->n_held -= (size_t)r;
		memmove(e->held, e->held + r, e->n_held);
		e->holds = false;
	}
	return r;
}

/* ---- a step ------------------------------------------------------------------- */

void net_do_end(struct net_end *e)
{
	int r = gn_channel_end(e->ch);

	NET_MUST(r == 0 || r == gn_channel_error(e->ch));
	e->has_ended = r == 0;
	e->n_held = 0;
	e->holds = false;
	if (e->plan == NET_LEAVE && r == 0)
		net_end_free(e);
}

/* Writes, and ends the side when everything is written or the plan requires it. */
static void net_write_step(struct net_end *e, bool *moved)
{
	int r;

	if (e->ch == NULL || e->has_ended)
		return;
	if (e->op != NULL && net_at_plan(e)) {
		if (e->plan == NET_STOP) {
			net_do_end(e);
		} else {
			if (e->plan == NET_RESET)
				gn_channel_reset(e->ch);
			net_end_free(e);
		}
		*moved = true;
		return;
	}
	r = e->shown != NULL ? 0 : e->is_server ? net_server_write(e) : net_client_write(e);
	if (r > 0)
		*moved = true;
	else if (r < 0 && r != GN_EAGAIN)
		return; /* the event GN_DEAD will report the error */
	if (r == 0 && (e->is_server ? e->eof : e->sent == e->op->total)) {
		net_do_end(e);
		*moved = true;
	}
}

static void net_read_step(struct net_end *e, bool *moved)
{
	int r;

	if (e->ch == NULL || e->eof)
		return;
	r = net_is_frames(e) ? net_read_frame(e) : net_read_bytes(e);
	if (r > 0)
		*moved = true;
	else if (r == GN_EOF)
		*moved = e->eof = true;
}

void net_end_step(struct net_end *e)
{
	bool moved = true;

	while (moved && e->ch != NULL && !e->is_paused) {
		moved = false;
		net_read_step(e, &moved);
		net_write_step(e, &moved);
		if (moved && net_end_pauses(e))
			return;
	}
	if (e->ch != NULL && e->eof && e->has_ended && e->drained)
		net_end_free(e);
}

void net_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct net_end *e = arg;

	NET_MUST(e->ch == ch && !e->dead);
	NET_MUST(gn_channel_arg(ch) == e);
	if (events & GN_DRAINED) {
		NET_MUST(e->has_ended && !e->drained);
		e->drained = true;
	}
	if (events & GN_DEAD) {
		int r, err = gn_channel_error(ch);

		/* What was received before the failure can still be read, and perhaps GN_EOF. */
		while (!e->eof && (r = net_is_frames(e) ? net_read_frame(e) : net_read_bytes(e)) != GN_EAGAIN) {
			if (r == GN_EOF)
				e->eof = true;
			else if (r < 0)
				break;
			e->holds = false;
			if (e->op != NULL)
				e->n_held = 0;
		}
		net_end_fail(e, err);
		return;
	}
	if (!e->is_paused)
		net_end_step(e);
	else if (e->eof && e->has_ended && e->drained)
		net_end_free(e);
}

/* ---- the server --------------------------------------------------------------- */

void net_plan_make(struct net_end *e, const struct net_op *op)
{
	struct rng *r = &e->w->rng;

	e->plan = NET_IN_ORDER;
	if (rng_one_in(r, 4))
		e->plan = NET_LEAVE;
	else if (rng_one_in(r, 4))
		e->plan = NET_RESET + rng_below(r, e->is_server ? 3 : 2);
	e->at = rng_below(r, (uint32_t)op->total + 1);
}

static void net_server_identify(struct net_end *e)
{
	unsigned id = e->held[0] | (unsigned)e->held[1] << 8 | (unsigned)e->held[2] << 16;
	struct net_op *op = &e->w->op[id];

	NET_MUST(id < e->w->n_ops && op->what == NET_OPEN && op->server == NULL && e->n_held == NET_ID_BYTES);
	net_pattern_check(op, 0, e->held, NET_ID_BYTES);
	op->server = e;
	e->op = op;
	e->got = NET_ID_BYTES;
	net_plan_make(e, op);
}

static void net_on_channel(void *arg, struct gn_channel *ch)
{
	struct net_slot *slot = arg;
	struct net_end *e = malloc(sizeof *e);

	NET_MUST(e != NULL);
	net_end_init(e, slot->w, true);
	e->ch = ch;
	e->node = slot->node;
	gn_list_add_tail(&slot->w->servers, &e->link);
	gn_channel_on_event(ch, net_on_event, e);
}

void net_serve(struct net_world *w, size_t i)
{
	struct gn_protocol_cfg cfg = {.id = "/bytes", .kind = GN_BYTES, .on_open = net_on_channel, .arg = &w->slot[i]};

	w->slot[i] = (struct net_slot){w, i};
	NET_MUST(gn_protocol_add(w->net.node[i], &cfg) == 0);
	cfg.id = "/frames";
	cfg.kind = GN_FRAMES;
	cfg.max_frame = NET_FRAME_MAX;
	NET_MUST(gn_protocol_add(w->net.node[i], &cfg) == 0);
}
