/* SPDX-License-Identifier: MIT */
/* A node among others on one loop: the one that is tested, honest clients, and foes.  A foe is
 * a link and nothing else: it says what a test makes it say, over Noise too, frame by frame.
 * On a virtual loop everything runs over mem, else over TCP on the loopback. */
#ifndef GN_TESTS_TOWN_H
#define GN_TESTS_TOWN_H

#include <errno.h>
#include <sys/socket.h>

#include "base/time.h"
#include "mux/yamux.h"
#include "node/conn.h"
#include "node/node.h"
#include "noise_peer.h"
#include "transport/mem.h"
#include "transport/tcp_link.h"

enum { TOWN_HELD = 2048 };

struct town {
	struct gn_loop *loop;
	bool is_virtual;
	struct gn_key *key;
	struct gn_node *node;
	struct gn_multiaddr *addr; /* with /p2p */
	unsigned opened;           /* channels of /hold and /flood that came */
	struct gn_channel *held[TOWN_HELD];
	unsigned n_held;
};

static inline const struct gn_components *town_components(void)
{
	static const struct gn_transport_ops *const transports[] = {&gn_transport_mem, &gn_transport_tcp, NULL};
	static const struct gn_security_ops *const securities[] = {&gn_security_noise, NULL};
	static const struct gn_muxer_ops *const muxers[] = {&gn_muxer_yamux, NULL};
	static const struct gn_service_ops *const services[] = {&gn_service_identify, &gn_service_ping, NULL};
	static const struct gn_components all = {transports, securities, muxers, services};

	return &all;
}

/* ---- what the node serves ---- */

/* /echo: gives back what comes, and the end. */
static inline void town_on_echo(void *arg, struct gn_channel *ch, unsigned events)
{
	uint8_t buf[4096];
	ptrdiff_t n = 0;

	(void)arg;
	if (events & GN_DEAD) {
		gn_channel_free(ch);
		return;
	}
	for (;;) {
		struct gn_channel_state st;

		gn_channel_state(ch, &st);
		if (st.queued > 65536)
			return;
		n = gn_channel_read(ch, buf, sizeof buf);
		if (n <= 0)
			break;
		if (gn_channel_write(ch, buf, (size_t)n) != n) { /* there is no memory */
			gn_channel_reset(ch);
			gn_channel_free(ch);
			return;
		}
	}
	if (n == GN_EOF)
		gn_channel_end(ch);
	if (n != GN_EAGAIN)
		gn_channel_free(ch);
}

static inline void town_echo(void *arg, struct gn_channel *ch)
{
	gn_channel_on_event(ch, town_on_echo, arg);
}

/* /sink: reads a little at a time, until there is no more. */
static inline void town_on_sink(void *arg, struct gn_channel *ch, unsigned events)
{
	uint8_t buf[8192];
	ptrdiff_t n;

	(void)arg;
	(void)events;
	while ((n = gn_channel_read(ch, buf, sizeof buf)) > 0)
		;
	if (n != GN_EAGAIN)
		gn_channel_free(ch);
}

static inline void town_sink(void *arg, struct gn_channel *ch)
{
	gn_channel_on_event(ch, town_on_sink, arg);
}

static inline void town_drop(struct town *t, struct gn_channel *ch)
{
	for (unsigned i = 0; i < t->n_held; i++) {
		if (t->held[i] == ch) {
			t->held[i] = t->held[--t->n_held];
			gn_channel_free(ch);
			return;
		}
	}
	WIRE_MUST(!"held");
}

/* /hold: takes the channel and reads nothing, until it dies. */
static inline void town_on_hold(void *arg, struct gn_channel *ch, unsigned events)
{
	if (events & GN_DEAD)
		town_drop(arg, ch);
}

static inline void town_hold(void *arg, struct gn_channel *ch)
{
	struct town *t = arg;

	WIRE_MUST(t->n_held < TOWN_HELD);
	t->opened++;
	t->held[t->n_held++] = ch;
	gn_channel_on_event(ch, town_on_hold, t);
}

