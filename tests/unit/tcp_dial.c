/* SPDX-License-Identifier: MIT */
/* The local addresses of dials of the tcp transport: transport/tcp_dial.h. */
/* SO_ATTACH_FILTER is of Linux. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "loop/socket.h"
#include "support/support.h"
#include "transport/tcp_dial.h"

static const struct gn_transport_ops *const tcp = &gn_transport_tcp;

enum { ENDS = 2, LINKS = 4 };

/* One side: the state of a node, a listener, and its links. */
struct end {
	void *state;
	struct gn_link_listener *listener;
	struct gn_multiaddr *bound;
	struct gn_link *in[LINKS], *out[LINKS];
	struct gn_link_dial *dial;
	unsigned n_in, n_out;
	int err;
};

struct fix {
	struct gn_loop *loop;
	struct gn_timer guard;
	struct end end[ENDS];
};

static bool is_from_listener(struct gn_link *link)
{
	return link->ops->is_from_listener(link);
}

static void on_guard(void *arg)
{
	(void)arg;
	fail_msg("it takes too long");
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	assert_non_null(f);
	assert_int_equal(gn_loop_new(&f->loop), 0);
	gn_timer_init(&f->guard, f->loop, on_guard, f);
	gn_timer_start(&f->guard, 30 * GN_SEC);
	for (size_t i = 0; i < ENDS; i++)
		assert_int_equal(tcp->start(NULL, NULL, &f->end[i].state), 0);
	*state = f;
	return 0;
}

static void abort_links(struct end *e)
{
	for (; e->n_in > 0; e->n_in--)
		e->in[e->n_in - 1]->ops->abort(e->in[e->n_in - 1]);
	for (; e->n_out > 0; e->n_out--)
		e->out[e->n_out - 1]->ops->abort(e->out[e->n_out - 1]);
}

static void unlisten(struct end *e)
{
	tcp->close(e->listener);
	gn_multiaddr_free(e->bound);
	e->listener = NULL;
	e->bound = NULL;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	for (size_t i = 0; i < ENDS; i++) {
		abort_links(&f->end[i]);
		if (f->end[i].dial != NULL)
			tcp->cancel(f->end[i].dial);
		if (f->end[i].listener != NULL)
			unlisten(&f->end[i]);
		tcp->stop(f->end[i].state);
	}
	gn_timer_fini(&f->guard);
	gn_loop_free(f->loop);
	free(f);
	return 0;
}

static void on_link(void *arg, struct gn_link *link)
{
	struct end *e = arg;

	assert_true(e->n_in < LINKS);
	assert_false(is_from_listener(link));
	e->in[e->n_in++] = link;
}

static void on_done(void *arg, int err, struct gn_link *link)
{
	struct end *e = arg;

	e->dial = NULL;
	e->err = err;
	if (err != 0)
		return;
	assert_true(e->n_out < LINKS);
	e->out[e->n_out++] = link;
}

static int listen_on(struct fix *f, struct end *e, const struct gn_multiaddr *addr)
{
	struct gn_link_listen_cfg cfg = {.loop = f->loop, .addr = addr, .on_link = on_link, .arg = e};

	return tcp->listen(e->state, &cfg, &e->listener, &e->bound);
}

static void listen_text(struct fix *f, size_t i, const char *text)
{
	struct gn_multiaddr *addr = net_addr(text);

	assert_int_equal(listen_on(f, &f->end[i], addr), 0);
	gn_multiaddr_free(addr);
}

static struct gn_sockaddr sockaddr_of(const struct gn_multiaddr *addr)
{
	struct gn_sockaddr sa;

	assert_int_equal(gn_tcp_addr_decode(addr, &sa), 0);
	return sa;
}

static uint16_t port_of(const struct gn_multiaddr *addr)
{
	return sockaddr_of(addr).port;
}

static void start_dial(struct fix *f, struct end *e, const struct gn_multiaddr *to)
{
	struct gn_link_dial_cfg cfg = {.loop = f->loop, .addr = to, .on_done = on_done, .arg = e};

	e->err = GN_EAGAIN;
	assert_int_equal(tcp->dial(e->state, &cfg, &e->dial), 0);
}

static void finish_dial(struct fix *f, struct end *e)
{
	while (e->dial != NULL)
		assert_int_equal(gn_loop_turn(f->loop, GN_NEVER), 0);
}

/* End 0 dials.  Returns the new link. */
static struct gn_link *dial(struct fix *f, const struct gn_multiaddr *to)
{
	struct end *e = &f->end[0];

	start_dial(f, e, to);
	finish_dial(f, e);
	assert_int_equal(e->err, 0);
	return e->out[e->n_out - 1];
}

