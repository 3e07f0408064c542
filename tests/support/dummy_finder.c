/* SPDX-License-Identifier: MIT */
#include "support/dummy_finder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"
#include "node/node.h"

struct dummy_finder_state {
	struct gn_node *node;
	struct dummy_finder_place *place;
	struct gn_list finds, adverts;
};

/* A topic with its bytes. */
struct dummy_topic {
	struct gn_topic topic;
	uint8_t bytes[GN_TOPIC_LEN_MAX];
};

struct gn_finder_find {
	struct gn_list link;
	struct dummy_finder_state *finder;
	struct gn_finder_find_cfg cfg;
	struct dummy_topic topic;
	struct gn_timer timer;
	unsigned next; /* the number of the announcement that is reported next */
};

struct gn_finder_advert {
	struct gn_list link, link_place;
	struct dummy_finder_state *finder;
	struct gn_finder_advertise_cfg cfg;
	struct dummy_topic topic;
	struct gn_timer timer;
	bool is_stored;
};

void dummy_finder_place_init(struct dummy_finder_place *place)
{
	memset(place, 0, sizeof *place);
	gn_list_init(&place->adverts);
	place->delay = GN_MSEC;
}

static void dummy_topic_copy(struct dummy_topic *to, const struct gn_topic *from)
{
	to->topic = *from;
	if (from->len > 0)
		memcpy(to->bytes, from->bytes, from->len);
	to->topic.bytes = to->bytes;
}

static bool dummy_topic_is_same(const struct gn_topic *a, const struct gn_topic *b)
{
	return a->kind == b->kind && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* ---- searches ---- */

static void dummy_search_free(struct gn_finder_find *f)
{
	f->finder->place->n_open--;
	gn_timer_fini(&f->timer);
	gn_list_del(&f->link);
	free(f);
}

static void dummy_search_end(struct gn_finder_find *f, int err)
{
	struct gn_finder_find_cfg cfg = f->cfg;

	dummy_search_free(f);
	cfg.on_done(cfg.arg, err);
}

/* The stored announcement of the topic with this number; NULL: there are not so many. */
static const struct gn_finder_advert *dummy_search_at(const struct gn_finder_find *f)
{
	unsigned n = f->next;
	struct gn_list *at;

	gn_list_for_each(at, &f->finder->place->adverts) {
		const struct gn_finder_advert *a = gn_list_entry(at, struct gn_finder_advert, link_place);

		if (a->is_stored && dummy_topic_is_same(&a->topic.topic, &f->topic.topic) && n-- == 0)
			return a;
	}
	return NULL;
}

static void dummy_search_on_timer(void *arg)
{
	struct gn_finder_find *f = arg;
	const struct gn_finder_advert *a = f->cfg.max > 0 && f->next == f->cfg.max ? NULL : dummy_search_at(f);
	struct gn_found found = {.addrs = {.source = {GN_BOOK_DHT, GN_NEVER}}};

	if (a == NULL) {
		dummy_search_end(f, 0);
		return;
	}
	f->next++;
	gn_timer_start(&f->timer, f->finder->place->delay);
	found.peer = a->finder->node->id;
	f->cfg.on_found(f->cfg.arg, &found); /* last, because it may cancel the search */
}

static int dummy_search(void *state, const struct gn_finder_find_cfg *cfg, struct gn_finder_find **out)
{
	struct dummy_finder_state *s = state;
	int err = gn_topic_check(&cfg->topic);
	struct gn_finder_find *f = err == 0 ? calloc(1, sizeof *f) : NULL;

	if (f == NULL)
		return err != 0 ? err : -ENOMEM;
	f->finder = s;
	f->cfg = *cfg;
	dummy_topic_copy(&f->topic, &cfg->topic);
	gn_list_init(&f->link);
	gn_list_add_tail(&s->finds, &f->link);
	s->place->n_open++;
	gn_timer_init(&f->timer, s->node->loop, dummy_search_on_timer, f);
	gn_timer_start(&f->timer, s->place->delay);
	*out = f;
	return 0;
}

/* ---- announcements ---- */

static void dummy_advert_free(struct gn_finder_advert *a)
{
	a->finder->place->n_open--;
	gn_timer_fini(&a->timer);
	gn_list_del(&a->link);
	gn_list_del(&a->link_place);
	free(a);
}

static void dummy_advert_on_timer(void *arg)
{
	struct gn_finder_advert *a = arg;
	const struct dummy_finder_place *place = a->finder->place;
	struct gn_advertised result = {.err = place->err,
				       .n_asked = 1,
				       .n_stored = place->err == 0,
				       .expires = gn_loop_now(a->finder->node->loop) + place->delay};

	a->is_stored = place->err == 0;
	gn_timer_start(&a->timer, place->delay);
	a->cfg.on_advertised(a->cfg.arg, &result); /* last, because it may withdraw */
}

static int dummy_advertise(void *state, const struct gn_finder_advertise_cfg *cfg, struct gn_finder_advert **out)
{
	struct dummy_finder_state *s = state;
	struct gn_finder_advert *a;
	struct gn_list *at;
	int err = gn_topic_check(&cfg->topic);

	if (err == 0 && cfg->topic.kind == GN_TOPIC_NODES)
		err = GN_ENOPROTO;
	if (err != 0)
		return err;
	gn_list_for_each(at, &s->adverts)
		if (dummy_topic_is_same(&gn_list_entry(at, struct gn_finder_advert, link)->topic.topic, &cfg->topic))
			return -EEXIST;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return -ENOMEM;
	a->finder = s;
	a->cfg = *cfg;
	dummy_topic_copy(&a->topic, &cfg->topic);
	gn_list_init(&a->link);
	gn_list_init(&a->link_place);
	gn_list_add_tail(&s->adverts, &a->link);
	gn_list_add_tail(&s->place->adverts, &a->link_place);
	s->place->n_open++;
	gn_timer_init(&a->timer, s->node->loop, dummy_advert_on_timer, a);
	gn_timer_start(&a->timer, s->place->delay);
	*out = a;
	return 0;
}

/* ---- life ---- */

static int dummy_finder_start(struct gn_node *node, const void *config, void **state)
{
	struct dummy_finder_state *s;

	if (config == NULL)
		return -EINVAL;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	s->node = node;
	s->place = (struct dummy_finder_place *)(uintptr_t)config;
	gn_list_init(&s->finds);
	gn_list_init(&s->adverts);
	*state = s;
	return 0;
}

static void dummy_finder_stop(void *state)
{
	struct dummy_finder_state *s = state;
	struct gn_finder_advert *a;
	struct gn_finder_find *f;

	while ((f = gn_list_first(&s->finds, struct gn_finder_find, link)) != NULL)
		dummy_search_end(f, GN_ECLOSED);
	while ((a = gn_list_first(&s->adverts, struct gn_finder_advert, link)) != NULL) {
		struct gn_finder_advertise_cfg cfg = a->cfg;

		dummy_advert_free(a);
		cfg.on_lost(cfg.arg);
	}
	free(s);
}

const struct gn_finder_ops dummy_finder = {
	.name = "dummy",
	.start = dummy_finder_start,
	.stop = dummy_finder_stop,
	.find = dummy_search,
	.cancel = dummy_search_free,
	.advertise = dummy_advertise,
	.withdraw = dummy_advert_free,
};
