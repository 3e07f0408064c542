/* SPDX-License-Identifier: MIT */
/* An unsealer with valid messages, in pieces of any size, and with damaged ones. */
#include <errno.h>

#include "support/support.h"

/* ---- valid and damaged messages ---- */

static void good_messages_open(void **state)
{
	struct gn_buf in, got;

	(void)state;
	seal_sample(&in, (const struct gn_key *const[]){seal_bob, seal_carol, seal_alice}, 3);
	gn_buf_init(&got, 100);
	for (int i = 0; i < 50; i++) {
		const struct gn_key *const own[] = {seal_bob, seal_carol, seal_alice};

		assert_int_equal(seal_unseal(own[i % 3], i & 4 ? seal_alice : NULL, "here", &in, &got), 0);
		assert_int_equal(got.len, strlen(SEAL_WHOLE));
		assert_memory_equal(got.p, SEAL_WHOLE, got.len);
	}
	gn_buf_fini(&got);
	gn_buf_fini(&in);
}

static void assert_prefix(const struct gn_buf *got)
{
	assert_true(got->len < strlen(SEAL_WHOLE));
	assert_memory_equal(got->len > 0 ? (const char *)got->p : "", SEAL_WHOLE, got->len);
}

/* A change of any byte is an error, also in the stanzas of other recipients.  The output before the error
 * is a prefix of the text. */
static void each_flipped_bit_is_noticed(void **state)
{
	struct gn_buf in, got;

	(void)state;
	seal_sample(&in, (const struct gn_key *const[]){seal_bob, seal_carol}, 2);
	gn_buf_init(&got, 100);
	for (size_t i = 0; i < in.len; i++) {
		for (unsigned bit = 0; bit < 8; bit += 1 + (unsigned)i % 3) {
			int err;

			in.p[i] ^= (uint8_t)(1u << bit);
			err = seal_unseal(i & 1 ? seal_bob : seal_carol, NULL, "here", &in, &got);
			assert_true(err == GN_EAUTH || err == GN_EFORMAT || err == GN_ENOTFOR || err == GN_ETRUNC);
			assert_prefix(&got);
			in.p[i] ^= (uint8_t)(1u << bit);
		}
	}
	assert_int_equal(seal_unseal(seal_bob, NULL, "here", &in, &got), 0);
	gn_buf_fini(&got);
	gn_buf_fini(&in);
}

static void each_truncation_is_noticed(void **state)
{
	struct gn_buf in, got;
	size_t whole;

	(void)state;
	seal_sample(&in, (const struct gn_key *const[]){seal_bob}, 1);
	gn_buf_init(&got, 100);
	whole = in.len;
	for (in.len = 0; in.len < whole; in.len++) {
		assert_int_equal(seal_unseal(seal_bob, seal_alice, "here", &in, &got), GN_ETRUNC);
		assert_prefix(&got);
	}
	assert_int_equal(gn_buf_put_u8(&in, 0), 0);
	assert_int_equal(seal_unseal(seal_bob, seal_alice, "here", &in, &got), GN_EFORMAT);
	in.len = whole;
	assert_int_equal(gn_buf_reserve(&in, whole), 0);
	assert_int_equal(gn_buf_put(&in, in.p, whole), 0);
	assert_int_equal(seal_unseal(seal_bob, seal_alice, "here", &in, &got), GN_EFORMAT);
	gn_buf_fini(&got);
	gn_buf_fini(&in);
}

/* ---- a wrong recipient, sender or context ---- */

