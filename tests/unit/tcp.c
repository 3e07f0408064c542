/* SPDX-License-Identifier: MIT */
/* Properties that only the tcp transport has: the forms of its addresses, the options of its sockets, and
 * its behaviour when the process has no more descriptors. tests/conform/transport.c tests the properties
 * of all transports. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "loop/socket.h"
#include "transport/tcp_link.h"

static const struct gn_transport_ops *const tcp = &gn_transport_tcp;

static struct gn_multiaddr *parse(const char *text)
{
	struct gn_multiaddr *a;

	assert_int_equal(gn_multiaddr_parse(text, &a, NULL), 0);
	return a;
}

static void only_addresses_of_tcp_are_served(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} t[] = {
		{"/ip4/192.0.2.1/tcp/1", true},
		{"/ip6/2001:db8::1/tcp/65535", true},
		{"/ip6zone/lo/ip6/fe80::1/tcp/1", true},
		{"/ip4/192.0.2.1/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA", true},
		{"/ip4/192.0.2.1", false},
		{"/ip4/192.0.2.1/udp/1", false},
		{"/ip4/192.0.2.1/tcp/1/ws", false},
		{"/ip4/192.0.2.1/tcp/1/tls", false},
		{"/dns4/example.org/tcp/1", false},
		{"/tcp/1", false},
		{"/memory/1", false},
	};
	struct gn_multiaddr *a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		a = parse(t[i].text);
		if (tcp->is_for(a) != t[i].is)
			fail_msg("%s", t[i].text);
		gn_multiaddr_free(a);
	}
}

static void addresses_convert_both_ways(void **state)
{
	static const char *const texts[] = {"/ip4/192.0.2.1/tcp/80", "/ip6/2001:db8::1/tcp/443",
					    "/ip6zone/lo/ip6/fe80::1/tcp/7"};
	struct gn_multiaddr *a, *b;
	struct gn_sockaddr sa;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		a = parse(texts[i]);
		assert_int_equal(gn_tcp_addr_decode(a, &sa), 0);
		assert_int_equal(sa.family, i ? 6 : 4);
		assert_int_equal(sa.scope != 0, i == 2);
		assert_int_equal(gn_tcp_addr_encode(&sa, &b), 0);
		assert_true(gn_multiaddr_is_equal(a, b));
		gn_multiaddr_free(a);
		gn_multiaddr_free(b);
	}
	a = parse("/ip6zone/nosuchthing/ip6/fe80::1/tcp/7");
	assert_int_equal(gn_tcp_addr_decode(a, &sa), GN_ENOZONE);
	gn_multiaddr_free(a);
	a = parse("/ip6zone/4000000/ip6/fe80::1/tcp/7");
	assert_int_equal(gn_tcp_addr_decode(a, &sa), GN_ENOZONE);
	gn_multiaddr_free(a);
	a = parse("/ip6/fe80::1/tcp/7");
	assert_int_equal(gn_tcp_addr_decode(a, &sa), GN_EZONE);
	gn_multiaddr_free(a);
	a = parse("/ip6zone/1/ip6/fe80::1/tcp/7"); /* the zone as a number */
	assert_int_equal(gn_tcp_addr_decode(a, &sa), 0);
	assert_int_equal(sa.scope, 1);
	gn_multiaddr_free(a);
}

static void the_loopback_is_among_the_addresses_of_the_host(void **state)
{
	struct gn_ifaddr *list;
	bool has_loopback = false;
	size_t n, i;

	(void)state;
	assert_int_equal(gn_ifaddrs_get(&list, &n), 0);
	for (i = 0; i < n; i++) {
		assert_true(list[i].addr.family == 4 || list[i].addr.family == 6);
		assert_int_equal(list[i].addr.port, 0);
		assert_true(list[i].name[0] != '\0');
		assert_false(gn_sockaddr_is_wildcard(&list[i].addr));
		assert_in_range(list[i].prefix, 0, list[i].addr.family == 4 ? 32 : 128);
		has_loopback |= list[i].is_loopback && list[i].addr.family == 4 && list[i].addr.ip[0] == 127 &&
				list[i].prefix == 8;
	}
	assert_true(has_loopback);
	free(list);
}

static int option(int fd, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof v;

	assert_int_equal(getsockopt(fd, level, name, &v, &len), 0);
	return v;
}

