/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"

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

const char *address_strerror(const struct gn_multiaddr *addr, int err, char text[ADDRESS_ERROR_MAX])
{
	char *full = addr != NULL ? gn_multiaddr_format(addr) : NULL;
	const char *zone;
	size_t len = 0;

	snprintf(text, ADDRESS_ERROR_MAX, "%s", gn_strerror(err));
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
