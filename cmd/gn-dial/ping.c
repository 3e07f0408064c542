/* SPDX-License-Identifier: MIT */
/* --ping: prints round-trip times, a line each. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/json.h"
#include "common/results.h"
#include "common/diag.h"
#include "dialer.h"

static struct gn_ping *op;

/* Prints one result.  Returns false when stdout has failed, which was reported then. */
static bool ping_print(bool json, unsigned seq, gn_time rtt)
{
	struct json j;
	int err;

	if (json) {
		json_open(&j);
		json_int(&j, "seq", seq);
		json_seconds(&j, "rtt", rtt);
		err = json_send(&j, STDOUT_FILENO);
	} else {
		printf("%u %.6f\n", seq, (double)rtt / (double)GN_SEC);
		err = fflush(stdout) ? -errno : 0;
	}
	if (err != 0 && err != -EPIPE)
		diag("standard output: %s", gn_strerror(err));
	return err == 0;
}

static void on_rtt(void *arg, unsigned seq, gn_time rtt)
{
	struct dialer *d = arg;

	if (d->closing || ping_print(d->cfg.log.json, seq + 1, rtt))
		return;
	ping_stop();
	dialer_close(d, EXIT_LOCAL);
}

static void dial_ping_on_done(void *arg, int err)
{
	struct dialer *d = arg;

	op = NULL;
	if (err != 0)
		dialer_failed(d, err);
	else
		dialer_close(d, results_close(0));
}

int ping_start(struct dialer *d)
{
	struct gn_ping_cfg cfg = {
		.count = d->cfg.pings,
		.interval = d->cfg.interval,
		.on_rtt = on_rtt,
		.on_done = dial_ping_on_done,
		.arg = d,
	};

	dialer_target(d, &cfg.target);
	return gn_ping_start(d->node, &cfg, &op);
}

void ping_stop(void)
{
	if (op != NULL)
		gn_ping_cancel(op);
	op = NULL;
}
