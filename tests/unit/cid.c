/* SPDX-License-Identifier: MIT */
#include "addr/cid.h"

#include "support/support.h"

static void both_versions_parse_and_format(void **state)
{
	static const char v0[] = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n";
	static const char v1[] = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
	static const char v1_of_v0[] = "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
	uint8_t bytes[GN_CID_MAX];
	char text[GN_CID_TEXT_MAX];
	struct gn_cid cid, back;
	size_t n;

	(void)state;
	assert_int_equal(gn_cid_parse(v0, &cid), 0);
	assert_true(cid.version == 0 && cid.codec == GN_CID_DAG_PB && cid.len == 34);
	assert_string_equal(gn_cid_format(&cid, 'b', text), v0);
	n = gn_cid_encode(&cid, bytes);
	assert_int_equal(n, 34);
	assert_int_equal(gn_cid_decode(bytes, n, &back), 0);
	assert_int_equal(back.version, 0);
	cid.version = 1;
	assert_string_equal(gn_cid_format(&cid, 'b', text), v1_of_v0);

	assert_int_equal(gn_cid_parse(v1, &cid), 0);
	assert_true(cid.version == 1 && cid.codec == GN_CID_DAG_PB && cid.len == 34);
	for (const char *base = "bkzfu"; *base; base++) {
		assert_non_null(gn_cid_format(&cid, *base, text));
		assert_int_equal(text[0], *base);
		assert_int_equal(gn_cid_parse(text, &back), 0);
		assert_int_equal(back.len, cid.len);
		assert_memory_equal(back.multihash, cid.multihash, cid.len);
	}
	assert_null(gn_cid_format(&cid, 'x', text));
}

static void malformed_cids_are_rejected(void **state)
{
	static const char *const texts[] = {
		"",
		"Q",
		"Qm",
		"b",
		"bafy",
		"?afy",
		"zQmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n", /* version 0 has no prefix */
		"QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1",
		"f02701220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"f01701220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8",
	};
	char huge[2 * GN_CID_TEXT_MAX];
	struct gn_cid cid;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(gn_cid_parse(texts[i], &cid), GN_EFORMAT);
	memset(huge, 'z', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(gn_cid_parse(huge, &cid), GN_EFORMAT);
	assert_int_equal(gn_cid_decode(NULL, 0, &cid), GN_EFORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_versions_parse_and_format),
		cmocka_unit_test(malformed_cids_are_rejected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
