/* SPDX-License-Identifier: MIT */
/* How gn-listen divides the number of programs that may run among peers and addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gn-listen/share.c"

static struct share *make(unsigned places, bool is_free)
{
	struct share_cfg cfg = {.places = places, .is_free = is_free, .waiting = 10, .waiting_peer = 4};
	struct share *s = NULL;

	assert_int_equal(share_new(&cfg, &s), 0);
	return s;
}

static struct share_peer *enter(struct share *s, uint8_t id, const char *addr)
{
	struct gn_multiaddr *a = NULL;
	struct gn_channel_state st = {.peer = {.len = 1, .bytes = {id}}};
	struct share_peer *p;

	assert_int_equal(gn_multiaddr_parse(addr, &a, NULL), 0);
	st.remote = a;
	p = share_enter(s, &st);
	assert_non_null(p);
	gn_multiaddr_free(a);
	return p;
}

/* Starts as many streams of a peer as are allowed.  Returns their number. */
static unsigned start_all(struct share *s, struct share_peer *p)
{
	unsigned n = 0;

	while (share_may_start(s, p)) {
		p->streams++;
		p->count.waiting++;
		s->count.waiting++;
		if (p->net != NULL)
			p->net->count.waiting++;
		share_start(s, p);
		n++;
	}
	return n;
}

static void leave_all(struct share *s, struct share_peer *p, unsigned running)
{
	while (running-- > 0) {
		share_stop(s, p);
		share_leave(s, p, false);
	}
	share_leave(s, p, true);
}

#define LO "/ip4/127.0.0.1/tcp/1"

static void one_peer_has_three_quarters_and_leaves_room_for_others(void **state)
{
	struct share *s = make(40, false);
	static const unsigned want[4] = {30, 7, 2, 1};
	static const char *const at[4] = {LO, "/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.2/tcp/1", "/ip4/192.0.2.3/tcp/1"};
	struct share_peer *p[4];

	(void)state;
	for (uint8_t i = 0; i < 4; i++) {
		p[i] = enter(s, i, at[i]);
		assert_int_equal(start_all(s, p[i]), want[i]);
	}
	for (int i = 0; i < 4; i++)
		leave_all(s, p[i], want[i]);
	assert_null(s->peers);
	share_free(s);
}

static void identities_of_one_address_share_its_part(void **state)
{
	static const char *const at[3][2] = {
		{"/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/tcp/9"},
		{"/ip6/2001:db8:1:2::1/tcp/1", "/ip6/2001:db8:1:2:ffff::9/tcp/1"},
		{"/ip6zone/eth0/ip6/fe80::1/tcp/1", "/ip6zone/eth0/ip6/fe80::2/tcp/1"},
	};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct share *s = make(40, false);
		struct share_peer *a = enter(s, 1, at[i][0]), *b = enter(s, 2, at[i][1]);
		struct share_peer *other = enter(s, 3, "/ip4/198.51.100.7/tcp/1");
		unsigned n = start_all(s, a);

		assert_int_equal(n, 30);
		assert_false(share_may_start(s, b));
		assert_true(share_may_start(s, other));
		/* The address with fewer programs is served first, even if another one has waited longer. */
		assert_true(share_is_before(other, b));
		leave_all(s, a, n);
		leave_all(s, b, 0);
		leave_all(s, other, 0);
		assert_null(s->nets);
		share_free(s);
	}
}

/* One peer at a loopback address does not use all places, because many hosts behind a proxy may share the
 * address. */
static void one_peer_on_the_loopback_leaves_room_for_others_there(void **state)
{
	static const char *const at[] = {LO, "/ip4/127.0.0.9/tcp/1", "/ip6/::1/tcp/1"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct share *s = make(40, false);
		struct share_peer *a = enter(s, 1, at[i]), *b = enter(s, 2, at[i]);
		unsigned n = start_all(s, a);

		assert_int_equal(n, 30);
		assert_true(share_may_start(s, b));
		leave_all(s, a, n);
		leave_all(s, b, 0);
		share_free(s);
	}
}

static void identities_of_one_loopback_address_leave_places_to_other_addresses(void **state)
{
	static const char *const at[] = {"/ip4/127.0.0.9/tcp/1", "/ip6/::1/tcp/1"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct share *s = make(40, false);
		struct share_peer *p[40], *other = enter(s, 99, LO);
		unsigned started[40], n = 0;

		for (uint8_t k = 0; k < 40; k++) {
			p[k] = enter(s, k, at[i]);
			started[k] = start_all(s, p[k]);
			n += started[k];
		}
		assert_int_equal(n, 36);
		assert_true(share_may_start(s, other));
		assert_true(share_is_before(other, p[39]));
		for (int k = 0; k < 40; k++)
			leave_all(s, p[k], started[k]);
		leave_all(s, other, 0);
		assert_null(s->nets);
		share_free(s);
	}
}

static void the_only_peer_may_have_all_and_so_may_all_of_few_places(void **state)
{
	struct share *s = make(40, true);
	struct share_peer *p = enter(s, 1, LO);

	(void)state;
	assert_int_equal(start_all(s, p), 40);
	leave_all(s, p, 40);
	share_free(s);
	for (unsigned places = 1; places < 3; places++) {
		s = make(places, false);
		p = enter(s, 1, LO);
		assert_int_equal(start_all(s, p), places);
		leave_all(s, p, places);
		share_free(s);
	}
}

static void a_free_place_goes_to_the_peer_with_fewest_then_longest_waiting(void **state)
{
	struct share *s = make(40, false);
	struct share_peer *a = enter(s, 1, LO), *b = enter(s, 2, LO), *c = enter(s, 3, LO);

	(void)state;
	share_start(s, a);
	assert_true(share_is_before(b, a));
	assert_false(share_is_before(a, b));
	share_start(s, b);
	share_stop(s, a);
	share_stop(s, b);
	/* None of the peers runs a program.  c was never served, and a was served before b. */
	assert_true(share_is_before(c, a));
	assert_true(share_is_before(a, b));
	share_leave(s, a, false);
	share_leave(s, b, false);
	share_leave(s, c, true);
	share_free(s);
}

static void waiting_streams_are_bounded_per_peer_and_in_all(void **state)
{
	struct share *s = make(1, false);
	struct share_peer *p[3] = {NULL};

	(void)state;
	for (int i = 0; i < 4; i++) {
		for (uint8_t k = 0; k < 3; k++) {
			p[k] = enter(s, k, k < 2 ? "/ip4/192.0.2.1/tcp/1" : LO);
			assert_false(share_is_over(s, p[k]));
		}
	}
	assert_true(share_is_full(s));
	assert_int_equal(share_waiting(p[0]), 8); /* includes the other peer at the same address */
	assert_int_equal(share_waiting(p[2]), 4);
	enter(s, 0, LO);
	assert_true(share_is_over(s, p[0]));
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < 3; k++)
			share_leave(s, p[k], true);
	share_leave(s, p[0], true);
	assert_null(s->peers);
	share_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_peer_has_three_quarters_and_leaves_room_for_others),
		cmocka_unit_test(identities_of_one_address_share_its_part),
		cmocka_unit_test(one_peer_on_the_loopback_leaves_room_for_others_there),
		cmocka_unit_test(identities_of_one_loopback_address_leave_places_to_other_addresses),
		cmocka_unit_test(the_only_peer_may_have_all_and_so_may_all_of_few_places),
		cmocka_unit_test(a_free_place_goes_to_the_peer_with_fewest_then_longest_waiting),
		cmocka_unit_test(waiting_streams_are_bounded_per_peer_and_in_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