/* /flood: writes as much as is taken, for ever. */
static inline void town_on_flood(void *arg, struct gn_channel *ch, unsigned events)
{
	static const uint8_t zeros[16384];

	if (events & GN_DEAD) {
		town_drop(arg, ch);
		return;
	}
	while (gn_channel_write(ch, zeros, sizeof zeros) > 0)
		;
}

static inline void town_flood(void *arg, struct gn_channel *ch)
{
	town_hold(arg, ch);
	gn_channel_on_event(ch, town_on_flood, arg);
	town_on_flood(arg, ch, GN_CAN_WRITE);
}

static inline void town_serve(struct gn_node *node, struct town *t)
{
	struct gn_protocol_cfg echo = {.id = "/echo", .kind = GN_BYTES, .on_open = town_echo, .arg = t};
	struct gn_protocol_cfg sink = {.id = "/sink", .kind = GN_BYTES, .on_open = town_sink, .arg = t};
	struct gn_protocol_cfg hold = {.id = "/hold", .kind = GN_BYTES, .on_open = town_hold, .arg = t};
	struct gn_protocol_cfg flood = {.id = "/flood", .kind = GN_BYTES, .on_open = town_flood, .arg = t};

	WIRE_MUST(gn_protocol_add(node, &echo) == 0);
	WIRE_MUST(gn_protocol_add(node, &sink) == 0);
	WIRE_MUST(gn_protocol_add(node, &hold) == 0);
	WIRE_MUST(gn_protocol_add(node, &flood) == 0);
}

static inline struct gn_key *town_key(uint8_t seed)
{
	uint8_t bytes[32];
	struct gn_key *key;

	memset(bytes, seed, sizeof bytes);
	WIRE_MUST(gn_key_new_seeded(bytes, &key) == 0);
	return key;
}

static inline struct gn_node *town_node(struct gn_loop *loop, const struct gn_key *key, const struct gn_limits *lim)
{
	struct gn_node_cfg cfg;
	struct gn_node *node;

	memset(&cfg, 0, sizeof cfg);
	cfg.loop = loop;
	cfg.key = key;
	cfg.components = town_components();
	cfg.limits = *lim;
	WIRE_MUST(gn_node_new(&cfg, &node) == 0);
	return node;
}

static inline struct gn_multiaddr *town_listen(struct gn_node *node, const char *text)
{
	struct gn_multiaddr *at, *bound;

	WIRE_MUST(gn_multiaddr_parse(text, &at, NULL) == 0);
	WIRE_MUST(gn_node_listen(node, at, &bound) == 0);
	gn_multiaddr_free(at);
	return bound;
}

/* lim NULL: the defaults. */
static inline void town_init(struct town *t, bool is_virtual, const struct gn_limits *lim)
{
	struct gn_limits stock;

	memset(t, 0, sizeof *t);
	t->is_virtual = is_virtual;
	WIRE_MUST((is_virtual ? gn_loop_new_virtual(&t->loop) : gn_loop_new(&t->loop)) == 0);
	gn_limits_init(&stock);
	t->key = town_key(1);
	t->node = town_node(t->loop, t->key, lim != NULL ? lim : &stock);
	town_serve(t->node, t);
	/* Wildcards are listened on so that clients may come from all of 127.0.0.0/8. */
	t->addr = town_listen(t->node, is_virtual ? "/memory/7" : "/ip4/127.0.0.1/tcp/0");
}

/* ---- time ---- */

static inline void town_run(struct town *t, gn_time span)
{
	gn_time end = gn_loop_now(t->loop) + span;

	while (gn_loop_now(t->loop) < end)
		if (gn_loop_turn(t->loop, end - gn_loop_now(t->loop)) == GN_EAGAIN)
			break;
}

/* Turns until the condition holds; false: not within the time. */
#define TOWN_UNTIL(t, what, span) \
	for (gn_time until_ = gn_loop_now((t)->loop) + (span); !(what);) { \
		if (gn_loop_now((t)->loop) >= until_ || \
		    gn_loop_turn((t)->loop, gn_time_min(10 * GN_MSEC, until_ - gn_loop_now((t)->loop))) == GN_EAGAIN) { \
			WIRE_MUST(what); \
			break; \
		} \
	}

