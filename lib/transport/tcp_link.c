/* SPDX-License-Identifier: MIT */
/* A TCP connection as a link, and the addresses of TCP. */
#include "transport/tcp_link.h"

#include <errno.h>
#include <stdlib.h>

#define LINGER (2 * GN_SEC) /* see close in transport.h */
#define SKIP_TIMES 32       /* reads per turn of a link that is closing */

struct tcp_link {
	union {
		struct gn_link link; /* until is_closing */
		struct {
			struct gn_list link;   /* in the loop's list of links that are closing */
			struct gn_timer limit; /* of closing */
		} closing;
	};
	struct gn_loop *loop;
	struct gn_watch *watch;
	int fd;
	int err; /* the error that ended the connection; 0: none was reported yet */
	bool is_ended, has_eof, is_closing;
	bool is_from_listener;
};

/* The slot of the loop's list of links that are closing.  They have no owner any more. */
static const char lingering_key;

static void link_free(struct tcp_link *l)
{
	if (l->is_closing) {
		gn_list_del(&l->closing.link);
		gn_timer_fini(&l->closing.limit);
	} else {
		gn_multiaddr_free(l->link.remote);
		gn_multiaddr_free(l->link.local);
	}
	gn_watch_free(l->watch);
	free(l);
}

static void tcp_link_fini_slot(void *value)
{
	struct gn_list *lingering = value;
	struct tcp_link *l;

	while ((l = gn_list_first(lingering, struct tcp_link, closing.link)) != NULL) {
		gn_socket_close(l->fd);
		link_free(l);
	}
	free(lingering);
}

int gn_tcp_link_init(struct gn_loop *loop)
{
	struct gn_list *lingering;
	int err;

	if (gn_loop_slot_get(loop, &lingering_key) != NULL)
		return 0;
	lingering = malloc(sizeof *lingering);
	if (lingering == NULL)
		return -ENOMEM;
	gn_list_init(lingering);
	err = gn_loop_slot_put(loop, &lingering_key, lingering, tcp_link_fini_slot);
	if (err != 0)
		free(lingering);
	return err;
}

static struct tcp_link *tcp_link_of(struct gn_link *link)
{
	return gn_list_entry(link, struct tcp_link, link);
}

/* The kernel reports why a connection failed only once, to whichever call comes next; after that, reading
 * returns the end of the file.  The error is therefore stored, and reported by reading behind the bytes
 * that were received. */
static ptrdiff_t tcp_read(struct gn_link *link, void *buf, size_t n)
{
	struct tcp_link *l = tcp_link_of(link);
	ptrdiff_t got = gn_socket_read(l->fd, buf, n);

	if (got > 0 || got == GN_EAGAIN)
		return got;
	if (l->err != 0)
		return l->err;
	if (got == GN_EOF)
		l->has_eof = true;
	else
		l->err = (int)got;
	return got;
}

static ptrdiff_t tcp_write(struct gn_link *link, const struct iovec *v, int n)
{
	struct tcp_link *l = tcp_link_of(link);
	ptrdiff_t put;

	if (l->err != 0)
		return l->err;
	if (l->is_ended)
		return GN_ECLOSED;
	put = gn_socket_write(l->fd, v, n);
	if (put < 0 && put != GN_EAGAIN)
		l->err = (int)put;
	return put;
}

static void tcp_watch(struct gn_link *link, unsigned events)
{
	gn_watch_start(tcp_link_of(link)->watch, events);
}

static int tcp_end(struct gn_link *link)
{
	struct tcp_link *l = tcp_link_of(link);

	if (l->err != 0)
		return l->err;
	if (l->is_ended)
		return 0;
	l->is_ended = true;
	return gn_socket_end(l->fd);
}

static void tcp_link_finish(void *arg)
{
	struct tcp_link *l = arg;

	gn_socket_close(l->fd);
	link_free(l);
}

/* Discards what the peer sends, until its end. */
static void tcp_link_drain(struct tcp_link *l)
{
	ptrdiff_t got = 0;
	int i;

	for (i = 0; i < SKIP_TIMES; i++) {
		got = gn_socket_skip(l->fd);
		if (got <= 0)
			break;
	}
	if (got < 0 && got != GN_EAGAIN)
		tcp_link_finish(l);
}

