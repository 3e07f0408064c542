/* SPDX-License-Identifier: MIT */
#include "crypto/voucher.h"

#include "crypto/envelope.h"
#include "support/support.h"

static struct gn_key *relay;

static void on_key(char **field)
{
	size_t n;
	uint8_t *p;

	if (strcmp(field[0], "ed25519") != 0)
		return;
	p = unhex(field[1], &n);
	assert_int_equal(gn_key_decode(p, n, &relay), 0);
	free(p);
}

static int set_up(void **state)
{
	(void)state;
	vectors_each("keys.tsv", on_key);
	return relay != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	gn_key_free(relay);
	return 0;
}

static unsigned vouchers;

/* Opens a voucher of js-libp2p, and checks that sealing its content makes the same bytes. */
static void on_vector(char **field)
{
	size_t n;
	uint8_t *p = unhex(field[4], &n);
	struct gn_voucher v = {.expire = 0};
	struct gn_peer_id id;
	struct gn_buf b;

	if (strcmp(field[1], "libp2p-relay-rsvp") != 0) {
		assert_true(gn_voucher_open(p, n, &v) < 0); /* an envelope of another type */
	} else if (strcmp(field[0], "good") == 0) {
		assert_int_equal(gn_voucher_open(p, n, &v), 0);
		gn_key_id(relay, &id);
		assert_true(gn_peer_id_is_equal(&v.relay, &id));
		assert_int_equal(v.peer.len, 38);
		assert_int_equal(v.expire, 1700003600);
		gn_buf_init(&b, GN_ENVELOPE_MAX);
		assert_int_equal(gn_voucher_seal(relay, &v.peer, v.expire, &b), 0);
		assert_hex(b.p, b.len, field[4]);
		gn_buf_fini(&b);
		for (size_t i = 0; i < n; i++) {
			p[i] ^= 1;
			assert_true(gn_voucher_open(p, n, &v) < 0);
			p[i] ^= 1;
			assert_true(gn_voucher_open(p, i, &v) < 0);
		}
		vouchers++;
	}
	free(p);
}

static void vectors_decode(void **state)
{
	(void)state;
	vectors_each("envelope.tsv", on_vector);
	assert_int_equal(vouchers, 1);
}

static int open_payload(const void *payload, size_t n)
{
	const struct gn_envelope_cfg cfg = {"libp2p-relay-rsvp", "\3\2", 2, payload, n};
	struct gn_voucher v;
	struct gn_buf b;
	int err;

	gn_buf_init(&b, GN_ENVELOPE_MAX);
	assert_int_equal(gn_envelope_seal(relay, &cfg, &b), 0);
	err = gn_voucher_open(b.p, b.len, &v);
	gn_buf_fini(&b);
	return err;
}

/* Opens vouchers with a missing or malformed field, and one that names another relay than its signer. */
static void malformed_vouchers_are_rejected(void **state)
{
	struct gn_peer_id id;
	uint8_t p[256];
	size_t n = 0;

	(void)state;
	gn_key_id(relay, &id);
	for (uint8_t field = 1; field <= 2; field++) {
		p[n++] = (uint8_t)(field << 3 | 2);
		p[n++] = id.len;
		memcpy(p + n, id.bytes, id.len);
		n += id.len;
	}
	memcpy(p + n, "\x18\x05", 2);
	assert_int_equal(open_payload(p, n + 2), 0);
	assert_int_equal(open_payload(p, n), GN_EFORMAT);
	assert_int_equal(open_payload(p, n / 2), GN_EFORMAT);
	assert_int_equal(open_payload(p + n / 2, n / 2 + 2), GN_EFORMAT);
	assert_int_equal(open_payload(p, n + 1), GN_EFORMAT);
	p[n / 2 - 1] ^= 1; /* change the key in the relay's id */
	assert_int_equal(open_payload(p, n + 2), GN_EAUTH);
	p[2] = 5; /* an unsupported multihash */
	assert_int_equal(open_payload(p, n + 2), GN_EFORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_decode),
		cmocka_unit_test(malformed_vouchers_are_rejected),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
