/* SPDX-License-Identifier: MIT */
/* Random changes of an address book, compared with a model that keeps everything in plain arrays and searches
 * them. */
#include "node/book.h"
#include "support/support.h"

enum {
	PEERS = GN_BOOK_PEERS_MAX + 200, /* more than the maximum, so that peers are dropped */
	FEW = 12,                        /* most changes concern the first FEW peers */
	PORTS = 40,                      /* more addresses than a peer may have */
	STEPS = 60000,
};

struct model_addr {
	bool is_there;
	enum gn_book_origin origin;
	gn_time expires, succeeded, failed;
	unsigned failures;
	uint64_t added; /* the value of `additions` when it was added */
};

struct model_peer {
	bool is_there, is_proven;
	unsigned holds;
	uint64_t used, seq; /* used: the step of the last use; seq: 0 if there is no record */
	struct model_addr addrs[PORTS];
};

static struct model_peer model[PEERS];
static struct gn_multiaddr *ports[PORTS];
static struct gn_book *book;
static uint64_t step, additions;
static gn_time now;

static struct gn_peer_id peer_id(unsigned i)
{
	struct gn_peer_id id = {.len = 38, .bytes = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20}};

	memcpy(id.bytes + 6, &i, sizeof i);
	return id;
}

/* ---- the model ---- */

/* Adds the peer if it is missing, dropping another one if needed, and removes its expired addresses.  Returns
 * false when all peers are held. */
static bool model_touch(struct model_peer *p)
{
	struct model_peer *least = NULL;
	size_t n = 0;

	for (size_t k = 0; k < PORTS; k++)
		if (p->holds == 0 && p->addrs[k].expires <= now)
			p->addrs[k].is_there = false;
	if (p->is_there)
		return true;
	for (size_t i = 0; i < PEERS; i++) {
		n += model[i].is_there;
		if (!model[i].is_there || model[i].holds > 0)
			continue;
		if (least == NULL ||
		    (model[i].is_proven != least->is_proven ? least->is_proven : model[i].used < least->used))
			least = &model[i];
	}
	if (n == GN_BOOK_PEERS_MAX) {
		if (least == NULL)
			return false;
		memset(least, 0, sizeof *least);
	}
	memset(p, 0, sizeof *p);
	p->is_there = true;
	p->used = step;
	return true;
}

/* Returns whether a is more useful than b. */
static bool model_is_better(const struct model_addr *a, const struct model_addr *b)
{
	if ((a->origin == GN_BOOK_USER) != (b->origin == GN_BOOK_USER))
		return a->origin == GN_BOOK_USER;
	if ((a->failures > 0) != (b->failures > 0))
		return b->failures > 0;
	if (a->origin != b->origin)
		return a->origin > b->origin;
	if (a->succeeded != b->succeeded)
		return a->succeeded > b->succeeded;
	return a->expires > b->expires;
}

/* Returns whether a is dropped before b.  Of addresses that are equally useful the older one is dropped. */
static bool model_leaves_before(const struct model_addr *a, const struct model_addr *b)
{
	return model_is_better(b, a) || (!model_is_better(a, b) && a->added < b->added);
}

static size_t model_count(const struct model_peer *p)
{
	size_t n = 0;

	for (size_t k = 0; k < PORTS; k++)
		n += p->addrs[k].is_there && (p->holds > 0 || p->addrs[k].expires > now);
	return n;
}

/* Returns false when the address is less useful than all others.  It has to be called after model_touch(). */
static bool model_add(struct model_peer *p, size_t port, enum gn_book_origin origin, gn_time expires)
{
	const struct model_addr fresh = {true, origin, expires, GN_BOOK_NO_TIME, GN_BOOK_NO_TIME, 0, additions++};
	struct model_addr *a = &p->addrs[port], *least = NULL;

	if (a->is_there) {
		a->origin = origin > a->origin ? origin : a->origin;
		a->expires = expires > a->expires ? expires : a->expires;
		return true;
	}
	if (model_count(p) == GN_BOOK_ADDRS_MAX) {
		for (size_t k = 0; k < PORTS; k++)
			if (p->addrs[k].is_there && (least == NULL || model_leaves_before(&p->addrs[k], least)))
				least = &p->addrs[k];
		if (model_is_better(least, &fresh))
			return false;
		least->is_there = false;
	}
	*a = fresh;
	return true;
}

static void model_proves(struct model_peer *p)
{
	bool was = p->is_proven;

	for (size_t k = 0; k < PORTS; k++)
		p->is_proven |= p->addrs[k].is_there && p->addrs[k].origin == GN_BOOK_USER;
	if (!was && p->is_proven)
		p->used = step;
}

/* ---- comparison of the book with the model ---- */

static void compare(unsigned i)
{
	struct gn_book_addr out[GN_BOOK_ADDRS_MAX];
	const struct model_peer *p = &model[i];
	struct gn_peer_id id = peer_id(i);
	struct gn_book_record record;
	size_t n = gn_book_addrs(book, &id, now, out);

	assert_int_equal(gn_book_has(book, &id), p->is_there);
	assert_int_equal(gn_book_record(book, &id, &record), p->seq > 0);
	if (p->seq > 0)
		assert_int_equal(record.seq, p->seq);
	assert_int_equal(n, model_count(p));
	for (size_t k = 0; k < n; k++) {
		struct gn_multiaddr *a;
		struct gn_ip ip;
		const struct model_addr *m;

		assert_int_equal(gn_multiaddr_decode(out[k].bytes, out[k].len, &a), 0);
		assert_int_equal(gn_multiaddr_to_ip(a, &ip, NULL), 0);
		gn_multiaddr_free(a);
		assert_true(ip.port < PORTS);
		m = &p->addrs[ip.port];
		assert_true(m->is_there);
		assert_int_equal(out[k].origin, m->origin);
		assert_int_equal(out[k].expires, m->expires);
		assert_int_equal(out[k].succeeded, m->succeeded);
		assert_int_equal(out[k].failed, m->failed);
		assert_int_equal(out[k].failures, m->failures);
	}
}

