/* SPDX-License-Identifier: MIT */
/* Recognises texts that are not multiaddrs but have a clear meaning, such as host:port; the message shows
 * the right form. */
#include <arpa/inet.h>
#include <string.h>

#include "address.h"

#define DIGITS "0123456789"
#define HOST_LETTERS DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_"

/* The parts of a host:port text in any of the usual forms.  They are not NUL-terminated. */
struct host_port {
	const char *host, *zone, *port;
	int host_len, zone_len, port_len; /* 0: there is none */
	bool is_ip6;
};

/* Moves the zone of fe80::1%eth0 out of the host part. */
static void split_zone(struct host_port *hp)
{
	const char *percent = memchr(hp->host, '%', (size_t)hp->host_len);

	if (percent == NULL)
		return;
	hp->zone = percent + 1;
	hp->zone_len = hp->host_len - (int)(percent - hp->host) - 1;
	hp->host_len = (int)(percent - hp->host);
}

static bool is_ip(int family, const char *host, int len)
{
	unsigned char bytes[16];
	char text[INET6_ADDRSTRLEN];

	if (len <= 0 || (size_t)len >= sizeof text)
		return false;
	memcpy(text, host, (size_t)len);
	text[len] = '\0';
	return inet_pton(family, text, bytes) == 1;
}

/* Parses ":PORT" at `at`; false if something else is there.  An empty text is valid. */
static bool split_port(const char *at, const char *end, struct host_port *hp)
{
	if (at == end)
		return true;
	hp->port = at + 1;
	hp->port_len = (int)(end - at) - 1;
	return *at == ':' && hp->port_len > 0 && strspn(hp->port, DIGITS) >= (size_t)hp->port_len;
}

/* Parses [IP6]:PORT, IP6, HOST:PORT or HOST; SCHEME:// in front and /PATH after it are ignored. */
static bool address_hint_split(const char *text, struct host_port *hp)
{
	const char *scheme = strstr(text, "://"), *end, *close, *colon;

	if (scheme != NULL)
		text = scheme + 3;
	text += *text == '*';
	end = text + strcspn(text, "/?");
	*hp = (struct host_port){.host = text};
	if (*text == '[') {
		close = memchr(text, ']', (size_t)(end - text));
		if (close == NULL)
			return false;
		hp->host = text + 1;
		hp->host_len = (int)(close - text) - 1;
		split_zone(hp);
		hp->is_ip6 = true;
		return is_ip(AF_INET6, hp->host, hp->host_len) && split_port(close + 1, end, hp);
	}
	hp->host_len = (int)(end - text);
	split_zone(hp);
	hp->is_ip6 = is_ip(AF_INET6, hp->host, hp->host_len);
	if (hp->is_ip6)
		return true;
	colon = memchr(text, ':', (size_t)(end - text));
	hp->zone_len = 0;
	hp->host_len = (int)((colon != NULL ? colon : end) - text);
	/* A single name without a dot, a port or a scheme is not taken for a host, except localhost. */
	return strspn(text, HOST_LETTERS) >= (size_t)hp->host_len && split_port(colon != NULL ? colon : end, end, hp) &&
	       (colon != NULL || scheme != NULL || memchr(text, '.', (size_t)hp->host_len) != NULL ||
		strcmp(text, "localhost") == 0);
}

/* Shows the multiaddr for a host:port text. */
static void address_hint_show(const char *text, const struct host_port *hp, enum address_use use, struct fault *f)
{
	bool is_ip4 = is_ip(AF_INET, hp->host, hp->host_len), is_none = hp->host_len == 0;
	const char *kind = hp->is_ip6 ? "ip6" : is_ip4 || is_none || use == ADDRESS_LISTEN ? "ip4" : "dns";
	const char *host = NULL;

	if (is_none)
		host = use == ADDRESS_LISTEN ? "0.0.0.0" : "ADDRESS";
	else if (use == ADDRESS_LISTEN && !is_ip4 && !hp->is_ip6)
		host = "ADDRESS";

	fault_set(f, "address %.100s: is written %s%.*s/%s/%.*s/tcp/%.*s%s", text, hp->zone_len > 0 ? "/ip6zone/" : "",
		  hp->zone_len < 30 ? hp->zone_len : 30, hp->zone_len > 0 ? hp->zone : "", kind,
		  host != NULL ? 20 : hp->host_len, host != NULL ? host : hp->host, hp->port_len > 0 ? hp->port_len : 4,
		  hp->port_len > 0 ? hp->port : "PORT",
		  use == ADDRESS_DIAL ? "/p2p/ID, with the peer id that the listener shows" : "");
}

/* Whether the text begins with a quote or bracket that was copied along with the address. */
static bool has_quotes(const char *text)
{
	static const char *const quotes[] = {
		"'", "\"", "`", "<", "(", "\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9c", "\xe2\x80\x9d",
	};

	for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++)
		if (strncmp(text, quotes[i], strlen(quotes[i])) == 0)
			return true;
	return false;
}

/* Finds a second host component after a peer id; a relay address (/p2p-circuit) may have one.  NULL when
 * there is none. */
static const char *second_address(const char *text)
{
	static const char *const hosts[] = {"/ip4/", "/ip6/", "/ip6zone/", "/dns/", "/dns4/", "/dns6/", "/dnsaddr/"};
	const char *peer = strstr(text, "/p2p/"), *at;

	for (size_t i = 0; peer != NULL && i < sizeof hosts / sizeof *hosts; i++) {
		at = strstr(peer, hosts[i]);
		if (at != NULL && strstr(peer, "/p2p-circuit") == NULL)
			return at;
	}
	return NULL;
}

/* The hint for a text that does not begin with a '/'. */
static bool hint_no_slash(const char *text, enum address_use use, struct fault *f)
{
	struct gn_peer_id id;
	struct host_port hp;

	if (has_quotes(text))
		fault_set(f, "address %.200s: remove the quotes or brackets around it", text);
	else if (strstr(text, " /") != NULL)
		fault_set(f, "address %.200s: remove the text before the first /", text);
	else if (gn_peer_id_parse(text, &id) == 0)
		fault_set(f, "address %.200s: is a peer id alone; an address is /ip4/HOST/tcp/PORT/p2p/ID", text);
	else if (address_hint_split(text, &hp))
		address_hint_show(text, &hp, use, f);
	else
		fault_set(f, "address %.200s: an address begins with a /, as in /ip4/192.0.2.7/tcp/4040%s", text,
			  use == ADDRESS_DIAL ? "/p2p/ID" : "");
	return true;
}

bool address_hint(const char *text, enum address_use use, struct fault *f)
{
	const char *second;

	if (*text == '\0') {
		fault_set(f, "address: is empty");
		return true;
	}
	if (*text != '/')
		return hint_no_slash(text, use, f);
	second = second_address(text);
	if (second != NULL) {
		fault_set(f, "address %.200s: a second address begins at character %zu; give one", text,
			  (size_t)(second - text) + 1);
		return true;
	}
	if (strpbrk(text, ADDRESS_BLANKS) != NULL) {
		fault_set(f, "address %.200s: there is a blank or line end at character %zu; an address is one word",
			  text, strcspn(text, ADDRESS_BLANKS) + 1);
		return true;
	}
	return false;
}
