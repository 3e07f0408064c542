/* SPDX-License-Identifier: MIT */
/*
 * The security interface: a layer that makes a stream private and says who is at the
 * far end.  It is GN_READY once both is so.  One conformance suite, tests/conform/layer.c,
 * runs over every component.
 */
#ifndef GN_SECURITY_SECURE_H
#define GN_SECURITY_SECURE_H

#include "stack/layer.h"

/* Handed to the layer's init, which copies what it needs but for what is said to be borrowed. */
struct gn_secure_cfg {
	const struct gn_key *key; /* borrowed until the layer is GN_READY */
	bool initiator;
	struct gn_peer_id expect;  /* the peer that was asked for; len 0: any */
	const char *const *muxers; /* to offer early, NULL-ended, first is preferred; borrowed likewise */
};

/* What became known of the far end; good from GN_READY on. */
struct gn_secure_info {
	struct gn_peer_id peer;
	int muxer; /* index in cfg.muxers, or -1: to be negotiated */
};

struct gn_security_ops {
	const char *id; /* in multistream-select: "/noise" */
	const struct gn_layer_ops *layer;
	const struct gn_secure_info *(*info)(const struct gn_layer *l);
	/* Does what takes its time once in the life of a iobuf.  Called where it delays nobody:
	 * when listening, and while a dialer waits for its first answer.  May fail, and is tried again. */
	void (*prepare)(struct gn_iobuf *s);
};

#endif
