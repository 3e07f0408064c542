/* SPDX-License-Identifier: MIT */
/* Listeners that come up later and again: gn_listener.h, node/listener.h, on_state of transport/transport.h. */
#include <errno.h>

#include "loop/socket.h"
#include "node/event.h"
#include "node/listener.h"
#include "support/support.h"

#define ADDR "/ip4/192.0.2.1/tcp/1"
#define OTHER "/ip4/192.0.2.1/tcp/2"

enum { LOG_MAX = 32 };

static struct net w;
static struct gn_listener *l;
static struct logged {
	enum gn_event_type type;
	int err;
	char *addr;
} event_log[LOG_MAX];
static size_t n_logged;
static bool host_has_addr;

/* The Makefile links this program so that the library's calls of gn_ifaddrs_get() come here. */
int __wrap_gn_ifaddrs_get(struct gn_ifaddr **out, size_t *n);

int __wrap_gn_ifaddrs_get(struct gn_ifaddr **out, size_t *n)
{
	struct gn_ifaddr *a = calloc(2, sizeof *a);

	assert_non_null(a);
	a[0].addr = (struct gn_sockaddr){.family = 4, .ip = {192, 0, 2, 2}};
	a[1].addr = (struct gn_sockaddr){.family = 4, .ip = {192, 0, 2, 1}};
	*out = a;
	*n = host_has_addr ? 2 : 1;
	return 0;
}

static void on_event(void *arg, const struct gn_event *event)
{
	(void)arg;
	assert_true(n_logged < LOG_MAX);
	event_log[n_logged] = (struct logged){event->type, event->err, gn_multiaddr_format(event->addr)};
	n_logged++;
}

static void log_clear(void)
{
	while (n_logged > 0)
		free(event_log[--n_logged].addr);
}

static void tune(struct gn_node_cfg *cfg)
{
	fake_transport_tune(cfg);
	cfg->on_event = on_event;
}

static int setup(void **state)
{
	(void)state;
	memset(&w, 0, sizeof w);
	l = NULL;
	fake_transport_err = 0;
	fake_transport_defers = false;
	fake_transport_n_calls = 0;
	host_has_addr = true;
	net_init(&w, 1, tune);
	gn_node_unlisten(w.node[0]);
	net_run(&w, GN_MSEC);
	log_clear();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	net_fini(&w);
	log_clear();
	return 0;
}

static int open_on(const char *text, bool retry)
{
	struct gn_multiaddr *addr = net_addr(text);
	const struct gn_listener_cfg cfg = {.addr = addr, .retry = retry};
	int err = gn_listener_open(w.node[0], &cfg, &l);

	gn_multiaddr_free(addr);
	return err;
}

/* Asserts that these events, and no others, have been delivered. */
static void assert_events(const char *want)
{
	char got[1024] = "";

	net_run(&w, 0);
	net_run(&w, GN_USEC);
	for (size_t i = 0; i < n_logged; i++) {
		size_t at = strlen(got);

		(void)snprintf(got + at, sizeof got - at, "%s %.20s %s;", gn_event_name(event_log[i].type),
			       event_log[i].addr, event_log[i].err != 0 ? gn_errname(event_log[i].err) : "-");
	}
	assert_string_equal(got, want);
	log_clear();
}

#define UP "listener-up " ADDR " -;addr-new " ADDR " -;"
#define DOWN(err) "listener-down " ADDR " " err ";addr-lost " ADDR " -;"

static void assert_up(const char *want)
{
	char *text = gn_listener_addr(l) != NULL ? gn_multiaddr_format(gn_listener_addr(l)) : NULL;

	if (want == NULL)
		assert_null(text);
	else
		assert_string_equal(text, want);
	free(text);
}

/* ---- opening ---- */

static void without_retry_an_address_that_is_not_available_is_an_error(void **state)
{
	(void)state;
	fake_transport_err = -EADDRNOTAVAIL;
	assert_int_equal(open_on(ADDR, false), -EADDRNOTAVAIL);
	net_run(&w, 100 * GN_SEC);
	assert_int_equal(fake_transport_n_calls, 1);
	assert_events("");
}

static void with_retry_errors_that_time_does_not_mend_are_returned(void **state)
{
	static const int errors[] = {-EACCES, -ENOMEM, GN_ENOTRANS, GN_EZONE, -EMFILE, -EAFNOSUPPORT};

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		fake_transport_err = errors[i];
		assert_int_equal(open_on(ADDR, true), errors[i]);
	}
	net_run(&w, 100 * GN_SEC);
	assert_int_equal(fake_transport_n_calls, sizeof errors / sizeof *errors);
	assert_int_equal(open_on("/ip4/192.0.2.1/udp/1", true), GN_ENOTRANS);
	assert_events("");
}

