/* SPDX-License-Identifier: MIT */
#include "support/support.h"

static void known_texts_encode_and_decode(void **state)
{
	uint8_t out[16];
	char text[64];
	size_t n;

	(void)state;
	/* RFC 4648 section 10. */
	gn_base32_encode("foobar", 6, text);
	assert_string_equal(text, "mzxw6ytboi");
	gn_base32_encode("f", 1, text);
	assert_string_equal(text, "my");
	gn_base64url_encode("\xfb\xff", 2, text);
	assert_string_equal(text, "-_8");
	assert_int_equal(gn_base64_decode("+/8", 3, out, sizeof(out), &n), 0);
	assert_hex(out, n, "fbff");
	/* The test vectors of the multibase specification. */
	gn_base58_encode("yes mani !", 10, text);
	assert_string_equal(text, "7paNL19xttacUY");
	gn_base58_encode("\0\0yes mani !", 12, text);
	assert_string_equal(text, "117paNL19xttacUY");
	gn_base36_encode("\0yes mani !", 11, text);
	assert_string_equal(text, "02lcpzo5yikidynfl");
	gn_base58_encode("", 0, text);
	assert_string_equal(text, "");
	assert_int_equal(gn_base58_decode("", 0, out, sizeof(out), &n), 0);
	assert_int_equal(n, 0);
}

static void multibase_prefixes_select_the_base(void **state)
{
	static const char *const yes[] = {
		"f796573206d616e692021", "F796573206D616E692021", "bpfsxgidnmfxgsibb", "BPFSXGIDNMFXGSIBB",
		"k2lcpzo5yikidynfl",     "K2LCPZO5YIKIDYNFL",     "z7paNL19xttacUY",   "meWVzIG1hbmkgIQ",
		"ueWVzIG1hbmkgIQ",       "UeWVzIG1hbmkgIQ==",
	};
	uint8_t out[10];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		n = 0;
		assert_int_equal(gn_multibase_decode(yes[i], strlen(yes[i]), out, sizeof(out), &n), 0);
		assert_int_equal(n, 10);
		assert_memory_equal(out, "yes mani !", 10);
		assert_int_equal(gn_multibase_decode(yes[i], strlen(yes[i]), out, 9, &n), GN_ESPACE);
	}
	assert_int_equal(gn_multibase_decode("", 0, out, sizeof(out), &n), GN_EFORMAT);
	assert_int_equal(gn_multibase_decode("?aa", 3, out, sizeof(out), &n), GN_EFORMAT);
	assert_int_equal(gn_multibase_decode("UeWVz=Ghi", 9, out, sizeof(out), &n), GN_EFORMAT);
}

static void malformed_texts_are_rejected(void **state)
{
	uint8_t out[16];
	size_t n;

	(void)state;
	assert_int_equal(gn_hex_decode("abc", 3, out, sizeof(out), &n), GN_EFORMAT);
	assert_int_equal(gn_hex_decode("0g", 2, out, sizeof(out), &n), GN_EFORMAT);
	assert_int_equal(gn_hex_decode("00\0", 3, out, sizeof(out), &n), GN_EFORMAT);
	assert_int_equal(gn_base32_decode("m", 1, out, sizeof(out), &n), GN_EFORMAT); /* less than a byte */
	assert_int_equal(gn_base32_decode("mz", 2, out, sizeof(out), &n),
			 GN_EFORMAT); /* the unused bits are not zero */
	assert_int_equal(gn_base32_decode("my1", 3, out, sizeof(out), &n), GN_EFORMAT); /* no digit */
	assert_int_equal(gn_base32_decode("myaaaa=", 7, out, sizeof(out), &n), GN_EFORMAT);
	assert_int_equal(gn_base64url_decode("-_9", 3, out, sizeof(out), &n), GN_EFORMAT);
	assert_int_equal(gn_base64url_decode("A", 1, out, sizeof(out), &n), GN_EFORMAT);
	assert_int_equal(gn_base64url_decode("+/8", 3, out, sizeof(out), &n), GN_EFORMAT);
	assert_int_equal(gn_base58_decode("0", 1, out, sizeof(out), &n), GN_EFORMAT);
	assert_int_equal(gn_base58_decode("Il", 2, out, sizeof(out), &n), GN_EFORMAT);
	assert_int_equal(gn_base58_decode("11111", 5, out, 4, &n), GN_ESPACE);
	assert_int_equal(gn_base36_decode("a-", 2, out, sizeof(out), &n), GN_EFORMAT);
}

