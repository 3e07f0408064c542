/* SPDX-License-Identifier: MIT */
/*
 * Random networks of nodes in one process, on a virtual clock.  The nodes dial each other, open channels and
 * echo what they receive, in pieces of random sizes, with pauses, resets, early ends and released channels.
 * In half of the runs connections are also stalled and cut, and nodes are freed.  A run is determined by its
 * seed; a failure prints the seed, and GN_SEED=n runs only that one.
 *
 * Each run checks that the bytes received are a prefix of those sent, in both directions; that an end of
 * stream arrives after all bytes that were written before it; that every operation calls back once, or never
 * after a cancel; and that all memory and streams are released at the end.  Without faults every operation
 * succeeds.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "support/support.h"

/* ---- operations --------------------------------------------------------------- */

static void op_done(struct net_op *op, int err)
{
	NET_MUST(op->is_started && !op->is_cancelled && !op->is_lost && op->calls++ == 0);
	op->is_done = true;
	op->err = err;
	gn_timer_stop(&op->cancel);
}

static void write_by_source(struct net_end *e)
{
	static const struct gn_source source = {net_source_peek, net_source_skip};

	e->shown = malloc(e->op->total);
	NET_MUST(e->shown != NULL);
	net_pattern_fill(e->op, 0, e->shown, e->op->total);
	NET_MUST(gn_channel_source(e->ch, &source, e) == 0);
	net_do_end(e); /* the end is sent after all bytes of the source */
}

static void on_dialed(void *arg, int err, struct gn_channel *ch)
{
	struct net_op *op = arg;

	op_done(op, err);
	NET_MUST((err == 0) == (ch != NULL));
	if (err != 0)
		return;
	op->client.op = op;
	op->client.node = op->from;
	op->client.ch = ch;
	net_plan_make(&op->client, op);
	gn_channel_on_event(ch, net_on_event, &op->client);
	if (!op->frames && op->client.plan == NET_IN_ORDER && rng_one_in(&op->w->rng, 3))
		write_by_source(&op->client);
	if (rng_one_in(&op->w->rng, 2)) /* writing is allowed from inside on_done */
		net_end_step(&op->client);
}

static void on_pinged(void *arg, int err)
{
	op_done(arg, err);
}

static void on_rtt(void *arg, unsigned seq, gn_time rtt)
{
	struct net_op *op = arg;

	NET_MUST(seq == op->rtts++ && rtt >= 0);
}

static void on_identified(void *arg, int err, const struct gn_identify_info *info)
{
	struct net_op *op = arg;

	op_done(op, err);
	NET_MUST((err == 0) == (info != NULL));
	if (err != 0)
		return;
	NET_MUST(info->n_listen == 1 && info->signed_record && info->observed != NULL);
	NET_MUST(info->n_protocols == 5);
}

static void op_cancel(struct net_op *op)
{
	op->is_cancelled = true;
	gn_timer_stop(&op->cancel);
	if (op->what == NET_OPEN)
		gn_dial_cancel(op->dial);
	else if (op->what == NET_PING)
		gn_ping_cancel(op->ping);
	else
		gn_identify_cancel(op->identify);
}

static void on_cancel(void *arg)
{
	op_cancel(arg);
}

static void on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time net_end_take)
{
	struct net_op *op = arg;

	NET_MUST(op->is_started && !op->is_done && !op->is_cancelled && addr != NULL && err <= 0 && net_end_take >= 0);
	op->n_attempts++;
	if (op->cancels_inside)
		op_cancel(op);
}

enum wrong { NOTHING, NOBODY, ANOTHER_PEER, NO_PROTOCOL, ONE_BAD, WRONGS };

