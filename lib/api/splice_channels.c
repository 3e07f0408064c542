/* SPDX-License-Identifier: MIT */
/*
 * Two channels joined inside the node.  The receiving pipe of one channel is the source of the other, so the bytes
 * of a record are sealed for the second connection from where the first one's are.
 *
 * A source runs inside the pump of the sending connection, where nothing may be called.  It only moves bytes and
 * posts a task, which then grants credit, passes ends on and sees whether the splice is done.
 */
#include <errno.h>
#include <stdlib.h>

#include "api/channel.h"
#include "api/splice.h"
#include "node/conn.h"
#include "node/node.h"

struct direction {
	struct gn_splice_flow *flow;
	struct gn_channel *from, *to; /* NULL: its node was freed */
	bool has_consumed;            /* from's reader has made room: its session is to grant credit */
	size_t shown; /* bytes that the source has shown and that are not taken: a frame of them may be half sent */
};

struct channel_splice {
	struct gn_splice splice; /* first */
	struct direction directions[2];
};

static struct channel_splice *channel_splice_of(struct gn_splice *s)
{
	return (struct channel_splice *)(void *)s;
}

/* ---- the sources ---- */

static int direction_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	struct direction *d = arg;
	struct gn_splice *s = d->flow->splice;
	struct gn_pipe *rx;
	uint64_t most;
	size_t shown = 0;
	int n;

	if (d->from == NULL || !d->from->stream.is_open)
		return 0;
	rx = &d->from->stream.mux->rx;
	most = gn_splice_allowance(d->flow);
	if (most < d->shown) /* the peer waits for the rest of a frame that was begun */
		most = d->shown;
	if (most < limit) {
		limit = (size_t)most;
		if (limit < gn_pipe_len(rx)) {
			d->flow->is_throttled = true;
			gn_task_post(s->loop, &s->task);
		}
	}
	n = limit > 0 ? gn_pipe_peek(rx, v, max, limit) : 0;
	for (int i = 0; i < n; i++)
		shown += v[i].iov_len;
	if (shown > d->shown)
		d->shown = shown;
	return n;
}

static void direction_skip(void *arg, size_t n)
{
	struct direction *d = arg;
	struct gn_splice *s = d->flow->splice;

	gn_pipe_skip(&d->from->stream.mux->rx, n);
	d->from->count.bytes_in += n;
	d->from->stream.conn->bytes_in += n;
	d->shown -= n < d->shown ? n : d->shown;
	d->has_consumed = true;
	gn_splice_passed(d->flow, n);
	gn_task_post(s->loop, &s->task);
}

static const struct gn_source direction_source = {direction_peek, direction_skip};

/* ---- states ---- */

static void channel_splice_release(struct gn_splice *s, bool in_good_order)
{
	struct channel_splice *cs = channel_splice_of(s);
	struct gn_channel *ends[2] = {cs->directions[0].from, cs->directions[1].from};

	for (int i = 0; i < 2; i++)
		if (ends[i] != NULL && !in_good_order)
			gn_channel_reset(ends[i]);
	/* Neither may read from the other any more when the first one goes. */
	for (int i = 0; i < 2; i++)
		if (ends[i] != NULL)
			gn_pipe_source(&ends[i]->stream.mux->tx, NULL, NULL);
	for (int i = 0; i < 2; i++)
		gn_channel_free(ends[i]);
	gn_splice_fini(s);
	free(cs);
}

static int end_error(const struct gn_channel *ch)
{
	return ch != NULL ? ch->stream.err : GN_ECLOSED;
}

/* Moves a flow to the state that its channels are in. */
static void direction_check(struct direction *d)
{
	const struct gn_pipe *rx = d->from != NULL ? &d->from->stream.mux->rx : NULL;
	int err = end_error(d->to);

	if (err != 0) {
		gn_splice_cut(d->flow, err);
		return;
	}
	if (d->flow->state != GN_SPLICE_FLOWING)
		return;
	if (rx != NULL && gn_pipe_len(rx) > 0 && gn_splice_is_past_max(d->flow)) {
		gn_splice_cut(d->flow, GN_ELIMIT);
		return;
	}
	/* What came in front of an end in good order is passed on, though the channel failed later. */
	if (rx != NULL && d->from->stream.is_open && rx->end == GN_EOF) {
		if (gn_pipe_len(rx) > 0)
			return;
		d->flow->state = GN_SPLICE_ENDING;
		err = gn_channel_end(d->to);
		if (err == 0)
			err = gn_channel_sync(d->to);
	} else {
		err = end_error(d->from);
	}
	if (err != 0)
		gn_splice_cut(d->flow, err);
}