/* End 0 dials the loopback address of end 1, which accepts.  Returns the new link of end 0. */
static struct gn_link *connect_ends(struct fix *f)
{
	struct gn_sockaddr sa = sockaddr_of(f->end[1].bound);
	struct gn_multiaddr *to;
	struct gn_link *link;
	unsigned before = f->end[1].n_in;

	if (gn_sockaddr_is_wildcard(&sa))
		sa.ip[15] = 1;
	assert_int_equal(gn_tcp_addr_encode(&sa, &to), 0);
	link = dial(f, to);
	while (f->end[1].n_in == before)
		assert_int_equal(gn_loop_turn(f->loop, GN_NEVER), 0);
	assert_true(gn_multiaddr_is_equal(f->end[1].in[before]->remote, link->local));
	gn_multiaddr_free(to);
	return link;
}

/* ---- which address a dial comes from ---- */

static void comes_from_listener(void **state, const char *text, bool is_expected)
{
	struct fix *f = *state;
	struct gn_link *link;

	listen_text(f, 0, text);
	listen_text(f, 1, "/ip4/127.0.0.1/tcp/0");
	link = connect_ends(f);
	assert_int_equal(is_from_listener(link), is_expected);
	assert_int_equal(port_of(link->local) == port_of(f->end[0].bound), is_expected);
}

static void a_listener_on_every_interface_is_used(void **state)
{
	comes_from_listener(state, "/ip4/0.0.0.0/tcp/0", true);
}

static void a_listener_on_the_address_that_the_route_has_is_used(void **state)
{
	struct fix *f = *state;

	comes_from_listener(state, "/ip4/127.0.0.1/tcp/0", true);
	assert_true(gn_multiaddr_is_equal(f->end[0].out[0]->local, f->end[0].bound));
}

static void a_listener_on_another_address_is_not_used(void **state)
{
	comes_from_listener(state, "/ip4/127.0.0.2/tcp/0", false);
}

static void a_listener_of_another_family_is_not_used(void **state)
{
	struct fix *f = *state;
	struct gn_multiaddr *six = net_addr("/ip6/::/tcp/0");

	if (listen_on(f, &f->end[0], six) == 0) { /* this host has IPv6 */
		listen_text(f, 1, "/ip4/127.0.0.1/tcp/0");
		assert_false(is_from_listener(connect_ends(f)));
	}
	gn_multiaddr_free(six);
}

static void a_listener_of_ipv6_is_used_beside_one_of_ipv4_with_the_same_port(void **state)
{
	struct fix *f = *state;
	struct gn_multiaddr *six = net_addr("/ip6/::/tcp/0"), *four;
	struct gn_link_listen_cfg cfg = {.loop = f->loop, .on_link = on_link, .arg = &f->end[0]};
	struct gn_link_listener *second;
	struct gn_multiaddr *bound;
	struct gn_link *link;
	char text[64];

	if (listen_on(f, &f->end[0], six) == 0) {
		(void)snprintf(text, sizeof text, "/ip4/0.0.0.0/tcp/%u", port_of(f->end[0].bound));
		four = net_addr(text);
		cfg.addr = four;
		if (tcp->listen(f->end[0].state, &cfg, &second, &bound) == 0) {
			listen_text(f, 1, "/ip6/::/tcp/0");
			link = connect_ends(f);
			assert_true(is_from_listener(link));
			assert_int_equal(port_of(link->local), port_of(f->end[0].bound));
			tcp->close(second);
			gn_multiaddr_free(bound);
		}
		gn_multiaddr_free(four);
	}
	gn_multiaddr_free(six);
}

