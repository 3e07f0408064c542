/* SPDX-License-Identifier: MIT */
/*
 * Whether the far end of a connection still is there.  On a path of a few KB/s a record or a frame
 * takes many seconds, and so does what is queued in this kernel; so raw bytes count, in both
 * directions.
 */
#include "base/time.h"
#include "node/conn.h"
#include "node/node.h"

enum {
	LOOK = 5,      /* s between two looks at a backlog */
	SLOW_MOST = 3, /* times its limit that a handshake may last */
};

void gn_conn_received(struct gn_conn *c, size_t n)
{
	c->received += n;
	c->heard = gn_loop_now(c->node->loop);
}

uint64_t gn_conn_taken(const struct gn_conn *c)
{
	return c->written - c->link->ops->unacked(c->link);
}

/* The far host's kernel takes a few bytes although nobody there reads any more, so only a backlog that
 * is there at two looks and got smaller in between is a sign of life. */
static bool is_taking(const struct gn_conn *c, uint64_t taken)
{
	return c->backlog > 0 && taken < c->written && taken > c->looked_written - c->backlog;
}

void gn_conn_look(struct gn_conn *c)
{
	gn_time now = gn_loop_now(c->node->loop);
	uint64_t taken;

	if (c->link == NULL || now < gn_conn_look_due(c))
		return;
	taken = gn_conn_taken(c);
	if (is_taking(c, taken))
		c->heard = now;
	c->backlog = (size_t)(c->written - taken);
	c->looked_written = c->written;
	c->look = c->backlog > 0 ? gn_time_add(now, LOOK * GN_SEC) : GN_NEVER;
}

gn_time gn_conn_look_due(struct gn_conn *c)
{
	if (c->look == GN_NEVER && c->written != c->looked_written)
		c->look = gn_time_add(gn_loop_now(c->node->loop), LOOK * GN_SEC);
	return c->look;
}

bool gn_conn_has_more_time(const struct gn_conn *c)
{
	const struct gn_limits *lim = &c->node->cfg.limits;
	gn_time limit = c->inbound ? lim->accept : lim->attempt, now = gn_loop_now(c->node->loop);

	if (c->state >= GN_CONN_OPEN || c->link == NULL || c->received == 0 || (now - c->began) / SLOW_MOST >= limit)
		return false;
	return now - c->heard <= limit / 2 || is_taking(c, gn_conn_taken(c));
}

gn_time gn_conn_silence(const struct gn_conn *c)
{
	const struct gn_limits *lim = &c->node->cfg.limits;

	return lim->keepalive > 0 && lim->ping > 0 ? gn_time_add(lim->keepalive, lim->ping) : GN_NEVER;
}
