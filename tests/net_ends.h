/* SPDX-License-Identifier: MIT */
/* What tests/unit/node_net.c is made of: the two ends of a channel, each with a plan of what it
 * does with it, and a pattern of bytes by which either knows what it ought to get. */
#ifndef GN_TESTS_NET_ENDS_H
#define GN_TESTS_NET_ENDS_H

#include "net.h"
#include "rng.h"

enum { OPS = 12, SEEDS = 400, BYTES_ID = 4, FRAME_MAX = 3000 };

#define LIMIT (400 * GN_SEC) /* of virtual time: by then everything has come to an end */

static uint64_t seed; /* for who fails */

#define MUST(what)                                                                            \
	do {                                                                                  \
		if (!(what)) {                                                                \
			fprintf(stderr, "%s:%d: seed %llu: not so: %s\n", __FILE__, __LINE__, \
				(unsigned long long)seed, #what);                             \
			abort();                                                              \
		}                                                                             \
	} while (0)

enum what { OPEN, PING, IDENTIFY };

enum end {
	IN_ORDER, /* all is written, then the end */
	RESET,    /* at some byte */
	FREE,     /* likewise */
	STOP,     /* the server: ends its side at some byte, reads on */
	LEAVE,    /* gives the channel up right after its own end */
};

struct op;

/* One end of a channel. */
struct world;

struct end_state {
	struct op *op; /* the server's: not known before its first bytes */
	struct world *w;
	bool is_server;
	struct gn_channel *ch;
	struct gn_timer pause;
	bool is_paused;
	enum end plan;
	size_t at;        /* for the plan */
	size_t sent, got; /* bytes of the pattern */
	bool has_ended, eof, dead, drained;
	int err;
	/* the server: what was read and is not written yet */
	uint8_t held[FRAME_MAX];
	size_t n_held;
	bool holds;          /* a frame */
	size_t node;         /* whose channel it is */
	uint8_t *shown;      /* a client that writes by a source: all of the pattern */
	struct gn_list link; /* the server: in w->servers, until the world ends */
};

struct op {
	struct world *w;
	unsigned id;
	enum what what;
	size_t from, to;
	size_t total;
	bool frames;
	int expect; /* what the dial is to end with */
	struct gn_timer start, cancel;
	bool is_started, is_done, is_cancelled, cancels_inside, is_lost; /* lost: its node was freed */
	bool no_protocol;
	int err;
	unsigned calls, rtts, n_attempts;
	struct gn_dial *dial;
	struct gn_ping *ping;
	struct gn_identify *identify;
	struct end_state client, *server;
};

struct world {
	struct net net;
	struct rng rng;
	bool faults;
	size_t piece; /* most that is read or written at once */
	struct op op[OPS];
	size_t n_ops;
	struct gn_timer fault;
	struct gn_list servers;
	struct slot {
		struct world *w;
		size_t node;
	} slot[NET_NODES];
	int kill; /* this node, soon */
	bool is_alive[NET_NODES];
	unsigned closed;
};

/* ---- the pattern -------------------------------------------------------------- */

static uint8_t pattern(const struct op *op, size_t at)
{
	if (at < BYTES_ID)
		return (uint8_t)(op->id >> (8 * at));
	return (uint8_t)((at * 2654435761u + op->id * 40503u) >> 7);
}

static void pattern_fill(const struct op *op, size_t at, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = pattern(op, at + i);
}

static void pattern_check(const struct op *op, size_t at, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		MUST(p[i] == pattern(op, at + i));
}

/* The frame that begins at this byte of the pattern. */
static size_t frame_len(const struct op *op, size_t at)
{
	size_t n = at == 0 ? BYTES_ID : (at * 7919 + op->id) % FRAME_MAX;

	if (n == 0)
		n = 1;
	return n < op->total - at ? n : op->total - at;
}

/* ---- an end ------------------------------------------------------------------- */

static void end_step(struct end_state *e);

static void on_pause(void *arg)
{
	struct end_state *e = arg;

	e->is_paused = false;
	end_step(e);
}

static void end_init(struct end_state *e, struct world *w, bool is_server)
{
	memset(e, 0, sizeof *e);
	e->w = w;
	e->is_server = is_server;
	gn_timer_init(&e->pause, w->net.loop, on_pause, e);
	gn_list_init(&e->link);
}

/* The pattern in pieces, straight out of memory. */
static int source_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	const struct end_state *e = arg;
	size_t at = e->sent;
	int n = 0;

	MUST(e->shown != NULL && max > 0 && limit > 0);
	for (; n < max && limit > 0 && at < e->op->total; n++) {
		size_t len = 1 + (at * 31 + e->op->id) % (2 * e->w->piece);

		if (len > limit)
			len = limit;
		if (len > e->op->total - at)
			len = e->op->total - at;
		v[n].iov_base = e->shown + at;
		v[n].iov_len = len;
		limit -= len;
		at += len;
	}
	return n;
}