static void an_address_that_comes_later_is_listened_on_then(void **state)
{
	static const int errors[] = {-EADDRNOTAVAIL, -EADDRINUSE, -ENETDOWN, -ENODEV, GN_ENOZONE};

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		char want[128];

		fake_transport_err = errors[i];
		assert_int_equal(open_on(ADDR, true), 0);
		assert_up(NULL);
		(void)snprintf(want, sizeof want, "listener-down " ADDR " %s;", gn_errname(errors[i]));
		assert_events(want);
		net_run(&w, 5 * GN_SEC);
		assert_events(""); /* failed attempts change nothing */
		fake_transport_err = 0;
		net_run(&w, 5 * GN_SEC);
		assert_up(ADDR);
		assert_events(UP);
		gn_listener_close(l);
		assert_events(DOWN("GN_ECLOSED"));
	}
}

static void the_waits_double_from_one_second_to_sixty(void **state)
{
	static const gn_time waits[] = {1, 2, 4, 8, 16, 32, 60, 60};
	unsigned n = 1;

	(void)state;
	fake_transport_err = -EADDRNOTAVAIL;
	assert_int_equal(open_on(ADDR, true), 0);
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		net_run(&w, waits[i] * GN_SEC - GN_MSEC);
		assert_int_equal(fake_transport_n_calls, n);
		net_run(&w, GN_MSEC + GN_USEC);
		assert_int_equal(fake_transport_n_calls, ++n);
	}
	/* The listener that was up waits for one second again. */
	fake_transport_err = 0;
	net_run(&w, 60 * GN_SEC);
	assert_up(ADDR);
	fake_transport_state(-EINVAL, NULL);
	n = fake_transport_n_calls;
	net_run(&w, GN_SEC - GN_MSEC);
	assert_int_equal(fake_transport_n_calls, n);
	net_run(&w, GN_MSEC + GN_USEC);
	assert_int_equal(fake_transport_n_calls, n + 1);
	assert_up(ADDR);
}

static void a_listener_that_waits_may_be_closed(void **state)
{
	(void)state;
	fake_transport_err = -EADDRNOTAVAIL;
	assert_int_equal(open_on(ADDR, true), 0);
	assert_events("listener-down " ADDR " EADDRNOTAVAIL;");
	gn_listener_close(l);
	net_run(&w, 100 * GN_SEC);
	assert_int_equal(fake_transport_n_calls, 1);
	assert_events("");
	assert_int_equal(open_on(ADDR, true), 0);
	gn_node_unlisten(w.node[0]);
	net_run(&w, 100 * GN_SEC);
	assert_int_equal(fake_transport_n_calls, 2);
	assert_int_equal(open_on(ADDR, true), 0); /* and is freed with its node */
}

/* ---- failing ---- */

static void a_listener_that_fails_comes_up_again(void **state)
{
	unsigned closed = fake_transport_n_closed;

	(void)state;
	assert_int_equal(open_on(ADDR, true), 0);
	assert_events(UP);
	fake_transport_state(-EINVAL, NULL);
	assert_up(NULL);
	assert_int_equal(fake_transport_n_closed, closed + 1);
	assert_events(DOWN("EINVAL"));
	fake_transport_err = -EMFILE; /* any error is tried again once it was up */
	net_run(&w, 2 * GN_SEC);
	fake_transport_err = 0;
	net_run(&w, 3 * GN_SEC);
	assert_up(ADDR);
	assert_events(UP);
}

static void without_retry_a_listener_that_fails_stays_down(void **state)
{
	(void)state;
	assert_int_equal(open_on(ADDR, false), 0);
	assert_events(UP);
	fake_transport_state(-EBADF, NULL);
	assert_up(NULL);
	assert_events(DOWN("EBADF"));
	gn_listeners_check(w.node[0]);
	net_run(&w, 100 * GN_SEC);
	assert_int_equal(fake_transport_n_calls, 1);
	gn_listener_close(l);
	assert_events("");
}

/* ---- transports that need somebody else ---- */

static void a_listener_comes_up_when_its_transport_says_so(void **state)
{
	struct gn_multiaddr *addr = net_addr(ADDR), *bound = addr;

	(void)state;
	fake_transport_defers = true;
	assert_int_equal(open_on(ADDR, false), 0);
	assert_up(NULL);
	net_run(&w, 100 * GN_SEC);
	assert_events("");
	fake_transport_state(0, OTHER);
	assert_up(OTHER);
	assert_events("listener-up " OTHER " -;addr-new " OTHER " -;");
	gn_listener_close(l);
	assert_events("listener-down " OTHER " GN_ECLOSED;addr-lost " OTHER " -;");
	assert_int_equal(gn_node_listen(w.node[0], addr, &bound), 0);
	assert_null(bound);
	gn_node_unlisten(w.node[0]);
	assert_events(""); /* it never was up */
	gn_multiaddr_free(addr);
}

