/* SPDX-License-Identifier: MIT */
#include <sodium.h>

#include "support/support.h"
#include "security/noise_cipher.h"

/* ---- the handshake without a layer ---- */

static struct {
	struct gn_noise hs[2]; /* hs[0] is the initiator */
	struct gn_noise_key send[2], receive[2];
	int number;
	bool flip; /* each message is also read with each of its bytes changed, and must be rejected */
	unsigned flipped;
} xx;

static struct gn_noise_cipher xx_cipher;

/* Opens n bytes in place, which the tag follows. */
static int unseal(struct gn_noise_cipher *c, struct gn_noise_key *k, uint8_t *p, size_t n)
{
	struct iovec v = {p, n};

	return gn_noise_cipher_unseal(c, k, &v, 1, p + n);
}

static void keys_line(char **field)
{
	size_t n;
	uint8_t *b[6];

	for (int i = 1; i < 6; i++)
		b[i] = unhex(field[i], &n);
	n = strlen(field[1]) / 2;
	assert_int_equal(gn_noise_init_fixed(&xx.hs[0], true, b[2], b[3], b[1], n), 0);
	assert_int_equal(gn_noise_init_fixed(&xx.hs[1], false, b[4], b[5], b[1], n), 0);
	xx.number = 1;
	for (int i = 1; i < 6; i++)
		free(b[i]);
}

/* Reads the message with each byte changed, and truncated at each length.  This must give an error or, for
 * message 1, which has no tag, another hash. */
static void flip_each(const struct gn_noise *reader, int number, const uint8_t *msg, size_t n)
{
	uint8_t *copy = malloc(n), *payload;
	size_t len;

	assert_non_null(copy);
	for (size_t i = 0; i < n; i++) {
		struct gn_noise hs = *reader, good = *reader;
		int r;

		memcpy(copy, msg, n);
		assert_int_equal(gn_noise_read(&good, number, copy, n, &payload, &len), 0);
		memcpy(copy, msg, n);
		copy[i] ^= 0x04;
		r = gn_noise_read(&hs, number, copy, n, &payload, &len);
		if (number == 1)
			assert_memory_not_equal(hs.h, good.h, 32);
		else
			assert_int_equal(r, GN_EAUTH);
		xx.flipped++;
	}
	for (size_t cut = 0; cut < n; cut++) {
		struct gn_noise hs = *reader;
		int r;

		memcpy(copy, msg, n);
		r = gn_noise_read(&hs, number, copy, cut, &payload, &len);
		if (number > 1)
			assert_true(r == GN_ETRUNC || r == GN_EAUTH);
		else
			assert_int_equal(r, cut < GN_NOISE_MSG1 ? GN_ETRUNC : 0);
	}
	free(copy);
}

static void handshake_line(int from, const uint8_t *payload, size_t n, const uint8_t *want, size_t n_want)
{
	uint8_t *out = malloc(n_want), *got;
	size_t len;

	assert_int_equal(n_want, n + (xx.number == 1 ? 32 : xx.number == 2 ? GN_NOISE_MSG2 : GN_NOISE_MSG3));
	assert_int_equal(gn_noise_write(&xx.hs[from], xx.number, payload, n, out), 0);
	assert_memory_equal(out, want, n_want);
	if (xx.flip)
		flip_each(&xx.hs[!from], xx.number, want, n_want);
	assert_int_equal(gn_noise_read(&xx.hs[!from], xx.number, out, n_want, &got, &len), 0);
	assert_int_equal(len, n);
	if (n > 0)
		assert_memory_equal(got, payload, n);
	free(out);
}

static void transport_line(int from, const uint8_t *payload, size_t n, const uint8_t *want, size_t n_want)
{
	uint8_t *out = malloc(n_want), *in = malloc(n > 0 ? n : 1);
	struct iovec v[3] = {{in, n / 3}, {in + n / 3, n - n / 3 - n / 4}, {in + n - n / 4, n / 4}};

	assert_int_equal(n_want, n + 16);
	memcpy(in, payload, n);
	assert_int_equal(gn_noise_cipher_seal(&xx_cipher, &xx.send[from], v, 3, out), 0);
	assert_memory_equal(out, want, n_want);
	assert_int_equal(unseal(&xx_cipher, &xx.receive[!from], out, n), 0);
	assert_memory_equal(out, payload, n);
	free(out);
	free(in);
}

static char xx_hash[65];

