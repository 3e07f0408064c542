/* SPDX-License-Identifier: MIT */
/* Multiaddrs, libp2p specs addressing/README.md and multiformats/multiaddr: the functions that only the
 * library uses. gn.h declares parsing, formatting and the other public ones.
 *
 * An address is immutable.  It has 1 to GN_MULTIADDR_PARTS_MAX components in at most GN_MULTIADDR_MAX
 * bytes, and every component is known and well-formed.  Iterating over an address therefore cannot fail,
 * and formatting it fails only for lack of memory.
 *
 * Functions that make an address return 0, GN_ETOOBIG (beyond those limits), -ENOMEM, or an error that is
 * named at the function; the caller frees the address. */
#ifndef GN_ADDR_MULTIADDR_H
#define GN_ADDR_MULTIADDR_H

#include "base/cursor.h"
#include "gn.h"

#define GN_MULTIADDR_MAX 4096
#define GN_MULTIADDR_PARTS_MAX 64

/* Codes of the multicodec table that the library interprets; addr/protocols.c lists all that are known. */
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

/* ---- components ---- */

/* A component, as views of its address, valid as long as the address. */
struct gn_multiaddr_part {
	uint32_t code;
	const uint8_t *value; /* without its length prefix */
	size_t len;
	const uint8_t *start; /* the whole encoded component: code, length, value */
	size_t size;
};

/* Iterates over the components:
 *     gn_multiaddr_walk(a, &c);
 *     while (gn_multiaddr_next(&c, &part)) ...
 * After each call, c->p to c->end is the part of the address that was not visited yet. */
void gn_multiaddr_walk(const struct gn_multiaddr *a, struct gn_cursor *c);
bool gn_multiaddr_next(struct gn_cursor *c, struct gn_multiaddr_part *part);
/* Finds the first, or the last, component with the code; false when there is none. */
bool gn_multiaddr_find(const struct gn_multiaddr *a, uint32_t code, struct gn_multiaddr_part *part);
bool gn_multiaddr_find_last(const struct gn_multiaddr *a, uint32_t code, struct gn_multiaddr_part *part);
bool gn_multiaddr_has(const struct gn_multiaddr *a, uint32_t code);
/* Whether the components have exactly these codes, in this order.  A final /p2p is ignored. */
bool gn_multiaddr_is_shape(const struct gn_multiaddr *a, const uint32_t *codes, size_t n);
/* Compares the encoded bytes as memcmp does; the result is below, equal to or above 0. */
int gn_multiaddr_compare(const struct gn_multiaddr *a, const struct gn_multiaddr *b);

/* ---- making new ones ---- */

int gn_multiaddr_dup(const struct gn_multiaddr *a, struct gn_multiaddr **out);
/* Makes a followed by b. */
int gn_multiaddr_encapsulate(const struct gn_multiaddr *a, const struct gn_multiaddr *b, struct gn_multiaddr **out);
/* Makes a followed by the components in text, for example "/tls/ws".  Also the errors of
 * gn_multiaddr_parse(). */
int gn_multiaddr_encapsulate_text(const struct gn_multiaddr *a, const char *text, struct gn_multiaddr **out);
/* Makes a followed by one component.  GN_EFORMAT: the code is unknown, or the value is not valid for it. */
int gn_multiaddr_encapsulate_part(const struct gn_multiaddr *a, uint32_t code, const void *value, size_t len,
				  struct gn_multiaddr **out);
/* Makes a without the last occurrence of b and everything after it.  GN_ENONAME: b does not occur in a, or
 * nothing would be left. */
int gn_multiaddr_decapsulate(const struct gn_multiaddr *a, const struct gn_multiaddr *b, struct gn_multiaddr **out);
/* Makes a copy of a in which `with` replaces one component (for example, an IP address a name); NULL
 * removes it. */
int gn_multiaddr_replace(const struct gn_multiaddr *a, const struct gn_multiaddr_part *part,
			 const struct gn_multiaddr *with, struct gn_multiaddr **out);
/* Makes a without a final /p2p/ID, if there is one.  GN_ENONAME: nothing would be left. */
int gn_multiaddr_without_peer(const struct gn_multiaddr *a, struct gn_multiaddr **out);
/* Makes a with /p2p/ID at its end, or a plain copy if that id is there already.  GN_EPEERID: it ends with
 * another id. a may be NULL, which makes /p2p/ID alone. */
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
/* Reads the IP address and port with which a begins; the ip6zone may precede or follow the ip6.  *rest, if
 * rest is not NULL, is set to the components after the port.  GN_ENONAME: a does not begin with an IP
 * address. */
int gn_multiaddr_to_ip(const struct gn_multiaddr *a, struct gn_ip *out, struct gn_cursor *rest);

/* The kind of network to which the first IP address of a multiaddr belongs.  An IPv4 address that is
 * mapped into IPv6 has the scope of the IPv4 address, and a relayed address has the scope of its relay's. */
enum gn_ip_scope {
	GN_SCOPE_NONE,        /* no IP address: a name, memory, /p2p alone */
	GN_SCOPE_UNSPECIFIED, /* 0.0.0.0, :: */
	GN_SCOPE_LOOPBACK,
	GN_SCOPE_LINK,    /* link-local */
	GN_SCOPE_PRIVATE, /* RFC 1918, 100.64/10, fc00::/7 */
	GN_SCOPE_OTHER,   /* documentation, benchmarks, multicast, reserved */
	GN_SCOPE_PUBLIC,
};
enum gn_ip_scope gn_ip_scope(bool is_ip6, const uint8_t *addr);
enum gn_ip_scope gn_multiaddr_scope(const struct gn_multiaddr *a);
/* Whether the address has a meaning, and the same one, for a host whose address has that scope: it is public, or a name,
 * or both are private, or both are of the loopback.  What is unspecified has none. */
bool gn_multiaddr_is_for(const struct gn_multiaddr *a, enum gn_ip_scope scope);
bool gn_multiaddr_is_public(const struct gn_multiaddr *a);
bool gn_multiaddr_is_loopback(const struct gn_multiaddr *a);
bool gn_multiaddr_is_private(const struct gn_multiaddr *a); /* PRIVATE or LINK */

#endif
