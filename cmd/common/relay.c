/* SPDX-License-Identifier: MIT */
#include "relay.h"

#include <errno.h>
#include <stdlib.h>

#include "batch.h"

#define VIEWS 16

struct relay {
	struct relay_cfg cfg;
	struct gn_timer *kick; /* runs it from the loop, where callbacks may fire */
	struct batch batch;
	struct gn_metrics metrics;
	enum relay_fault fault;
	int err;                     /* of the fault */
	int down_err;                /* met behind frames that still have to be written, */
	enum relay_fault down_fault; /* and whose it is */
	bool input_done, release;    /* the input ended; its end may go out */
	bool sent_end, drained;
	bool down_done;   /* the channel's end was met and passed on */
	bool dropping;    /* nobody reads the output, */
	bool lost_output; /* which was found out just now: what waits is to be dropped */
	bool dead;
};

static void fail(struct relay *r, enum relay_fault fault, int err)
{
	if (r->fault)
		return;
	r->fault = fault;
	r->err = err;
}

static void fail_output(struct relay *r, int err)
{
	if (err == -EPIPE && r->cfg.drop_output) {
		r->dropping = r->lost_output = true;
		batch_fini(&r->batch);
	} else {
		fail(r, RELAY_OUTPUT, err);
	}
}

/* ---- from the input to the channel -------------------------------------------- */

/* What ends the reading: 0 while it goes on. */
static int up_bytes(struct relay *r)
{
	ptrdiff_t n;

	while ((n = input_fill(r->cfg.in)) > 0)
		gn_channel_wake(r->cfg.ch);
	return n == GN_EAGAIN || n == GN_ESPACE ? 0 : (int)n;
}

static int up_frames(struct relay *r)
{
	struct form_unit unit;
	int err;

	for (;;) {
		err = units_peek(r->cfg.units, &unit);
		if (err)
			return err == GN_EAGAIN ? 0 : err;
		err = gn_channel_send(r->cfg.ch, unit.body, unit.len);
		if (err == GN_EAGAIN)
			return 0;
		if (err == GN_ETOOBIG)
			return err;
		if (err) {
			r->dead = true; /* its event tells why */
			return 0;
		}
		units_skip(r->cfg.units);
	}
}

static void send_end(struct relay *r)
{
	if (r->sent_end || !r->release || r->dead)
		return;
	r->sent_end = true;
	if (gn_channel_end(r->cfg.ch))
		r->dead = true;
}

static void up(struct relay *r)
{
	int end;

	if (r->input_done || r->dead)
		return;
	if (!r->cfg.in)
		end = GN_EOF;
	else
		end = r->cfg.units ? up_frames(r) : up_bytes(r);
	if (!end)
		return;
	if (end != GN_EOF) {
		fail(r, RELAY_INPUT, end);
		return;
	}
	r->input_done = true;
	if (!r->cfg.hold_end)
		r->release = true;
	if (r->cfg.on_input_end)
		r->cfg.on_input_end(r->cfg.arg);
}

/* ---- from the channel to the output ------------------------------------------- */

static bool has_output(const struct relay *r)
{
	return r->cfg.out && !r->dropping;
}

/* Passes on what is there: 0 when the output or the channel has to be waited for, else
 * what the channel ended with. */
static int down_bytes(struct relay *r)
{
	struct iovec v[VIEWS];
	ptrdiff_t n;
	int count;

	for (;;) {
		count = gn_channel_peek(r->cfg.ch, v, VIEWS);
		if (count <= 0)
			return count == GN_EAGAIN ? 0 : count;
		if (has_output(r)) {
			n = output_writev(r->cfg.out, v, count);
			if (n == GN_EAGAIN)
				return 0;
			if (n < 0) {
				fail_output(r, (int)n);
				if (r->fault)
					return 0;
				continue;
			}
		} else {
			n = 0;
			for (int i = 0; i < count; i++)
				n += (ptrdiff_t)v[i].iov_len;
		}
		gn_channel_skip(r->cfg.ch, (size_t)n);
	}
}

static int receive_frames(struct relay *r)
{
	const void *frame;
	size_t len;
	int err;

	for (;;) {
		err = gn_channel_receive(r->cfg.ch, &frame, &len);
		if (err)
			return err;
		if (!has_output(r))
			continue;
		err = batch_put(&r->batch, r->cfg.out, r->cfg.form, frame, len);
		if (err == GN_EFORMAT) {
			r->down_fault = RELAY_FORM;
			return err;
		}
		if (err && err != GN_EAGAIN)
			fail_output(r, err);
		if (err)
			return GN_EAGAIN;
	}
}

