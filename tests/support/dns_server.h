/* SPDX-License-Identifier: MIT */
/* A DNS server on the loopback interface, which runs on the loop of the test and answers from a table. */
#ifndef GN_SUPPORT_DNS_SERVER_H
#define GN_SUPPORT_DNS_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "loop/dns.h"
#include "loop/loop.h"

/* A record.  data is an IP address as text for A and AAAA; otherwise it is a text whose character strings are
 * separated by '|'.  A question for a name with a record whose data is NULL is never answered. */
struct dns_entry {
	const char *name;
	enum gn_dns_type type;
	const char *data;
};

struct dns_server {
	struct gn_watch *watch;
	int fd;
	const struct dns_entry *zone;   /* the last entry has the name NULL */
	unsigned asked, together, most; /* questions in total; those in held; the maximum of that */
	bool holds;                     /* stores questions in held, for dns_server_flush() */
	struct {
		struct sockaddr_in from;
		uint8_t q[512];
		size_t n;
	} held[64];
};

struct dns_reply {
	uint8_t b[8192];
	size_t n;
	uint16_t records;
};

/* Answers the questions in s->held, and removes them. */
void dns_server_flush(struct dns_server *s);

void dns_server_start(struct dns_server *s, struct gn_loop *loop, const struct dns_entry *zone);

void dns_server_stop(struct dns_server *s);

#endif