static void xx_line(char **field)
{
	size_t n, n_want;
	uint8_t *payload, *want;
	int from = (xx.number + 1) % 2;

	if (strcmp(field[0], "keys") == 0) {
		(void)snprintf(xx_hash, sizeof xx_hash, "%s", field[6]);
		keys_line(field);
		return;
	}
	payload = unhex(field[1], &n);
	want = unhex(field[2], &n_want);
	if (xx.number <= 3)
		handshake_line(from, payload, n, want, n_want);
	else
		transport_line(from, payload, n, want, n_want);
	if (xx.number == 3) {
		assert_memory_equal(xx.hs[0].h, xx.hs[1].h, 32);
		if (xx_hash[0] != '\0')
			assert_hex(xx.hs[0].h, 32, xx_hash);
		for (int i = 0; i < 2; i++) {
			gn_noise_cipher_forget(&xx_cipher, &xx.send[i]);
			gn_noise_cipher_forget(&xx_cipher, &xx.receive[i]);
			gn_noise_split(&xx.hs[i], xx.send[i].key, xx.receive[i].key);
			xx.send[i].n = xx.receive[i].n = 0;
		}
	}
	xx.number++;
	free(payload);
	free(want);
}

static void the_vectors_of_the_noise_framework_pass(void **state)
{
	(void)state;
	memset(&xx, 0, sizeof xx);
	assert_int_equal(vectors_each("noise-xx.tsv", xx_line), 13);
	gn_noise_cipher_fini(&xx_cipher);
}

static void a_changed_or_cut_message_is_refused(void **state)
{
	(void)state;
	memset(&xx, 0, sizeof xx);
	xx.flip = true;
	vectors_each("noise-xx.tsv", xx_line);
	assert_true(xx.flipped > 500);
	gn_noise_cipher_fini(&xx_cipher);
}

/* Points of small order, whose product with any private key is zero (RFC 7748 section 6). */
static const char *const low_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static void points_of_low_order_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof low_order / sizeof *low_order; i++) {
		struct gn_noise a, b;
		uint8_t *point, msg[200], *payload;
		size_t n;

		point = unhex(low_order[i], &n);
		/* The point is the initiator's ephemeral key. */
		gn_noise_init(&b, false);
		memcpy(msg, point, 32);
		assert_int_equal(gn_noise_read(&b, 1, msg, 32, &payload, &n), 0);
		assert_int_equal(gn_noise_write(&b, 2, NULL, 0, msg), GN_EAUTH);
		/* The point is the responder's ephemeral key. */
		gn_noise_init(&a, true);
		assert_int_equal(gn_noise_write(&a, 1, NULL, 0, msg), 0);
		memcpy(msg, point, 32);
		assert_int_equal(gn_noise_read(&a, 2, msg, 96, &payload, &n), GN_EAUTH);
		/* The point is the responder's static key, correctly encrypted. */
		gn_noise_init(&a, true);
		gn_noise_init(&b, false);
		assert_int_equal(gn_noise_write(&a, 1, NULL, 0, msg), 0);
		assert_int_equal(gn_noise_read(&b, 1, msg, 32, &payload, &n), 0);
		memcpy(b.s_pub, point, 32);
		assert_int_equal(gn_noise_write(&b, 2, NULL, 0, msg), 0);
		assert_int_equal(gn_noise_read(&a, 2, msg, 96, &payload, &n), GN_EAUTH);
		/* The point is the initiator's static key. */
		gn_noise_init(&a, true);
		gn_noise_init(&b, false);
		assert_int_equal(gn_noise_write(&a, 1, NULL, 0, msg), 0);
		assert_int_equal(gn_noise_read(&b, 1, msg, 32, &payload, &n), 0);
		assert_int_equal(gn_noise_write(&b, 2, NULL, 0, msg), 0);
		assert_int_equal(gn_noise_read(&a, 2, msg, 96, &payload, &n), 0);
		memcpy(a.s_pub, point, 32);
		assert_int_equal(gn_noise_write(&a, 3, NULL, 0, msg), 0);
		assert_int_equal(gn_noise_read(&b, 3, msg, 64, &payload, &n), GN_EAUTH);
		free(point);
	}
}

static bool is_zero(const void *p, size_t n)
{
	return sodium_is_zero(p, n) == 1;
}

static void fini_wipes_the_keys(void **state)
{
	struct gn_noise hs;
	struct gn_noise_key k = {.key = "some key"};
	struct gn_noise_cipher s = {0};
	uint8_t text[GN_NOISE_SHORT + 1] = {1}, out[sizeof text + 16];
	struct iovec v = {text, sizeof text};

	(void)state;
	gn_noise_init(&hs, true);
	assert_false(is_zero(hs.s, 32));
	gn_noise_fini(&hs);
	assert_true(is_zero(&hs, sizeof hs));
	assert_int_equal(gn_noise_cipher_seal(&s, &k, &v, 1, out), 0);
	gn_noise_cipher_forget(&s, &k);
	assert_true(is_zero(k.key, sizeof k.key));
	gn_noise_cipher_fini(&s);
}