static void the_wrong_key_sender_or_context_is_rejected(void **state)
{
	struct gn_buf in;

	(void)state;
	seal_sample(&in, (const struct gn_key *const[]){seal_bob, seal_carol}, 2);
	seal_assert_opens(seal_dave, NULL, "here", &in, GN_ENOTFOR);
	seal_assert_opens(seal_alice, NULL, "here", &in, GN_ENOTFOR);
	seal_assert_opens(seal_bob, seal_carol, "here", &in, GN_EREFUSED);
	seal_assert_opens(seal_bob, seal_bob, "here", &in, GN_EREFUSED);
	seal_assert_opens(seal_bob, seal_alice, NULL, &in, GN_ECONTEXT);
	seal_assert_opens(seal_bob, seal_alice, "", &in, GN_ECONTEXT);
	seal_assert_opens(seal_bob, seal_alice, "her", &in, GN_ECONTEXT);
	seal_assert_opens(seal_bob, seal_alice, "here ", &in, GN_ECONTEXT);
	seal_assert_opens(seal_bob, seal_alice, "here", &in, 0);
	gn_buf_fini(&in);
}

/* ---- chunks in a wrong order, and of another message ---- */

static void message_put(struct gn_buf *out, const struct gn_buf *from, const struct seal_parts *a, const char *order)
{
	out->len = 0;
	assert_int_equal(gn_buf_put(out, from->p, a->n_front), 0);
	for (; *order; order++) {
		const struct seal_part *part = &a->part[*order - '0'];

		assert_int_equal(gn_buf_put(out, from->p + part->at, part->n), 0);
	}
}

static void reordered_chunks_are_rejected(void **state)
{
	static const struct {
		const char *order;
		int err;
	} tries[] = {
		{"0123", 0},           {"0213", GN_EAUTH},  {"013", GN_EAUTH},  {"023", GN_EAUTH},
		{"01123", GN_EAUTH},   {"00123", GN_EAUTH}, {"123", GN_EAUTH},  {"1023", GN_EAUTH},
		{"01233", GN_EFORMAT}, {"012", GN_ETRUNC},  {"0", GN_ETRUNC},   {"", GN_ETRUNC},
		{"3", GN_EFORMAT},     {"03", GN_EAUTH},    {"0132", GN_EAUTH}, {"01231", GN_EFORMAT},
	};
	struct gn_buf in, out;
	struct seal_parts *a = malloc(sizeof(*a));

	(void)state;
	seal_sample(&in, (const struct gn_key *const[]){seal_bob}, 1);
	gn_buf_init(&out, (size_t)1 << 20);
	seal_parts_get(a, seal_bob, in.p, in.len);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		message_put(&out, &in, a, tries[i].order);
		seal_assert_opens(seal_bob, seal_alice, "here", &out, tries[i].err);
	}
	seal_craft_fini(&a->f);
	free(a);
	gn_buf_fini(&out);
	gn_buf_fini(&in);
}

/* Replaces each part of a message by that of another message with the same sender and recipient. */
static void chunks_of_another_message_are_rejected(void **state)
{
	struct gn_buf in[2], out;
	struct seal_parts *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));

	(void)state;
	gn_buf_init(&out, (size_t)1 << 20);
	for (int i = 0; i < 2; i++)
		seal_sample(&in[i], (const struct gn_key *const[]){seal_bob}, 1);
	seal_parts_get(a, seal_bob, in[0].p, in[0].len);
	seal_parts_get(b, seal_bob, in[1].p, in[1].len);
	assert_int_equal(in[0].len, in[1].len);
	assert_memory_not_equal(a->f.k, b->f.k, sizeof(a->f.k));
	assert_memory_not_equal(a->f.h.salt, b->f.h.salt, sizeof(a->f.h.salt));
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(a->part[i].at, b->part[i].at);
		out.len = 0;
		assert_int_equal(gn_buf_put(&out, in[0].p, in[0].len), 0);
		memcpy(out.p + b->part[i].at, in[1].p + b->part[i].at, b->part[i].n);
		seal_assert_opens(seal_bob, seal_alice, "here", &out, GN_EAUTH);
	}
	out.len = 0;
	assert_int_equal(gn_buf_put(&out, in[0].p, in[0].len), 0);
	memcpy(out.p, in[1].p, a->n_front);
	seal_assert_opens(seal_bob, seal_alice, "here", &out, GN_EAUTH);
	seal_craft_fini(&a->f);
	seal_craft_fini(&b->f);
	free(a);
	free(b);
	gn_buf_fini(&out);
	gn_buf_fini(&in[0]);
	gn_buf_fini(&in[1]);
}

