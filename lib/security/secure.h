/* SPDX-License-Identifier: MIT */
/*
 * The security interface: a layer that makes a stream private and authenticates the peer.  It
 * returns GN_READY once both is done.  The conformance suite tests/conform/layer.c runs over every
 * component.
 *
 * Until then advance() fails with GN_EAUTH (a signature or a tag is wrong), GN_EPEERID (another peer
 * than `expect`), GN_EGONE (the peer closed the connection), -ENOMEM, or an error of the component's
 * format such as GN_ETOOBIG or GN_EPROTO.  Afterwards it fails with GN_EAUTH or GN_EPROTO; the end of the
 * pipe below is passed on to up_rx, and an end inside a record is GN_ETRUNC.
 */
#ifndef GN_SECURITY_SECURE_H
#define GN_SECURITY_SECURE_H

#include "stack/layer.h"

/* Given to the layer's init, which copies it; what is borrowed is not copied. */
struct gn_secure_cfg {
	const struct gn_key *key; /* borrowed until the layer returns GN_READY or is freed */
	bool initiator;
	struct gn_peer_id expect; /* the peer that must answer; len 0: any */
	/* Ids to offer early, the preferred one first, NULL behind the last; NULL: none.  Borrowed likewise. */
	const char *const *muxers;
};

/* What was learnt about the peer; valid from GN_READY on. */
struct gn_secure_info {
	struct gn_peer_id peer;
	int muxer; /* index in cfg.muxers of the one that both agreed on, or -1: it is to be negotiated */
};

struct gn_security_ops {
	const char *id; /* in multistream-select: "/noise" */
	const struct gn_layer_ops *layer;
	const struct gn_secure_info *(*info)(const struct gn_layer *l); /* lives as long as the layer */
	/* Does what takes long once in the life of the I/O buffers, such as fetching a cipher.  Called when
	 * it delays nobody: when a node starts to listen, and while a dialer waits for its first answer.
	 * If it fails, it is tried again when it is needed.  NULL: there is nothing to do. */
	void (*prepare)(struct gn_iobuf *s);
};

#endif
