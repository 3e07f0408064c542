/* SPDX-License-Identifier: MIT */
/* rtnetlink is Linux's own. */
#define _GNU_SOURCE
#include "loop/interfaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"

#ifdef __linux__

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	INTERFACES_MAX = 1024, /* of a host; further ones are of GN_INTERFACE_OTHER */
	REPLY_MAX = 32 * 1024, /* bytes of a part of an answer */
};

struct interface {
	uint32_t index;
	bool is_virtual;
	bool has_default[2]; /* IPv4, IPv6 */
};

struct gn_interfaces {
	size_t n;
	uint32_t metric[2]; /* the lowest of a default route */
	struct interface list[INTERFACES_MAX];
};

/* ---- messages ---- */

static struct interface *interface_of(struct gn_interfaces *all, uint32_t index)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].index == index)
			return &all->list[i];
	if (all->n == INTERFACES_MAX)
		return NULL;
	all->list[all->n] = (struct interface){.index = index};
	return &all->list[all->n++];
}

/* Container engines and hypervisors give their guests a bridge.  (A veth is what the guest itself has.) */
static bool is_bridge(const char *kind, size_t len)
{
	return strnlen(kind, len) == strlen("bridge") && memcmp(kind, "bridge", strlen("bridge")) == 0;
}

/* RTA_NEXT() without its conversions. */
static struct rtattr *attr_next(struct rtattr *a, int *left)
{
	unsigned step = RTA_ALIGN((unsigned)a->rta_len);

	*left -= (int)step;
	return (struct rtattr *)(void *)((char *)a + step);
}

static void on_link(struct gn_interfaces *all, struct nlmsghdr *h)
{
	struct ifinfomsg *info = NLMSG_DATA(h);
	int left = (int)IFLA_PAYLOAD(h);

	for (struct rtattr *a = IFLA_RTA(info); RTA_OK(a, left); a = attr_next(a, &left)) {
		int inside = (int)RTA_PAYLOAD(a);

		if (a->rta_type != IFLA_LINKINFO)
			continue;
		for (struct rtattr *b = RTA_DATA(a); RTA_OK(b, inside); b = attr_next(b, &inside)) {
			struct interface *i;

			if (b->rta_type != IFLA_INFO_KIND || !is_bridge(RTA_DATA(b), RTA_PAYLOAD(b)))
				continue;
			i = interface_of(all, (uint32_t)info->ifi_index);
			if (i != NULL)
				i->is_virtual = true;
		}
	}
}

static void on_route(struct gn_interfaces *all, struct nlmsghdr *h)
{
	struct rtmsg *route = NLMSG_DATA(h);
	int left = (int)RTM_PAYLOAD(h), family = route->rtm_family == AF_INET6;
	uint32_t index = 0, metric = 0;
	struct interface *i;

	if (route->rtm_dst_len != 0 || route->rtm_table != RT_TABLE_MAIN || route->rtm_type != RTN_UNICAST)
		return;
	for (struct rtattr *a = RTM_RTA(route); RTA_OK(a, left); a = attr_next(a, &left)) {
		if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof index)
			memcpy(&index, RTA_DATA(a), sizeof index);
		if (a->rta_type == RTA_PRIORITY && RTA_PAYLOAD(a) == sizeof metric)
			memcpy(&metric, RTA_DATA(a), sizeof metric);
	}
	if (index == 0 || metric > all->metric[family])
		return;
	if (metric < all->metric[family])
		for (size_t k = 0; k < all->n; k++)
			all->list[k].has_default[family] = false;
	all->metric[family] = metric;
	i = interface_of(all, index);
	if (i != NULL)
		i->has_default[family] = true;
}

/* One part of an answer: 0 when more follow, GN_EOF at the end, or an error. */
static int on_part(struct gn_interfaces *all, void *part, size_t n)
{
	unsigned left = (unsigned)n;

	for (struct nlmsghdr *h = part; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == NLMSG_DONE)
			return GN_EOF;
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = NLMSG_DATA(h);

			return h->nlmsg_len >= NLMSG_LENGTH(sizeof *e) && e->error < 0 ? e->error : -EPROTO;
		}
		if (h->nlmsg_type == RTM_NEWLINK)
			on_link(all, h);
		else if (h->nlmsg_type == RTM_NEWROUTE)
			on_route(all, h);
	}
	return 0;
}

static int netlink_open(unsigned groups, int *fd)
{
	struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = groups};

	*fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (groups != 0 ? SOCK_NONBLOCK : 0), NETLINK_ROUTE);
	if (*fd < 0)
		return errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT ? -ENOSYS : -errno;
	if (bind(*fd, (struct sockaddr *)&at, sizeof at) == 0)
		return 0;
	close(*fd);
	return -errno;
}

