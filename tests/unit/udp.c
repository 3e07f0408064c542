/* SPDX-License-Identifier: MIT */
/* lib/loop/udp: datagrams on the loopback, of both families, in batches and one by one. */
#include "support/cmocka.h"

#include <errno.h>

#include "loop/loop.h"
#include "loop/udp.h"

static const struct gn_sockaddr lo4 = {.family = 4, .ip = {127, 0, 0, 1}};
static const struct gn_sockaddr other4 = {.family = 4, .ip = {127, 0, 0, 2}};
static const struct gn_sockaddr any4 = {.family = 4};
static const struct gn_sockaddr lo6 = {.family = 6, .ip = {[15] = 1}};
static const struct gn_sockaddr group4 = {.family = 4, .ip = {239, 1, 2, 3}};
static const struct gn_sockaddr group6 = {.family = 6, .ip = {0xff, 0x12, [15] = 0x77}};

struct fix {
	struct gn_loop *loop;
	struct gn_udp *a, *b;
	unsigned ready, calls;
	bool closes;
};

static void udp_on_ready(void *arg, unsigned ready)
{
	struct fix *f = arg;

	f->ready |= ready;
	f->calls++;
	if (f->closes) {
		gn_udp_close(f->b);
		f->b = NULL;
	}
}

static struct gn_udp *opened(struct fix *f, const struct gn_sockaddr *at, bool is_unbatched)
{
	struct gn_udp_cfg cfg = {.loop = f->loop,
				 .at = *at,
				 .is_unbatched = is_unbatched,
				 .on_ready = udp_on_ready,
				 .arg = f};
	struct gn_udp *u = NULL;

	assert_int_equal(gn_udp_open(&cfg, &u), 0);
	return u;
}

static int set_up(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	if (f == NULL || gn_loop_new(&f->loop) != 0)
		return -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;

	gn_udp_close(f->a);
	gn_udp_close(f->b);
	gn_loop_free(f->loop);
	free(f);
	return 0;
}

/* Waits until the socket b is readable. */
static void wait_readable(struct fix *f)
{
	f->ready = 0;
	gn_udp_watch(f->b, GN_READABLE);
	for (int i = 0; i < 100 && f->ready == 0; i++)
		(void)gn_loop_turn(f->loop, 100 * GN_MSEC);
	assert_int_equal(f->ready, GN_READABLE);
	gn_udp_watch(f->b, 0);
}

static uint32_t loopback_number(void)
{
	uint32_t n = 0;

	assert_int_equal(gn_zone_parse("lo", &n), 0);
	return n;
}

static void exchange(struct fix *f, const struct gn_sockaddr *at, bool is_unbatched)
{
	char out[40][8], in[40][8];
	struct gn_datagram d[40] = {{.len = 0}};
	struct gn_sockaddr from, to;
	int sent = 0, got = 0;

	f->a = opened(f, at, is_unbatched);
	f->b = opened(f, at, is_unbatched);
	assert_int_equal(gn_udp_local(f->a, &from), 0);
	assert_int_equal(gn_udp_local(f->b, &to), 0);
	assert_true(from.port != 0 && to.port != 0);
	for (int i = 0; i < 40; i++) {
		d[i].remote = to;
		d[i].data = out[i];
		d[i].len = (size_t)snprintf(out[i], sizeof out[i], "n%d", i);
	}
	d[7].len = 0; /* an empty datagram */
	assert_int_equal(gn_udp_send(f->a, d, 40), GN_UDP_BATCH);
	sent = gn_udp_send(f->a, d + GN_UDP_BATCH, 40 - GN_UDP_BATCH);
	assert_int_equal(sent, 40 - GN_UDP_BATCH);
	while (got < 40) {
		int n;

		wait_readable(f);
		for (int i = got; i < 40; i++)
			d[i] = (struct gn_datagram){.data = in[i], .len = sizeof in[i]};
		n = gn_udp_receive(f->b, d + got, 40 - got);
		assert_true(n > 0 && n <= GN_UDP_BATCH);
		got += n;
	}
	for (int i = 0; i < 40; i++) {
		struct gn_sockaddr local = to;

		local.port = 0;
		assert_int_equal(d[i].len, i == 7 ? 0 : strlen(out[i]));
		assert_memory_equal(in[i], out[i], d[i].len);
		assert_false(d[i].is_truncated);
		assert_true(gn_sockaddr_is_equal(&d[i].remote, &from));
		assert_true(gn_sockaddr_is_equal(&d[i].local, &local));
		assert_int_equal(d[i].interface, loopback_number());
	}
	assert_int_equal(gn_udp_receive(f->b, d, 1), GN_EAGAIN);
}

static void a_batch_arrives_over_ipv4(void **state)
{
	exchange(*state, &lo4, false);
}

static void a_batch_arrives_over_ipv6(void **state)
{
	exchange(*state, &lo6, false);
}

static void datagrams_arrive_one_by_one_over_ipv4(void **state)
{
	exchange(*state, &lo4, true);
}

