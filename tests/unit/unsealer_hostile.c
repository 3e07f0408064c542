/* SPDX-License-Identifier: MIT */
/* Sealed messages that malicious recipients or senders make.  Alice is the sender that they claim; Bob,
 * Carol and Dave are recipients. */
#include "support/support.h"

/* ---- a malicious recipient ---- */

/* Bob seals Alice's message to him again for Dave, and keeps her signatures. */
static void a_recipient_cannot_change_the_message(void **state)
{
	struct gn_buf in;
	struct seal_parts *a = malloc(sizeof(*a));
	struct seal_craft f;

	(void)state;
	seal_sample(&in, (const struct gn_key *const[]){seal_bob}, 1);
	seal_parts_get(a, seal_bob, in.p, in.len);
	for (int way = 0; way < 3; way++) {
		seal_craft_init(&f, seal_alice);
		memcpy(f.k, a->f.k, sizeof(f.k));
		memcpy(f.h.salt, a->f.h.salt, sizeof(f.h.salt));
		seal_craft_stanza(&f, seal_dave, f.k);
		if (way == 1) { /* the stanza of Dave is added to that of Bob */
			memcpy(f.h.stanzas[1], a->f.h.stanzas[0], sizeof(f.h.stanzas[1]));
			gn_key_id(seal_bob, &f.message_header.to[1]);
			f.message_header.info.n_to = f.h.n = 2;
		}
		seal_craft_header(&f);
		if (way == 2) { /* the message header names Dave, and Bob signs it in Alice's name */
			seal_craft_message_header(&f, seal_bob);
		} else {
			seal_craft_chunk_sig(&f, a->part[0].sig, false, a->part[0].text, a->part[0].n_text);
		}
		for (size_t i = 1; i < a->n; i++)
			seal_craft_chunk_sig(&f, a->part[i].sig, a->part[i].is_last, a->part[i].text,
					     a->part[i].n_text);
		seal_assert_opens(seal_dave, NULL, "here", &f.out, GN_EAUTH);
		seal_craft_fini(&f);
	}
	seal_assert_opens(seal_dave, NULL, "here", &in, GN_ENOTFOR);
	seal_craft_fini(&a->f);
	free(a);
	gn_buf_fini(&in);
}

/* Bob, who knows the content key of a message to Carol and him, appends other chunks to Alice's header. */
static void a_recipient_cannot_sign_for_the_sender(void **state)
{
	static const char text[] = "something else";
	struct gn_buf in;
	struct seal_parts *a = malloc(sizeof(*a));

	(void)state;
	seal_sample(&in, (const struct gn_key *const[]){seal_bob, seal_carol}, 2);
	seal_parts_get(a, seal_bob, in.p, in.len);
	for (int way = 0; way < 5; way++) {
		struct seal_craft *f = &a->f;

		f->out.len = a->n_front;
		f->i = 0;
		if (way == 3) { /* Bob names himself as the sender, which is valid */
			size_t n;

			memcpy(f->message_header.sender, gn_key_public(seal_bob, &n), sizeof(f->message_header.sender));
			seal_craft_message_header(f, seal_bob);
		} else {
			seal_craft_chunk_sig(f, a->part[0].sig, false, a->part[0].text, a->part[0].n_text);
		}
		if (way == 0 || way == 3)
			seal_craft_chunk(f, seal_bob, true, text, strlen(text));
		else if (way == 1)
			seal_craft_chunk_sig(f, a->part[1].sig, false, text, strlen(text));
		else if (way == 2) /* Alice's first chunk, marked as the last */
			seal_craft_chunk_sig(f, a->part[1].sig, true, a->part[1].text, a->part[1].n_text);
		else
			seal_craft_chunk_sig(f, a->part[3].sig, true, a->part[3].text, a->part[3].n_text);
		seal_assert_opens(seal_carol, seal_alice, "here", &f->out, way == 3 ? GN_EREFUSED : GN_EAUTH);
		seal_assert_opens(seal_carol, NULL, "here", &f->out, way == 3 ? 0 : GN_EAUTH);
	}
	seal_craft_fini(&a->f);
	free(a);
	gn_buf_fini(&in);
}

/* ---- a malicious sender ---- */

static void finish(struct seal_craft *f, const struct gn_key *by)
{
	seal_craft_chunk(f, by, true, "text", 4);
}