/* The kernel answers from its tables at once, so that this never waits. */
static int ask(int fd, uint16_t type, struct gn_interfaces *all)
{
	struct {
		struct nlmsghdr head;
		struct rtgenmsg family;
	} question = {
		.head = {.nlmsg_len = sizeof question, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
	int err = 0;
	void *part;

	if (send(fd, &question, sizeof question, 0) < 0)
		return -errno;
	part = malloc(REPLY_MAX);
	if (part == NULL)
		return -ENOMEM;
	while (err == 0) {
		ssize_t n = recv(fd, part, REPLY_MAX, 0);

		if (n > 0)
			err = on_part(all, part, (size_t)n);
		else if (n == 0 || errno != EINTR)
			err = n == 0 ? GN_EOF : -errno;
	}
	free(part);
	return err == GN_EOF ? 0 : err;
}

int gn_interfaces_get(struct gn_interfaces **out)
{
	struct gn_interfaces *all = calloc(1, sizeof *all);
	int fd, err;

	if (all == NULL)
		return -ENOMEM;
	all->metric[0] = all->metric[1] = UINT32_MAX;
	err = netlink_open(0, &fd);
	if (err == 0) {
		err = ask(fd, RTM_GETLINK, all);
		if (err == 0)
			err = ask(fd, RTM_GETROUTE, all);
		close(fd);
	}
	if (err != 0) {
		free(all);
		return err;
	}
	*out = all;
	return 0;
}

enum gn_interface_kind gn_interfaces_kind(const struct gn_interfaces *all, uint32_t index, int family)
{
	for (size_t i = 0; all != NULL && i < all->n; i++) {
		if (all->list[i].index != index)
			continue;
		if (all->list[i].has_default[family == 6])
			return GN_INTERFACE_DEFAULT;
		return all->list[i].is_virtual ? GN_INTERFACE_VIRTUAL : GN_INTERFACE_OTHER;
	}
	return GN_INTERFACE_OTHER;
}

/* ---- changes ---- */

struct gn_interfaces_watch {
	int fd;
	struct gn_watch *watch;
	struct gn_timer timer;
	void (*on_change)(void *arg);
	void *arg;
};

static void interfaces_on_settled(void *arg)
{
	struct gn_interfaces_watch *w = arg;

	w->on_change(w->arg);
}

/* Only that something has changed counts; after ENOBUFS, too, since messages were lost then. */
static void interfaces_on_ready(void *arg, unsigned ready)
{
	struct gn_interfaces_watch *w = arg;
	uint8_t part[8192];
	bool has_changed = false;

	(void)ready;
	for (int i = 0; i < 64; i++) {
		ssize_t n = recv(w->fd, part, sizeof part, MSG_DONTWAIT);

		if (n <= 0 && errno != ENOBUFS)
			break;
		has_changed = true;
	}
	/* A change restarts no timer, so that steady changes do not postpone the call for ever. */
	if (has_changed && !gn_timer_is_running(&w->timer))
		gn_timer_start(&w->timer, GN_INTERFACES_SETTLE);
}

int gn_interfaces_watch_new(struct gn_loop *loop, void (*on_change)(void *arg), void *arg,
			    struct gn_interfaces_watch **out)
{
	const unsigned groups =
		RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
	struct gn_interfaces_watch *w;
	int err;

	if (gn_loop_is_virtual(loop))
		return -EINVAL;
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return -ENOMEM;
	err = netlink_open(groups, &w->fd);
	if (err == 0) {
		err = gn_watch_new(loop, w->fd, interfaces_on_ready, w, &w->watch);
		if (err != 0)
			close(w->fd);
	}
	if (err != 0) {
		free(w);
		return err;
	}
	w->on_change = on_change;
	w->arg = arg;
	gn_timer_init(&w->timer, loop, interfaces_on_settled, w);
	gn_watch_start(w->watch, GN_READABLE);
	*out = w;
	return 0;
}

void gn_interfaces_watch_free(struct gn_interfaces_watch *w)
{
	if (w == NULL)
		return;
	gn_timer_fini(&w->timer);
	gn_watch_free(w->watch);
	close(w->fd);
	free(w);
}

#else

struct gn_interfaces {
	char none;
};

int gn_interfaces_get(struct gn_interfaces **out)
{
	(void)out;
	return -ENOSYS;
}

enum gn_interface_kind gn_interfaces_kind(const struct gn_interfaces *all, uint32_t index, int family)
{
	(void)all;
	(void)index;
	(void)family;
	return GN_INTERFACE_OTHER;
}

int gn_interfaces_watch_new(struct gn_loop *loop, void (*on_change)(void *arg), void *arg,
			    struct gn_interfaces_watch **out)
{
	(void)loop;
	(void)on_change;
	(void)arg;
	(void)out;
	return -ENOSYS;
}

void gn_interfaces_watch_free(struct gn_interfaces_watch *w)
{
	(void)w;
}

#endif

void gn_interfaces_free(struct gn_interfaces *all)
{
	free(all);
}
