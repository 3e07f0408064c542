/* SPDX-License-Identifier: MIT */
#include "allow.h"

#include <stdlib.h>

#include "address.h"
#include "netblock.h"
#include "diag.h"

int allow_init(struct allow *a, const struct opt_list *texts, struct fault *f)
{
	struct fault inner;

	*a = (struct allow){0};
	if (texts->n == 0)
		return 0;
	a->ids = calloc(texts->n, sizeof *a->ids);
	if (a->ids == NULL)
		return fault_set(f, "out of memory");
	for (a->n = 0; a->n < texts->n; a->n++) {
		if (address_parse_id(texts->v[a->n], &a->ids[a->n], &inner)) {
			allow_fini(a);
			return fault_set(f, "--allow: %s", inner.text);
		}
	}
	return 0;
}

void allow_fini(struct allow *a)
{
	free(a->ids);
	*a = (struct allow){0};
}

int allow_gate(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote, bool inbound)
{
	const struct allow *a = arg;
	char id[GN_PEER_ID_TEXT_MAX];
	struct netblock from;
	char *addr;

	if (!inbound || a->n == 0)
		return 0;
	for (size_t i = 0; i < a->n; i++)
		if (gn_peer_id_is_equal(&a->ids[i], peer))
			return 0;
	addr = remote != NULL ? gn_multiaddr_format(remote) : NULL;
	netblock_of(remote, &from);
	diag_from(&from, "refused %s at %s: not in --allow", gn_peer_id_format(peer, id),
		  addr != NULL ? addr : "an unknown address");
	free(addr);
	return GN_EREFUSED;
}
