/* SPDX-License-Identifier: MIT */
/*
 * DNS queries, by c-ares.  Addresses are also looked up in /etc/hosts, and localhost is answered without a
 * server (RFC 6761, section 6.3).  The servers are the system's, unless gn_dns_server_set() or the
 * environment names others: GN_DNS_SERVER=ADDRESS[:PORT][,...].
 *
 * The memory of c-ares (75 KB) is allocated only while a query is running.
 */
#ifndef GN_LOOP_DNS_H
#define GN_LOOP_DNS_H

#include "gn.h"

#define GN_DNS_RECORDS_MAX 100 /* records of an answer; further ones are dropped */
#define GN_DNS_LIMIT (10 * GN_SEC)

/* The numbers are those of RFC 1035, section 3.2.2, and RFC 3596, section 2.1. */
enum gn_dns_type { GN_DNS_A = 1, GN_DNS_TXT = 16, GN_DNS_AAAA = 28 };

struct gn_dns_record {
	/* A: 4 bytes in network order; AAAA: 16 bytes; TXT: the record's character strings joined.  A TXT
	 * record is followed by a NUL that len does not count, and may contain others. */
	const uint8_t *bytes;
	size_t len;
};

struct gn_dns; /* a query that is running */

struct gn_dns_cfg {
	struct gn_loop *loop;
	const char *name; /* copied */
	enum gn_dns_type type;
	gn_time limit; /* 0: GN_DNS_LIMIT */
	/* Called exactly once, from the loop, unless the query is cancelled.  The query is freed before.
	 * err 0: one record or more, which are valid until on_done returns.  GN_ENONAME: the name does not
	 * exist, or has no record of this type; GN_ETIMEOUT: no server answered in time; GN_EUNREACH: no
	 * server could be asked; GN_EPROTO: the answer was malformed; -ENOMEM.  It may start and cancel
	 * other queries. */
	void (*on_done)(void *arg, int err, const struct gn_dns_record *records, size_t n);
	void *arg;
};

/* Starts a query.  -ENOTSUP: the loop is virtual; GN_EFORMAT: the name is empty or longer than 254 bytes,
 * or the server that was set is malformed; GN_EUNREACH: c-ares could not be set up; -ENOMEM. */
int gn_dns_start(const struct gn_dns_cfg *cfg, struct gn_dns **out);
/* Ends and frees the query; on_done is not called. */
void gn_dns_cancel(struct gn_dns *op);

/* Sets the servers of the loop, such as "127.0.0.1:5353"; NULL: the system's.  It takes effect with the
 * next query that starts while no other one is running.  0 or -ENOMEM; a malformed text is reported by
 * gn_dns_start(). */
int gn_dns_server_set(struct gn_loop *loop, const char *server);

#endif
