/* SPDX-License-Identifier: MIT */
/*
 * Two channels joined inside the node.  Each direction is a flow: the receiving pipe of one channel is the source
 * of the other, so the bytes of a record are sealed for the second connection from where the first one's are.
 *
 * A source runs inside the pump of the sending connection, where nothing may be called.  It only moves bytes and
 * posts a task, which then grants credit, passes ends on and sees whether the splice is done.
 */
#include <errno.h>
#include <stdlib.h>

#include "api/channel.h"
#include "base/time.h"
#include "node/conn.h"
#include "node/node.h"

enum {
	RATE_BURST = 64 * 1024, /* bytes that may go at once under a limit of the rate */
	RATE_LEAST = 4 * 1024,  /* a flow that has used up its rate goes on with that many bytes */
};

/* One direction.
 *
 *     FLOWING -- all bytes are taken, and the sender has ended its side --> ENDING: the end is passed on
 *     ENDING  -- the receiver has acknowledged the end --> DONE
 *     FLOWING, ENDING -- one of the channels has failed, so that bytes are missing --> CUT
 */
enum flow_state { FLOW_FLOWING, FLOW_ENDING, FLOW_DONE, FLOW_CUT };

struct flow {
	struct gn_splice *splice;
	struct gn_channel *from, *to; /* NULL: its node was freed */
	enum flow_state state;
	bool has_consumed; /* from's reader has made room: its session is to grant credit */
	bool is_throttled; /* the rate is used up */
	uint64_t bytes;
	size_t shown; /* bytes that the source has shown and that are not taken: a frame of them may be half sent */
	uint64_t tokens;
	gn_time refilled; /* when tokens were added */
};

struct gn_splice {
	struct gn_loop *loop;
	struct gn_splice_cfg cfg;
	struct flow flows[2]; /* from a to b, from b to a */
	struct gn_task task;
	struct gn_timer timer;
	gn_time deadline; /* GN_NEVER: none */
	int err;          /* the first reason for which a flow was cut */
};

/* ---- the sources ---- */

static void refill(struct flow *f)
{
	gn_time now = gn_loop_now(f->splice->loop);
	double earned = (double)(now - f->refilled) / (double)GN_SEC * (double)f->splice->cfg.rate;

	if (earned < 1)
		return;
	f->tokens = earned > RATE_BURST ? RATE_BURST : f->tokens + (uint64_t)earned;
	if (f->tokens > RATE_BURST)
		f->tokens = RATE_BURST;
	f->refilled = now;
}

/* How many bytes the flow may have sent more, at this moment. */
static uint64_t allowance(struct flow *f)
{
	const struct gn_splice_cfg *cfg = &f->splice->cfg;
	uint64_t most = cfg->max_bytes > 0 ? cfg->max_bytes - f->bytes : UINT64_MAX;

	if (cfg->rate == 0)
		return most;
	refill(f);
	return f->tokens < most ? f->tokens : most;
}

static int flow_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	struct flow *f = arg;
	struct gn_pipe *rx;
	uint64_t most;
	size_t shown = 0;
	int n;

	if (f->from == NULL || !f->from->ps.is_open)
		return 0;
	rx = &f->from->ps.st->rx;
	most = allowance(f);
	if (most < f->shown) /* the peer waits for the rest of a frame that was begun */
		most = f->shown;
	if (most < limit) {
		limit = (size_t)most;
		if (limit < gn_pipe_len(rx)) {
			f->is_throttled = true;
			gn_task_post(f->splice->loop, &f->splice->task);
		}
	}
	n = limit > 0 ? gn_pipe_peek(rx, v, max, limit) : 0;
	for (int i = 0; i < n; i++)
		shown += v[i].iov_len;
	if (shown > f->shown)
		f->shown = shown;
	return n;
}

static void flow_skip(void *arg, size_t n)
{
	struct flow *f = arg;

	gn_pipe_skip(&f->from->ps.st->rx, n);
	f->from->count.bytes_in += n;
	f->from->ps.conn->bytes_in += n;
	f->bytes += n;
	f->shown -= n < f->shown ? n : f->shown;
	f->tokens -= n < f->tokens ? n : f->tokens;
	f->has_consumed = true;
	gn_task_post(f->splice->loop, &f->splice->task);
}

