/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/program.h"
#include "common/relay.h"
#include "common/diag.h"
#include "common/worker.h"
#include "share.h"

#define WAITING 1024    /* streams that may wait */
#define WAITING_PEER 64 /* streams of one peer that may wait */
#define IDLE_PARTS 8    /* checks for idle streams during the time of --idle */
#define KILL_DELAY (2 * GN_SEC)
#define POLL (20 * GN_MSEC)

/* WAITS -- share.h gives it a place --> RUNS
 * RUNS  -- its program has ended, and its output was sent --> SENT, which occupies no place
 * A stream that ends is dropped in any of these states.
 */
enum served_state { SERVED_WAITS, SERVED_RUNS, SERVED_SENT };

struct served {
	struct served *next;
	struct serve *serve;
	enum served_state state;
	struct gn_channel *ch; /* while it waits */
	struct share_peer *peer;
	struct worker *worker;
	struct relay *relay;
	struct streamlog log;
	uint64_t moved; /* bytes in both directions at the last check of the idle timer */
	gn_time since;  /* the time of the check at which `moved` had last changed */
};

/* OPEN               -- serve_drain() --> DRAINING
 * OPEN, DRAINING     -- serve_stop(), or the limit of DRAINING --> STOPPING
 * DRAINING, STOPPING -- no stream is left --> CLEARING: processes that programs have left are terminated
 * CLEARING           -- no process is left, or all were killed --> ENDED
 */
enum serve_state { SERVE_OPEN, SERVE_DRAINING, SERVE_STOPPING, SERVE_CLEARING, SERVE_ENDED };

struct serve {
	struct serve_cfg cfg;
	enum serve_state state;
	struct input *in;
	struct output *out;
	struct framer framer;
	struct share *share;
	struct gn_timer *turn; /* starts waiting streams, from the loop */
	struct gn_timer *idle;
	struct gn_timer *end; /* DRAINING: its limit; CLEARING: POLL */
	gn_time deadline;     /* CLEARING: when the processes are killed */
	struct served *all;   /* in the order of arrival */
};

/* ---- streams -------------------------------------------------------------------- */

static void serve_drop(struct served *d)
{
	struct serve *s = d->serve;

	for (struct served **at = &s->all; *at != NULL; at = &(*at)->next) {
		if (*at == d) {
			*at = d->next;
			break;
		}
	}
	if (d->state == SERVED_RUNS)
		share_stop(s->share, d->peer);
	share_leave(s->share, d->peer, d->state == SERVED_WAITS);
	if (d->ch != NULL)
		gn_channel_free(d->ch);
	worker_free(d->worker);
	relay_free(d->relay);
	streamlog_fini(&d->log);
	free(d);
	gn_timer_start(s->turn, 0);
}

/* Resets a waiting stream. */
static void serve_refuse(struct served *d)
{
	gn_channel_reset(d->ch);
	serve_drop(d);
}

static void serve_on_relay_done(void *arg, const struct relay_result *result)
{
	struct served *d = arg;
	struct serve *s = d->serve;
	int code = streamlog_exit_code(result);
	bool is_broken = result->fault == RELAY_INPUT || result->fault == RELAY_OUTPUT;

	streamlog_close(&d->log, result, -1, relay_metrics(d->relay));
	serve_drop(d);
	/* a failure of the peer ends its stream; a failure of stdin or stdout ends the tool */
	if (is_broken)
		s->cfg.on_broken(s->cfg.arg, code);
}

static void on_worker_idle(void *arg)
{
	struct served *d = arg;

	d->state = SERVED_SENT;
	share_stop(d->serve->share, d->peer);
	gn_timer_start(d->serve->turn, 0);
}

static void serve_on_worker_done(void *arg, const struct relay_result *result, int status)
{
	struct served *d = arg;

	streamlog_close(&d->log, result, status, worker_metrics(d->worker));
	serve_drop(d);
}

static int serve_start_relay(struct served *d)
{
	struct serve *s = d->serve;
	const struct relay_cfg cfg = {
		.ch = d->ch,
		.in = s->in,
		.out = s->out,
		.framer = s->cfg.frames ? &s->framer : NULL,
		.format = s->cfg.format_out,
		.keep_output = true,
		.end_follows = s->cfg.recv_only,
		.on_done = serve_on_relay_done,
		.arg = d,
	};

	return relay_new(&cfg, s->cfg.loop, &d->relay);
}

