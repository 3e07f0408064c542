/* SPDX-License-Identifier: MIT */
/*
 * The encoding of identify messages (specs identify/README.md), without streams and clocks.
 *
 * A stream carries one or more messages, each with a uvarint length, until its end.  Together they
 * are one message: repeated fields are appended, others overwritten.  Concatenated protobufs have
 * the same meaning, so the bodies are kept concatenated.
 */
#ifndef GN_PROTOCOLS_IDENTIFY_MESSAGE_H
#define GN_PROTOCOLS_IDENTIFY_MESSAGE_H

#include "addr/multiaddr.h"
#include "base/buf.h"
#include "base/frame.h"
#include "crypto/peer_record.h"
#include "gn.h"

enum {
	GN_IDENTIFY_MESSAGE_MAX = 8 * 1024, /* bytes of one received message, as in go and js */
	GN_IDENTIFY_MESSAGES_MAX = 10,      /* messages on one stream */
	GN_IDENTIFY_ADDRS_MAX = 500,        /* addresses of a peer; further ones are ignored */
	GN_IDENTIFY_PROTOCOLS_MAX = 1024,
	GN_IDENTIFY_OWN_MAX = 4095,       /* bytes of our message: rust reads no more */
	GN_IDENTIFY_SPLIT = 2 * 1024,     /* bytes from which on it is sent as two messages */
	GN_IDENTIFY_KNOWN_MAX = 2 * 1024, /* bytes that are kept of a peer's message */
	GN_IDENTIFY_AGENT_MAX = 256,
};

#define GN_IDENTIFY_PUSH_ID "/ipfs/id/push/1.0.0"

/* ---- reading ---- */

struct gn_identify_reader {
	struct gn_frame frame;
	struct gn_buf body; /* the concatenated bodies */
	unsigned messages;
};

void gn_identify_reader_init(struct gn_identify_reader *r);
void gn_identify_reader_fini(struct gn_identify_reader *r);
/* Reads the next bytes of the stream, in pieces of any size: 0, GN_EFORMAT (a length), GN_ETOOBIG, GN_ELIMIT (too
 * many messages), -ENOMEM. */
int gn_identify_reader_put(struct gn_identify_reader *r, const void *p, size_t n);
/* To be called at the end of the stream: 0, or GN_ETRUNC: within a message, or there was none. */
int gn_identify_reader_finish(const struct gn_identify_reader *r);

/* Decoded bodies.  The pointers in info are valid until gn_identify_view_fini(). */
struct gn_identify_view {
	struct gn_identify_info info;
	bool takes_push;         /* GN_IDENTIFY_PUSH_ID is among its protocols */
	const uint8_t *envelope; /* of the signed record, if it is valid; else NULL */
	size_t n_envelope;
	struct gn_peer_record record; /* its contents */
	void *message;                /* the rest is private */
	void *alloc;
	struct gn_multiaddr **addrs;
	size_t n_addrs;
	struct gn_multiaddr *observed;
};

/* Decodes bodies.  Addresses that are malformed or have unknown protocols are left out, and a /p2p/ID of the peer at
 * their end is removed; agent and version are "" when they are absent.  GN_EPEERID: the public key is not that of
 * `peer`, and the message must be ignored; GN_EFORMAT, GN_ETOOBIG, -ENOMEM. */
int gn_identify_view_init(struct gn_identify_view *v, const uint8_t *p, size_t n, const struct gn_peer_id *peer);
void gn_identify_view_fini(struct gn_identify_view *v);

/* ---- keeping ---- */

/* A peer's message in a compact form: an encoded body without key and record. */
struct gn_identify_known {
	uint16_t len;
	bool is_whole;      /* nothing was left out to stay under GN_IDENTIFY_KNOWN_MAX */
	bool signed_record; /* it came with a valid one */
	bool takes_push;
	uint8_t body[];
};

/* Makes the compact form of a message, which the caller frees with free().  Fields that are absent are copied
 * from `old` if it is not NULL, because a push may be partial.  Errors as gn_identify_view_init(). */
int gn_identify_known_make(const struct gn_identify_view *now, const struct gn_identify_known *old,
			   struct gn_identify_known **out);

/* ---- writing ---- */

struct gn_identify_own {
	const struct gn_key *key;
	const char *agent;
	/* Returns the i-th protocol; NULL after the last. */
	const char *(*protocol)(void *arg, size_t i);
	void *arg;
	const struct gn_multiaddr *const *listen; /* the most useful first; a /p2p at the end is removed */
	size_t n_listen;
	const struct gn_multiaddr *observed; /* the peer's address as this node sees it; may be NULL */
	uint64_t seq;                        /* of the signed record */
};

/* Appends one message with its length, or two with the signed record in the second, of GN_IDENTIFY_OWN_MAX bytes at
 * most: if needed, the last addresses, then the last protocols, are left out.  -ENOMEM. */
int gn_identify_own_encode(const struct gn_identify_own *own, struct gn_buf *out);

#endif
