/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "exit.h"
#include "program.h"
#include "ucspi.h"

#define EXIT_WAIT (200 * GN_MSEC)  /* the longest wait for the exit code after the end of the program's output */
#define KILL_DELAY (2 * GN_SEC)    /* from SIGTERM to SIGKILL */
#define POLL (20 * GN_MSEC)        /* interval of checks whether the processes have ended */
#define UNREAD_LIMIT (60 * GN_SEC) /* how long output is discarded without a stream; then the program gets EPIPE */

/* RUNS           -- the relay has ended, and the program got its end of file --> DETACHED
 * RUNS           -- the relay has ended, and the program has exited --> DONE
 * RUNS, DETACHED -- its input was cut, it exits with another code than 0, or worker_stop() --> STOPPING
 * DETACHED       -- the program exits --> DONE
 * STOPPING       -- KILL_DELAY has passed --> KILLED
 * STOPPING       -- the program and its processes have ended --> DONE
 * KILLED         -- the program has ended --> DONE
 */
enum worker_state {
	WORKER_RUNS,
	WORKER_DETACHED, /* the stream has ended, and the program may finish its work; its output is dropped */
	WORKER_STOPPING, /* the program got a SIGTERM; its input stays open */
	WORKER_KILLED,   /* it got a SIGKILL */
	WORKER_DONE,
};

/* What the program writes.
 *
 * OPEN -- its end of file was read --> ENDED -- the relay has sent all of it --> SENT
 */
enum worker_output { WORKER_OUTPUT_OPEN, WORKER_OUTPUT_ENDED, WORKER_OUTPUT_SENT };

struct worker {
	struct worker_cfg cfg;
	enum worker_state state;
	enum worker_output output;
	struct program *program;
	struct input *in;
	struct output *out;
	struct framer framer;
	struct relay *relay;
	struct gn_timer *timer; /* RUNS: EXIT_WAIT; DETACHED, STOPPING and KILLED: POLL */
	gn_time deadline;       /* DETACHED: when its output is closed; STOPPING: when it is killed */
	bool has_exited;        /* the program itself; processes that it has started may still run */
	struct relay_result result;
	int status;
};

static void close_input(struct worker *w)
{
	framer_fini(&w->framer);
	input_free(w->in);
	w->in = NULL;
}

static void worker_close_output(struct worker *w)
{
	output_free(w->out);
	w->out = NULL;
}

/* If a process has outlived the program and still reads its input, it must not see an end of file that the
 * peer has not sent: the pipe then stays open. */
static void close_or_hold_output(struct worker *w)
{
	int fd = -1;

	if (w->out != NULL && w->has_exited && w->state != WORKER_KILLED && !w->result.got_end &&
	    !program_is_gone(w->program))
		fd = output_dup(w->out);
	if (fd >= 0)
		program_hold(w->program, fd);
	worker_close_output(w);
}

/* on_done may free the worker. */
static void worker_finish(struct worker *w)
{
	gn_timer_stop(w->timer);
	close_input(w);
	close_or_hold_output(w);
	if (w->result.fault == RELAY_CLEAN && w->result.lost != 0 && w->state == WORKER_DETACHED)
		w->result.fault = RELAY_UNREAD, w->result.err = GN_ERESET;
	/* A connection that is lost after the peer's end, with nothing left to send, loses nothing. */
	if (w->result.fault == RELAY_PEER && w->result.got_end && w->result.lost == 0 && w->status == 0)
		w->result = (struct relay_result){.got_end = true};
	w->state = WORKER_DONE;
	w->cfg.on_done(w->cfg.arg, &w->result, w->status);
}

static void worker_terminate(struct worker *w)
{
	w->state = WORKER_STOPPING;
	if (w->in != NULL) {
		input_on_ready(w->in, NULL, NULL);
		input_pause(w->in);
	}
	program_signal(w->program, SIGTERM);
	w->deadline = gn_loop_now(w->cfg.loop) + KILL_DELAY;
	gn_timer_start(w->timer, 0);
}

