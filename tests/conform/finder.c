/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite of finders (node/finder.h): the same tests run over each finder.  A finder is an entry of
 * `kinds`: a function that attaches it to a node, so that nodes 0 and 1 find one another.
 */
#include <errno.h>

#include "node/attached.h"
#include "support/support.h"

struct fix;

struct kind {
	const char *name;
	const struct gn_finder_ops *ops;
	int (*attach)(struct fix *f, size_t node);
};

struct search {
	struct fix *f;
	struct gn_finder_find *op;
	unsigned n_found, n_done;
	int err;
	struct gn_peer_id last;
	bool cancels; /* at the first peer */
	bool is_starting;
};

struct advert {
	struct fix *f;
	struct gn_finder_advert *op;
	unsigned n_results, n_lost;
	struct gn_advertised last;
	bool withdraws; /* at the first result */
};

struct fix {
	struct net net;
	const struct kind *kind;
	struct dummy_finder_place place;
	struct search s[2];
	struct advert a[2];
};

/* ---- the finders ---- */

static int dummy_attach(struct fix *f, size_t node)
{
	return gn_finder_attach(f->net.node[node], &dummy_finder, &f->place);
}

static const struct kind kinds[] = {{"dummy", &dummy_finder, dummy_attach}};

/* ---- operations ---- */

static void *finder_of(struct fix *f, size_t node)
{
	struct gn_attached *a = gn_attached_find(&f->net.node[node]->finders, f->kind->ops);

	assert_non_null(a);
	return a->state;
}

static struct gn_topic topic_of(enum gn_topic_kind kind, const char *bytes)
{
	return (struct gn_topic){kind, (const uint8_t *)bytes, strlen(bytes)};
}

static void on_found(void *arg, const struct gn_found *found)
{
	struct search *s = arg;

	assert_false(s->is_starting);
	assert_int_equal(s->n_done, 0);
	s->n_found++;
	s->last = found->peer;
	if (s->cancels)
		s->f->kind->ops->cancel(s->op);
}

static void on_done(void *arg, int err)
{
	struct search *s = arg;

	assert_false(s->is_starting);
	s->n_done++;
	s->err = err;
}

static int search(struct fix *f, size_t i, size_t node, struct gn_topic topic, unsigned max)
{
	struct search *s = &f->s[i];
	struct gn_finder_find_cfg cfg = {.topic = topic,
					 .max = max,
					 .on_found = on_found,
					 .on_done = on_done,
					 .arg = s};
	int err;

	s->f = f;
	s->n_found = s->n_done = 0;
	s->is_starting = true;
	err = f->kind->ops->find(finder_of(f, node), &cfg, &s->op);
	s->is_starting = false;
	return err;
}

static void on_advertised(void *arg, const struct gn_advertised *result)
{
	struct advert *a = arg;

	a->n_results++;
	a->last = *result;
	if (a->withdraws)
		a->f->kind->ops->withdraw(a->op);
}

static void on_lost(void *arg)
{
	((struct advert *)arg)->n_lost++;
}

static int advertise(struct fix *f, size_t i, size_t node, struct gn_topic topic)
{
	struct advert *a = &f->a[i];
	struct gn_finder_advertise_cfg cfg = {.topic = topic,
					      .on_advertised = on_advertised,
					      .on_lost = on_lost,
					      .arg = a};

	a->f = f;
	return f->kind->ops->advertise(finder_of(f, node), &cfg, &a->op);
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->kind = *state;
	dummy_finder_place_init(&f->place);
	net_init(&f->net, 2, NULL);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(f->kind->attach(f, i), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	net_fini(&f->net);
	assert_int_equal(f->place.n_open, 0);
	free(f);
	return 0;
}

/* ---- the tests ---- */

static void what_one_node_announces_another_finds(void **state)
{
	static const enum gn_topic_kind of[] = {GN_TOPIC_NAMESPACE, GN_TOPIC_CONTENT};
	struct fix *f = *state;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(advertise(f, i, 0, topic_of(of[i], "topic")), 0);
		net_run(&f->net, GN_SEC);
		assert_true(f->a[i].n_results >= 1);
		assert_int_equal(f->a[i].last.err, 0);
		assert_true(f->a[i].last.n_stored >= 1 && f->a[i].last.n_stored <= f->a[i].last.n_asked);
		assert_int_equal(search(f, 0, 1, topic_of(of[i], "topic"), 0), 0);
		net_run(&f->net, 60 * GN_SEC);
		assert_int_equal(f->s[0].n_done, 1);
		assert_int_equal(f->s[0].err, 0);
		assert_int_equal(f->s[0].n_found, 1);
		assert_true(gn_peer_id_is_equal(&f->s[0].last, &f->net.node[0]->id));
	}
}