static int serve_start_worker(struct served *d)
{
	struct serve *s = d->serve;
	const struct worker_cfg cfg = {
		.loop = s->cfg.loop,
		.ch = d->ch,
		.self = s->cfg.self,
		.argv = s->cfg.argv,
		.fd_in = STDIN_FILENO,
		.fd_out = STDOUT_FILENO,
		.own_group = true,
		.frames = s->cfg.frames,
		.format = s->cfg.format,
		.max_frame = s->cfg.max_frame,
		.on_idle = on_worker_idle,
		.on_done = serve_on_worker_done,
		.arg = d,
	};

	return worker_new(&cfg, &d->worker);
}

static void serve_start(struct served *d)
{
	struct serve *s = d->serve;
	int err;

	err = s->cfg.argv != NULL ? serve_start_worker(d) : serve_start_relay(d);
	if (err != 0) {
		diag_from(&d->log.from, "%s: %s: %s", d->log.peer,
			  s->cfg.argv != NULL ? s->cfg.argv[0] : "cannot serve it", gn_strerror(err));
		serve_refuse(d);
		return;
	}
	d->ch = NULL;
	d->state = SERVED_RUNS;
	d->since = gn_loop_now(s->cfg.loop);
	share_start(s->share, d->peer);
}

static struct served *next_to_start(struct serve *s)
{
	struct served *best = NULL;

	for (struct served *d = s->all; d != NULL; d = d->next)
		if (d->state == SERVED_WAITS && share_may_start(s->share, d->peer) &&
		    (best == NULL || share_is_before(d->peer, best->peer)))
			best = d;
	return best;
}

static void serve_on_turn(void *arg)
{
	struct serve *s = arg;
	struct served *d;

	while (s->state <= SERVE_DRAINING && (d = next_to_start(s)) != NULL)
		serve_start(d);
	if (s->all == NULL && (s->state == SERVE_DRAINING || s->state == SERVE_STOPPING))
		gn_timer_start(s->end, 0);
}

/* Called for a waiting stream. */
static void serve_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	static const struct gn_metrics none;
	struct served *d = arg;

	if (!(events & GN_DEAD)) {
		gn_timer_start(d->serve->turn, 0);
		return;
	}
	streamlog_close(&d->log, &(struct relay_result){.fault = RELAY_PEER, .err = gn_channel_error(ch)}, -1, &none);
	serve_drop(d);
}

/* Called when too many streams wait: resets the last one of the address that has the most. */
static void serve_make_room(struct serve *s)
{
	struct served *last = NULL;

	for (struct served *d = s->all; d != NULL; d = d->next)
		if (d->state == SERVED_WAITS && (last == NULL || share_waiting(d->peer) >= share_waiting(last->peer)))
			last = d;
	if (last == NULL)
		return;
	diag_from(&last->log.from, "%s at %s: reset, too many streams wait for their turn", last->log.peer,
		  last->log.addr != NULL ? last->log.addr : "?");
	serve_refuse(last);
}

void serve_open(void *arg, struct gn_channel *ch)
{
	struct serve *s = arg;
	struct served *d = calloc(1, sizeof *d), **at;
	struct gn_channel_state st;

	gn_channel_state(ch, &st);
	if (d != NULL)
		d->peer = share_enter(s->share, &st);
	if (d == NULL || d->peer == NULL) {
		diag("out of memory for a stream");
		free(d);
		gn_channel_reset(ch);
		gn_channel_free(ch);
		return;
	}
	d->serve = s;
	d->ch = ch;
	streamlog_open(&d->log, s->cfg.log, ch);
	gn_channel_on_event(ch, serve_on_event, d);
	for (at = &s->all; *at != NULL; at = &(*at)->next)
		;
	*at = d;
	gn_timer_start(s->turn, 0);
	if (share_is_over(s->share, d->peer)) {
		diag_from(&d->log.from, "%s at %s: reset, %d of its streams wait already", d->log.peer,
			  d->log.addr != NULL ? d->log.addr : "?", WAITING_PEER);
		serve_refuse(d);
	} else if (share_is_full(s->share)) {
		serve_make_room(s);
	}
}

/* ---- idle streams --------------------------------------------------------------- */

static bool has_moved(struct served *d)
{
	const struct gn_metrics *m = d->worker != NULL ? worker_metrics(d->worker) : relay_metrics(d->relay);
	uint64_t before = d->moved;

	d->moved = m->bytes_in + m->bytes_out;
	return d->moved != before;
}

static void serve_end_idle(struct served *d)
{
	const struct relay_result result = {
		.fault = RELAY_IDLE,
		.err = GN_ETIMEOUT,
		.lost = d->relay != NULL ? relay_unconfirmed(d->relay) : 0,
	};

	if (d->worker != NULL) {
		worker_stop(d->worker, RELAY_IDLE, GN_ETIMEOUT);
		return;
	}
	relay_reset(d->relay);
	streamlog_close(&d->log, &result, -1, relay_metrics(d->relay));
	serve_drop(d);
}

