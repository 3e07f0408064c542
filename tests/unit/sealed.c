/* SPDX-License-Identifier: MIT */
/* The header and the message header of sealed messages, which have one encoding each; the bytes that are
 * signed, and the nonce. */
#include "support/support.h"

#include "sealed.pb-c.h"

/* ---- the header ---- */

static void header_sample(struct gn_sealed_header *h, size_t n)
{
	memset(h, 0, sizeof(*h));
	memset(h->salt, 0xaa, sizeof(h->salt));
	memset(h->commitment, 0xbb, sizeof(h->commitment));
	for (h->n = 0; h->n < n; h->n++)
		memset(h->stanzas[h->n], (int)h->n + 1, GN_SEALED_STANZA_LEN);
}

/* protobuf-c decodes and encodes the header in the same way. */
static void a_header_survives_a_round_trip(void **state)
{
	struct gn_sealed_header h, back;
	uint8_t p[GN_SEALED_HEADER_MAX], again[GN_SEALED_HEADER_MAX];

	(void)state;
	for (size_t n = 1; n <= GN_SEALED_TO_MAX; n += 9) {
		Gn__Pb__SealedHeader *m;
		size_t len;

		header_sample(&h, n);
		len = gn_sealed_header_encode(&h, p);
		assert_int_equal(len, GN_SEALED_HEADER_LEN(n));
		assert_int_equal(gn_sealed_header_decode(p, len, &back), 0);
		assert_int_equal(back.n, n);
		assert_memory_equal(back.salt, h.salt, sizeof(h.salt));
		assert_memory_equal(back.commitment, h.commitment, sizeof(h.commitment));
		assert_memory_equal(back.stanzas, h.stanzas, n * GN_SEALED_STANZA_LEN);
		m = gn__pb__sealed_header__unpack(NULL, len, p);
		assert_non_null(m);
		assert_int_equal(m->version, 1);
		assert_int_equal(m->n_stanzas, n);
		assert_int_equal(gn__pb__sealed_header__pack(m, again), len);
		assert_memory_equal(again, p, len);
		gn__pb__sealed_header__free_unpacked(m, NULL);
		for (size_t k = 0; k < len; k++) {
			if (k < GN_SEALED_HEADER_LEN(1) || (k - 70) % 82 != 0)
				assert_int_equal(gn_sealed_header_decode(p, k, &back), GN_EFORMAT);
		}
	}
}

#define BYTES_32 "0000000000000000000000000000000000000000000000000000000000000000"
#define STANZA BYTES_32 BYTES_32 "00000000000000000000000000000000"
#define SALT "1220" BYTES_32
#define COMMITMENT "1a20" BYTES_32

static void malformed_headers_are_rejected(void **state)
{
	static const char *const good = "0801" SALT COMMITMENT "2250" STANZA;
	static const char *const bad[] = {
		"",
		"0800" SALT COMMITMENT "2250" STANZA, /* unknown versions */
		"0802" SALT COMMITMENT "2250" STANZA,
		"088100" SALT COMMITMENT "2250" STANZA, /* a varint that is not minimal */
		"08818000" SALT COMMITMENT "2250" STANZA,
		"0801"
		"1221" BYTES_32 "00" COMMITMENT "2250" STANZA, /* wrong lengths */
		"0801"
		"1200" COMMITMENT "2250" STANZA,
		"0801" SALT COMMITMENT "2251" STANZA "00",
		"0801" SALT COMMITMENT "2200",
		"0801"
		"12a000" BYTES_32 COMMITMENT "2250" STANZA,
		"0801" SALT COMMITMENT "22d000" STANZA,
		SALT COMMITMENT "2250" STANZA, /* a missing field */
		"0801" COMMITMENT "2250" STANZA,
		"0801" SALT "2250" STANZA,
		"0801" SALT COMMITMENT,
		"0801"
		"0801" SALT COMMITMENT "2250" STANZA, /* a repeated field */
		"0801" SALT SALT COMMITMENT "2250" STANZA,
		"0801" SALT COMMITMENT COMMITMENT "2250" STANZA,
		SALT "0801" COMMITMENT "2250" STANZA, /* a wrong order */
		"0801" COMMITMENT SALT "2250" STANZA,
		"0801" SALT "2250" STANZA COMMITMENT,
		"2250" STANZA "0801" SALT COMMITMENT,
		"0801" SALT COMMITMENT "2250" STANZA "2801", /* an unknown field */
		"0801" SALT COMMITMENT "2801"
		"2250" STANZA,
		"880001" SALT COMMITMENT "2250" STANZA, /* a tag that is not minimal */
		"0a01" SALT COMMITMENT "2250" STANZA,   /* a wrong wire type */
		"0801" SALT COMMITMENT "2250" STANZA "22",
		"0801" SALT COMMITMENT "2250" STANZA "2250",
	};
	struct gn_sealed_header h;
	size_t n;
	uint8_t *p = unhex(good, &n);

	(void)state;
	assert_int_equal(gn_sealed_header_decode(p, n, &h), 0);
	free(p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p = unhex(bad[i], &n);
		assert_int_equal(gn_sealed_header_decode(p, n, &h), GN_EFORMAT);
		free(p);
	}
}

