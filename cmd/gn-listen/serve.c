/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/program.h"
#include "common/relay.h"
#include "common/say.h"
#include "common/worker.h"

/* A stream: it waits as long as it has neither worker nor relay. */
struct served {
	struct served *next;
	struct serve *serve;
	struct gn_channel *ch; /* while it waits */
	struct worker *worker;
	struct relay *relay;
	struct note note;
};

struct serve {
	struct serve_cfg cfg;
	struct input *in;
	struct output *out;
	struct units units;
	struct gn_timer *turn; /* starts those that may run, outside of callbacks of others */
	struct served *all;    /* in the order in which they came */
	unsigned running;
};

static bool is_waiting(const struct served *d)
{
	return !d->worker && !d->relay;
}

static void drop(struct served *d)
{
	struct serve *s = d->serve;

	for (struct served **at = &s->all; *at; at = &(*at)->next) {
		if (*at == d) {
			*at = d->next;
			break;
		}
	}
	if (is_waiting(d))
		gn_channel_free(d->ch);
	else
		s->running--;
	worker_free(d->worker);
	relay_free(d->relay);
	note_fini(&d->note);
	free(d);
	gn_timer_start(s->turn, 0);
}

static void on_relay_done(void *arg, enum relay_fault fault, int err)
{
	struct served *d = arg;
	struct serve *s = d->serve;
	int code = note_code(fault, err);

	note_close(&d->note, fault, err, -1, relay_metrics(d->relay));
	drop(d);
	/* what a peer did ends its stream; what stdin or stdout did ends the tool */
	if (fault == RELAY_INPUT || fault == RELAY_OUTPUT)
		s->cfg.on_broken(s->cfg.arg, code);
}

static void on_worker_done(void *arg, enum relay_fault fault, int err, int status)
{
	struct served *d = arg;

	note_close(&d->note, fault, err, status, worker_metrics(d->worker));
	drop(d);
}

static int start_relay(struct served *d)
{
	struct serve *s = d->serve;
	const struct relay_cfg cfg = {
		.ch = d->ch,
		.in = s->in,
		.out = s->out,
		.units = s->cfg.frames ? &s->units : NULL,
		.form = s->cfg.form_out,
		.keep_output = true,
		.on_done = on_relay_done,
		.arg = d,
	};

	return relay_new(&cfg, s->cfg.loop, &d->relay);
}

static int start_worker(struct served *d)
{
	struct serve *s = d->serve;
	const struct worker_cfg cfg = {
		.loop = s->cfg.loop,
		.ch = d->ch,
		.self = s->cfg.self,
		.argv = s->cfg.argv,
		.fd_in = STDIN_FILENO,
		.fd_out = STDOUT_FILENO,
		.frames = s->cfg.frames,
		.form = s->cfg.form,
		.max_frame = s->cfg.max_frame,
		.on_done = on_worker_done,
		.arg = d,
	};

	return worker_new(&cfg, &d->worker);
}

static void start(struct served *d)
{
	struct serve *s = d->serve;
	int err;

	err = s->cfg.argv ? start_worker(d) : start_relay(d);
	if (!err) {
		s->running++;
		return;
	}
	say("%s: %s: %s", d->note.peer, s->cfg.argv ? s->cfg.argv[0] : "cannot serve it", gn_strerror(err));
	gn_channel_reset(d->ch);
	drop(d);
}

static void on_turn(void *arg)
{
	struct serve *s = arg;
	struct served *d, *next;

	for (d = s->all; d && s->running < s->cfg.conc; d = next) {
		next = d->next;
		if (is_waiting(d))
			start(d);
	}
}

/* Of one that waits. */
static void on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	static const struct gn_metrics none;
	struct served *d = arg;

	if (!(events & GN_DEAD)) {
		gn_timer_start(d->serve->turn, 0);
		return;
	}
	note_close(&d->note, RELAY_PEER, gn_channel_error(ch), -1, &none);
	drop(d);
}

void serve_open(void *arg, struct gn_channel *ch)
{
	struct serve *s = arg;
	struct served *d = calloc(1, sizeof *d), **at;

	if (!d) {
		say("out of memory for a stream");
		gn_channel_reset(ch);
		gn_channel_free(ch);
		return;
	}
	d->serve = s;
	d->ch = ch;
	note_open(&d->note, s->cfg.note, ch);
	gn_channel_on_event(ch, on_event, d);
	for (at = &s->all; *at; at = &(*at)->next)
		;
	*at = d;
	gn_timer_start(s->turn, 0);
}

int serve_new(const struct serve_cfg *cfg, struct serve **out)
{
	struct serve *s = calloc(1, sizeof *s);
	int err;

	if (!s)
		return -ENOMEM;
	s->cfg = *cfg;
	if (!cfg->argv)
		s->cfg.conc = 1;
	err = gn_timer_new(cfg->loop, on_turn, s, &s->turn);
	if (!err && !cfg->argv)
		err = input_new(cfg->loop, STDIN_FILENO, false, INPUT_BULK, &s->in);
	if (!err && !cfg->argv)
		err = output_new(cfg->loop, STDOUT_FILENO, false, &s->out);
	if (err) {
		serve_free(s);
		return err;
	}
	units_init(&s->units, s->in, cfg->form, cfg->max_frame);
	*out = s;
	return 0;
}

void serve_free(struct serve *s)
{
	if (!s)
		return;
	while (s->all)
		drop(s->all);
	units_fini(&s->units);
	input_free(s->in);
	output_free(s->out);
	gn_timer_free(s->turn);
	free(s);
}
