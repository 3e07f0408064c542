/* SPDX-License-Identifier: MIT */
/*
 * DNS queries.  c-ares may call back from inside any of its functions, ares_cancel() and ares_destroy()
 * included.  An answer is therefore only stored there, and on_done is called from a task.  c-ares cannot
 * cancel a single query.  A query that is cancelled or timed out is detached from its struct request, which
 * c-ares still refers to; the request is freed when c-ares completes it, at the latest when the channel is
 * closed.
 */
#define _GNU_SOURCE /* secure_getenv() */
#include "loop/dns.h"

#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "loop/loop.h"

#define NAME_MAX_LEN 254 /* with a trailing dot */
#define TRY_MS 2000      /* how long the first try waits; c-ares makes later tries longer */
#define TRIES 3
#define EDNS_SIZE 1232 /* avoids fragments; DNS flag day 2020 */

/* A descriptor of c-ares, and its watch. */
struct dns_socket {
	struct gn_list link;
	struct dns *dns;
	ares_socket_t fd;
	struct gn_watch *watch;
};

/* The state of a loop. */
struct dns {
	struct gn_loop *loop;
	ares_channel channel; /* NULL: closed */
	struct gn_list sockets;
	struct gn_timer timer;
	struct gn_task sweep; /* closes the channel when no query is running */
	size_t queries;       /* that are running */
	char *server;
};

struct request {
	struct gn_dns *op; /* NULL: the query was cancelled or has timed out */
};

struct gn_dns {
	struct dns *dns;
	struct request *request; /* NULL: c-ares has answered, or was not asked */
	enum gn_dns_type type;
	void (*on_done)(void *arg, int err, const struct gn_dns_record *records, size_t n);
	void *arg;
	struct gn_task task;
	struct gn_timer limit;
	int err;
	struct gn_dns_record *records; /* one allocation with the bytes that they point to */
	size_t n;
};

static const char dns_slot_key;

static int dns_error(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENOMEM:
		return -ENOMEM;
	case ARES_ETIMEOUT:
		return GN_ETIMEOUT;
	case ARES_ECONNREFUSED:
		return GN_EUNREACH;
	case ARES_EBADRESP:
		return GN_EPROTO;
	case ARES_EBADNAME:
		return GN_EFORMAT;
	}
	return GN_ENONAME;
}

/* ---- the channel -------------------------------------------------------------- */

static void dns_update_timer(struct dns *dns)
{
	struct timeval tv;

	if (dns->channel != NULL && ares_timeout(dns->channel, NULL, &tv) != NULL)
		gn_timer_start(&dns->timer, (gn_time)tv.tv_sec * GN_SEC + (gn_time)tv.tv_usec * GN_USEC);
	else
		gn_timer_stop(&dns->timer);
}

static void dns_on_time(void *arg)
{
	struct dns *dns = arg;

	if (dns->channel != NULL)
		ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	dns_update_timer(dns);
}

static void on_socket(void *arg, unsigned ready)
{
	struct dns_socket *s = arg;
	struct dns *dns = s->dns;
	ares_socket_t fd = s->fd;

	ares_process_fd(dns->channel, (ready & GN_READABLE) != 0 ? fd : ARES_SOCKET_BAD,
			(ready & GN_WRITABLE) != 0 ? fd : ARES_SOCKET_BAD);
	dns_update_timer(dns);
}

static struct dns_socket *find_socket(struct dns *dns, ares_socket_t fd)
{
	struct gn_list *pos;

	gn_list_for_each(pos, &dns->sockets) {
		struct dns_socket *s = gn_list_entry(pos, struct dns_socket, link);

		if (s->fd == fd)
			return s;
	}
	return NULL;
}

static void socket_free(struct dns_socket *s)
{
	gn_list_del(&s->link);
	gn_watch_free(s->watch);
	free(s);
}

static struct dns_socket *socket_new(struct dns *dns, ares_socket_t fd)
{
	struct dns_socket *s = malloc(sizeof *s);

