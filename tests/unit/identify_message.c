/* SPDX-License-Identifier: MIT */
/* lib/protocols/identify_message: encoding, reading in pieces, limits, and the stored result. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/peer_record.h"
#include "id/key.h"
#include "protocols/identify_message.h"

static const uint8_t seed[GN_KEY_SEED_LEN] = {3}, other_seed[GN_KEY_SEED_LEN] = {4};
static struct gn_key *key, *other;
static struct gn_peer_id self, stranger;

static int set_up(void **state)
{
	(void)state;
	if (gn_key_new_seeded(seed, &key) != 0 || gn_key_new_seeded(other_seed, &other) != 0)
		return -1;
	gn_key_id(key, &self);
	gn_key_id(other, &stranger);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gn_key_free(key);
	gn_key_free(other);
	return 0;
}

/* ---- encoding ---- */

static char ids[2000][64];
static unsigned n_ids;

static const char *protocol(void *arg, size_t i)
{
	(void)arg;
	return i < n_ids ? ids[i] : NULL;
}

static void make_ids(unsigned n, int width)
{
	n_ids = n;
	for (unsigned i = 0; i < n; i++)
		snprintf(ids[i], sizeof ids[i], "/p/%0*u", width, i);
}

static struct gn_multiaddr *addr(const char *text)
{
	struct gn_multiaddr *a;

	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), 0);
	return a;
}

static struct gn_multiaddr *listen[300];

static struct gn_identify_own own_make(size_t n_listen)
{
	struct gn_identify_own own = {.key = key,
				      .agent = "test/1",
				      .protocol = protocol,
				      .n_listen = n_listen,
				      .seq = 9};
	char text[160], id[GN_PEER_ID_TEXT_MAX];

	for (size_t i = 0; i < n_listen; i++) {
		snprintf(text, sizeof text, "/ip4/192.0.2.1/tcp/%zu/p2p/%s", i + 1, gn_peer_id_format(&self, id));
		listen[i] = addr(text);
	}
	own.listen = (const struct gn_multiaddr *const *)listen;
	own.observed = addr("/ip4/198.51.100.7/tcp/999");
	return own;
}

static void own_free(struct gn_identify_own *own)
{
	for (size_t i = 0; i < own->n_listen; i++)
		gn_multiaddr_free(listen[i]);
	gn_multiaddr_free((struct gn_multiaddr *)(uintptr_t)own->observed);
}

static void read_all(struct gn_identify_reader *r, const uint8_t *p, size_t n, size_t piece)
{
	gn_identify_reader_init(r);
	for (size_t at = 0; at < n; at += piece) {
		/* The message is not complete before its last byte. */
		assert_int_equal(gn_identify_reader_finish(r) == 0 && r->messages == 0, 0);
		assert_int_equal(gn_identify_reader_put(r, p + at, n - at < piece ? n - at : piece), 0);
	}
	assert_int_equal(gn_identify_reader_finish(r), 0);
}

static void a_message_survives_a_round_trip(void **state)
{
	static const size_t pieces[] = {1, 2, 7, 1000, 10000};
	struct gn_identify_own own;
	struct gn_identify_view v;
	struct gn_identify_reader r;
	struct gn_buf b;

	(void)state;
	make_ids(3, 1);
	own = own_make(2);
	gn_buf_init(&b, GN_IDENTIFY_OWN_MAX);
	assert_int_equal(gn_identify_own_encode(&own, &b), 0);
	for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
		read_all(&r, b.p, b.len, pieces[k]);
		assert_int_equal(r.messages, 1);
		assert_int_equal(gn_identify_view_init(&v, r.body.p, r.body.len, &self), 0);
		assert_true(gn_peer_id_is_equal(&v.info.peer, &self));
		assert_string_equal(v.info.agent, "test/1");
		assert_string_equal(v.info.protocol_version, "ipfs/0.1.0");
		assert_int_equal(v.info.n_protocols, 3);
		assert_string_equal(v.info.protocols[2], "/p/2");
		assert_int_equal(v.info.n_listen, 2);
		assert_true(v.info.signed_record);
		assert_false(v.takes_push);
		for (int i = 0; i < 2; i++) { /* the decoded addresses have no /p2p component */
			struct gn_multiaddr *bare;

			assert_int_equal(gn_multiaddr_without_peer(listen[i], &bare), 0);
			assert_true(gn_multiaddr_is_equal(v.info.listen[i], bare));
			gn_multiaddr_free(bare);
		}
		assert_true(gn_multiaddr_is_equal(v.info.observed, own.observed));
		gn_identify_view_fini(&v);
		/* The key of the message is not that of the peer. */
		assert_int_equal(gn_identify_view_init(&v, r.body.p, r.body.len, &stranger), GN_EPEERID);
		gn_identify_reader_fini(&r);
	}
	gn_buf_fini(&b);
	own_free(&own);
}

