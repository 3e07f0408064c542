/* SPDX-License-Identifier: MIT */
#include "dialer.h"

#define CLOSE_LIMIT (2 * GN_SEC)

static void dial_dialer_on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct dialer *d = arg;

	attempts_add(&d->attempts, addr, err, took);
}

void dialer_target(struct dialer *d, struct gn_target *out)
{
	*out = (struct gn_target){
		.addrs = d->targets.addrs,
		.n_addrs = d->targets.n,
		.limit = d->cfg.wait,
		.on_attempt = dial_dialer_on_attempt,
	};
}

static void dial_dialer_on_closed(void *arg)
{
	struct dialer *d = arg;

	gn_loop_stop(d->loop);
}

void dialer_close(struct dialer *d, int code)
{
	if (d->closing)
		return;
	d->closing = true;
	d->code = code;
	if (gn_node_close(d->node, CLOSE_LIMIT, dial_dialer_on_closed, d))
		gn_loop_stop(d->loop);
}

void dialer_failed(struct dialer *d, int err)
{
	dialer_close(d, attempts_report(&d->attempts, &d->cfg.log, &d->targets, err));
}
