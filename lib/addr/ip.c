/* SPDX-License-Identifier: MIT */
/* The IP address with which a multiaddr begins, and the kind of network it belongs to. */
#include <string.h>

#include "addr/multiaddr.h"
#include "addr/multiaddr_own.h"
#include "base/bytes.h"

/* ---- conversion ---- */

static int ip_put(struct gn_buf *b, const struct gn_ip *ip)
{
	uint8_t port[2];
	int err = 0;

	/* The zone precedes the address, because go and js accept it only there. */
	if (ip->is_ip6 && ip->zone[0] != '\0')
		err = gn_multiaddr_part_put(b, GN_MA_IP6ZONE, ip->zone, strnlen(ip->zone, sizeof(ip->zone)));
	if (err == 0)
		err = ip->is_ip6 ? gn_multiaddr_part_put(b, GN_MA_IP6, ip->addr, 16)
				 : gn_multiaddr_part_put(b, GN_MA_IP4, ip->addr, 4);
	if (err < 0 || ip->code == 0)
		return err;
	gn_put_u16(port, ip->port);
	return gn_multiaddr_part_put(b, ip->code, port, sizeof(port));
}

int gn_multiaddr_from_ip(const struct gn_ip *ip, struct gn_multiaddr **out)
{
	struct gn_buf b;
	int err;

	gn_buf_init(&b, GN_MULTIADDR_MAX);
	err = ip_put(&b, ip);
	if (err == 0)
		err = gn_multiaddr_decode(b.p, b.len, out);
	gn_buf_fini(&b);
	return err;
}

/* Stores the zone; false when it does not fit, or a zone is present already. */
static bool zone_get(const struct gn_multiaddr_part *part, struct gn_ip *ip)
{
	if (part->len >= sizeof(ip->zone) || ip->zone[0] != '\0')
		return false;
	memcpy(ip->zone, part->value, part->len);
	return true;
}

/* Consumes the next component if it has the code. */
static bool part_get(struct gn_cursor *c, uint32_t code, struct gn_multiaddr_part *part)
{
	struct gn_cursor try = *c;

	if (!gn_multiaddr_next(&try, part) || part->code != code)
		return false;
	*c = try;
	return true;
}

int gn_multiaddr_to_ip(const struct gn_multiaddr *a, struct gn_ip *out, struct gn_cursor *rest)
{
	struct gn_multiaddr_part part;
	struct gn_cursor c;
	struct gn_ip ip;

	memset(&ip, 0, sizeof(ip));
	gn_multiaddr_walk(a, &c);
	if (part_get(&c, GN_MA_IP4, &part)) {
		memcpy(ip.addr, part.value, 4);
	} else {
		if (part_get(&c, GN_MA_IP6ZONE, &part) && !zone_get(&part, &ip))
			return GN_ENONAME;
		if (!part_get(&c, GN_MA_IP6, &part))
			return GN_ENONAME;
		ip.is_ip6 = true;
		memcpy(ip.addr, part.value, 16);
		if (part_get(&c, GN_MA_IP6ZONE, &part) && !zone_get(&part, &ip))
			return GN_ENONAME;
	}
	if (part_get(&c, GN_MA_TCP, &part) || part_get(&c, GN_MA_UDP, &part)) {
		ip.code = part.code;
		ip.port = gn_get_u16(part.value);
	}
	*out = ip;
	if (rest != NULL)
		*rest = c;
	return 0;
}

/* ---- scopes ---- */

struct net {
	uint8_t addr[4]; /* the first bytes of the network's address; all others are 0 */
	uint8_t bits;
	enum gn_ip_scope scope;
};

