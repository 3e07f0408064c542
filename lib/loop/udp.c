/* SPDX-License-Identifier: MIT */
/* sendmmsg(), recvmmsg() and the packet info of datagrams are not in POSIX. */
#define _GNU_SOURCE
#include "loop/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"
#include "loop/socket_addr.h"

struct gn_udp {
	int fd;
	bool is_ip6;
	bool is_unbatched;
	struct gn_watch *watch;
};

/* Room for the packet info of one datagram, of either family. */
struct udp_control {
	_Alignas(max_align_t) uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

_Static_assert(sizeof(struct in_pktinfo) <= sizeof(struct in6_pktinfo), "struct udp_control has room for both");

/* What a batch of datagrams needs for its system call. */
struct udp_batch {
	struct mmsghdr msg[GN_UDP_BATCH];
	struct iovec view[GN_UDP_BATCH];
	struct sockaddr_storage remote[GN_UDP_BATCH];
	struct udp_control control[GN_UDP_BATCH];
};

/* ---- opening -------------------------------------------------------------------- */

static int udp_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

static int udp_set_options(int fd, const struct gn_udp_cfg *cfg)
{
	int hops = cfg->multicast_hops > 0 ? cfg->multicast_hops : 1;
	int err = cfg->shares_port ? udp_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) : 0;

	if (err == 0 && cfg->at.family == 6) {
		err = udp_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		if (err == 0)
			err = udp_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		if (err == 0)
			err = udp_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
#ifdef IPV6_MULTICAST_ALL
		if (err == 0) /* Linux 4.20 */
			(void)udp_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
#endif
	} else if (err == 0) {
		err = udp_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
		if (err == 0)
			err = udp_set(fd, IPPROTO_IP, IP_MULTICAST_TTL, hops);
#ifdef IP_MULTICAST_ALL
		if (err == 0)
			err = udp_set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
#endif
	}
	return err;
}

static int udp_bind(struct gn_udp *u, const struct gn_udp_cfg *cfg)
{
	struct sockaddr_storage sa;
	socklen_t len = gn_sockaddr_encode(&cfg->at, &sa);
	int err;

	u->fd = socket(u->is_ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (u->fd < 0)
		return -errno;
	err = udp_set_options(u->fd, cfg);
	if (err == 0 && bind(u->fd, (struct sockaddr *)&sa, len) != 0)
		err = -errno;
	return err != 0 ? err : gn_watch_new(cfg->loop, u->fd, cfg->on_ready, cfg->arg, &u->watch);
}

int gn_udp_open(const struct gn_udp_cfg *cfg, struct gn_udp **out)
{
	struct gn_udp *u;
	int err;

	if (gn_loop_is_virtual(cfg->loop))
		return -ENOTSUP;
	u = calloc(1, sizeof *u);
	if (u == NULL)
		return -ENOMEM;
	u->fd = -1;
	u->is_ip6 = cfg->at.family == 6;
	u->is_unbatched = cfg->is_unbatched;
	err = udp_bind(u, cfg);
	if (err != 0) {
		gn_udp_close(u);
		return err;
	}
	*out = u;
	return 0;
}

void gn_udp_close(struct gn_udp *u)
{
	if (u == NULL)
		return;
	gn_watch_free(u->watch);
	if (u->fd >= 0)
		close(u->fd);
	free(u);
}

void gn_udp_watch(struct gn_udp *u, unsigned events)
{
	gn_watch_start(u->watch, events);
}

int gn_udp_local(const struct gn_udp *u, struct gn_sockaddr *out)
{
	return gn_socket_local(u->fd, out);
}

/* ---- batches -------------------------------------------------------------------- */

/* Runs a batch: by one system call, or by one call per datagram until one fails.  Returns how many
 * datagrams were received or sent (> 0), or -errno of the first. */
static int udp_run(const struct gn_udp *u, struct udp_batch *b, int n, bool sends)
{
	int done = 0;
	ssize_t got;

	if (!u->is_unbatched) {
		do
			done = sends ? sendmmsg(u->fd, b->msg, (unsigned)n, MSG_DONTWAIT | MSG_NOSIGNAL)
				     : recvmmsg(u->fd, b->msg, (unsigned)n, MSG_DONTWAIT, NULL);
		while (done < 0 && errno == EINTR);
		return done >= 0 ? done : -errno;
	}
	while (done < n) {
		struct msghdr *msg = &b->msg[done].msg_hdr;

		got = sends ? sendmsg(u->fd, msg, MSG_DONTWAIT | MSG_NOSIGNAL) : recvmsg(u->fd, msg, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return done > 0 ? done : -errno;
		b->msg[done++].msg_len = (unsigned)got;
	}
	return done;
}

static int udp_result(int n)
{
	if (n == -EAGAIN || n == -EWOULDBLOCK)
		return GN_EAGAIN;
	return n == -EMSGSIZE ? GN_ETOOBIG : n;
}

/* ---- receiving ------------------------------------------------------------------ */

static void udp_take_info(const struct msghdr *msg, struct gn_datagram *d)
{
	struct msghdr *m = (struct msghdr *)(uintptr_t)msg; /* CMSG_NXTHDR() lacks the const */
	struct in6_pktinfo six;
	struct in_pktinfo four;
	struct cmsghdr *c;

	d->local = (struct gn_sockaddr){.family = 0};
	d->interface = 0;
	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&six, CMSG_DATA(c), sizeof six);
			d->local.family = 6;
			memcpy(d->local.ip, &six.ipi6_addr, 16);
			if (IN6_IS_ADDR_LINKLOCAL(&six.ipi6_addr))
				d->local.scope = six.ipi6_ifindex;
			d->interface = six.ipi6_ifindex;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&four, CMSG_DATA(c), sizeof four);
			d->local.family = 4;
			memcpy(d->local.ip, &four.ipi_addr, 4);
			d->interface = (uint32_t)four.ipi_ifindex;
		}
	}
}