static void on_start(void *arg)
{
	struct net_op *op = arg;
	struct net_world *w = op->w;
	struct gn_multiaddr *nobody, *bare, *other, *addrs[2] = {w->net.addr[op->to], NULL};
	struct gn_dial_cfg dial = {.target.addrs = (const struct gn_multiaddr *const *)addrs,
				   .target.n_addrs = 1,
				   .target.on_attempt = on_attempt,
				   .on_done = on_dialed,
				   .arg = op};
	struct gn_ping_cfg ping = {.count = 1 + op->id % 3,
				   .interval = 50 * GN_MSEC,
				   .on_rtt = on_rtt,
				   .on_done = on_pinged,
				   .arg = op};
	struct gn_identify_cfg identify = {.on_done = on_identified, .arg = op};
	enum wrong wrong = rng_one_in(&w->rng, 3) ? rng_below(&w->rng, WRONGS) : NOTHING;
	struct gn_node *node = w->net.node[op->from];
	uint8_t nobody_seed[GN_KEY_SEED_LEN] = {99};
	struct gn_peer_id id;
	struct gn_key *key;
	int r;

	if (!w->is_alive[op->from]) {
		op->is_lost = true;
		return;
	}
	nobody = net_addr("/memory/9999");
	NET_MUST(gn_key_new_seeded(nobody_seed, &key) == 0);
	gn_key_id(key, &id);
	gn_key_free(key);
	NET_MUST(gn_multiaddr_without_peer(w->net.addr[op->to], &bare) == 0);
	NET_MUST(gn_multiaddr_with_peer(bare, &id, &other) == 0);
	dial.protocol = op->frames ? "/frames" : "/bytes";
	dial.kind = op->frames ? GN_FRAMES : GN_BYTES;
	dial.max_frame = NET_FRAME_MAX;
	if (wrong == NOBODY) {
		addrs[0] = nobody;
		op->expect = -ECONNREFUSED;
	} else if (wrong == ANOTHER_PEER) {
		addrs[0] = other;
		op->expect = GN_EPEERID;
	} else if (wrong == NO_PROTOCOL && op->what == NET_OPEN) {
		dial.protocol = "/none";
		op->no_protocol = true;
	} else if (wrong == ONE_BAD) {
		addrs[0] = nobody;
		addrs[1] = w->net.addr[op->to];
		dial.target.n_addrs = 2;
	}
	ping.target = identify.target = dial.target;
	op->is_started = true;
	if (op->what == NET_OPEN)
		r = gn_dial_start(node, &dial, &op->dial);
	else if (op->what == NET_PING)
		r = gn_ping_start(node, &ping, &op->ping);
	else
		r = gn_identify_start(node, &identify, &op->identify);
	NET_MUST(r == 0 && op->calls == 0 && op->n_attempts == 0);
	gn_multiaddr_free(nobody);
	gn_multiaddr_free(bare);
	gn_multiaddr_free(other);
	if (rng_one_in(&w->rng, 10))
		gn_timer_start(&op->cancel, (gn_time)rng_below(&w->rng, 300) * GN_MSEC);
	op->cancels_inside = rng_one_in(&w->rng, 15);
}

static void op_init(struct net_world *w, size_t i)
{
	struct net_op *op = &w->op[i];
	struct rng *r = &w->rng;

	op->w = w;
	op->id = (unsigned)i;
	op->what = rng_one_in(r, 5) ? NET_PING : rng_one_in(r, 5) ? NET_IDENTIFY : NET_OPEN;
	op->from = rng_below(r, (uint32_t)w->net.n);
	op->to = (op->from + 1 + rng_below(r, (uint32_t)w->net.n - 1)) % w->net.n;
	op->frames = rng_one_in(r, 3);
	op->total = NET_ID_BYTES + rng_below(r, rng_one_in(r, 4) ? 600000 : rng_one_in(r, 2) ? 5000 : 50);
	if (op->total > NET_ID_BYTES + w->piece * 1000)
		op->total = NET_ID_BYTES + w->piece * 1000;
	net_end_init(&op->client, w, false);
	gn_timer_init(&op->start, w->net.loop, on_start, op);
	gn_timer_init(&op->cancel, w->net.loop, on_cancel, op);
	gn_timer_start(&op->start, (gn_time)rng_below(r, rng_one_in(r, 2) ? 3000 : 50) * GN_MSEC);
}

/* ---- faults ------------------------------------------------------------------- */

static void on_fault(void *arg)
{
	struct net_world *w = arg;
	struct rng *r = &w->rng;
	size_t n = gn_mem_count(w->net.loop);

	if (n > 0 && rng_one_in(r, 3))
		NET_MUST(gn_mem_cut(w->net.loop, rng_below(r, (uint32_t)n)) == 0);
	else if (n > 0)
		NET_MUST(gn_mem_stall(w->net.loop, rng_below(r, (uint32_t)n), rng_one_in(r, 2),
				      (gn_time)rng_below(r, rng_one_in(r, 3) ? 30000 : 1000) * GN_MSEC) == 0);
	if (rng_one_in(r, 12))
		w->kill = (int)rng_below(r, (uint32_t)w->net.n);
	gn_timer_start(&w->fault, (gn_time)rng_below(r, 1500) * GN_MSEC);
}

