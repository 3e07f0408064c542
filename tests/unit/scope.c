/* SPDX-License-Identifier: MIT */
#include "support/cmocka.h"

#include "base/scope.h"
#include "support/rng.h"

enum { WHOLE = 1000, PEER_MAX = 125 };

static struct gn_scope node, net, peer, a, b; /* a and b are connections of one network */

static int setup(void **state)
{
	(void)state;
	gn_scope_init(&node, NULL, WHOLE);
	gn_scope_init(&net, &node, SIZE_MAX);
	gn_scope_init(&peer, NULL, PEER_MAX);
	gn_scope_init(&a, &net, SIZE_MAX);
	gn_scope_init(&b, &net, SIZE_MAX);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gn_scope_leave(&a);
	gn_scope_leave(&b);
	assert_int_equal(node.used + net.used + peer.used + a.used + b.used, 0);
	assert_int_equal(node.streams + net.streams + peer.streams + a.streams + b.streams, 0);
	return 0;
}

/* ---- shares of the node's memory ---- */

static void each_fair_scope_may_use_half_of_the_free_memory(void **state)
{
	struct gn_scope x = {.parent = &node, .max = SIZE_MAX, .is_fair = true}, y = x;

	(void)state;
	assert_true(gn_scope_take(&x, 500));
	assert_false(gn_scope_take(&x, 1));
	assert_true(gn_scope_take(&y, 250));
	assert_false(gn_scope_take(&y, 1));
	assert_int_equal(node.used, 750);
	/* Memory that one scope releases is available to the others. */
	gn_scope_give(&x, 500);
	assert_true(gn_scope_take(&y, 125));
	assert_int_equal(node.used, 375);
	gn_scope_give(&y, 375);
}

static void the_total_is_never_exceeded(void **state)
{
	struct gn_scope x = {.parent = &node, .max = SIZE_MAX, .is_fair = true}, stream;

	(void)state;
	gn_scope_init_stream(&stream, &x);
	assert_false(gn_scope_reserve(&stream, SIZE_MAX));
	assert_false(gn_scope_reserve(&stream, WHOLE / 2 + 1));
	assert_false(gn_scope_take(&x, SIZE_MAX));
	assert_false(gn_scope_take(&node, SIZE_MAX));
	assert_false(gn_scope_take_whole(&node, SIZE_MAX));
	assert_true(gn_scope_take_whole(&x, 900));
	assert_false(gn_scope_take_whole(&x, 101));
	assert_true(gn_scope_take(&node, 100));
	assert_false(gn_scope_take(&node, 1));
	gn_scope_give(&node, 100);
	gn_scope_give(&x, 900);
}

static void without_a_scope_nothing_is_limited(void **state)
{
	(void)state;
	assert_true(gn_scope_has(NULL, SIZE_MAX) && gn_scope_has_whole(NULL, SIZE_MAX));
	assert_true(gn_scope_take(NULL, SIZE_MAX) && gn_scope_take_whole(NULL, SIZE_MAX));
	assert_true(gn_scope_reserve(NULL, SIZE_MAX));
	gn_scope_unreserve(NULL);
	gn_scope_force(NULL, 1);
	gn_scope_give(NULL, 1);
	gn_scope_add_stream(NULL);
	gn_scope_del_stream(NULL);
}

/* ---- peers ---- */

static void two_connections_of_a_peer_share_its_maximum(void **state)
{
	(void)state;
	gn_scope_join(&a, &peer);
	gn_scope_join(&b, &peer);
	assert_true(gn_scope_take(&a, 100));
	assert_true(gn_scope_has(&b, 25));
	assert_false(gn_scope_has(&b, 26));
	assert_true(gn_scope_take(&b, 25));
	assert_false(gn_scope_take(&a, 1));
	assert_false(gn_scope_take(&b, 1));
	assert_int_equal(peer.used, PEER_MAX);
	assert_int_equal(node.used, PEER_MAX);
	gn_scope_give(&a, 100);
	assert_true(gn_scope_take(&b, 100));
	assert_false(gn_scope_take(&a, 1));
	gn_scope_give(&b, 125);
}