	if (s == NULL)
		return NULL;
	gn_list_init(&s->link);
	s->dns = dns;
	s->fd = fd;
	if (gn_watch_new(dns->loop, fd, on_socket, s, &s->watch) != 0) {
		free(s);
		return NULL;
	}
	gn_list_add_tail(&dns->sockets, &s->link);
	return s;
}

static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns *dns = arg;
	struct dns_socket *s = find_socket(dns, fd);

	if (readable == 0 && writable == 0) {
		if (s != NULL)
			socket_free(s);
		return;
	}
	if (s == NULL)
		s = socket_new(dns, fd);
	/* Without memory for the watch the answer is not read, and the query times out. */
	if (s != NULL)
		gn_watch_start(s->watch, (readable != 0 ? GN_READABLE : 0u) | (writable != 0 ? GN_WRITABLE : 0u));
}

static void channel_close(struct dns *dns)
{
	if (dns->channel != NULL)
		ares_destroy(dns->channel);
	dns->channel = NULL;
	gn_timer_stop(&dns->timer);
}

static int channel_open(struct dns *dns)
{
	struct ares_options o = {.flags = ARES_FLAG_EDNS,
				 .timeout = TRY_MS,
				 .tries = TRIES,
				 .ednspsz = EDNS_SIZE,
				 .sock_state_cb = on_socket_state,
				 .sock_state_cb_data = dns};
	const char *server = dns->server != NULL ? dns->server : secure_getenv("GN_DNS_SERVER");
	int status;

	if (dns->channel != NULL)
		return 0;
	status = ares_init_options(&dns->channel, &o,
				   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
					   ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS) {
		dns->channel = NULL;
		return status == ARES_ENOMEM ? -ENOMEM : GN_EUNREACH;
	}
	if (server != NULL && ares_set_servers_ports_csv(dns->channel, server) != ARES_SUCCESS) {
		channel_close(dns);
		return GN_EFORMAT;
	}
	return 0;
}

static void run_sweep(struct gn_task *task)
{
	struct dns *dns = gn_list_entry(task, struct dns, sweep);

	if (dns->queries == 0)
		channel_close(dns);
}

static void dns_fini_slot(void *value)
{
	struct dns *dns = value;

	channel_close(dns);
	gn_task_cancel(&dns->sweep);
	ares_library_cleanup();
	free(dns->server);
	free(dns);
}

static int dns_of(struct gn_loop *loop, struct dns **out)
{
	struct dns *dns = gn_loop_slot_get(loop, &dns_slot_key);
	int err;

	if (dns == NULL) {
		dns = calloc(1, sizeof *dns);
		if (dns == NULL)
			return -ENOMEM;
		dns->loop = loop;
		gn_list_init(&dns->sockets);
		gn_timer_init(&dns->timer, loop, dns_on_time, dns);
		gn_task_init(&dns->sweep, run_sweep);
		err = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS ? 0 : -ENOMEM;
		if (err == 0)
			err = gn_loop_slot_put(loop, &dns_slot_key, dns, dns_fini_slot);
		if (err != 0) {
			free(dns);
			return err;
		}
	}
	*out = dns;
	return 0;
}

int gn_dns_server_set(struct gn_loop *loop, const char *server)
{
	struct dns *dns;
	char *copy = NULL;
	int err = dns_of(loop, &dns);

	if (err != 0)
		return err;
	if (server != NULL && (copy = strdup(server)) == NULL)
		return -ENOMEM;
	free(dns->server);
	dns->server = copy;
	return 0;
}

/* ---- answers ------------------------------------------------------------------ */

/* Ends a request when c-ares calls back.  Returns its query, whose on_done is due then; NULL: the query
 * was cancelled, or has timed out. */
static struct gn_dns *dns_finish(void *arg, int err)
{
	struct request *request = arg;
	struct gn_dns *op = request->op;

