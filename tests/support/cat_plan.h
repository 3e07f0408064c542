/* SPDX-License-Identifier: MIT */
/* cat_plan: the schedule of a run of tests/lab/cat_ends.c, which is derived from a seed. */
#ifndef GN_SUPPORT_CAT_PLAN_H
#define GN_SUPPORT_CAT_PLAN_H

#include <stdint.h>

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

/* The fault begins when cat_plan.count bytes have passed the relay (AT_WIRE), or have been written by an end
 * (AT_OUTPUT). */
enum trigger { AT_WIRE, AT_OUTPUT, TRIGGERS };

struct cat_plan {
	uint64_t seed;
	uint64_t size[ENDS]; /* the input of each end in bytes */
	enum fault fault;
	int victim; /* the index of the end; a fault of the relay affects what this end sends */
	enum trigger trigger;
	uint64_t count;
	int64_t span; /* from the first part of a fault to its second part, in ms */
};

void cat_plan_make(struct cat_plan *plan, uint64_t seed);
/* "stop, kill" */
const char *cat_plan_fault_name(enum fault fault);

#endif
