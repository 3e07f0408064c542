/* SPDX-License-Identifier: MIT */
/* lib/node/peerbook: what a node writes to its address book, and which of its addresses a dial uses. */
#include "node/peerbook.h"

#include "loop/socket.h"
#include "node/service.h"
#include "support/support.h"

/* Node 0 dials node 1. */
struct fix {
	struct net net;
	struct gn_timer clock; /* so that time passes also while no node waits for anything */
	unsigned attempts, done;
	int err;
	enum gn_addr_origin origin;
};

static void on_clock(void *arg)
{
	(void)arg;
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	assert_non_null(f);
	net_init(&f->net, 2, NULL);
	gn_timer_init(&f->clock, f->net.loop, on_clock, f);
	gn_timer_start(&f->clock, 1000000 * GN_SEC);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	gn_timer_fini(&f->clock);
	net_fini(&f->net);
	free(f);
	return 0;
}

static struct gn_book *book_of(struct fix *f, size_t i)
{
	return f->net.node[i]->book;
}

static const struct gn_peer_id *id_of(struct fix *f, size_t i)
{
	return &f->net.node[i]->id;
}

static size_t n_addrs(struct fix *f)
{
	struct gn_book_addr out[GN_BOOK_ADDRS_MAX];

	return gn_book_addrs(book_of(f, 0), id_of(f, 1), gn_loop_now(f->net.loop), out);
}

static void disconnect(struct fix *f)
{
	struct gn_conn *c = net_conn(&f->net, 0, 0);

	assert_non_null(c);
	gn_conn_close(c);
	net_run(&f->net, GN_SEC);
	assert_int_equal(f->net.node[0]->n_conns, 0);
}

static void know(struct fix *f, const char *text, enum gn_book_origin origin)
{
	const struct gn_book_source source = {origin, GN_NEVER};
	struct gn_multiaddr *a = net_addr(text);

	assert_int_equal(gn_book_add(gn_node_book(f->net.node[0]), id_of(f, 1), a, &source, gn_loop_now(f->net.loop)),
			 0);
	gn_multiaddr_free(a);
}

static void on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	(void)addr;
	(void)err;
	(void)took;
	((struct fix *)arg)->attempts++;
}

static void on_done(void *arg, int err, struct gn_channel *ch)
{
	struct fix *f = arg;
	struct gn_channel_state st;

	f->done++;
	f->err = err;
	if (err != 0)
		return;
	gn_channel_state(ch, &st);
	f->origin = st.origin;
	gn_channel_free(ch);
}

/* Dials node 1 at this address, to which /p2p is appended, and waits for the result. */
static void dial(struct fix *f, const char *text)
{
	struct gn_multiaddr *bare = net_addr(text), *a;
	const struct gn_multiaddr *addrs[1];
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = "/x",
				  .target.on_attempt = on_attempt,
				  .on_done = on_done,
				  .arg = f};
	struct gn_dial *op;

	assert_int_equal(gn_multiaddr_with_peer(bare, id_of(f, 1), &a), 0);
	addrs[0] = a;
	f->attempts = f->done = 0;
	assert_int_equal(gn_dial_start(f->net.node[0], &cfg, &op), 0);
	for (int i = 0; i < 100 && f->done == 0; i++)
		(void)gn_loop_turn(f->net.loop, GN_MSEC);
	assert_int_equal(f->done, 1);
	gn_multiaddr_free(a);
	gn_multiaddr_free(bare);
}

/* ---- what enters the book ---- */

static void a_peer_that_was_dialled_enters_the_book_and_one_that_dialled_does_not(void **state)
{
	struct fix *f = *state;

	assert_null(book_of(f, 0));
	net_connect(&f->net, 0, 1);
	assert_non_null(book_of(f, 0));
	assert_true(gn_book_has(book_of(f, 0), id_of(f, 1)));
	assert_int_equal(gn_book_count(book_of(f, 0)), 1);
	assert_null(book_of(f, 1));
}

static void a_tagged_peer_that_dialled_enters_when_it_is_identified(void **state)
{
	struct fix *f = *state;

	assert_int_equal(gn_peer_tag(f->net.node[0], id_of(f, 1), "friend", 1), 0);
	net_connect(&f->net, 1, 0);
	assert_non_null(book_of(f, 0));
	assert_true(n_addrs(f) > 0);
}

static void a_peer_that_dialled_and_was_tagged_later_enters_when_its_connection_ends(void **state)
{
	struct fix *f = *state;

	net_connect(&f->net, 1, 0);
	assert_int_equal(gn_peer_tag(f->net.node[0], id_of(f, 1), "friend", 1), 0);
	assert_null(book_of(f, 0));
	disconnect(f);
	assert_non_null(book_of(f, 0));
	assert_true(n_addrs(f) > 0);
}

