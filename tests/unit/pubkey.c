/* SPDX-License-Identifier: MIT */
/* Public keys of all four types, and signatures by them. */
#include "keys.pb-c.h"
#include "base/buf.h"
#include "id/key.h"
#include "support/support.h"

static int named_error(const char *name)
{
	if (strcmp(name, "good") == 0)
		return 0;
	for (int err = GN_EAGAIN; err >= GN_EGONE; err--)
		if (strcmp(gn_errname(err), name) == 0)
			return err;
	fail_msg("no error is called %s", name);
	return 0;
}

/* Verifies the signature, and checks that it fails with any byte of the message or of the signature
 * changed. */
static void check_signature(const char *key_hex, const char *msg_hex, const char *sig_hex, int want)
{
	size_t n_pb, n, n_sig;
	uint8_t *pb = unhex(key_hex, &n_pb), *msg = unhex(msg_hex, &n), *sig = unhex(sig_hex, &n_sig);
	struct gn_pubkey pub;

	assert_int_equal(gn_pubkey_decode(pb, n_pb, &pub), 0);
	assert_int_equal(gn_pubkey_verify(&pub, msg, n, sig, n_sig), want);
	if (want == 0) {
		for (size_t i = 0; i < n_sig; i += 7) {
			sig[i] ^= 0x10;
			assert_int_equal(gn_pubkey_verify(&pub, msg, n, sig, n_sig), GN_EAUTH);
			sig[i] ^= 0x10;
		}
		msg[0] ^= 1;
		assert_int_equal(gn_pubkey_verify(&pub, msg, n, sig, n_sig), GN_EAUTH);
		msg[0] ^= 1;
		assert_int_equal(gn_pubkey_verify(&pub, msg, n - 1, sig, n_sig), GN_EAUTH);
		assert_int_equal(gn_pubkey_verify(&pub, msg, n, sig, n_sig - 1), GN_EAUTH);
		assert_int_equal(gn_pubkey_verify(&pub, msg, n, sig, 0), GN_EAUTH);
	}
	free(pb);
	free(msg);
	free(sig);
}

static void on_key(char **field)
{
	if (strcmp(field[7], "-") != 0)
		check_signature(field[2], field[7], field[8], 0);
}

static void on_signature(char **field)
{
	check_signature(field[2], field[3], field[4], named_error(field[0]));
}

static void signatures_verify(void **state)
{
	(void)state;
	vectors_each("keys.tsv", on_key);
	vectors_each("pubkey.tsv", on_signature);
}

static void long_signatures_are_rejected(void **state)
{
	uint8_t *sig = calloc(1, GN_PUBKEY_SIG_MAX + 1), pb[GN_KEY_PUBLIC_LEN] = {0x08, 0x01, 0x12, 0x20};
	struct gn_pubkey pub;

	(void)state;
	assert_non_null(sig);
	assert_int_equal(gn_pubkey_decode(pb, sizeof(pb), &pub), 0);
	assert_int_equal(gn_pubkey_verify(&pub, "", 0, sig, GN_PUBKEY_SIG_MAX + 1), GN_EAUTH);
	free(sig);
}

/* Checks that protobuf-c decodes a key to the same fields as the strict decoder. */
static void on_same(char **field)
{
	size_t n;
	uint8_t *pb = unhex(field[2], &n);
	Gn__Pb__PublicKey *m = gn__pb__public_key__unpack(NULL, n, pb);
	struct gn_pubkey pub;

	assert_non_null(m);
	assert_int_equal(gn_pubkey_decode(pb, n, &pub), 0);
	assert_int_equal(pub.type, m->type);
	assert_int_equal(pub.len, m->data.len);
	assert_memory_equal(pub.data, m->data.data, pub.len);
	gn__pb__public_key__free_unpacked(m, NULL);
	/* A key that is truncated anywhere, or one byte longer, is rejected. */
	for (size_t k = 0; k < n; k++)
		assert_true(gn_pubkey_decode(pb, k, &pub) < 0);
	free(pb);
}

static void public_keys_survive_a_round_trip(void **state)
{
	(void)state;
	vectors_each("keys.tsv", on_same);
}

#define KEY32 "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"