static void serve_on_idle(void *arg)
{
	struct serve *s = arg;
	gn_time now = gn_loop_now(s->cfg.loop);
	struct served *next;

	for (struct served *d = s->all; d != NULL; d = next) {
		next = d->next;
		if (d->state == SERVED_WAITS)
			continue;
		if (has_moved(d))
			d->since = now;
		else if (now - d->since >= s->cfg.idle)
			serve_end_idle(d);
	}
	gn_timer_start(s->idle, s->cfg.idle / IDLE_PARTS);
}

/* ---- the end -------------------------------------------------------------------- */

static void serve_clear(struct serve *s)
{
	if (s->state != SERVE_CLEARING) {
		s->state = SERVE_CLEARING;
		s->deadline = gn_loop_now(s->cfg.loop) + KILL_DELAY;
		programs_signal(SIGTERM);
	}
	if (!programs_are_gone() && gn_loop_now(s->cfg.loop) < s->deadline) {
		gn_timer_start(s->end, POLL);
		return;
	}
	programs_signal(SIGKILL);
	s->state = SERVE_ENDED;
	s->cfg.on_ended(s->cfg.arg);
}

static void serve_on_end(void *arg)
{
	struct serve *s = arg;

	if (s->all == NULL)
		serve_clear(s);
	else if (s->state == SERVE_DRAINING)
		serve_stop(s);
}

bool serve_has_streams(const struct serve *s)
{
	return s->all != NULL;
}

void serve_drain(struct serve *s, gn_time limit)
{
	if (s->state != SERVE_OPEN)
		return;
	s->state = SERVE_DRAINING;
	gn_timer_start(s->end, s->all != NULL ? limit : 0);
}

void serve_stop(struct serve *s)
{
	struct served *next;

	if (s->state >= SERVE_STOPPING)
		return;
	s->state = SERVE_STOPPING;
	gn_timer_stop(s->end);
	for (struct served *d = s->all; d != NULL; d = next) {
		next = d->next;
		if (d->worker != NULL)
			worker_stop(d->worker, RELAY_PEER, GN_ECLOSED);
		else
			serve_drop(d); /* resets an open stream */
	}
	gn_timer_start(s->turn, 0);
}

/* ---- life ----------------------------------------------------------------------- */

static int make_timers(struct serve *s)
{
	int err = gn_timer_new(s->cfg.loop, serve_on_turn, s, &s->turn);

	if (err == 0)
		err = gn_timer_new(s->cfg.loop, serve_on_end, s, &s->end);
	if (err == 0)
		err = gn_timer_new(s->cfg.loop, serve_on_idle, s, &s->idle);
	if (err == 0 && s->cfg.idle != 0)
		gn_timer_start(s->idle, s->cfg.idle / IDLE_PARTS);
	return err;
}

static int take_standard(struct serve *s)
{
	const struct input_cfg in = {.fd = STDIN_FILENO, .ring = INPUT_BULK};
	int err = 0;

	if (!s->cfg.recv_only)
		err = input_new(s->cfg.loop, &in, &s->in);
	if (err == 0)
		err = output_new(s->cfg.loop, STDOUT_FILENO, false, &s->out);
	return err;
}

int serve_new(const struct serve_cfg *cfg, struct serve **out)
{
	struct share_cfg sc = {cfg->argv != NULL ? cfg->conc : 1, cfg->is_one_peer, WAITING, WAITING_PEER};
	struct serve *s = calloc(1, sizeof *s);
	int err;

	if (s == NULL)
		return -ENOMEM;
	s->cfg = *cfg;
	err = share_new(&sc, &s->share);
	if (err == 0)
		err = make_timers(s);
	if (err == 0 && cfg->argv == NULL)
		err = take_standard(s);
	if (err != 0) {
		serve_free(s);
		return err;
	}
	framer_init(&s->framer, s->in, cfg->format, cfg->max_frame);
	*out = s;
	return 0;
}

void serve_free(struct serve *s)
{
	if (s == NULL)
		return;
	while (s->all != NULL) {
		assert(s->all->serve == s); /* so the drop takes it off the list, which clang's analyzer cannot know */
		serve_drop(s->all);
	}
	framer_fini(&s->framer);
	input_free(s->in);
	output_free(s->out);
	share_free(s->share);
	gn_timer_free(s->turn);
	gn_timer_free(s->idle);
	gn_timer_free(s->end);
	free(s);
}