/* A node is freed; its operations and channels get no callback. */
static void kill_node(struct net_world *w, size_t i)
{
	struct gn_list *at;

	if (!w->is_alive[i])
		return;
	w->is_alive[i] = false;
	for (size_t k = 0; k < w->n_ops; k++) {
		struct net_op *op = &w->op[k];

		if (op->from != i)
			continue;
		op->is_lost |= op->is_started && !op->is_done && !op->is_cancelled;
		gn_timer_stop(&op->cancel);
		gn_timer_stop(&op->client.pause);
		op->client.ch = NULL;
	}
	gn_list_for_each(at, &w->servers) {
		struct net_end *e = gn_list_entry(at, struct net_end, link);

		if (e->node != i)
			continue;
		gn_timer_stop(&e->pause);
		e->ch = NULL;
	}
	gn_node_free(w->net.node[i]);
	w->net.node[i] = NULL;
}

/* ---- one network -------------------------------------------------------------- */

static bool is_over(const struct net_op *op)
{
	if (op->is_lost || op->is_cancelled)
		return true;
	return op->is_done && op->client.ch == NULL;
}

static bool is_all_over(struct net_world *w)
{
	struct gn_list *at;

	for (size_t i = 0; i < w->n_ops; i++)
		if (!is_over(&w->op[i]))
			return false;
	gn_list_for_each(at, &w->servers)
		if (gn_list_entry(at, struct net_end, link)->ch != NULL)
			return false;
	return true;
}

/* Counts what has happened in all runs, because a test in which nothing happens would pass, too. */
static struct {
	unsigned ops, in_order, dead, cancelled, lost, pinged, identified;
	unsigned long long bytes;
} seen;

/* Prints the operation of a check that failed. */
static void show_end(const char *name, const struct net_end *e)
{
	fprintf(stderr, "  %s: plan %d at %zu; sent %zu got %zu; ended %d eof %d drained %d dead %d: %s\n", name,
		(int)e->plan, e->at, e->sent, e->got, e->has_ended, e->eof, e->drained, e->dead,
		e->err != 0 ? gn_errname(e->err) : "-");
}

static void show(const struct net_op *op)
{
	fprintf(stderr, "op %u kind %d from %zu to %zu total %zu frames %d: done %d %s\n", op->id, (int)op->what,
		op->from, op->to, op->total, op->frames, op->is_done, op->err != 0 ? gn_errname(op->err) : "-");
	show_end("client", &op->client);
	if (op->server != NULL)
		show_end("server", op->server);
}

/* Whether there are more pings between two nodes than one of them answers at a time. */
static bool is_crowded(const struct net_op *op)
{
	unsigned n = 0;

	for (size_t i = 0; i < op->w->n_ops; i++) {
		const struct net_op *other = &op->w->op[i];

		n += other->what == NET_PING && other->from == op->from && other->to == op->to;
	}
	return op->what == NET_PING && op->err == GN_ERESET && n > 2;
}

static void check_op(const struct net_op *op)
{
	const struct net_end *c = &op->client, *s = op->server;
	bool in_order = c->plan == NET_IN_ORDER || c->plan == NET_LEAVE;

	NET_MUST(op->calls == (op->is_done ? 1 : 0));
	seen.ops++;
	seen.cancelled += op->is_cancelled;
	seen.lost += op->is_lost;
	seen.pinged += op->what == NET_PING && op->is_done && op->err == 0;
	seen.identified += op->what == NET_IDENTIFY && op->is_done && op->err == 0;
	NET_MUST(op->what == NET_OPEN || op->w->faults || !op->is_done || op->err == op->expect || is_crowded(op));
	if (op->what != NET_OPEN || !op->is_done)
		return;
	NET_MUST(c->got <= op->total && (s == NULL || (s->got <= c->sent && c->got <= s->sent)));
	NET_MUST(!c->eof || (s != NULL && c->got == s->sent && s->has_ended));
	NET_MUST(s == NULL || !s->eof || (s->got == op->total && c->has_ended));
	seen.in_order += c->eof && s->eof;
	seen.dead += c->dead;
	seen.bytes += c->got;
	if (op->w->faults)
		return;
	/* Without faults each operation has the result that was planned for it. */
	NET_MUST(op->err == op->expect);
	if (op->err != 0)
		return;
	if (op->no_protocol) {
		NET_MUST(s == NULL && (c->dead ? c->err == GN_ENOPROTO : c->plan != NET_IN_ORDER));
		return;
	}
	if (getenv("GN_SEED") != NULL)
		show(op);
	NET_MUST(!in_order || s != NULL);
	if (s == NULL)
		return;
	if (in_order && (s->plan == NET_IN_ORDER || s->plan == NET_LEAVE || s->plan == NET_STOP))
		NET_MUST(s->eof && s->got == op->total && !s->dead);
	if (c->plan == NET_IN_ORDER && (s->plan == NET_IN_ORDER || s->plan == NET_LEAVE))
		NET_MUST(c->eof && c->got == op->total && !c->dead);
	if (c->plan == NET_IN_ORDER && s->plan == NET_STOP)
		NET_MUST(c->eof && c->got == s->sent && !c->dead);
	if (c->plan == NET_IN_ORDER && (s->plan == NET_RESET || s->plan == NET_FREE))
		NET_MUST(c->dead && !c->eof && (c->err == GN_ERESET || c->err == GN_ENOPROTO));
	if (!in_order && (s->plan == NET_IN_ORDER || s->plan == NET_LEAVE))
		NET_MUST(s->dead && !s->eof && s->err == GN_ERESET);
}