/* ---- the message header ---- */

static void message_header_sample(struct gn_sealed_message_header *l, size_t n, bool in_sequence)
{
	static const uint8_t public[] = {8, 1, 0x12, 0x20}, id[] = {0, 0x24, 8, 1, 0x12, 0x20};

	memset(l, 0, sizeof(*l));
	memcpy(l->sender, public, sizeof(public));
	for (size_t i = 0; i < n; i++) {
		l->to[i].len = 38;
		memcpy(l->to[i].bytes, id, sizeof(id));
		l->to[i].bytes[37] = (uint8_t)i;
	}
	l->info.n_to = n;
	l->info.time = (gn_time)1 << 60;
	memset(l->info.id, 0xcc, sizeof(l->info.id));
	l->info.in_sequence = in_sequence;
	if (in_sequence)
		memset(l->info.sequence, 0xdd, sizeof(l->info.sequence));
}

static void message_header_check(const struct gn_sealed_message_header *l)
{
	uint8_t p[GN_SEALED_MESSAGE_HEADER_MAX], again[GN_SEALED_MESSAGE_HEADER_MAX];
	size_t n = gn_sealed_message_header_encode(l, p);
	struct gn_sealed_message_header *back = malloc(sizeof(*back));
	Gn__Pb__SealedMessageHeader *m = gn__pb__sealed_message_header__unpack(NULL, n, p);

	assert_non_null(m);
	assert_int_equal(gn__pb__sealed_message_header__pack(m, again), n);
	assert_memory_equal(again, p, n);
	gn__pb__sealed_message_header__free_unpacked(m, NULL);
	assert_int_equal(gn_sealed_message_header_decode(p, n, back), 0);
	assert_string_equal(back->info.type, l->type);
	assert_string_equal(back->info.context, l->context);
	assert_int_equal(back->info.time, l->info.time);
	assert_int_equal(back->info.n_to, l->info.n_to);
	assert_memory_equal(back->to, l->to, l->info.n_to * sizeof(l->to[0]));
	assert_memory_equal(back->info.id, l->info.id, sizeof(l->info.id));
	assert_int_equal(back->info.in_sequence, l->info.in_sequence);
	assert_int_equal(back->info.is_end, l->info.is_end);
	assert_int_equal(back->info.number, l->info.number);
	assert_memory_equal(back->info.sequence, l->info.sequence, sizeof(l->info.sequence));
	free(back);
}

