/* SPDX-License-Identifier: MIT */
/*
 * Names asked of the DNS, by c-ares.  Addresses also come from /etc/hosts, and localhost
 * needs no server.  The servers are the system's, unless one is set for the loop, or stands
 * in the environment: GN_DNS_SERVER=ADDRESS[:PORT][,...].
 *
 * What c-ares needs (75 KB) is there only while something is being asked.
 */
#ifndef GN_LOOP_DNS_H
#define GN_LOOP_DNS_H

#include "gn.h"

#define GN_DNS_RECORDS_MAX 100 /* of an answer; what goes beyond is left away */
#define GN_DNS_LIMIT (10 * GN_SEC)

enum gn_dns_type { GN_DNS_A = 1, GN_DNS_TXT = 16, GN_DNS_AAAA = 28 };

struct gn_dns_record {
	/* A: 4 bytes in network order.  AAAA: 16.  TXT: its character strings in one, with a NUL
	 * behind them that is not counted; it may hold others. */
	const uint8_t *bytes;
	size_t len;
};

struct gn_dns; /* a query under way */

struct gn_dns_cfg {
	struct gn_loop *loop;
	const char *name; /* copied */
	enum gn_dns_type type;
	gn_time limit; /* 0: GN_DNS_LIMIT */
	/* Exactly once, never before gn_dns_start() returned; the query is over then.  err 0: one
	 * record or more, good until it returns.  GN_ENONAME: there is no such name, or nothing of
	 * that type; GN_ETIMEOUT: nobody answered in time; GN_EUNREACH: no server could be asked;
	 * GN_EPROTO: the answer was malformed; -ENOMEM. */
	void (*on_done)(void *arg, int err, const struct gn_dns_record *records, size_t n);
	void *arg;
};

/* -ENOTSUP on a virtual loop; -ENOMEM, GN_EFORMAT (the name, or the server that was set). */
int gn_dns_start(const struct gn_dns_cfg *cfg, struct gn_dns **out);
void gn_dns_cancel(struct gn_dns *op);

/* "127.0.0.1:5353": what is asked from the next time on when nothing was under way, before;
 * NULL: the system's again.  -ENOMEM. */
int gn_dns_server_set(struct gn_loop *loop, const char *server);

#endif