static void datagrams_arrive_one_by_one_over_ipv6(void **state)
{
	exchange(*state, &lo6, true);
}

/* A socket that is bound to all addresses can answer from the address to which the request was sent. */
static void the_source_address_can_be_chosen(void **state)
{
	struct fix *f = *state;
	struct gn_datagram d = {.data = (char[]){'x'}, .len = 1};
	char in[4];

	f->a = opened(f, &any4, false);
	f->b = opened(f, &lo4, false);
	assert_int_equal(gn_udp_local(f->b, &d.remote), 0);
	d.local = other4;
	assert_int_equal(gn_udp_send(f->a, &d, 1), 1);
	wait_readable(f);
	d = (struct gn_datagram){.data = in, .len = sizeof in};
	assert_int_equal(gn_udp_receive(f->b, &d, 1), 1);
	assert_memory_equal(d.remote.ip, other4.ip, 4);
	d.local = (struct gn_sockaddr){.family = 4, .ip = {192, 0, 2, 1}}; /* no address of this host */
	assert_true(gn_udp_send(f->a, &d, 1) < 0);
}

static void a_long_datagram_is_truncated_to_the_room(void **state)
{
	struct fix *f = *state;
	struct gn_datagram d = {.data = (char[]){"abcde"}, .len = 5}, in[2];
	char room[2][8];

	f->a = opened(f, &lo4, false);
	f->b = opened(f, &lo4, false);
	assert_int_equal(gn_udp_local(f->b, &d.remote), 0);
	assert_int_equal(gn_udp_send(f->a, &d, 1), 1);
	assert_int_equal(gn_udp_send(f->a, &d, 1), 1);
	wait_readable(f);
	in[0] = (struct gn_datagram){.data = room[0], .len = 4};
	in[1] = (struct gn_datagram){.data = room[1], .len = 5};
	assert_int_equal(gn_udp_receive(f->b, &in[0], 1), 1);
	assert_int_equal(in[0].len, 4);
	assert_true(in[0].is_truncated);
	assert_memory_equal(room[0], "abcd", 4);
	wait_readable(f);
	assert_int_equal(gn_udp_receive(f->b, &in[1], 1), 1);
	assert_int_equal(in[1].len, 5);
	assert_false(in[1].is_truncated);
}

/* A datagram of GN_UDP_MAX bytes is sent.  A longer one is an error, but the datagrams before it are sent. */
static void a_datagram_has_a_longest_length(void **state)
{
	struct fix *f = *state;
	uint8_t *big = calloc(2, GN_UDP_MAX + 1), *in = big + GN_UDP_MAX + 1;
	struct gn_datagram d[2] = {{.data = big, .len = GN_UDP_MAX}, {.data = big, .len = GN_UDP_MAX + 1}};

	assert_non_null(big);
	for (int i = 0; i < 2; i++) {
		f->a = opened(f, &lo4, i == 1);
		f->b = opened(f, &lo4, i == 1);
		memset(big, 'x', GN_UDP_MAX);
		assert_int_equal(gn_udp_local(f->b, &d[0].remote), 0);
		d[1].remote = d[0].remote;
		assert_int_equal(gn_udp_send(f->a, d, 2), 1);
		assert_int_equal(gn_udp_send(f->a, d + 1, 1), GN_ETOOBIG);
		wait_readable(f);
		d[1] = (struct gn_datagram){.data = in, .len = GN_UDP_MAX + 1};
		assert_int_equal(gn_udp_receive(f->b, &d[1], 1), 1);
		assert_int_equal(d[1].len, GN_UDP_MAX);
		assert_memory_equal(big, in, GN_UDP_MAX);
		d[1] = (struct gn_datagram){.data = big, .len = GN_UDP_MAX + 1};
		gn_udp_close(f->a);
		gn_udp_close(f->b);
		f->a = f->b = NULL;
	}
	free(big);
}

static void a_group_is_received_after_joining_it(void **state)
{
	struct fix *f = *state;
	struct gn_datagram d = {.data = (char[]){'g'}, .len = 1, .interface = loopback_number()};
	struct gn_sockaddr to;
	char in[4];

	f->a = opened(f, &any4, false);
	f->b = opened(f, &any4, false);
	assert_int_equal(gn_udp_local(f->b, &to), 0);
	d.remote = group4;
	d.remote.port = to.port;
	assert_int_equal(gn_udp_join(f->a, &group4, loopback_number()), 0); /* another socket's group is not received */
	assert_int_equal(gn_udp_send(f->a, &d, 1), 1);
	assert_int_equal(gn_udp_receive(f->b, &(struct gn_datagram){.data = in, .len = 4}, 1), GN_EAGAIN);
	assert_int_equal(gn_udp_join(f->b, &group4, loopback_number()), 0);
	assert_int_equal(gn_udp_join(f->b, &group4, loopback_number()), -EADDRINUSE);
	assert_int_equal(gn_udp_send(f->a, &d, 1), 1);
	wait_readable(f);
	d = (struct gn_datagram){.data = in, .len = sizeof in};
	assert_int_equal(gn_udp_receive(f->b, &d, 1), 1);
	assert_int_equal(in[0], 'g');
	assert_true(gn_sockaddr_is_equal(&d.local, &group4));
	assert_int_equal(d.interface, loopback_number());
	assert_int_equal(gn_udp_leave(f->b, &group4, loopback_number()), 0);
	assert_int_equal(gn_udp_leave(f->b, &group4, loopback_number()), -EADDRNOTAVAIL);
	d = (struct gn_datagram){.data = (char[]){'h'}, .len = 1, .interface = loopback_number(), .remote = group4};
	d.remote.port = to.port;
	assert_int_equal(gn_udp_send(f->a, &d, 1), 1);
	assert_int_equal(gn_udp_receive(f->b, &(struct gn_datagram){.data = in, .len = 4}, 1), GN_EAGAIN);
}