/* Nobody is left, and nothing is owed. */
static inline void town_quiet(struct town *t)
{
	TOWN_UNTIL(t, t->node->n_conns == 0, 10 * GN_SEC);
	WIRE_MUST(t->node->n_pending == 0);
	WIRE_MUST(t->node->budget.used == 0);
	WIRE_MUST(gn_list_is_empty(&t->node->scratch.borrowers));
}

static inline void town_fini(struct town *t)
{
	gn_node_free(t->node);
	gn_key_free(t->key);
	gn_multiaddr_free(t->addr);
	gn_loop_free(t->loop);
}

/* ---- an honest client: dials, sends, gets it back ---- */

struct honest {
	struct gn_channel *ch;
	int err;
	size_t sent, got;
	bool is_done, is_over;
};

enum { HONEST_BYTES = 100000 };

static inline void honest_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	static uint8_t buf[8192];
	struct honest *h = arg;
	ptrdiff_t n;

	(void)events;
	while (h->sent < HONEST_BYTES) {
		size_t left = HONEST_BYTES - h->sent;

		memset(buf, 'a', sizeof buf);
		n = gn_channel_write(ch, buf, left < sizeof buf ? left : sizeof buf);
		if (n < 0 && n != GN_EAGAIN) {
			h->err = (int)n;
			h->is_over = true;
			return;
		}
		if (n <= 0)
			break;
		h->sent += (size_t)n;
		if (h->sent == HONEST_BYTES)
			gn_channel_end(ch);
	}
	while ((n = gn_channel_read(ch, buf, sizeof buf)) > 0)
		h->got += (size_t)n;
	if (n != GN_EAGAIN) {
		h->err = (int)n;
		h->is_over = true;
	}
}

static inline void honest_on_done(void *arg, int err, struct gn_channel *ch)
{
	struct honest *h = arg;

	h->is_done = true;
	h->err = err;
	h->ch = ch;
	if (err != 0) {
		h->is_over = true;
		return;
	}
	gn_channel_on_event(ch, honest_on_event, h);
	honest_on_event(h, ch, GN_CAN_WRITE);
}

/* How a stream to /echo with 100 kB ends: GN_EOF with all of them back; from a client of its own. */
static inline int honest_try(struct town *t, uint8_t seed)
{
	struct gn_limits lim;
	struct gn_key *key = town_key(seed);
	struct gn_node *node;
	struct honest h = {0};
	const struct gn_multiaddr *addrs[1] = {t->addr};
	struct gn_dial_cfg cfg = {.addrs = addrs, .n_addrs = 1, .protocol = "/echo", .kind = GN_BYTES,
				  .on_done = honest_on_done, .arg = &h};
	struct gn_dial *op;

	gn_limits_init(&lim);
	node = town_node(t->loop, key, &lim);
	WIRE_MUST(gn_dial_start(node, &cfg, &op) == 0);
	TOWN_UNTIL(t, h.is_over, 20 * GN_SEC);
	gn_channel_free(h.ch);
	gn_node_free(node);
	gn_key_free(key);
	if (h.err == GN_EOF)
		WIRE_MUST(h.got == HONEST_BYTES);
	return h.err;
}

/* The node still serves. */
static inline void town_serves(struct town *t)
{
	WIRE_MUST(honest_try(t, 99) == GN_EOF);
}

/* ---- a foe ---- */

struct foe {
	struct town *t;
	struct gn_link *link;
	struct gn_link_dial *dial;
	int err;          /* 0 while it is connected */
	bool is_deaf;     /* reads nothing */
	bool answers;     /* answers pings */
	bool is_secure, is_muxed;
	struct wire in, plain, out, record;
	struct noise_peer noise;
	/* what yamux said */
	unsigned frames[4], syns, acks, fins, rsts, pongs, pings;
	uint64_t data, credit;
	bool is_away;
	uint32_t away_code;
	uint32_t body_left;
};