/* What a node sends is at most 4 KiB, and is split into two messages when it exceeds 2 KiB. */
static void the_largest_message_is_accepted_and_no_larger_one(void **state)
{
	static const struct {
		unsigned ids;
		int width;
		size_t addrs;
		unsigned messages;
	} cases[] = {{3, 1, 1, 1},       {60, 40, 1, 2},  {0, 1, 60, 1},  {0, 1, 90, 2},
		     {2000, 40, 300, 2}, {2000, 1, 0, 2}, {0, 0, 300, 2}, {0, 0, 0, 1}};

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct gn_identify_own own = own_make(cases[k].addrs);
		struct gn_identify_view v;
		struct gn_identify_reader r;
		struct gn_buf b;

		make_ids(cases[k].ids, cases[k].width);
		gn_buf_init(&b, SIZE_MAX / 8);
		assert_int_equal(gn_identify_own_encode(&own, &b), 0);
		assert_in_range(b.len, 100, GN_IDENTIFY_OWN_MAX);
		if (cases[k].messages == 1)
			assert_in_range(b.len, 100, GN_IDENTIFY_SPLIT + 3);
		else
			assert_in_range(b.len, GN_IDENTIFY_SPLIT, GN_IDENTIFY_OWN_MAX);
		read_all(&r, b.p, b.len, 100);
		assert_int_equal(r.messages, cases[k].messages);
		assert_int_equal(gn_identify_view_init(&v, r.body.p, r.body.len, &self), 0);
		assert_true(v.info.signed_record);
		assert_true(v.info.n_listen <= cases[k].addrs && (cases[k].addrs > 0) == (v.info.n_listen > 0));
		assert_true(v.info.n_protocols <= cases[k].ids && (cases[k].ids > 0) == (v.info.n_protocols > 0));
		gn_identify_view_fini(&v);
		gn_identify_reader_fini(&r);
		gn_buf_fini(&b);
		own_free(&own);
	}
}

/* ---- decoding ---- */

static void field(struct gn_buf *b, unsigned f, const void *p, size_t n)
{
	assert_int_equal(gn_buf_put_u8(b, (uint8_t)(f << 3 | 2)), 0);
	assert_int_equal(gn_buf_put_prefixed(b, p, n), 0);
}

static void field_addr(struct gn_buf *b, unsigned f, const char *text)
{
	struct gn_multiaddr *a = addr(text);
	size_t n;
	const uint8_t *p = gn_multiaddr_bytes(a, &n);

	field(b, f, p, n);
	gn_multiaddr_free(a);
}

static void the_reader_bounds_length_and_count(void **state)
{
	static const uint8_t empty[1] = {0}, overlong[] = {0x80, 0x80, 0}, large[] = {0x81, 0x40};
	static const uint8_t whole[3] = {0x80, 0x40};
	struct gn_identify_reader r;

	(void)state;
	gn_identify_reader_init(&r);
	assert_int_equal(gn_identify_reader_finish(&r), GN_ETRUNC);
	for (int i = 0; i < GN_IDENTIFY_MESSAGES_MAX; i++)
		assert_int_equal(gn_identify_reader_put(&r, empty, 1), 0);
	assert_int_equal(gn_identify_reader_finish(&r), 0);
	assert_int_equal(gn_identify_reader_put(&r, empty, 1), GN_ELIMIT);
	gn_identify_reader_fini(&r);

	gn_identify_reader_init(&r);
	assert_int_equal(gn_identify_reader_put(&r, overlong, sizeof overlong), GN_EFORMAT);
	gn_identify_reader_fini(&r);

	gn_identify_reader_init(&r);
	assert_int_equal(gn_identify_reader_put(&r, large, sizeof large), GN_ETOOBIG);
	gn_identify_reader_fini(&r);

	gn_identify_reader_init(&r);
	assert_int_equal(gn_identify_reader_put(&r, whole, 2), 0); /* a length of 8192, the maximum */
	assert_int_equal(gn_identify_reader_finish(&r), GN_ETRUNC);
	gn_identify_reader_fini(&r);
}