/* ---- the cipher of records ---- */

static void expect_last_counter(size_t len)
{
	struct gn_noise_cipher s = {0};
	struct gn_noise_key out = {.key = "key", .n = UINT64_MAX - 1}, in = out;
	uint8_t text[GN_NOISE_SHORT + 1] = "last", sealed[sizeof text + 16];
	struct iovec v = {text, len};

	assert_int_equal(gn_noise_cipher_seal(&s, &out, &v, 1, sealed), 0);
	assert_int_equal(unseal(&s, &in, sealed, len), 0);
	assert_memory_equal(sealed, text, len);
	assert_int_equal(gn_noise_cipher_seal(&s, &out, &v, 1, sealed), GN_ELIMIT);
	assert_int_equal(unseal(&s, &in, sealed, len), GN_ELIMIT);
	assert_int_equal(gn_noise_cipher_seal(&s, &out, &v, 1, sealed), GN_ELIMIT);
	gn_noise_cipher_fini(&s);
}

static void the_last_counter_is_reserved(void **state)
{
	(void)state;
	expect_last_counter(4);
	expect_last_counter(GN_NOISE_SHORT + 1);
}

/* Both libraries make the same records, and each opens those that the other has sealed. */
static void short_and_long_records_differ_in_length_only(void **state)
{
	struct gn_noise_cipher s = {0};
	uint8_t text[GN_NOISE_SHORT + 2], sealed[sizeof text + 16], expected[sizeof sealed], nonce[12] = {0};

	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t len = 0; len <= sizeof text; len += len == 0 ? GN_NOISE_SHORT - 1 : 1) {
		struct gn_noise_key out = {.key = "key", .n = 5}, in = out;
		struct iovec v[3] = {{text, len / 3}, {text, 0}, {text, len - len / 3}};

		nonce[4] = 5;
		crypto_aead_chacha20poly1305_ietf_encrypt(expected, NULL, text, len, NULL, 0, NULL, nonce, out.key);
		assert_int_equal(gn_noise_cipher_seal(&s, &out, v, 3, sealed), 0);
		assert_memory_equal(sealed, expected, len + 16);
		assert_int_equal(unseal(&s, &in, sealed, len), 0);
		assert_memory_equal(sealed, text, len);
		in.n = 5;
		expected[len] ^= 1; /* the tag */
		assert_int_equal(unseal(&s, &in, expected, len), GN_EAUTH);
	}
	gn_noise_cipher_fini(&s);
}

/* One context serves several connections in turn, also after a failure, and when a new key is in the
 * memory of an earlier one. */
static void contexts_serve_many_connections(void **state)
{
	struct gn_noise_cipher s = {0};
	struct gn_noise_key out[3], in[3];
	enum { LEN = GN_NOISE_SHORT + 1 }; /* that needs a context */
	uint8_t text[LEN] = "text", sealed[LEN + 16];
	struct iovec v = {text, LEN};

	(void)state;
	memset(out, 0, sizeof out);
	for (int i = 0; i < 3; i++) {
		memset(out[i].key, i + 1, 32);
		in[i] = out[i];
	}
	for (int turn = 0; turn < 30; turn++) {
		int i = turn * 7 % 3;

		assert_int_equal(gn_noise_cipher_seal(&s, &out[i], &v, 1, sealed), 0);
		if (turn % 5 == 4) {
			struct gn_noise_key other = {.key = "other"};

			assert_int_equal(unseal(&s, &other, (uint8_t[LEN + 16]){1}, LEN), GN_EAUTH);
			gn_noise_cipher_forget(&s, &other);
		}
		if (turn % 7 == 6) { /* put another key into the same memory */
			struct gn_noise_key keep = in[2];

			gn_noise_cipher_forget(&s, &in[2]);
			memset(in[2].key, 99, 32);
			assert_int_equal(unseal(&s, &in[2], (uint8_t[LEN + 16]){1}, LEN), GN_EAUTH);
			gn_noise_cipher_forget(&s, &in[2]);
			in[2] = keep;
		}
		assert_int_equal(unseal(&s, &in[i], sealed, LEN), 0);
		assert_memory_equal(sealed, text, LEN);
	}
	gn_noise_cipher_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_noise_framework_pass),
		cmocka_unit_test(a_changed_or_cut_message_is_refused),
		cmocka_unit_test(points_of_low_order_are_refused),
		cmocka_unit_test(fini_wipes_the_keys),
		cmocka_unit_test(the_last_counter_is_reserved),
		cmocka_unit_test(short_and_long_records_differ_in_length_only),
		cmocka_unit_test(contexts_serve_many_connections),
	};

	return cmocka_run_group_tests_name("noise: the machine", tests, NULL, NULL);
}
