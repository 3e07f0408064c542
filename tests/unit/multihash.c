/* SPDX-License-Identifier: MIT */
#include "id/multihash.h"

#include "support/support.h"

static void on_valid(char **field)
{
	uint64_t code = strtoull(field[0], NULL, 10);
	size_t n, n_hash;
	uint8_t *in = unhex(field[1], &n), *hash = unhex(field[2], &n_hash), out[GN_MULTIHASH_MAX];
	struct gn_multihash h;

	assert_int_equal(gn_multihash_encode(code, in, n, out), n_hash);
	assert_memory_equal(out, hash, n_hash);
	assert_int_equal(gn_multihash_decode(hash, n_hash, &h), 0);
	assert_true(h.code == code);
	assert_ptr_equal(h.digest, hash + n_hash - h.len);
	for (size_t k = 0; k < n_hash; k++)
		assert_true(gn_multihash_decode(hash, k, &h) < 0);
	free(in);
	free(hash);
}

static void on_invalid(char **field)
{
	struct gn_multihash h;
	size_t n;
	uint8_t *p = unhex(field[0], &n);

	assert_true(gn_multihash_decode(p, n, &h) < 0);
	free(p);
}

static void vectors_decode(void **state)
{
	(void)state;
	vectors_each("multihash-valid.tsv", on_valid);
	vectors_each("multihash-invalid.tsv", on_invalid);
}

static void lengths_are_bounded(void **state)
{
	uint8_t p[3 + GN_MULTIHASH_DIGEST_MAX + 1] = {0}, out[GN_MULTIHASH_MAX];
	struct gn_multihash h;

	(void)state;
	p[1] = 0x80; /* identity, 128 bytes */
	p[2] = 0x01;
	assert_int_equal(gn_multihash_decode(p, 3 + 128, &h), 0);
	p[1] = 0x81;
	assert_int_equal(gn_multihash_decode(p, 3 + 129, &h), GN_ETOOBIG);
	assert_int_equal(gn_multihash_encode(GN_MULTIHASH_IDENTITY, p, 128, out), 131);
	assert_int_equal(gn_multihash_encode(GN_MULTIHASH_IDENTITY, p, 129, out), GN_ETOOBIG);
	assert_int_equal(gn_multihash_encode(0x11, p, 1, out), GN_EFORMAT);
	/* A sha2-256 digest must have 32 bytes. */
	p[0] = 0x12, p[1] = 31;
	assert_int_equal(gn_multihash_decode(p, 33, &h), GN_EFORMAT);
	p[0] = 0x13, p[1] = 32;
	assert_int_equal(gn_multihash_decode(p, 34, &h), GN_EFORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_decode),
		cmocka_unit_test(lengths_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