static void a_message_header_survives_a_round_trip(void **state)
{
	struct gn_sealed_message_header *l = malloc(sizeof(*l));

	(void)state;
	message_header_sample(l, 1, false);
	message_header_check(l);
	message_header_sample(l, 3, true);
	message_header_check(l);
	l->info.is_end = true;
	l->info.number = INT64_MAX;
	strcpy(l->type, "text/plain; charset=utf-8");
	message_header_check(l);
	/* The longest message header. */
	message_header_sample(l, GN_SEALED_TO_MAX, true);
	memset(l->type, 'x', GN_SEALED_TEXT_MAX);
	memset(l->context, 'y', GN_SEALED_TEXT_MAX);
	l->info.time = INT64_MAX;
	l->info.number = INT64_MAX;
	l->info.is_end = true;
	message_header_check(l);
	free(l);
}

#define SENDER "0a2408011220" BYTES_32
#define TO "1226002408011220" BYTES_32
#define ID "321000000000000000000000000000000000"
#define SEQUENCE "3a1000000000000000000000000000000000"

static const char *const message_headers_good[] = {
	SENDER TO "2800" ID,
	SENDER TO "1a0174"
		  "220163"
		  "28ffffffffffffffff7f" ID,
	SENDER TO "2801" ID SEQUENCE "4000",
	SENDER TO "2801" ID SEQUENCE "4000"
		  "4801",
};
static const char *const message_headers_bad[] = {
	"",
	TO "2800" ID, /* a missing field */
	SENDER "2800" ID,
	SENDER TO ID,
	SENDER TO "2800",
	SENDER TO "2800" ID "4000",
	SENDER TO "2800" ID SEQUENCE,
	SENDER TO "2800" ID "4801",
	SENDER TO "2800" ID SEQUENCE "4801",
	SENDER SENDER TO "2800" ID, /* a repeated field */
	SENDER TO TO "2800" ID,
	SENDER TO "2800"
		  "2800" ID,
	SENDER TO "1a0174"
		  "1a0174"
		  "2800" ID,
	SENDER TO "2800" ID ID,
	SENDER TO "2800" ID SEQUENCE "4000"
		  "4000",
	SENDER TO "2800" ID SEQUENCE "4000"
		  "4801"
		  "4801",
	TO SENDER "2800" ID, /* a wrong order */
	SENDER TO ID "2800",
	SENDER TO "220163"
		  "1a0174"
		  "2800" ID,
	SENDER TO "2800" ID "4000" SEQUENCE,
	SENDER TO "2800" ID "5001", /* an unknown field */
	SENDER TO "2800" ID SEQUENCE "4000"
		  "4801"
		  "5001",
	SENDER TO "1a00"
		  "2800" ID, /* default values that must be omitted, and varints that are not minimal */
	SENDER TO "2200"
		  "2800" ID,
	SENDER TO "2800" ID SEQUENCE "4000"
		  "4800",
	SENDER TO "2800" ID SEQUENCE "4000"
		  "4802",
	SENDER TO "288000" ID,
	SENDER TO "28ffffffffffffffffff01" ID, /* a time past 2^63 */
	SENDER TO "1a0100"
		  "2800" ID, /* texts with control characters, or not in UTF-8 */
	SENDER TO "1a010a"
		  "2800" ID,
	SENDER TO "1a017f"
		  "2800" ID,
	SENDER TO "1a0180"
		  "2800" ID,
	SENDER TO "1a02c280"
		  "2800" ID,
	SENDER TO "2202c080"
		  "2800" ID,
	SENDER TO "2203eda080"
		  "2800" ID,
	SENDER TO "2204f4908080"
		  "2800" ID,
	SENDER TO "2202e282"
		  "2800" ID,
	"0a2408021220" BYTES_32 TO "2800" ID, /* keys and ids of wrong types or lengths */
	"0a2308011220" BYTES_32 TO "2800" ID,
	"0a2408001220" BYTES_32 TO "2800" ID,
	SENDER "12221220" BYTES_32 "2800" ID,
	SENDER "1226002408021220" BYTES_32 "2800" ID,
	SENDER TO "2800"
		  "320f000000000000000000000000000000",
	SENDER TO "2800" ID "3a0f000000000000000000000000000000"
		  "4000",
};

