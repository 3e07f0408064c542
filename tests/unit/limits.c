/* SPDX-License-Identifier: MIT */
/* Every field of struct gn_limits, hit by a peer that is slow, silent or greedy: what it costs
 * is what the limit says, and the node serves the next one. */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "town.h"

enum { FOES = 12 };

static struct gn_limits lim;

static int setup(void **state)
{
	(void)state;
	gn_limits_init(&lim);
	return 0;
}

static void stop(struct town *t)
{
	town_quiet(t);
	town_serves(t);
	town_quiet(t);
	town_fini(t);
}

/* ---- connections ---- */

static void conns(void **state)
{
	struct foe foes[FOES];
	struct town t;

	(void)state;
	lim.conns = 4;
	town_init(&t, true, &lim);
	for (int i = 0; i < FOES; i++)
		foe_begin(&foes[i], &t, (uint8_t)(i + 2));
	town_run(&t, 100 * GN_MSEC);
	assert_int_equal(t.node->n_conns, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(foes[i].err, 0);
		foe_noise_1(&foes[i]);
		foe_noise_3(&foes[i], true);
	}
	for (int i = 4; i < FOES; i++)
		assert_int_equal(foes[i].err, GN_ERESET);
	town_run(&t, 100 * GN_MSEC);
	assert_int_equal(t.node->n_conns, 4);
	assert_int_not_equal(honest_try(&t, 50), GN_EOF);
	/* One leaves, one gets in. */
	foe_abort(&foes[0]);
	TOWN_UNTIL(&t, t.node->n_conns == 3, GN_SEC);
	town_serves(&t);
	for (int i = 1; i < FOES; i++)
		foe_abort(&foes[i]);
	stop(&t);
}

/* What this node dials counts too, and is refused past the limit. */
struct outcome {
	int err;
	unsigned done, attempts;
	int attempt_err[8];
	gn_time took[8], when;
	struct gn_loop *loop;
	struct gn_channel *ch;
};

static void on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct outcome *o = arg;

	(void)addr;
	assert_true(o->attempts < 8);
	o->attempt_err[o->attempts] = err;
	o->took[o->attempts++] = took;
}

static void on_done(void *arg, int err, struct gn_channel *ch)
{
	struct outcome *o = arg;

	o->done++;
	o->err = err;
	o->ch = ch;
	o->when = gn_loop_now(o->loop);
}

static void dial(struct gn_node *node, struct outcome *o, const struct gn_multiaddr *const *addrs, size_t n)
{
	struct gn_dial_cfg cfg = {.addrs = addrs, .n_addrs = n, .protocol = "/echo", .kind = GN_BYTES,
				  .on_attempt = on_attempt, .on_done = on_done, .arg = o};
	struct gn_dial *op;

	memset(o, 0, sizeof *o);
	o->loop = node->loop;
	assert_int_equal(gn_dial_start(node, &cfg, &op), 0);
	assert_int_equal(o->done, 0);
}

static void conns_dialed(void **state)
{
	struct gn_node *other;
	struct gn_key *key = town_key(7);
	const struct gn_multiaddr *addr;
	struct outcome o;
	struct foe f[2];
	struct town t;

	(void)state;
	lim.conns = 2;
	town_init(&t, true, &lim);
	other = town_node(t.loop, key, &lim);
	town_serve(other, &t);
	addr = town_listen(other, "/memory/8");
	for (int i = 0; i < 2; i++)
		foe_open(&f[i], &t, (uint8_t)(i + 2));
	dial(t.node, &o, &addr, 1);
	TOWN_UNTIL(&t, o.done > 0, GN_SEC);
	assert_int_equal(o.err, GN_ELIMIT);
	assert_int_equal(t.node->n_conns, 2);
	foe_abort(&f[0]);
	TOWN_UNTIL(&t, t.node->n_conns == 1, GN_SEC);
	dial(t.node, &o, &addr, 1);
	TOWN_UNTIL(&t, o.done > 0, GN_SEC);
	assert_int_equal(o.err, 0);
	gn_channel_free(o.ch);
	foe_abort(&f[1]);
	gn_node_free(other);
	gn_key_free(key);
	gn_multiaddr_free((struct gn_multiaddr *)(uintptr_t)addr);
	stop(&t);
}

