/* SPDX-License-Identifier: MIT */
#include "node/tags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/limits.h"
#include "node/node.h"

struct tag {
	const char *name;
	int weight;
	bool protects;
};

struct gn_tags {
	struct gn_list link;  /* in node->tagged */
	struct gn_peer *peer; /* holds a reference */
	unsigned n;
	struct tag tags[GN_PEER_TAGS];
};

static struct tag *tags_find(struct gn_tags *tags, const char *name)
{
	for (unsigned i = 0; tags != NULL && i < tags->n; i++)
		if (strcmp(tags->tags[i].name, name) == 0)
			return &tags->tags[i];
	return NULL;
}

static void tags_drop(struct gn_node *node, struct gn_tags *tags)
{
	struct gn_peer *peer = tags->peer;

	peer->tags = NULL;
	gn_list_del(&tags->link);
	node->n_tagged--;
	free(tags);
	gn_peers_put(&node->peers, peer);
}

/* The tags of the peer, which are made if there are none. */
static int tags_get(struct gn_node *node, const struct gn_peer_id *id, struct gn_tags **out)
{
	struct gn_peer *peer = gn_peers_get(&node->peers, id);
	struct gn_tags *tags;

	if (peer == NULL)
		return -ENOMEM;
	if (peer->tags != NULL) {
		*out = peer->tags;
		gn_peers_put(&node->peers, peer); /* the tags hold a reference */
		return 0;
	}
	tags = node->n_tagged < GN_TAGGED_PEERS ? calloc(1, sizeof *tags) : NULL;
	if (tags == NULL) {
		gn_peers_put(&node->peers, peer);
		return node->n_tagged < GN_TAGGED_PEERS ? -ENOMEM : GN_ELIMIT;
	}
	tags->peer = peer;
	peer->tags = tags;
	gn_list_init(&tags->link);
	gn_list_add_tail(&node->tagged, &tags->link);
	node->n_tagged++;
	*out = tags;
	return 0;
}

/* Finds or adds a tag, which the caller then sets. */
static int tags_add(struct gn_node *node, const struct gn_peer_id *id, const char *name, struct tag **out)
{
	struct gn_tags *tags;
	struct tag *tag;
	int err = tags_get(node, id, &tags);

	if (err != 0)
		return err;
	tag = tags_find(tags, name);
	if (tag == NULL && tags->n == GN_PEER_TAGS)
		return GN_ELIMIT;
	if (tag == NULL) {
		tag = &tags->tags[tags->n++];
		*tag = (struct tag){.name = name};
	}
	*out = tag;
	return 0;
}

/* A tag has less effect than before.  Deletes it if it has none, and the tags of the peer with the last one. */
static void tags_reduced(struct gn_node *node, struct gn_tags *tags, struct tag *tag)
{
	if (tag->weight == 0 && !tag->protects)
		*tag = tags->tags[--tags->n];
	gn_conns_untagged(tags->peer);
	if (tags->n == 0)
		tags_drop(node, tags);
}

static struct gn_tags *tags_of(struct gn_node *node, const struct gn_peer_id *id)
{
	const struct gn_peer *peer = gn_peers_find(&node->peers, id);

	return peer != NULL ? peer->tags : NULL;
}

static bool tags_is_valid(const struct gn_peer_id *id, const char *name)
{
	return id->len > 0 && name != NULL && name[0] != '\0';
}

int gn_peer_tag(struct gn_node *node, const struct gn_peer_id *peer, const char *name, int weight)
{
	struct gn_tags *tags;
	struct tag *tag;
	int err = 0;

	if (!tags_is_valid(peer, name))
		return -EINVAL;
	tags = tags_of(node, peer);
	tag = tags_find(tags, name);
	if (tag == NULL && weight != 0)
		err = tags_add(node, peer, name, &tag);
	if (err != 0 || tag == NULL)
		return err;
	tag->weight = weight;
	if (tags != NULL)
		tags_reduced(node, tags, tag);
	return 0;
}

int gn_peer_protect(struct gn_node *node, const struct gn_peer_id *peer, const char *name)
{
	struct tag *tag;
	int err;

	if (!tags_is_valid(peer, name))
		return -EINVAL;
	err = tags_add(node, peer, name, &tag);
	if (err == 0)
		tag->protects = true;
	return err;
}

void gn_peer_unprotect(struct gn_node *node, const struct gn_peer_id *peer, const char *name)
{
	struct gn_tags *tags = tags_of(node, peer);
	struct tag *tag = name != NULL ? tags_find(tags, name) : NULL;

	if (tag == NULL)
		return;
	tag->protects = false;
	tags_reduced(node, tags, tag);
}

void gn_tags_value(const struct gn_peer *peer, struct gn_peer_value *out)
{
	const struct gn_tags *tags = peer != NULL ? peer->tags : NULL;

	*out = (struct gn_peer_value){0};
	for (unsigned i = 0; tags != NULL && i < tags->n; i++) {
		out->weight += tags->tags[i].weight;
		out->is_protected |= tags->tags[i].protects;
	}
}

void gn_peer_value(const struct gn_node *node, const struct gn_peer_id *peer, struct gn_peer_value *out)
{
	gn_tags_value(gn_peers_find((struct gn_peers *)(uintptr_t)&node->peers, peer), out);
}

void gn_tags_free(struct gn_node *node)
{
	struct gn_tags *tags;

	while ((tags = gn_list_first(&node->tagged, struct gn_tags, link)) != NULL)
		tags_drop(node, tags);
}
