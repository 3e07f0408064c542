/* SPDX-License-Identifier: MIT */
#include "support/cat_plan.h"

#include "support/rng.h"

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
static uint64_t pick_count(struct rng *r, enum trigger trigger, uint64_t size)
{
	uint64_t start = trigger == AT_WIRE ? 1200 : 0;

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

void cat_plan_make(struct cat_plan *plan, uint64_t seed)
{
	struct rng r;

	rng_seed(&r, seed);
	plan->seed = seed;
	for (int i = 0; i < ENDS; i++)
		plan->size[i] = pick_size(&r);
	plan->fault = (enum fault)rng_below(&r, FAULTS);
	if (plan->fault == SILENCE && !rng_one_in(&r, 4)) /* rare, because such a run takes 10 s */
		plan->fault = CUT_RESET;
	plan->victim = (int)rng_below(&r, ENDS);
	plan->trigger = (enum trigger)rng_below(&r, TRIGGERS);
	plan->count =
		pick_count(&r, plan->trigger, plan->size[plan->trigger == AT_WIRE ? plan->victim : !plan->victim]);
	plan->span = 20 + rng_below(&r, 300);
}

const char *cat_plan_fault_name(enum fault fault)
{
	static const char *const names[FAULTS] = {
		"none",  "kill",         "term",    "stop, kill",    "stop, cont",    "reset",     "end",
		"stall", "stall, reset", "silence", "reader closes", "reader stalls", "full disk",
	};

	return names[fault];
}