/* A client with a source address of its own. */
static void foe_connect_from(struct foe *f, struct town *t, uint8_t seed, const uint8_t from[4])
{
	struct gn_sockaddr remote;
	struct sockaddr_in sa = {.sin_family = AF_INET};
	struct gn_link *link;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(f, 0, sizeof *f);
	f->t = t;
	f->answers = true;
	noise_peer_init(&f->noise, true, seed);
	assert_true(fd >= 0);
	memcpy(&sa.sin_addr, from, 4);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(gn_tcp_addr_decode(t->addr, &remote), 0);
	memcpy(&sa.sin_addr, remote.ip, 4);
	sa.sin_port = htons(remote.port);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
	assert_int_equal(gn_tcp_link_init(t->loop), 0);
	assert_int_equal(gn_tcp_link_new(t->loop, fd, &remote, &link), 0);
	foe_on_link(f, 0, link);
}

static void conns_per_addr(void **state)
{
	static const uint8_t one[4] = {127, 0, 0, 1}, two[4] = {127, 0, 0, 2};
	struct foe foes[FOES], other;
	struct town t;

	(void)state;
	lim.conns_per_addr = 3;
	town_init(&t, false, &lim);
	for (int i = 0; i < FOES; i++)
		foe_connect_from(&foes[i], &t, 2, one);
	TOWN_UNTIL(&t, foes[FOES - 1].err != 0, 5 * GN_SEC);
	assert_int_equal(t.node->n_conns, 3);
	for (int i = 0; i < FOES; i++)
		assert_int_equal(foes[i].err, i < 3 ? 0 : GN_ERESET);
	foe_connect_from(&other, &t, 3, two);
	foe_noise_1(&other);
	foe_noise_3(&other, true);
	foe_stream(&other, 1, "/hold");
	foe_seal(&other);
	TOWN_UNTIL(&t, t.opened == 1, 5 * GN_SEC);
	for (int i = 0; i < FOES; i++)
		foe_abort(&foes[i]);
	foe_abort(&other);
	stop(&t);
}

/* Who is not secured yet fills up the pending ones only: accepting waits, and goes on. */
static void pending(struct town *t)
{
	struct foe foes[FOES];

	for (int i = 0; i < FOES; i++)
		foe_begin(&foes[i], t, 2);
	town_run(t, 20 * GN_MSEC);
	assert_int_equal(t->node->n_pending, 4);
	assert_int_equal(t->node->n_conns, 4);
	/* The honest one stands behind all of them in the queue. */
	town_serves(t);
	for (int i = 0; i < FOES; i++)
		assert_int_equal(foes[i].err, GN_ERESET);
	for (int i = 0; i < FOES; i++)
		foe_abort(&foes[i]);
	stop(t);
}

static void conns_pending(void **state)
{
	struct town t;

	(void)state;
	lim.conns_pending = 4;
	lim.accept = 50 * GN_MSEC;
	town_init(&t, false, &lim);
	pending(&t);
	town_init(&t, true, &lim);
	pending(&t);
}

/* ---- streams ---- */

