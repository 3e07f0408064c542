/* SPDX-License-Identifier: MIT */
/* The dialer: connects and carries one stream. */
#include <stdlib.h>
#include <unistd.h>

#include "cat.h"
#include "common/exit.h"
#include "common/diag.h"
#include "report.h"

#define CLOSE_LIMIT (2 * GN_SEC)
#define DIE_LIMIT (GN_SEC / 2) /* the time to send a reset after a signal */

static struct {
	struct gn_dial *op;
	struct gn_timer *wait;
} st;

static void cat_dial_failed(struct cat *c, int err)
{
	cat_close(c, attempts_report(&c->attempts, &c->cfg.log, &c->targets, err), CLOSE_LIMIT);
}

static void cat_dial_on_wait(void *arg)
{
	struct cat *c = arg;

	if (st.op != NULL)
		gn_dial_cancel(st.op);
	st.op = NULL;
	carry_stop(c);
	cat_dial_failed(c, GN_ETIMEOUT);
}

static void cat_dial_on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	attempts_add(&((struct cat *)arg)->attempts, addr, err, took);
}

static void cat_dial_on_opened(void *arg)
{
	(void)arg;
	gn_timer_stop(st.wait);
}

static void cat_dial_on_done(struct cat *c, const struct stream_result *v)
{
	gn_timer_stop(st.wait);
	cat_close(c, report_code(v), CLOSE_LIMIT);
}

static void cat_dial_on_dialled(void *arg, int err, struct gn_channel *ch)
{
	struct cat *c = arg;

	st.op = NULL;
	if (err == 0) {
		if (c->cfg.log.verbose && !c->cfg.log.json)
			attempts_print(&c->attempts);
		err = carry_start(c, ch, cat_dial_on_opened, cat_dial_on_done);
	}
	if (err == 0)
		return;
	gn_timer_stop(st.wait);
	cat_dial_failed(c, err);
}

int dial_start(struct cat *c)
{
	const struct gn_dial_cfg cfg = {
		.target = {.addrs = c->targets.addrs,
			   .n_addrs = c->targets.n,
			   .limit = c->cfg.wait,
			   .on_attempt = cat_dial_on_attempt},
		.protocol = c->protocol,
		.kind = GN_BYTES,
		.on_done = cat_dial_on_dialled,
		.arg = c,
	};
	int err = gn_timer_new(c->loop, cat_dial_on_wait, c, &st.wait);

	if (err == 0)
		err = gn_dial_start(c->node, &cfg, &st.op);
	if (err != 0)
		cat_dial_failed(c, err);
	else if (c->cfg.wait != 0)
		gn_timer_start(st.wait, c->cfg.wait);
	return 0;
}

/* The stream is reset, so that the peer knows that something is missing; the signal itself comes when that
 * went out. */
void dial_on_signal(struct cat *c, int sig)
{
	if (c->signal)
		exit_by_signal(sig);
	c->signal = sig;
	if (c->closing)
		gn_loop_stop(c->loop);
	dial_stop(c);
	carry_stop(c);
	cat_close(c, 128 + sig, DIE_LIMIT);
}

void dial_stop(struct cat *c)
{
	(void)c;
	if (st.op != NULL)
		gn_dial_cancel(st.op);
	st.op = NULL;
	gn_timer_free(st.wait);
	st.wait = NULL;
}
