/* SPDX-License-Identifier: MIT */
#include "netblock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "diag.h"

#define PERIOD GN_SEC                    /* a token is added in each */
#define FORGET (NETBLOCK_BURST * PERIOD) /* after that time an entry has all its tokens again and can be freed */

/* Multicodecs of the components that an address may begin with (multiaddr's protocols.csv). */
enum { CODE_IP4 = 4, CODE_IP6 = 41, CODE_IP6ZONE = 42 };

static void netblock_take_ip6(const uint8_t *ip, struct netblock *out)
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

void netblock_of(const struct gn_multiaddr *addr, struct netblock *out)
{
	size_t len = 0, skip;
	const uint8_t *p = addr != NULL ? gn_multiaddr_bytes(addr, &len) : NULL;
	uint64_t zone;
	int n;

	*out = (struct netblock){0};
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
		netblock_take_ip6(p + 1, out);
	}
}

const char *netblock_format(const struct netblock *b, char text[NETBLOCK_TEXT_MAX])
{
	const uint8_t *p = b->bytes;

	if (b->family == 4)
		snprintf(text, NETBLOCK_TEXT_MAX, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
	else if (b->family == 6)
		snprintf(text, NETBLOCK_TEXT_MAX, "%x:%x:%x:%x::/64", p[0] << 8 | p[1], p[2] << 8 | p[3],
			 p[4] << 8 | p[5], p[6] << 8 | p[7]);
	else
		snprintf(text, NETBLOCK_TEXT_MAX, "other addresses");
	return text;
}

bool netblock_is_loopback(const struct netblock *b)
{
	static const uint8_t zero[sizeof b->bytes];

	if (b->family == 4)
		return b->bytes[0] == 127;
	/* ::/64 has no other addresses in use. */
	return b->family == 6 && memcmp(b->bytes, zero, sizeof zero) == 0;
}

bool netblock_is_equal(const struct netblock *a, const struct netblock *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static void netblock_report(struct netblock_entry *e, void (*on_suppressed)(const struct netblock *b, uint64_t n))
{
	uint64_t n = e->suppressed;

	e->suppressed = 0;
	if (n > 0)
		on_suppressed(&e->block, n);
}

/* Frees the entries that were not used for FORGET, and reports what they have suppressed. */
static void netblock_sweep(struct netblock_table *t, gn_time now,
			   void (*on_suppressed)(const struct netblock *b, uint64_t n))
{
	if (t->swept != 0 && now - t->swept < PERIOD)
		return;
	t->swept = now;
	for (size_t i = 0; i <= NETBLOCK_MAX; i++) {
		struct netblock_entry *e = &t->entry[i];

		if (e->last == 0 || now - e->last < FORGET)
			continue;
		netblock_report(e, on_suppressed);
		e->last = 0;
	}
}

static struct netblock_entry *netblock_find(struct netblock_table *t, const struct netblock *b, gn_time now)
{
	struct netblock_entry *unused = NULL, *e;

	for (size_t i = 0; i < NETBLOCK_MAX; i++) {
		e = &t->entry[i];
		if (e->last == 0)
			unused = unused == NULL ? e : unused;
		else if (netblock_is_equal(&e->block, b))
			return e;
	}
	e = unused != NULL ? unused : &t->entry[NETBLOCK_MAX];
	if (e->last == 0)
		*e = (struct netblock_entry){.refilled = now, .tokens = NETBLOCK_BURST};
	if (e == unused)
		e->block = *b;
	return e;
}

bool netblock_take(struct netblock_table *t, const struct netblock *b, gn_time now,
		   void (*on_suppressed)(const struct netblock *b, uint64_t n))
{
	struct netblock_entry *e;
	gn_time due;

	netblock_sweep(t, now, on_suppressed);
	e = netblock_find(t, b, now);
	e->last = now;
	due = now > e->refilled ? (now - e->refilled) / PERIOD : 0;
	e->refilled += due * PERIOD;
	e->tokens = due > NETBLOCK_BURST - (gn_time)e->tokens ? NETBLOCK_BURST : e->tokens + (unsigned)due;
	if (e->tokens == 0) {
		e->suppressed++;
		return false;
	}
	e->tokens--;
	netblock_report(e, on_suppressed);
	return true;
}

static void netblock_print_suppressed(const struct netblock *b, uint64_t n)
{
	char text[NETBLOCK_TEXT_MAX];

	diag("%" PRIu64 " %s about %s %s left out", n, n == 1 ? "line" : "lines", netblock_format(b, text),
	     n == 1 ? "was" : "were");
}

bool netblock_may_print(const struct netblock *b)
{
	static struct netblock_table table;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return netblock_take(&table, b, (gn_time)now.tv_sec * GN_SEC + now.tv_nsec, netblock_print_suppressed);
}
