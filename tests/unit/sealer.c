/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "support/support.h"

/* ---- the vectors ---- */

/* Decodes the values of a field, 32 bytes each in hex, separated by commas.  Returns their number. */
static size_t each(const char *field, uint8_t out[GN_SEALED_TO_MAX][32])
{
	size_t n, count = 0;

	for (const char *end; *field; field = *end ? end + 1 : end) {
		end = strchr(field, ',') != NULL ? strchr(field, ',') : field + strlen(field);
		assert_int_equal(gn_hex_decode(field, (size_t)(end - field), out[count++], 32, &n), 0);
		assert_int_equal(n, 32);
	}
	return count;
}

static struct gn_key *recipients[GN_SEALED_TO_MAX];

static struct gn_sealer *vector_sealer(char **field, struct gn_sealer_fixed *fixed)
{
	static uint8_t seeds[GN_SEALED_TO_MAX][32], one[GN_SEALED_TO_MAX][32];
	struct gn_peer_id ids[GN_SEALED_TO_MAX];
	struct gn_seal_cfg cfg = {.to = ids, .type = field[9], .context = field[10], .sequence = *field[8]};
	struct gn_key *key;
	struct gn_sealer *s;
	size_t n;

	cfg.n_to = each(field[2], seeds);
	for (size_t i = 0; i < cfg.n_to; i++) {
		assert_int_equal(gn_key_new_seeded(seeds[i], &recipients[i]), 0);
		gn_key_id(recipients[i], &ids[i]);
	}
	assert_int_equal(each(field[1], one), 1);
	assert_int_equal(gn_key_new_seeded(one[0], &key), 0);
	cfg.key = key;
	assert_int_equal(gn_sealer_new(&cfg, &s), 0);
	gn_key_free(key);
	assert_int_equal(each(field[3], one), 1);
	memcpy(fixed->k, one[0], 32);
	assert_int_equal(each(field[4], one), 1);
	memcpy(fixed->salt, one[0], 32);
	assert_int_equal(each(field[5], fixed->ephemeral), cfg.n_to);
	fixed->time = strtoll(field[6], NULL, 10);
	assert_int_equal(gn_hex_decode(field[7], 32, fixed->id, 16, &n), 0);
	if (cfg.sequence)
		assert_int_equal(gn_hex_decode(field[8], 32, fixed->sequence, 16, &n), 0);
	gn_sealer_fix(s, fixed);
	return s;
}

/* Seals empty messages until the next sequence number is that of the vector. */
static void spend(struct gn_sealer *s, const char *sequence)
{
	const char *number = strchr(sequence, ',');
	const void *p = NULL;
	size_t n = 0;

	for (unsigned long i = number != NULL ? strtoul(number + 1, NULL, 10) : 0; i > 0; i--)
		assert_int_equal(gn_sealer_put(s, NULL, 0, true, &p, &n), 0);
}

static void vector_opens(size_t i, const char *context, const struct gn_buf *sealed, const struct gn_buf *plain)
{
	struct gn_buf got;

	gn_buf_init(&got, (size_t)1 << 20);
	assert_int_equal(seal_unseal(recipients[i], NULL, context, sealed, &got), 0);
	assert_int_equal(got.len, plain->len);
	if (got.len > 0)
		assert_memory_equal(got.p, plain->p, got.len);
	gn_buf_fini(&got);
}

