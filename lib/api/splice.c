/* SPDX-License-Identifier: MIT */
#include "api/splice.h"

#include "base/time.h"

enum {
	RATE_BURST = 64 * 1024, /* bytes that may go at once under a limit of the rate */
	RATE_LEAST = 4 * 1024,  /* a flow that has used up its rate goes on with that many bytes */
};

static void splice_on_timer(void *arg)
{
	struct gn_splice *s = arg;

	gn_task_post(s->loop, &s->task);
}

void gn_splice_init(struct gn_splice *s, struct gn_loop *loop, const struct gn_splice_cfg *cfg,
		    void (*run)(struct gn_task *task))
{
	s->loop = loop;
	s->cfg = *cfg;
	s->deadline = cfg->limit > 0 ? gn_time_add(gn_loop_now(loop), cfg->limit) : GN_NEVER;
	for (int i = 0; i < 2; i++) {
		s->flows[i].splice = s;
		s->flows[i].tokens = RATE_BURST;
		s->flows[i].refilled = gn_loop_now(loop);
	}
	gn_task_init(&s->task, run);
	gn_timer_init(&s->timer, loop, splice_on_timer, s);
}

void gn_splice_fini(struct gn_splice *s)
{
	gn_task_cancel(&s->task);
	gn_timer_fini(&s->timer);
}

static void refill(struct gn_splice_flow *f)
{
	gn_time now = gn_loop_now(f->splice->loop);
	double earned = (double)(now - f->refilled) / (double)GN_SEC * (double)f->splice->cfg.rate;

	if (earned < 1)
		return;
	f->tokens = earned > RATE_BURST ? RATE_BURST : f->tokens + (uint64_t)earned;
	if (f->tokens > RATE_BURST)
		f->tokens = RATE_BURST;
	f->refilled = now;
}

uint64_t gn_splice_allowance(struct gn_splice_flow *f)
{
	const struct gn_splice_cfg *cfg = &f->splice->cfg;
	uint64_t most = cfg->max_bytes > 0 ? cfg->max_bytes - f->bytes : UINT64_MAX;

	if (cfg->rate == 0)
		return most;
	refill(f);
	return f->tokens < most ? f->tokens : most;
}

void gn_splice_passed(struct gn_splice_flow *f, uint64_t n)
{
	f->bytes += n;
	f->tokens -= n < f->tokens ? n : f->tokens;
}

bool gn_splice_is_over(const struct gn_splice_flow *f)
{
	return f->state == GN_SPLICE_DONE || f->state == GN_SPLICE_CUT;
}

void gn_splice_cut(struct gn_splice_flow *f, int err)
{
	if (gn_splice_is_over(f))
		return;
	f->state = GN_SPLICE_CUT;
	if (f->splice->err == 0)
		f->splice->err = err;
}

bool gn_splice_is_past_max(const struct gn_splice_flow *f)
{
	uint64_t max = f->splice->cfg.max_bytes;

	return max > 0 && f->bytes >= max && f->state == GN_SPLICE_FLOWING;
}

/* When the next bytes may go that the rate holds back; GN_NEVER when none wait. */
static gn_time throttled_until(struct gn_splice_flow *f, void (*go_on)(struct gn_splice_flow *f))
{
	uint64_t left;

	if (!f->is_throttled || f->splice->cfg.rate == 0)
		return GN_NEVER;
	refill(f);
	left = f->tokens < RATE_LEAST ? RATE_LEAST - f->tokens : 0;
	if (left == 0) {
		f->is_throttled = false;
		go_on(f);
		return GN_NEVER;
	}
	return gn_time_add(f->refilled, (gn_time)((double)left / (double)f->splice->cfg.rate * (double)GN_SEC) + 1);
}

static void report(struct gn_splice *s)
{
	const struct gn_splice_cfg cfg = s->cfg;
	uint64_t a_to_b = s->flows[0].bytes, b_to_a = s->flows[1].bytes;
	int err = s->err;

	s->release(s, err == 0);
	if (cfg.on_done != NULL)
		cfg.on_done(cfg.arg, err, a_to_b, b_to_a);
}

bool gn_splice_finish(struct gn_splice *s, void (*go_on)(struct gn_splice_flow *f))
{
	gn_time wake = s->deadline;

	if (s->deadline <= gn_loop_now(s->loop))
		for (int i = 0; i < 2; i++)
			gn_splice_cut(&s->flows[i], GN_ETIMEOUT);
	/* A flow that is cut by a limit takes the other one with it; one whose side has failed leaves the other
	 * flow the bytes that had come before. */
	if ((gn_splice_is_over(&s->flows[0]) && gn_splice_is_over(&s->flows[1])) || s->err == GN_ELIMIT) {
		report(s);
		return true;
	}
	for (int i = 0; i < 2; i++)
		if (!gn_splice_is_over(&s->flows[i]))
			wake = gn_time_min(wake, throttled_until(&s->flows[i], go_on));
	gn_timer_start_at(&s->timer, wake);
	return false;
}

void gn_splice_cancel(struct gn_splice *s)
{
	if (s != NULL)
		s->release(s, false);
}

void gn_splice_count(const struct gn_splice *s, uint64_t *a_to_b, uint64_t *b_to_a)
{
	*a_to_b = s->flows[0].bytes;
	*b_to_a = s->flows[1].bytes;
}
