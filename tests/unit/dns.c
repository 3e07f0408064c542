/* SPDX-License-Identifier: MIT */
/* lib/loop/dns, against a server on the loopback in this process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "loop/dns.h"
#include "loop/loop.h"

enum { A = 1, TXT = 16, AAAA = 28 };

struct answer {
	int calls, err;
	size_t n;
	char text[8][300]; /* the first records, each as a formatted IP address or the text of a TXT record */
};

struct fix {
	struct gn_loop *loop;
	struct gn_watch *watch, *listen_watch, *tcp_watch;
	int fd, listen_fd, tcp_fd; /* UDP; the TCP listener and its one connection */
	uint16_t port;
	unsigned asked;
	struct answer a, b;
	struct gn_dns *op, *op2;
	bool cancels; /* on_done of op cancels op2 */
};

/* ---- the server --------------------------------------------------------------- */

/* A message being written (RFC 1035, section 4). */
struct message {
	uint8_t b[4096];
	size_t n;
	uint16_t records;
};

static void put(struct message *m, const void *p, size_t n)
{
	assert_true(m->n + n <= sizeof m->b);
	memcpy(m->b + m->n, p, n);
	m->n += n;
}

static void put_u16(struct message *m, uint16_t v)
{
	uint8_t b[2];

	gn_put_u16(b, v);
	put(m, b, 2);
}

/* The name of the record is a compression pointer to the name of the question. */
static void put_record(struct message *m, uint16_t type, const void *data, size_t n)
{
	put_u16(m, 0xc00c);
	put_u16(m, type);
	put_u16(m, 1);
	put_u16(m, 0);
	put_u16(m, 60);
	put_u16(m, (uint16_t)n);
	put(m, data, n);
	m->records++;
}

static void put_text(struct message *m, const char *const *strings)
{
	uint8_t data[600];
	size_t n = 0, len;

	for (; *strings; strings++) {
		len = strlen(*strings);
		data[n++] = (uint8_t)len;
		memcpy(data + n, *strings, len);
		n += len;
	}
	put_record(m, TXT, data, n);
}

/* Writes the records for the question.  Returns the response code, or -1 when the server is not to answer. */
static int answer_to(struct message *m, const char *name, uint16_t type)
{
	static const uint8_t four[2][4] = {{192, 0, 2, 1}, {192, 0, 2, 2}};
	static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	static const char *const one[] = {"dnsaddr=", "/ip4/192.0.2.1", "/tcp/4001", NULL};
	static const char *const two[] = {"second", NULL}, *const none[] = {"", NULL};
	uint8_t data[4] = {10, 0, 0, 0};
	int i;

	if (strcmp(name, "silent.test") == 0)
		return -1;
	if (strcmp(name, "broken.test") == 0)
		return 2; /* server failure */
	if (strcmp(name, "host.test") == 0) {
		if (type == A) {
			put_record(m, A, four[0], 4);
			put_record(m, A, four[1], 4);
		} else if (type == AAAA) {
			put_record(m, AAAA, six, 16);
		}
		return 0;
	}
	if (strcmp(name, "many.test") == 0 && type == A) {
		for (i = 0; i < 150; i++) {
			data[3] = (uint8_t)i;
			put_record(m, A, data, 4);
		}
		return 0;
	}
	if (strcmp(name, "many.test") == 0 && type == TXT) {
		for (i = 0; i < 150; i++)
			put_text(m, two);
		return 0;
	}
	if (strcmp(name, "_dnsaddr.test") == 0 && type == TXT) {
		put_text(m, one);
		put_text(m, none);
		put_text(m, two);
		return 0;
	}
	if (strcmp(name, "cut.test") == 0 && type == TXT) {
		put_record(m, TXT, "\x20short", 6); /* the length of the string exceeds the record */
		return 0;
	}
	return 3; /* no such name */
}

static size_t question_name(const uint8_t *q, size_t n, char *name)
{
	size_t at = 12, out = 0;

	while (at < n && q[at]) {
		if (out)
			name[out++] = '.';
		assert_true(at + q[at] < n && out + q[at] < 255);
		memcpy(name + out, q + at + 1, q[at]);
		out += q[at];
		at += q[at] + 1u;
	}
	name[out] = '\0';
	return at + 1;
}