/* ---- changes ---- */

static gn_time lifetime(struct rng *r)
{
	return now + (gn_time)(1 + rng_below(r, 3000)) * GN_MSEC;
}

static void change_add(struct rng *r, unsigned i)
{
	struct gn_book_source source = {(enum gn_book_origin)rng_below(r, GN_BOOK_USER + 1), lifetime(r)};
	struct gn_peer_id id = peer_id(i);
	size_t port = rng_below(r, PORTS);
	struct model_peer *p = &model[i], before = *p;
	int err;

	err = gn_book_add(book, &id, ports[port], &source, now);
	if (model_touch(p) && model_add(p, port, source.origin, source.expires)) {
		assert_int_equal(err, 0);
		model_proves(p);
	} else {
		assert_int_equal(err, GN_ELIMIT);
		*p = before;
	}
}

static void change_list(struct rng *r, unsigned i)
{
	size_t from = rng_below(r, PORTS), n = rng_below(r, 9);
	struct gn_book_addrs list = {{(enum gn_book_origin)rng_below(r, GN_BOOK_RECORD + 1), lifetime(r)}, NULL, 0};
	struct gn_peer_id id = peer_id(i);
	struct model_peer *p = &model[i];
	int err;

	n = from + n > PORTS ? PORTS - from : n;
	list.addrs = (const struct gn_multiaddr *const *)ports + from;
	list.n = n;
	if (list.source.origin == GN_BOOK_RECORD) {
		struct gn_book_record record = {1 + rng_below(r, 50), (const uint8_t *)"record", 6};

		err = gn_book_set_record(book, &id, &record, &list, now);
		if (p->is_there && p->seq >= record.seq) {
			assert_int_equal(err, GN_EORDER);
			return;
		}
		assert_int_equal(err, 0);
		assert_true(model_touch(p));
		p->seq = record.seq;
	} else {
		assert_int_equal(gn_book_replace(book, &id, &list, now), 0);
		assert_true(model_touch(p));
	}
	for (size_t k = 0; k < PORTS; k++)
		if (p->addrs[k].origin == list.source.origin && (k < from || k >= from + n))
			p->addrs[k].is_there = false;
	for (size_t k = from; k < from + n; k++)
		(void)model_add(p, k, list.source.origin, list.source.expires);
}

static void change_result(struct rng *r, unsigned i)
{
	struct gn_peer_id id = peer_id(i);
	size_t port = rng_below(r, PORTS);
	struct model_peer *p = &model[i];
	struct model_addr *a = &p->addrs[port];
	bool is_known = p->is_there && a->is_there && (p->holds > 0 || a->expires > now);

	if (rng_one_in(r, 2)) {
		assert_int_equal(gn_book_failed(book, &id, ports[port], now), is_known);
		a->failed = now;
		a->failures += a->failures < 255;
	} else {
		assert_int_equal(gn_book_succeeded(book, &id, ports[port], now), is_known);
		a->succeeded = now;
		a->failures = 0;
		if (is_known) {
			p->is_proven = true;
			p->used = step;
		}
	}
}

static void change_hold(struct rng *r, unsigned i)
{
	struct gn_peer_id id = peer_id(i);
	struct model_peer *p = &model[i];

	if (p->holds > 0 && rng_one_in(r, 2)) {
		gn_book_release(book, &id, now);
		p->used = step;
		if (--p->holds > 0)
			return;
		for (size_t k = 0; k < PORTS; k++)
			if (p->addrs[k].expires < now + GN_BOOK_KEEP)
				p->addrs[k].expires = now + GN_BOOK_KEEP;
	} else if (p->holds < 3) {
		assert_int_equal(gn_book_hold(book, &id, now), 0);
		assert_true(model_touch(p));
		p->holds++;
	}
}

static void the_book_behaves_as_its_model(void **state)
{
	uint64_t first = 1, n = 1;
	struct rng r;

	(void)state;
	rng_seeds(&first, &n);
	for (uint64_t seed = first; seed < first + n; seed++) {
		rng_seed(&r, seed);
		memset(model, 0, sizeof model);
		now = 0;
		assert_int_equal(gn_book_new(&book), 0);
		for (step = 1; step <= STEPS; step++) {
			/* The first steps fill the book. */
			bool is_filling = step <= PEERS;
			unsigned i = is_filling ? (unsigned)step - 1 : rng_below(&r, rng_one_in(&r, 20) ? PEERS : FEW);
			uint32_t what = is_filling ? 0 : rng_below(&r, 100);

			now += rng_below(&r, 2) * GN_MSEC + (rng_one_in(&r, 4000) ? GN_BOOK_KEEP / 2 : 0);
			if (what < 45)
				change_add(&r, i);
			else if (what < 60)
				change_list(&r, i);
			else if (what < 85)
				change_result(&r, i);
			else if (i < FEW)
				change_hold(&r, i);
			compare(i);
			compare(rng_below(&r, PEERS));
		}
		for (unsigned i = 0; i < PEERS; i++)
			compare(i);
		assert_int_equal(gn_book_count(book), GN_BOOK_PEERS_MAX);
		gn_book_free(book);
	}
}

static int setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PORTS; i++) {
		struct gn_ip ip = {.addr = {1, 2, 3, 4}, .code = GN_MA_TCP, .port = (uint16_t)i};

		if (gn_multiaddr_from_ip(&ip, &ports[i]) < 0)
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PORTS; i++)
		gn_multiaddr_free(ports[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_book_behaves_as_its_model),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
