/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "exit.h"
#include "program.h"
#include "ucspi.h"

#define GRACE (200 * GN_MSEC) /* from the end of its output to its exit code */
#define MERCY (2 * GN_SEC)    /* from SIGTERM to SIGKILL */

struct worker {
	struct worker_cfg cfg;
	struct program *program;
	struct input *in;
	struct output *out;
	struct units units;
	struct relay *relay;
	struct gn_timer *timer;
	bool ended;  /* its output */
	bool exited; /* the program */
	bool done;   /* the relay */
	enum relay_fault fault;
	int err, status;
};

static void close_pipes(struct worker *w)
{
	units_fini(&w->units);
	input_free(w->in);
	output_free(w->out);
	w->in = NULL;
	w->out = NULL;
}

/* Behind this the worker may be gone. */
static void finish(struct worker *w)
{
	if (!w->done || !w->exited)
		return;
	gn_timer_stop(w->timer);
	w->cfg.on_done(w->cfg.arg, w->fault, w->err, w->status);
}

static void on_timer(void *arg)
{
	struct worker *w = arg;

	if (w->done)
		program_kill(w->program, SIGKILL);
	else
		relay_end(w->relay); /* it means to go on without its output */
}

static void on_input_end(void *arg)
{
	struct worker *w = arg;

	w->ended = true;
	if (!w->exited) {
		gn_timer_start(w->timer, GRACE);
		return;
	}
	relay_end(w->relay);
	relay_drop_output(w->relay);
}

static void on_relay_done(void *arg, enum relay_fault fault, int err)
{
	struct worker *w = arg;

	w->done = true;
	w->fault = fault;
	w->err = err;
	gn_timer_stop(w->timer);
	if (fault && !w->exited) {
		program_kill(w->program, SIGTERM);
		gn_timer_start(w->timer, MERCY);
	}
	close_pipes(w);
	finish(w);
}

static void on_exit_status(void *arg, struct program *p, int status)
{
	struct worker *w = arg;

	(void)p;
	w->exited = true;
	w->status = program_exit_code(status);
	if (!w->done && w->status) {
		/* the reset, and nothing behind it */
		relay_reset(w->relay);
		w->done = true;
		close_pipes(w);
	} else if (!w->done && w->ended) {
		gn_timer_stop(w->timer);
		relay_end(w->relay);
		relay_drop_output(w->relay);
	}
	finish(w);
}

static void on_opened(void *arg)
{
	struct worker *w = arg;

	if (w->cfg.on_opened)
		w->cfg.on_opened(w->cfg.arg);
}

static int start_program(struct worker *w, int *to, int *from)
{
	char **env = ucspi_new(w->cfg.ch, w->cfg.self);
	const struct program_cfg pc = {
		.argv = w->cfg.argv,
		.env = env,
		.fd_in = w->cfg.fd_in,
		.fd_out = w->cfg.fd_out,
		.on_exit = on_exit_status,
		.arg = w,
	};
	int err = env ? program_start(&pc, &w->program, to, from) : -ENOMEM;

	ucspi_free(env);
	return err;
}

static int start_relay(struct worker *w)
{
	const struct relay_cfg rc = {
		.ch = w->cfg.ch,
		.in = w->in,
		.out = w->out,
		.units = w->cfg.frames ? &w->units : NULL,
		.form = w->cfg.form,
		.drop_output = true,
		.hold_end = true,
		.on_opened = on_opened,
		.on_input_end = on_input_end,
		.on_done = on_relay_done,
		.arg = w,
	};

	units_init(&w->units, w->in, w->cfg.form, w->cfg.max_frame);
	return relay_new(&rc, w->cfg.loop, &w->relay);
}

int worker_new(const struct worker_cfg *cfg, struct worker **out)
{
	struct worker *w = calloc(1, sizeof *w);
	int to = -1, from = -1, err;

	if (!w)
		return -ENOMEM;
	w->cfg = *cfg;
	err = gn_timer_new(cfg->loop, on_timer, w, &w->timer);
	if (!err)
		err = start_program(w, &to, &from);
	if (err) {
		worker_free(w);
		return err;
	}
	err = input_new(cfg->loop, from, true, INPUT_SMALL, &w->in);
	if (err)
		close(from);
	if (!err)
		err = output_new(cfg->loop, to, true, &w->out);
	if (!w->out)
		close(to);
	if (!err)
		err = start_relay(w);
	if (err) {
		worker_free(w);
		return err;
	}
	*out = w;
	return 0;
}

const struct gn_metrics *worker_metrics(struct worker *w)
{
	return relay_metrics(w->relay);
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->program && !w->exited)
		program_kill(w->program, SIGTERM);
	relay_free(w->relay);
	close_pipes(w);
	program_free(w->program);
	gn_timer_free(w->timer);
	free(w);
}
