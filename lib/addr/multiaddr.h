/* SPDX-License-Identifier: MIT */
/* Multiaddrs, libp2p specs addressing/README.md and multiformats/multiaddr: the part that the
 * library uses of its own; parse, format and the like stand in gn.h.
 *
 * An address is immutable, has one to GN_MULTIADDR_PARTS_MAX components in at most
 * GN_MULTIADDR_MAX bytes, and every one of them is known and well-formed: so walking over it
 * and printing it cannot fail (but for memory).
 *
 * Functions that make an address return 0, GN_ETOOBIG (past those limits), -ENOMEM, or what
 * they say beside; the caller frees it. */
#ifndef GN_ADDR_MULTIADDR_H
#define GN_ADDR_MULTIADDR_H

#include "base/cursor.h"
#include "gn.h"

#define GN_MULTIADDR_MAX 4096
#define GN_MULTIADDR_PARTS_MAX 64

/* Codes (multicodec table) that the library itself acts upon; addr/protocols.c has them all. */
enum gn_multiaddr_code {
	GN_MA_IP4 = 4,
	GN_MA_TCP = 6,
	GN_MA_IP6 = 41,
	GN_MA_IP6ZONE = 42,
	GN_MA_IPCIDR = 43,
	GN_MA_DNS = 53,
	GN_MA_DNS4 = 54,
	GN_MA_DNS6 = 55,
	GN_MA_DNSADDR = 56,
	GN_MA_UDP = 273,
	GN_MA_P2P_CIRCUIT = 290,
	GN_MA_UTP = 302,
	GN_MA_UNIX = 400,
	GN_MA_P2P = 421,
	GN_MA_HTTPS = 443,
	GN_MA_TLS = 448,
	GN_MA_SNI = 449,
	GN_MA_NOISE = 454,
	GN_MA_QUIC_V1 = 461,
	GN_MA_WEBTRANSPORT = 465,
	GN_MA_CERTHASH = 466,
	GN_MA_WS = 477,
	GN_MA_WSS = 478,
	GN_MA_HTTP = 480,
	GN_MA_HTTP_PATH = 481,
	GN_MA_MEMORY = 777,
};

/* ---- looking at components ---- */

/* A component; views into the address, as long-lived as that. */
struct gn_multiaddr_part {
	uint32_t code;
	const uint8_t *value; /* without its length prefix */
	size_t len;
	const uint8_t *start; /* the component as it stands in the address: code, length, value */
	size_t size;
};

/*     gn_multiaddr_walk(a, &c);
 *     while (gn_multiaddr_next(&c, &part)) ...
 * Between two calls c->p to c->end is what is left of the address. */
void gn_multiaddr_walk(const struct gn_multiaddr *a, struct gn_cursor *c);
bool gn_multiaddr_next(struct gn_cursor *c, struct gn_multiaddr_part *part);
/* The first, or last, component of that code. */
bool gn_multiaddr_find(const struct gn_multiaddr *a, uint32_t code, struct gn_multiaddr_part *part);
bool gn_multiaddr_find_last(const struct gn_multiaddr *a, uint32_t code, struct gn_multiaddr_part *part);
bool gn_multiaddr_has(const struct gn_multiaddr *a, uint32_t code);
/* Does it consist of just these codes, in this order?  A last /p2p is left out of account. */
bool gn_multiaddr_is_shape(const struct gn_multiaddr *a, const uint32_t *codes, size_t n);
/* Below, at or above 0, in the order of the bytes. */
int gn_multiaddr_compare(const struct gn_multiaddr *a, const struct gn_multiaddr *b);

/* ---- making new ones ---- */

int gn_multiaddr_dup(const struct gn_multiaddr *a, struct gn_multiaddr **out);
/* a, then b. */
int gn_multiaddr_encapsulate(const struct gn_multiaddr *a, const struct gn_multiaddr *b, struct gn_multiaddr **out);
/* a, then what text says: "/tls/ws".  Also the errors of parsing. */
int gn_multiaddr_encapsulate_text(const struct gn_multiaddr *a, const char *text, struct gn_multiaddr **out);
/* a, then one component; GN_EFORMAT when the code is unknown or the value cannot be its. */
int gn_multiaddr_encapsulate_part(const struct gn_multiaddr *a, uint32_t code, const void *value, size_t len,
				  struct gn_multiaddr **out);
/* a up to the last occurrence of b, which and what follows is cut off.  GN_ENONAME when b is
 * not in it, or nothing would be left. */
int gn_multiaddr_decapsulate(const struct gn_multiaddr *a, const struct gn_multiaddr *b, struct gn_multiaddr **out);
/* a with `with` in the place of one of its components (a name by its address); NULL: cut out. */
int gn_multiaddr_replace(const struct gn_multiaddr *a, const struct gn_multiaddr_part *part,
			 const struct gn_multiaddr *with, struct gn_multiaddr **out);
/* Without the /p2p/ID that ends it, if one does.  GN_ENONAME when nothing would be left. */
int gn_multiaddr_without_peer(const struct gn_multiaddr *a, struct gn_multiaddr **out);
/* With /p2p/ID at its end.  It stays as it is if that id ends it already; GN_EPEERID when
 * another one does.  a may be NULL: /p2p/ID alone. */
int gn_multiaddr_with_peer(const struct gn_multiaddr *a, const struct gn_peer_id *id, struct gn_multiaddr **out);

/* ---- IP addresses ---- */

#define GN_IP_ZONE_MAX 64

struct gn_ip {
	bool is_ip6;
	uint8_t addr[16];          /* network order; the first 4 for IPv4 */
	char zone[GN_IP_ZONE_MAX]; /* IPv6 only; "" for none */
	uint32_t code;             /* GN_MA_TCP, GN_MA_UDP, or 0: no port */
	uint16_t port;             /* host order */
};

/* /ip4/A/tcp/P, /ip6zone/Z/ip6/A/udp/P ... */
int gn_multiaddr_from_ip(const struct gn_ip *ip, struct gn_multiaddr **out);
/* The other way: what a begins with; ip6zone before or after ip6.  rest, if not NULL, is what
 * follows the port.  GN_ENONAME when it begins with no IP address. */
int gn_multiaddr_to_ip(const struct gn_multiaddr *a, struct gn_ip *out, struct gn_cursor *rest);

/* What kind of network the first IP address belongs to; an IPv4 address that is mapped into
 * IPv6 counts as itself.  A relayed address is classed by its relay's. */
enum gn_ip_scope {
	GN_SCOPE_NONE,        /* no IP address in it: a name, memory, /p2p alone */
	GN_SCOPE_UNSPECIFIED, /* 0.0.0.0, :: */
	GN_SCOPE_LOOPBACK,
	GN_SCOPE_LINK,    /* link-local */
	GN_SCOPE_PRIVATE, /* RFC 1918, 100.64/10, fc00::/7 */
	GN_SCOPE_OTHER,   /* documentation, benchmarks, multicast, reserved */
	GN_SCOPE_PUBLIC,
};
enum gn_ip_scope gn_ip_scope(bool is_ip6, const uint8_t *addr);
enum gn_ip_scope gn_multiaddr_scope(const struct gn_multiaddr *a);
bool gn_multiaddr_is_public(const struct gn_multiaddr *a);
bool gn_multiaddr_is_loopback(const struct gn_multiaddr *a);
bool gn_multiaddr_is_private(const struct gn_multiaddr *a); /* PRIVATE or LINK */

#endif
