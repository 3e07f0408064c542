/* SPDX-License-Identifier: MIT */
/*
 * The operation holds an ordered list of addresses.  It resolves the first name in each, and replaces the address by
 * the addresses of the answer, which are processed in the same way, until no name is left.  The callback of a
 * DNS query only stores the answer.  Everything else happens in the operation's own task, so that the caller is
 * never called back from inside one of its own calls.
 */
#include "node/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/dns.h"

enum {
	QUERIES_AT_ONCE = 8,
	QUERIES_MAX = 256, /* in all, because answers can refer to each other in circles */
};

static const char txt_prefix[] = "dnsaddr=";

/*     NEW -- the address has no name --> RESOLVED
 *     NEW -- queries were started --> QUERYING
 * A QUERYING item whose answers are all there is replaced by new items, and deleted.
 */
enum item_state { ITEM_NEW, ITEM_QUERYING, ITEM_RESOLVED };

struct item;

struct query {
	struct item *item;
	struct gn_dns *dns; /* NULL when it has ended */
	enum gn_dns_type type;
	bool is_used;
	int err;
	struct gn_multiaddr **answers; /* the addresses that replace the item's */
	size_t n;
};

struct item {
	struct gn_list link; /* in op->items */
	struct gn_names *op;
	struct gn_resolved target;
	struct gn_multiaddr_part part; /* the first name in the address */
	enum item_state state;
	unsigned depth;
	struct query q[2]; /* AAAA and A; or TXT */
};

struct gn_names {
	struct gn_names_cfg cfg;
	struct gn_list items;
	size_t n_items;
	unsigned n_running, n_started; /* queries */
	struct gn_task task;
	int err;
	bool is_working, is_cancelled; /* a cancel from inside on_failed takes effect when the task's work ends */
};

/* ---- items ---- */

static bool name_find(const struct gn_multiaddr *a, struct gn_multiaddr_part *part)
{
	struct gn_cursor c;

	gn_multiaddr_walk(a, &c);
	while (gn_multiaddr_next(&c, part))
		if (part->code >= GN_MA_DNS && part->code <= GN_MA_DNSADDR)
			return true;
	return false;
}

void gn_resolved_free(struct gn_resolved *resolved, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		gn_multiaddr_free(resolved[i].addr);
		free(resolved[i].name);
	}
	free(resolved);
}

bool gn_names_is_in(const struct gn_multiaddr *addr)
{
	struct gn_multiaddr_part part;

	return name_find(addr, &part);
}

/* The name in a component, which holds no NUL, as a string; NULL without memory. */
static char *name_copy(const struct gn_multiaddr_part *part)
{
	char *name = malloc(part->len + 1);

	if (name != NULL) {
		memcpy(name, part->value, part->len);
		name[part->len] = '\0';
	}
	return name;
}

/* Adds an item in front of `before`; takes over addr.  from: the item whose name was resolved to it; NULL: none.  A
 * duplicate is freed, and 0 returned.  GN_ELIMIT: there are GN_NAMES_RESULTS; -ENOMEM. */
static int item_add(struct gn_names *op, struct gn_list *before, struct gn_multiaddr *addr, const struct item *from)
{
	struct item *it = NULL;
	struct gn_list *at;

	if (op->n_items < GN_NAMES_RESULTS) {
		gn_list_for_each(at, &op->items) {
			if (gn_multiaddr_is_equal(gn_list_entry(at, struct item, link)->target.addr, addr)) {
				gn_multiaddr_free(addr);
				return 0;
			}
		}
		it = calloc(1, sizeof *it);
		if (it != NULL && from != NULL && (it->target.name = name_copy(&from->part)) == NULL) {
			free(it);
			it = NULL;
		}
	}
	if (it == NULL) {
		gn_multiaddr_free(addr);
		return op->n_items < GN_NAMES_RESULTS ? -ENOMEM : GN_ELIMIT;
	}
	it->op = op;
	it->target.addr = addr;
	it->depth = from == NULL ? 0 : from->depth + (from->part.code == GN_MA_DNSADDR);
	gn_list_link(before->prev, &it->link, before);
	op->n_items++;
	return 0;
}