static void direction_go_on(struct gn_splice_flow *f)
{
	struct channel_splice *cs = channel_splice_of(f->splice);

	gn_channel_wake(cs->directions[f - f->splice->flows].to);
}

static void channel_splice_run(struct gn_task *task)
{
	struct gn_splice *s = gn_list_entry(task, struct gn_splice, task);
	struct channel_splice *cs = channel_splice_of(s);

	for (int i = 0; i < 2; i++) {
		struct direction *d = &cs->directions[i];

		if (d->has_consumed && d->from != NULL)
			gn_stream_wake(&d->from->stream);
		d->has_consumed = false;
		direction_check(d);
	}
	(void)gn_splice_finish(s, direction_go_on);
}

static void channel_splice_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct channel_splice *cs = arg;
	int out = ch == cs->directions[1].to ? 1 : 0;
	struct gn_splice_flow *flow = cs->directions[out].flow;
	struct gn_channel *other = cs->directions[1 - out].to;

	if (events & (GN_CAN_READ | GN_OPENED) && other != NULL)
		gn_channel_wake(other);
	if (events & GN_ACKED && flow->state == GN_SPLICE_ENDING)
		flow->state = GN_SPLICE_DONE;
	gn_task_post(cs->splice.loop, &cs->splice.task);
}

/* The node of a channel is being freed. */
static void channel_splice_on_lost(void *arg, struct gn_stream *stream)
{
	struct gn_channel *ch = arg;
	struct channel_splice *cs = ch->arg;

	(void)stream;
	for (int i = 0; i < 2; i++) {
		struct direction *d = &cs->directions[i];

		if (d->from == ch)
			d->from = NULL;
		if (d->to == ch)
			d->to = NULL;
		gn_splice_cut(d->flow, GN_ECLOSED);
	}
	gn_channel_lost(ch);
	if (cs->directions[0].from == NULL && cs->directions[1].from == NULL) {
		gn_splice_fini(&cs->splice);
		free(cs);
		return;
	}
	gn_task_post(cs->splice.loop, &cs->splice.task);
}

/* ---- starting ---- */

static void channel_splice_attach(struct channel_splice *cs, struct gn_channel *ch)
{
	ch->stream.on_lost = channel_splice_on_lost;
	ch->stream.mux->has_fixed_window = true;
	gn_channel_on_event(ch, channel_splice_on_event, cs);
}

int gn_splice_start(struct gn_channel *a, struct gn_channel *b, const struct gn_splice_cfg *cfg, struct gn_splice **out)
{
	struct channel_splice *cs;

	if (a == b || a->source != NULL || b->source != NULL || a->node->loop != b->node->loop)
		return -EINVAL;
	if (a->stream.err != 0 || b->stream.err != 0)
		return a->stream.err != 0 ? a->stream.err : b->stream.err;
	cs = calloc(1, sizeof *cs);
	if (cs == NULL)
		return -ENOMEM;
	gn_splice_init(&cs->splice, a->node->loop, cfg, channel_splice_run);
	cs->splice.release = channel_splice_release;
	cs->directions[0] = (struct direction){.flow = &cs->splice.flows[0], .from = a, .to = b};
	cs->directions[1] = (struct direction){.flow = &cs->splice.flows[1], .from = b, .to = a};
	channel_splice_attach(cs, a);
	channel_splice_attach(cs, b);
	for (int i = 0; i < 2; i++) /* neither has failed */
		(void)gn_channel_source(cs->directions[i].to, &direction_source, &cs->directions[i]);
	gn_task_post(cs->splice.loop, &cs->splice.task);
	*out = &cs->splice;
	return 0;
}
