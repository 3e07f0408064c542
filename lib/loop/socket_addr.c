/* SPDX-License-Identifier: MIT */
/* getifaddrs() and the flags of interfaces are not in POSIX. */
#define _GNU_SOURCE
#include "loop/socket_addr.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(GN_ZONE_MAX >= IF_NAMESIZE, "GN_ZONE_MAX has room for the name of an interface");

socklen_t gn_sockaddr_encode(const struct gn_sockaddr *a, struct sockaddr_storage *sa)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};

	memset(sa, 0, sizeof *sa);
	if (a->family == 6) {
		six.sin6_port = htons(a->port);
		six.sin6_scope_id = a->scope;
		memcpy(&six.sin6_addr, a->ip, 16);
		memcpy(sa, &six, sizeof six);
		return sizeof six;
	}
	four.sin_port = htons(a->port);
	memcpy(&four.sin_addr, a->ip, 4);
	memcpy(sa, &four, sizeof four);
	return sizeof four;
}

int gn_sockaddr_decode(const struct sockaddr_storage *sa, socklen_t len, struct gn_sockaddr *out)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (sa->ss_family == AF_INET6 && len >= sizeof six) {
		memcpy(&six, sa, sizeof six);
		*out = (struct gn_sockaddr){.family = 6, .port = ntohs(six.sin6_port), .scope = six.sin6_scope_id};
		memcpy(out->ip, &six.sin6_addr, 16);
		return 0;
	}
	if (sa->ss_family == AF_INET && len >= sizeof four) {
		memcpy(&four, sa, sizeof four);
		*out = (struct gn_sockaddr){.family = 4, .port = ntohs(four.sin_port)};
		memcpy(out->ip, &four.sin_addr, 4);
		return 0;
	}
	return -EAFNOSUPPORT;
}

bool gn_sockaddr_is_equal(const struct gn_sockaddr *a, const struct gn_sockaddr *b)
{
	return a->family == b->family && a->port == b->port && a->scope == b->scope &&
	       memcmp(a->ip, b->ip, a->family == 6 ? 16 : 4) == 0;
}

bool gn_sockaddr_is_wildcard(const struct gn_sockaddr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->ip, zero, a->family == 6 ? 16 : 4) == 0;
}

int gn_zone_parse(const char *zone, uint32_t *scope)
{
	char *end;
	unsigned long n;
	unsigned index = if_nametoindex(zone);
	char name[IF_NAMESIZE];

	if (index == 0) {
		if (*zone < '1' || *zone > '9')
			return GN_ENOZONE;
		errno = 0;
		n = strtoul(zone, &end, 10);
		if (*end != '\0' || errno != 0 || n > UINT32_MAX || if_indextoname((unsigned)n, name) == NULL)
			return GN_ENOZONE;
		index = (unsigned)n;
	}
	*scope = index;
	return 0;
}

char *gn_zone_format(uint32_t scope, char zone[GN_ZONE_MAX])
{
	if (if_indextoname(scope, zone) == NULL)
		(void)snprintf(zone, GN_ZONE_MAX, "%u", (unsigned)scope);
	return zone;
}

static bool is_address(const struct ifaddrs *i)
{
	return i->ifa_addr != NULL && (i->ifa_flags & IFF_UP) != 0 &&
	       (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6);
}

/* The number of leading ones of a network mask. */
static uint8_t mask_bits(const struct sockaddr *mask, int family)
{
	const uint8_t *p;
	unsigned n = 0, max = family == AF_INET6 ? 128 : 32;

	if (mask == NULL)
		return 0;
	if (family == AF_INET6)
		p = ((const struct sockaddr_in6 *)(const void *)mask)->sin6_addr.s6_addr;
	else
		p = (const uint8_t *)&((const struct sockaddr_in *)(const void *)mask)->sin_addr;
	while (n < max && (p[n / 8] & 0x80 >> n % 8) != 0)
		n++;
	return (uint8_t)n;
}

static void socket_addr_fill(const struct ifaddrs *i, struct gn_ifaddr *out)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = i->ifa_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	memcpy(&sa, i->ifa_addr, len);
	*out = (struct gn_ifaddr){.is_loopback = (i->ifa_flags & IFF_LOOPBACK) != 0};
	(void)gn_sockaddr_decode(&sa, len, &out->addr);
	out->addr.port = 0;
	(void)snprintf(out->name, sizeof out->name, "%s", i->ifa_name);
	out->index = if_nametoindex(i->ifa_name);
	out->prefix = mask_bits(i->ifa_netmask, i->ifa_addr->sa_family);
}

int gn_ifaddrs_get(struct gn_ifaddr **out, size_t *n)
{
	struct ifaddrs *all, *i;
	struct gn_ifaddr *list = NULL;
	size_t count = 0, at = 0;

	if (getifaddrs(&all) != 0)
		return -errno;
	for (i = all; i != NULL; i = i->ifa_next)
		count += is_address(i);
	if (count > 0 && (list = calloc(count, sizeof *list)) == NULL) {
		freeifaddrs(all);
		return -ENOMEM;
	}
	for (i = all; i != NULL; i = i->ifa_next)
		if (is_address(i))
			socket_addr_fill(i, &list[at++]);
	freeifaddrs(all);
	*out = list;
	*n = count;
	return 0;
}
