/* SPDX-License-Identifier: MIT */
#include "origin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "diag.h"

#define PERIOD GN_SEC                  /* a token each */
#define FORGET (ORIGIN_BURST * PERIOD) /* after so long an entry has all its tokens again and says nothing */

/* Multicodecs of the components that an address may begin with (multiaddr's protocols.csv). */
enum { CODE_IP4 = 4, CODE_IP6 = 41, CODE_IP6ZONE = 42 };

static void take_ip6(const uint8_t *ip, struct origin *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(ip, mapped, sizeof mapped) == 0) {
		out->family = 4;
		memcpy(out->bytes, ip + 12, 4);
	} else {
		out->family = 6;
		memcpy(out->bytes, ip, 8);
	}
}

void origin_of(const struct gn_multiaddr *addr, struct origin *out)
{
	size_t len = 0, skip;
	const uint8_t *p = addr != NULL ? gn_multiaddr_bytes(addr, &len) : NULL;
	uint64_t zone;
	int n;

	*out = (struct origin){0};
	/* A zone is a length-prefixed string in front of the address. */
	if (len > 0 && p[0] == CODE_IP6ZONE) {
		n = gn_uvarint_decode(p + 1, len - 1, &zone);
		if (n < 0 || zone > len - 1 - (size_t)n)
			return;
		skip = 1 + (size_t)n + (size_t)zone;
		p += skip;
		len -= skip;
	}
	if (len >= 1 + 4 && p[0] == CODE_IP4) {
		out->family = 4;
		memcpy(out->bytes, p + 1, 4);
	} else if (len >= 1 + 16 && p[0] == CODE_IP6) {
		take_ip6(p + 1, out);
	}
}

const char *origin_format(const struct origin *o, char text[ORIGIN_TEXT_MAX])
{
	const uint8_t *b = o->bytes;

	if (o->family == 4)
		snprintf(text, ORIGIN_TEXT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	else if (o->family == 6)
		snprintf(text, ORIGIN_TEXT_MAX, "%x:%x:%x:%x::/64", b[0] << 8 | b[1], b[2] << 8 | b[3],
			 b[4] << 8 | b[5], b[6] << 8 | b[7]);
	else
		snprintf(text, ORIGIN_TEXT_MAX, "other addresses");
	return text;
}

static bool is_equal(const struct origin *a, const struct origin *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static void print_left_out(struct origin_entry *e, void (*on_left_out)(const struct origin *o, uint64_t n))
{
	uint64_t n = e->left_out;

	e->left_out = 0;
	if (n > 0)
		on_left_out(&e->who, n);
}

/* Frees the entries that nothing was heard of for long, and tells what they have left out. */
static void sweep(struct origin_table *t, gn_time now, void (*on_left_out)(const struct origin *o, uint64_t n))
{
	if (t->swept != 0 && now - t->swept < PERIOD)
		return;
	t->swept = now;
	for (size_t i = 0; i <= ORIGIN_MAX; i++) {
		struct origin_entry *e = &t->entry[i];

		if (e->last == 0 || now - e->last < FORGET)
			continue;
		print_left_out(e, on_left_out);
		e->last = 0;
	}
}

static struct origin_entry *origin_find(struct origin_table *t, const struct origin *o, gn_time now)
{
	struct origin_entry *unused = NULL, *e;

	for (size_t i = 0; i < ORIGIN_MAX; i++) {
		e = &t->entry[i];
		if (e->last == 0)
			unused = unused == NULL ? e : unused;
		else if (is_equal(&e->who, o))
			return e;
	}
	e = unused != NULL ? unused : &t->entry[ORIGIN_MAX];
	if (e->last == 0)
		*e = (struct origin_entry){.refilled = now, .tokens = ORIGIN_BURST};
	if (e == unused)
		e->who = *o;
	return e;
}

bool origin_take(struct origin_table *t, const struct origin *o, gn_time now,
		 void (*on_left_out)(const struct origin *o, uint64_t n))
{
	struct origin_entry *e;
	gn_time due;

	sweep(t, now, on_left_out);
	e = origin_find(t, o, now);
	e->last = now;
	due = now > e->refilled ? (now - e->refilled) / PERIOD : 0;
	e->refilled += due * PERIOD;
	e->tokens = due > ORIGIN_BURST - (gn_time)e->tokens ? ORIGIN_BURST : e->tokens + (unsigned)due;
	if (e->tokens == 0) {
		e->left_out++;
		return false;
	}
	e->tokens--;
	print_left_out(e, on_left_out);
	return true;
}

static void report_left_out(const struct origin *o, uint64_t n)
{
	char text[ORIGIN_TEXT_MAX];

	diag("%" PRIu64 " %s about %s %s left out", n, n == 1 ? "line" : "lines", origin_format(o, text),
	     n == 1 ? "was" : "were");
}

bool origin_may_print(const struct origin *o)
{
	static struct origin_table table;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return origin_take(&table, o, (gn_time)now.tv_sec * GN_SEC + now.tv_nsec, report_left_out);
}
