/* SPDX-License-Identifier: MIT */
#include "id/peer_id.h"

#include "support/support.h"

static void assert_id(const char *text, const uint8_t *hash, size_t n)
{
	struct gn_peer_id id, same;

	memset(&id, 0xee, sizeof(id));
	assert_int_equal(gn_peer_id_parse(text, &id), 0);
	assert_int_equal(id.len, n);
	assert_memory_equal(id.bytes, hash, n);
	/* Unused bytes are zero. */
	assert_int_equal(gn_peer_id_decode(hash, n, &same), 0);
	assert_memory_equal(&id, &same, sizeof(id));
	assert_true(gn_peer_id_is_equal(&id, &same));
}

static void on_key(char **field)
{
	size_t n, n_pb;
	uint8_t *hash = unhex(field[3], &n), *pb = unhex(field[2], &n_pb), cid[GN_PEER_ID_MAX + 2] = {0x01, 0x72};
	char text[GN_PEER_ID_TEXT_MAX];
	struct gn_pubkey pub, in;
	struct gn_peer_id id;

	assert_int_equal(gn_pubkey_decode(pb, n_pb, &pub), 0);
	gn_peer_id_from_public(&pub, &id);
	assert_int_equal(id.len, n);
	assert_memory_equal(id.bytes, hash, n);
	assert_string_equal(gn_peer_id_format(&id, text), field[4]);
	for (int i = 4; i <= 6; i++)
		assert_id(field[i], hash, n);
	/* Parse the other multibases. */
	memcpy(cid + 2, hash, n);
	text[0] = 'f';
	gn_hex_encode(cid, n + 2, text + 1);
	assert_id(text, hash, n);
	text[0] = 'u';
	gn_base64url_encode(cid, n + 2, text + 1);
	assert_id(text, hash, n);
	text[0] = 'z';
	gn_base58_encode(cid, n + 2, text + 1);
	assert_id(text, hash, n);
	/* Only an id that contains its key returns it. */
	if (n_pb <= GN_PEER_ID_INLINE_MAX) {
		assert_int_equal(gn_peer_id_public(&id, &in), 0);
		assert_int_equal(in.pb_len, n_pb);
		assert_memory_equal(in.pb, pb, n_pb);
	} else {
		assert_int_equal(gn_peer_id_public(&id, &in), GN_ENONAME);
	}
	free(hash);
	free(pb);
}

static void on_valid(char **field)
{
	size_t n;
	uint8_t *hash = unhex(field[1], &n);

	assert_id(field[0], hash, n);
	free(hash);
}

static void on_invalid(char **field)
{
	struct gn_peer_id id, before;

	memset(&id, 0xee, sizeof(id));
	before = id;
	assert_int_equal(gn_peer_id_parse(field[0], &id), GN_EFORMAT);
	assert_memory_equal(&id, &before, sizeof(id));
}

static void vectors_parse_and_format(void **state)
{
	(void)state;
	assert_int_equal(vectors_each("keys.tsv", on_key), 4);
	vectors_each("peer-id-valid.tsv", on_valid);
	vectors_each("peer-id-invalid.txt", on_invalid);
}

static void malformed_ids_are_rejected(void **state)
{
	static const char *const bytes[] = {
		"",
		"00",
		"0000",
		"000568656c6c6f", /* identity of something else than a key */
		"0024080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce2",   /* one byte too short */
		"0024080212201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e", /* 32 of secp256k1 */
		"0024080912201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e", /* type 9 */
		"1320b6c8a8c0a3105fc27afca4fb1173791f038e4343fd56b7c67b616dbc30a04ccd",         /* another hash */
		"1220b6c8a8c0a3105fc27afca4fb1173791f038e4343fd56b7c67b616dbc30a04ccd00",
	};
	struct gn_peer_id id;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		size_t n;
		uint8_t *p = unhex(bytes[i], &n);

		assert_int_equal(gn_peer_id_decode(p, n, &id), GN_EFORMAT);
		free(p);
	}
	/* A long text is rejected at once. */
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(gn_peer_id_parse(text, &id), GN_EFORMAT);
	text[0] = 'k';
	assert_int_equal(gn_peer_id_parse(text, &id), GN_EFORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_parse_and_format),
		cmocka_unit_test(malformed_ids_are_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
