/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int take_token(const char *text, const char *token, struct address *out, struct fault *f)
{
	size_t n = strlen(token), good = strspn(token, "abcdefghijklmnopqrstuvwxyz234567");

	if (!n)
		return say_fault(f, "address %.200s: nothing stands behind the #", text);
	if (good < n)
		return say_fault(f, "address %.200s: wrong at character %zu: a token has only a-z and 2-7", text,
				 (size_t)(token - text) + good + 1);
	if (n > ADDRESS_TOKEN_MAX)
		return say_fault(f, "address %.200s: the token is longer than %d characters", text, ADDRESS_TOKEN_MAX);
	memcpy(out->token, token, n + 1);
	return 0;
}

static int explain(const char *text, int err, size_t where, struct fault *f)
{
	if (!*text)
		return say_fault(f, "address: is empty");
	if (err == -ENOMEM)
		return say_fault(f, "out of memory");
	if (where < strlen(text))
		return say_fault(f, "address %.200s: wrong at character %zu, where '%.60s' stands: %s", text, where + 1,
				 text + where, gn_strerror(err));
	return say_fault(f, "address %.200s: something is missing at its end: %s", text, gn_strerror(err));
}

int address_parse(const char *text, struct address *out, struct fault *f)
{
	struct address a = {0};
	const char *hash = strchr(text, '#');
	size_t where = 0;
	char *copy;
	int err;

	if (hash && take_token(text, hash + 1, &a, f))
		return -1;
	copy = strdup(text);
	if (!copy)
		return say_fault(f, "out of memory");
	if (hash)
		copy[hash - text] = '\0';
	err = gn_multiaddr_parse(copy, &a.addr, &where);
	if (err) {
		explain(copy, err, where, f);
		free(copy);
		return -1;
	}
	free(copy);
	if (gn_multiaddr_peer(a.addr, &a.peer))
		a.peer.len = 0;
	*out = a;
	return 0;
}

int address_parse_peer(const char *text, struct address *out, struct fault *f)
{
	if (address_parse(text, out, f))
		return -1;
	if (out->peer.len)
		return 0;
	address_fini(out);
	return say_fault(f, "address %.200s: does not end in /p2p/ID, so nothing says who should be there", text);
}

void address_fini(struct address *a)
{
	gn_multiaddr_free(a->addr);
	*a = (struct address){0};
}

int address_parse_id(const char *text, struct gn_peer_id *out, struct fault *f)
{
	int err = gn_peer_id_parse(text, out);

	return err ? say_fault(f, "'%.200s' is not a peer id: %s", text, gn_strerror(err)) : 0;
}