/* The addresses of this host that are not on the loopback are reached from themselves. */
static void a_listener_on_the_loopback_is_not_used_for_targets_elsewhere(void **state)
{
	struct fix *f = *state;
	struct gn_sockaddr at = {0};
	struct gn_multiaddr *addr;
	struct gn_ifaddr *all;
	size_t n;

	assert_int_equal(gn_ifaddrs_get(&all, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (!all[i].is_loopback && all[i].addr.family == 4)
			at = all[i].addr;
	free(all);
	if (at.family == 0) /* this host has the loopback only */
		return;
	listen_text(f, 0, "/ip4/127.0.0.1/tcp/0");
	assert_int_equal(gn_tcp_addr_encode(&at, &addr), 0);
	assert_int_equal(listen_on(f, &f->end[1], addr), 0);
	assert_false(is_from_listener(connect_ends(f)));
	unlisten(&f->end[0]);
	assert_int_equal(listen_on(f, &f->end[0], addr), 0); /* but this one is */
	assert_true(is_from_listener(connect_ends(f)));
	gn_multiaddr_free(addr);
}

static void a_listener_that_was_closed_is_not_used(void **state)
{
	struct fix *f = *state;

	listen_text(f, 0, "/ip4/0.0.0.0/tcp/0");
	listen_text(f, 1, "/ip4/127.0.0.1/tcp/0");
	unlisten(&f->end[0]);
	assert_false(is_from_listener(connect_ends(f)));
}

static void a_dial_without_a_listener_has_a_port_of_its_own(void **state)
{
	struct fix *f = *state;

	listen_text(f, 1, "/ip4/127.0.0.1/tcp/0");
	assert_false(is_from_listener(connect_ends(f)));
}

/* ---- what else may use the address ---- */

static void the_address_is_refused_to_another_node_before_and_after_a_dial(void **state)
{
	struct fix *f = *state;
	struct end other = f->end[1];
	struct gn_multiaddr *loopback;
	char text[64];

	listen_text(f, 0, "/ip4/0.0.0.0/tcp/0");
	listen_text(f, 1, "/ip4/127.0.0.1/tcp/0");
	(void)snprintf(text, sizeof text, "/ip4/127.0.0.1/tcp/%u", port_of(f->end[0].bound));
	loopback = net_addr(text);
	assert_int_equal(listen_on(f, &other, f->end[0].bound), -EADDRINUSE);
	assert_true(is_from_listener(connect_ends(f)));
	assert_int_equal(listen_on(f, &other, f->end[0].bound), -EADDRINUSE);
	assert_int_equal(listen_on(f, &other, loopback), -EADDRINUSE);
	abort_links(&f->end[0]);
	assert_int_equal(listen_on(f, &other, f->end[0].bound), -EADDRINUSE);
	gn_multiaddr_free(loopback);
}

static void an_address_is_listened_on_again_while_its_connections_are_open_or_closing(void **state)
{
	struct fix *f = *state;
	struct gn_multiaddr *was;
	struct gn_link *link;

	listen_text(f, 0, "/ip4/0.0.0.0/tcp/0");
	listen_text(f, 1, "/ip4/127.0.0.1/tcp/0");
	link = connect_ends(f);
	assert_true(is_from_listener(link));
	assert_int_equal(gn_multiaddr_dup(f->end[0].bound, &was), 0);
	unlisten(&f->end[0]);
	assert_int_equal(listen_on(f, &f->end[0], was), 0);
	/* End 0 closes first, so that its end of the connection stays in TIME_WAIT. */
	link->ops->close(link);
	f->end[0].n_out = 0;
	f->end[1].in[0]->ops->close(f->end[1].in[0]);
	f->end[1].n_in = 0;
	unlisten(&f->end[0]);
	unlisten(&f->end[1]);
	assert_int_equal(gn_loop_turn(f->loop, 10 * GN_MSEC), 0);
	assert_int_equal(listen_on(f, &f->end[0], was), 0);
	gn_multiaddr_free(was);
}

/* ---- falling back ---- */

static void a_second_dial_to_the_same_target_falls_back(void **state)
{
	struct fix *f = *state;
	struct gn_link *first, *second;

	listen_text(f, 0, "/ip4/0.0.0.0/tcp/0");
	listen_text(f, 1, "/ip4/127.0.0.1/tcp/0");
	first = connect_ends(f);
	second = connect_ends(f);
	assert_true(is_from_listener(first));
	assert_false(is_from_listener(second));
	assert_int_not_equal(port_of(second->local), port_of(f->end[0].bound));
}

static void a_dial_to_another_target_uses_the_same_port(void **state)
{
	struct fix *f = *state;
	struct end *third = &f->end[1];
	struct gn_multiaddr *first_target;

	listen_text(f, 0, "/ip4/0.0.0.0/tcp/0");
	listen_text(f, 1, "/ip4/127.0.0.1/tcp/0");
	assert_true(is_from_listener(connect_ends(f)));
	assert_int_equal(gn_multiaddr_dup(third->bound, &first_target), 0);
	unlisten(third);
	listen_text(f, 1, "/ip4/127.0.0.1/tcp/0");
	assert_false(gn_multiaddr_is_equal(third->bound, first_target));
	assert_true(is_from_listener(connect_ends(f)));
	gn_multiaddr_free(first_target);
}

static void a_node_that_dials_itself_falls_back(void **state)
{
	struct fix *f = *state;
	struct end *e = &f->end[0];
	struct gn_link *link;

	listen_text(f, 0, "/ip4/127.0.0.1/tcp/0");
	link = dial(f, e->bound);
	while (e->n_in == 0)
		assert_int_equal(gn_loop_turn(f->loop, GN_NEVER), 0);
	assert_false(is_from_listener(link));
	assert_true(gn_multiaddr_is_equal(e->in[0]->remote, link->local));
}

static void a_refused_dial_does_not_fall_back(void **state)
{
	struct fix *f = *state;
	struct gn_multiaddr *nobody;

	listen_text(f, 0, "/ip4/0.0.0.0/tcp/0");
	listen_text(f, 1, "/ip4/127.0.0.1/tcp/0");
	assert_int_equal(gn_multiaddr_dup(f->end[1].bound, &nobody), 0);
	unlisten(&f->end[1]);
	start_dial(f, &f->end[0], nobody);
	finish_dial(f, &f->end[0]);
	assert_int_equal(f->end[0].err, -ECONNREFUSED);
	gn_multiaddr_free(nobody);
}

/* Makes a listener that drops the packets that come from a port. */
static int listen_deaf(uint16_t port, struct gn_sockaddr *at)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), /* the source port of the TCP header */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog filter = {.len = sizeof code / sizeof *code, .filter = code};
	int fd;

	*at = (struct gn_sockaddr){.family = 4, .ip = {127, 0, 0, 1}};
	assert_int_equal(gn_socket_listen(at, 16, &fd), 0);
	assert_int_equal(gn_socket_local(fd, at), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter), 0);
	return fd;
}