static void the_book_has_addresses_record_and_protocols(void **state)
{
	struct fix *f = *state;
	struct gn_book_addr out[GN_BOOK_ADDRS_MAX];
	struct gn_book_record record;
	bool has_ping = false;
	const char *name;

	net_connect(&f->net, 0, 1);
	assert_int_equal(gn_book_addrs(book_of(f, 0), id_of(f, 1), gn_loop_now(f->net.loop), out), 1);
	assert_int_equal(out[0].origin, GN_BOOK_RECORD);
	assert_true(out[0].succeeded != GN_BOOK_NO_TIME);
	assert_true(gn_book_record(book_of(f, 0), id_of(f, 1), &record));
	for (size_t i = 0; (name = gn_book_protocol(book_of(f, 0), id_of(f, 1), i)) != NULL; i++)
		has_ping |= strcmp(name, "/ipfs/ping/1.0.0") == 0;
	assert_true(has_ping);
}

static void a_connected_peer_s_addresses_do_not_expire(void **state)
{
	struct fix *f = *state;

	net_connect(&f->net, 0, 1);
	net_run(&f->net, 2 * GN_BOOK_KEEP);
	assert_int_equal(n_addrs(f), 1);
	gn_conn_abort(net_conn(&f->net, 0, 0), GN_ERESET);
	net_run(&f->net, GN_BOOK_KEEP - GN_MSEC);
	assert_int_equal(n_addrs(f), 1);
	net_run(&f->net, 2 * GN_MSEC);
	assert_int_equal(n_addrs(f), 0);
}

/* Delivers a message to the book as if node 1 had sent it, seen at this address. */
static void hear(struct fix *f, const char *remote, const char *const *texts, size_t n)
{
	struct gn_conn *c = net_conn(&f->net, 0, 0);
	struct gn_multiaddr *addrs[8], *was = c->remote;
	struct gn_identify_info info = {.peer = *id_of(f, 1),
					.listen = (const struct gn_multiaddr *const *)addrs,
					.n_listen = n};
	struct gn_peerbook_message message = {.info = &info};

	for (size_t i = 0; i < n; i++)
		addrs[i] = net_addr(texts[i]);
	c->remote = net_addr(remote);
	gn_peerbook_identified(c, &message);
	gn_multiaddr_free(c->remote);
	c->remote = was;
	for (size_t i = 0; i < n; i++)
		gn_multiaddr_free(addrs[i]);
}

static void addresses_without_a_meaning_where_the_peer_was_met_do_not_enter(void **state)
{
	static const char *const sent[] = {"/ip4/9.9.9.9/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/1",
					   "/ip4/0.0.0.0/tcp/1"};
	static const struct {
		const char *remote;
		size_t n; /* of those that were sent */
	} cases[] = {{"/ip4/8.8.8.8/tcp/1", 1}, {"/ip4/192.168.1.1/tcp/1", 2}, {"/ip4/127.0.0.1/tcp/1", 3}};
	struct fix *f = *state;

	net_connect(&f->net, 0, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		hear(f, cases[i].remote, sent, 4);
		assert_int_equal(n_addrs(f), 1 + cases[i].n); /* and that of its record */
	}
}

static void an_inbound_peer_that_is_in_the_book_is_updated(void **state)
{
	static const char *const sent[] = {"/memory/5000"};
	struct fix *f = *state;

	net_connect(&f->net, 1, 0);
	hear(f, "/memory/101", sent, 1);
	assert_null(book_of(f, 0));
	know(f, "/memory/6000", GN_BOOK_USER);
	hear(f, "/memory/101", sent, 1);
	assert_int_equal(n_addrs(f), 2);
}

/* ---- which addresses are dialled ---- */

static void a_dial_uses_the_addresses_of_the_book_after_those_it_was_given(void **state)
{
	struct fix *f = *state;

	net_connect(&f->net, 0, 1);
	disconnect(f);
	dial(f, "/memory/9999");
	assert_int_equal(f->err, 0);
	assert_int_equal(f->attempts, 2);
	assert_int_equal(f->origin, GN_ORIGIN_BOOK);
	disconnect(f);
	dial(f, "/memory/101"); /* is in the book, too, and is tried once */
	assert_int_equal(f->err, 0);
	assert_int_equal(f->attempts, 1);
	assert_int_equal(f->origin, GN_ORIGIN_ADDRESS);
}

