/* SPDX-License-Identifier: MIT */
/*
 * The protocols that a node serves: name to handler.
 */
#ifndef GN_NODE_REGISTRY_H
#define GN_NODE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

struct gn_stream;

struct gn_registry_entry {
	char *id; /* NULL: the place is free */
	bool hidden;
	/* A peer opened a stream for it, which is the callee's from now on. */
	void (*on_open)(void *arg, struct gn_stream *stream);
	void (*on_free)(void *arg); /* the entry goes; may be NULL */
	void *arg;
};

struct gn_registry {
	struct gn_registry_entry *entries;
	size_t n;
};

void gn_registry_fini(struct gn_registry *r);
/* Copies entry->id.  -EEXIST, -EINVAL (no name, or too long for multistream), -ENOMEM. */
int gn_registry_add(struct gn_registry *r, const struct gn_registry_entry *entry);
int gn_registry_del(struct gn_registry *r, const char *id); /* -ENOENT */
/* For struct gn_select_cfg: arg is the registry. */
int gn_registry_find(void *arg, const char *id, size_t len);
const char *gn_registry_show(void *arg, size_t i);

#endif