	free(request);
	if (op == NULL)
		return NULL;
	op->request = NULL;
	op->err = err;
	gn_task_post(op->dns->loop, &op->task);
	return op;
}

/* Allocates n records and room for their bytes.  Returns the room; NULL without memory, and then sets the
 * error. */
static uint8_t *dns_make_room(struct gn_dns *op, size_t n, size_t bytes)
{
	op->records = malloc(n * sizeof *op->records + bytes + 1);
	if (op->records == NULL)
		op->err = -ENOMEM;
	return op->records != NULL ? (uint8_t *)(op->records + n) : NULL;
}

static void add_address(struct gn_dns *op, const struct ares_addrinfo_node *node, uint8_t **to)
{
	struct gn_dns_record *r = &op->records[op->n];
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (op->n == GN_DNS_RECORDS_MAX)
		return;
	r->bytes = *to;
	if (op->type == GN_DNS_AAAA && node->ai_family == AF_INET6 && node->ai_addrlen >= sizeof six) {
		memcpy(&six, node->ai_addr, sizeof six);
		memcpy(*to, &six.sin6_addr, r->len = 16);
	} else if (op->type == GN_DNS_A && node->ai_family == AF_INET && node->ai_addrlen >= sizeof four) {
		memcpy(&four, node->ai_addr, sizeof four);
		memcpy(*to, &four.sin_addr, r->len = 4);
	} else {
		return;
	}
	*to += r->len;
	op->n++;
}

static void on_addrinfo(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct gn_dns *op = dns_finish(arg, dns_error(status));
	const struct ares_addrinfo_node *node;
	uint8_t *to;

	(void)timeouts;
	if (op != NULL && op->err == 0 &&
	    (to = dns_make_room(op, GN_DNS_RECORDS_MAX, GN_DNS_RECORDS_MAX * 16)) != NULL) {
		for (node = info->nodes; node != NULL; node = node->ai_next)
			add_address(op, node, &to);
		if (op->n == 0)
			op->err = GN_ENONAME;
	}
	ares_freeaddrinfo(info);
}

static void dns_take_texts(struct gn_dns *op, const struct ares_txt_ext *list)
{
	const struct ares_txt_ext *t;
	struct gn_dns_record *r = NULL;
	size_t n = 0, bytes = 0;
	uint8_t *to;

	for (t = list; t != NULL; t = t->next) {
		n += t->record_start != 0;
		bytes += t->length + 1;
	}
	n = n < GN_DNS_RECORDS_MAX ? n : GN_DNS_RECORDS_MAX;
	to = dns_make_room(op, n, bytes);
	if (to == NULL)
		return;
	for (t = list; t != NULL; t = t->next) {
		if (t->record_start != 0) {
			if (op->n == n)
				break;
			if (r != NULL)
				*to++ = '\0';
			r = &op->records[op->n++];
			*r = (struct gn_dns_record){.bytes = to};
		}
		if (r == NULL)
			continue;
		memcpy(to, t->txt, t->length);
		to += t->length;
		r->len += t->length;
	}
	*to = '\0';
	if (op->n == 0)
		op->err = GN_ENONAME;
}

static void on_text(void *arg, int status, int timeouts, unsigned char *answer, int len)
{
	struct gn_dns *op = dns_finish(arg, dns_error(status));
	struct ares_txt_ext *list = NULL;

	(void)timeouts;
	if (op == NULL || op->err != 0)
		return;
	op->err = dns_error(ares_parse_txt_reply_ext(answer, len, &list));
	if (op->err == 0)
		dns_take_texts(op, list);
	if (list != NULL)
		ares_free_data(list);
}

/* ---- queries ------------------------------------------------------------------ */

static void dns_free(struct gn_dns *op)
{
	struct dns *dns = op->dns;

	if (op->request != NULL)
		op->request->op = NULL;
	gn_task_cancel(&op->task);
	gn_timer_fini(&op->limit);
	free(op->records);
	free(op);
	if (--dns->queries == 0)
		gn_task_post(dns->loop, &dns->sweep);
}

