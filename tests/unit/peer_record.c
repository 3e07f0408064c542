/* SPDX-License-Identifier: MIT */
#include "crypto/peer_record.h"

#include "crypto/envelope.h"
#include "support/support.h"

static const uint8_t seed[GN_KEY_SEED_LEN] = {9};
static struct gn_key *key;
static struct gn_peer_id self;
static char self_text[GN_PEER_ID_TEXT_MAX];

static int set_up(void **state)
{
	(void)state;
	if (gn_key_new_seeded(seed, &key) < 0)
		return -1;
	gn_key_id(key, &self);
	gn_peer_id_format(&self, self_text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gn_key_free(key);
	return 0;
}

static void assert_addr(const struct gn_multiaddr *a, const char *text)
{
	char *s = gn_multiaddr_format(a);

	assert_non_null(s);
	assert_string_equal(s, text);
	free(s);
}

static unsigned n_records;

static void on_vector(char **field)
{
	struct gn_peer_record rec;
	char text[GN_PEER_ID_TEXT_MAX];
	size_t n;
	uint8_t *p = unhex(field[4], &n);

	struct gn_peer_id other;

	/* A record of another peer than the expected one is rejected, whether or not its signature is
	 * valid. */
	gn_key_id(key, &other);
	if (strcmp(field[5], "peer record") == 0 || strcmp(field[5], "signature changed") == 0)
		assert_int_equal(gn_peer_record_open(p, n, &other, &rec), GN_EPEERID);
	if (strcmp(field[5], "peer record") == 0) {
		assert_int_equal(gn_peer_record_open(p, n, NULL, &rec), 0);
		assert_string_equal(gn_peer_id_format(&rec.peer, text),
				    "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq");
		assert_true(rec.seq == 1700000000);
		assert_int_equal(rec.n_addrs, 2);
		assert_addr(rec.addrs[0], "/ip4/192.0.2.1/tcp/4001");
		assert_addr(rec.addrs[1], "/ip6/2001:db8::1/udp/4001/utp");
		gn_peer_record_fini(&rec);
		gn_peer_record_fini(&rec); /* a second fini has no effect */
		n_records++;
	} else if (strcmp(field[5], "signature changed") == 0) {
		assert_int_equal(gn_peer_record_open(p, n, NULL, &rec), GN_EAUTH);
	} else if (strcmp(field[0], "good") == 0) {
		assert_int_equal(gn_peer_record_open(p, n, NULL, &rec),
				 GN_EFORMAT); /* the envelope contains a voucher */
	}
	free(p);
}

static void vectors_decode(void **state)
{
	(void)state;
	vectors_each("envelope.tsv", on_vector);
	assert_int_equal(n_records, 1);
}

static void a_record_survives_a_round_trip(void **state)
{
	struct gn_multiaddr *a[3];
	struct gn_peer_record rec;
	struct gn_buf b;
	char text[200];

	(void)state;
	(void)snprintf(text, sizeof(text), "/ip4/1.2.3.4/tcp/2/p2p/%s", self_text);
	assert_int_equal(gn_multiaddr_parse("/ip4/1.2.3.4/tcp/1", &a[0], NULL), 0);
	assert_int_equal(gn_multiaddr_parse(text, &a[1], NULL), 0);
	(void)snprintf(text, sizeof(text), "/p2p/%s", self_text);
	assert_int_equal(gn_multiaddr_parse(text, &a[2], NULL), 0);
	gn_buf_init(&b, GN_ENVELOPE_MAX);
	assert_int_equal(gn_peer_record_seal(key, UINT64_MAX, (const struct gn_multiaddr *const *)a, 3, &b), 0);
	assert_int_equal(gn_peer_record_open(b.p, b.len, NULL, &rec), 0);
	assert_true(gn_peer_id_is_equal(&rec.peer, &self));
	assert_true(rec.seq == UINT64_MAX);
	assert_int_equal(rec.n_addrs, 2);
	assert_addr(rec.addrs[0], "/ip4/1.2.3.4/tcp/1");
	assert_addr(rec.addrs[1], "/ip4/1.2.3.4/tcp/2");
	gn_peer_record_fini(&rec);
	for (size_t k = 0; k < b.len; k++)
		assert_true(gn_peer_record_open(b.p, k, NULL, &rec) < 0);
	b.len = 0;
	assert_int_equal(gn_peer_record_seal(key, 0, NULL, 0, &b), 0);
	assert_int_equal(gn_peer_record_open(b.p, b.len, NULL, &rec), 0);
	assert_true(rec.n_addrs == 0 && rec.seq == 0);
	gn_peer_record_fini(&rec);
	assert_int_equal(gn_peer_record_seal(key, 0, NULL, GN_PEER_RECORD_ADDRS_MAX + 1, &b), GN_ELIMIT);
	gn_buf_fini(&b);
	for (int i = 0; i < 3; i++)
		gn_multiaddr_free(a[i]);
}

/* Signs an envelope with a payload in hex, and opens it as a peer record.  With `with_id`, our id is put
 * in front of the payload. */
static int payload_open(const char *domain, const char *type, size_t n_type, const char *hex, bool with_id,
			struct gn_peer_record *rec)
{
	struct gn_envelope_cfg cfg = {.domain = domain, .type = type, .n_type = n_type};
	struct gn_buf payload, b;
	size_t n;
	uint8_t *p = unhex(hex, &n);
	int err;

	gn_buf_init(&payload, GN_ENVELOPE_MAX);
	gn_buf_init(&b, GN_ENVELOPE_MAX);
	if (with_id) {
		assert_int_equal(gn_buf_put_u8(&payload, 0x0a), 0);
		assert_int_equal(gn_buf_put_prefixed(&payload, self.bytes, self.len), 0);
	}
	assert_int_equal(gn_buf_put(&payload, p, n), 0);
	cfg.payload = payload.p;
	cfg.n_payload = payload.len;
	assert_int_equal(gn_envelope_seal(key, &cfg, &b), 0);
	err = gn_peer_record_open(b.p, b.len, NULL, rec);
	gn_buf_fini(&payload);
	gn_buf_fini(&b);
	free(p);
	return err;
}

static void another_kind_is_rejected(void **state)
{
	static const char rfc[] = "/libp2p/routing-state-record";
	struct gn_peer_record rec;

	(void)state;
	assert_int_equal(payload_open("libp2p-peer-record", "\3\1", 2, "1007", true, &rec), 0);
	assert_true(rec.seq == 7);
	gn_peer_record_fini(&rec);
	assert_int_equal(payload_open("libp2p-routing-state", rfc, sizeof(rfc) - 1, "1007", true, &rec), 0);
	gn_peer_record_fini(&rec);
	/* No other combination is accepted. */
	assert_int_equal(payload_open("libp2p-routing-state", "\3\1", 2, "1007", true, &rec), GN_EAUTH);
	assert_int_equal(payload_open("libp2p-peer-record", rfc, sizeof(rfc) - 1, "1007", true, &rec), GN_EAUTH);
	assert_int_equal(payload_open("libp2p-peer-record", "\3\3", 2, "1007", true, &rec), GN_EFORMAT);
}

static void malformed_payloads_are_rejected(void **state)
{
	struct gn_peer_record rec;

	(void)state;
	/* The id of another peer, no id, and a malformed id. */
	assert_int_equal(
		payload_open("libp2p-peer-record", "\3\1", 2,
			     "0a26002408011220a77f1d92fedb59dddaea5a1c4abd1ac2fbde7d7b879ed364501809923d7c11b9", false,
			     &rec),
		GN_EAUTH);
	assert_int_equal(payload_open("libp2p-peer-record", "\3\1", 2, "1007", false, &rec), GN_EFORMAT);
	assert_int_equal(payload_open("libp2p-peer-record", "\3\1", 2, "0a0100", false, &rec), GN_EFORMAT);
	assert_int_equal(payload_open("libp2p-peer-record", "\3\1", 2, "1a05", true, &rec), GN_EFORMAT);
	/* Malformed addresses are skipped.  These are: valid, unknown code, empty, truncated, valid. */
	assert_int_equal(payload_open("libp2p-peer-record", "\3\1", 2,
				      "1a070a050401020304"
				      "1a040a02ff7f"
				      "1a00"
				      "1a040a020401"
				      "1a070a050405060708",
				      true, &rec),
			 0);
	assert_int_equal(rec.n_addrs, 2);
	assert_addr(rec.addrs[0], "/ip4/1.2.3.4");
	assert_addr(rec.addrs[1], "/ip4/5.6.7.8");
	gn_peer_record_fini(&rec);
	/* An address with the id of another peer is skipped. */
	assert_int_equal(payload_open("libp2p-peer-record", "\3\1", 2,
				      "1a300a2e0401020304a50326002408011220a77f1d92fedb59dddaea5a1c4abd1ac2fbde7d7b879e"
				      "d364501809923d7c11b9",
				      true, &rec),
			 0);
	assert_int_equal(rec.n_addrs, 0);
	gn_peer_record_fini(&rec);
}

/* Thousands of empty addresses use no more memory than the budget. */
static void many_addresses_are_bounded(void **state)
{
	char *hex = malloc(4 * 8000 + 1);
	struct gn_peer_record rec;

	(void)state;
	assert_non_null(hex);
	for (size_t i = 0; i < 8000; i++)
		memcpy(hex + 4 * i, "1a00", 5);
	assert_int_equal(payload_open("libp2p-peer-record", "\3\1", 2, hex, true, &rec), GN_ETOOBIG);
	free(hex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_decode),
		cmocka_unit_test(a_record_survives_a_round_trip),
		cmocka_unit_test(another_kind_is_rejected),
		cmocka_unit_test(malformed_payloads_are_rejected),
		cmocka_unit_test(many_addresses_are_bounded),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
