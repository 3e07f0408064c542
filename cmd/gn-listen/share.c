/* SPDX-License-Identifier: MIT */
#include "share.h"

#include <errno.h>
#include <stdlib.h>

#include "common/netblock.h"

#define PLACES_MIN 3 /* with fewer places the rule does not apply */
#define FACTOR 3     /* times the places that stay free */
#define LOOPBACK 9   /* the factor for a loopback address */

struct share_count {
	unsigned running, waiting;
};

/* Peers of one IPv4 address or IPv6 /64. */
struct share_net {
	struct share_net *next;
	struct netblock block;
	unsigned peers;
	struct share_count count;
};

struct share_peer {
	struct share_peer *next;
	struct gn_peer_id id;
	struct share_net *net; /* NULL: no IP address */
	unsigned streams;
	uint64_t served; /* the number of its latest start, counted over all peers; 0: none */
	struct share_count count;
};

struct share {
	struct share_cfg cfg;
	struct share_peer *peers;
	struct share_net *nets;
	struct share_count count;
	uint64_t starts;
};

int share_new(const struct share_cfg *cfg, struct share **out)
{
	struct share *s = calloc(1, sizeof *s);

	if (s == NULL)
		return -ENOMEM;
	s->cfg = *cfg;
	*out = s;
	return 0;
}

void share_free(struct share *s)
{
	free(s);
}

static struct share_net *net_find(struct share *s, const struct netblock *block)
{
	struct share_net *n = s->nets;

	while (n != NULL && !netblock_is_equal(&n->block, block))
		n = n->next;
	if (n != NULL)
		return n;
	n = calloc(1, sizeof *n);
	if (n == NULL)
		return NULL;
	n->block = *block;
	n->next = s->nets;
	s->nets = n;
	return n;
}

static void net_leave(struct share *s, struct share_net *n)
{
	struct share_net **at = &s->nets;

	if (n == NULL || --n->peers > 0)
		return;
	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	free(n);
}

static struct share_peer *peer_new(struct share *s, const struct gn_peer_id *id, const struct netblock *block)
{
	struct share_peer *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->id = *id;
	if (block->family != 0) {
		p->net = net_find(s, block);
		if (p->net == NULL) {
			free(p);
			return NULL;
		}
		p->net->peers++;
	}
	p->next = s->peers;
	s->peers = p;
	return p;
}

/* A peer that connects from two addresses is counted for the first one until its last stream has ended. */
struct share_peer *share_enter(struct share *s, const struct gn_channel_state *st)
{
	struct share_peer *p = s->peers;
	struct netblock block;

	netblock_of(st->remote, &block);
	while (p != NULL && !gn_peer_id_is_equal(&p->id, &st->peer))
		p = p->next;
	if (p == NULL)
		p = peer_new(s, &st->peer, &block);
	if (p == NULL)
		return NULL;
	p->streams++;
	p->count.waiting++;
	s->count.waiting++;
	if (p->net != NULL)
		p->net->count.waiting++;
	return p;
}

static void count_running(struct share *s, struct share_peer *p, int by)
{
	s->count.running += (unsigned)by;
	p->count.running += (unsigned)by;
	if (p->net != NULL)
		p->net->count.running += (unsigned)by;
}

static void not_waiting(struct share *s, struct share_peer *p)
{
	s->count.waiting--;
	p->count.waiting--;
	if (p->net != NULL)
		p->net->count.waiting--;
}

void share_start(struct share *s, struct share_peer *p)
{
	not_waiting(s, p);
	count_running(s, p, 1);
	p->served = ++s->starts;
}

void share_stop(struct share *s, struct share_peer *p)
{
	count_running(s, p, -1);
}

void share_leave(struct share *s, struct share_peer *p, bool is_waiting)
{
	struct share_peer **at = &s->peers;

	if (is_waiting)
		not_waiting(s, p);
	if (--p->streams > 0)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	net_leave(s, p->net);
	free(p);
}

/* Whether one more is allowed; the last free place is kept for those that run none. */
static bool is_within(const struct share *s, const struct share_count *c, unsigned factor)
{
	return c->running == 0 || c->running < factor * (s->cfg.places - s->count.running - 1);
}

bool share_may_start(const struct share *s, const struct share_peer *p)
{
	if (s->count.running >= s->cfg.places)
		return false;
	if (s->cfg.is_free || s->cfg.places < PLACES_MIN)
		return true;
	if (!is_within(s, &p->count, FACTOR))
		return false;
	return p->net == NULL || is_within(s, &p->net->count, netblock_is_loopback(&p->net->block) ? LOOPBACK : FACTOR);
}

bool share_is_before(const struct share_peer *a, const struct share_peer *b)
{
	unsigned of_a = a->net != NULL ? a->net->count.running : a->count.running;
	unsigned of_b = b->net != NULL ? b->net->count.running : b->count.running;

	if (of_a != of_b)
		return of_a < of_b;
	if (a->count.running != b->count.running)
		return a->count.running < b->count.running;
	return a->served < b->served;
}

bool share_is_over(const struct share *s, const struct share_peer *p)
{
	return p->count.waiting > s->cfg.waiting_peer;
}

bool share_is_full(const struct share *s)
{
	return s->count.waiting > s->cfg.waiting;
}

unsigned share_waiting(const struct share_peer *p)
{
	return p->net != NULL ? p->net->count.waiting : p->count.waiting;
}