typedef void encode_fn(const void *p, size_t n, char *text);
typedef int decode_fn(const char *text, size_t n, uint8_t *out, size_t room, size_t *len);

/* Encodes and decodes bytes of every length, with leading zeros and without.  The text fits in the number of
 * bytes that room() returns, and the decoded bytes in exactly their number. */
static void round_trip(encode_fn *encode, decode_fn *decode, size_t (*room)(size_t n))
{
	for (size_t n = 0; n < 80; n++) {
		for (size_t zeros = 0; zeros <= n && zeros < 3; zeros++) {
			uint8_t *p = calloc(1, n + 1), *back = malloc(n + 1);
			char *text = malloc(room(n));
			size_t len;

			assert_true(p != NULL && back != NULL && text != NULL);
			memset(p + zeros, 0xff, n - zeros);
			if (n > zeros + 1)
				gn_random(p + zeros + 1, n - zeros - 1);
			encode(p, n, text);
			assert_true(strlen(text) < room(n));
			assert_int_equal(decode(text, strlen(text), back, n, &len), 0);
			assert_int_equal(len, n);
			assert_memory_equal(p, back, n);
			if (n > 0)
				assert_int_equal(decode(text, strlen(text), back, n - 1, &len), GN_ESPACE);
			free(text);
			free(back);
			free(p);
		}
	}
}

static size_t room32(size_t n)
{
	return n * 8 / 5 + 2;
}

static size_t room16(size_t n)
{
	return n * 2 + 1;
}

static size_t room64(size_t n)
{
	return n * 4 / 3 + 3;
}

static size_t room58(size_t n)
{
	return n * 7 / 5 + 2;
}

static void random_bytes_survive_a_round_trip(void **state)
{
	(void)state;
	round_trip(gn_base32_encode, gn_base32_decode, room32);
	round_trip(gn_hex_encode, gn_hex_decode, room16);
	round_trip(gn_base64url_encode, gn_base64url_decode, room64);
	round_trip(gn_base58_encode, gn_base58_decode, room58);
	round_trip(gn_base36_encode, gn_base36_decode, room32);
}

static void either_case_is_decoded_from_the_first_letter_to_the_last(void **state)
{
	uint8_t lower[64], upper[64];
	size_t n, k;

	(void)state;
	assert_int_equal(gn_hex_decode("abcdef", 6, lower, sizeof lower, &n), 0);
	assert_int_equal(gn_hex_decode("ABCDEF", 6, upper, sizeof upper, &k), 0);
	assert_int_equal(n, k);
	assert_memory_equal(lower, upper, n);
	assert_int_equal(gn_hex_decode("@A", 2, upper, sizeof upper, &k), GN_EFORMAT);
	assert_int_equal(gn_hex_decode("AG", 2, upper, sizeof upper, &k), GN_EFORMAT);
	assert_int_equal(gn_base32_decode("abyzabyz", 8, lower, sizeof lower, &n), 0);
	assert_int_equal(gn_base32_decode("ABYZABYZ", 8, upper, sizeof upper, &k), 0);
	assert_int_equal(n, k);
	assert_memory_equal(lower, upper, n);
	assert_int_equal(gn_base32_decode("ABYZABY[", 8, upper, sizeof upper, &k), GN_EFORMAT);
	assert_int_equal(gn_base36_decode("a0z", 3, lower, sizeof lower, &n), 0);
	assert_int_equal(gn_base36_decode("A0Z", 3, upper, sizeof upper, &k), 0);
	assert_int_equal(n, k);
	assert_memory_equal(lower, upper, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts_encode_and_decode),
		cmocka_unit_test(multibase_prefixes_select_the_base),
		cmocka_unit_test(malformed_texts_are_rejected),
		cmocka_unit_test(random_bytes_survive_a_round_trip),
		cmocka_unit_test(either_case_is_decoded_from_the_first_letter_to_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