/* All in one record: the limit holds though nobody was told in between. */
static void streams_per_conn(void **state)
{
	struct town t;
	struct foe f;

	(void)state;
	lim.streams_per_conn = 4;
	town_init(&t, true, &lim);
	foe_open(&f, &t, 2);
	for (uint32_t i = 0; i < 100; i++)
		foe_stream(&f, 2 * i + 1, "/hold");
	foe_seal(&f);
	TOWN_UNTIL(&t, f.rsts == 96, GN_SEC);
	assert_int_equal(t.opened, 4);
	town_run(&t, GN_SEC);
	assert_int_equal(f.rsts, 96);
	assert_int_equal(f.err, 0);
	assert_false(f.is_away);
	/* A place becomes free. */
	foe_frame(&f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	foe_seal(&f);
	town_run(&t, 10 * GN_MSEC);
	foe_stream(&f, 1001, "/hold");
	foe_seal(&f);
	TOWN_UNTIL(&t, t.opened == 5, GN_SEC);
	foe_abort(&f);
	stop(&t);
}

/* Streams that the program is done with and the peer does not end count as well. */
static void streams_given_up(void **state)
{
	struct town t;
	struct foe f;

	(void)state;
	lim.streams_per_conn = 8;
	town_init(&t, true, &lim);
	foe_open(&f, &t, 2);
	for (uint32_t i = 0; i < 50; i++)
		foe_stream(&f, 2 * i + 1, "/ipfs/id/1.0.0");
	foe_seal(&f);
	town_run(&t, GN_SEC);
	for (uint32_t i = 50; i < 200; i++) {
		foe_stream(&f, 2 * i + 1, "/ipfs/id/1.0.0");
		foe_seal(&f);
		town_run(&t, 100 * GN_MSEC);
	}
	assert_true(((struct gn_conn *)gn_list_entry(t.node->conns.next, struct gn_conn, link_node))->session->streams <=
		    8 + 1);
	assert_true(t.node->budget.used <= 9 * YAMUX_WINDOW_INITIAL);
	foe_abort(&f);
	stop(&t);
}

static void streams_per_peer(void **state)
{
	struct foe f[3];
	struct town t;

	(void)state;
	lim.streams_per_conn = 4;
	lim.streams_per_peer = 6;
	town_init(&t, true, &lim);
	for (int i = 0; i < 3; i++) { /* the third is somebody else */
		foe_open(&f[i], &t, i < 2 ? 2 : 3);
		for (uint32_t k = 0; k < 5; k++)
			foe_stream(&f[i], 2 * k + 1, "/hold");
		foe_seal(&f[i]);
		town_run(&t, 100 * GN_MSEC);
	}
	assert_int_equal(f[0].rsts, 1);
	assert_int_equal(f[1].rsts, 3);
	assert_int_equal(f[2].rsts, 1);
	assert_int_equal(t.opened, 4 + 2 + 4);
	for (int i = 0; i < 3; i++)
		foe_abort(&f[i]);
	stop(&t);
}

/* ---- memory ---- */

static size_t promised(const struct gn_node *node)
{
	struct gn_list *at;
	size_t n = 0;

	gn_list_for_each(at, &node->conns) {
		const struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);
		const struct yamux *y = c->session != NULL ? yamux_of(c->session) : NULL;

		for (unsigned i = 0; y != NULL && i < y->n_buckets; i++)
			for (const struct yamux_stream *s = y->buckets[i]; s != NULL; s = s->next)
				n += s->window;
	}
	return n;
}

static void memory(void **state)
{
	static const uint8_t junk[16384];
	struct foe f, other;
	struct town t;

	(void)state;
	lim.memory = 8 * YAMUX_WINDOW_INITIAL;
	town_init(&t, true, &lim);
	foe_open(&other, &t, 3);
	foe_stream(&other, 1, "/echo");
	foe_seal(&other);
	town_run(&t, GN_SEC); /* identify has come and gone */
	foe_open(&f, &t, 2);
	for (uint32_t i = 0; i < 20; i++)
		foe_stream(&f, 2 * i + 1, "/hold");
	foe_seal(&f);
	town_run(&t, 100 * GN_MSEC);
	assert_int_equal(t.node->budget.used, promised(t.node));
	assert_true(t.node->budget.used <= lim.memory);
	assert_true(t.opened >= 5 && t.opened <= 7);
	assert_int_equal(f.rsts, 20 - t.opened);
	/* All that was promised comes, and is kept. */
	for (uint32_t i = 0; i < t.opened; i++)
		for (unsigned k = 0; k < 15; k++)
			foe_data(&f, 0, 2 * i + 1, junk, sizeof junk);
	foe_seal(&f);
	town_run(&t, GN_SEC);
	assert_int_equal(f.err, 0);
	assert_true(t.node->budget.used <= lim.memory);
	/* Others go on with what they have. */
	other.data = 0;
	foe_data(&other, 0, 1, junk, sizeof junk);
	foe_data(&other, 0, 1, junk, sizeof junk);
	foe_seal(&other);
	TOWN_UNTIL(&t, other.data >= 2 * sizeof junk, GN_SEC);
	foe_abort(&f);
	foe_abort(&other);
	stop(&t);
}