/* Frames before the end, or before a bad one, are written out before it is told. */
static int down_frames(struct relay *r)
{
	int err;

	for (;;) {
		err = has_output(r) ? batch_flush(&r->batch, r->cfg.out) : 0;
		if (err == GN_EAGAIN)
			return 0;
		if (err)
			fail_output(r, err);
		if (r->fault)
			return 0;
		if (r->down_err)
			return r->down_err;
		err = receive_frames(r);
		if (err != GN_EAGAIN)
			r->down_err = err;
		else if (r->batch.at == r->batch.len && !r->lost_output)
			return 0;
		r->lost_output = false;
	}
}

static void down(struct relay *r)
{
	int end, err;

	if (r->down_done)
		return;
	end = r->cfg.units ? down_frames(r) : down_bytes(r);
	if (!end)
		return;
	if (end != GN_EOF) {
		fail(r, r->down_fault, end);
		return;
	}
	r->down_done = true;
	if (has_output(r) && !r->cfg.keep_output) {
		err = output_end(r->cfg.out);
		if (err)
			fail(r, RELAY_OUTPUT, err);
	}
}

/* ---- both --------------------------------------------------------------------- */

static void detach(struct relay *r)
{
	if (r->cfg.in) {
		input_on_ready(r->cfg.in, NULL, NULL);
		input_pause(r->cfg.in);
	}
	if (r->cfg.out)
		output_on_ready(r->cfg.out, NULL, NULL);
	r->cfg.in = NULL; /* its owner may free them from here on */
	r->cfg.out = NULL;
	gn_timer_stop(r->kick);
	if (!r->cfg.ch)
		return;
	gn_channel_metrics(r->cfg.ch, &r->metrics);
	if (r->fault || !r->sent_end)
		gn_channel_reset(r->cfg.ch);
	gn_channel_free(r->cfg.ch);
	r->cfg.ch = NULL;
}

/* Everything it may do now.  on_done may free the relay: nothing is touched behind it. */
static void run(struct relay *r)
{
	bool clean;

	if (!r->cfg.ch)
		return;
	up(r);
	if (!r->fault)
		send_end(r);
	if (!r->fault)
		down(r);
	clean = r->sent_end && r->drained && (r->down_done || r->dropping);
	if (!r->fault && !clean && r->dead && r->down_done)
		fail(r, RELAY_PEER, gn_channel_error(r->cfg.ch) ? gn_channel_error(r->cfg.ch) : GN_ERESET);
	if (!r->fault && !clean)
		return;
	detach(r);
	r->cfg.on_done(r->cfg.arg, r->fault, r->err);
}

static void on_ready(void *arg)
{
	run(arg);
}

static void on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct relay *r = arg;

	(void)ch;
	if (events & GN_OPENED && r->cfg.on_opened)
		r->cfg.on_opened(r->cfg.arg);
	if (events & GN_DRAINED)
		r->drained = true;
	if (events & GN_DEAD)
		r->dead = true;
	run(r);
}

int relay_new(const struct relay_cfg *cfg, struct gn_loop *loop, struct relay **out)
{
	struct relay *r = calloc(1, sizeof *r);
	int err;

	if (!r)
		return -ENOMEM;
	r->cfg = *cfg;
	r->down_fault = RELAY_PEER;
	err = gn_timer_new(loop, on_ready, r, &r->kick);
	if (!err && cfg->in && !cfg->units)
		err = gn_channel_source(cfg->ch, &input_source, cfg->in);
	if (err) {
		gn_timer_free(r->kick);
		free(r);
		return err;
	}
	gn_channel_on_event(cfg->ch, on_event, r);
	if (cfg->in)
		input_on_ready(cfg->in, on_ready, r);
	if (cfg->out)
		output_on_ready(cfg->out, on_ready, r);
	gn_timer_start(r->kick, 0);
	*out = r;
	return 0;
}

void relay_end(struct relay *r)
{
	r->release = r->input_done = true;
	gn_timer_start(r->kick, 0);
}

void relay_drop_output(struct relay *r)
{
	r->dropping = true;
	gn_timer_start(r->kick, 0);
}

void relay_reset(struct relay *r)
{
	fail(r, RELAY_INPUT, GN_ECLOSED);
	detach(r);
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	detach(r);
	gn_timer_free(r->kick);
	batch_fini(&r->batch);
	free(r);
}

const struct gn_metrics *relay_metrics(struct relay *r)
{
	if (r->cfg.ch)
		gn_channel_metrics(r->cfg.ch, &r->metrics);
	return &r->metrics;
}
