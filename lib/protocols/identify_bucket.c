/* SPDX-License-Identifier: MIT */
/* How many streams identify accepts from a peer: a token bucket, which all connections of the peer share. */
#include <stdlib.h>

#include "node/node.h"
#include "protocols/identify.h"

struct gn_identify_bucket *gn_identify_bucket_get(struct gn_identify_service *sv, const struct gn_conn *c)
{
	struct gn_identify_bucket *b;
	struct gn_list *at;

	gn_list_for_each(at, &c->peer->conns) {
		struct gn_identify_peer *other =
			gn_identify_peer_find(sv, gn_list_entry(at, struct gn_conn, link_peer));

		if (other == NULL)
			continue;
		other->bucket->conns++;
		other->bucket->tokens++;
		return other->bucket;
	}
	b = malloc(sizeof *b);
	if (b != NULL)
		*b = (struct gn_identify_bucket){GN_IDENTIFY_BURST, 1, gn_loop_now(sv->node->loop)};
	return b;
}

void gn_identify_bucket_put(struct gn_identify_bucket *b)
{
	if (--b->conns == 0)
		free(b);
}

bool gn_identify_bucket_take(struct gn_identify_bucket *b, gn_time now)
{
	gn_time since = now - b->filled, n = since / (GN_IDENTIFY_EVERY * GN_SEC);

	b->filled = now - since % (GN_IDENTIFY_EVERY * GN_SEC);
	if (b->tokens < GN_IDENTIFY_BURST)
		b->tokens = n < GN_IDENTIFY_BURST - b->tokens ? b->tokens + (unsigned)n : GN_IDENTIFY_BURST;
	if (b->tokens == 0)
		return false;
	b->tokens--;
	return true;
}