/* Writes the answer to the query q.  Returns false when the server is not to answer. */
static bool answer(struct fix *f, const uint8_t *q, size_t n, struct message *m)
{
	char name[256];
	size_t end;
	int code;

	assert_true(n >= 17);
	f->asked++;
	end = question_name(q, n, name);
	assert_true(end + 4 <= n);
	put(m, q, 2);
	put_u16(m, 0x8180);
	put_u16(m, 1);
	put_u16(m, 0);
	put_u16(m, 0);
	put_u16(m, 0);
	put(m, q + 12, end + 4 - 12);
	code = answer_to(m, name, gn_get_u16(q + end));
	if (code < 0)
		return false;
	gn_put_u16(m->b + 2, (uint16_t)(0x8180 | code));
	gn_put_u16(m->b + 6, m->records);
	return true;
}

static void on_query(void *arg, unsigned ready)
{
	struct fix *f = arg;
	struct message m = {.n = 0};
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	uint8_t q[600];
	ssize_t got = recvfrom(f->fd, q, sizeof q, MSG_DONTWAIT, (struct sockaddr *)&from, &len);

	(void)ready;
	if (got < 0 || !answer(f, q, (size_t)got, &m))
		return;
	if (m.n > 1232) { /* truncated: the client asks again over TCP */
		gn_put_u16(m.b + 2, 0x8380);
		gn_put_u16(m.b + 6, 0);
		m.n = 12 + strlen((char *)q + 12) + 5; /* the header and the question */
	}
	assert_int_equal(sendto(f->fd, m.b, m.n, 0, (struct sockaddr *)&from, len), (ssize_t)m.n);
}

static void on_tcp_query(void *arg, unsigned ready)
{
	struct fix *f = arg;
	struct message m = {.n = 0};
	uint8_t q[600], length[2];
	ssize_t got = recv(f->tcp_fd, q, sizeof q, MSG_DONTWAIT);

	(void)ready;
	if (got > 2) {
		assert_int_equal(gn_get_u16(q), got - 2);
		assert_true(answer(f, q + 2, (size_t)got - 2, &m));
		gn_put_u16(length, (uint16_t)m.n);
		assert_int_equal(send(f->tcp_fd, length, 2, MSG_NOSIGNAL), 2);
		assert_int_equal(send(f->tcp_fd, m.b, m.n, MSG_NOSIGNAL), (ssize_t)m.n);
		return;
	}
	gn_watch_free(f->tcp_watch);
	f->tcp_watch = NULL;
	close(f->tcp_fd);
	f->tcp_fd = -1;
}

static void on_tcp(void *arg, unsigned ready)
{
	struct fix *f = arg;

	(void)ready;
	assert_int_equal(f->tcp_fd, -1);
	f->tcp_fd = accept(f->listen_fd, NULL, NULL);
	assert_true(f->tcp_fd >= 0);
	assert_int_equal(gn_watch_new(f->loop, f->tcp_fd, on_tcp_query, f, &f->tcp_watch), 0);
	gn_watch_start(f->tcp_watch, GN_READABLE);
}

/* Opens UDP and TCP on one port, which the kernel picks. */
static bool serve(struct fix *f)
{
	struct sockaddr_in at;
	socklen_t len = sizeof at;
	int tries;

	for (tries = 0; tries < 100; tries++) {
		at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		f->fd = socket(AF_INET, SOCK_DGRAM, 0);
		f->listen_fd = socket(AF_INET, SOCK_STREAM, 0);
		if (f->fd < 0 || f->listen_fd < 0)
			return false;
		if (bind(f->fd, (struct sockaddr *)&at, len) == 0 &&
		    getsockname(f->fd, (struct sockaddr *)&at, &len) == 0 &&
		    bind(f->listen_fd, (struct sockaddr *)&at, len) == 0 && listen(f->listen_fd, 4) == 0) {
			f->port = ntohs(at.sin_port);
			return true;
		}
		close(f->fd);
		close(f->listen_fd);
	}
	return false;
}

