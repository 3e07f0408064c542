/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "support/support.h"

static struct {
	unsigned count;
	enum gn_log_level level;
	const struct gn_multiaddr *remote;
	char line[GN_LOG_LINE_MAX];
} seen;

static void on_line(void *arg, enum gn_log_level level, const struct gn_multiaddr *remote, const char *line)
{
	assert_ptr_equal(arg, &seen);
	seen.count++;
	seen.level = level;
	seen.remote = remote;
	memcpy(seen.line, line, strlen(line) + 1);
}

static void only_lines_of_the_level_are_written(void **state)
{
	(void)state;
	gn_log(GN_LOG_ERROR, "nobody listens");
	gn_log_on_line(GN_LOG_NOTICE, on_line, &seen);
	gn_log(GN_LOG_INFO, "too fine");
	assert_int_equal(seen.count, 0);
	assert_false(gn_log_is_on(GN_LOG_DEBUG));
	gn_log(GN_LOG_NOTICE, "%s %d", "number", 7);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.level, GN_LOG_NOTICE);
	assert_string_equal(seen.line, "number 7");
	assert_null(seen.remote);
	gn_log_on_line(GN_LOG_DEBUG, NULL, NULL);
	gn_log(GN_LOG_ERROR, "nobody again");
	assert_int_equal(seen.count, 1);
}

static void a_line_about_a_peer_carries_its_address(void **state)
{
	struct gn_multiaddr *addr;

	(void)state;
	assert_int_equal(gn_multiaddr_parse("/ip4/192.0.2.7/tcp/1", &addr, NULL), 0);
	gn_log_on_line(GN_LOG_NOTICE, on_line, &seen);
	gn_log_about(GN_LOG_NOTICE, addr, "%s", "knocked");
	assert_ptr_equal(seen.remote, addr);
	assert_string_equal(seen.line, "knocked");
	gn_log_on_line(GN_LOG_DEBUG, NULL, NULL);
	gn_multiaddr_free(addr);
}

static void control_characters_are_replaced(void **state)
{
	char *huge = malloc(5000);

	(void)state;
	assert_non_null(huge);
	memset(huge, 'x', 4999);
	huge[4999] = '\0';
	gn_log_on_line(GN_LOG_DEBUG, on_line, &seen);
	gn_log(GN_LOG_DEBUG, "%s", huge);
	assert_int_equal(strlen(seen.line), GN_LOG_LINE_MAX - 1);
	gn_log(GN_LOG_DEBUG, "%s", "\x1b[31mred\nnext");
	assert_string_equal(seen.line, "?[31mred?next");
	gn_log(GN_LOG_DEBUG, "%s",
	       "\xc2\x9b"
	       "31mred\u202e\x9b");
	assert_string_equal(seen.line, "?31mred??");
	gn_log_on_line(GN_LOG_DEBUG, NULL, NULL);
	free(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_lines_of_the_level_are_written),
		cmocka_unit_test(a_line_about_a_peer_carries_its_address),
		cmocka_unit_test(control_characters_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