static void item_del(struct item *it)
{
	struct gn_names *op = it->op;

	for (int i = 0; i < 2; i++) {
		struct query *q = &it->q[i];

		if (q->dns != NULL) {
			gn_dns_cancel(q->dns);
			op->n_running--;
		}
		gn_multiaddrs_free(q->answers, q->n);
	}
	gn_list_del(&it->link);
	op->n_items--;
	gn_multiaddr_free(it->target.addr);
	free(it->target.name);
	free(it);
}

/* ---- answers ---- */

static int query_add(struct query *q, struct gn_multiaddr *addr)
{
	struct gn_multiaddr **grown = NULL;

	if (q->n < GN_NAMES_RESULTS)
		grown = realloc(q->answers, (q->n + 1) * sizeof *grown);
	if (grown == NULL) {
		gn_multiaddr_free(addr);
		return q->n < GN_NAMES_RESULTS ? -ENOMEM : GN_ELIMIT;
	}
	q->answers = grown;
	q->answers[q->n++] = addr;
	return 0;
}

/* Adds the item's address with an IP address in place of the name. */
static int query_add_ip(struct query *q, bool is_ip6, const uint8_t *bytes)
{
	struct gn_ip ip = {.is_ip6 = is_ip6};
	struct gn_multiaddr *host, *whole;
	int err;

	memcpy(ip.addr, bytes, is_ip6 ? 16 : 4);
	err = gn_multiaddr_from_ip(&ip, &host);
	if (err != 0)
		return err;
	err = gn_multiaddr_replace(q->item->target.addr, &q->item->part, host, &whole);
	gn_multiaddr_free(host);
	return err != 0 ? err : query_add(q, whole);
}

/* Whether `a` ends in the n bytes at tail, starting at a component; *front is the address without them. */
static bool ends_in(const struct gn_multiaddr *a, const uint8_t *tail, size_t n, struct gn_multiaddr **front)
{
	struct gn_multiaddr_part part;
	struct gn_cursor c;
	size_t len;
	const uint8_t *p = gn_multiaddr_bytes(a, &len);

	gn_multiaddr_walk(a, &c);
	while (gn_cursor_left(&c) > n)
		if (!gn_multiaddr_next(&c, &part))
			return false;
	if (gn_cursor_left(&c) != n || n == len || (n > 0 && memcmp(c.p, tail, n) != 0))
		return false;
	return gn_multiaddr_decode(p, len - n, front) == 0;
}

/* Adds the address of one TXT record of a /dnsaddr name.  If a /p2p component follows the name, the answer must end
 * in the same one, so that only addresses of the requested peer are accepted; otherwise it must end in all
 * that follows the name.  An answer that does not is skipped, and 0 returned. */
static int query_add_text(struct query *q, const char *text, size_t n)
{
	const struct item *it = q->item;
	const uint8_t *tail = it->part.start + it->part.size, *end;
	size_t skip = sizeof txt_prefix - 1, len, n_tail;
	struct gn_multiaddr *answer, *front, *whole;
	struct gn_multiaddr_part next;
	struct gn_cursor c;
	char buf[GN_MULTIADDR_MAX];
	int err;

	if (n <= skip || n - skip >= sizeof buf || memcmp(text, txt_prefix, skip) != 0 || memchr(text, '\0', n) != NULL)
		return 0;
	memcpy(buf, text + skip, n - skip);
	buf[n - skip] = '\0';
	err = gn_multiaddr_parse(buf, &answer, NULL);
	if (err != 0)
		return err == -ENOMEM ? err : 0;
	end = gn_multiaddr_bytes(it->target.addr, &len) + len;
	gn_cursor_init(&c, tail, (size_t)(end - tail));
	n_tail = gn_multiaddr_next(&c, &next) && next.code == GN_MA_P2P ? next.size : (size_t)(end - tail);
	if (!ends_in(answer, tail, n_tail, &front)) {
		gn_multiaddr_free(answer);
		return 0;
	}
	err = gn_multiaddr_replace(it->target.addr, &it->part, front, &whole);
	gn_multiaddr_free(front);
	gn_multiaddr_free(answer);
	if (err != 0)
		return err == -ENOMEM ? err : 0;
	return query_add(q, whole);
}

