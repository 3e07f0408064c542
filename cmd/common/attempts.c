/* SPDX-License-Identifier: MIT */
#include "attempts.h"

#include <stdlib.h>

#include "say.h"

void attempts_add(struct attempts *a, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct attempt *v = realloc(a->v, (a->n + 1) * sizeof *v);

	if (!v)
		return; /* a table with a line less */
	a->v = v;
	v[a->n++] = (struct attempt){addr ? gn_multiaddr_format(addr) : NULL, err, took};
}

void attempts_say(const struct attempts *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct attempt *t = &a->v[i];

		say("  tried %s  %.3f s  %s", t->addr ? t->addr : "?", (double)t->took / (double)GN_SEC,
		    t->err ? gn_strerror(t->err) : "connected");
	}
}

void attempts_fini(struct attempts *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i].addr);
	free(a->v);
	*a = (struct attempts){0};
}
