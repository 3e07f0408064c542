/* SPDX-License-Identifier: MIT */
/* Multiaddrs.  The first byte chooses whether the rest is text or binary.  An address that is accepted
 * must be formatted as text that parses to the same bytes; so must the addresses that are derived from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr/multiaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void round_trip(const struct gn_multiaddr *a)
{
	struct gn_multiaddr *b;
	char *text = gn_multiaddr_format(a);

	need(text != NULL);
	for (const char *s = text; *s; s++)
		need((unsigned char)*s >= ' ' && *s != 0x7f);
	need(gn_multiaddr_parse(text, &b, NULL) == 0);
	need(gn_multiaddr_is_equal(a, b));
	gn_multiaddr_free(b);
	free(text);
}

static void take_apart(const struct gn_multiaddr *a)
{
	struct gn_multiaddr *b, *c;
	struct gn_multiaddr_part part;
	struct gn_peer_id id;
	struct gn_cursor cur;
	struct gn_ip ip;

	(void)gn_multiaddr_scope(a);
	if (gn_multiaddr_to_ip(a, &ip, &cur) == 0) {
		need(gn_multiaddr_from_ip(&ip, &b) == 0);
		round_trip(b);
		gn_multiaddr_free(b);
	}
	if (gn_multiaddr_without_peer(a, &b) == 0) {
		if (gn_multiaddr_peer(a, &id) == 0 && gn_multiaddr_peer(b, &id) < 0) {
			need(gn_multiaddr_peer(a, &id) == 0);
			need(gn_multiaddr_with_peer(b, &id, &c) == 0);
			need(gn_multiaddr_is_equal(a, c));
			gn_multiaddr_free(c);
		}
		gn_multiaddr_free(b);
	}
	gn_multiaddr_walk(a, &cur);
	while (gn_multiaddr_next(&cur, &part)) {
		if (gn_multiaddr_replace(a, &part, NULL, &b) == 0) {
			round_trip(b);
			gn_multiaddr_free(b);
		}
	}
	need(gn_cursor_is_done(&cur));
	if (gn_multiaddr_encapsulate(a, a, &b) == 0) {
		round_trip(b);
		need(gn_multiaddr_decapsulate(b, a, &c) == 0);
		gn_multiaddr_free(c);
		gn_multiaddr_free(b);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gn_multiaddr *a = NULL;
	size_t where;
	char *text;

	(void)gn_multiaddr_protocol_add(0x300000, "room", -1);
	(void)gn_multiaddr_protocol_add(0x300001, "slot", 3);
	if (size == 0)
		return 0;
	if (data[0] & 1) {
		text = malloc(size);
		need(text != NULL);
		memcpy(text, data + 1, size - 1);
		text[size - 1] = '\0';
		if (gn_multiaddr_parse(text, &a, &where) < 0)
			need(a == NULL && where <= size - 1);
		free(text);
	} else {
		if (gn_multiaddr_decode(data + 1, size - 1, &a) == 0) {
			const uint8_t *p = gn_multiaddr_bytes(a, &where);

			need(where == size - 1 && memcmp(p, data + 1, where) == 0);
		}
	}
	if (a == NULL)
		return 0;
	round_trip(a);
	take_apart(a);
	gn_multiaddr_free(a);
	return 0;
}