/* The largest window of any stream while data comes over a long path as fast as it may. */
static size_t widest(size_t window, size_t memory_max)
{
	static const struct gn_mem_cfg path = {.delay = 20 * GN_MSEC, .buffer = (size_t)16 << 20};
	static const uint8_t junk[32768];
	struct town t;
	struct foe f;
	size_t most = 0, sent = 0;

	gn_limits_init(&lim);
	lim.window = window;
	lim.memory = memory_max;
	town_init(&t, true, &lim);
	assert_int_equal(gn_mem_set(t.loop, &path), 0);
	foe_open(&f, &t, 2);
	foe_stream(&f, 1, "/sink");
	foe_seal(&f);
	town_run(&t, 200 * GN_MSEC);
	sent = 64;
	for (int i = 0; i < 400; i++) {
		const struct gn_conn *c = gn_list_entry(t.node->conns.next, struct gn_conn, link_node);
		const struct yamux_stream *s = yamux_stream_find(yamux_of(c->session), 1);

		assert_int_equal(f.err, 0);
		while (sent + sizeof junk <= YAMUX_WINDOW_INITIAL + f.credit) {
			foe_data(&f, 0, 1, junk, sizeof junk);
			sent += sizeof junk;
		}
		foe_seal(&f);
		town_run(&t, 5 * GN_MSEC);
		if (s != NULL && s->window > most)
			most = s->window;
		assert_true(t.node->budget.used <= memory_max);
	}
	foe_abort(&f);
	stop(&t);
	return most;
}

static void window(void **state)
{
	(void)state;
	assert_int_equal(widest(256 << 10, (size_t)256 << 20), 256 << 10);
	assert_int_equal(widest(1 << 20, (size_t)256 << 20), 1 << 20);
	/* Growth never takes what new streams need to begin. */
	assert_true(widest((size_t)64 << 20, 4 << 20) <= 2 << 20);
}

/* ---- time ---- */

/* What a slow one does in each millisecond that it has. */
static void silent(struct foe *f, unsigned ms)
{
	(void)f;
	(void)ms;
}

static void drips(struct foe *f, unsigned ms)
{
	static const char text[] = FOE_SELECT FOE_NOISE;

	foe_put(f, text + ms % (sizeof text - 1), ms < sizeof text - 1);
}

static void half(struct foe *f, unsigned ms)
{
	if (ms == 0)
		foe_noise_1(f);
}

static void drips_noise(struct foe *f, unsigned ms)
{
	if (ms == 0)
		foe_noise_1(f);
	if (ms == 1) /* a length, and then one byte at a time */
		foe_put(f, "\x10\x00", 2);
	if (ms > 1)
		foe_put(f, "x", 1);
}

static void proposes(struct foe *f, unsigned ms)
{
	if (ms == 0)
		foe_say(f, FOE_SELECT);
	foe_say(f, "\x05/tls\n");
}

static void lists(struct foe *f, unsigned ms)
{
	if (ms == 0)
		foe_say(f, FOE_SELECT);
	foe_say(f, "\x03ls\n");
}

static void no_muxer(struct foe *f, unsigned ms)
{
	if (ms == 0) {
		foe_noise_1(f);
		foe_noise_3(f, false);
	}
}

static void muxer_drips(struct foe *f, unsigned ms)
{
	static const char text[] = FOE_SELECT "\x12/mplex/6.7.0/and/\n";

	no_muxer(f, ms);
	foe_plain(f, text + ms % (sizeof text - 1), ms < sizeof text - 1);
	foe_seal(f);
}

static void empty_records(struct foe *f, unsigned ms)
{
	uint8_t out[64];

	no_muxer(f, ms);
	for (int i = 0; i < 10; i++)
		foe_put(f, out, noise_peer_seal(&f->noise, "", 0, out));
}