static void an_address_that_failed_rests(void **state)
{
	struct fix *f = *state;

	gn_node_unlisten(f->net.node[1]);
	know(f, "/memory/101", GN_BOOK_IDENTIFY);
	dial(f, "/memory/9999");
	assert_int_equal(f->attempts, 2);
	assert_int_equal(f->err, -ECONNREFUSED);
	/* The rest ends between 4 and 6 s after the failure. */
	net_run(&f->net, GN_BOOK_REST_MIN - GN_SEC);
	dial(f, "/memory/9999");
	assert_int_equal(f->attempts, 1);
	net_run(&f->net, 2 * GN_SEC);
	dial(f, "/memory/9999");
	assert_int_equal(f->attempts, 2);
	/* Then it is twice as long. */
	net_run(&f->net, 2 * GN_BOOK_REST_MIN - GN_SEC);
	dial(f, "/memory/9999");
	assert_int_equal(f->attempts, 1);
}

static void an_address_that_rests_is_dialled_when_the_caller_names_it(void **state)
{
	struct fix *f = *state;

	gn_node_unlisten(f->net.node[1]);
	know(f, "/memory/101", GN_BOOK_IDENTIFY);
	for (int i = 0; i < 3; i++) {
		dial(f, "/memory/101");
		assert_int_equal(f->attempts, 1);
		assert_int_equal(f->err, -ECONNREFUSED);
	}
}

static void an_error_of_this_host_is_no_failure_of_the_address(void **state)
{
	static const struct {
		int err;
		bool rests;
	} cases[] = {{-ENETUNREACH, false}, {-ENOMEM, false},      {GN_ELIMIT, false},  {GN_ECLOSED, false},
		     {-ECONNREFUSED, true}, {-EHOSTUNREACH, true}, {GN_ETIMEOUT, true}, {GN_EAUTH, true}};
	struct fix *f = *state;
	struct gn_multiaddr *a = net_addr("/memory/101");

	know(f, "/memory/101", GN_BOOK_IDENTIFY);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gn_book_addr out[GN_BOOK_ADDRS_MAX];

		gn_peerbook_result(f->net.node[0], id_of(f, 1), a, 0);
		gn_peerbook_result(f->net.node[0], id_of(f, 1), a, cases[i].err);
		assert_int_equal(gn_book_addrs(book_of(f, 0), id_of(f, 1), gn_loop_now(f->net.loop), out), 1);
		assert_int_equal(out[0].failures, cases[i].rests);
	}
	gn_multiaddr_free(a);
}

static void an_address_that_no_transport_serves_is_not_attempted(void **state)
{
	struct fix *f = *state;

	know(f, "/ip4/9.9.9.9/udp/1/quic-v1", GN_BOOK_RECORD);
	dial(f, "/memory/9999");
	assert_int_equal(f->attempts, 1);
	assert_int_equal(f->err, -ECONNREFUSED);
}

/* ---- private networks ---- */

static struct gn_ifaddr interface_at(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t prefix)
{
	return (struct gn_ifaddr){.addr = {.family = 4, .ip = {a, b, c, d}}, .prefix = prefix};
}