static const struct gn_source flow_source = {flow_peek, flow_skip};

/* ---- the end ---- */

/* The channels go back to what they were without a splice, and are freed. */
static void release(struct gn_splice *s, bool in_good_order)
{
	struct gn_channel *ends[2] = {s->flows[0].from, s->flows[1].from};

	/* Neither may read from the other any more when the first one goes. */
	for (int i = 0; i < 2; i++)
		if (ends[i] != NULL && !in_good_order)
			gn_channel_reset(ends[i]);
	for (int i = 0; i < 2; i++)
		if (ends[i] != NULL)
			gn_pipe_source(&ends[i]->ps.st->tx, NULL, NULL);
	for (int i = 0; i < 2; i++)
		gn_channel_free(ends[i]);
	gn_task_cancel(&s->task);
	gn_timer_fini(&s->timer);
}

static void finish(struct gn_splice *s)
{
	const struct gn_splice_cfg cfg = s->cfg;
	uint64_t a_to_b = s->flows[0].bytes, b_to_a = s->flows[1].bytes;
	int err = s->err;

	release(s, err == 0);
	free(s);
	if (cfg.on_done != NULL)
		cfg.on_done(cfg.arg, err, a_to_b, b_to_a);
}

static void flow_cut(struct flow *f, int err)
{
	if (f->state == FLOW_DONE || f->state == FLOW_CUT)
		return;
	f->state = FLOW_CUT;
	if (f->splice->err == 0)
		f->splice->err = err;
}

static int end_error(const struct gn_channel *ch)
{
	return ch != NULL ? ch->ps.err : GN_ECLOSED;
}

/* Moves a flow to the state that its channels are in. */
static void flow_check(struct flow *f)
{
	int err = end_error(f->to);

	if (err != 0) {
		flow_cut(f, err);
		return;
	}
	if (f->state != FLOW_FLOWING)
		return;
	/* What came in front of an end in good order is passed on, though the channel failed later. */
	if (f->from != NULL && f->from->ps.is_open && f->from->ps.st->rx.end == GN_EOF) {
		if (gn_pipe_len(&f->from->ps.st->rx) > 0)
			return;
		f->state = FLOW_ENDING;
		err = gn_channel_end(f->to);
		if (err == 0)
			err = gn_channel_sync(f->to);
		if (err != 0)
			flow_cut(f, err);
		return;
	}
	err = end_error(f->from);
	if (err != 0)
		flow_cut(f, err);
}

static bool is_over(const struct flow *f)
{
	return f->state == FLOW_DONE || f->state == FLOW_CUT;
}

static bool is_past_max(const struct flow *f)
{
	uint64_t max = f->splice->cfg.max_bytes;

	return max > 0 && f->bytes >= max && f->state == FLOW_FLOWING && f->from != NULL &&
	       gn_pipe_len(&f->from->ps.st->rx) > 0;
}

/* When the next bytes may go that the rate holds back. */
static gn_time throttled_until(struct flow *f)
{
	uint64_t left;

	if (!f->is_throttled || f->splice->cfg.rate == 0)
		return GN_NEVER;
	refill(f);
	left = f->tokens < RATE_LEAST ? RATE_LEAST - f->tokens : 0;
	if (left == 0) {
		f->is_throttled = false;
		gn_channel_wake(f->to);
		return GN_NEVER;
	}
	return gn_time_add(f->refilled, (gn_time)((double)left / (double)f->splice->cfg.rate * (double)GN_SEC) + 1);
}

