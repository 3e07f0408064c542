/* SPDX-License-Identifier: MIT */
#include "limit.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "gn.h"
#include "number.h"

enum kind { COUNT, SIZE, SPAN };

struct limit {
	const char *name; /* the field's name, with '-' for '_' */
	enum kind kind;
	size_t at;              /* offset in struct gn_limits */
	uint64_t least;         /* of a span: 1, or 0 where that means "never" */
	const char *least_text; /* for a fault */
};

#define FIELD(name) offsetof(struct gn_limits, name)

/* In the order of struct gn_limits.  256 KiB is the initial window of a yamux stream, so none can be
 * smaller. */
static const struct limit limits[] = {
	{"conns", COUNT, FIELD(conns), 1, "1"},
	{"conns-low", COUNT, FIELD(conns_low), 1, "1"},
	{"conns-high", COUNT, FIELD(conns_high), 1, "1"},
	{"conns-per-addr", COUNT, FIELD(conns_per_addr), 1, "1"},
	{"conns-pending", COUNT, FIELD(conns_pending), 1, "1"},
	{"dials", COUNT, FIELD(dials), 1, "1"},
	{"streams-per-conn", COUNT, FIELD(streams_per_conn), 1, "1"},
	{"streams-per-peer", COUNT, FIELD(streams_per_peer), 1, "1"},
	{"memory", SIZE, FIELD(memory), (size_t)1 << 20, "1M"},
	{"memory-per-peer", SIZE, FIELD(memory_per_peer), (size_t)256 << 10, "256K"},
	{"window", SIZE, FIELD(window), (size_t)256 << 10, "256K"},
	{"accept", SPAN, FIELD(accept), 1, NULL},
	{"first-stream", SPAN, FIELD(first_stream), 1, NULL},
	{"negotiate", SPAN, FIELD(negotiate), 1, NULL},
	{"dial", SPAN, FIELD(dial), 1, NULL},
	{"attempt", SPAN, FIELD(attempt), 1, NULL},
	{"ping", SPAN, FIELD(ping), 1, NULL},
	{"keepalive", SPAN, FIELD(keepalive), 0, NULL},
	{"idle", SPAN, FIELD(idle), 0, NULL},
};

enum { N_LIMITS = sizeof limits / sizeof limits[0] };

static int fault_names(struct fault *f, const char *value)
{
	char names[300];
	size_t at = 0;

	for (size_t i = 0; i < N_LIMITS; i++)
		at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i > 0 ? ", " : "", limits[i].name);
	return fault_set(f, "'%.40s' is not NAME=VALUE with a NAME of: %s", value, names);
}

/* The value of this limit has a fault. */
static int fault_value(const struct limit *l, struct fault *f)
{
	const struct fault of_value = *f;

	return fault_set(f, "%s: %.300s", l->name, of_value.text);
}

static int set_count(const struct limit *l, const char *text, void *to, struct fault *f)
{
	uint64_t v;

	if (number_parse(text, l->least, UINT_MAX, &v, f) != 0)
		return fault_value(l, f);
	*(unsigned *)to = (unsigned)v;
	return 0;
}

static int set_size(const struct limit *l, const char *text, void *to, struct fault *f)
{
	size_t v;

	if (number_parse_size(text, &v, f) != 0)
		return fault_value(l, f);
	if (v < l->least)
		return fault_set(f, "%s is at least %s", l->name, l->least_text);
	*(size_t *)to = v;
	return 0;
}

static int set_span(const struct limit *l, const char *text, void *to, struct fault *f)
{
	gn_time v;

	if (number_parse_time(text, &v, f) != 0)
		return fault_value(l, f);
	if (v < (gn_time)l->least)
		return fault_set(f, "%s may not be 0", l->name);
	*(gn_time *)to = v == 0 ? GN_NEVER : v; /* 0 in struct gn_limits is the default */
	return 0;
}

void limits_for_one_peer(struct gn_limits *lim)
{
	if (lim->memory_per_peer == 0)
		lim->memory_per_peer = lim->memory / 2;
}

int opt_limit(const struct opt *o, const char *value, void *to, struct fault *f)
{
	size_t len = strcspn(value, "=");

	(void)o;
	for (size_t i = 0; value[len] == '=' && i < N_LIMITS; i++) {
		const struct limit *l = &limits[i];
		void *at = (char *)to + l->at;
		const char *text = value + len + 1;

		if (strlen(l->name) != len || memcmp(l->name, value, len) != 0)
			continue;
		switch (l->kind) {
		case COUNT:
			return set_count(l, text, at, f);
		case SIZE:
			return set_size(l, text, at, f);
		case SPAN:
			return set_span(l, text, at, f);
		}
	}
	return fault_names(f, value);
}