/* One message cannot contain different texts for two recipients, because the header commits to one content
 * key. */
static void a_recipient_with_another_content_key_is_rejected(void **state)
{
	const uint8_t other[GN_SEALED_KEY_LEN] = {7};
	uint8_t header[GN_SEALED_HEADER_MAX];
	struct seal_craft f;

	(void)state;
	seal_craft_init(&f, seal_alice);
	seal_craft_stanza(&f, seal_bob, f.k);
	seal_craft_stanza(&f, seal_carol, other);
	seal_craft_header(&f);
	seal_craft_message_header(&f, seal_alice);
	finish(&f, seal_alice);
	seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, 0);
	seal_assert_opens(seal_carol, seal_alice, NULL, &f.out, GN_EAUTH);
	seal_craft_fini(&f);

	/* The header has a wrong commitment, and is valid otherwise. */
	seal_craft_init(&f, seal_alice);
	seal_craft_stanza(&f, seal_bob, f.k);
	seal_craft_header(&f);
	f.out.len = 0;
	f.h.commitment[31] ^= 1;
	seal_craft_header_bytes(&f, header, gn_sealed_header_encode(&f.h, header));
	seal_craft_message_header(&f, seal_alice);
	finish(&f, seal_alice);
	seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, GN_EAUTH);
	seal_craft_fini(&f);

	/* The header commits to a content key that no recipient has. */
	seal_craft_init(&f, seal_alice);
	seal_craft_stanza(&f, seal_bob, other);
	seal_craft_header(&f);
	seal_craft_message_header(&f, seal_alice);
	finish(&f, seal_alice);
	seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, GN_EAUTH);
	seal_craft_fini(&f);
}

/* Tests 1 to 64 stanzas, of which Bob's is the last, 65 stanzas, and none. */
static void malformed_recipients_are_rejected(void **state)
{
	struct seal_craft f;

	(void)state;
	for (size_t n = 1; n <= GN_SEALED_TO_MAX + 1; n += 21) {
		uint8_t header[GN_SEALED_HEADER_MAX + 82], *p = header;
		struct gn_key *key = NULL;

		seal_craft_init(&f, seal_alice);
		for (size_t i = 1; i < n && i < GN_SEALED_TO_MAX; i++) {
			key = seal_key((uint8_t)(100 + i));
			seal_craft_stanza(&f, key, f.k);
			gn_key_free(key);
		}
		seal_craft_stanza(&f, seal_bob, f.k);
		if (n > GN_SEALED_TO_MAX) {
			uint8_t prk[GN_SEALED_HASH_LEN];

			gn_sealed_prk(f.h.salt, f.k, prk, f.h.commitment);
			p += gn_sealed_header_encode(&f.h, p);
			memcpy(p, p - 82, 82);
			p += 82;
			seal_craft_header_bytes(&f, header, (size_t)(p - header));
		} else {
			seal_craft_header(&f);
		}
		seal_craft_message_header(&f, seal_alice);
		finish(&f, seal_alice);
		seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, n > GN_SEALED_TO_MAX ? GN_EFORMAT : 0);
		seal_craft_fini(&f);
	}
	seal_craft_init(&f, seal_alice);
	seal_craft_header(&f);
	seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, GN_EFORMAT);
	seal_craft_fini(&f);
}

/* An unsealer skips a stanza whose enc is a point of low order or arbitrary, and tries the next one. */
static void low_order_points_are_rejected(void **state)
{
	static const uint8_t encs[][GN_HPKE_ENC_LEN] = {{0}, {1}, {0xec, 0xff}, {9}};
	struct seal_craft f;

	(void)state;
	for (size_t i = 0; i < sizeof(encs) / sizeof(encs[0]); i++) {
		seal_craft_init(&f, seal_alice);
		seal_craft_stanza(&f, seal_carol, f.k);
		seal_craft_stanza(&f, seal_bob, f.k);
		memcpy(f.h.stanzas[0], encs[i], sizeof(encs[i]));
		seal_craft_header(&f);
		seal_craft_message_header(&f, seal_alice);
		finish(&f, seal_alice);
		seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, 0);
		seal_assert_opens(seal_carol, seal_alice, NULL, &f.out, GN_ENOTFOR);
		seal_craft_fini(&f);
	}
}

/* The ids in the message header are repeated, in a wrong place, too many or too few, or one is that of
 * another peer. */