/* The networks of IANA's special-purpose registries that may occur in addresses of peers. */
static const struct net ip4_nets[] = {
	{{0, 0, 0, 0}, 32, GN_SCOPE_UNSPECIFIED}, {{0, 0, 0, 0}, 8, GN_SCOPE_OTHER},
	{{10, 0, 0, 0}, 8, GN_SCOPE_PRIVATE},     {{100, 64, 0, 0}, 10, GN_SCOPE_PRIVATE},
	{{127, 0, 0, 0}, 8, GN_SCOPE_LOOPBACK},   {{169, 254, 0, 0}, 16, GN_SCOPE_LINK},
	{{172, 16, 0, 0}, 12, GN_SCOPE_PRIVATE},  {{192, 0, 0, 0}, 24, GN_SCOPE_OTHER},
	{{192, 0, 2, 0}, 24, GN_SCOPE_OTHER},     {{192, 168, 0, 0}, 16, GN_SCOPE_PRIVATE},
	{{198, 18, 0, 0}, 15, GN_SCOPE_OTHER},    {{198, 51, 100, 0}, 24, GN_SCOPE_OTHER},
	{{203, 0, 113, 0}, 24, GN_SCOPE_OTHER},   {{224, 0, 0, 0}, 3, GN_SCOPE_OTHER},
};

static const struct net ip6_nets[] = {
	{{0x20, 0x01, 0x0d, 0xb8}, 32, GN_SCOPE_OTHER},
	{{0x20, 0, 0, 0}, 3, GN_SCOPE_PUBLIC},
	{{0xfc, 0, 0, 0}, 7, GN_SCOPE_PRIVATE},
	{{0xfe, 0x80, 0, 0}, 10, GN_SCOPE_LINK},
};

static enum gn_ip_scope nets_find(const struct net *nets, size_t n, const uint8_t *addr, enum gn_ip_scope rest)
{
	uint32_t a = gn_get_u32(addr);

	for (size_t i = 0; i < n; i++)
		if (((a ^ gn_get_u32(nets[i].addr)) & (UINT32_MAX << (32 - nets[i].bits))) == 0)
			return nets[i].scope;
	return rest;
}

enum gn_ip_scope gn_ip_scope(bool is_ip6, const uint8_t *addr)
{
	static const uint8_t zeros[16], mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (is_ip6 && memcmp(addr, mapped, sizeof(mapped)) == 0) {
		is_ip6 = false;
		addr += sizeof(mapped);
	}
	if (!is_ip6)
		return nets_find(ip4_nets, sizeof(ip4_nets) / sizeof(ip4_nets[0]), addr, GN_SCOPE_PUBLIC);
	if (memcmp(addr, zeros, 15) == 0 && addr[15] <= 1)
		return addr[15] == 1 ? GN_SCOPE_LOOPBACK : GN_SCOPE_UNSPECIFIED;
	return nets_find(ip6_nets, sizeof(ip6_nets) / sizeof(ip6_nets[0]), addr, GN_SCOPE_OTHER);
}

enum gn_ip_scope gn_multiaddr_scope(const struct gn_multiaddr *a)
{
	struct gn_multiaddr_part part;
	struct gn_cursor c;

	gn_multiaddr_walk(a, &c);
	while (gn_multiaddr_next(&c, &part))
		if (part.code == GN_MA_IP4 || part.code == GN_MA_IP6)
			return gn_ip_scope(part.code == GN_MA_IP6, part.value);
	return GN_SCOPE_NONE;
}

bool gn_multiaddr_is_for(const struct gn_multiaddr *a, enum gn_ip_scope scope)
{
	enum gn_ip_scope own = gn_multiaddr_scope(a);

	if (own == GN_SCOPE_UNSPECIFIED)
		return false;
	switch (scope) {
	case GN_SCOPE_PUBLIC:
	case GN_SCOPE_OTHER:
		return own == GN_SCOPE_PUBLIC || own == GN_SCOPE_OTHER || own == GN_SCOPE_NONE;
	case GN_SCOPE_PRIVATE:
	case GN_SCOPE_LINK:
		return own != GN_SCOPE_LOOPBACK;
	default:
		return true;
	}
}

bool gn_multiaddr_is_public(const struct gn_multiaddr *a)
{
	return gn_multiaddr_scope(a) == GN_SCOPE_PUBLIC;
}

bool gn_multiaddr_is_loopback(const struct gn_multiaddr *a)
{
	return gn_multiaddr_scope(a) == GN_SCOPE_LOOPBACK;
}

bool gn_multiaddr_is_private(const struct gn_multiaddr *a)
{
	enum gn_ip_scope scope = gn_multiaddr_scope(a);

	return scope == GN_SCOPE_PRIVATE || scope == GN_SCOPE_LINK;
}
