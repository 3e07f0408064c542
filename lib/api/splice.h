/* SPDX-License-Identifier: MIT */
/* What the two kinds of splice share: limits, counters, and the end.  See gn.h for the contract. */
#ifndef GN_API_SPLICE_H
#define GN_API_SPLICE_H

#include "gn.h"
#include "loop/loop.h"

/* One direction.
 *
 *     FLOWING -- all bytes are taken, and the sender has ended its side --> ENDING: the end is passed on
 *     ENDING  -- the receiver has acknowledged the end --> DONE
 *     FLOWING, ENDING -- one of the two sides has failed, so that bytes are missing --> CUT
 */
enum gn_splice_state { GN_SPLICE_FLOWING, GN_SPLICE_ENDING, GN_SPLICE_DONE, GN_SPLICE_CUT };

struct gn_splice_flow {
	struct gn_splice *splice;
	enum gn_splice_state state;
	bool is_throttled; /* bytes wait that the rate holds back */
	uint64_t bytes;    /* passed on */
	uint64_t tokens;   /* bytes that may go at once; counted only if there is a rate */
	gn_time refilled;  /* when tokens were added */
};

struct gn_splice {
	struct gn_loop *loop;
	struct gn_splice_cfg cfg;
	struct gn_splice_flow flows[2]; /* from a to b, from b to a */
	struct gn_task task;            /* runs after anything has changed */
	struct gn_timer timer;
	gn_time deadline; /* GN_NEVER: none */
	int err;          /* the first reason for which a flow was cut */
	/* Gives up both sides, in good order or by a reset, and frees the splice. */
	void (*release)(struct gn_splice *s, bool in_good_order);
};

void gn_splice_init(struct gn_splice *s, struct gn_loop *loop, const struct gn_splice_cfg *cfg,
		    void (*run)(struct gn_task *task));
void gn_splice_fini(struct gn_splice *s);
/* How many more bytes may be passed on now. */
uint64_t gn_splice_allowance(struct gn_splice_flow *f);
void gn_splice_passed(struct gn_splice_flow *f, uint64_t n);
/* Does nothing to a flow that is over. */
void gn_splice_cut(struct gn_splice_flow *f, int err);
bool gn_splice_is_over(const struct gn_splice_flow *f);
/* Has the flow used up max_bytes, so that further bytes cut it? */
bool gn_splice_is_past_max(const struct gn_splice_flow *f);
/* At the end of each run of the task.  Releases the splice, reports, and returns true if both flows are over or a
 * limit was hit.  Otherwise starts the timer for the deadline and for flows that are throttled; go_on() is called
 * for one that may go on at once. */
bool gn_splice_finish(struct gn_splice *s, void (*go_on)(struct gn_splice_flow *f));

#endif