/* ---- configuration and reuse ---- */

static void a_wrong_configuration_is_rejected(void **state)
{
	char text[GN_SEALED_TEXT_MAX + 2];
	struct gn_peer_id id;
	struct gn_unsealer *u = NULL;

	(void)state;
	gn_key_id(seal_alice, &id);
	memset(text, 'x', sizeof(text));
	text[GN_SEALED_TEXT_MAX + 1] = '\0';
	assert_int_equal(gn_unsealer_new(&(struct gn_unseal_cfg){.from_any = true}, &u), -EINVAL);
	assert_int_equal(gn_unsealer_new(&(struct gn_unseal_cfg){.key = seal_bob}, &u), -EINVAL);
	assert_int_equal(gn_unsealer_new(&(struct gn_unseal_cfg){.key = seal_bob, .from = &id}, &u), -EINVAL);
	assert_int_equal(gn_unsealer_new(&(struct gn_unseal_cfg){seal_bob, &id, 1, false, text}, &u), GN_ETOOBIG);
	assert_int_equal(gn_unsealer_new(&(struct gn_unseal_cfg){seal_bob, &id, 1, false, "a\nb"}, &u), GN_EFORMAT);
	assert_null(u);
	gn_unsealer_free(NULL);
}

/* One unsealer opens several messages, whether or not the earlier ones opened. */
static void one_unsealer_opens_several_messages(void **state)
{
	const struct gn_unseal_cfg cfg = {.key = seal_carol, .from_any = true, .context = "here"};
	struct gn_sealed_info info = {.n_to = 99};
	struct gn_peer_id id;
	struct gn_unsealer *u;
	struct gn_buf in;
	void *out = NULL;
	size_t n = 0;

	(void)state;
	seal_sample(&in, (const struct gn_key *const[]){seal_bob, seal_carol}, 2);
	assert_int_equal(gn_unsealer_new(&cfg, &u), 0);
	assert_int_equal(gn_unsealer_finish(u), GN_ETRUNC);
	gn_unsealer_info(u, &info);
	assert_int_equal(info.n_to, 99);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(gn_unseal_message(u, in.p, in.len - 1, &out, &n), GN_ETRUNC);
		assert_int_equal(gn_unseal_message(u, in.p + 1, in.len - 1, &out, &n), GN_EFORMAT);
		assert_int_equal(gn_unseal_message(u, NULL, 0, &out, &n), GN_ETRUNC);
		assert_null(out);
		assert_int_equal(gn_unseal_message(u, in.p, in.len, &out, &n), 0);
		assert_int_equal(n, strlen(SEAL_WHOLE));
		assert_memory_equal(out, SEAL_WHOLE, n);
		free(out);
		out = NULL;
	}
	gn_unsealer_info(u, &info);
	gn_key_id(seal_alice, &id);
	assert_true(gn_peer_id_is_equal(&info.sender, &id));
	gn_key_id(seal_carol, &id);
	assert_int_equal(info.n_to, 2);
	assert_true(gn_peer_id_is_equal(&info.to[1], &id));
	assert_string_equal(info.type, "greeting");
	assert_string_equal(info.context, "here");
	assert_true(info.time > 1700000000 * GN_SEC);
	assert_false(info.in_sequence);
	gn_unsealer_free(u);
	gn_buf_fini(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_messages_open),
		cmocka_unit_test(each_flipped_bit_is_noticed),
		cmocka_unit_test(each_truncation_is_noticed),
		cmocka_unit_test(the_wrong_key_sender_or_context_is_rejected),
		cmocka_unit_test(reordered_chunks_are_rejected),
		cmocka_unit_test(chunks_of_another_message_are_rejected),
		cmocka_unit_test(a_wrong_configuration_is_rejected),
		cmocka_unit_test(one_unsealer_opens_several_messages),
	};

	return cmocka_run_group_tests(tests, seal_setup, seal_teardown);
}