static void on_closed(void *arg)
{
	((struct net_world *)arg)->closed++;
}

/* Some of the runs with faults have small limits as well. */
static void tune(struct gn_node_cfg *cfg)
{
	if (net_seed % 6 != 1)
		return;
	cfg->limits.memory = (size_t)(1 + net_seed % 5) * 400000;
	cfg->limits.streams_per_conn = 1 + (unsigned)net_seed % 4;
	cfg->limits.streams_per_peer = 1 + (unsigned)net_seed % 6;
	cfg->limits.conns = 2 + (unsigned)net_seed % 3;
	cfg->limits.idle = (gn_time)(net_seed % 3) * 5 * GN_SEC;
	cfg->limits.window = 300000;
}

static void check_limits(struct net_world *w)
{
	for (size_t i = 0; i < w->net.n; i++) {
		struct gn_node *node = w->net.node[i];
		struct gn_list *at;

		if (node == NULL)
			continue;
		NET_MUST(node->scope.used <= node->scope.max && node->n_pending <= node->cfg.limits.conns_pending);
		gn_list_for_each(at, &node->conns)
			NET_MUST(gn_list_entry(at, struct gn_conn, link_node)->scope.streams <=
				 node->cfg.limits.streams_per_conn);
	}
}

static void world_init(struct net_world *w, uint64_t n)
{
	struct gn_mem_cfg mem = {.seed = n};
	struct rng *r = &w->rng;

	memset(w, 0, sizeof *w);
	rng_seed(r, n);
	w->faults = n & 1;
	w->kill = -1;
	gn_list_init(&w->servers);
	net_init(&w->net, 2 + rng_below(r, NET_NODES - 1), tune);
	mem.max_chunk = rng_one_in(r, 3) ? 0 : 1 + rng_below(r, rng_one_in(r, 2) ? 100 : 20000);
	mem.delay = (gn_time)rng_below(r, rng_one_in(r, 2) ? 100 : 5) * GN_MSEC;
	mem.buffer = rng_one_in(r, 2) ? 0 : 500 + rng_below(r, 70000);
	if (mem.buffer > 0 && mem.delay > 5 * GN_MSEC)
		mem.buffer *= 10;
	/* Small pieces cause many events, so there are fewer bytes. */
	w->piece = 1 + rng_below(r, rng_one_in(r, 2) ? 30 : NET_FRAME_MAX);
	if (mem.max_chunk > 0 && mem.max_chunk < w->piece)
		w->piece = mem.max_chunk;
	if (mem.buffer > 0 && mem.buffer < w->piece)
		w->piece = mem.buffer;
	NET_MUST(gn_mem_set(w->net.loop, &mem) == 0);
	for (size_t i = 0; i < w->net.n; i++) {
		w->is_alive[i] = true;
		net_serve(w, i);
	}
	w->n_ops = 1 + rng_below(r, NET_OPS);
	for (size_t i = 0; i < w->n_ops; i++)
		op_init(w, i);
	gn_timer_init(&w->fault, w->net.loop, on_fault, w);
	if (w->faults)
		gn_timer_start(&w->fault, (gn_time)rng_below(r, 1000) * GN_MSEC);
}

/* Runs the loop until all operations and channels have ended, and for 20 s more, because frames of ended
 * channels may still be in transit. */
