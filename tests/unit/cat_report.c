/* SPDX-License-Identifier: MIT */
/* The exit code and the text for each way in which a stream of gn-cat ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gn-cat/report.c"

static void each_result_has_its_exit_code(void **state)
{
	static const struct {
		struct stream_result v;
		int code;
	} rows[] = {
		{{.outcome = STREAM_CLEAN}, 0},
		{{.outcome = STREAM_OUTPUT, .err = -ENOSPC}, 1},
		{{.outcome = STREAM_OUTPUT, .err = -EPIPE}, 1},
		{{.outcome = STREAM_INPUT, .err = -EIO}, 1},
		{{.outcome = STREAM_IDLE, .err = GN_ETIMEOUT}, 5},
		{{.outcome = STREAM_SHORT}, 8},
		{{.outcome = STREAM_FAILED, .err = CAT_FAIL_SPACE}, 8},
		{{.outcome = STREAM_FAILED, .err = 200}, 8},
		/* before the peer has accepted, the error is that of the dial */
		{{.outcome = STREAM_PEER, .err = GN_ENOPROTO}, 7},
		{{.outcome = STREAM_PEER, .err = GN_EREFUSED}, 4},
		{{.outcome = STREAM_PEER, .err = GN_ETIMEOUT}, 5},
		{{.outcome = STREAM_PEER, .err = GN_ELIMIT}, 6},
		{{.outcome = STREAM_PEER, .err = GN_EGONE}, 8},
		/* after that, the data is incomplete, whatever the error */
		{{.outcome = STREAM_PEER, .opened = true, .err = GN_ERESET}, 8},
		{{.outcome = STREAM_PEER, .opened = true, .err = GN_ETIMEOUT}, 8},
		{{.outcome = STREAM_PEER, .opened = true, .err = -ETIMEDOUT}, 8},
		{{.outcome = STREAM_PEER, .opened = true, .err = -EHOSTUNREACH}, 8},
		{{.outcome = STREAM_PEER, .opened = true, .err = GN_EPROTO}, 9},
		{{.outcome = STREAM_PEER, .opened = true, .err = GN_EAUTH}, 9},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (report_code(&rows[i].v) != rows[i].code)
			fail_msg("row %zu: %d", i, report_code(&rows[i].v));
}

static void explained(struct stream_result v, size_t token, const char *part)
{
	char text[320];

	report_explain(&v, token, text, sizeof text);
	if (strstr(text, part) == NULL)
		fail_msg("'%s' is not in '%s'", part, text);
}

static void control_characters_are_replaced(void **state)
{
	char text[320];

	(void)state;
	explained((struct stream_result){.outcome = STREAM_OUTPUT, .err = -ENOSPC}, 0,
		  "standard output: No space left");
	explained((struct stream_result){.outcome = STREAM_INPUT, .err = -EIO}, 0, "standard input");
	explained((struct stream_result){.outcome = STREAM_FAILED, .err = CAT_FAIL_SPACE}, 0, "no space left");
	explained((struct stream_result){.outcome = STREAM_PEER, .err = GN_ENOPROTO}, 26, "token is wrong");
	explained((struct stream_result){.outcome = STREAM_PEER, .err = GN_ENOPROTO}, 0, "wants a token");
	explained((struct stream_result){.outcome = STREAM_PEER, .err = GN_ENOPROTO}, 20,
		  "it has 20 characters, is it whole");
	explained((struct stream_result){.outcome = STREAM_PEER, .opened = true, .err = GN_ERESET}, 0,
		  "data may be short");
	explained((struct stream_result){.outcome = STREAM_SHORT}, 0, "data may be short");
	explained((struct stream_result){.outcome = STREAM_PEER,
					 .opened = true,
					 .err = GN_ERESET,
					 .raw = true,
					 .peer_ended = true,
					 .out = 10,
					 .pending = 3},
		  0, "it has confirmed 7 of 10 bytes");
	explained((struct stream_result){.outcome = STREAM_PEER,
					 .opened = true,
					 .err = GN_ERESET,
					 .raw = true,
					 .out = 10,
					 .pending = 10},
		  0, "data may be short: the stream or connection was reset; the peer has confirmed 0 of 10 bytes");
	/* every code of FAIL has a text of its own */
	for (int i = CAT_FAIL_WRITE; i <= CAT_FAIL_UNWANTED; i++)
		assert_string_not_equal(fail_text(i), fail_text(i + 1));
	/* other outcomes have no text */
	report_explain(&(struct stream_result){.outcome = STREAM_OUTPUT, .err = -EPIPE}, 0, text, sizeof text);
	assert_string_equal(text, "");
	report_explain(&(struct stream_result){.outcome = STREAM_CLEAN}, 0, text, sizeof text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_result_has_its_exit_code),
		cmocka_unit_test(control_characters_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