static void serve_no_more(struct fix *f)
{
	gn_watch_free(f->watch);
	gn_watch_free(f->listen_watch);
	gn_watch_free(f->tcp_watch);
	f->watch = f->listen_watch = f->tcp_watch = NULL;
	if (f->fd >= 0)
		close(f->fd);
	if (f->listen_fd >= 0)
		close(f->listen_fd);
	if (f->tcp_fd >= 0)
		close(f->tcp_fd);
	f->fd = f->listen_fd = f->tcp_fd = -1;
}

/* ---- queries ------------------------------------------------------------------ */

static void note(struct answer *a, int err, const struct gn_dns_record *r, size_t n, enum gn_dns_type type)
{
	size_t i;

	a->calls++;
	a->err = err;
	a->n = n;
	for (i = 0; i < n && i < 8; i++) {
		if (type == GN_DNS_TXT) {
			assert_int_equal(r[i].bytes[r[i].len], 0);
			(void)snprintf(a->text[i], sizeof a->text[i], "%s", (const char *)r[i].bytes);
			assert_int_equal(strlen(a->text[i]), r[i].len);
		} else {
			assert_int_equal(r[i].len, type == GN_DNS_A ? 4 : 16);
			assert_non_null(inet_ntop(type == GN_DNS_A ? AF_INET : AF_INET6, r[i].bytes, a->text[i],
						  sizeof a->text[i]));
		}
	}
}

#define ON_DONE(name, field, type)                                                    \
	static void name(void *arg, int err, const struct gn_dns_record *r, size_t n) \
	{                                                                             \
		struct fix *f = arg;                                                  \
                                                                                      \
		note(&f->field, err, r, n, type);                                     \
		if (f->cancels && f->op2)                                             \
			gn_dns_cancel(f->op2);                                        \
		f->op2 = NULL;                                                        \
	}

ON_DONE(on_a, a, GN_DNS_A)
ON_DONE(on_aaaa, a, GN_DNS_AAAA)
ON_DONE(on_txt, a, GN_DNS_TXT)

static void on_b(void *arg, int err, const struct gn_dns_record *r, size_t n)
{
	struct fix *f = arg;

	note(&f->b, err, r, n, GN_DNS_A);
}

static struct gn_dns *start(struct fix *f, const char *name, enum gn_dns_type type, gn_time limit)
{
	struct gn_dns_cfg cfg = {.loop = f->loop, .name = name, .type = type, .limit = limit, .arg = f};
	struct gn_dns *op = NULL;
	int calls = f->a.calls;

	cfg.on_done = type == GN_DNS_A ? on_a : type == GN_DNS_AAAA ? on_aaaa : on_txt;
	assert_int_equal(gn_dns_start(&cfg, &op), 0);
	assert_int_equal(f->a.calls, calls);
	return op;
}

/* Starts a query, and runs the loop until it has completed and the channel of c-ares is closed. */
static void ask(struct fix *f, const char *name, enum gn_dns_type type)
{
	f->a.calls = 0;
	(void)start(f, name, type, 0);
	while (!f->a.calls)
		assert_int_equal(gn_loop_turn(f->loop, GN_NEVER), 0);
	assert_int_equal(f->a.calls, 1);
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	char server[32];

	if (!f || gn_loop_new(&f->loop) != 0 || !serve(f))
		return -1;
	f->tcp_fd = -1;
	if (gn_watch_new(f->loop, f->fd, on_query, f, &f->watch) != 0 ||
	    gn_watch_new(f->loop, f->listen_fd, on_tcp, f, &f->listen_watch) != 0)
		return -1;
	gn_watch_start(f->watch, GN_READABLE);
	gn_watch_start(f->listen_watch, GN_READABLE);
	(void)snprintf(server, sizeof server, "127.0.0.1:%u", (unsigned)f->port);
	*state = f;
	return gn_dns_server_set(f->loop, server);
}