static void on_dns(void *arg, int err, const struct gn_dns_record *records, size_t n)
{
	struct query *q = arg;
	struct gn_names *op = q->item->op;

	q->dns = NULL;
	op->n_running--;
	for (size_t i = 0; i < n && err == 0; i++)
		err = q->type == GN_DNS_TXT ? query_add_text(q, (const char *)records[i].bytes, records[i].len)
					    : query_add_ip(q, q->type == GN_DNS_AAAA, records[i].bytes);
	q->err = err != 0 ? err : q->n == 0 ? GN_ENONAME : 0;
	gn_task_post(op->cfg.loop, &op->task);
}

/* ---- queries ---- */

static int query_start(struct item *it, struct query *q, enum gn_dns_type type)
{
	struct gn_names *op = it->op;
	struct gn_dns_cfg cfg = {.loop = op->cfg.loop, .type = type, .on_done = on_dns, .arg = q};
	char name[sizeof "_dnsaddr." + 255];
	const char *lead = type == GN_DNS_TXT ? "_dnsaddr." : "";
	size_t n = strlen(lead);

	q->is_used = true;
	q->item = it;
	q->type = type;
	if (it->part.len == 0 || it->part.len > 255 || memchr(it->part.value, '\0', it->part.len) != NULL)
		return GN_ENONAME;
	if (op->n_started++ >= QUERIES_MAX || it->depth >= GN_NAMES_DEPTH)
		return GN_ELIMIT;
	memcpy(name, lead, n);
	memcpy(name + n, it->part.value, it->part.len);
	name[n + it->part.len] = '\0';
	cfg.name = name;
	return gn_dns_start(&cfg, &q->dns);
}

/* Starts the queries of an item.  Returns false when too many queries are running. */
static bool item_resolve(struct item *it)
{
	static const struct {
		uint32_t code;
		enum gn_dns_type type[2];
		unsigned n;
	} kinds[] = {
		{GN_MA_DNS, {GN_DNS_AAAA, GN_DNS_A}, 2},
		{GN_MA_DNS4, {GN_DNS_A, GN_DNS_A}, 1},
		{GN_MA_DNS6, {GN_DNS_AAAA, GN_DNS_AAAA}, 1},
		{GN_MA_DNSADDR, {GN_DNS_TXT, GN_DNS_TXT}, 1},
	};
	size_t k = 0;

	if (!name_find(it->target.addr, &it->part)) {
		it->state = ITEM_RESOLVED;
		return true;
	}
	while (kinds[k].code != it->part.code)
		k++;
	if (it->op->n_running + kinds[k].n > QUERIES_AT_ONCE)
		return false;
	it->state = ITEM_QUERYING;
	for (unsigned i = 0; i < kinds[k].n; i++) {
		it->q[i].err = query_start(it, &it->q[i], kinds[k].type[i]);
		if (it->q[i].err == 0)
			it->op->n_running++;
	}
	return true;
}

/* ---- the operation ---- */

static void names_op_free(struct gn_names *op)
{
	struct item *it;

	while ((it = gn_list_first(&op->items, struct item, link)) != NULL)
		item_del(it);
	gn_task_cancel(&op->task);
	free(op);
}