static void on_vector(char **field)
{
	static struct gn_sealer_fixed fixed;
	struct gn_sealer *s = vector_sealer(field, &fixed);
	struct gn_buf out, plain;
	const void *p = NULL;
	bool is_last = false;
	size_t n = 0;

	spend(s, field[8]);
	gn_buf_init(&out, (size_t)1 << 20);
	gn_buf_init(&plain, (size_t)1 << 20);
	if (strstr(field[8], "end") != NULL) {
		assert_int_equal(gn_sealer_end(s, &p, &n), 0);
		assert_int_equal(gn_buf_put(&out, p, n), 0);
	}
	for (char *chunk = field[11]; out.len == 0 || (!is_last && *chunk);) {
		char *comma = strchr(chunk, ',');
		uint8_t *text;
		size_t len;

		is_last = comma == NULL;
		if (comma != NULL)
			*comma = '\0';
		text = unhex(chunk, &len);
		assert_int_equal(gn_buf_put(&plain, text, len), 0);
		assert_int_equal(gn_sealer_put(s, text, len, is_last, &p, &n), 0);
		assert_int_equal(gn_buf_put(&out, p, n), 0);
		free(text);
		chunk = comma != NULL ? comma + 1 : chunk;
	}
	assert_hex(out.p, out.len, field[12]);
	for (size_t i = 0; recipients[i] != NULL; i++) {
		vector_opens(i, field[10], &out, &plain);
		gn_key_free(recipients[i]);
		recipients[i] = NULL;
	}
	gn_sealer_free(s);
	gn_buf_fini(&out);
	gn_buf_fini(&plain);
}

static void vectors_are_reproduced(void **state)
{
	(void)state;
	assert_int_equal(vectors_each("sealed.tsv", on_vector), 5);
}

/* ---- configurations that are rejected ---- */

static int try(const struct gn_key *key, const struct gn_peer_id *to, size_t n, const char *text)
{
	struct gn_sealer *s = NULL;
	int err = gn_sealer_new(&(struct gn_seal_cfg){key, to, n, text, NULL, false}, &s);

	assert_true((err == 0) == (s != NULL));
	gn_sealer_free(s);
	s = NULL;
	if (err == 0)
		err = gn_sealer_new(&(struct gn_seal_cfg){key, to, n, NULL, text, true}, &s);
	gn_sealer_free(s);
	return err;
}

static void a_wrong_configuration_is_rejected(void **state)
{
	static const char *const others[] = {
		"QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",        /* the hash of an RSA key */
		"16Uiu2HAmLhLvBoYaoZfaMUKuibM6ac163GwKY74c5kiSLg5KvLpY", /* secp256k1 */
	};
	struct gn_peer_id to[GN_SEALED_TO_MAX + 1], id;
	char text[GN_SEALED_TEXT_MAX + 2];

	(void)state;
	gn_key_id(seal_bob, &to[0]);
	gn_key_id(seal_carol, &to[1]);
	to[2] = to[0];
	assert_int_equal(try(seal_alice, to, 2, "type"), 0);
	assert_int_equal(try(seal_alice, to, 2, NULL), 0);
	assert_int_equal(try(NULL, to, 2, "type"), -EINVAL);
	assert_int_equal(try(seal_alice, to, 0, "type"), -EINVAL);
	assert_int_equal(try(seal_alice, NULL, 1, "type"), -EINVAL);
	assert_int_equal(try(seal_alice, to, 3, "type"), -EEXIST);
	assert_int_equal(try(seal_alice, to, GN_SEALED_TO_MAX + 1, "type"), GN_ELIMIT);
	assert_int_equal(try(seal_alice, to, 2, "\n"), GN_EFORMAT);
	memset(text, 'x', sizeof(text));
	text[GN_SEALED_TEXT_MAX + 1] = '\0';
	assert_int_equal(try(seal_alice, to, 2, text), GN_ETOOBIG);
	text[GN_SEALED_TEXT_MAX] = '\0';
	assert_int_equal(try(seal_alice, to, 2, text), 0);
	assert_int_equal(gn_sealer_check(&to[0]), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(gn_peer_id_parse(others[i], &id), 0);
		assert_int_equal(gn_sealer_check(&id), GN_EKEYTYPE);
		to[1] = id;
		assert_int_equal(try(seal_alice, to, 2, NULL), GN_EKEYTYPE);
	}
	/* An Ed25519 id whose key is a point of low order. */
	to[1] = to[0];
	memset(to[1].bytes + 6, 0, 32);
	assert_int_equal(gn_sealer_check(&to[1]), GN_EFORMAT);
	assert_int_equal(try(seal_alice, to, 2, NULL), GN_EFORMAT);
	gn_sealer_free(NULL);
}

/* ---- messages ---- */

static struct gn_sealer *sealer(bool sequence)
{
	struct gn_peer_id to;
	struct gn_sealer *s;