static inline void foe_flush(struct foe *f)
{
	while (f->link != NULL && f->out.len > 0) {
		struct iovec v = {f->out.p + f->out.at, f->out.len};
		ptrdiff_t n = f->link->ops->write(f->link, &v, 1);

		if (n <= 0) {
			if (n != GN_EAGAIN) {
				f->err = (int)n;
				wire_skip(&f->out, f->out.len);
			}
			break;
		}
		wire_skip(&f->out, (size_t)n);
	}
	if (f->link != NULL)
		f->link->ops->want(f->link, (f->is_deaf || f->err != 0 ? 0u : GN_READABLE) |
						    (f->out.len > 0 ? GN_WRITABLE : 0u));
}

static inline void foe_put(struct foe *f, const void *p, size_t n)
{
	wire_put(&f->out, p, n);
	foe_flush(f);
}

static inline void foe_hear(struct foe *f);

static inline void foe_on_ready(void *arg, unsigned ready)
{
	static uint8_t buf[65536];
	struct foe *f = arg;
	ptrdiff_t n = GN_EAGAIN;

	if (ready & GN_READABLE && !f->is_deaf) {
		while ((n = f->link->ops->read(f->link, buf, sizeof buf)) > 0)
			wire_put(&f->in, buf, (size_t)n);
		if (n != GN_EAGAIN)
			f->err = (int)n;
		foe_hear(f);
	}
	foe_flush(f);
}

static inline void foe_on_link(void *arg, int err, struct gn_link *link)
{
	struct foe *f = arg;

	f->dial = NULL;
	f->err = err;
	f->link = link;
	if (err != 0)
		return;
	link->on_ready = foe_on_ready;
	link->arg = f;
	foe_flush(f);
}

/* Begins to connect; the seed makes its identity. */
static inline void foe_begin(struct foe *f, struct town *t, uint8_t seed)
{
	struct gn_link_dial_cfg cfg = {.loop = t->loop, .addr = t->addr, .on_done = foe_on_link, .arg = f};

	memset(f, 0, sizeof *f);
	f->t = t;
	f->answers = true;
	noise_peer_init(&f->noise, true, seed);
	WIRE_MUST((t->is_virtual ? &gn_transport_mem : &gn_transport_tcp)->dial(&cfg, &f->dial) == 0);
}

static inline void foe_connect(struct foe *f, struct town *t, uint8_t seed)
{
	foe_begin(f, t, seed);
	TOWN_UNTIL(t, f->dial == NULL, 5 * GN_SEC);
	WIRE_MUST(f->link != NULL);
}

static inline void foe_abort(struct foe *f)
{
	if (f->dial != NULL)
		(f->t->is_virtual ? &gn_transport_mem : &gn_transport_tcp)->cancel(f->dial);
	if (f->link != NULL)
		f->link->ops->abort(f->link);
	f->link = NULL;
	f->dial = NULL;
	noise_peer_fini(&f->noise);
	wire_fini(&f->in);
	wire_fini(&f->plain);
	wire_fini(&f->out);
	wire_fini(&f->record);
}

static inline void foe_listen(struct foe *f, bool hears)
{
	f->is_deaf = !hears;
	foe_flush(f);
}

/* ---- noise ---- */

#define FOE_SELECT "\x13/multistream/1.0.0\n"
#define FOE_NOISE "\x07/noise\n"
#define FOE_YAMUX "\x0d/yamux/1.0.0\n"

static inline void foe_say(struct foe *f, const char *text)
{
	foe_put(f, text, strlen(text));
}

static inline void foe_noise_1(struct foe *f)
{
	uint8_t msg[64];

	foe_say(f, FOE_SELECT FOE_NOISE);
	foe_put(f, msg, noise_peer_write(&f->noise, 1, NULL, 0, msg));
}

/* Message 2 has come whole? */
static inline bool foe_has_2(const struct foe *f)
{
	size_t at = 28;

	return f->in.len >= at + 2 && f->in.len >= at + 2 + gn_get_u16(f->in.p + f->in.at + at);
}

