/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/errout.h"
#include "common/terminal.h"

#define EVERY (GN_SEC / 4)
#define PART 32 /* room for a part of the line */

struct progress {
	struct gn_loop *loop;
	struct gn_timer *timer;
	uint64_t (*total)(void *arg);
	void *arg;
	struct progress_rate rate;
	uint64_t first; /* the result of total() at the start */
	gn_time since;
	long long size;
	bool is_on;
};

/* Formats three significant digits: 9.87M, 98.7M, 987M. */
static void format_bytes(double n, char text[PART])
{
	static const char units[] = "BKMGTPE";
	unsigned u = 0;

	while (n >= 1023.5 && units[u + 1] != '\0') {
		n /= 1024;
		u++;
	}
	snprintf(text, PART, "%.*f%c", !u || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2, n, units[u]);
}

static void format_time(double s, char text[PART])
{
	unsigned long t = s < 360000 ? (unsigned long)(s + 0.5) : 360000;

	if (t >= 3600)
		snprintf(text, PART, "%lu:%02lu:%02lu", t / 3600, t / 60 % 60, t % 60);
	else
		snprintf(text, PART, "%lu:%02lu", t / 60, t % 60);
}

/* Writes the first of the forms that fits.  A form is a string in which 'a' stands for parts[0], 'b' for
 * parts[1] and so on; blanks are put between the parts.  A form with an unknown part ("") is skipped.  If
 * none fits, the text is empty. */
static void progress_choose(const char *const *forms, char (*parts)[PART], size_t most, char text[PROGRESS_LINE])
{
	text[0] = '\0';
	for (; *forms != NULL; forms++) {
		size_t len = 0;
		bool is_whole = true;

		for (const char *c = *forms; *c != '\0'; c++) {
			const char *part = parts[*c - 'a'];

			is_whole = is_whole && part[0] != '\0';
			len += (size_t)snprintf(text + len, PROGRESS_LINE - len, "%s%s", len > 0 ? " " : "", part);
		}
		if (is_whole && len <= most)
			return;
		text[0] = '\0';
	}
}

void progress_format(const struct progress_state *s, size_t most, char text[PROGRESS_LINE])
{
	/* a: bytes; b: bytes of all; c: percent; d: rate; e: time left; f: the same without "left" */
	static const char *const forms[] = {"bcde", "bcdf", "acdf", "cdf", "bcd", "acd", "cd",
					    "bc",   "ac",   "ad",   "c",   "a",   NULL};
	char parts[6][PART] = {{0}}, of[PART];
	bool is_sized = s->size > 0 && s->total <= (uint64_t)s->size;

	format_bytes((double)s->total, parts[0]);
	if (is_sized) {
		format_bytes((double)s->size, of);
		snprintf(parts[1], PART, "%.10s/%.10s", parts[0], of);
		snprintf(parts[2], PART, "%d%%", (int)(100.0 * (double)s->total / (double)s->size));
	}
	if (s->rate >= 0) {
		format_bytes(s->rate, of);
		snprintf(parts[3], PART, "%.10s/s", of);
	}
	if (is_sized && s->rate >= 1) {
		format_time(((double)s->size - (double)s->total) / s->rate, parts[5]);
		snprintf(parts[4], PART, "%.12s left", parts[5]);
	}
	progress_choose(forms, parts, most, text);
}

void progress_format_end(const struct progress_state *s, gn_time took, const char *path, size_t most,
			 char text[PROGRESS_LINE])
{
	static const char *const forms[] = {"abcd", "abd", "ad", "a", NULL};
	char parts[4][PART] = {{0}}, rate[PART];

	format_bytes((double)s->total, parts[0]);
	format_bytes(s->rate >= 0 ? s->rate : 0, rate);
	snprintf(parts[1], PART, "%.10s/s", rate);
	format_time((double)took / (double)GN_SEC, parts[2]);
	snprintf(parts[3], PART, "%.20s", path);
	progress_choose(forms, parts, most, text);
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

/* The longest line.  The last column stays free, since some terminals wrap when it is written to. */
static size_t progress_room(void)
{
	unsigned columns = terminal_columns(STDERR_FILENO);
	size_t share = PROGRESS_SHARE(columns) > PROGRESS_SHORT ? PROGRESS_SHARE(columns) : PROGRESS_SHORT;

	return share < columns ? share : columns - 1;
}

static void progress_on_timer(void *arg)
{
	struct progress *p = arg;
	struct progress_state s = {.total = p->total(p->arg) - p->first, .size = p->size};
	char text[PROGRESS_LINE];

	s.rate = progress_rate_add(&p->rate, gn_loop_now(p->loop), s.total);
	progress_format(&s, progress_room(), text);
	errout_progress(text, strlen(text));
	gn_timer_start(p->timer, EVERY);
}

int progress_new(struct gn_loop *loop, uint64_t (*total)(void *arg), void *arg, struct progress **out)
{
	struct progress *p = calloc(1, sizeof *p);
	int err;

	if (p == NULL)
		return -ENOMEM;
	p->loop = loop;
	p->total = total;
	p->arg = arg;
	err = gn_timer_new(loop, progress_on_timer, p, &p->timer);
	if (err != 0) {
		free(p);
		return err;
	}
	*out = p;
	return 0;
}

void progress_start(struct progress *p, long long size)
{
	if (p == NULL)
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
	if (p == NULL || !p->is_on)
		return;
	p->is_on = false;
	gn_timer_stop(p->timer);
	errout_progress("", 0);
}

void progress_end(struct progress *p, const char *path)
{
	struct progress_state s = {.size = -1};
	char text[PROGRESS_LINE];
	gn_time took;
	size_t len;

	if (p == NULL || !p->is_on)
		return;
	progress_stop(p);
	took = gn_loop_now(p->loop) - p->since;
	s.total = p->total(p->arg) - p->first;
	s.rate = took > 0 ? (double)s.total * (double)GN_SEC / (double)took : 0;
	progress_format_end(&s, took, path, progress_room(), text);
	len = strlen(text);
	text[len++] = '\n';
	errout_line(ERROUT_TEXT, text, len);
}

void progress_free(struct progress *p)
{
	if (p == NULL)
		return;
	gn_timer_free(p->timer);
	free(p);
}
