/* SPDX-License-Identifier: MIT */
/*
 * A dial, private to its files:
 *
 *     dialer.c        the dial and its race
 *     dialer_addrs.c  the addresses that take part: the caller's, those of the book, and those that routers find
 *     attempt.c       attempts with one address
 */
#ifndef GN_NODE_DIALER_INTERNAL_H
#define GN_NODE_DIALER_INTERNAL_H

#include "addr/multiaddr.h"
#include "loop/loop.h"
#include "node/attempt.h"
#include "node/dialer.h"

enum { GN_DIALER_TARGETS_MAX = 128 }; /* addresses of a dial; further ones are left out */

/*     NEW -- its turn in the race --> RUNNING
 *     RUNNING -- the attempt has ended --> DONE
 *     NEW -- the attempt cannot be started --> DONE
 */
enum dial_target_state { TARGET_NEW, TARGET_RUNNING, TARGET_DONE };

/* An address of a dial. */
struct dial_target {
	struct gn_list link; /* in op->targets */
	struct gn_dialer *op;
	struct gn_multiaddr *addr;
	char *name; /* that was resolved to addr; NULL: none */
	enum gn_addr_origin origin;
	enum dial_target_state state;
	gn_time since; /* the start of the attempt, or when it was joined */
	struct gn_attempt_user user;
};

/*     RACING -- a connection is open, or all targets have failed, or the limit has expired --> FINISHED
 *     RACING, FINISHED -- gn_dialer_cancel() inside on_attempt --> CANCELLED
 *     FINISHED -- the task has called on_done --> freed
 *     CANCELLED -- on_attempt has returned --> freed
 */
enum dialer_state { DIALER_RACING, DIALER_FINISHED, DIALER_CANCELLED };

struct gn_dialer {
	struct gn_list link;      /* in node->dials */
	struct gn_peer *entry;    /* of the peer that it is to connect to, or has connected to; NULL: none is known */
	struct gn_list link_peer; /* in entry->dials */
	struct gn_node *node;
	struct gn_dialer_cfg cfg;
	struct gn_peer_id peer; /* len 0: any peer */
	bool is_alone;          /* the dial shares nothing with others: a probe, or a dial with a role */
	enum dialer_state state;
	struct gn_list lookups; /* names that are being resolved; struct dial_lookup of dialer_addrs.c */
	struct gn_list finds;   /* searches of routers; struct dial_find of dialer_addrs.c */
	bool is_by_id;          /* the caller gave no address, and routers have not been asked yet */
	int find_err;           /* why a router found nothing; 0 or GN_ENOADDR: none knows the peer */
	struct gn_list targets; /* struct dial_target, in the order of the race */
	size_t n_targets;
	unsigned n_learnt_names; /* names in learnt addresses that were looked up */
	size_t n_running;
	struct gn_attempt_turn turn; /* while the dial waits for one of limits.dials */
	bool has_turn;               /* it may start one attempt before those that wait */
	bool is_calling;             /* on_attempt is running */
	bool is_late;                /* the limit has expired: attempts that run may end, no other one starts */
	struct gn_timer limit, stagger;
	struct gn_task task; /* calls on_done */
	int err;
	struct gn_conn *conn;
};

/* dialer.c */

/* Starts the attempt of the next target, unless it is too early.  Ends the dial when nothing is left to wait for, and
 * frees it when it was cancelled inside on_attempt.  Only from the loop. */
void gn_dialer_race(struct gn_dialer *op);
/* Has the loop call gn_dialer_race(). */
void gn_dialer_race_soon(struct gn_dialer *op);
/* Ends the dial, with a connection or an error; on_done is called later. */
void gn_dialer_finish(struct gn_dialer *op, int err, struct gn_conn *conn);
/* Of two errors the one that is more specific for the user. */
int gn_dialer_merge_errors(int a, int b);
void gn_dial_target_on_done(void *arg, int err, struct gn_conn *c);

/* dialer_addrs.c */

/* Starts with the caller's addresses.  -ENOMEM. */
int gn_dialer_addrs_start(struct gn_dialer *op);
/* Cancels what still looks for addresses. */
void gn_dialer_addrs_stop(struct gn_dialer *op);
/* The known addresses had their turn: asks the routers, at most once. */
void gn_dialer_addrs_more(struct gn_dialer *op);
/* The error of a dial that has no more addresses. */
int gn_dialer_addrs_error(const struct gn_dialer *op);
/* Whether more addresses may come. */
bool gn_dialer_addrs_is_pending(const struct gn_dialer *op);
/* Whether an address has the path that the dial asks for. */
bool gn_dialer_takes_path(const struct gn_dialer *op, const struct gn_multiaddr *addr);
void gn_dial_target_free(struct dial_target *t);

#endif