	gn_key_id(seal_bob, &to);
	assert_int_equal(gn_sealer_new(&(struct gn_seal_cfg){seal_alice, &to, 1, "t", "c", sequence}, &s), 0);
	return s;
}

static struct gn_unsealer *unsealer(void)
{
	struct gn_unsealer *u;

	assert_int_equal(
		gn_unsealer_new(&(struct gn_unseal_cfg){.key = seal_bob, .from_any = true, .context = "c"}, &u), 0);
	return u;
}

/* Seals messages, one after the other, in chunks of lengths around each boundary. */
static void chunks_of_every_length_seal(void **state)
{
	static const size_t lens[] = {0,
				      1,
				      63,
				      64,
				      65,
				      16383,
				      16384,
				      16385,
				      GN_SEALED_CHUNK_MAX - 1,
				      GN_SEALED_CHUNK_MAX,
				      GN_SEALED_CHUNK_MAX + 1,
				      3 * GN_SEALED_CHUNK_MAX + 5};
	struct gn_sealer *s = sealer(false);
	struct gn_unsealer *u = unsealer();
	uint8_t *text = malloc(4 * GN_SEALED_CHUNK_MAX);

	(void)state;
	for (size_t i = 0; i < 4 * GN_SEALED_CHUNK_MAX; i++)
		text[i] = (uint8_t)(i * 7 + i / 253);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		void *out = NULL, *back = NULL;
		size_t n = 0, len = 0;

		assert_int_equal(gn_seal_message(s, text, lens[i], &out, &n), 0);
		assert_true(n <= GN_SEALED_MAX(lens[i]));
		assert_int_equal(gn_unseal_message(u, out, n, &back, &len), 0);
		assert_int_equal(len, lens[i]);
		assert_memory_equal(back, text, len);
		free(out);
		free(back);
	}
	free(text);
	gn_sealer_free(s);
	gn_unsealer_free(u);
}

/* GN_SEALED_MAX() is enough for the longest header. */
static void the_largest_header_is_within_its_bound(void **state)
{
	struct gn_peer_id to[GN_SEALED_TO_MAX];
	char text[GN_SEALED_TEXT_MAX + 1];
	struct gn_sealer *s;
	const void *p = NULL;
	size_t n = 0;

	(void)state;
	memset(text, 'x', GN_SEALED_TEXT_MAX);
	text[GN_SEALED_TEXT_MAX] = '\0';
	for (size_t i = 0; i < GN_SEALED_TO_MAX; i++) {
		struct gn_key *key = seal_key((uint8_t)(i + 10));

		gn_key_id(key, &to[i]);
		gn_key_free(key);
	}
	assert_int_equal(gn_sealer_new(&(struct gn_seal_cfg){seal_alice, to, GN_SEALED_TO_MAX, text, text, true}, &s),
			 0);
	assert_int_equal(gn_sealer_put(s, NULL, 0, true, &p, &n), 0);
	assert_in_range(n, 8500, GN_SEALED_MAX(0));
	gn_sealer_free(s);
}

/* Tests a message header without chunks, a chunk that is too long, and that two messages with the same
 * text differ. */
