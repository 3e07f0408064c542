/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

#define PROTOCOL_ROOM 32 /* for a protocol's name in a message */

/* Finds the value of /ip6zone in the text of an address, and stores its length in *len; NULL when there is
 * none. */
static const char *find_zone(const char *addr, size_t *len)
{
	static const char step[] = "/ip6zone/";
	const char *at = strstr(addr, step);

	if (at == NULL)
		return NULL;
	at += strlen(step);
	*len = strcspn(at, "/");
	return at;
}

/* The protocol of the component whose value begins at text[where], in buf. */
static const char *protocol_before(const char *text, size_t where, char buf[PROTOCOL_ROOM])
{
	size_t start = where - 1;

	while (start > 0 && text[start - 1] != '/')
		start--;
	snprintf(buf, PROTOCOL_ROOM, "%.*s", (int)(where - 1 - start), text + start);
	return buf;
}

/* What the value of a protocol has to be; NULL when that is not known here. */
static const char *value_of(const char *protocol)
{
	static const struct {
		const char *protocol, *value;
	} values[] = {
		{"ip4", "an IPv4 address, as in /ip4/192.0.2.7"},
		{"ip6", "an IPv6 address, as in /ip6/2001:db8::7"},
		{"tcp", "a port from 0 to 65535, as in /tcp/4040"},
		{"udp", "a port from 0 to 65535, as in /udp/4040"},
		{"p2p", "a peer id; is it whole?"},
	};

	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (strcmp(protocol, values[i].protocol) == 0)
			return values[i].value;
	return NULL;
}

/* Whether text[where] begins a component, so that a protocol belongs there: what is in front of it is an address. */
static bool is_at_protocol(const char *text, size_t where)
{
	struct gn_multiaddr *front = NULL;
	char *copy;
	int err;

	if (where <= 1)
		return true;
	copy = strndup(text, where - 1);
	err = copy != NULL ? gn_multiaddr_parse(copy, &front, NULL) : -ENOMEM;
	free(copy);
	if (err != 0)
		return false;
	gn_multiaddr_free(front);
	return true;
}

/* The fault for a component whose name, `word`, is no protocol. */
static int explain_protocol(const char *text, const char *word, size_t where, struct fault *f)
{
	struct gn_peer_id id;
	char hint[96] = "";

	if (*word != '\0' && word[strspn(word, "0123456789")] == '\0')
		snprintf(hint, sizeof hint, "; a port is written /tcp/%.8s", word);
	else if (strncmp(word, "tcp:", 4) == 0)
		snprintf(hint, sizeof hint, "; a port is written /tcp/%.8s", word + 4);
	else if (gn_peer_id_parse(word, &id) == 0)
		snprintf(hint, sizeof hint, "; a peer id is written /p2p/%.8s...", word);
	if (*word == '\0')
		return fault_set(f, "address %.200s: wrong at character %zu: there is one / too many", text, where + 1);
	return fault_set(f, "address %.200s: wrong at character %zu: '%.60s' is not a protocol%s", text, where + 1,
			 word, hint);
}

int address_explain(const char *text, int err, size_t where, struct fault *f)
{
	char protocol[PROTOCOL_ROOM], word[GN_PEER_ID_TEXT_MAX];
	const char *value;
	size_t len = strlen(text);

	if (err == -ENOMEM)
		return fault_set(f, "out of memory");
	if (err != GN_EFORMAT)
		return fault_set(f, "address %.200s: %s", text, gn_strerror(err));
	while (len > 0 && text[len - 1] == '/')
		len--;
	if (len == 0)
		return fault_set(f, "address %.200s: is incomplete; it begins as in /ip4/192.0.2.7/tcp/4040", text);
	if (where >= len) {
		protocol_before(text, len + 1, protocol);
		value = value_of(protocol);
		return fault_set(f, "address %.200s: is incomplete: /%s is followed by %s", text, protocol,
				 value != NULL ? value : "a value");
	}
	snprintf(word, sizeof word, "%.*s", (int)strcspn(text + where, "/"), text + where);
	if (is_at_protocol(text, where))
		return explain_protocol(text, word, where, f);
	value = value_of(protocol_before(text, where, protocol));
	return fault_set(f, "address %.200s: wrong at character %zu: '%.60s' is not %s", text, where + 1, word,
			 value != NULL ? value : "a value that this protocol can have");
}

const char *address_strerror(const struct gn_multiaddr *addr, int err, char text[ADDRESS_ERROR_MAX])
{
	char *full = addr != NULL ? gn_multiaddr_format(addr) : NULL;
	const char *zone;
	size_t len = 0;

	snprintf(text, ADDRESS_ERROR_MAX, "%s%s", gn_strerror(err),
		 err == GN_ENOTRANS ? "; only TCP is supported, as in /ip4/192.0.2.7/tcp/4040" : "");
	if (err == GN_EZONE && full != NULL)
		snprintf(text, ADDRESS_ERROR_MAX,
			 "it is link-local, so it needs a zone, the interface to use: /ip6zone/eth0%.200s", full);
	zone = err == GN_ENOZONE && full != NULL ? find_zone(full, &len) : NULL;
	if (zone != NULL)
		snprintf(text, ADDRESS_ERROR_MAX, "this host has no interface '%.*s', which the zone names", (int)len,
			 zone);
	free(full);
	return text;
}