static void a_private_address_is_dialled_only_in_a_network_of_this_host(void **state)
{
	struct gn_ifaddr ifs[] = {interface_at(10, 1, 2, 3, 23),
				  interface_at(192, 168, 7, 0, 31),
				  interface_at(172, 16, 0, 9, 32),
				  interface_at(100, 64, 0, 1, 0),
				  {.addr = {.family = 6, .ip = {0xfd, 1, 2, 3, 4, 5, 6, 7, 8}}, .prefix = 64}};
	struct gn_peerbook_host host = {ifs, sizeof ifs / sizeof *ifs, true};
	static const struct {
		const char *text;
		bool may;
	} cases[] = {
		{"/ip4/10.1.2.0/tcp/1", true},
		{"/ip4/10.1.3.255/tcp/1", true},
		{"/ip4/10.1.1.255/tcp/1", false},
		{"/ip4/10.1.4.0/tcp/1", false},
		{"/ip4/192.168.7.1/tcp/1", true},
		{"/ip4/192.168.7.2/tcp/1", false},
		{"/ip4/192.168.6.255/tcp/1", false},
		{"/ip4/172.16.0.9/tcp/1", true},
		{"/ip4/172.16.0.8/tcp/1", false},
		{"/ip4/100.64.0.1/tcp/1", false}, /* its network is unknown */
		{"/ip6/fd01:203:405:607:ffff::1/tcp/1", true},
		{"/ip6/fd01:203:405:608::1/tcp/1", false},
		{"/ip6/::ffff:10.1.2.3/tcp/1", false},
		{"/ip6/fe80::1/tcp/1", false},
		{"/ip4/0.0.0.0/tcp/1", false},
		{"/ip4/9.9.9.9/tcp/1", true},
		{"/ip4/127.0.0.1/tcp/1", true}, /* the book takes it only of a peer on the loopback */
		{"/memory/1", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct gn_multiaddr *a = net_addr(cases[i].text);

		if (gn_peerbook_may_dial(&host, a) != cases[i].may)
			fail_msg("%s", cases[i].text);
		gn_multiaddr_free(a);
	}
}

static size_t n_candidates(struct fix *f)
{
	struct gn_multiaddr *out[GN_BOOK_ADDRS_MAX];
	size_t n = gn_peerbook_addrs(f->net.node[0], id_of(f, 1), out);

	for (size_t i = 0; i < n; i++)
		gn_multiaddr_free(out[i]);
	return n;
}

/* The network is one that no interface of the test's machine has. */
static void a_private_address_that_the_user_gave_is_dialled(void **state)
{
	struct fix *f = *state;

	know(f, "/ip6/fdff:ffff:ffff:1::1/tcp/1", GN_BOOK_RECORD);
	assert_int_equal(n_candidates(f), 0);
	know(f, "/ip6/fdff:ffff:ffff:1::1/tcp/1", GN_BOOK_USER);
	assert_int_equal(n_candidates(f), 1);
}

/* ---- own addresses ---- */

static unsigned changes;

static int counter_start(struct gn_node *node, const void *config, void **state)
{
	(void)config;
	*state = node;
	return 0;
}

static void counter_stop(void *state)
{
	(void)state;
}

static void counter_on_change(void *state)
{
	(void)state;
	changes++;
}

static void an_own_address_that_expires_is_reported(void **state)
{
	static const struct gn_service_ops counter = {.name = "counter",
						      .start = counter_start,
						      .stop = counter_stop,
						      .on_change = counter_on_change};
	struct fix *f = *state;
	struct gn_node *node = f->net.node[0];
	struct gn_multiaddr *a = net_addr("/ip4/9.9.9.9/tcp/1"), *b = net_addr("/ip4/9.9.9.9/tcp/2");
	gn_time now = gn_loop_now(f->net.loop);
	bool changed;

	assert_int_equal(gn_service_attach(node, &counter, NULL), 0);
	changes = 0;
	assert_int_equal(gn_own_add(&node->own, GN_OWN_MAPPED, a, now + 10 * GN_SEC, &changed), 0);
	gn_node_own_changed(node, changed);
	assert_int_equal(gn_own_add(&node->own, GN_OWN_MAPPED, b, now + 5 * GN_SEC, &changed), 0);
	gn_node_own_changed(node, changed);
	assert_int_equal(changes, 2);
	net_run(&f->net, 5 * GN_SEC - GN_MSEC);
	assert_int_equal(changes, 2);
	net_run(&f->net, 2 * GN_MSEC);
	assert_int_equal(changes, 3);
	assert_int_equal(node->own.n[GN_OWN_MAPPED], 1);
	net_run(&f->net, 5 * GN_SEC);
	assert_int_equal(changes, 4);
	assert_int_equal(node->own.n[GN_OWN_MAPPED], 0);
	gn_multiaddr_free(a);
	gn_multiaddr_free(b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_peer_that_was_dialled_enters_the_book_and_one_that_dialled_does_not),
		TEST(the_book_has_addresses_record_and_protocols),
		TEST(a_connected_peer_s_addresses_do_not_expire),
		TEST(addresses_without_a_meaning_where_the_peer_was_met_do_not_enter),
		TEST(an_inbound_peer_that_is_in_the_book_is_updated),
		TEST(a_tagged_peer_that_dialled_enters_when_it_is_identified),
		TEST(a_peer_that_dialled_and_was_tagged_later_enters_when_its_connection_ends),
		TEST(a_dial_uses_the_addresses_of_the_book_after_those_it_was_given),
		TEST(an_address_that_failed_rests),
		TEST(an_address_that_rests_is_dialled_when_the_caller_names_it),
		TEST(an_error_of_this_host_is_no_failure_of_the_address),
		TEST(an_address_that_no_transport_serves_is_not_attempted),
		TEST(a_private_address_is_dialled_only_in_a_network_of_this_host),
		TEST(a_private_address_that_the_user_gave_is_dialled),
		TEST(an_own_address_that_expires_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
