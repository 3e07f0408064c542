/* SPDX-License-Identifier: MIT */
/* Recognises texts that are not multiaddrs but have a clear meaning, such as host:port; the message shows
 * the right form. */
#include <arpa/inet.h>
#include <stdio.h>
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
		(hp->host_len == 9 && strncmp(text, "localhost", 9) == 0));
}

/* A text that names a host in a wrong form. */
struct wrong_address {
	const char *text;
	struct host_port hp;
	const char *name; /* the protocol in front of the host; "": none */
	int name_len;
	const char *rest; /* the correct components after the host and port */
};

/* The protocol under which the host has to be written, with its length in *len. */
static const char *hint_kind(const struct wrong_address *w, enum address_use use, int *len)
{
	bool is_ip4 = is_ip(AF_INET, w->hp.host, w->hp.host_len), is_none = w->hp.host_len == 0;

	*len = 3;
	if (w->hp.is_ip6)
		return "ip6";
	if (is_ip4 || is_none || use == ADDRESS_LISTEN)
		return "ip4";
	if (strncmp(w->name, "dns", 3) != 0)
		return "dns";
	*len = w->name_len;
	return w->name;
}

/* Whether the address that the message shows has to end in a peer id that the text does not have. */
static bool hint_needs_id(const struct wrong_address *w, enum address_use use)
{
	return use == ADDRESS_DIAL && strstr(w->rest, "/p2p/") == NULL;
}

/* Shows the right form of an address. */
static void address_hint_show(const struct wrong_address *w, enum address_use use, struct fault *f)
{
	const struct host_port *hp = &w->hp;
	bool is_none = hp->host_len == 0, is_addr = hp->is_ip6 || is_ip(AF_INET, hp->host, hp->host_len);
	bool has_transport = hp->port_len == 0 && *w->rest == '/' && strncmp(w->rest, "/p2p/", 5) != 0;
	int kind_len;
	const char *kind = hint_kind(w, use, &kind_len), *host = NULL;
	char port[40] = "";

	if (is_none)
		host = use == ADDRESS_LISTEN ? "0.0.0.0" : "ADDRESS";
	else if (use == ADDRESS_LISTEN && !is_addr)
		host = "ADDRESS";
	if (!has_transport)
		snprintf(port, sizeof port, "/tcp/%.*s", hp->port_len > 0 ? hp->port_len : 4,
			 hp->port_len > 0 ? hp->port : "PORT");

	fault_set(f, "address %.100s: write %s%.*s/%.*s/%.*s%s%.100s%s", w->text, hp->zone_len > 0 ? "/ip6zone/" : "",
		  hp->zone_len < 30 ? hp->zone_len : 30, hp->zone_len > 0 ? hp->zone : "", kind_len, kind,
		  host != NULL ? 20 : hp->host_len, host != NULL ? host : hp->host, port, w->rest,
		  hint_needs_id(w, use) ? "/p2p/ID, with the peer id that the listener shows" : "");
}

/* Whether the name in front of the host is one that such a host can have. */
static bool hint_is_kind_right(const struct wrong_address *w)
{
	if (w->name_len == 0)
		return false;
	if (strncmp(w->name, "dns", 3) == 0)
		return !w->hp.is_ip6;
	return strncmp(w->name, "ip6", 3) == 0 ? w->hp.is_ip6 : is_ip(AF_INET, w->hp.host, w->hp.host_len);
}

/* Takes a port that stands behind the host without a protocol, as in /ip4/192.0.2.7/4040. */
static bool hint_take_port(struct wrong_address *w)
{
	const char *port = w->rest + (*w->rest == '/');
	size_t n = strspn(port, DIGITS);

	if (w->hp.port_len > 0 || n == 0 || n > 5 || (port[n] != '/' && port[n] != '\0'))
		return false;
	w->hp.port = port;
	w->hp.port_len = (int)n;
	w->rest = port + n;
	return true;
}

/* Whether the text is /HOST, /ip4/HOST or /dns/HOST with a host that does not fit there, or with a port that is
 * not written as /tcp/PORT.  If so, the fault shows the right form. */
static bool hint_host(const char *text, enum address_use use, struct fault *f)
{
	static const char *const names[] = {"ip4/", "ip6/", "dns/", "dns4/", "dns6/"};
	struct wrong_address w = {.text = text, .name = text + 1};
	const char *host = w.name;
	bool has_port;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(w.name, names[i], strlen(names[i])) == 0) {
			w.name_len = (int)strlen(names[i]) - 1;
			host = w.name + w.name_len + 1;
		}
	if (*host == '\0' || *host == '/' || !address_hint_split(host, &w.hp))
		return false;
	w.rest = host + strcspn(host, "/");
	has_port = hint_take_port(&w) || w.hp.port_len > 0;
	/* A number that is no IPv4 address is not a name either; gn_multiaddr_parse() finds what is wrong with it. */
	if (!w.hp.is_ip6 && strspn(w.hp.host, DIGITS ".") >= (size_t)w.hp.host_len &&
	    !is_ip(AF_INET, w.hp.host, w.hp.host_len))
		return false;
	if (!has_port && *host != '[' && w.hp.zone_len == 0 && hint_is_kind_right(&w))
		return false;
	address_hint_show(&w, use, f);
	return true;
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
	struct wrong_address w = {.text = text, .name = "", .rest = ""};

	if (has_quotes(text))
		fault_set(f, "address %.200s: remove the quotes or brackets around it", text);
	else if (strstr(text, " /") != NULL)
		fault_set(f, "address %.200s: remove the text before the first /", text);
	else if (gn_peer_id_parse(text, &id) == 0)
		fault_set(f, "address %.200s: is a peer id alone; an address is /ip4/HOST/tcp/PORT/p2p/ID", text);
	else if (address_hint_split(text, &w.hp))
		address_hint_show(&w, use, f);
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
	return hint_host(text, use, f);
}