static void another_topic_is_not_found(void **state)
{
	struct fix *f = *state;

	assert_int_equal(advertise(f, 0, 0, topic_of(GN_TOPIC_NAMESPACE, "topic")), 0);
	net_run(&f->net, GN_SEC);
	assert_int_equal(search(f, 0, 1, topic_of(GN_TOPIC_NAMESPACE, "topi"), 0), 0);
	assert_int_equal(search(f, 1, 1, topic_of(GN_TOPIC_CONTENT, "topic"), 0), 0);
	net_run(&f->net, 60 * GN_SEC);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(f->s[i].n_done, 1);
		assert_int_equal(f->s[i].err, 0);
		assert_int_equal(f->s[i].n_found, 0);
	}
}

static void a_search_may_stop_at_its_maximum(void **state)
{
	struct fix *f = *state;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(advertise(f, i, i, topic_of(GN_TOPIC_NAMESPACE, "topic")), 0);
	net_run(&f->net, GN_SEC);
	for (unsigned max = 0; max < 2; max++) {
		assert_int_equal(search(f, max, 1, topic_of(GN_TOPIC_NAMESPACE, "topic"), max), 0);
		net_run(&f->net, 60 * GN_SEC);
	}
	assert_int_equal(f->s[0].n_found, 2);
	assert_true(f->s[1].n_found >= 1);
	assert_int_equal(f->s[1].n_done, 1);
}

static void an_announcement_is_repeated_until_it_is_withdrawn(void **state)
{
	struct fix *f = *state;
	unsigned n;

	f->place.delay = 100 * GN_SEC;
	assert_int_equal(advertise(f, 0, 0, topic_of(GN_TOPIC_NAMESPACE, "topic")), 0);
	assert_int_equal(advertise(f, 1, 0, topic_of(GN_TOPIC_NAMESPACE, "topic")), -EEXIST);
	net_run(&f->net, 1000 * GN_SEC);
	assert_true(f->a[0].n_results >= 2);
	n = f->a[0].n_results;
	f->kind->ops->withdraw(f->a[0].op);
	net_run(&f->net, 1000 * GN_SEC);
	assert_int_equal(f->a[0].n_results, n);
	assert_int_equal(f->a[0].n_lost, 0);
	assert_int_equal(advertise(f, 1, 0, topic_of(GN_TOPIC_NAMESPACE, "topic")), 0);
}

static void a_failed_announcement_is_reported_and_tried_again(void **state)
{
	struct fix *f = *state;

	f->place.err = GN_EUNREACH;
	assert_int_equal(advertise(f, 0, 0, topic_of(GN_TOPIC_NAMESPACE, "topic")), 0);
	net_run(&f->net, GN_SEC);
	assert_int_equal(f->a[0].last.err, GN_EUNREACH);
	assert_int_equal(f->a[0].last.n_stored, 0);
	f->place.err = 0;
	net_run(&f->net, 60 * GN_SEC);
	assert_int_equal(f->a[0].last.err, 0);
}