static int teardown(void **state)
{
	struct fix *f = *state;

	serve_no_more(f);
	gn_loop_free(f->loop);
	free(f);
	return 0;
}

/* Closes the watches of the server.  The loop then returns only if the channel of c-ares is closed. */
static void expect_idle(struct fix *f)
{
	serve_no_more(f);
	assert_int_equal(gn_loop_run(f->loop), 0);
}

/* ---- tests -------------------------------------------------------------------- */

static void an_a_query_returns_ipv4_addresses(void **state)
{
	struct fix *f = *state;

	ask(f, "host.test", GN_DNS_A);
	assert_int_equal(f->a.err, 0);
	assert_int_equal(f->a.n, 2);
	assert_string_equal(f->a.text[0], "192.0.2.1");
	assert_string_equal(f->a.text[1], "192.0.2.2");
	assert_int_equal(f->asked, 1);
	expect_idle(f);
}

static void an_aaaa_query_returns_ipv6_addresses(void **state)
{
	struct fix *f = *state;

	ask(f, "host.test", GN_DNS_AAAA);
	assert_int_equal(f->a.err, 0);
	assert_int_equal(f->a.n, 1);
	assert_string_equal(f->a.text[0], "2001:db8::1");
	expect_idle(f);
}

static void a_txt_query_returns_joined_strings(void **state)
{
	struct fix *f = *state;

	ask(f, "_dnsaddr.test", GN_DNS_TXT);
	assert_int_equal(f->a.err, 0);
	assert_int_equal(f->a.n, 3);
	assert_string_equal(f->a.text[0], "dnsaddr=/ip4/192.0.2.1/tcp/4001");
	assert_string_equal(f->a.text[1], "");
	assert_string_equal(f->a.text[2], "second");
	expect_idle(f);
}

static void a_missing_name_is_noname(void **state)
{
	struct fix *f = *state;

	ask(f, "nobody.test", GN_DNS_A);
	assert_int_equal(f->a.err, GN_ENONAME);
	ask(f, "nobody.test", GN_DNS_TXT);
	assert_int_equal(f->a.err, GN_ENONAME);
	ask(f, "host.test", GN_DNS_TXT); /* the name has no record of this type */
	assert_int_equal(f->a.err, GN_ENONAME);
	expect_idle(f);
}

static void an_answer_is_bounded(void **state)
{
	struct fix *f = *state;

	ask(f, "many.test", GN_DNS_A);
	assert_int_equal(f->a.err, 0);
	assert_int_equal(f->a.n, GN_DNS_RECORDS_MAX);
	ask(f, "many.test", GN_DNS_TXT);
	assert_int_equal(f->a.err, 0);
	assert_int_equal(f->a.n, GN_DNS_RECORDS_MAX);
	assert_string_equal(f->a.text[7], "second");
}

static void a_malformed_answer_is_an_error(void **state)
{
	struct fix *f = *state;

	ask(f, "cut.test", GN_DNS_TXT);
	assert_int_equal(f->a.err, GN_EPROTO);
}

static void a_failing_server_is_an_error(void **state)
{
	struct fix *f = *state;

	ask(f, "broken.test", GN_DNS_A);
	assert_true(f->a.err < 0);
	expect_idle(f);
}

static void a_silent_server_is_a_timeout(void **state)
{
	struct fix *f = *state;
	gn_time begin = gn_loop_now(f->loop);

	(void)start(f, "silent.test", GN_DNS_TXT, 30 * GN_MSEC);
	while (!f->a.calls)
		assert_int_equal(gn_loop_turn(f->loop, GN_NEVER), 0);
	assert_int_equal(f->a.err, GN_ETIMEOUT);
	assert_true(f->asked > 0);
	assert_true(gn_loop_now(f->loop) - begin >= 30 * GN_MSEC);
	expect_idle(f);
	assert_int_equal(f->a.calls, 1);
}