static void malformed_fields_are_ignored_or_rejected(void **state)
{
	struct gn_identify_view v;
	struct gn_buf b;
	char id[GN_PEER_ID_TEXT_MAX], text[256];

	(void)state;
	gn_buf_init(&b, 100000);
	field(&b, 2, "\xff\xff\xff", 3); /* a malformed address */
	field(&b, 2, "", 0);             /* an empty address */
	field_addr(&b, 2, "/ip4/192.0.2.1/tcp/1");
	snprintf(text, sizeof text, "/ip4/192.0.2.2/tcp/1/p2p/%s", gn_peer_id_format(&stranger, id));
	field_addr(&b, 2, text); /* the address of another peer */
	snprintf(text, sizeof text, "/ip4/192.0.2.3/tcp/1/p2p/%s", gn_peer_id_format(&self, id));
	field_addr(&b, 2, text);
	field(&b, 4, "\x04\x01", 2); /* too short */
	field(&b, 8, "nonsense", 8);
	field(&b, 100 & 15, "unknown", 7);
	assert_int_equal(gn_identify_view_init(&v, b.p, b.len, &self), 0);
	assert_int_equal(v.info.n_listen, 2);
	assert_null(v.info.observed);
	assert_false(v.info.signed_record);
	assert_string_equal(v.info.agent, "");
	assert_string_equal(v.info.protocol_version, "");
	gn_identify_view_fini(&v);

	/* The public key is malformed. */
	field(&b, 1, "\x08\x01\x12\x01x", 5);
	assert_int_equal(gn_identify_view_init(&v, b.p, b.len, &self), GN_EPEERID);

	b.len = 0;
	field(&b, 5, "cut", 3);
	assert_int_equal(gn_identify_view_init(&v, b.p, b.len - 1, &self), GN_EFORMAT);
	assert_int_equal(gn_identify_view_init(&v, b.p, 0, &self), 0);
	assert_int_equal(v.info.n_protocols + v.info.n_listen, 0);
	gn_identify_view_fini(&v);

	/* Entries beyond the maximum numbers are left out. */
	b.len = 0;
	for (int i = 0; i < GN_IDENTIFY_PROTOCOLS_MAX + 10; i++)
		field(&b, 3, "/protocol/with/a/name", 21);
	for (int i = 0; i < GN_IDENTIFY_ADDRS_MAX + 10; i++)
		field_addr(&b, 2, "/ip6/2001:db8::1/tcp/1");
	assert_int_equal(gn_identify_view_init(&v, b.p, b.len, &self), 0);
	assert_int_equal(v.info.n_protocols, GN_IDENTIFY_PROTOCOLS_MAX);
	assert_int_equal(v.info.n_listen, GN_IDENTIFY_ADDRS_MAX);
	gn_identify_view_fini(&v);

	/* An empty field uses more memory when decoded than on the wire, so their number is limited. */
	b.len = 0;
	for (int i = 0; i < 40000; i++)
		field(&b, 3, "", 0);
	assert_int_equal(gn_identify_view_init(&v, b.p, b.len, &self), GN_ETOOBIG);
	gn_buf_fini(&b);
}

/* A record that another key has signed is ignored. */
static void a_record_counts_only_when_the_peer_has_signed_it(void **state)
{
	struct gn_multiaddr *a = addr("/ip4/192.0.2.1/tcp/1");
	const struct gn_multiaddr *const list[] = {a};
	const struct gn_key *keys[] = {key, other};
	struct gn_identify_view v;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct gn_buf rec, b;

		gn_buf_init(&rec, 4096);
		gn_buf_init(&b, 4096);
		assert_int_equal(gn_peer_record_seal(keys[i], 1, list, 1, &rec), 0);
		field(&b, 8, rec.p, rec.len);
		assert_int_equal(gn_identify_view_init(&v, b.p, b.len, &self), 0);
		assert_int_equal(v.info.signed_record, i == 0);
		assert_int_equal(v.info.n_listen, i == 0 ? 1 : 0);
		gn_identify_view_fini(&v);
		gn_buf_fini(&rec);
		gn_buf_fini(&b);
	}
	gn_multiaddr_free(a);
}

static void addresses_of_a_record_count_only_without_others(void **state)
{
	struct gn_multiaddr *a = addr("/ip4/192.0.2.1/tcp/1"), *b = addr("/ip4/192.0.2.2/tcp/1");
	const struct gn_multiaddr *const list[] = {a};

	(void)state;
	for (int n_rec = 0; n_rec < 2; n_rec++) {
		for (int n_msg = 0; n_msg < 2; n_msg++) {
			struct gn_identify_view v;
			struct gn_buf rec, msg;

			gn_buf_init(&rec, 4096);
			gn_buf_init(&msg, 4096);
			assert_int_equal(gn_peer_record_seal(key, 1, list, (size_t)n_rec, &rec), 0);
			if (n_msg == 1)
				field_addr(&msg, 2, "/ip4/192.0.2.2/tcp/1");
			field(&msg, 8, rec.p, rec.len);
			assert_int_equal(gn_identify_view_init(&v, msg.p, msg.len, &self), 0);
			assert_true(v.info.signed_record);
			assert_int_equal(v.info.n_listen, n_rec + n_msg > 0);
			if (v.info.n_listen > 0)
				assert_true(gn_multiaddr_is_equal(v.info.listen[0], n_msg == 1 ? b : a));
			gn_identify_view_fini(&v);
			gn_buf_fini(&rec);
			gn_buf_fini(&msg);
		}
	}
	gn_multiaddr_free(a);
	gn_multiaddr_free(b);
}