/* early: yamux is offered in the handshake. */
static inline void foe_noise_3(struct foe *f, bool early)
{
	static const char *const muxers[] = {"/yamux/1.0.0"};
	uint8_t payload[4096], msg[4200];
	size_t n;

	TOWN_UNTIL(f->t, foe_has_2(f) || f->err != 0, 5 * GN_SEC);
	WIRE_MUST(f->err == 0);
	wire_skip(&f->in, 28);
	noise_peer_read(&f->noise, 2, &f->in);
	n = noise_peer_payload(&f->noise, early ? muxers : NULL, early ? 1 : 0, payload);
	n = noise_peer_write(&f->noise, 3, payload, n, msg);
	f->is_secure = true;
	f->is_muxed = early;
	foe_put(f, msg, n);
}

/* Up to and with a yamux session. */
static inline void foe_open(struct foe *f, struct town *t, uint8_t seed)
{
	foe_connect(f, t, seed);
	foe_noise_1(f);
	foe_noise_3(f, true);
}

/* ---- yamux ---- */

static inline void foe_plain(struct foe *f, const void *p, size_t n)
{
	wire_put(&f->record, p, n);
}

/* What was said since goes out, in records as large as can be. */
static inline void foe_seal(struct foe *f)
{
	static uint8_t out[2 + 65535];

	while (f->record.len > 0) {
		size_t n = f->record.len < 65519 ? f->record.len : 65519;

		wire_put(&f->out, out, noise_peer_seal(&f->noise, f->record.p + f->record.at, n, out));
		wire_skip(&f->record, n);
	}
	foe_flush(f);
}

static inline void foe_frame(struct foe *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length)
{
	uint8_t head[12] = {0, type};

	gn_put_u16(head + 2, flags);
	gn_put_u32(head + 4, id);
	gn_put_u32(head + 8, length);
	foe_plain(f, head, sizeof head);
}

static inline void foe_data(struct foe *f, uint16_t flags, uint32_t id, const void *p, size_t n)
{
	foe_frame(f, YAMUX_DATA, flags, id, (uint32_t)n);
	foe_plain(f, p, n);
}

/* A stream with its protocol proposed. */
static inline void foe_stream(struct foe *f, uint32_t id, const char *protocol)
{
	char text[256];
	int n = snprintf(text, sizeof text, "%s%c%s\n", FOE_SELECT, (int)strlen(protocol) + 1, protocol);

	foe_data(f, YAMUX_SYN, id, text, (size_t)n);
}

/* Counts what the node says. */
static inline void foe_hear(struct foe *f)
{
	if (!f->is_secure)
		return;
	noise_peer_unseal(&f->noise, &f->in, &f->plain);
	while (f->is_muxed && f->plain.len > 0) {
		const uint8_t *p = f->plain.p + f->plain.at;
		uint16_t flags;
		uint32_t length;

		if (f->body_left > 0) {
			size_t n = f->plain.len < f->body_left ? f->plain.len : f->body_left;

			f->data += n;
			f->body_left -= (uint32_t)n;
			wire_skip(&f->plain, n);
			continue;
		}
		if (f->plain.len < 12)
			break;
		flags = gn_get_u16(p + 2);
		length = gn_get_u32(p + 8);
		WIRE_MUST(p[0] == 0 && p[1] <= YAMUX_GO_AWAY);
		f->frames[p[1]]++;
		if (p[1] <= YAMUX_WINDOW) {
			f->syns += (flags & YAMUX_SYN) != 0;
			f->acks += (flags & YAMUX_ACK) != 0;
			f->fins += (flags & YAMUX_FIN) != 0;
			f->rsts += (flags & YAMUX_RST) != 0;
		}
		if (p[1] == YAMUX_DATA) {
			f->body_left = length;
		} else if (p[1] == YAMUX_WINDOW) {
			f->credit += length;
		} else if (p[1] == YAMUX_PING) {
			f->pongs += (flags & YAMUX_ACK) != 0;
			f->pings += (flags & YAMUX_SYN) != 0;
			if (flags & YAMUX_SYN && f->answers) {
				foe_frame(f, YAMUX_PING, YAMUX_ACK, 0, length);
				foe_seal(f);
			}
		} else {
			f->is_away = true;
			f->away_code = length;
		}
		wire_skip(&f->plain, 12);
	}
}

#endif