static void tcp_close(struct gn_link *link)
{
	struct tcp_link *l = tcp_link_of(link);
	int err = tcp_end(link);

	if (err != 0 || l->has_eof) {
		tcp_link_finish(l);
		return;
	}
	gn_multiaddr_free(l->link.remote);
	gn_multiaddr_free(l->link.local);
	l->is_closing = true;
	gn_list_init(&l->closing.link);
	gn_timer_init(&l->closing.limit, l->loop, tcp_link_finish, l);
	gn_list_add_tail(gn_loop_slot_get(l->loop, &lingering_key), &l->closing.link);
	gn_timer_start(&l->closing.limit, LINGER);
	gn_watch_start(l->watch, GN_READABLE);
}

static void tcp_abort(struct gn_link *link)
{
	struct tcp_link *l = tcp_link_of(link);

	gn_socket_reset(l->fd);
	link_free(l);
}

static size_t tcp_unacked(struct gn_link *link)
{
	const struct tcp_link *l = tcp_link_of(link);

	return l->err != 0 ? 0 : gn_socket_unacked(l->fd);
}

static bool tcp_is_from_listener(struct gn_link *link)
{
	return tcp_link_of(link)->is_from_listener;
}

static const struct gn_link_ops ops = {
	.read = tcp_read,
	.write = tcp_write,
	.watch = tcp_watch,
	.end = tcp_end,
	.close = tcp_close,
	.abort = tcp_abort,
	.unacked = tcp_unacked,
	.is_from_listener = tcp_is_from_listener,
};

static void tcp_link_on_watch(void *arg, unsigned ready)
{
	struct tcp_link *l = arg;

	if (l->is_closing)
		tcp_link_drain(l);
	else
		l->link.on_ready(l->link.arg, ready);
}

/* fe80::/10 (RFC 4291, section 2.5.6).  Every interface has this network, so an address of it needs a
 * zone. */
static bool is_link_local(const struct gn_sockaddr *sa)
{
	return sa->family == 6 && sa->ip[0] == 0xfe && (sa->ip[1] & 0xc0) == 0x80;
}

int gn_tcp_addr_decode(const struct gn_multiaddr *a, struct gn_sockaddr *out)
{
	struct gn_sockaddr sa = {0};
	struct gn_ip ip;
	int err = gn_multiaddr_to_ip(a, &ip, NULL);
	int i;

	if (err != 0 || ip.code != GN_MA_TCP)
		return GN_ENOTRANS;
	sa.family = ip.is_ip6 ? 6 : 4;
	sa.port = ip.port;
	for (i = 0; i < (ip.is_ip6 ? 16 : 4); i++)
		sa.ip[i] = ip.addr[i];
	if (ip.zone[0] != '\0') {
		err = gn_zone_parse(ip.zone, &sa.scope);
		if (err != 0)
			return err;
	} else if (is_link_local(&sa)) {
		return GN_EZONE;
	}
	*out = sa;
	return 0;
}

int gn_tcp_addr_encode(const struct gn_sockaddr *sa, struct gn_multiaddr **out)
{
	struct gn_ip ip = {.is_ip6 = sa->family == 6, .code = GN_MA_TCP, .port = sa->port};
	int i;

	for (i = 0; i < 16; i++)
		ip.addr[i] = sa->ip[i];
	if (sa->scope != 0)
		(void)gn_zone_format(sa->scope, ip.zone);
	return gn_multiaddr_from_ip(&ip, out);
}

int gn_tcp_link_new(struct gn_loop *loop, int fd, const struct gn_sockaddr *remote, struct gn_link **out)
{
	struct tcp_link *l = calloc(1, sizeof *l);
	struct gn_sockaddr local;
	int err;

	if (l == NULL)
		return -ENOMEM;
	l->link.ops = &ops;
	l->loop = loop;
	l->fd = fd;
	err = gn_socket_local(fd, &local);
	if (err == 0)
		err = gn_tcp_addr_encode(&local, &l->link.local);
	if (err == 0)
		err = gn_tcp_addr_encode(remote, &l->link.remote);
	if (err == 0)
		err = gn_watch_new(loop, fd, tcp_link_on_watch, l, &l->watch);
	if (err != 0) {
		link_free(l);
		return err;
	}
	*out = &l->link;
	return 0;
}

void gn_tcp_link_set_from_listener(struct gn_link *link)
{
	tcp_link_of(link)->is_from_listener = true;
}
