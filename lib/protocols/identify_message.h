/* SPDX-License-Identifier: MIT */
/*
 * Identify's messages as bytes (specs identify/README.md): no stream, no clock.
 *
 * A stream carries one or more messages, each behind a uvarint length, until its end; they
 * count as one, fields that repeat being appended and the others overwritten.  So do the
 * bodies of protobufs, put one behind the other, and so they are kept.
 */
#ifndef GN_PROTOCOLS_IDENTIFY_MESSAGE_H
#define GN_PROTOCOLS_IDENTIFY_MESSAGE_H

#include "addr/multiaddr.h"
#include "base/buf.h"
#include "base/frame.h"
#include "gn.h"

enum {
	GN_IDENTIFY_MESSAGE_MAX = 8 * 1024, /* bytes of one that is read, as in go and js */
	GN_IDENTIFY_MESSAGES_MAX = 10,      /* on one stream */
	GN_IDENTIFY_ADDRS_MAX = 500,        /* of a peer; those behind are left out */
	GN_IDENTIFY_PROTOCOLS_MAX = 1024,
	GN_IDENTIFY_OWN_MAX = 4095,       /* all that we write: rust reads no more */
	GN_IDENTIFY_SPLIT = 2 * 1024,     /* a longer one is two messages */
	GN_IDENTIFY_KNOWN_MAX = 2 * 1024, /* what is kept of a peer */
	GN_IDENTIFY_AGENT_MAX = 256,
};

#define GN_IDENTIFY_PUSH_ID "/ipfs/id/push/1.0.0"

/* ---- reading ---- */

struct gn_identify_reader {
	struct gn_frame frame;
	struct gn_buf body; /* the bodies so far */
	unsigned messages;
};

void gn_identify_reader_init(struct gn_identify_reader *r);
void gn_identify_reader_fini(struct gn_identify_reader *r);
/* The next bytes of the stream, in pieces of any size: 0, GN_EFORMAT (a length), GN_ETOOBIG,
 * GN_ELIMIT (one message too many), -ENOMEM. */
int gn_identify_reader_put(struct gn_identify_reader *r, const void *p, size_t n);
/* The stream has ended: 0, GN_ETRUNC in the middle of a message, or when there was none. */
int gn_identify_reader_finish(const struct gn_identify_reader *r);

/* What bodies say.  The views in info live as long as this does. */
struct gn_identify_view {
	struct gn_identify_info info;
	bool takes_push; /* GN_IDENTIFY_PUSH_ID is among its protocols */
	void *message;   /* the rest is private */
	void *alloc;
	struct gn_multiaddr **addrs;
	struct gn_multiaddr *observed;
};

/* Takes the bodies apart.  Addresses that are malformed or of unknown protocols are left out,
 * a trailing /p2p/ID of the peer's is cut off; agent and version are "" when they did not come.
 * GN_EPEERID: the public key is not that of `peer`, and nothing of it is to be believed;
 * GN_EFORMAT, GN_ETOOBIG, -ENOMEM. */
int gn_identify_view_init(struct gn_identify_view *v, const uint8_t *p, size_t n, const struct gn_peer_id *peer);
void gn_identify_view_fini(struct gn_identify_view *v);

/* ---- keeping ---- */

/* What a peer said, small: the body of a message again, without key and record. */
struct gn_identify_known {
	uint16_t len;
	bool is_whole;      /* nothing had to be left out to stay under GN_IDENTIFY_KNOWN_MAX */
	bool signed_record; /* a good one came along */
	bool takes_push;
	uint8_t body[];
};

/* From bodies that have come in.  With `old`, what is absent in them stays as it was there:
 * a push may be partial.  Freed with free().  Errors as gn_identify_view_init(). */
int gn_identify_known_make(const uint8_t *p, size_t n, const struct gn_peer_id *peer,
			   const struct gn_identify_known *old, struct gn_identify_known **out);

/* ---- writing ---- */

struct gn_identify_own {
	const struct gn_key *key;
	const char *agent;
	/* The protocols: the i-th, NULL behind the last. */
	const char *(*protocol)(void *arg, size_t i);
	void *arg;
	const struct gn_multiaddr *const *listen; /* the most useful first; a /p2p at the end is cut off */
	size_t n_listen;
	const struct gn_multiaddr *observed; /* the peer's address as we see it; may be NULL */
	uint64_t seq;                        /* of the signed record */
};

/* Appends the messages, with their lengths: one; or two, the signed record in the second.
 * At most GN_IDENTIFY_OWN_MAX bytes: addresses, then protocols are left out for that, from
 * the last. */
int gn_identify_own_encode(const struct gn_identify_own *own, struct gn_buf *out);

#endif