static void world_run(struct net_world *w)
{
	struct gn_loop *loop = w->net.loop;
	gn_time over = 0;

	while (over == 0 || gn_loop_now(loop) - over < 20 * GN_SEC) {
		NET_MUST(gn_loop_now(loop) < NET_ENDS_LIMIT);
		if (gn_loop_turn(loop, GN_SEC) != 0) { /* nothing is pending */
			NET_MUST(is_all_over(w));
			break;
		}
		if (w->kill >= 0)
			kill_node(w, (size_t)w->kill);
		w->kill = -1;
		check_limits(w);
		if (!is_all_over(w))
			over = 0;
		else if (over == 0)
			over = gn_loop_now(loop);
	}
	gn_timer_stop(&w->fault);
}

/* Checks the results of all operations, and that no stream, channel, dial or charged memory is left. */
static void world_check(struct net_world *w)
{
	for (size_t i = 0; i < w->n_ops; i++)
		check_op(&w->op[i]);
	net_run(&w->net, 60 * GN_SEC); /* freed streams, stalls and identify may need this time to end */
	for (size_t i = 0; i < w->net.n; i++) {
		struct gn_node *node = w->net.node[i];
		struct gn_list *at;

		if (node == NULL)
			continue;
		NET_MUST(gn_list_is_empty(&node->dials) && node->n_channels == 0 && node->n_pending == 0);
		gn_list_for_each(at, &node->conns) {
			struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);

			NET_MUST(c->state == GN_CONN_OPEN && gn_conn_is_usable(c));
			NET_MUST(c->scope.streams == 0 && gn_list_is_empty(&c->streams_open) &&
				 c->session->streams == 0);
		}
		NET_MUST(node->scope.used == 0);
	}
}

static void world_fini(struct net_world *w)
{
	struct gn_list *at, *next;
	unsigned alive = 0;

	if (rng_one_in(&w->rng, 2)) { /* close the nodes before they are freed */
		gn_time began = gn_loop_now(w->net.loop);

		for (size_t i = 0; i < w->net.n; i++) {
			if (w->net.node[i] == NULL)
				continue;
			alive++;
			NET_MUST(gn_node_close(w->net.node[i], 20 * GN_SEC, on_closed, w) == 0);
			NET_MUST(w->closed == 0);
		}
		net_run(&w->net, 30 * GN_SEC);
		NET_MUST(w->closed == alive);
		NET_MUST(gn_loop_now(w->net.loop) - began <= 30 * GN_SEC);
		for (size_t i = 0; i < w->net.n; i++)
			NET_MUST(w->net.node[i] == NULL || w->net.node[i]->n_conns == 0);
	}
	gn_list_for_each_safe(at, next, &w->servers) {
		struct net_end *e = gn_list_entry(at, struct net_end, link);

		gn_timer_fini(&e->pause);
		free(e);
	}
	for (size_t i = 0; i < w->n_ops; i++) {
		gn_timer_fini(&w->op[i].client.pause);
		free(w->op[i].client.shown);
		gn_timer_fini(&w->op[i].start);
		gn_timer_fini(&w->op[i].cancel);
	}
	gn_timer_fini(&w->fault);
	net_fini(&w->net);
}

/* Frees all nodes at a random time, whatever their state is. */
static void world_crash(struct net_world *w)
{
	gn_time until = (gn_time)rng_below(&w->rng, 4000) * GN_MSEC;

	net_run(&w->net, until);
	for (size_t i = 0; i < w->net.n; i++)
		kill_node(w, i);
}

static void random_networks_keep_their_promises(void **state)
{
	uint64_t first = 1, n = getenv("GN_SEEDS") != NULL ? strtoull(getenv("GN_SEEDS"), NULL, 0) : NET_SEEDS;
	static struct net_world w;

	(void)state;
	rng_seeds(&first, &n);
	for (net_seed = first; net_seed < first + n; net_seed++) {
		world_init(&w, net_seed);
		if (net_seed % 10 == 9) {
			world_crash(&w);
		} else {
			world_run(&w);
			world_check(&w);
		}
		world_fini(&w);
	}
	print_message("%u operations: %u streams in order, %u dead, %llu bytes, %u cancelled, %u lost, %u pings, %u "
		      "identified\n",
		      seen.ops, seen.in_order, seen.dead, seen.bytes, seen.cancelled, seen.lost, seen.pinged,
		      seen.identified);
	if (n >= NET_SEEDS)
		assert_true(seen.in_order > NET_SEEDS / 2 && seen.dead > NET_SEEDS / 2 &&
			    seen.cancelled > NET_SEEDS / 10 && seen.lost > 0 && seen.pinged > NET_SEEDS / 10 &&
			    seen.identified > NET_SEEDS / 20 && seen.bytes > NET_SEEDS * 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_networks_keep_their_promises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
