/* SPDX-License-Identifier: MIT */
#include "targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secret.h"

static void targets_add(struct targets *t, const struct address *a)
{
	char first[GN_PEER_ID_TEXT_MAX], other[GN_PEER_ID_TEXT_MAX];

	if (t->n > 0 && !gn_peer_id_is_equal(&a->peer, &t->peer))
		die_usage("the addresses are of different peers: %s and %s", gn_peer_id_format(&t->peer, first),
			  gn_peer_id_format(&a->peer, other));
	if (a->token[0] != '\0' && t->token[0] != '\0' && strcmp(a->token, t->token) != 0)
		die_usage("the addresses have different tokens");
	if (a->token[0] != '\0')
		memcpy(t->token, a->token, sizeof t->token);
	t->peer = a->peer;
	t->addrs[t->n++] = a->addr;
}

void targets_take(char **args, size_t n, struct targets *out)
{
	struct address a;

	*out = (struct targets){.addrs = calloc(n, sizeof *out->addrs)};
	if (out->addrs == NULL)
		die_memory();
	for (size_t i = 0; i < n; i++) {
		address_take_peer(args[i], &a);
		targets_add(out, &a);
		secret_wipe(&a, sizeof a);
	}
}

char *targets_format(const struct targets *t)
{
	char *first = gn_multiaddr_format(t->addrs[0]), *text;
	size_t room;

	if (first == NULL || t->n == 1)
		return first;
	room = strlen(first) + 40;
	text = malloc(room);
	if (text != NULL)
		snprintf(text, room, "%s (and %zu more)", first, t->n - 1);
	free(first);
	return text;
}

void targets_fini(struct targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		gn_multiaddr_free((struct gn_multiaddr *)(uintptr_t)t->addrs[i]);
	free(t->addrs);
	secret_wipe(t->token, sizeof t->token);
	*t = (struct targets){0};
}