static void malformed_keys_are_rejected(void **state)
{
	static const struct {
		const char *hex;
		int err;
	} bad[] = {
		{"", GN_ETRUNC},
		{"08", GN_ETRUNC},
		{"0801", GN_ETRUNC},
		{"08011220", GN_ETRUNC},
		{"1220" KEY32 "0801", GN_EFORMAT},     /* fields in the other order */
		{"1220" KEY32, GN_EFORMAT},            /* no type */
		{"0881001220" KEY32, GN_EFORMAT},      /* an overlong type */
		{"080112a000" KEY32, GN_EFORMAT},      /* an overlong length */
		{"08011220" KEY32 "00", GN_EFORMAT},   /* a byte after the key */
		{"08011220" KEY32 "1800", GN_EFORMAT}, /* another field */
		{"08041220" KEY32, GN_EKEYTYPE},
		{"08ffffffff0f1220" KEY32, GN_EKEYTYPE},
		{"0801121f"
		 "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce2",
		 GN_EFORMAT},
		{"0802122104" KEY32, GN_EFORMAT}, /* secp256k1, not compressed */
		{"08001220" KEY32, GN_EFORMAT},   /* far too short for RSA */
		{"08031200", GN_EFORMAT},
	};
	uint8_t *huge = calloc(1, GN_PUBKEY_MAX + 1);
	struct gn_pubkey pub;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t n;
		uint8_t *p = unhex(bad[i].hex, &n);

		assert_int_equal(gn_pubkey_decode(p, n, &pub), bad[i].err);
		free(p);
	}
	assert_non_null(huge);
	assert_int_equal(gn_pubkey_decode(huge, GN_PUBKEY_MAX + 1, &pub), GN_ETOOBIG);
	free(huge);
}

/* Data that decodes, but is no valid key of its type, is rejected when the key is used. */
static void random_bytes_are_rejected(void **state)
{
	uint8_t pb[5 + 300] = {0x08, 0x00, 0x12, 0xac, 0x02}, point[37] = {0x08, 0x02, 0x12, 0x21, 0x02};
	uint8_t ec[] = {0x08, 0x03, 0x12, 0x02, 0x30, 0x00};
	struct gn_pubkey pub;

	(void)state;
	assert_int_equal(gn_pubkey_decode(pb, sizeof(pb), &pub), 0);
	assert_int_equal(gn_pubkey_verify(&pub, "m", 1, pb, 256), GN_EFORMAT);
	memset(point + 5, 0xff, 32); /* the coordinate exceeds the prime, so the point is not on the curve */
	assert_int_equal(gn_pubkey_decode(point, sizeof(point), &pub), 0);
	assert_int_equal(gn_pubkey_verify(&pub, "m", 1, pb, 70), GN_EFORMAT);
	assert_int_equal(gn_pubkey_decode(ec, sizeof(ec), &pub), 0);
	assert_int_equal(gn_pubkey_verify(&pub, "m", 1, pb, 70), GN_EFORMAT);
}

/* Decodes a key of the type whose Data has n bytes, of which the first is `first`. */
static int of_length(uint8_t type, size_t n, uint8_t first)
{
	uint8_t data[GN_PUBKEY_MAX] = {first};
	struct gn_pubkey pub;
	struct gn_buf b;
	int err;

	gn_buf_init(&b, 2 * GN_PUBKEY_MAX);
	assert_int_equal(gn_buf_put_u8(&b, 0x08), 0);
	assert_int_equal(gn_buf_put_u8(&b, type), 0);
	assert_int_equal(gn_buf_put_u8(&b, 0x12), 0);
	assert_int_equal(gn_buf_put_prefixed(&b, data, n), 0);
	err = gn_pubkey_decode(b.p, b.len, &pub);
	gn_buf_fini(&b);
	return err;
}