static void source_skip(void *arg, size_t n)
{
	struct end_state *e = arg;

	MUST(n <= e->op->total - e->sent);
	e->sent += n;
}

static void give_up(struct end_state *e)
{
	if (e->ch != NULL)
		gn_channel_free(e->ch);
	e->ch = NULL;
	gn_timer_stop(&e->pause);
}

static void die(struct end_state *e, int err)
{
	e->dead = true;
	e->err = err;
	MUST(err < 0 && err != GN_EAGAIN && err != GN_EOF);
	give_up(e);
}

/* A while later again.  True when it is to stop here. */
static bool pauses(struct end_state *e)
{
	struct rng *r = &e->w->rng;

	if (!rng_one_in(r, 20))
		return false;
	e->is_paused = true;
	gn_timer_start(&e->pause, (gn_time)rng_below(r, rng_one_in(r, 10) ? 3000 : 30) * GN_MSEC);
	return true;
}

static size_t some(struct end_state *e, size_t max)
{
	size_t n = e->w->piece < max ? e->w->piece : max;

	return n > 0 ? rng_below(&e->w->rng, (uint32_t)n) + 1 : 0;
}

/* ---- reading: GN_EAGAIN, GN_EOF, what it died of; 0: it stopped by itself ------ */

static void server_knows(struct end_state *e);

static void took(struct end_state *e, const uint8_t *p, size_t n)
{
	if (e->op == NULL) { /* the server's first bytes say whose it is */
		memcpy(e->held + e->n_held, p, n);
		e->n_held += n;
		return;
	}
	MUST(e->got + n <= e->op->total);
	pattern_check(e->op, e->got, p, n);
	e->got += n;
	if (e->is_server && !e->has_ended) {
		memcpy(e->held + e->n_held, p, n);
		e->n_held += n;
	}
}

static int read_frame(struct end_state *e)
{
	const void *frame;
	size_t n, before = e->got;
	int r;

	if (e->is_server && e->holds)
		return 0;
	r = gn_channel_receive(e->ch, &frame, &n);
	if (r != 0)
		return r;
	MUST(n <= FRAME_MAX);
	took(e, frame, n);
	if (e->op == NULL)
		server_knows(e);
	else
		MUST(n == frame_len(e->op, before));
	e->holds = e->is_server && !e->has_ended;
	return 1;
}

static int read_bytes(struct end_state *e)
{
	uint8_t buf[FRAME_MAX];
	size_t want = e->op == NULL ? BYTES_ID - e->n_held : some(e, sizeof buf);
	ptrdiff_t n;

	if (e->is_server && e->op != NULL && !e->has_ended && e->n_held > 0)
		return 0;
	if (rng_one_in(&e->w->rng, 3)) { /* by views */
		struct iovec v[3];
		int views = gn_channel_peek(e->ch, v, 3);
		size_t done = 0;

		for (int i = 0; i < views && done < want; i++) {
			size_t len = v[i].iov_len < want - done ? v[i].iov_len : want - done;

			MUST(len > 0);
			took(e, v[i].iov_base, len);
			done += len;
		}
		MUST(views <= 0 || done > 0);
		if (views > 0)
			gn_channel_skip(e->ch, done);
		n = views > 0 ? (ptrdiff_t)done : views;
	} else {
		n = gn_channel_read(e->ch, buf, want);
		MUST(n != 0);
		if (n > 0)
			took(e, buf, (size_t)n);
	}
	if (n > 0 && e->op == NULL && e->n_held == BYTES_ID)
		server_knows(e);
	return n > 0 ? 1 : (int)n;
}

static bool is_frames(const struct end_state *e)
{
	struct gn_channel_state st;

	if (e->op != NULL)
		return e->op->frames;
	gn_channel_state(e->ch, &st);
	return strcmp(st.protocol, "/frames") == 0;
}

/* ---- writing ------------------------------------------------------------------ */

static bool at_plan(struct end_state *e)
{
	return (e->plan == RESET || e->plan == FREE || e->plan == STOP) && e->sent >= e->at;
}

static int write_some(struct end_state *e, const uint8_t *p, size_t n)
{
	ptrdiff_t r;

	if (e->op->frames)
		r = gn_channel_send(e->ch, p, n) == 0 ? (ptrdiff_t)n : GN_EAGAIN;
	else
		r = gn_channel_write(e->ch, p, n);
	if (e->op->frames && r == GN_EAGAIN && gn_channel_error(e->ch) != 0)
		return gn_channel_error(e->ch);
	MUST(r != 0 && r <= (ptrdiff_t)n);
	if (r > 0)
		e->sent += (size_t)r;
	return (int)r;
}

static int client_write(struct end_state *e)
{
	const struct op *op = e->op;
	uint8_t buf[FRAME_MAX];
	size_t left = op->total - e->sent, n;

	if (left == 0)
		return 0;
	n = op->frames ? frame_len(op, e->sent) : some(e, left < sizeof buf ? left : sizeof buf);
	pattern_fill(op, e->sent, buf, n);
	return write_some(e, buf, n);
}

