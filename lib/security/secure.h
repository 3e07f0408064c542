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
	void *state;              /* the security's, of this node; it outlives the layer */
	const struct gn_key *key; /* borrowed until the layer returns GN_READY or is freed */
	bool initiator;
	struct gn_peer_id expect; /* the peer that must answer; len 0: any */
	/* Ids to offer early, the preferred one first, NULL behind the last; NULL: none.  Borrowed
	 * likewise. */
	const char *const *muxers;
	/* Bytes of the longest record that the layer may send, with what the format adds; 0: the format's
	 * own limit.  init fails with -EINVAL when it has no room for a byte of data.  A connection over a
	 * stream sets it to frame_max of the muxer below (mux/session.h), so that a record fits one frame.
	 * Records that are received are not limited by it. */
	size_t record_max;
};

/* What was learnt about the peer; valid from GN_READY on. */
struct gn_secure_info {
	struct gn_peer_id peer;
	int muxer; /* index in cfg.muxers of the one that both agreed on, or -1: it is to be negotiated */
};

struct gn_security_ops {
	const char *id; /* in multistream-select: "/noise" */
	/* Makes the security's state for a node, which is handed to the layer's init (struct gn_secure_cfg) and to prepare.
	 * The node is new: only its configuration may be used before start returns.  config is the node's configuration of
	 * this security, valid during the call; NULL: defaults.  *state is NULL before.  0, -EINVAL: the configuration is
	 * bad, -ENOMEM, or another error, which makes gn_node_new() fail.  NULL: the state is NULL. */
	int (*start)(struct gn_node *node, const void *config, void **state);
	/* Frees the state.  Every layer of it is freed before.  May be NULL. */
	void (*stop)(void *state);
	const struct gn_layer_ops *layer;
	const struct gn_secure_info *(*info)(const struct gn_layer *l); /* lives as long as the layer */
	/* Does what takes long once in the life of the state, such as fetching a cipher.  Called when it delays
	 * nobody: when a node starts to listen, and while a dialer waits for its first answer.  If it fails, it is
	 * tried again when it is needed.  NULL: there is nothing to do. */
	void (*prepare)(void *state);
};

#endif
