/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/errout.h"

#define EVERY (GN_SEC / 4)

struct progress {
	struct gn_loop *loop;
	struct gn_timer *timer;
	uint64_t (*total)(void *arg);
	void *arg;
	struct progress_rate rate;
	uint64_t first; /* what total() said at the start */
	gn_time since;
	long long size;
	bool is_on, is_drawn;
};

/* Three digits that count: 9.87, 98.7, 987. */
static int format_bytes(double n, char *text, size_t room)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned u = 0;

	while (n >= 1023.5 && u + 1 < sizeof units / sizeof *units) {
		n /= 1024;
		u++;
	}
	return snprintf(text, room, "%.*f %s", !u || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2, n, units[u]);
}

static int format_time(double s, char *text, size_t room)
{
	unsigned long t = s < 360000 ? (unsigned long)(s + 0.5) : 360000;

	if (t >= 3600)
		return snprintf(text, room, "%lu:%02lu:%02lu", t / 3600, t / 60 % 60, t % 60);
	return snprintf(text, room, "%lu:%02lu", t / 60, t % 60);
}

void progress_format(uint64_t total, double rate, long long size, char text[PROGRESS_LINE])
{
	char bytes[24], speed[24], left[24];

	format_bytes((double)total, bytes, sizeof bytes);
	if (rate < 0) {
		snprintf(text, PROGRESS_LINE, "%s", bytes);
		return;
	}
	format_bytes(rate, speed, sizeof speed);
	if (size < 0 || rate < 1 || total >= (uint64_t)size) {
		snprintf(text, PROGRESS_LINE, "%s  %s/s", bytes, speed);
		return;
	}
	format_time(((double)size - (double)total) / rate, left, sizeof left);
	snprintf(text, PROGRESS_LINE, "%s  %s/s  %d%%  %s left", bytes, speed,
		 (int)(100.0 * (double)total / (double)size), left);
}

double progress_rate_add(struct progress_rate *r, gn_time now, uint64_t bytes)
{
	unsigned oldest = r->n < PROGRESS_SAMPLES ? 0 : (r->n + 1) % PROGRESS_SAMPLES;
	unsigned i = r->n % PROGRESS_SAMPLES;

	r->bytes[i] = bytes;
	r->at[i] = now;
	r->n++;
	if (r->n == 1 || now <= r->at[oldest])
		return -1;
	return (double)(bytes - r->bytes[oldest]) * (double)GN_SEC / (double)(now - r->at[oldest]);
}

static void draw(struct progress *p, double rate, const char *end)
{
	char text[PROGRESS_LINE], line[PROGRESS_LINE + 16];
	int n;

	progress_format(p->total(p->arg) - p->first, rate, p->size, text);
	n = snprintf(line, sizeof line, "\r\033[K%s%s", text, end);
	if (end[0] != '\0')
		errout_line(ERROUT_TEXT, line, (size_t)n);
	else
		errout_progress(line, (size_t)n);
	p->is_drawn = true;
}

static void on_timer(void *arg)
{
	struct progress *p = arg;

	draw(p, progress_rate_add(&p->rate, gn_loop_now(p->loop), p->total(p->arg) - p->first), "");
	gn_timer_start(p->timer, EVERY);
}

int progress_new(struct gn_loop *loop, uint64_t (*total)(void *arg), void *arg, struct progress **out)
{
	struct progress *p = calloc(1, sizeof *p);
	int err;

	if (!p)
		return -ENOMEM;
	p->loop = loop;
	p->total = total;
	p->arg = arg;
	err = gn_timer_new(loop, on_timer, p, &p->timer);
	if (err) {
		free(p);
		return err;
	}
	*out = p;
	return 0;
}

void progress_start(struct progress *p, long long size)
{
	if (!p)
		return;
	p->size = size;
	p->first = p->total(p->arg);
	p->since = gn_loop_now(p->loop);
	p->rate.n = 0;
	p->is_on = true;
	progress_rate_add(&p->rate, p->since, 0);
	gn_timer_start(p->timer, EVERY);
}

void progress_stop(struct progress *p)
{
	gn_time took;

	if (!p || !p->is_on)
		return;
	p->is_on = false;
	gn_timer_stop(p->timer);
	took = gn_loop_now(p->loop) - p->since;
	p->size = -1;
	draw(p, took > 0 ? (double)(p->total(p->arg) - p->first) * (double)GN_SEC / (double)took : -1, "\n");
	p->is_drawn = false;
}

void progress_hide(struct progress *p)
{
	static const char clear[] = "\r\033[K";

	if (!p || !p->is_drawn)
		return;
	p->is_drawn = false;
	errout_progress(clear, sizeof clear - 1);
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	gn_timer_free(p->timer);
	free(p);
}
