/* SPDX-License-Identifier: MIT */
#include "node/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gn.h"
#include "stack/select.h"

static void entry_free(struct gn_registry_entry *e)
{
	if (e->id != NULL && e->on_free != NULL)
		e->on_free(e->arg);
	free(e->id);
	e->id = NULL;
}

void gn_registry_fini(struct gn_registry *r)
{
	for (size_t i = 0; i < r->n; i++)
		entry_free(&r->entries[i]);
	free(r->entries);
	r->entries = NULL;
	r->n = 0;
}

int gn_registry_find(void *arg, const char *id, size_t len)
{
	const struct gn_registry *r = arg;

	for (size_t i = 0; i < r->n; i++)
		if (r->entries[i].id != NULL && strlen(r->entries[i].id) == len &&
		    memcmp(r->entries[i].id, id, len) == 0)
			return (int)i;
	return GN_ENOPROTO;
}

const char *gn_registry_show(void *arg, size_t i)
{
	const struct gn_registry *r = arg;

	for (size_t k = 0; k < r->n; k++) {
		if (r->entries[k].id == NULL || r->entries[k].hidden)
			continue;
		if (i-- == 0)
			return r->entries[k].id;
	}
	return NULL;
}

int gn_registry_add(struct gn_registry *r, const struct gn_registry_entry *entry)
{
	size_t len = strlen(entry->id), i = 0;
	struct gn_registry_entry *grown;
	char *id;

	if (len == 0 || len > GN_SELECT_ID_MAX || strchr(entry->id, '\n') != NULL)
		return -EINVAL;
	if (gn_registry_find(r, entry->id, len) >= 0)
		return -EEXIST;
	while (i < r->n && r->entries[i].id != NULL)
		i++;
	if (i == r->n) {
		grown = realloc(r->entries, (r->n + 1) * sizeof *grown);
		if (grown == NULL)
			return -ENOMEM;
		r->entries = grown;
		r->entries[r->n++].id = NULL;
	}
	id = strdup(entry->id);
	if (id == NULL)
		return -ENOMEM;
	r->entries[i] = *entry;
	r->entries[i].id = id;
	r->entries[i].generation = ++r->generation;
	return 0;
}

int gn_registry_del(struct gn_registry *r, const char *id)
{
	int i = gn_registry_find(r, id, strlen(id));

	if (i < 0)
		return -ENOENT;
	entry_free(&r->entries[i]);
	return 0;
}