static void wrong_recipient_ids_are_rejected(void **state)
{
	static const int errs[] = {0, GN_EFORMAT, GN_EAUTH, GN_EFORMAT, GN_EFORMAT, GN_EAUTH};
	struct seal_craft f;

	(void)state;
	for (int way = 0; way < 6; way++) {
		struct gn_peer_id *to = f.message_header.to, id;

		seal_craft_init(&f, seal_alice);
		seal_craft_stanza(&f, seal_carol, f.k);
		seal_craft_stanza(&f, seal_bob, f.k);
		if (way == 1) {
			to[0] = to[1];
		} else if (way == 2) {
			gn_key_id(seal_dave, &to[1]);
		} else if (way == 3) {
			gn_key_id(seal_dave, &to[2]);
			f.message_header.info.n_to = 3;
		} else if (way == 4) {
			to[0] = to[1];
			f.message_header.info.n_to = 1;
		} else if (way == 5) {
			id = to[0];
			to[0] = to[1];
			to[1] = id;
		}
		seal_craft_header(&f);
		seal_craft_message_header(&f, seal_alice);
		finish(&f, seal_alice);
		seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, errs[way]);
		seal_craft_fini(&f);
	}
}

/* Signatures that a lax verification accepts: by a key of small order, for which one signature is valid
 * for any text, and with S + L in place of S. */
static void non_canonical_headers_are_rejected(void **state)
{
	static const uint8_t small[][32] = {{1}, {0}, {0xee, 0xff, 0xff}};
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
					  0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	uint8_t sig[GN_KEY_SIG_LEN], text[GN_SEALED_MESSAGE_HEADER_MAX];
	struct seal_craft f;
	size_t n;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		seal_craft_init(&f, seal_alice);
		seal_craft_stanza(&f, seal_bob, f.k);
		seal_craft_header(&f);
		if (i < 3) {
			memset(sig, 0, sizeof(sig));
			sig[0] = 1;
			memcpy(f.message_header.sender + 4, small[i], 32);
			n = gn_sealed_message_header_encode(&f.message_header, text);
		} else {
			n = gn_sealed_message_header_encode(&f.message_header, text);
			seal_craft_sign(&f, seal_alice, false, text, n, sig);
			sodium_add(sig + 32, order, 32);
		}
		seal_craft_chunk_sig(&f, sig, false, text, n);
		finish(&f, seal_alice);
		seal_assert_opens(seal_bob, NULL, NULL, &f.out, GN_EAUTH);
		seal_craft_fini(&f);
	}
}

/* ---- the rules of chunks ---- */

static void a_chunk_that_breaks_a_rule_is_rejected(void **state)
{
	static const struct {
		int err;
		uint32_t head; /* the length field in place of chunk 1 */
	} heads[] = {
		{GN_EFORMAT, 0},
		{GN_EFORMAT, 79},
		{GN_EFORMAT, 80},
		{GN_EFORMAT, 81 + (uint32_t)GN_SEALED_CHUNK_MAX},
		{GN_EFORMAT, 0x7fffffff},
		{GN_EFORMAT, 0xffffffff},
		{GN_EFORMAT, GN_SEALED_LAST + 79},
		{GN_ETRUNC, GN_SEALED_LAST + 80},
		{GN_ETRUNC, 80 + (uint32_t)GN_SEALED_CHUNK_MAX},
		{GN_ETRUNC, 81},
	};
	uint8_t *big = calloc(1, GN_SEALED_CHUNK_MAX + 1), head[4];
	struct seal_craft f;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		seal_craft_init(&f, seal_alice);
		seal_craft_stanza(&f, seal_bob, f.k);
		seal_craft_header(&f);
		seal_craft_message_header(&f, seal_alice);
		gn_put_u32(head, heads[i].head);
		assert_int_equal(gn_buf_put(&f.out, head, 4), 0);
		seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, heads[i].err);
		seal_craft_fini(&f);
	}
	for (int way = 0; way < 6; way++) {
		seal_craft_init(&f, seal_alice);
		seal_craft_stanza(&f, seal_bob, f.k);
		seal_craft_header(&f);
		if (way == 0) { /* the chunk of the message header is marked as the last */
			uint8_t text[GN_SEALED_MESSAGE_HEADER_MAX];

			seal_craft_chunk(&f, seal_alice, true, text,
					 gn_sealed_message_header_encode(&f.message_header, text));
		} else if (way == 1) { /* the message header has the maximum length */
			seal_craft_chunk(&f, seal_alice, false, big, GN_SEALED_MESSAGE_HEADER_MAX);
		} else if (way == 2) { /* it is one byte longer */
			seal_craft_chunk(&f, seal_alice, false, big, GN_SEALED_MESSAGE_HEADER_MAX + 1);
		} else {
			seal_craft_message_header(&f, seal_alice);
			if (way == 3) /* an empty chunk that is not the last */
				seal_craft_chunk(&f, seal_alice, false, "", 0);
			else
				seal_craft_chunk(&f, seal_alice, true, big,
						 way == 4 ? GN_SEALED_CHUNK_MAX + 1 : GN_SEALED_CHUNK_MAX);
		}
		seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, way < 5 ? GN_EFORMAT : 0);
		seal_craft_fini(&f);
	}
	free(big);
}