/* Adds the addresses that replace an item in front of it.  Returns 0, or the error of the queries if there is none. */
static int item_replace(struct item *it)
{
	struct gn_names *op = it->op;
	bool has_answer = false;
	int err = it->q[0].err;

	for (int k = 0; k < 2; k++) {
		struct query *q = &it->q[k];

		for (size_t i = 0; i < q->n; i++) {
			int added = item_add(op, &it->link, q->answers[i], it);

			q->answers[i] = NULL;
			if (added != -ENOMEM) /* a duplicate, or an address too many, is no failure */
				has_answer = true;
		}
		/* Of two errors the more specific one is reported: GN_ENONAME may mean "no address of this family". */
		if (k == 1 && q->is_used && err == GN_ENONAME)
			err = q->err;
	}
	return has_answer ? 0 : err;
}

static bool names_is_answered(const struct item *it)
{
	return it->state == ITEM_QUERYING && it->q[0].dns == NULL && it->q[1].dns == NULL;
}

/* Processes one item.  Returns false when no item can be processed before a query ends. */
static bool names_work_once(struct gn_names *op)
{
	struct gn_list *at;

	gn_list_for_each(at, &op->items) {
		struct item *it = gn_list_entry(at, struct item, link);
		int err;

		if (it->state == ITEM_NEW && item_resolve(it))
			return true;
		if (!names_is_answered(it))
			continue;
		err = item_replace(it);
		if (err != 0) {
			op->err = err;
			if (op->cfg.on_failed != NULL)
				op->cfg.on_failed(op->cfg.arg, it->target.addr, err);
		}
		item_del(it);
		return true;
	}
	return false;
}

static bool names_is_done(const struct gn_names *op)
{
	struct gn_list *at;

	gn_list_for_each(at, &op->items)
		if (gn_list_entry(at, struct item, link)->state != ITEM_RESOLVED)
			return false;
	return true;
}

static void names_done(struct gn_names *op)
{
	struct gn_names_cfg cfg = op->cfg;
	size_t n = 0, n_items = op->n_items;
	struct gn_resolved *resolved = NULL;
	struct gn_list *at;
	int err = 0;

	if (n_items == 0)
		err = op->err != 0 ? op->err : GN_ENONAME;
	else if ((resolved = calloc(n_items, sizeof *resolved)) == NULL)
		err = -ENOMEM;
	if (err == 0) {
		gn_list_for_each(at, &op->items) {
			struct item *it = gn_list_entry(at, struct item, link);

			resolved[n++] = it->target;
			it->target = (struct gn_resolved){NULL, NULL};
		}
	}
	names_op_free(op);
	cfg.on_done(cfg.arg, err, resolved, n);
}

static void names_work(struct gn_task *task)
{
	struct gn_names *op = gn_list_entry(task, struct gn_names, task);

	op->is_working = true;
	while (!op->is_cancelled && names_work_once(op))
		;
	op->is_working = false;
	if (op->is_cancelled)
		names_op_free(op);
	else if (names_is_done(op))
		names_done(op);
}

int gn_names_resolve(const struct gn_names_cfg *cfg, struct gn_names **out)
{
	struct gn_names *op = calloc(1, sizeof *op);
	int err = 0;

	if (op == NULL)
		return -ENOMEM;
	op->cfg = *cfg;
	gn_list_init(&op->items);
	gn_task_init(&op->task, names_work);
	for (size_t i = 0; i < cfg->n_addrs && err == 0; i++) {
		struct gn_multiaddr *copy;

		err = gn_multiaddr_dup(cfg->addrs[i], &copy);
		if (err == 0 && (err = item_add(op, &op->items, copy, NULL)) == GN_ELIMIT)
			err = 0;
	}
	if (err != 0) {
		names_op_free(op);
		return err;
	}
	gn_task_post(cfg->loop, &op->task);
	*out = op;
	return 0;
}

void gn_names_cancel(struct gn_names *op)
{
	if (op->is_working)
		op->is_cancelled = true;
	else
		names_op_free(op);
}
