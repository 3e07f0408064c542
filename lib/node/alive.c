/* SPDX-License-Identifier: MIT */
/*
 * Liveness of the peer's host.  On a path of a few KB/s a record or a frame takes many seconds, and so do the bytes
 * that are queued in the kernel.  Therefore raw bytes are counted, in both directions.
 */
#include "base/time.h"
#include "node/conn.h"

enum {
	CHECK_INTERVAL = 5, /* s between two checks of a backlog */
	SLOW_FACTOR = 3,    /* a handshake may last so many times its limit */
	SUSPECT_PART = 3,   /* of limits.ping: one part of so many without an answer makes a connection suspect */
};

void gn_conn_received(struct gn_conn *c, size_t n)
{
	c->received += n;
	c->last_alive = gn_loop_now(c->env->loop);
}

uint64_t gn_conn_taken(const struct gn_conn *c)
{
	size_t unacked = c->link->ops->unacked(c->link);

	return unacked < c->written ? c->written - unacked : 0;
}

uint64_t gn_conn_queued_end(const struct gn_conn *c)
{
	return c->written + (c->link != NULL && c->link->pipes != NULL ? 0 : gn_pipe_len(gn_conn_tx(c)));
}

/* The kernel of the peer's host acknowledges a few bytes even if the peer has stopped reading.  So only a backlog that
 * exists at two checks and became smaller in between is a sign of life. */
static bool is_taking(const struct gn_conn *c, uint64_t taken)
{
	return c->backlog > 0 && taken < c->written && taken > c->checked_written - c->backlog;
}

void gn_conn_check_backlog(struct gn_conn *c)
{
	gn_time now = gn_loop_now(c->env->loop);
	uint64_t taken;

	if (c->link == NULL || now < gn_conn_backlog_due(c))
		return;
	taken = gn_conn_taken(c);
	if (is_taking(c, taken))
		c->last_alive = now;
	c->backlog = (size_t)(c->written - taken);
	c->checked_written = c->written;
	c->check_at = c->backlog > 0 ? gn_time_add(now, CHECK_INTERVAL * GN_SEC) : GN_NEVER;
}

gn_time gn_conn_backlog_due(struct gn_conn *c)
{
	if (c->check_at == GN_NEVER && c->written != c->checked_written)
		c->check_at = gn_time_add(gn_loop_now(c->env->loop), CHECK_INTERVAL * GN_SEC);
	return c->check_at;
}

bool gn_conn_has_more_time(const struct gn_conn *c)
{
	const struct gn_limits *lim = c->env->limits;
	gn_time limit = c->inbound ? lim->accept : lim->attempt, now = gn_loop_now(c->env->loop);

	if (c->state >= GN_CONN_OPEN || c->link == NULL || c->received == 0 || (now - c->began) / SLOW_FACTOR >= limit)
		return false;
	return now - c->last_alive <= limit / 2 || is_taking(c, gn_conn_taken(c));
}

gn_time gn_conn_silence(const struct gn_conn *c)
{
	const struct gn_limits *lim = c->env->limits;

	return lim->keepalive > 0 && lim->ping > 0 ? gn_time_add(lim->keepalive, lim->ping) : GN_NEVER;
}

static gn_time suspect_silence(const struct gn_conn *c)
{
	const struct gn_limits *lim = c->env->limits;

	return gn_conn_silence(c) == GN_NEVER ? GN_NEVER : gn_time_add(lim->keepalive, lim->ping / SUSPECT_PART);
}

void gn_conn_check_silence(struct gn_conn *c)
{
	bool is_suspect = gn_loop_now(c->env->loop) - c->last_alive >= suspect_silence(c);

	if (is_suspect == c->is_suspect)
		return;
	c->is_suspect = is_suspect;
	c->env->events->suspect(c->node, c);
}

gn_time gn_conn_silence_due(const struct gn_conn *c)
{
	if (c->state != GN_CONN_OPEN || c->is_suspect || c->report != GN_REPORT_OPENED)
		return GN_NEVER;
	return gn_time_add(c->last_alive, suspect_silence(c));
}