/* ---- the stored result ---- */

static int known_make(const uint8_t *p, size_t n, const struct gn_identify_known *old, struct gn_identify_known **out)
{
	struct gn_identify_view v;
	int err = gn_identify_view_init(&v, p, n, &self);

	if (err == 0) {
		err = gn_identify_known_make(&v, old, out);
		gn_identify_view_fini(&v);
	}
	return err;
}

static void known_bytes_decode(void **state)
{
	struct gn_identify_known *k, *k2;
	struct gn_identify_view v;
	struct gn_buf b, push;

	(void)state;
	gn_buf_init(&b, 100000);
	gn_buf_init(&push, 100000);
	field(&b, 6, "agent/1", 7);
	field(&b, 5, "v1", 2);
	field(&b, 3, "/a", 2);
	field(&b, 3, GN_IDENTIFY_PUSH_ID, strlen(GN_IDENTIFY_PUSH_ID));
	field_addr(&b, 2, "/ip4/192.0.2.1/tcp/1");
	field_addr(&b, 4, "/ip4/192.0.2.9/tcp/9");
	assert_int_equal(known_make(b.p, b.len, NULL, &k), 0);
	assert_true(k->is_whole && k->takes_push && !k->signed_record);

	/* Fields that are absent from a push keep their values; the others are replaced. */
	field(&push, 3, "/b", 2);
	assert_int_equal(known_make(push.p, push.len, k, &k2), 0);
	assert_false(k2->takes_push);
	assert_int_equal(gn_identify_view_init(&v, k2->body, k2->len, &self), 0);
	assert_int_equal(v.info.n_protocols, 1);
	assert_string_equal(v.info.protocols[0], "/b");
	assert_int_equal(v.info.n_listen, 1);
	assert_string_equal(v.info.agent, "agent/1");
	assert_string_equal(v.info.protocol_version, "v1");
	assert_non_null(v.info.observed);
	gn_identify_view_fini(&v);
	free(k2);

	/* An empty push changes nothing. */
	assert_int_equal(known_make(push.p, 0, k, &k2), 0);
	assert_int_equal(k2->len, k->len);
	assert_memory_equal(k2->body, k->body, k->len);
	assert_true(k2->takes_push);
	free(k2);

	/* When a result is too large to be stored, the addresses are left out. */
	for (int i = 0; i < 400; i++)
		field_addr(&b, 2, "/ip6/2001:db8::1/tcp/1");
	assert_int_equal(known_make(b.p, b.len, NULL, &k2), 0);
	assert_false(k2->is_whole);
	assert_in_range(k2->len, GN_IDENTIFY_KNOWN_MAX - 30, GN_IDENTIFY_KNOWN_MAX);
	assert_true(k2->takes_push);
	assert_int_equal(gn_identify_view_init(&v, k2->body, k2->len, &self), 0);
	assert_int_equal(v.info.n_protocols, 2);
	gn_identify_view_fini(&v);
	free(k2);
	free(k);

	/* A long agent is stored only up to GN_IDENTIFY_AGENT_MAX bytes. */
	b.len = 0;
	assert_int_equal(gn_buf_reserve(&b, 5000), 0);
	memset(push.p, 'x', push.len);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(gn_buf_put_u8(&push, 'x'), 0);
	field(&b, 6, push.p, push.len);
	assert_int_equal(known_make(b.p, b.len, NULL, &k), 0);
	assert_false(k->is_whole);
	assert_in_range(k->len, GN_IDENTIFY_AGENT_MAX, GN_IDENTIFY_AGENT_MAX + 4);
	free(k);
	gn_buf_fini(&b);
	gn_buf_fini(&push);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_survives_a_round_trip),
		cmocka_unit_test(the_largest_message_is_accepted_and_no_larger_one),
		cmocka_unit_test(the_reader_bounds_length_and_count),
		cmocka_unit_test(malformed_fields_are_ignored_or_rejected),
		cmocka_unit_test(a_record_counts_only_when_the_peer_has_signed_it),
		cmocka_unit_test(addresses_of_a_record_count_only_without_others),
		cmocka_unit_test(known_bytes_decode),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