static void worker_check_stop(struct worker *w)
{
	if (w->has_exited && (w->state == WORKER_KILLED || program_is_gone(w->program))) {
		worker_finish(w);
		return;
	}
	if (w->state == WORKER_STOPPING && gn_loop_now(w->cfg.loop) >= w->deadline) {
		w->state = WORKER_KILLED;
		program_signal(w->program, SIGKILL);
	}
	gn_timer_start(w->timer, POLL);
}

static void worker_on_input_end(void *arg)
{
	struct worker *w = arg;

	w->output = WORKER_OUTPUT_ENDED;
	if (w->has_exited)
		relay_finish(w->relay);
	else
		gn_timer_start(w->timer, EXIT_WAIT);
}

/* Calls on_idle when the program has exited and its output was sent. */
static void worker_check_idle(struct worker *w)
{
	if (w->state != WORKER_RUNS || w->output != WORKER_OUTPUT_SENT || !w->has_exited)
		return;
	close_input(w);
	if (w->cfg.on_idle != NULL)
		w->cfg.on_idle(w->cfg.arg);
}

static void worker_on_sent(void *arg)
{
	struct worker *w = arg;

	w->output = WORKER_OUTPUT_SENT;
	worker_check_idle(w);
}

/* Discards the output of a program whose stream has ended.  The program must neither block nor get a
 * SIGPIPE while it still works on its input, but after UNREAD_LIMIT the pipe is closed, so that a program
 * which writes for ever ends.  It is read at intervals, so that this takes little CPU. */
static void worker_discard_output(void *arg)
{
	struct worker *w = arg;
	ptrdiff_t n;

	if (w->in == NULL)
		return;
	if (gn_loop_now(w->cfg.loop) >= w->deadline) {
		close_input(w);
		return;
	}
	n = input_fill(w->in);
	if (n > 0) {
		w->result.lost += (uint64_t)n;
		input_skip(w->in, (size_t)n);
		gn_timer_start(w->timer, POLL);
	} else if (n != GN_EAGAIN) {
		close_input(w);
	}
}

static void worker_detach(struct worker *w)
{
	w->state = WORKER_DETACHED;
	worker_close_output(w);
	if (w->in == NULL || w->output != WORKER_OUTPUT_OPEN)
		return;
	input_skip(w->in, input_held(w->in)); /* the relay has counted these bytes as lost */
	w->deadline = gn_loop_now(w->cfg.loop) + UNREAD_LIMIT;
	input_on_ready(w->in, worker_discard_output, w);
	worker_discard_output(w);
}

/* Whether the program must be stopped.  It may finish its work if the peer has ended its side, so that the
 * input is complete, unless there was no input at all. */
static bool worker_is_cut(struct worker *w, const struct relay_result *result)
{
	if (result->fault == RELAY_CLEAN || result->fault == RELAY_INPUT || !result->got_end)
		return result->fault != RELAY_CLEAN;
	return relay_metrics(w->relay)->bytes_in == 0;
}

/* Whether the peer has sent nothing but its end, and has then reset the stream while the program could
 * still write.  For the stream that is not a failure, but a program without input and without a reader
 * might run for ever and occupy its place, so it is stopped. */
static bool worker_is_unwanted(struct worker *w, const struct relay_result *result)
{
	return result->fault == RELAY_CLEAN && w->cfg.own_group && !w->has_exited && w->output == WORKER_OUTPUT_OPEN &&
	       relay_metrics(w->relay)->bytes_in == 0;
}

static void worker_on_timer(void *arg)
{
	struct worker *w = arg;

	switch (w->state) {
	case WORKER_RUNS:
		relay_end(w->relay); /* the program has closed its output and continues to run */
		break;
	case WORKER_DETACHED:
		worker_discard_output(w);
		break;
	case WORKER_STOPPING:
	case WORKER_KILLED:
		worker_check_stop(w);
		break;
	case WORKER_DONE:
		break;
	}
}

static void worker_on_relay_done(void *arg, const struct relay_result *result)
{
	struct worker *w = arg;

	w->result = *result;
	if (worker_is_unwanted(w, result)) {
		w->result.fault = RELAY_PEER;
		w->result.err = GN_ERESET;
	}
	gn_timer_stop(w->timer);
	if (worker_is_cut(w, &w->result) && !(w->has_exited && program_is_gone(w->program)))
		worker_terminate(w);
	else if (w->has_exited)
		worker_finish(w);
	else
		worker_detach(w);
}