static void a_cancelled_query_is_not_reported(void **state)
{
	struct fix *f = *state;

	gn_dns_cancel(start(f, "host.test", GN_DNS_A, 0)); /* before anything was sent */
	gn_dns_cancel(start(f, "localhost", GN_DNS_A, 0)); /* the result is known, and on_done is pending */
	f->op = start(f, "silent.test", GN_DNS_A, 0);
	while (!f->asked)
		assert_int_equal(gn_loop_turn(f->loop, GN_NEVER), 0);
	gn_dns_cancel(f->op);
	expect_idle(f);
	assert_int_equal(f->a.calls, 0);
}

/* Cancelling a query does not affect others. */
static void a_cancel_leaves_other_queries_alone(void **state)
{
	struct fix *f = *state;
	struct gn_dns_cfg cfg = {.loop = f->loop, .name = "silent.test", .type = GN_DNS_A, .on_done = on_b, .arg = f};

	assert_int_equal(gn_dns_start(&cfg, &f->op2), 0);
	f->cancels = true;
	ask(f, "host.test", GN_DNS_A); /* the on_done of this query cancels the other one */
	assert_int_equal(f->a.err, 0);
	assert_int_equal(f->a.n, 2);
	expect_idle(f);
	assert_int_equal(f->b.calls, 0);
}

/* "localhost" and names below it are resolved without a server. */
static void localhost_needs_no_server(void **state)
{
	struct fix *f = *state;

	ask(f, "localhost", GN_DNS_A);
	assert_int_equal(f->a.err, 0);
	assert_string_equal(f->a.text[0], "127.0.0.1");
	ask(f, "any.LocalHost", GN_DNS_AAAA); /* RFC 6761, section 6.3 */
	assert_int_equal(f->a.err, 0);
	assert_string_equal(f->a.text[0], "::1");
	assert_int_equal(f->asked, 0);
}

static void no_server_is_unreachable(void **state)
{
	struct fix *f = *state;

	serve_no_more(f); /* the kernel answers with an ICMP error */
	ask(f, "host.test", GN_DNS_A);
	assert_true(f->a.err == GN_EUNREACH || f->a.err == GN_ETIMEOUT);
}

static void bad_arguments_are_refused(void **state)
{
	struct fix *f = *state;
	struct gn_dns_cfg cfg = {.loop = f->loop, .name = "", .type = GN_DNS_A, .on_done = on_b, .arg = f};
	struct gn_dns *op;
	char name[300];

	assert_int_equal(gn_dns_start(&cfg, &op), GN_EFORMAT);
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	cfg.name = name;
	assert_int_equal(gn_dns_start(&cfg, &op), GN_EFORMAT);
	assert_int_equal(gn_dns_server_set(f->loop, "not an address"), 0);
	cfg.name = "host.test";
	assert_int_equal(gn_dns_start(&cfg, &op), GN_EFORMAT);
	assert_int_equal(gn_dns_server_set(f->loop, NULL), 0);
	assert_int_equal(gn_loop_new_virtual(&cfg.loop), 0);
	assert_int_equal(gn_dns_start(&cfg, &op), -ENOTSUP);
	gn_loop_free(cfg.loop);
}

/* The loop is freed while the channel of c-ares is open. */
static void a_loop_may_be_freed_while_the_channel_is_open(void **state)
{
	struct fix *f = *state;

	f->op = start(f, "silent.test", GN_DNS_A, 0);
	while (!f->asked)
		assert_int_equal(gn_loop_turn(f->loop, GN_NEVER), 0);
	gn_dns_cancel(f->op);
	assert_int_equal(f->a.calls, 0);
}

#define ON(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(an_a_query_returns_ipv4_addresses),
		ON(an_aaaa_query_returns_ipv6_addresses),
		ON(a_txt_query_returns_joined_strings),
		ON(a_missing_name_is_noname),
		ON(an_answer_is_bounded),
		ON(a_malformed_answer_is_an_error),
		ON(a_failing_server_is_an_error),
		ON(a_silent_server_is_a_timeout),
		ON(a_cancelled_query_is_not_reported),
		ON(a_cancel_leaves_other_queries_alone),
		ON(localhost_needs_no_server),
		ON(no_server_is_unreachable),
		ON(bad_arguments_are_refused),
		ON(a_loop_may_be_freed_while_the_channel_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
