/* SPDX-License-Identifier: MIT */
#include "crypto/envelope.h"

#include "support/support.h"

static struct gn_key *signer;

static void on_key(char **field)
{
	size_t n;
	uint8_t *p;

	if (strcmp(field[0], "ed25519") != 0)
		return;
	p = unhex(field[1], &n);
	assert_int_equal(gn_key_decode(p, n, &signer), 0);
	free(p);
}

static int set_up(void **state)
{
	(void)state;
	vectors_each("keys.tsv", on_key);
	return signer != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	gn_key_free(signer);
	return 0;
}

static void on_vector(char **field)
{
	size_t n, n_type, n_payload;
	uint8_t *type = unhex(field[2], &n_type), *payload = unhex(field[3], &n_payload), *p = unhex(field[4], &n);
	const struct gn_envelope_cfg cfg = {field[1], type, n_type, payload, n_payload};
	struct gn_envelope env;
	struct gn_peer_id id;
	struct gn_buf b;

	if (strcmp(field[0], "good") == 0) {
		assert_int_equal(gn_envelope_open(p, n, &cfg, &env), 0);
		assert_int_equal(env.n_payload, n_payload);
		assert_memory_equal(env.payload, payload, n_payload);
		gn_key_id(signer, &id);
		assert_true(gn_peer_id_is_equal(&id, &env.signer));
		/* Ed25519 is deterministic, so sealing produces the same bytes. */
		gn_buf_init(&b, GN_ENVELOPE_MAX);
		assert_int_equal(gn_envelope_seal(signer, &cfg, &b), 0);
		assert_hex(b.p, b.len, field[4]);
		gn_buf_fini(&b);
		for (size_t k = 0; k < n; k++)
			assert_true(gn_envelope_open(p, k, &cfg, &env) < 0);
		for (size_t k = 0; k < n; k++) {
			p[k] ^= 4;
			assert_true(gn_envelope_open(p, n, &cfg, &env) < 0);
			p[k] ^= 4;
		}
	} else {
		assert_int_equal(gn_envelope_open(p, n, &cfg, &env), GN_EAUTH);
	}
	free(type);
	free(payload);
	free(p);
}

static void vectors_verify(void **state)
{
	(void)state;
	assert_int_equal(vectors_each("envelope.tsv", on_vector), 4);
}

static void an_envelope_of_another_type_is_rejected(void **state)
{
	const struct gn_envelope_cfg cfg = {"domain", "one", 3, "", 0}, other = {"domain", "two", 3, NULL, 0};
	struct gn_envelope env;
	struct gn_buf b;

	(void)state;
	gn_buf_init(&b, GN_ENVELOPE_MAX);
	assert_int_equal(gn_envelope_seal(signer, &cfg, &b), 0);
	assert_int_equal(gn_envelope_open(b.p, b.len, &other, &env), GN_EFORMAT);
	assert_int_equal(gn_envelope_open(b.p, b.len, &cfg, &env), 0);
	assert_int_equal(env.n_payload, 0);
	gn_buf_fini(&b);
}

/* Unknown fields are skipped.  A message that lacks a field, or has a malformed one, is rejected. */
static void unknown_fields_are_ignored_and_malformed_ones_rejected(void **state)
{
	static const char *const extra[] = {
		"3001", "30ffffffffffffffffff01", "2200", "3200", "390102030405060708", "3d01020304", "b20602aabb"};
	static const char *const broken[] = {"33", "0700", "0201", "30ffffffffffffffffffff01", "3d010203", "42ff"};
	const struct gn_envelope_cfg cfg = {"domain", "type", 4, "payload", 7};
	struct gn_envelope env;
	struct gn_buf b;
	size_t n, whole;

	(void)state;
	gn_buf_init(&b, GN_ENVELOPE_MAX);
	assert_int_equal(gn_envelope_seal(signer, &cfg, &b), 0);
	whole = b.len;
	for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
		uint8_t *p = unhex(extra[i], &n);

		assert_int_equal(gn_buf_put(&b, p, n), 0);
		assert_int_equal(gn_envelope_open(b.p, b.len, &cfg, &env), 0);
		free(p);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		uint8_t *p = unhex(broken[i], &n);

		b.len = whole;
		assert_int_equal(gn_buf_put(&b, p, n), 0);
		assert_true(gn_envelope_open(b.p, b.len, &cfg, &env) < 0);
		free(p);
	}
	/* The signature is the last field; its header has 2 bytes and its value 64.  An envelope without it
	 * is rejected. */
	assert_int_equal(gn_envelope_open(b.p, whole - 66, &cfg, &env), GN_EFORMAT);
	gn_buf_fini(&b);
}

