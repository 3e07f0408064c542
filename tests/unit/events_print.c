/* SPDX-License-Identifier: MIT */
/* The events of a node as JSON lines: cmd/common/events.h. */
#include "common/events.h"

#include <errno.h>
#include <unistd.h>

#include "common/errout.h"
#include "support/support.h"

static char line[4096];
static int from_stderr;

/* Makes a pipe the standard error of errout.h, which keeps the descriptor of its first use, and of nothing else. */
static int setup(void **state)
{
	int fd[2], saved = dup(STDERR_FILENO);

	(void)state;
	assert_true(saved >= 0);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(dup2(fd[1], STDERR_FILENO), STDERR_FILENO);
	assert_true(errout_line(ERROUT_TEXT, "\n", 1));
	assert_int_equal(read(fd[0], line, sizeof line), 1);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	from_stderr = fd[0];
	return 0;
}

/* What events_print() writes. */
static const char *printed(const struct gn_event *event)
{
	ssize_t n;

	events_print(NULL, event);
	n = read(from_stderr, line, sizeof line - 1);
	assert_true(n > 0);
	line[n] = '\0';
	return line;
}

static void a_listener_that_is_down_has_its_error(void **state)
{
	struct gn_multiaddr *addr = net_addr("/ip4/192.0.2.1/tcp/1");
	struct gn_event event = {.type = GN_EVENT_LISTENER_UP, .addr = addr};

	(void)state;
	assert_string_equal(printed(&event), "{\"event\":\"listener-up\",\"addr\":\"/ip4/192.0.2.1/tcp/1\"}\n");
	event.type = GN_EVENT_LISTENER_DOWN;
	event.err = GN_EZONE;
	assert_non_null(strstr(printed(&event), "\"error\":\"GN_EZONE\",\"text\":\""));
	gn_multiaddr_free(addr);
}

static void the_reach_of_an_address_is_named(void **state)
{
	struct gn_multiaddr *addr = net_addr("/ip4/192.0.2.1/tcp/1");
	struct gn_event event = {.type = GN_EVENT_REACH, .addr = addr, .reach = GN_REACH_PRIVATE};

	(void)state;
	assert_string_equal(printed(&event),
			    "{\"event\":\"reach\",\"addr\":\"/ip4/192.0.2.1/tcp/1\",\"reach\":\"private\"}\n");
	gn_multiaddr_free(addr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_that_is_down_has_its_error),
		cmocka_unit_test(the_reach_of_an_address_is_named),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