static void each_type_has_keys_of_its_lengths_only(void **state)
{
	const size_t max = GN_PUBKEY_MAX - 5; /* 5: two tags, the type, a length of two bytes */

	(void)state;
	assert_int_equal(of_length(GN_KEY_ED25519, 31, 0), GN_EFORMAT);
	assert_int_equal(of_length(GN_KEY_ED25519, 32, 0), 0);
	assert_int_equal(of_length(GN_KEY_ED25519, 33, 0), GN_EFORMAT);
	assert_int_equal(of_length(GN_KEY_SECP256K1, 32, 2), GN_EFORMAT);
	assert_int_equal(of_length(GN_KEY_SECP256K1, 33, 1), GN_EFORMAT);
	assert_int_equal(of_length(GN_KEY_SECP256K1, 33, 2), 0);
	assert_int_equal(of_length(GN_KEY_SECP256K1, 33, 3), 0);
	assert_int_equal(of_length(GN_KEY_SECP256K1, 33, 4), GN_EFORMAT);
	assert_int_equal(of_length(GN_KEY_SECP256K1, 34, 2), GN_EFORMAT);
	assert_int_equal(of_length(GN_KEY_RSA, 255, 0x30), GN_EFORMAT);
	assert_int_equal(of_length(GN_KEY_RSA, 256, 0x30), 0);
	assert_int_equal(of_length(GN_KEY_RSA, max, 0x30), 0);
	assert_int_equal(of_length(GN_KEY_RSA, max + 1, 0x30), GN_ETOOBIG);
	assert_int_equal(of_length(GN_KEY_ECDSA, 0, 0x30), GN_EFORMAT);
	assert_int_equal(of_length(GN_KEY_ECDSA, 1, 0x30), 0);
	assert_int_equal(of_length(GN_KEY_ECDSA, 512, 0x30), 0);
	assert_int_equal(of_length(GN_KEY_ECDSA, 513, 0x30), GN_EFORMAT);
}

/* Appends a DER tag, a length of two bytes, and n zero bytes; returns where they are. */
static uint8_t *der_put(struct gn_buf *b, uint8_t tag, size_t n)
{
	const uint8_t head[] = {tag, 0x82, (uint8_t)(n >> 8), (uint8_t)n};

	assert_int_equal(gn_buf_put(b, head, sizeof head), 0);
	assert_int_equal(gn_buf_reserve(b, n), 0);
	memset(b->p + b->len, 0, n);
	b->len += n;
	return b->p + b->len - n;
}

/* Appends an odd number of that many bits as an INTEGER. */
static void integer_put(struct gn_buf *b, size_t bits)
{
	size_t n = bits / 8 + 1; /* the first bit is the sign */
	uint8_t *p = der_put(b, 0x02, n);

	p[n - 1] = 1;
	p[n - 1 - (bits - 1) / 8] |= (uint8_t)(1 << (bits - 1) % 8);
}

/* Verifies a signature by an RSA key with a modulus and an exponent of these lengths. */
static int rsa_verify(size_t n_bits, size_t e_bits)
{
	static const uint8_t algorithm[] = {0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0}, zero = 0;
	const uint8_t sig[256] = {1};
	struct gn_buf key, bits, whole, der;
	struct gn_pubkey pub = {.type = GN_KEY_RSA};
	int err;

	gn_buf_init(&key, 4096);
	gn_buf_init(&bits, 4096);
	gn_buf_init(&whole, 4096);
	gn_buf_init(&der, 4096);
	integer_put(&key, n_bits);
	integer_put(&key, e_bits);
	assert_int_equal(gn_buf_put(&bits, &zero, 1), 0);
	memcpy(der_put(&bits, 0x30, key.len), key.p, key.len);
	assert_int_equal(gn_buf_put(&whole, algorithm, sizeof algorithm), 0);
	memcpy(der_put(&whole, 0x03, bits.len), bits.p, bits.len);
	memcpy(der_put(&der, 0x30, whole.len), whole.p, whole.len);
	pub.data = der.p;
	pub.len = der.len;
	err = gn_pubkey_verify(&pub, "m", 1, sig, sizeof sig);
	gn_buf_fini(&key);
	gn_buf_fini(&bits);
	gn_buf_fini(&whole);
	gn_buf_fini(&der);
	return err;
}

static void rsa_keys_have_2048_to_8192_bits_and_exponents_up_to_32(void **state)
{
	(void)state;
	assert_int_equal(rsa_verify(2047, 17), GN_EKEYTYPE);
	assert_int_equal(rsa_verify(2048, 17), GN_EAUTH);
	assert_int_equal(rsa_verify(8192, 17), GN_EAUTH);
	assert_int_equal(rsa_verify(8193, 17), GN_EKEYTYPE);
	assert_int_equal(rsa_verify(2048, 32), GN_EAUTH);
	assert_int_equal(rsa_verify(2048, 33), GN_EKEYTYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_verify),
		cmocka_unit_test(long_signatures_are_rejected),
		cmocka_unit_test(public_keys_survive_a_round_trip),
		cmocka_unit_test(malformed_keys_are_rejected),
		cmocka_unit_test(random_bytes_are_rejected),
		cmocka_unit_test(each_type_has_keys_of_its_lengths_only),
		cmocka_unit_test(rsa_keys_have_2048_to_8192_bits_and_exponents_up_to_32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