int gn_udp_receive(struct gn_udp *u, struct gn_datagram *d, int n)
{
	struct udp_batch b;
	int got;

	n = n < GN_UDP_BATCH ? n : GN_UDP_BATCH;
	for (int i = 0; i < n; i++) {
		b.view[i] = (struct iovec){d[i].data, d[i].len};
		b.msg[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &b.remote[i],
							.msg_namelen = sizeof b.remote[i],
							.msg_iov = &b.view[i],
							.msg_iovlen = 1,
							.msg_control = &b.control[i],
							.msg_controllen = sizeof b.control[i]}};
	}
	got = udp_result(udp_run(u, &b, n, false));
	for (int i = 0; i < got; i++) {
		const struct msghdr *msg = &b.msg[i].msg_hdr;

		(void)gn_sockaddr_decode(&b.remote[i], msg->msg_namelen, &d[i].remote);
		udp_take_info(msg, &d[i]);
		d[i].len = b.msg[i].msg_len;
		d[i].is_truncated = (msg->msg_flags & MSG_TRUNC) != 0;
	}
	return got;
}

/* ---- sending -------------------------------------------------------------------- */

/* Puts the source address and the interface of a datagram, if it has any, into its control message. */
static void udp_put_info(const struct gn_udp *u, const struct gn_datagram *d, struct udp_control *control,
			 struct msghdr *msg)
{
	struct in6_pktinfo six = {.ipi6_ifindex = d->interface};
	struct in_pktinfo four = {.ipi_ifindex = (int)d->interface};
	struct cmsghdr *c = (struct cmsghdr *)(void *)control->bytes;

	if (d->local.family == 0 && d->interface == 0)
		return;
	memset(control, 0, sizeof *control);
	msg->msg_control = control;
	if (u->is_ip6) {
		if (d->local.family == 6)
			memcpy(&six.ipi6_addr, d->local.ip, 16);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof six);
		memcpy(CMSG_DATA(c), &six, sizeof six);
		msg->msg_controllen = CMSG_SPACE(sizeof six);
	} else {
		if (d->local.family == 4)
			memcpy(&four.ipi_spec_dst, d->local.ip, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof four);
		memcpy(CMSG_DATA(c), &four, sizeof four);
		msg->msg_controllen = CMSG_SPACE(sizeof four);
	}
}

int gn_udp_send(struct gn_udp *u, const struct gn_datagram *d, int n)
{
	struct udp_batch b;

	n = n < GN_UDP_BATCH ? n : GN_UDP_BATCH;
	for (int i = 0; i < n; i++) {
		struct msghdr *msg = &b.msg[i].msg_hdr;

		b.view[i] = (struct iovec){d[i].data, d[i].len};
		*msg = (struct msghdr){.msg_name = &b.remote[i],
				       .msg_namelen = gn_sockaddr_encode(&d[i].remote, &b.remote[i]),
				       .msg_iov = &b.view[i],
				       .msg_iovlen = 1};
		udp_put_info(u, &d[i], &b.control[i], msg);
	}
	return udp_result(udp_run(u, &b, n, true));
}

/* ---- groups --------------------------------------------------------------------- */

static int udp_group(struct gn_udp *u, int option, const struct gn_sockaddr *group, uint32_t interface)
{
	struct group_req r = {.gr_interface = interface};
	struct gn_sockaddr address = *group;

	if ((group->family == 6) != u->is_ip6)
		return -EINVAL;
	address.port = 0;
	address.scope = 0;
	(void)gn_sockaddr_encode(&address, &r.gr_group);
	return setsockopt(u->fd, u->is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP, option, &r, sizeof r) == 0 ? 0 : -errno;
}

int gn_udp_join(struct gn_udp *u, const struct gn_sockaddr *group, uint32_t interface)
{
	return udp_group(u, MCAST_JOIN_GROUP, group, interface);
}

int gn_udp_leave(struct gn_udp *u, const struct gn_sockaddr *group, uint32_t interface)
{
	return udp_group(u, MCAST_LEAVE_GROUP, group, interface);
}