/* A connection holds memory and streams before its peer is known, and while it ends. */
static void what_a_connection_holds_moves_to_its_peer(void **state)
{
	(void)state;
	assert_true(gn_scope_take(&a, 120));
	gn_scope_add_stream(&a);
	assert_int_equal(net.used, 120);
	assert_int_equal(peer.used, 0);
	gn_scope_join(&a, &peer);
	assert_int_equal(peer.used, 120);
	assert_int_equal(peer.streams, 1);
	assert_int_equal(net.used, 120);
	assert_int_equal(node.used, 120);
	assert_true(gn_scope_has(&a, 5));
	assert_false(gn_scope_has(&a, 6));
	gn_scope_leave(&a);
	assert_int_equal(peer.used, 0);
	assert_int_equal(peer.streams, 0);
	gn_scope_give(&a, 120);
	gn_scope_del_stream(&a);
}

static void a_forced_charge_counts_past_the_maximum(void **state)
{
	(void)state;
	gn_scope_join(&a, &peer);
	gn_scope_force(&a, PEER_MAX + 10);
	assert_int_equal(peer.used, PEER_MAX + 10);
	assert_false(gn_scope_has(&a, 1));
	assert_true(gn_scope_has_whole(&a, 1));
	gn_scope_give(&a, 10);
	assert_false(gn_scope_has(&a, 1));
	gn_scope_give(&a, 1);
	assert_true(gn_scope_has(&a, 1));
	gn_scope_give(&a, PEER_MAX - 1);
	gn_scope_force(&b, WHOLE + 1);
	assert_false(gn_scope_has_whole(&a, 1));
	assert_false(gn_scope_has(&a, 1));
	gn_scope_give(&b, WHOLE + 1);
}

static void streams_are_counted_in_all_scopes(void **state)
{
	(void)state;
	gn_scope_join(&a, &peer);
	gn_scope_join(&b, &peer);
	gn_scope_add_stream(&a);
	gn_scope_add_stream(&b);
	gn_scope_add_stream(&b);
	assert_int_equal(a.streams, 1);
	assert_int_equal(b.streams, 2);
	assert_int_equal(peer.streams, 3);
	assert_int_equal(net.streams, 3);
	assert_int_equal(node.streams, 3);
	gn_scope_del_stream(&b);
	gn_scope_del_stream(&b);
	gn_scope_del_stream(&a);
}

/* ---- reservations ---- */

static void what_is_reserved_can_be_used_whatever_others_hold(void **state)
{
	struct gn_scope stream;

	(void)state;
	gn_scope_init_stream(&stream, &a);
	gn_scope_join(&a, &peer);
	assert_true(gn_scope_reserve(&stream, 50));
	assert_int_equal(peer.used, 50);
	assert_true(gn_scope_take(&a, PEER_MAX - 50));
	assert_false(gn_scope_has(&a, 1));
	assert_true(gn_scope_take(&stream, 30));
	assert_true(gn_scope_take(&stream, 20));
	assert_false(gn_scope_take(&stream, 1));
	assert_int_equal(peer.used, PEER_MAX);
	gn_scope_give(&stream, 50);
	assert_int_equal(peer.used, PEER_MAX); /* it is still reserved */
	gn_scope_unreserve(&stream);
	assert_int_equal(peer.used, PEER_MAX - 50);
	gn_scope_give(&a, PEER_MAX - 50);
}

static void only_what_exceeds_the_reservation_is_charged(void **state)
{
	struct gn_scope stream;

	(void)state;
	gn_scope_init_stream(&stream, &a);
	gn_scope_join(&a, &peer);
	assert_true(gn_scope_take(&stream, 40));
	assert_true(gn_scope_reserve(&stream, 30)); /* 40 are charged already */
	assert_int_equal(peer.used, 40);
	assert_true(gn_scope_reserve(&stream, 20));
	assert_int_equal(peer.used, 50);
	assert_true(gn_scope_take(&stream, 20));
	assert_int_equal(peer.used, 60);
	gn_scope_unreserve(&stream); /* 60 are held */
	assert_int_equal(peer.used, 60);
	gn_scope_give(&stream, 60);
}