static void a_group_of_ipv6_is_joined_and_left(void **state)
{
	struct fix *f = *state;

	f->b = opened(f, &(struct gn_sockaddr){.family = 6}, false);
	assert_int_equal(gn_udp_join(f->b, &group6, loopback_number()), 0);
	assert_int_equal(gn_udp_join(f->b, &group6, loopback_number()), -EADDRINUSE);
	assert_int_equal(gn_udp_leave(f->b, &group6, loopback_number()), 0);
	assert_int_equal(gn_udp_leave(f->b, &group6, loopback_number()), -EADDRNOTAVAIL);
}

static void what_is_no_group_cannot_be_joined(void **state)
{
	struct fix *f = *state;

	f->a = opened(f, &any4, false);
	f->b = opened(f, &lo6, false);
	assert_int_equal(gn_udp_join(f->a, &lo4, loopback_number()), -EINVAL);
	assert_int_equal(gn_udp_join(f->a, &group6, loopback_number()), -EINVAL);
	assert_int_equal(gn_udp_join(f->b, &lo6, loopback_number()), -EINVAL);
	assert_int_equal(gn_udp_join(f->b, &group4, loopback_number()), -EINVAL);
	assert_int_equal(gn_udp_join(f->a, &group4, 0x7ffffff0), -ENODEV);
	assert_int_equal(gn_udp_join(f->b, &group6, 0x7ffffff0), -ENODEV);
}

static void a_port_is_shared_only_if_both_want_it(void **state)
{
	struct fix *f = *state;
	struct gn_udp_cfg cfg = {.loop = f->loop, .at = any4, .shares_port = true, .on_ready = udp_on_ready, .arg = f};
	struct gn_udp *none = NULL;

	assert_int_equal(gn_udp_open(&cfg, &f->a), 0);
	assert_int_equal(gn_udp_local(f->a, &cfg.at), 0);
	cfg.shares_port = false;
	assert_int_equal(gn_udp_open(&cfg, &none), -EADDRINUSE);
	assert_null(none);
	cfg.shares_port = true;
	assert_int_equal(gn_udp_open(&cfg, &f->b), 0);
}

static void a_socket_may_be_closed_in_its_callback(void **state)
{
	struct fix *f = *state;

	f->b = opened(f, &lo4, false);
	f->closes = true;
	gn_udp_watch(f->b, GN_WRITABLE);
	assert_int_equal(gn_loop_run(f->loop), 0); /* the loop ends, because no event is pending */
	assert_int_equal(f->ready, GN_WRITABLE);
	assert_int_equal(f->calls, 1);
}

static void a_virtual_loop_has_no_sockets(void **state)
{
	struct gn_udp_cfg cfg = {.at = lo4, .on_ready = udp_on_ready};
	struct gn_udp *none = NULL;

	(void)state;
	assert_int_equal(gn_loop_new_virtual(&cfg.loop), 0);
	assert_int_equal(gn_udp_open(&cfg, &none), -ENOTSUP);
	assert_null(none);
	gn_loop_free(cfg.loop);
}

static void an_address_of_another_host_is_refused(void **state)
{
	struct fix *f = *state;
	struct gn_udp_cfg cfg = {.loop = f->loop, .at = {.family = 4, .ip = {192, 0, 2, 1}}, .on_ready = udp_on_ready};
	struct gn_udp *none = NULL;

	assert_int_equal(gn_udp_open(&cfg, &none), -EADDRNOTAVAIL);
	assert_null(none);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_batch_arrives_over_ipv4),
		T(a_batch_arrives_over_ipv6),
		T(datagrams_arrive_one_by_one_over_ipv4),
		T(datagrams_arrive_one_by_one_over_ipv6),
		T(the_source_address_can_be_chosen),
		T(a_long_datagram_is_truncated_to_the_room),
		T(a_datagram_has_a_longest_length),
		T(a_group_is_received_after_joining_it),
		T(a_group_of_ipv6_is_joined_and_left),
		T(what_is_no_group_cannot_be_joined),
		T(a_port_is_shared_only_if_both_want_it),
		T(a_socket_may_be_closed_in_its_callback),
		T(a_virtual_loop_has_no_sockets),
		T(an_address_of_another_host_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