/* An accepted socket inherits the options of its listener. */
static void accepted_sockets_inherit_options(void **state)
{
	struct gn_sockaddr at = {.family = 4, .ip = {127, 0, 0, 1}}, remote, local;
	int l, a, b;

	(void)state;
	assert_int_equal(gn_socket_listen(&at, 16, &l), 0);
	gn_socket_tune(l, 12345);
	assert_int_equal(gn_socket_local(l, &at), 0);
	assert_int_not_equal(at.port, 0);
	assert_int_equal(gn_socket_accept(l, &b, &remote), GN_EAGAIN);
	assert_int_equal(gn_socket_dial(&at, &a), 0);
	assert_int_equal(gn_socket_error(a), 0);
	assert_int_equal(gn_socket_accept(l, &b, &remote), 0);
	assert_int_equal(gn_socket_local(a, &local), 0);
	assert_true(gn_sockaddr_is_equal(&remote, &local));
	assert_int_equal(gn_socket_remote(a, &remote), 0);
	assert_true(gn_sockaddr_is_equal(&remote, &at));
	assert_int_not_equal(option(b, IPPROTO_TCP, TCP_NODELAY), 0);
	assert_int_equal(option(b, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 12345);
	assert_true(fcntl(a, F_GETFD) & FD_CLOEXEC && fcntl(b, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(a, F_GETFL) & O_NONBLOCK && fcntl(b, F_GETFL) & O_NONBLOCK);
	gn_socket_close(a);
	gn_socket_reset(b);
	gn_socket_close(l);
}

/* ---- no more descriptors ------------------------------------------------------ */

struct fix {
	struct gn_loop *loop;
	struct gn_link *in, *out;
	int lines, dials;
};

static void on_link(void *arg, struct gn_link *link)
{
	struct fix *f = arg;

	if (f->in != NULL)
		link->ops->abort(link);
	else
		f->in = link;
}

static void on_done(void *arg, int err, struct gn_link *link)
{
	struct fix *f = arg;

	assert_int_equal(err, 0);
	if (f->out != NULL)
		f->out->ops->abort(f->out);
	f->out = link;
	f->dials++;
}

static void on_line(void *arg, enum gn_log_level level, const struct gn_multiaddr *remote, const char *line)
{
	struct fix *f = arg;

	assert_int_equal(level, GN_LOG_NOTICE);
	assert_null(remote);
	assert_non_null(strstr(line, "accept"));
	f->lines++;
}

static void set_limit(rlim_t to)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = to;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
}

/* Allows the process one more descriptor, which the dialer takes. */
static rlim_t limit_descriptors(void)
{
	struct rlimit r;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	set_limit((rlim_t)fd + 1);
	return r.rlim_cur;
}

static void on_late(void *arg)
{
	(void)arg;
	fail_msg("it takes too long");
}

static void accepting_resumes_when_descriptors_are_free(void **state)
{
	struct fix f = {.lines = 0};
	struct gn_link_listen_cfg lcfg = {.on_link = on_link, .arg = &f};
	struct gn_link_dial_cfg dcfg = {.on_done = on_done, .arg = &f};
	struct gn_multiaddr *any = parse("/ip4/127.0.0.1/tcp/0"), *bound;
	struct gn_link_listener *l;
	struct gn_link_dial *op;
	struct gn_timer guard;
	gn_time rests;
	rlim_t was;
	int turns;

	(void)state;
	assert_int_equal(gn_loop_new(&f.loop), 0);
	lcfg.loop = dcfg.loop = f.loop;
	lcfg.addr = any;
	assert_int_equal(tcp->listen(NULL, &lcfg, &l, &bound), 0);
	dcfg.addr = bound;
	gn_log_on_line(GN_LOG_DEBUG, on_line, &f);
	gn_timer_init(&guard, f.loop, on_late, NULL);
	gn_timer_start(&guard, 20 * GN_SEC);
	was = limit_descriptors();
	assert_int_equal(tcp->dial(NULL, &dcfg, &op), 0);
	while (f.out == NULL || !f.lines)
		assert_int_equal(gn_loop_turn(f.loop, GN_NEVER), 0);
	/* The listener pauses, so the loop waits in these turns. */
	rests = gn_loop_now(f.loop);
	for (turns = 0; turns < 4; turns++)
		assert_int_equal(gn_loop_turn(f.loop, 100 * GN_MSEC), 0);
	assert_true(gn_loop_now(f.loop) - rests >= 90 * GN_MSEC);
	assert_null(f.in);
	assert_int_equal(f.lines, 1); /* logged once */
	set_limit(was);
	/* Make a second connection, because under valgrind accept() loses a connection for which there is no
	 * descriptor. */
	assert_int_equal(tcp->dial(NULL, &dcfg, &op), 0);
	while (f.in == NULL || f.dials < 2)
		assert_int_equal(gn_loop_turn(f.loop, GN_NEVER), 0);
	gn_log_on_line(GN_LOG_ERROR, NULL, NULL);
	gn_timer_fini(&guard);
	f.in->ops->abort(f.in);
	f.out->ops->abort(f.out);
	tcp->close(l);
	gn_multiaddr_free(any);
	gn_multiaddr_free(bound);
	gn_loop_free(f.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_addresses_of_tcp_are_served),
		cmocka_unit_test(addresses_convert_both_ways),
		cmocka_unit_test(the_loopback_is_among_the_addresses_of_the_host),
		cmocka_unit_test(accepted_sockets_inherit_options),
		cmocka_unit_test(accepting_resumes_when_descriptors_are_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