static void accept_(void **state)
{
	static void (*const slow[])(struct foe *, unsigned) = {silent,	 drips,	   half,	drips_noise, proposes,
							       lists, no_muxer, muxer_drips, empty_records};
	struct town t;

	(void)state;
	lim.accept = 60 * GN_MSEC;
	town_init(&t, true, &lim);
	for (size_t i = 0; i < sizeof slow / sizeof slow[0]; i++) {
		gn_time begin;
		struct foe f;

		foe_connect(&f, &t, 2);
		TOWN_UNTIL(&t, t.node->n_conns == 1, GN_SEC);
		begin = gn_loop_now(t.loop);
		for (unsigned ms = 0; ms < 100 && f.err == 0; ms++) {
			slow[i](&f, ms);
			town_run(&t, GN_MSEC);
		}
		assert_int_equal(f.err, GN_ERESET);
		/* An end may come sooner where there are too many proposals, never later. */
		assert_true(gn_loop_now(t.loop) - begin <= 62 * GN_MSEC);
		assert_true(slow[i] == proposes || slow[i] == lists || gn_loop_now(t.loop) - begin >= 58 * GN_MSEC);
		foe_abort(&f);
		town_quiet(&t);
		town_serves(&t);
		town_quiet(&t);
	}
	stop(&t);
}

static void accept_real(void **state)
{
	struct foe f[3];
	struct town t;

	(void)state;
	lim.accept = 50 * GN_MSEC;
	town_init(&t, false, &lim);
	for (int i = 0; i < 3; i++)
		foe_connect(&f[i], &t, 2);
	half(&f[1], 0);
	no_muxer(&f[2], 0);
	TOWN_UNTIL(&t, f[0].err != 0 && f[1].err != 0 && f[2].err != 0, 5 * GN_SEC);
	for (int i = 0; i < 3; i++)
		foe_abort(&f[i]);
	stop(&t);
}

static void first_stream(void **state)
{
	struct foe f[2];
	struct town t;

	(void)state;
	lim.first_stream = 100 * GN_MSEC;
	town_init(&t, true, &lim);
	for (int i = 0; i < 2; i++)
		foe_open(&f[i], &t, (uint8_t)(i + 2));
	/* One is not kept by pings. */
	foe_frame(&f[0], YAMUX_PING, YAMUX_SYN, 0, 1);
	foe_seal(&f[0]);
	town_run(&t, 80 * GN_MSEC);
	assert_int_equal(t.node->n_conns, 2);
	foe_stream(&f[1], 1, "/hold");
	foe_seal(&f[1]);
	town_run(&t, 50 * GN_MSEC);
	assert_false(gn_conn_is_usable(gn_list_entry(t.node->conns.next, struct gn_conn, link_node)));
	TOWN_UNTIL(&t, t.node->n_conns == 1, 5 * GN_SEC);
	town_run(&t, 5 * GN_SEC);
	assert_int_equal(t.node->n_conns, 1);
	assert_int_equal(f[1].err, 0);
	for (int i = 0; i < 2; i++)
		foe_abort(&f[i]);
	stop(&t);
}

static void negotiate(void **state)
{
	struct town t;
	struct foe f;

	(void)state;
	lim.negotiate = 50 * GN_MSEC;
	town_init(&t, true, &lim);
	foe_open(&f, &t, 2);
	town_run(&t, 200 * GN_MSEC); /* our own identify stream has met the same fate */
	f.rsts = 0;
	foe_frame(&f, YAMUX_WINDOW, YAMUX_SYN, 1, 0);              /* says nothing */
	foe_data(&f, YAMUX_SYN, 3, "\x13/multi", 7);               /* half of it */
	foe_data(&f, YAMUX_SYN, 5, FOE_SELECT "\x05/abc\n", 26);   /* no such protocol */
	foe_data(&f, YAMUX_SYN | YAMUX_FIN, 7, FOE_SELECT, 20);    /* ends in the middle */
	foe_data(&f, YAMUX_SYN, 9, "\x80\x80\x80", 3);             /* malformed */
	foe_seal(&f);
	town_run(&t, 40 * GN_MSEC);
	assert_int_equal(f.rsts, 2);
	foe_data(&f, 0, 3, "stream", 6); /* dripping wins no time */
	foe_seal(&f);
	town_run(&t, 20 * GN_MSEC);
	assert_int_equal(f.rsts, 5);
	assert_int_equal(f.err, 0);
	assert_int_equal(t.node->budget.used, 0);
	foe_abort(&f);
	stop(&t);
}

