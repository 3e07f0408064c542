/* SPDX-License-Identifier: MIT */
#include "support/raw_peer.h"

void raw_peer_flush(struct raw_peer *f)
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
		f->link->ops->watch(f->link, (f->is_paused || f->err != 0 ? 0u : GN_READABLE) |
						     (f->out.len > 0 ? GN_WRITABLE : 0u));
}

void raw_peer_put(struct raw_peer *f, const void *p, size_t n)
{
	wire_put(&f->out, p, n);
	raw_peer_flush(f);
}

static void raw_peer_receive(struct raw_peer *f);

static void raw_peer_on_ready(void *arg, unsigned ready)
{
	static uint8_t buf[65536];
	struct raw_peer *f = arg;
	ptrdiff_t n = GN_EAGAIN;

	if (ready & GN_READABLE && !f->is_paused) {
		while ((n = f->link->ops->read(f->link, buf, sizeof buf)) > 0)
			wire_put(&f->in, buf, (size_t)n);
		if (n != GN_EAGAIN)
			f->err = (int)n;
		raw_peer_receive(f);
	}
	raw_peer_flush(f);
}

static void raw_peer_on_link(void *arg, int err, struct gn_link *link)
{
	struct raw_peer *f = arg;

	f->dial = NULL;
	f->err = err;
	f->link = link;
	if (err != 0)
		return;
	link->on_ready = raw_peer_on_ready;
	link->arg = f;
	raw_peer_flush(f);
}

void raw_peer_begin(struct raw_peer *f, struct test_node *t, uint8_t seed)
{
	struct gn_link_dial_cfg cfg = {.loop = t->loop, .addr = t->addr, .on_done = raw_peer_on_link, .arg = f};

	memset(f, 0, sizeof *f);
	f->t = t;
	f->answers = true;
	noise_peer_init(&f->noise, true, seed);
	assert_true((t->is_virtual ? &gn_transport_mem : &gn_transport_tcp)->dial(NULL, &cfg, &f->dial) == 0);
}

void raw_peer_connect(struct raw_peer *f, struct test_node *t, uint8_t seed)
{
	raw_peer_begin(f, t, seed);
	TEST_NODE_UNTIL(t, f->dial == NULL, 5 * GN_SEC);
	assert_true(f->link != NULL);
}

void raw_peer_connect_from(struct raw_peer *f, struct test_node *t, uint8_t seed, const uint8_t from[4])
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
	assert_true(bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0);
	assert_true(gn_tcp_addr_decode(t->addr, &remote) == 0);
	memcpy(&sa.sin_addr, remote.ip, 4);
	sa.sin_port = htons(remote.port);
	assert_true(connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0);
	assert_true(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
	assert_true(gn_tcp_link_init(t->loop) == 0);
	assert_true(gn_tcp_link_new(t->loop, fd, &remote, &link) == 0);
	raw_peer_on_link(f, 0, link);
}

void raw_peer_abort(struct raw_peer *f)
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

void raw_peer_set_reading(struct raw_peer *f, bool is_reading)
{
	f->is_paused = !is_reading;
	raw_peer_flush(f);
}

/* ---- noise ---- */

void raw_peer_send_text(struct raw_peer *f, const char *text)
{
	raw_peer_put(f, text, strlen(text));
}

void raw_peer_noise_1(struct raw_peer *f)
{
	uint8_t msg[64];

	raw_peer_send_text(f, RAW_PEER_SELECT RAW_PEER_NOISE);
	raw_peer_put(f, msg, noise_peer_write(&f->noise, 1, NULL, 0, msg));
}

bool raw_peer_has_2(const struct raw_peer *f)
{
	size_t at = 28;

	return f->in.len >= at + 2 && f->in.len >= at + 2 + gn_get_u16(f->in.p + f->in.at + at);
}

void raw_peer_noise_3(struct raw_peer *f, bool early)
{
	static const char *const muxers[] = {"/yamux/1.0.0"};
	uint8_t payload[4096], msg[4200];
	size_t n;

	TEST_NODE_UNTIL(f->t, raw_peer_has_2(f) || f->err != 0, 5 * GN_SEC);
	assert_true(f->err == 0);
	wire_skip(&f->in, 28);
	noise_peer_read(&f->noise, 2, &f->in);
	n = noise_peer_payload(&f->noise, early ? muxers : NULL, early ? 1 : 0, payload);
	n = noise_peer_write(&f->noise, 3, payload, n, msg);
	f->is_secure = true;
	f->is_muxed = early;
	raw_peer_put(f, msg, n);
}

void raw_peer_open(struct raw_peer *f, struct test_node *t, uint8_t seed)
{
	raw_peer_connect(f, t, seed);
	raw_peer_noise_1(f);
	raw_peer_noise_3(f, true);
}

void raw_peer_start(struct raw_peer *f, struct test_node *t)
{
	test_node_init(t, true, &test_limits);
	raw_peer_open(f, t, 2);
	test_node_run(t, 50 * GN_MSEC);
	assert_int_equal(f->err, 0);
	assert_int_equal(t->node->n_conns, 1);
}

void raw_peer_open_from(struct raw_peer *f, struct test_node *t, uint8_t seed, const uint8_t from[4])
{
	raw_peer_connect_from(f, t, seed, from);
	raw_peer_noise_1(f);
	raw_peer_noise_3(f, true);
}

/* ---- yamux ---- */

void raw_peer_plain(struct raw_peer *f, const void *p, size_t n)
{
	wire_put(&f->record, p, n);
}

void raw_peer_seal(struct raw_peer *f)
{
	static uint8_t out[2 + 65535];

	while (f->record.len > 0) {
		size_t n = f->record.len < 65519 ? f->record.len : 65519;

		wire_put(&f->out, out, noise_peer_seal(&f->noise, f->record.p + f->record.at, n, out));
		wire_skip(&f->record, n);
	}
	raw_peer_flush(f);
}

void raw_peer_frame(struct raw_peer *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length)
{
	uint8_t head[12] = {0, type};

	gn_put_u16(head + 2, flags);
	gn_put_u32(head + 4, id);
	gn_put_u32(head + 8, length);
	raw_peer_plain(f, head, sizeof head);
}

void raw_peer_data(struct raw_peer *f, uint16_t flags, uint32_t id, const void *p, size_t n)
{
	raw_peer_frame(f, YAMUX_DATA, flags, id, (uint32_t)n);
	raw_peer_plain(f, p, n);
}

void raw_peer_stream(struct raw_peer *f, uint32_t id, const char *protocol)
{
	char text[256];
	int n = snprintf(text, sizeof text, "%s%c%s\n", RAW_PEER_SELECT, (int)strlen(protocol) + 1, protocol);

	raw_peer_data(f, YAMUX_SYN, id, text, (size_t)n);
}

/* Counts the frames that the node sends. */
static void raw_peer_receive(struct raw_peer *f)
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
		assert_true(p[0] == 0 && p[1] <= YAMUX_GO_AWAY);
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
				raw_peer_frame(f, YAMUX_PING, YAMUX_ACK, 0, length);
				raw_peer_seal(f);
			}
		} else {
			f->is_away = true;
			f->away_code = length;
		}
		wire_skip(&f->plain, 12);
	}
}
