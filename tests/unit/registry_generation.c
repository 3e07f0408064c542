/* SPDX-License-Identifier: MIT */
/* The generations of lib/node/registry.c: protocols of a node that change while peers open streams. */
#include "node/registry.h"
#include "support/support.h"

static void each_entry_has_a_generation_of_its_own(void **state)
{
	struct gn_registry r = {0};
	char id[] = "/a";
	struct gn_registry_entry entry = {.id = id};
	uint32_t first;

	(void)state;
	assert_int_equal(gn_registry_add(&r, &entry), 0);
	first = r.entries[0].generation;
	assert_int_equal(gn_registry_del(&r, "/a"), 0);
	assert_int_equal(gn_registry_add(&r, &entry), 0);
	assert_int_equal(r.n, 1);
	assert_int_not_equal(r.entries[0].generation, first);
	gn_registry_fini(&r);
}

/* ---- a protocol that is replaced while a stream for it is negotiated ---- */

struct replaced {
	struct net w;
	int first, old, replacement;
	struct gn_channel *opened[2];
	int errs[2];
};

static void on_replacement(void *arg, struct gn_channel *ch)
{
	((struct replaced *)arg)->replacement++;
	gn_channel_free(ch);
}

static void on_old(void *arg, struct gn_channel *ch)
{
	((struct replaced *)arg)->old++;
	gn_channel_free(ch);
}

/* Replaces the protocol of the second stream while the first one is delivered; both are negotiated
 * already.  The new id has the length of the old one, so that an allocator is likely to give it the same
 * memory. */
static void on_first(void *arg, struct gn_channel *ch)
{
	struct replaced *f = arg;
	struct gn_protocol_cfg cfg = {.id = "/xyz", .on_open = on_replacement, .arg = f};

	f->first++;
	gn_channel_free(ch);
	assert_int_equal(gn_protocol_del(f->w.node[0], "/old"), 0);
	assert_int_equal(gn_protocol_add(f->w.node[0], &cfg), 0);
}

static void on_channel(void *arg, int err, struct gn_channel *ch)
{
	struct gn_channel **slot = arg;

	assert_int_equal(err, 0);
	*slot = ch;
}

static void dial(struct replaced *f, const char *protocol, struct gn_channel **slot)
{
	const struct gn_multiaddr *addrs[] = {f->w.addr[0]};
	struct gn_dial_cfg cfg = {.target.addrs = addrs,
				  .target.n_addrs = 1,
				  .protocol = protocol,
				  .on_done = on_channel,
				  .arg = slot};
	struct gn_dial *op;

	assert_int_equal(gn_dial_start(f->w.node[1], &cfg, &op), 0);
}

static void a_stream_does_not_go_to_the_protocol_in_place_of_a_deleted_one(void **state)
{
	struct replaced f = {.first = 0};
	struct gn_protocol_cfg first = {.id = "/1st", .on_open = on_first, .arg = &f};
	struct gn_protocol_cfg old = {.id = "/old", .on_open = on_old, .arg = &f};
	struct gn_channel *ready = NULL;

	(void)state;
	net_init(&f.w, 2, NULL);
	assert_int_equal(gn_protocol_add(f.w.node[0], &first), 0);
	assert_int_equal(gn_protocol_add(f.w.node[0], &old), 0);
	dial(&f, "/none", &ready); /* opens the connection */
	net_run(&f.w, 100 * GN_MSEC);
	dial(&f, "/1st", &f.opened[0]);
	dial(&f, "/old", &f.opened[1]);
	net_run(&f.w, 100 * GN_MSEC);
	assert_int_equal(f.first, 1);
	assert_int_equal(f.replacement, 0);
	assert_int_equal(f.old, 0);
	assert_int_equal(gn_channel_error(f.opened[1]), GN_ERESET);
	gn_channel_free(f.opened[0]);
	gn_channel_free(f.opened[1]);
	gn_channel_free(ready);
	net_fini(&f.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_entry_has_a_generation_of_its_own),
		cmocka_unit_test(a_stream_does_not_go_to_the_protocol_in_place_of_a_deleted_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