static void malformed_message_headers_are_rejected(void **state)
{
	struct gn_sealed_message_header *l = malloc(sizeof(*l));
	size_t n;
	uint8_t *p;

	(void)state;
	for (size_t i = 0; i < sizeof(message_headers_good) / sizeof(message_headers_good[0]); i++) {
		p = unhex(message_headers_good[i], &n);
		assert_int_equal(gn_sealed_message_header_decode(p, n, l), 0);
		for (size_t k = 0; k < n; k++) {
			int err = gn_sealed_message_header_decode(p, k, l);

			/* A message that is truncated after a field may be valid, if the missing fields
			 * are optional. */
			if (err == 0)
				assert_true(k == n - 20 || k == n - 22 || k == n - 2);
			else
				assert_int_equal(err, GN_EFORMAT);
		}
		free(p);
	}
	for (size_t i = 0; i < sizeof(message_headers_bad) / sizeof(message_headers_bad[0]); i++) {
		p = unhex(message_headers_bad[i], &n);
		assert_int_equal(gn_sealed_message_header_decode(p, n, l), GN_EFORMAT);
		free(p);
	}
	free(l);
}

static void texts_are_checked(void **state)
{
	static const struct {
		const char *text;
		int err;
	} texts[] = {
		{"", 0},
		{"plain ~", 0},
		{"gr\xc3\xbc\xc3\x9f", 0},
		{"\xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 0},
		{"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 0},
		{"a\tb", GN_EFORMAT},
		{"\x1b[2J", GN_EFORMAT},
		{"\xc2\x9b", GN_EFORMAT},
		{"\xc1\xbf", GN_EFORMAT},
		{"\xe0\x9f\xbf", GN_EFORMAT},
		{"\xed\xa0\x80", GN_EFORMAT},
		{"\xf0\x8f\xbf\xbf", GN_EFORMAT},
		{"\xf4\x90\x80\x80", GN_EFORMAT},
		{"\xf8\x88\x80\x80\x80", GN_EFORMAT},
		{"\xff", GN_EFORMAT},
		{"\xe2\x82", GN_EFORMAT},
		{"\xe2\x82x", GN_EFORMAT},
	};
	char text[GN_SEALED_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(gn_sealed_text_check(texts[i].text, strlen(texts[i].text)), texts[i].err);
	assert_int_equal(gn_sealed_text_check("", 1), GN_EFORMAT);
	memset(text, 'x', sizeof(text));
	assert_int_equal(gn_sealed_text_check(text, GN_SEALED_TEXT_MAX), 0);
	assert_int_equal(gn_sealed_text_check(text, GN_SEALED_TEXT_MAX + 1), GN_ETOOBIG);
}

/* ---- the bytes that are signed, and the nonce ---- */

static void the_layout_is_that_of_the_specification(void **state)
{
	uint8_t hh[GN_SEALED_HASH_LEN], hp[GN_SEALED_HASH_LEN], out[GN_SEALED_SIGNED_LEN], nonce[12];

	(void)state;
	memset(hh, 0xaa, sizeof(hh));
	memset(hp, 0xbb, sizeof(hp));
	gn_sealed_signed(hh, 0x0102030405060708, true, hp, out);
	assert_hex(out, sizeof(out),
		   "676f6c656d2d6e6574207365616c65642031206368756e6b00"
		   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		   "0102030405060708"
		   "01"
		   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
	gn_sealed_nonce(0x0102030405060708, true, nonce);
	assert_hex(nonce, sizeof(nonce), "000000010203040506070801");
	gn_sealed_nonce(1, false, nonce);
	assert_hex(nonce, sizeof(nonce), "000000000000000000000100");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_survives_a_round_trip),
		cmocka_unit_test(malformed_headers_are_rejected),
		cmocka_unit_test(a_message_header_survives_a_round_trip),
		cmocka_unit_test(malformed_message_headers_are_rejected),
		cmocka_unit_test(texts_are_checked),
		cmocka_unit_test(the_layout_is_that_of_the_specification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