static void reservations_leave_a_quarter_of_a_peer_and_half_of_a_node(void **state)
{
	const size_t most = PEER_MAX - PEER_MAX / 4;
	struct gn_scope x, y;

	(void)state;
	gn_scope_init_stream(&x, &a);
	gn_scope_init_stream(&y, &b);
	gn_scope_join(&a, &peer);
	assert_false(gn_scope_reserve(&x, most + 1));
	assert_true(gn_scope_reserve(&x, most));
	assert_false(gn_scope_reserve(&x, 1));
	assert_true(gn_scope_take(&a, PEER_MAX / 4)); /* it is free for what is not reserved */
	gn_scope_give(&a, PEER_MAX / 4);
	/* b has no peer, so that only the node's half limits it. */
	assert_false(gn_scope_reserve(&y, WHOLE / 2 - most + 1));
	assert_true(gn_scope_reserve(&y, WHOLE / 2 - most));
	assert_true(gn_scope_take(&b, WHOLE / 2));
	gn_scope_give(&b, WHOLE / 2);
	gn_scope_unreserve(&x);
	gn_scope_unreserve(&y);
}

/* ---- all together ---- */

/* After random operations each count is the sum of those below it, and no maximum is exceeded unless by force. */
static void counts_are_the_sums_of_those_below(void **state)
{
	enum { STREAMS = 4 };
	uint64_t first = 1, n = 200;

	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		struct gn_scope *conns[2] = {&a, &b}, streams[STREAMS];
		size_t own[2] = {0};
		struct rng r;

		setup(state);
		net.is_fair = true;
		rng_seed(&r, seed);
		for (int i = 0; i < STREAMS; i++)
			gn_scope_init_stream(&streams[i], conns[i % 2]);
		for (int i = 0; i < 300; i++) {
			unsigned k = rng_below(&r, STREAMS);
			size_t len = rng_size(&r, 200), sum[2];
			struct gn_scope *s = &streams[k], *c = conns[k % 2];

			switch (rng_below(&r, 7)) {
			case 0:
			case 1:
				gn_scope_take(s, len);
				break;
			case 2:
				gn_scope_give(s, len < s->used ? len : s->used);
				break;
			case 3:
				gn_scope_reserve(s, len);
				break;
			case 4:
				gn_scope_unreserve(s);
				break;
			case 5:
				own[k % 2] += gn_scope_take(c, len) ? len : 0;
				break;
			default:
				if (rng_one_in(&r, 2))
					gn_scope_join(c, &peer);
				else
					gn_scope_leave(c);
			}
			for (int j = 0; j < 2; j++) {
				sum[j] = own[j];
				for (int m = j; m < STREAMS; m += 2)
					sum[j] += streams[m].used > streams[m].reserved ? streams[m].used
											: streams[m].reserved;
				assert_int_equal(conns[j]->used, sum[j]);
			}
			assert_int_equal(net.used, sum[0] + sum[1]);
			assert_int_equal(node.used, net.used);
			assert_true(node.used <= WHOLE / 2); /* the network is fair */
			assert_int_equal(peer.used, (a.peer != NULL ? sum[0] : 0) + (b.peer != NULL ? sum[1] : 0));
		}
		for (int i = 0; i < STREAMS; i++) {
			gn_scope_unreserve(&streams[i]);
			gn_scope_give(&streams[i], streams[i].used);
		}
		gn_scope_give(&a, own[0]);
		gn_scope_give(&b, own[1]);
		teardown(state);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_fair_scope_may_use_half_of_the_free_memory),
		T(the_total_is_never_exceeded),
		T(without_a_scope_nothing_is_limited),
		T(two_connections_of_a_peer_share_its_maximum),
		T(what_a_connection_holds_moves_to_its_peer),
		T(a_forced_charge_counts_past_the_maximum),
		T(streams_are_counted_in_all_scopes),
		T(what_is_reserved_can_be_used_whatever_others_hold),
		T(only_what_exceeds_the_reservation_is_charged),
		T(reservations_leave_a_quarter_of_a_peer_and_half_of_a_node),
		T(counts_are_the_sums_of_those_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
