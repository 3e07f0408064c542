/* SPDX-License-Identifier: MIT */
#include "support/dns_server.h"

#include "support/cmocka.h"

static void dns_put(struct dns_reply *r, const void *p, size_t n)
{
	assert_true(r->n + n <= sizeof r->b);
	memcpy(r->b + r->n, p, n);
	r->n += n;
}

/* Appends a record.  Its name is a pointer to the name of the question (RFC 1035, section 4.1.4). */
static void dns_put_record(struct dns_reply *r, uint16_t type, const uint8_t *data, size_t n)
{
	uint8_t head[12] = {0xc0, 12, 0, 0, 0, 1, 0, 0, 0, 60, 0, 0};

	gn_put_u16(head + 2, type);
	gn_put_u16(head + 10, (uint16_t)n);
	dns_put(r, head, sizeof head);
	dns_put(r, data, n);
	r->records++;
}

static void dns_put_entry(struct dns_reply *r, const struct dns_entry *e)
{
	uint8_t data[1024];
	size_t n = 0;
	const char *at = e->data;

	if (e->type == GN_DNS_A || e->type == GN_DNS_AAAA) {
		assert_int_equal(inet_pton(e->type == GN_DNS_A ? AF_INET : AF_INET6, e->data, data), 1);
		dns_put_record(r, (uint16_t)e->type, data, e->type == GN_DNS_A ? 4 : 16);
		return;
	}
	for (;;) {
		size_t len = strcspn(at, "|");

		assert_true(len < 256 && n + len + 1 <= sizeof data);
		data[n++] = (uint8_t)len;
		memcpy(data + n, at, len);
		n += len;
		if (at[len] == '\0')
			break;
		at += len + 1;
	}
	dns_put_record(r, (uint16_t)e->type, data, n);
}

/* Converts the name of the question to text.  Returns the offset of the byte after the name. */
static size_t dns_name(const uint8_t *q, size_t n, char name[256])
{
	size_t at = 12, out = 0;

	while (at < n && q[at] != 0) {
		if (out > 0)
			name[out++] = '.';
		assert_true(at + q[at] < n && out + q[at] < 255);
		memcpy(name + out, q + at + 1, q[at]);
		out += q[at];
		at += q[at] + 1u;
	}
	name[out] = '\0';
	return at + 1;
}

static void dns_answer(struct dns_server *s, const uint8_t *q, size_t n, const struct sockaddr_in *from)
{
	struct dns_reply r = {.n = 0};
	char name[256];
	size_t end = dns_name(q, n, name);
	uint16_t type = gn_get_u16(q + end);
	bool is_known = false;

	dns_put(&r, q, end + 4);
	for (const struct dns_entry *e = s->zone; e->name != NULL; e++) {
		if (strcmp(e->name, name) != 0)
			continue;
		is_known = true;
		if (e->data == NULL)
			return;
		if ((uint16_t)e->type == type)
			dns_put_entry(&r, e);
	}
	gn_put_u16(r.b + 2, (uint16_t)(0x8180 | (is_known ? 0 : 3)));
	gn_put_u16(r.b + 4, 1);
	gn_put_u16(r.b + 6, r.records);
	gn_put_u16(r.b + 8, 0);
	gn_put_u16(r.b + 10, 0);
	assert_true(sendto(s->fd, r.b, r.n, 0, (const struct sockaddr *)(const void *)from, sizeof *from) > 0);
}

void dns_server_flush(struct dns_server *s)
{
	for (unsigned i = 0; i < s->together; i++)
		dns_answer(s, s->held[i].q, s->held[i].n, &s->held[i].from);
	s->together = 0;
}

static void dns_on_question(void *arg, unsigned ready)
{
	struct dns_server *s = arg;
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	uint8_t q[512];
	ssize_t n = recvfrom(s->fd, q, sizeof q, 0, (struct sockaddr *)(void *)&from, &len);

	(void)ready;
	assert_true(n > 12);
	s->asked++;
	if (!s->holds) {
		dns_answer(s, q, (size_t)n, &from);
		return;
	}
	assert_true(s->together < 64);
	memcpy(s->held[s->together].q, q, (size_t)n);
	s->held[s->together].n = (size_t)n;
	s->held[s->together++].from = from;
	if (s->together > s->most)
		s->most = s->together;
}

void dns_server_start(struct dns_server *s, struct gn_loop *loop, const struct dns_entry *zone)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	char text[64];

	memset(s, 0, sizeof *s);
	s->zone = zone;
	s->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (const struct sockaddr *)(const void *)&at, sizeof at), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)(void *)&at, &len), 0);
	assert_int_equal(gn_watch_new(loop, s->fd, dns_on_question, s, &s->watch), 0);
	gn_watch_start(s->watch, GN_READABLE);
	snprintf(text, sizeof text, "127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
	assert_int_equal(gn_dns_server_set(loop, text), 0);
}

void dns_server_stop(struct dns_server *s)
{
	gn_watch_free(s->watch);
	close(s->fd);
}
