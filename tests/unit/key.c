/* SPDX-License-Identifier: MIT */
#include "id/key.h"

#include "support/support.h"

static unsigned n_ours, n_others;

static void on_key(char **field)
{
	size_t n, len;
	uint8_t *private = unhex(field[1], &n), *msg, out[GN_KEY_PRIVATE_LEN], sig[GN_KEY_SIG_LEN];
	char text[GN_PEER_ID_TEXT_MAX];
	struct gn_key *key = NULL, *copy;
	struct gn_peer_id id;
	const uint8_t *pb;

	if (strcmp(field[0], "ed25519") != 0) {
		assert_int_equal(gn_key_decode(private, n, &key), GN_EKEYTYPE);
		assert_null(key);
		free(private);
		n_others++;
		return;
	}
	assert_int_equal(gn_key_decode(private, n, &key), 0);
	assert_int_equal(gn_key_dup(key, &copy), 0);
	gn_key_free(key);
	pb = gn_key_public(copy, &len);
	assert_hex(pb, len, field[2]);
	gn_key_id(copy, &id);
	assert_string_equal(gn_peer_id_format(&id, text), field[4]);
	gn_key_encode(copy, out);
	assert_hex(out, sizeof(out), field[1]);
	msg = unhex(field[7], &len);
	gn_key_sign(copy, msg, len, sig);
	assert_hex(sig, sizeof(sig), field[8]);
	free(msg);
	gn_key_free(copy);
	free(private);
	n_ours++;
}

static void vectors_decode_and_sign(void **state)
{
	(void)state;
	vectors_each("keys.tsv", on_key);
	assert_true(n_ours == 1 && n_others == 3);
}

static void new_keys_differ(void **state)
{
	struct gn_key *a, *b;
	struct gn_peer_id id_a, id_b;
	uint8_t pb[GN_KEY_PRIVATE_LEN], sig[GN_KEY_SIG_LEN];
	struct gn_pubkey pub;
	const uint8_t *p;
	size_t n;

	(void)state;
	assert_int_equal(gn_key_new(&a), 0);
	assert_int_equal(gn_key_new(&b), 0);
	gn_key_id(a, &id_a);
	gn_key_id(b, &id_b);
	assert_false(gn_peer_id_is_equal(&id_a, &id_b));
	gn_key_free(b);
	gn_key_encode(a, pb);
	assert_int_equal(gn_key_decode(pb, sizeof(pb), &b), 0);
	gn_key_id(b, &id_b);
	assert_true(gn_peer_id_is_equal(&id_a, &id_b));
	p = gn_key_public(a, &n);
	assert_int_equal(gn_pubkey_decode(p, n, &pub), 0);
	gn_key_sign(b, "hello", 5, sig);
	assert_int_equal(gn_pubkey_verify(&pub, "hello", 5, sig, sizeof(sig)), 0);
	assert_int_equal(gn_pubkey_verify(&pub, "hallo", 5, sig, sizeof(sig)), GN_EAUTH);
	gn_key_free(a);
	gn_key_free(b);
	gn_key_free(NULL);
}

/* Files in the old format contain the public key twice. */
static void the_form_of_96_bytes_is_read(void **state)
{
	uint8_t seed[GN_KEY_SEED_LEN] = {7}, pb[GN_KEY_PRIVATE_LEN + 32];
	struct gn_key *key, *back;
	struct gn_peer_id a, b;

	(void)state;
	assert_int_equal(gn_key_new_seeded(seed, &key), 0);
	gn_key_encode(key, pb);
	memcpy(pb + 68, pb + 36, 32);
	pb[3] = 96;
	assert_int_equal(gn_key_decode(pb, sizeof(pb), &back), 0);
	gn_key_id(key, &a);
	gn_key_id(back, &b);
	assert_true(gn_peer_id_is_equal(&a, &b));
	gn_key_free(back);
	gn_key_free(key);
	back = NULL;
	for (size_t i = 4; i < sizeof(pb); i++) {
		pb[i] ^= 1;
		assert_int_equal(gn_key_decode(pb, sizeof(pb), &back), GN_EFORMAT);
		pb[i] ^= 1;
	}
	assert_int_equal(gn_key_decode(pb, sizeof(pb) - 1, &back), GN_ETRUNC);
	assert_null(back);
}

static void malformed_keys_are_rejected(void **state)
{
	static const struct {
		const char *hex;
		int err;
	} bad[] = {
		{"", GN_ETRUNC},
		{"08011240", GN_ETRUNC},
		{"08011200", GN_EFORMAT},
		{"080112020102", GN_EFORMAT},
		{"08001200", GN_EFORMAT},
		{"080012020102", GN_EKEYTYPE},
		{"080712020102", GN_EKEYTYPE},
		{"2d2d2d2d2d424547494e", GN_EFORMAT}, /* "-----BEGIN" */
	};
	uint8_t *huge = calloc(1, GN_KEY_PRIVATE_MAX + 1);
	struct gn_key *key = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t n;
		uint8_t *p = unhex(bad[i].hex, &n);

		assert_int_equal(gn_key_decode(p, n, &key), bad[i].err);
		free(p);
	}
	assert_int_equal(gn_key_decode(huge, GN_KEY_PRIVATE_MAX + 1, &key), GN_ETOOBIG);
	assert_null(key);
	free(huge);
}

/* A key pair from libsodium's tests is converted.  Public keys outside the prime-order subgroup, and other
 * key types, are rejected. */
static void keys_convert_to_x25519(void **state)
{
	static const char *const bad[] = {
		"080112200000000000000000000000000000000000000000000000000000000000000000",
		"080112200100000000000000000000000000000000000000000000000000000000000000",
		"08011220c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"08011220ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"080112200200000000000000000000000000000000000000000000000000000000000000",
	};
	uint8_t sk[GN_KEY_X25519_LEN], pk[GN_KEY_X25519_LEN], again[GN_KEY_X25519_LEN];
	struct gn_pubkey pub;
	struct gn_key *key;
	size_t n;
	uint8_t *p = unhex("421151a459faeade3d247115f94aedae42318124095afabe4d1451a559faedee", &n);

	(void)state;
	assert_int_equal(gn_key_new_seeded(p, &key), 0);
	free(p);
	assert_int_equal(gn_key_x25519(key, sk, pk), 0);
	assert_hex(sk, sizeof(sk), "8052030376d47112be7f73ed7a019293dd12ad910b654455798b4667d73de166");
	assert_hex(pk, sizeof(pk), "f1814f0e8ff1043d8a44d25babff3cedcae6c22c3edaa48f857ae70de2baae50");
	assert_int_equal(gn_pubkey_decode(gn_key_public(key, &n), GN_KEY_PUBLIC_LEN, &pub), 0);
	assert_int_equal(gn_pubkey_x25519(&pub, again), 0);
	assert_memory_equal(again, pk, sizeof(pk));
	gn_key_free(key);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p = unhex(bad[i], &n);
		assert_int_equal(gn_pubkey_decode(p, n, &pub), 0);
		assert_int_equal(gn_pubkey_x25519(&pub, again), GN_EFORMAT);
		free(p);
	}
	pub.type = GN_KEY_ECDSA;
	assert_int_equal(gn_pubkey_x25519(&pub, again), GN_EKEYTYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_decode_and_sign),      cmocka_unit_test(new_keys_differ),
		cmocka_unit_test(the_form_of_96_bytes_is_read), cmocka_unit_test(malformed_keys_are_rejected),
		cmocka_unit_test(keys_convert_to_x25519),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