static void a_dial_without_an_answer_falls_back_after_its_wait(void **state)
{
	struct fix *f = *state;
	struct gn_sockaddr at, remote;
	struct gn_multiaddr *to;
	gn_time began;
	int deaf, accepted;

	listen_text(f, 0, "/ip4/0.0.0.0/tcp/0");
	deaf = listen_deaf(port_of(f->end[0].bound), &at);
	assert_int_equal(gn_tcp_addr_encode(&at, &to), 0);
	began = gn_loop_now(f->loop);
	assert_false(is_from_listener(dial(f, to)));
	assert_true(gn_loop_now(f->loop) - began >= GN_TCP_FROM_LISTENER_WAIT);
	assert_true(gn_loop_now(f->loop) - began < GN_TCP_FROM_LISTENER_WAIT + 3 * GN_SEC);
	assert_int_equal(gn_socket_accept(deaf, &accepted, &remote), 0);
	assert_int_not_equal(remote.port, port_of(f->end[0].bound));
	gn_socket_close(accepted);
	/* One that is cancelled meanwhile leaves nothing. */
	start_dial(f, &f->end[0], to);
	assert_int_equal(gn_loop_turn(f->loop, 0), 0);
	tcp->cancel(f->end[0].dial);
	f->end[0].dial = NULL;
	gn_socket_close(deaf);
	gn_multiaddr_free(to);
}

/* ---- nodes ---- */

static void a_node_that_listens_dials_from_its_port(void **state)
{
	struct gn_limits limits;
	struct test_node a, b;
	struct gn_conn *c;
	struct outcome o;
	const struct gn_multiaddr *to[1];

	(void)state;
	gn_limits_init(&limits);
	test_node_init(&a, false, &limits);
	b = a;
	b.key = test_node_key(9);
	b.node = test_node_node(a.loop, b.key, &limits);
	b.addr = test_node_listen(b.node, "/ip4/127.0.0.1/tcp/0");
	to[0] = a.addr;
	outcome_dial(b.node, &o, to, 1);
	TEST_NODE_UNTIL(&a, o.done && a.node->n_admitted == 1, 5 * GN_SEC);
	assert_int_equal(o.err, 0);
	assert_true(is_from_listener(test_node_first_conn(&b)->link));
	c = test_node_first_conn(&a);
	assert_int_equal(port_of(c->remote), port_of(b.addr));
	assert_false(is_from_listener(c->link));
	gn_channel_free(o.ch);
	gn_node_free(b.node);
	gn_multiaddr_free(b.addr);
	gn_key_free(b.key);
	test_node_fini(&a);
}

static void the_transport_has_no_configuration(void **state)
{
	void *made = NULL;
	int config = 0;

	(void)state;
	assert_int_equal(tcp->start(NULL, &config, &made), -EINVAL);
	assert_null(made);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_listener_on_every_interface_is_used),
		T(a_listener_on_the_address_that_the_route_has_is_used),
		T(a_listener_on_another_address_is_not_used),
		T(a_listener_of_another_family_is_not_used),
		T(a_listener_of_ipv6_is_used_beside_one_of_ipv4_with_the_same_port),
		T(a_listener_on_the_loopback_is_not_used_for_targets_elsewhere),
		T(a_listener_that_was_closed_is_not_used),
		T(a_dial_without_a_listener_has_a_port_of_its_own),
		T(the_address_is_refused_to_another_node_before_and_after_a_dial),
		T(an_address_is_listened_on_again_while_its_connections_are_open_or_closing),
		T(a_second_dial_to_the_same_target_falls_back),
		T(a_dial_to_another_target_uses_the_same_port),
		T(a_node_that_dials_itself_falls_back),
		T(a_refused_dial_does_not_fall_back),
		T(a_dial_without_an_answer_falls_back_after_its_wait),
		cmocka_unit_test(a_node_that_listens_dials_from_its_port),
		cmocka_unit_test(the_transport_has_no_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
