/* SPDX-License-Identifier: MIT */
/* Dials and opens the stream, and connects it with stdin and stdout or with a program. */
#include <errno.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/program.h"
#include "common/relay.h"
#include "common/diag.h"
#include "common/worker.h"
#include "dialer.h"

#define PROG_IN 6 /* UCSPI: a client program reads descriptor 6 and writes descriptor 7 */
#define PROG_OUT 7

static struct {
	struct dialer *d;
	struct gn_dial *dial;
	struct gn_timer *wait;
	struct input *in;
	struct output *out;
	struct framer framer;
	struct relay *relay;
	struct worker *worker;
	bool worker_done;
	int failed; /* the error of the dial, while the program has not ended yet; 0: none */
	struct streamlog log;
} st;

static void dial_stream_on_opened(void *arg)
{
	(void)arg;
	gn_timer_stop(st.wait);
}

static void dial_stream_on_wait(void *arg)
{
	struct dialer *d = arg;

	if (st.dial != NULL)
		gn_dial_cancel(st.dial);
	st.dial = NULL;
	relay_free(st.relay);
	st.relay = NULL;
	st.failed = GN_ETIMEOUT;
	if (st.worker != NULL)
		worker_stop(st.worker, RELAY_PEER, GN_ETIMEOUT);
	else
		dialer_failed(d, st.failed);
}

static void dial_stream_on_relay_done(void *arg, const struct relay_result *result)
{
	gn_timer_stop(st.wait);
	streamlog_close(&st.log, result, -1, relay_metrics(st.relay));
	dialer_close(arg, streamlog_exit_code(result));
}

static void dial_stream_on_worker_done(void *arg, const struct relay_result *result, int status)
{
	struct dialer *d = arg;

	gn_timer_stop(st.wait);
	st.worker_done = true;
	if (d->signal) {
		dialer_close(d, 128 + d->signal);
	} else if (st.failed) {
		dialer_failed(d, st.failed);
	} else {
		streamlog_close(&st.log, result, status, worker_metrics(st.worker));
		dialer_close(d, result->fault != RELAY_CLEAN ? streamlog_exit_code(result) : status);
	}
}

static int dial_stream_start_relay(struct dialer *d, struct gn_channel *ch)
{
	const struct relay_cfg cfg = {
		.ch = ch,
		.in = st.in,
		.end_follows = d->cfg.recv_only,
		.out = st.out,
		.framer = d->cfg.wire.frames ? &st.framer : NULL,
		.format = d->cfg.wire.format_out,
		.on_opened = dial_stream_on_opened,
		.on_done = dial_stream_on_relay_done,
		.arg = d,
	};

	return relay_new(&cfg, d->loop, &st.relay);
}

static int dial_stream_start_worker(struct dialer *d, struct gn_channel *ch)
{
	const struct worker_cfg cfg = {
		.loop = d->loop,
		.ch = ch,
		.self = &d->self,
		.argv = d->argv,
		.fd_in = PROG_IN,
		.fd_out = PROG_OUT,
		.frames = d->cfg.wire.frames,
		.format = d->cfg.wire.format,
		.max_frame = d->cfg.wire.max_frame,
		.on_opened = dial_stream_on_opened,
		.on_done = dial_stream_on_worker_done,
		.arg = d,
	};

	return worker_new(&cfg, &st.worker);
}

static void dial_stream_on_dialled(void *arg, int err, struct gn_channel *ch)
{
	struct dialer *d = arg;

	st.dial = NULL;
	if (err != 0) {
		gn_timer_stop(st.wait);
		dialer_failed(d, err);
		return;
	}
	if (d->cfg.log.verbose && !d->cfg.log.json)
		attempts_print(&d->attempts);
	streamlog_open(&st.log, &d->cfg.log, ch);
	err = d->argv != NULL ? dial_stream_start_worker(d, ch) : dial_stream_start_relay(d, ch);
	if (err == 0)
		return;
	gn_channel_reset(ch);
	gn_channel_free(ch);
	diag("%s: %s", d->argv != NULL ? d->argv[0] : "cannot carry it", gn_strerror(err));
	dialer_close(d, d->argv != NULL ? program_error_code(err) : EXIT_LOCAL);
}

int stream_start(struct dialer *d)
{
	const struct input_cfg in = {.fd = STDIN_FILENO, .ring = INPUT_BULK};
	struct gn_dial_cfg cfg = {
		.protocol = d->protocol,
		.kind = d->cfg.wire.frames ? GN_FRAMES : GN_BYTES,
		.max_frame = d->cfg.wire.max_frame,
		.on_done = dial_stream_on_dialled,
		.arg = d,
	};
	int err;

	st.d = d;
	err = gn_timer_new(d->loop, dial_stream_on_wait, d, &st.wait);
	if (err == 0 && d->argv == NULL) {
		if (!d->cfg.recv_only)
			err = input_new(d->loop, &in, &st.in);
		if (err != 0)
			die(EXIT_LOCAL, "standard input: %s", gn_strerror(err));
		err = output_new(d->loop, STDOUT_FILENO, false, &st.out);
		if (err != 0)
			die(EXIT_LOCAL, "standard output: %s", gn_strerror(err));
		framer_init(&st.framer, st.in, d->cfg.wire.format, d->cfg.wire.max_frame);
	}
	if (err != 0)
		return err;
	dialer_target(d, &cfg.target);
	err = gn_dial_start(d->node, &cfg, &st.dial);
	if (err == 0 && d->cfg.wait != 0)
		gn_timer_start(st.wait, d->cfg.wait);
	return err;
}

bool stream_end_program(void)
{
	if (st.worker == NULL || st.worker_done)
		return false;
	gn_timer_stop(st.wait);
	worker_stop(st.worker, RELAY_PEER, GN_ECLOSED);
	return true;
}

void stream_stop(void)
{
	if (st.dial != NULL)
		gn_dial_cancel(st.dial);
	st.dial = NULL;
	relay_free(st.relay);
	worker_free(st.worker);
	framer_fini(&st.framer);
	input_free(st.in);
	output_free(st.out);
	gn_timer_free(st.wait);
	streamlog_fini(&st.log);
	st.relay = NULL;
	st.worker = NULL;
	st.in = NULL;
	st.out = NULL;
	st.wait = NULL;
}