static void wrong_calls_are_rejected(void **state)
{
	struct gn_sealer *s = sealer(false);
	struct gn_unsealer *u = unsealer();
	struct gn_sealed_info info = {.n_to = 99};
	uint8_t *big = calloc(1, GN_SEALED_CHUNK_MAX + 1);
	struct gn_buf in[2], got;
	const void *p = NULL;
	void *whole = NULL;
	size_t n = 0;

	(void)state;
	gn_sealer_info(s, &info);
	assert_int_equal(info.n_to, 99);
	assert_int_equal(gn_sealer_end(s, &p, &n), -EINVAL);
	assert_int_equal(gn_sealer_put(s, big, GN_SEALED_CHUNK_MAX + 1, true, &p, &n), GN_ETOOBIG);
	gn_buf_init(&got, 100);
	for (int i = 0; i < 2; i++) {
		gn_buf_init(&in[i], (size_t)1 << 20);
		assert_int_equal(gn_sealer_put(s, NULL, 0, false, &p, &n), 0);
		assert_true(n > 200);
		assert_int_equal(gn_buf_put(&in[i], p, n), 0);
		assert_int_equal(gn_sealer_put(s, NULL, 0, false, &p, &n), 0);
		assert_int_equal(n, 0);
		assert_int_equal(gn_seal_message(s, "x", 1, &whole, &n), -EINVAL);
		assert_int_equal(gn_sealer_put(s, "abc", 3, false, &p, &n), 0);
		assert_int_equal(n, 87);
		assert_int_equal(gn_buf_put(&in[i], p, n), 0);
		assert_int_equal(gn_sealer_put(s, NULL, 0, true, &p, &n), 0);
		assert_int_equal(n, 84);
		assert_int_equal(gn_buf_put(&in[i], p, n), 0);
		assert_int_equal(seal_unseal(seal_bob, seal_alice, "c", &in[i], &got), 0);
		assert_int_equal(got.len, 3);
		gn_sealer_info(s, &info);
		assert_int_equal(info.n_to, 1);
		assert_string_equal(info.type, "t");
		assert_false(info.in_sequence);
	}
	assert_int_equal(in[0].len, in[1].len);
	/* Bytes 5 to 36 are the salt; the stanzas begin at 72. */
	assert_memory_not_equal(in[0].p + 5, in[1].p + 5, 32);
	assert_memory_not_equal(in[0].p + 74, in[1].p + 74, 32);
	gn_buf_fini(&in[0]);
	gn_buf_fini(&in[1]);
	gn_buf_fini(&got);
	free(big);
	gn_sealer_free(s);
	gn_unsealer_free(u);
}

/* Seals and opens the messages of a sequence, up to its end. */
static void sequence_numbers_follow_each_other(void **state)
{
	struct gn_sealer *s = sealer(true);
	struct gn_unsealer *u = unsealer();
	struct gn_sequence q = {.next = 0};
	struct gn_sealed_info info, sent;
	const void *p = NULL;
	void *out = NULL;
	size_t n = 0, len = 0;

	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		assert_int_equal(gn_sequence_finish(&q), GN_ETRUNC);
		if (i < 3)
			assert_int_equal(gn_sealer_put(s, "frame", 5, true, &p, &n), 0);
		else
			assert_int_equal(gn_sealer_end(s, &p, &n), 0);
		assert_int_equal(gn_unseal_message(u, p, n, &out, &len), 0);
		assert_int_equal(len, i < 3 ? 5 : 0);
		free(out);
		gn_unsealer_info(u, &info);
		gn_sealer_info(s, &sent);
		assert_int_equal(info.number, i);
		assert_int_equal(sent.number, i);
		assert_memory_equal(info.id, sent.id, sizeof(info.id));
		assert_memory_equal(info.sequence, sent.sequence, sizeof(info.sequence));
		assert_int_equal(info.time, sent.time);
		assert_int_equal(info.is_end, i == 3);
		assert_int_equal(gn_sequence_put(&q, &info), 0);
	}
	assert_int_equal(gn_sequence_finish(&q), 0);
	assert_int_equal(gn_sealer_put(s, "frame", 5, true, &p, &n), -EINVAL);
	assert_int_equal(gn_sealer_end(s, &p, &n), -EINVAL);
	gn_sealer_free(s);
	/* gn_sealer_end() fails inside a message. */
	s = sealer(true);
	assert_int_equal(gn_sealer_put(s, "frame", 5, false, &p, &n), 0);
	assert_int_equal(gn_sealer_end(s, &p, &n), -EINVAL);
	gn_sealer_free(s);
	gn_unsealer_free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_are_reproduced),      cmocka_unit_test(a_wrong_configuration_is_rejected),
		cmocka_unit_test(chunks_of_every_length_seal), cmocka_unit_test(the_largest_header_is_within_its_bound),
		cmocka_unit_test(wrong_calls_are_rejected),    cmocka_unit_test(sequence_numbers_follow_each_other),
	};

	return cmocka_run_group_tests(tests, seal_setup, seal_teardown);
}