static void worker_on_exit(void *arg, struct program *p, int status)
{
	struct worker *w = arg;

	(void)p;
	w->has_exited = true;
	w->status = program_exit_code(status);
	switch (w->state) {
	case WORKER_RUNS:
		if (w->status != 0) {
			/* the peer must see a reset and no end */
			relay_reset(w->relay);
			worker_terminate(w);
		} else if (w->output != WORKER_OUTPUT_OPEN) {
			gn_timer_stop(w->timer);
			relay_finish(w->relay);
			worker_check_idle(w);
		}
		break;
	case WORKER_DETACHED:
		worker_discard_output(w); /* counts the last bytes of its output */
		worker_finish(w);
		break;
	case WORKER_STOPPING:
	case WORKER_KILLED:
		gn_timer_start(w->timer, 0);
		break;
	case WORKER_DONE:
		break;
	}
}

static void worker_on_opened(void *arg)
{
	struct worker *w = arg;

	if (w->cfg.on_opened != NULL)
		w->cfg.on_opened(w->cfg.arg);
}

static int start_program(struct worker *w, int *to, int *from)
{
	char **env = ucspi_new(w->cfg.ch, w->cfg.self);
	const struct program_cfg pc = {
		.loop = w->cfg.loop,
		.own_group = w->cfg.own_group,
		.argv = w->cfg.argv,
		.env = env,
		.fd_in = w->cfg.fd_in,
		.fd_out = w->cfg.fd_out,
		.on_exit = worker_on_exit,
		.arg = w,
	};
	int err = env != NULL ? program_start(&pc, &w->program, to, from) : -ENOMEM;

	ucspi_free(env);
	return err;
}

static int worker_start_relay(struct worker *w)
{
	const struct relay_cfg rc = {
		.ch = w->cfg.ch,
		.in = w->in,
		.out = w->out,
		.framer = w->cfg.frames ? &w->framer : NULL,
		.format = w->cfg.format,
		.drop_output = true,
		.hold_end = true,
		.on_opened = worker_on_opened,
		.on_input_end = worker_on_input_end,
		.on_sent = worker_on_sent,
		.on_done = worker_on_relay_done,
		.arg = w,
	};

	framer_init(&w->framer, w->in, w->cfg.format, w->cfg.max_frame);
	return relay_new(&rc, w->cfg.loop, &w->relay);
}

int worker_new(const struct worker_cfg *cfg, struct worker **out)
{
	struct worker *w = calloc(1, sizeof *w);
	int to = -1, from = -1, err;

	if (w == NULL)
		return -ENOMEM;
	w->cfg = *cfg;
	err = gn_timer_new(cfg->loop, worker_on_timer, w, &w->timer);
	if (err == 0)
		err = start_program(w, &to, &from);
	if (err != 0) {
		worker_free(w);
		return err;
	}
	err = input_new(cfg->loop, &(struct input_cfg){.fd = from, .own = true, .ring = INPUT_SMALL}, &w->in);
	if (err != 0)
		close(from);
	if (err == 0)
		err = output_new(cfg->loop, to, true, &w->out);
	if (w->out == NULL)
		close(to);
	if (err == 0)
		err = worker_start_relay(w);
	if (err != 0) {
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

void worker_stop(struct worker *w, enum relay_fault fault, int err)
{
	if (w->state == WORKER_RUNS) {
		w->result = (struct relay_result){.fault = fault, .err = err, .lost = relay_unconfirmed(w->relay)};
		relay_reset(w->relay);
	}
	if (w->state < WORKER_STOPPING)
		worker_terminate(w);
}

void worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	if (w->program != NULL && w->state != WORKER_DONE)
		program_signal(w->program, SIGKILL);
	relay_free(w->relay);
	close_input(w);
	worker_close_output(w);
	program_free(w->program);
	gn_timer_free(w->timer);
	free(w);
}