static void a_listener_that_never_comes_up_is_reported_once(void **state)
{
	(void)state;
	fake_transport_defers = true;
	assert_int_equal(open_on(ADDR, true), 0);
	fake_transport_state(GN_EREFUSED, NULL);
	assert_events("listener-down " ADDR " GN_EREFUSED;");
	net_run(&w, GN_SEC);
	assert_int_equal(fake_transport_n_calls, 2);
	fake_transport_state(GN_EREFUSED, NULL);
	assert_events("");
	net_run(&w, 2 * GN_SEC);
	fake_transport_state(0, ADDR);
	assert_events(UP);
	fake_transport_state(GN_EGONE, NULL);
	assert_events(DOWN("GN_EGONE"));
}

/* ---- changes of the interfaces ---- */

static void a_change_of_interfaces_makes_a_listener_try_at_once(void **state)
{
	(void)state;
	fake_transport_err = -EADDRNOTAVAIL;
	assert_int_equal(open_on(ADDR, true), 0);
	net_run(&w, 100 * GN_SEC);
	log_clear();
	fake_transport_n_calls = 0;
	gn_listeners_check(w.node[0]);
	net_run(&w, GN_MSEC);
	assert_int_equal(fake_transport_n_calls, 1);
	net_run(&w, GN_SEC); /* the waits begin anew */
	assert_int_equal(fake_transport_n_calls, 2);
	fake_transport_err = 0;
	gn_listeners_check(w.node[0]);
	assert_events(UP);
}

static void an_address_that_leaves_the_host_is_down_until_it_is_back(void **state)
{
	unsigned closed = fake_transport_n_closed;

	(void)state;
	assert_int_equal(open_on(ADDR, true), 0);
	assert_events(UP);
	gn_listeners_check(w.node[0]);
	assert_events("");
	host_has_addr = false;
	gn_listeners_check(w.node[0]);
	gn_listeners_check(w.node[0]);
	assert_up(NULL);
	assert_events(DOWN("EADDRNOTAVAIL"));
	host_has_addr = true;
	gn_listeners_check(w.node[0]);
	assert_up(ADDR);
	assert_events(UP);
	assert_int_equal(fake_transport_n_calls, 1); /* the socket stays open */
	assert_int_equal(fake_transport_n_closed, closed);
	host_has_addr = false;
	gn_listeners_check(w.node[0]);
	assert_events(DOWN("EADDRNOTAVAIL"));
	fake_transport_state(-EINVAL, NULL); /* fails meanwhile, and comes up again from its timer */
	assert_events("");
	net_run(&w, GN_SEC);
	assert_events(UP);
	gn_listeners_check(w.node[0]); /* an address that was none of the host's from the beginning has not left it */
	assert_events("");
}

static void without_retry_and_of_wildcards_no_address_leaves(void **state)
{
	(void)state;
	assert_int_equal(open_on(ADDR, false), 0);
	assert_int_equal(open_on("/ip4/0.0.0.0/tcp/2", true), 0);
	assert_int_equal(open_on("/ip4/127.0.0.2/tcp/2", true), 0);
	net_run(&w, GN_MSEC);
	log_clear();
	host_has_addr = false;
	gn_listeners_check(w.node[0]);
	net_run(&w, GN_MSEC);
	for (size_t i = 0; i < n_logged; i++)
		assert_int_not_equal(event_log[i].type, GN_EVENT_LISTENER_DOWN);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(without_retry_an_address_that_is_not_available_is_an_error),
		T(with_retry_errors_that_time_does_not_mend_are_returned),
		T(an_address_that_comes_later_is_listened_on_then),
		T(the_waits_double_from_one_second_to_sixty),
		T(a_listener_that_waits_may_be_closed),
		T(a_listener_that_fails_comes_up_again),
		T(without_retry_a_listener_that_fails_stays_down),
		T(a_listener_comes_up_when_its_transport_says_so),
		T(a_listener_that_never_comes_up_is_reported_once),
		T(a_change_of_interfaces_makes_a_listener_try_at_once),
		T(an_address_that_leaves_the_host_is_down_until_it_is_back),
		T(without_retry_and_of_wildcards_no_address_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