/* An invalid length is rejected as soon as it is received. */
static void wrong_lengths_are_rejected(void **state)
{
	static const struct {
		uint64_t n;
		int err;
	} headers[] = {
		{0, GN_EFORMAT},
		{GN_SEALED_HEADER_LEN(1) - 1, GN_EFORMAT},
		{GN_SEALED_HEADER_LEN(1), GN_ETRUNC},
		{GN_SEALED_HEADER_MAX, GN_ETRUNC},
		{GN_SEALED_HEADER_MAX + 1, GN_EFORMAT},
		{8193, GN_EFORMAT},
		{INT64_MAX, GN_EFORMAT},
	};
	static const uint8_t overlong[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
	uint8_t head[4];
	struct seal_craft f;

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		seal_craft_init(&f, seal_alice);
		assert_int_equal(gn_buf_put_uvarint(&f.out, headers[i].n), 0);
		seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, headers[i].err);
		seal_craft_fini(&f);
	}
	seal_craft_init(&f, seal_alice);
	assert_int_equal(gn_buf_put(&f.out, overlong, sizeof(overlong)), 0);
	seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, GN_EFORMAT);
	seal_craft_fini(&f);
	for (uint32_t over = 0; over < 2; over++) {
		seal_craft_init(&f, seal_alice);
		seal_craft_stanza(&f, seal_bob, f.k);
		seal_craft_header(&f);
		gn_put_u32(head, GN_SEALED_CHUNK_OVER + GN_SEALED_MESSAGE_HEADER_MAX + over);
		assert_int_equal(gn_buf_put(&f.out, head, 4), 0);
		seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, over ? GN_EFORMAT : GN_ETRUNC);
		seal_craft_fini(&f);
	}
}

/* The message that ends a sequence must be empty. */
static void bytes_after_the_end_are_rejected(void **state)
{
	struct seal_craft f;

	(void)state;
	for (int way = 0; way < 3; way++) {
		seal_craft_init(&f, seal_alice);
		seal_craft_stanza(&f, seal_bob, f.k);
		f.message_header.info.in_sequence = f.message_header.info.is_end = true;
		seal_craft_header(&f);
		seal_craft_message_header(&f, seal_alice);
		if (way == 2)
			seal_craft_chunk(&f, seal_alice, false, "text", 4);
		seal_craft_chunk(&f, seal_alice, true, "text", way == 0 ? 0 : 4);
		seal_assert_opens(seal_bob, seal_alice, NULL, &f.out, way == 0 ? 0 : GN_EFORMAT);
		seal_craft_fini(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recipient_cannot_change_the_message),
		cmocka_unit_test(a_recipient_cannot_sign_for_the_sender),
		cmocka_unit_test(a_recipient_with_another_content_key_is_rejected),
		cmocka_unit_test(malformed_recipients_are_rejected),
		cmocka_unit_test(low_order_points_are_rejected),
		cmocka_unit_test(wrong_recipient_ids_are_rejected),
		cmocka_unit_test(non_canonical_headers_are_rejected),
		cmocka_unit_test(a_chunk_that_breaks_a_rule_is_rejected),
		cmocka_unit_test(wrong_lengths_are_rejected),
		cmocka_unit_test(bytes_after_the_end_are_rejected),
	};

	return cmocka_run_group_tests(tests, seal_setup, seal_teardown);
}