static void run_done(struct gn_task *task)
{
	struct gn_dns *op = gn_list_entry(task, struct gn_dns, task);
	struct gn_dns_record *records = op->records;
	void (*on_done)(void *arg, int err, const struct gn_dns_record *records, size_t n) = op->on_done;
	void *arg = op->arg;
	size_t n = op->n;
	int err = op->err;

	op->records = NULL;
	dns_free(op);
	on_done(arg, err, err != 0 ? NULL : records, err != 0 ? 0 : n);
	free(records);
}

static void dns_on_limit(void *arg)
{
	struct gn_dns *op = arg;

	if (op->request == NULL)
		return; /* the answer is there: the task is posted */
	op->request->op = NULL;
	op->request = NULL;
	op->err = GN_ETIMEOUT;
	gn_task_post(op->dns->loop, &op->task);
}

static bool is_localhost(const char *name)
{
	static const char localhost[] = "localhost";
	size_t n = strlen(name), len = sizeof localhost - 1;

	if (n > 0 && name[n - 1] == '.')
		n--;
	return n >= len && strncasecmp(name + n - len, localhost, len) == 0 && (n == len || name[n - len - 1] == '.');
}

/* No server is asked for localhost (RFC 6761, section 6.3).  c-ares 1.18 leaks memory when it is asked. */
static void answer_localhost(struct gn_dns *op)
{
	static const uint8_t four[4] = {127, 0, 0, 1}, six[16] = {[15] = 1};
	uint8_t *to = dns_make_room(op, 1, 16);

	if (to != NULL) {
		op->n = 1;
		op->records[0].bytes = to;
		op->records[0].len = op->type == GN_DNS_A ? 4 : 16;
		memcpy(to, op->type == GN_DNS_A ? four : six, op->records[0].len);
	}
	gn_task_post(op->dns->loop, &op->task);
}

static int dns_ask(struct gn_dns *op, const char *name)
{
	struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT,
					    .ai_family = op->type == GN_DNS_AAAA ? AF_INET6 : AF_INET};
	struct dns *dns = op->dns;
	int err;

	if (op->type != GN_DNS_TXT && is_localhost(name)) {
		answer_localhost(op);
		return 0;
	}
	err = channel_open(dns);
	if (err != 0)
		return err;
	op->request = malloc(sizeof *op->request);
	if (op->request == NULL)
		return -ENOMEM;
	op->request->op = op;
	if (op->type == GN_DNS_TXT)
		ares_query(dns->channel, name, 1 /* Internet */, GN_DNS_TXT, on_text, op->request);
	else
		ares_getaddrinfo(dns->channel, name, NULL, &hints, on_addrinfo, op->request);
	dns_update_timer(dns);
	return 0;
}

int gn_dns_start(const struct gn_dns_cfg *cfg, struct gn_dns **out)
{
	struct gn_dns *op;
	struct dns *dns;
	int err;

	if (gn_loop_is_virtual(cfg->loop))
		return -ENOTSUP;
	if (cfg->name[0] == '\0' || strlen(cfg->name) > NAME_MAX_LEN)
		return GN_EFORMAT;
	err = dns_of(cfg->loop, &dns);
	if (err != 0)
		return err;
	op = calloc(1, sizeof *op);
	if (op == NULL)
		return -ENOMEM;
	op->dns = dns;
	op->type = cfg->type;
	op->on_done = cfg->on_done;
	op->arg = cfg->arg;
	gn_task_init(&op->task, run_done);
	gn_timer_init(&op->limit, cfg->loop, dns_on_limit, op);
	gn_timer_start(&op->limit, cfg->limit > 0 ? cfg->limit : GN_DNS_LIMIT);
	dns->queries++;
	err = dns_ask(op, cfg->name);
	if (err != 0) {
		dns_free(op);
		return err;
	}
	*out = op;
	return 0;
}

void gn_dns_cancel(struct gn_dns *op)
{
	dns_free(op);
}
