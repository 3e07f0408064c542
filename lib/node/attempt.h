/* SPDX-License-Identifier: MIT */
/*
 * Attempts: each connects to one address, by a transport, and opens the connection, within limits.attempt.  Private
 * to the dialer.
 *
 * Dials to one peer share an attempt: they are its users.  All users are notified of its result; when the last user
 * leaves, the attempt is cancelled.
 *
 * At most limits.dials attempts run in a node at once.  A dial that finds no place waits in a queue, which it
 * enters with one gn_attempt_turn.  Since each dial starts one attempt in its turn, and then waits again behind the
 * others, a dial with many addresses does not delay the others more than a dial with one.
 *
 *     an attempt: CONNECTING -- the transport has connected --> OPENING -- the connection is open --> freed
 *                 any -- an error, limits.attempt, or no user is left --> freed
 */
#ifndef GN_NODE_ATTEMPT_H
#define GN_NODE_ATTEMPT_H

#include "base/list.h"
#include "gn.h"
#include "loop/loop.h"
#include "node/paths.h"

struct gn_attempt;
struct gn_conn;

/* The attempts of a node. */
struct gn_attempts {
	struct gn_node *node;
	struct gn_list running; /* struct gn_attempt */
	struct gn_list waiting; /* struct gn_attempt_turn, in the order of their turns */
	unsigned n;             /* that are running */
	struct gn_task task;    /* gives places that became free to those that wait */
};

void gn_attempts_init(struct gn_attempts *all, struct gn_node *node);
void gn_attempts_fini(struct gn_attempts *all); /* no attempt runs, and nobody waits */

/* The place of a dial in the queue, which the dial embeds. */
struct gn_attempt_turn {
	struct gn_list link;
	/* Called from the loop when there is a place: the dial may start one attempt with has_turn, and may free
	 * itself.  It is not in the queue any more. */
	void (*on_turn)(struct gn_attempt_turn *turn);
};
void gn_attempt_turn_init(struct gn_attempt_turn *turn, void (*on_turn)(struct gn_attempt_turn *turn));
/* Enters the queue at its end; no effect on one that waits already. */
void gn_attempt_wait(struct gn_attempts *all, struct gn_attempt_turn *turn);
/* Leaves the queue.  One that does not wait is left alone. */
void gn_attempt_wait_end(struct gn_attempt_turn *turn);

/* The share of one dial in an attempt, which the dial embeds.  Initialised by gn_attempt_user_init(). */
struct gn_attempt_user {
	struct gn_list link;        /* in attempt->users */
	struct gn_attempt *attempt; /* NULL: none */
	/* Called from the loop, once, unless the user has left.  err 0: the connection is open, and is the node's.  It
	 * may free the user, and start and leave other attempts. */
	void (*on_done)(void *arg, int err, struct gn_conn *c);
	void *arg;
};
void gn_attempt_user_init(struct gn_attempt_user *user, void (*on_done)(void *arg, int err, struct gn_conn *c),
			  void *arg);

struct gn_attempt_cfg {
	const struct gn_multiaddr *addr; /* without names; copied */
	const char *name;                /* that was resolved to addr; copied; NULL: none */
	const struct gn_peer_id *peer;   /* NULL: any */
	enum gn_addr_origin origin;
	bool has_turn; /* it is called from on_turn */
	enum gn_conn_role role;
	bool is_probe; /* as in struct gn_conn_cfg */
};
/* Whether two addresses of one peer are the same apart from a final /p2p/ID. */
bool gn_attempt_is_same_addr(const struct gn_multiaddr *a, const struct gn_multiaddr *b);
/* Joins the attempt with the same address, name and peer that is running, or starts one; an attempt with a role, and
 * that of a probe, have one user.  on_done is not called from
 * inside.  0; GN_EAGAIN: limits.dials attempts are running, or others wait, and this is not its turn;
 * GN_EPEERID: the address names another peer; GN_ELIMIT: the node is full; GN_ENOTRANS, and other errors of the
 * transport's dial; -ENOMEM. */
int gn_attempt_start(struct gn_attempts *all, const struct gn_attempt_cfg *cfg, struct gn_attempt_user *user);
/* The user does not want the result any more.  A user without an attempt is left alone. */
void gn_attempt_leave(struct gn_attempt_user *user);
/* Whether the handshake of the attempt makes progress and deserves more time. */
bool gn_attempt_has_more_time(const struct gn_attempt_user *user);

#endif