static void on_link(void *arg, struct gn_link *link)
{
	struct gn_link **taken = arg;

	*taken = link;
}

/* Who listens and says nothing. */
static struct gn_link_listener *listen_silent(struct town *t, const char *text, struct gn_link **taken,
					      struct gn_multiaddr **bound)
{
	struct gn_link_listen_cfg cfg = {.loop = t->loop, .on_link = on_link, .arg = taken};
	struct gn_link_listener *l;
	struct gn_multiaddr *at;

	*taken = NULL;
	assert_int_equal(gn_multiaddr_parse(text, &at, NULL), 0);
	cfg.addr = at;
	assert_int_equal((t->is_virtual ? &gn_transport_mem : &gn_transport_tcp)->listen(&cfg, &l, bound), 0);
	gn_multiaddr_free(at);
	return l;
}

static void dial_attempt(void **state)
{
	static const struct gn_mem_cfg far_away = {.delay = GN_SEC};
	struct gn_link_listener *l;
	struct gn_link *taken;
	struct gn_multiaddr *bound;
	const struct gn_multiaddr *addrs[2];
	struct outcome o;
	struct town t;
	gn_time begin;

	(void)state;
	lim.attempt = 50 * GN_MSEC;
	lim.dial = 400 * GN_MSEC;
	town_init(&t, true, &lim);
	l = listen_silent(&t, "/memory/9", &taken, &bound);
	addrs[0] = bound;
	/* Connected, and then nothing. */
	begin = gn_loop_now(t.loop);
	dial(t.node, &o, addrs, 1);
	TOWN_UNTIL(&t, o.done > 0, 5 * GN_SEC);
	assert_int_equal(o.err, GN_ETIMEOUT);
	assert_int_equal(o.attempts, 1);
	assert_int_equal(o.attempt_err[0], GN_ETIMEOUT);
	assert_int_equal(o.when - begin, lim.attempt);
	taken->ops->abort(taken);
	/* It is not even connected. */
	assert_int_equal(gn_mem_set(t.loop, &far_away), 0);
	begin = gn_loop_now(t.loop);
	dial(t.node, &o, addrs, 1);
	TOWN_UNTIL(&t, o.done > 0, 5 * GN_SEC);
	assert_int_equal(o.err, GN_ETIMEOUT);
	assert_int_equal(o.attempt_err[0], GN_ETIMEOUT);
	assert_int_equal(o.when - begin, lim.attempt);
	assert_int_equal(o.done, 1);
	gn_transport_mem.close(l);
	gn_multiaddr_free(bound);
	town_quiet(&t);
	town_fini(&t);
}

static void dial_limit(void **state)
{
	static const char *const at[] = {"/memory/10", "/memory/11"};
	struct gn_link_listener *l[2];
	struct gn_link *taken[2];
	struct gn_multiaddr *bound[2];
	const struct gn_multiaddr *addrs[2];
	struct outcome o;
	struct town t;
	gn_time begin;

	(void)state;
	lim.attempt = 10 * GN_SEC;
	lim.dial = 400 * GN_MSEC;
	town_init(&t, true, &lim);
	for (int i = 0; i < 2; i++) {
		l[i] = listen_silent(&t, at[i], &taken[i], &bound[i]);
		addrs[i] = bound[i];
	}
	begin = gn_loop_now(t.loop);
	dial(t.node, &o, addrs, 2);
	TOWN_UNTIL(&t, o.done > 0, 5 * GN_SEC);
	assert_int_equal(o.err, GN_ETIMEOUT);
	assert_int_equal(o.attempts, 2);
	assert_int_equal(o.when - begin, lim.dial);
	assert_int_equal(o.took[0], 400 * GN_MSEC);
	assert_int_equal(o.took[1], 150 * GN_MSEC);
	town_quiet(&t);
	for (int i = 0; i < 2; i++) {
		taken[i]->ops->abort(taken[i]);
		gn_transport_mem.close(l[i]);
		gn_multiaddr_free(bound[i]);
	}
	town_serves(&t);
	stop(&t);
}

