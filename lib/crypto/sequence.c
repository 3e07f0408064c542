/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "gn.h"

int gn_sequence_put(struct gn_sequence *q, const struct gn_sealed_info *info)
{
	if (!info->in_sequence || q->has_ended || info->number != q->next)
		return GN_EORDER;
	/* The sender is compared, too: another recipient knows the sequence's id and could insert a
	 * message of its own. */
	if (q->has_begun &&
	    (memcmp(q->id, info->sequence, sizeof(q->id)) != 0 || !gn_peer_id_is_equal(&q->sender, &info->sender)))
		return GN_EORDER;
	memcpy(q->id, info->sequence, sizeof(q->id));
	q->sender = info->sender;
	q->next++;
	q->has_begun = true;
	q->has_ended = info->is_end;
	return 0;
}

int gn_sequence_finish(const struct gn_sequence *q)
{
	return q->has_ended ? 0 : GN_ETRUNC;
}
