/* SPDX-License-Identifier: MIT */
/*
 * The table of the protocols that a node serves, from protocol id to handler.
 */
#ifndef GN_NODE_REGISTRY_H
#define GN_NODE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gn_stream;

struct gn_registry_entry {
	char *id; /* NULL: the slot is free */
	bool hidden;
	uint32_t generation; /* set by gn_registry_add(); another one for each entry that was ever added */
	/* A peer opened a stream for this protocol.  The callee takes it over with gn_stream_accept(), or resets and
	 * closes it; the memory of *stream belongs to the caller.  May add and delete protocols. */
	void (*on_open)(void *arg, struct gn_stream *stream);
	void (*on_free)(void *arg); /* the entry is deleted; may be NULL */
	void *arg;
};

struct gn_registry {
	struct gn_registry_entry *entries;
	size_t n;
	uint32_t generation; /* of the entry that was added last */
};

void gn_registry_fini(struct gn_registry *r);
/* Copies entry->id.  -EEXIST, -EINVAL (an empty id, or one too long for multistream-select), -ENOMEM. */
int gn_registry_add(struct gn_registry *r, const struct gn_registry_entry *entry);
int gn_registry_del(struct gn_registry *r, const char *id); /* -ENOENT */
/* The find and show functions of struct gn_select_cfg; arg is the registry.  find returns the index of the entry or
 * GN_ENOPROTO; show returns the i-th id that is not hidden, or NULL. */
int gn_registry_find(void *arg, const char *id, size_t len);
const char *gn_registry_show(void *arg, size_t i);

#endif