static void ping_keepalive(void **state)
{
	struct town t;
	struct foe f[3];

	(void)state;
	lim.keepalive = 200 * GN_MSEC;
	lim.ping = 100 * GN_MSEC;
	lim.first_stream = GN_NEVER;
	town_init(&t, true, &lim);
	for (int i = 0; i < 3; i++) {
		foe_open(&f[i], &t, (uint8_t)(i + 2));
		f[i].answers = i == 0;
	}
	foe_listen(&f[2], false);
	town_run(&t, 1500 * GN_MSEC);
	/* Who answers stays; who does not, or does not even read, goes. */
	assert_int_equal(f[0].err, 0);
	assert_true(f[0].pings >= 4 && f[0].pings <= 9);
	assert_int_not_equal(f[1].err, 0);
	TOWN_UNTIL(&t, t.node->n_conns == 1, 5 * GN_SEC);
	for (int i = 0; i < 3; i++)
		foe_abort(&f[i]);
	stop(&t);
}

static void keepalive_never(void **state)
{
	struct town t;
	struct foe f;

	(void)state;
	lim.keepalive = 0;
	lim.first_stream = GN_NEVER;
	town_init(&t, true, &lim);
	foe_open(&f, &t, 2);
	f.answers = false;
	town_run(&t, 3600 * GN_SEC);
	assert_int_equal(f.err, 0);
	assert_int_equal(t.node->n_conns, 1);
	foe_abort(&f);
	stop(&t);
}

static void idle(void **state)
{
	struct town t;
	struct foe f;

	(void)state;
	lim.idle = 300 * GN_MSEC;
	lim.negotiate = 100 * GN_MSEC;
	lim.first_stream = GN_SEC;
	town_init(&t, true, &lim);
	foe_open(&f, &t, 2);
	foe_stream(&f, 1, "/hold");
	foe_seal(&f);
	town_run(&t, 20 * GN_SEC);
	assert_int_equal(f.err, 0);
	assert_int_equal(t.node->n_conns, 1);
	foe_frame(&f, YAMUX_WINDOW, YAMUX_RST, 1, 0);
	foe_seal(&f);
	town_run(&t, 200 * GN_MSEC);
	assert_true(gn_conn_is_usable(gn_list_entry(t.node->conns.next, struct gn_conn, link_node)));
	town_run(&t, 200 * GN_MSEC);
	assert_true(f.is_away);
	assert_int_equal(f.away_code, GN_GO_AWAY_NORMAL);
	foe_abort(&f);
	stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(conns, setup),
		cmocka_unit_test_setup(conns_dialed, setup),
		cmocka_unit_test_setup(conns_per_addr, setup),
		cmocka_unit_test_setup(conns_pending, setup),
		cmocka_unit_test_setup(streams_per_conn, setup),
		cmocka_unit_test_setup(streams_given_up, setup),
		cmocka_unit_test_setup(streams_per_peer, setup),
		cmocka_unit_test_setup(memory, setup),
		cmocka_unit_test_setup(window, setup),
		cmocka_unit_test_setup(accept_, setup),
		cmocka_unit_test_setup(accept_real, setup),
		cmocka_unit_test_setup(first_stream, setup),
		cmocka_unit_test_setup(negotiate, setup),
		cmocka_unit_test_setup(dial_attempt, setup),
		cmocka_unit_test_setup(dial_limit, setup),
		cmocka_unit_test_setup(ping_keepalive, setup),
		cmocka_unit_test_setup(keepalive_never, setup),
		cmocka_unit_test_setup(idle, setup),
	};

	WIRE_MUST(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
