/* SPDX-License-Identifier: MIT */
/* cat_plan: the schedule of a run of cat_ends.c, which is derived from the seed. */
#ifndef GN_TESTS_CAT_PLAN_H
#define GN_TESTS_CAT_PLAN_H

#include "support/rng.h"

enum { LISTENER, DIALER, ENDS };

enum fault {
	NONE,
	KILL,
	TERM,
	STOP_KILL, /* the tool is stopped, and killed later */
	STOP_CONT,
	CUT_RESET,
	CUT_END, /* the relay ends both directions without an error, and drops all later bytes */
	STALL,   /* the relay carries nothing for a while */
	STALL_CUT,
	SILENCE, /* the relay carries nothing from then on */
	CLOSE_READER,
	STALL_READER,
	FULL, /* the disk that the tool writes to is full */
	FAULTS,
};
static const char *const fault_names[FAULTS] = {
	"none",  "kill",         "term",    "stop, kill",    "stop, cont",    "reset",     "end",
	"stall", "stall, reset", "silence", "reader closes", "reader stalls", "full disk",
};

/* The fault begins when plan.count bytes have passed the relay (AT_WIRE), or have been written by an end
 * (AT_OUTPUT). */
enum trigger { AT_WIRE, AT_OUTPUT, TRIGGERS };

static struct {
	uint64_t seed;
	uint64_t size[ENDS]; /* the input of each end in bytes */
	enum fault fault;
	int victim; /* the index of the end; a fault of the relay affects what this end sends */
	enum trigger trigger;
	uint64_t count;
	int64_t span;      /* from the first part of a fault to its second part, in ms */
	bool fired, again; /* fired: the first part has happened; again: the second one, too */
	int64_t at;
} plan;

static uint64_t pick_size(struct rng *r)
{
	switch (rng_below(r, 6)) {
	case 0:
		return 0;
	case 1:
		return 1 + rng_below(r, 20);
	case 2:
		return rng_below(r, 5000);
	case 3:
	case 4:
		return rng_below(r, 400000);
	default:
		return rng_below(r, 3000000);
	}
}

/* Picks the byte count of a fault.  It falls into the handshake, into the middle, just before the end or
 * at the end with equal probability. */
static uint64_t pick_count(struct rng *r, uint64_t size)
{
	uint64_t start = plan.trigger == AT_WIRE ? 1200 : 0;

	switch (rng_below(r, 4)) {
	case 0:
		return rng_below(r, (uint32_t)start + 60);
	case 1:
		return start + rng_below(r, (uint32_t)size + 1);
	case 2:
		return size;
	default:
		return start + size > 600 ? start + size - 600 + rng_below(r, 700) : rng_below(r, 700);
	}
}

static void make_plan(uint64_t seed)
{
	struct rng r;

	rng_seed(&r, seed);
	plan.seed = seed;
	for (int i = 0; i < ENDS; i++)
		plan.size[i] = pick_size(&r);
	plan.fault = (enum fault)rng_below(&r, FAULTS);
	if (plan.fault == SILENCE && !rng_one_in(&r, 4)) /* rare, because such a run takes 10 s */
		plan.fault = CUT_RESET;
	plan.victim = (int)rng_below(&r, ENDS);
	plan.trigger = (enum trigger)rng_below(&r, TRIGGERS);
	plan.count = pick_count(&r, plan.size[plan.trigger == AT_WIRE ? plan.victim : !plan.victim]);
	plan.span = 20 + rng_below(&r, 300);
}

#endif