static int server_write(struct end_state *e)
{
	int r;

	if (e->op == NULL || (e->n_held == 0 && !e->holds))
		return 0;
	r = write_some(e, e->held, e->n_held);
	if (r > 0) {
		e->n_held -= (size_t)r;
		memmove(e->held, e->held + r, e->n_held);
		e->holds = false;
	}
	return r;
}

/* ---- a step ------------------------------------------------------------------- */

static void do_end(struct end_state *e)
{
	int r = gn_channel_end(e->ch);

	MUST(r == 0 || r == gn_channel_error(e->ch));
	e->has_ended = r == 0;
	e->n_held = 0;
	e->holds = false;
	if (e->plan == LEAVE && r == 0)
		give_up(e);
}

/* All is written, or the plan says something else. */
static void write_step(struct end_state *e, bool *moved)
{
	int r;

	if (e->ch == NULL || e->has_ended)
		return;
	if (e->op != NULL && at_plan(e)) {
		if (e->plan == STOP) {
			do_end(e);
		} else {
			if (e->plan == RESET)
				gn_channel_reset(e->ch);
			give_up(e);
		}
		*moved = true;
		return;
	}
	r = e->shown != NULL ? 0 : e->is_server ? server_write(e) : client_write(e);
	if (r > 0)
		*moved = true;
	else if (r < 0 && r != GN_EAGAIN)
		return; /* GN_DEAD tells it */
	if (r == 0 && (e->is_server ? e->eof : e->sent == e->op->total)) {
		do_end(e);
		*moved = true;
	}
}

static void read_step(struct end_state *e, bool *moved)
{
	int r;

	if (e->ch == NULL || e->eof)
		return;
	r = is_frames(e) ? read_frame(e) : read_bytes(e);
	if (r > 0)
		*moved = true;
	else if (r == GN_EOF)
		*moved = e->eof = true;
}

static void end_step(struct end_state *e)
{
	bool moved = true;

	while (moved && e->ch != NULL && !e->is_paused) {
		moved = false;
		read_step(e, &moved);
		write_step(e, &moved);
		if (moved && pauses(e))
			return;
	}
	if (e->ch != NULL && e->eof && e->has_ended && e->drained)
		give_up(e);
}

static void on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct end_state *e = arg;

	MUST(e->ch == ch && !e->dead);
	MUST(gn_channel_arg(ch) == e);
	if (events & GN_DRAINED) {
		MUST(e->has_ended && !e->drained);
		e->drained = true;
	}
	if (events & GN_DEAD) {
		int r, err = gn_channel_error(ch);

		/* What had come is still there, and perhaps the end. */
		while (!e->eof && (r = is_frames(e) ? read_frame(e) : read_bytes(e)) != GN_EAGAIN) {
			if (r == GN_EOF)
				e->eof = true;
			else if (r < 0)
				break;
			e->holds = false;
			if (e->op != NULL)
				e->n_held = 0;
		}
		die(e, err);
		return;
	}
	if (!e->is_paused)
		end_step(e);
	else if (e->eof && e->has_ended && e->drained)
		give_up(e);
}

/* ---- the server --------------------------------------------------------------- */

static void plan_make(struct end_state *e, const struct op *op)
{
	struct rng *r = &e->w->rng;

	e->plan = IN_ORDER;
	if (rng_one_in(r, 4))
		e->plan = LEAVE;
	else if (rng_one_in(r, 4))
		e->plan = RESET + rng_below(r, e->is_server ? 3 : 2);
	e->at = rng_below(r, (uint32_t)op->total + 1);
}

static void server_knows(struct end_state *e)
{
	unsigned id = e->held[0] | (unsigned)e->held[1] << 8 | (unsigned)e->held[2] << 16;
	struct op *op = &e->w->op[id];

	MUST(id < e->w->n_ops && op->what == OPEN && op->server == NULL && e->n_held == BYTES_ID);
	pattern_check(op, 0, e->held, BYTES_ID);
	op->server = e;
	e->op = op;
	e->got = BYTES_ID;
	plan_make(e, op);
}

static void on_channel(void *arg, struct gn_channel *ch)
{
	struct slot *slot = arg;
	struct end_state *e = malloc(sizeof *e);

	MUST(e != NULL);
	end_init(e, slot->w, true);
	e->ch = ch;
	e->node = slot->node;
	gn_list_add_tail(&slot->w->servers, &e->link);
	gn_channel_on_event(ch, on_event, e);
}

static void serve(struct world *w, size_t i)
{
	struct gn_protocol_cfg cfg = {.id = "/bytes", .kind = GN_BYTES, .on_open = on_channel, .arg = &w->slot[i]};

	w->slot[i] = (struct slot){w, i};
	MUST(gn_protocol_add(w->net.node[i], &cfg) == 0);
	cfg.id = "/frames";
	cfg.kind = GN_FRAMES;
	cfg.max_frame = FRAME_MAX;
	MUST(gn_protocol_add(w->net.node[i], &cfg) == 0);
}

#endif
