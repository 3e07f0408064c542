/* SPDX-License-Identifier: MIT */
/* JSON lines: escapes, and texts that a peer chose. */
#include "common/json.h"

#include <unistd.h>

#include "common/peertext.h"
#include "support/support.h"

static struct json j;
static char line[65536];

static const char *sent(void)
{
	int fd[2];
	ssize_t n;

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(json_send(&j, fd[1]), 0);
	n = read(fd[0], line, sizeof line - 1);
	assert_true(n > 0);
	line[n] = '\0';
	close(fd[0]);
	close(fd[1]);
	return line;
}

static const char *of(const char *text)
{
	json_open(&j);
	json_string(&j, "t", text);
	return sent();
}

static void safe_text_is_unchanged(void **state)
{
	(void)state;
	assert_string_equal(of("Grüße 日本語 🦀"), "{\"t\":\"Grüße 日本語 🦀\"}\n");
	assert_string_equal(of("\"\\"), "{\"t\":\"\\\"\\\\\"}\n");
	assert_string_equal(of(NULL), "{\"t\":null}\n");
}

static void unsafe_characters_are_replaced(void **state)
{
	(void)state;
	assert_string_equal(of("a\x1b[m\n"), "{\"t\":\"a\\ufffd[m\\ufffd\"}\n");
	assert_string_equal(of("\xc2\x9b\u202e\x9b\xe2\x80"), "{\"t\":\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"}\n");
}

static void a_long_text_of_a_peer_is_cut(void **state)
{
	char text[3 * PEERTEXT_MAX], shown[PEERTEXT_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof text);
	text[PEERTEXT_MAX] = '\0';
	assert_string_equal(peertext(text, shown), text);
	text[PEERTEXT_MAX] = 'x';
	text[sizeof text - 1] = '\0';
	assert_int_equal(strlen(peertext(text, shown)), PEERTEXT_MAX);
	assert_string_equal(shown + PEERTEXT_MAX - 4, "x...");
	/* A text is not cut within a character. */
	for (size_t i = 0; i + 1 < sizeof text - 1; i += 2)
		memcpy(text + i, "é", 2);
	text[sizeof text - 2] = '\0';
	assert_string_equal(shown + strlen(peertext(text, shown)) - 5, "é...");
	json_open(&j);
	peertext_json(&j, "t", text);
	assert_int_equal(strlen(sent()), strlen("{\"t\":\"\"}\n") + PEERTEXT_MAX - 1);
	assert_string_equal(peertext(NULL, shown), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(safe_text_is_unchanged),
		cmocka_unit_test(unsafe_characters_are_replaced),
		cmocka_unit_test(a_long_text_of_a_peer_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