static void splice_run(struct gn_task *task)
{
	struct gn_splice *s = gn_list_entry(task, struct gn_splice, task);
	gn_time wake = s->deadline;

	for (int i = 0; i < 2; i++) {
		struct flow *f = &s->flows[i];

		if (f->has_consumed && f->from != NULL)
			gn_stream_wake(&f->from->ps);
		f->has_consumed = false;
		flow_check(f);
		if (is_past_max(f))
			flow_cut(f, GN_ELIMIT);
	}
	if (s->deadline <= gn_loop_now(s->loop))
		for (int i = 0; i < 2; i++)
			flow_cut(&s->flows[i], GN_ETIMEOUT);
	/* A flow that is cut by a limit takes the other one with it; one whose channel has failed leaves the other
	 * flow the bytes that had come before. */
	if ((is_over(&s->flows[0]) && is_over(&s->flows[1])) || s->err == GN_ELIMIT) {
		finish(s);
		return;
	}
	for (int i = 0; i < 2; i++)
		if (!is_over(&s->flows[i]))
			wake = gn_time_min(wake, throttled_until(&s->flows[i]));
	gn_timer_start_at(&s->timer, wake);
}

static void splice_on_timer(void *arg)
{
	struct gn_splice *s = arg;

	gn_task_post(s->loop, &s->task);
}

static void splice_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct gn_splice *s = arg;
	struct flow *out = &s->flows[ch == s->flows[1].to ? 1 : 0], *in = &s->flows[ch == s->flows[1].to ? 0 : 1];

	if (events & (GN_CAN_READ | GN_OPENED) && in->to != NULL)
		gn_channel_wake(in->to);
	if (events & GN_ACKED && out->state == FLOW_ENDING)
		out->state = FLOW_DONE;
	gn_task_post(s->loop, &s->task);
}

/* The node of a channel is being freed. */
static void splice_on_lost(void *arg, struct gn_stream *stream)
{
	struct gn_channel *ch = arg;
	struct gn_splice *s = ch->arg;

	(void)stream;
	for (int i = 0; i < 2; i++) {
		struct flow *f = &s->flows[i];

		if (f->from == ch)
			f->from = NULL;
		if (f->to == ch)
			f->to = NULL;
		flow_cut(f, GN_ECLOSED);
	}
	gn_channel_lost(ch);
	if (s->flows[0].from == NULL && s->flows[1].from == NULL) {
		gn_task_cancel(&s->task);
		gn_timer_fini(&s->timer);
		free(s);
		return;
	}
	gn_task_post(s->loop, &s->task);
}

/* ---- starting ---- */

static void splice_attach(struct gn_splice *s, struct gn_channel *ch)
{
	ch->ps.on_lost = splice_on_lost;
	ch->ps.st->has_fixed_window = true;
	gn_channel_on_event(ch, splice_on_event, s);
}

int gn_splice_start(struct gn_channel *a, struct gn_channel *b, const struct gn_splice_cfg *cfg, struct gn_splice **out)
{
	struct gn_splice *s;

	if (a == b || a->source != NULL || b->source != NULL || a->node->loop != b->node->loop)
		return -EINVAL;
	if (a->ps.err != 0 || b->ps.err != 0)
		return a->ps.err != 0 ? a->ps.err : b->ps.err;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	s->loop = a->node->loop;
	s->cfg = *cfg;
	s->deadline = cfg->limit > 0 ? gn_time_add(gn_loop_now(s->loop), cfg->limit) : GN_NEVER;
	s->flows[0].from = s->flows[1].to = a;
	s->flows[0].to = s->flows[1].from = b;
	for (int i = 0; i < 2; i++) {
		s->flows[i].splice = s;
		s->flows[i].tokens = RATE_BURST;
		s->flows[i].refilled = gn_loop_now(s->loop);
	}
	gn_task_init(&s->task, splice_run);
	gn_timer_init(&s->timer, s->loop, splice_on_timer, s);
	splice_attach(s, a);
	splice_attach(s, b);
	for (int i = 0; i < 2; i++)
		(void)gn_channel_source(s->flows[i].to, &flow_source, &s->flows[i]); /* neither has failed */
	gn_task_post(s->loop, &s->task);
	*out = s;
	return 0;
}

void gn_splice_cancel(struct gn_splice *s)
{
	if (s == NULL)
		return;
	release(s, false);
	free(s);
}

void gn_splice_count(const struct gn_splice *s, uint64_t *a_to_b, uint64_t *b_to_a)
{
	*a_to_b = s->flows[0].bytes;
	*b_to_a = s->flows[1].bytes;
}