static void sizes_are_bounded(void **state)
{
	uint8_t *big = calloc(1, GN_ENVELOPE_MAX + 1);
	struct gn_envelope_cfg cfg = {"domain", "type", 4, big, GN_ENVELOPE_MAX - 100};
	struct gn_envelope env;
	struct gn_buf b;

	(void)state;
	assert_non_null(big);
	gn_buf_init(&b, SIZE_MAX);
	assert_int_equal(gn_envelope_seal(signer, &cfg, &b), GN_ETOOBIG);
	cfg.n_payload = GN_ENVELOPE_MAX - 200;
	assert_int_equal(gn_envelope_seal(signer, &cfg, &b), 0);
	assert_int_equal(gn_envelope_open(b.p, b.len, &cfg, &env), 0);
	assert_int_equal(gn_envelope_decode(big, GN_ENVELOPE_MAX + 1, &env), GN_ETOOBIG);
	gn_buf_fini(&b);
	gn_buf_init(&b, 20);
	cfg.n_payload = 1;
	assert_int_equal(gn_envelope_seal(signer, &cfg, &b), GN_ETOOBIG);
	assert_int_equal(b.len, 0);
	gn_buf_fini(&b);
	free(big);
}

static void an_envelope_has_at_most_16384_bytes(void **state)
{
	static const uint8_t payload[GN_ENVELOPE_MAX];
	struct gn_envelope_cfg cfg = {"domain", "type", 4, payload, GN_ENVELOPE_MAX - 200};
	struct gn_envelope env;
	struct gn_buf b;

	(void)state;
	gn_buf_init(&b, SIZE_MAX);
	assert_int_equal(gn_envelope_seal(signer, &cfg, &b), 0);
	cfg.n_payload += GN_ENVELOPE_MAX - b.len;
	b.len = 0;
	assert_int_equal(gn_envelope_seal(signer, &cfg, &b), 0);
	assert_int_equal(b.len, GN_ENVELOPE_MAX);
	assert_int_equal(gn_envelope_open(b.p, b.len, &cfg, &env), 0);
	cfg.n_payload++;
	assert_int_equal(gn_envelope_seal(signer, &cfg, &b), GN_ETOOBIG);
	/* An unknown field pads a valid envelope to the maximum length, and then to one byte more. */
	cfg.n_payload -= 3;
	for (size_t n = GN_ENVELOPE_MAX; n <= GN_ENVELOPE_MAX + 1; n++) {
		b.len = 0;
		assert_int_equal(gn_envelope_seal(signer, &cfg, &b), 0);
		assert_int_equal(b.len, n - 2);
		assert_int_equal(gn_buf_put(&b, "\x30\x01", 2), 0);
		assert_int_equal(gn_envelope_open(b.p, b.len, &cfg, &env), n == GN_ENVELOPE_MAX ? 0 : GN_ETOOBIG);
		cfg.n_payload++;
	}
	gn_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_verify),
		cmocka_unit_test(an_envelope_of_another_type_is_rejected),
		cmocka_unit_test(unknown_fields_are_ignored_and_malformed_ones_rejected),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(an_envelope_has_at_most_16384_bytes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