static void operations_may_be_ended_inside_their_callbacks(void **state)
{
	struct fix *f = *state;

	assert_int_equal(advertise(f, 0, 0, topic_of(GN_TOPIC_NAMESPACE, "topic")), 0);
	net_run(&f->net, GN_SEC);
	f->s[0].cancels = true;
	assert_int_equal(search(f, 0, 1, topic_of(GN_TOPIC_NAMESPACE, "topic"), 0), 0);
	f->a[1].withdraws = true;
	assert_int_equal(advertise(f, 1, 1, topic_of(GN_TOPIC_NAMESPACE, "topic")), 0);
	net_run(&f->net, 60 * GN_SEC);
	assert_int_equal(f->s[0].n_found, 1);
	assert_int_equal(f->s[0].n_done, 0);
	assert_int_equal(f->a[1].n_results, 1);
	assert_int_equal(f->a[1].n_lost, 0);
}

static void a_search_that_was_cancelled_calls_nothing(void **state)
{
	struct fix *f = *state;

	assert_int_equal(search(f, 0, 1, topic_of(GN_TOPIC_NAMESPACE, "topic"), 0), 0);
	f->kind->ops->cancel(f->s[0].op);
	net_run(&f->net, 60 * GN_SEC);
	assert_int_equal(f->s[0].n_done, 0);
}

static void bad_topics_are_refused(void **state)
{
	static char long_name[GN_TOPIC_LEN_MAX + 2];
	struct gn_topic with_nul = {GN_TOPIC_NAMESPACE, (const uint8_t *)"a\0b", 3};
	struct fix *f = *state;

	memset(long_name, 'x', GN_TOPIC_LEN_MAX + 1);
	assert_int_equal(search(f, 0, 0, topic_of(GN_TOPIC_NAMESPACE, long_name), 0), GN_ETOOBIG);
	long_name[GN_TOPIC_LEN_MAX] = '\0';
	assert_int_equal(search(f, 0, 0, topic_of(GN_TOPIC_NAMESPACE, long_name), 0), 0);
	assert_int_equal(search(f, 1, 0, topic_of(GN_TOPIC_NAMESPACE, ""), 0), -EINVAL);
	assert_int_equal(search(f, 1, 0, topic_of(GN_TOPIC_NODES, "x"), 0), -EINVAL);
	assert_int_equal(search(f, 1, 0, with_nul, 0), -EINVAL);
	assert_int_equal(advertise(f, 0, 0, topic_of(GN_TOPIC_NAMESPACE, "")), -EINVAL);
	assert_true(advertise(f, 0, 0, topic_of(GN_TOPIC_NODES, "")) != 0);
}

static void stopping_ends_searches_and_announcements(void **state)
{
	struct fix *f = *state;

	assert_int_equal(search(f, 0, 0, topic_of(GN_TOPIC_NAMESPACE, "topic"), 0), 0);
	assert_int_equal(advertise(f, 0, 0, topic_of(GN_TOPIC_NAMESPACE, "topic")), 0);
	assert_int_equal(gn_finder_detach(f->net.node[0], f->kind->ops), 0);
	assert_int_equal(f->s[0].n_done, 1);
	assert_int_equal(f->s[0].err, GN_ECLOSED);
	assert_int_equal(f->a[0].n_lost, 1);
	assert_int_equal(gn_finder_detach(f->net.node[0], f->kind->ops), -ENOENT);
	assert_int_equal(f->kind->attach(f, 0), 0);
	assert_int_equal(f->kind->attach(f, 0), -EEXIST);
}

int main(void)
{
	int failed = 0;

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		void *kind = (void *)(uintptr_t)&kinds[k];
#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, teardown, kind)
		const struct CMUnitTest tests[] = {
			TEST(what_one_node_announces_another_finds),
			TEST(another_topic_is_not_found),
			TEST(a_search_may_stop_at_its_maximum),
			TEST(an_announcement_is_repeated_until_it_is_withdrawn),
			TEST(a_failed_announcement_is_reported_and_tried_again),
			TEST(operations_may_be_ended_inside_their_callbacks),
			TEST(a_search_that_was_cancelled_calls_nothing),
			TEST(bad_topics_are_refused),
			TEST(stopping_ends_searches_and_announcements),
		};

		failed += cmocka_run_group_tests_name(kinds[k].name, tests, NULL, NULL);
	}
	return failed;
}
