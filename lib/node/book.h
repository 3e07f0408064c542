/* SPDX-License-Identifier: MIT */
/*
 * The address book: what is known of peers.  For each peer it has addresses, each with its origin,
 * lifetime and the results of dialling it, the protocols that the peer lists, and its signed record.  The
 * book does no I/O and reads no clock: every instant is a parameter.
 *
 * Limits.  The book has at most GN_BOOK_PEERS_MAX peers and GN_BOOK_BYTES_MAX bytes.  A peer has at most
 * GN_BOOK_ADDRS_MAX addresses of GN_BOOK_ADDR_LEN_MAX bytes, GN_BOOK_PROTOCOLS_LEN_MAX bytes of protocols
 * and a record of GN_BOOK_RECORD_LEN_MAX bytes: at most 13 KiB, and 1 to 2 KiB for an ordinary peer, in
 * one block of memory.  Besides the blocks, the book takes 8 to 16 bytes a peer for its hash table.
 * Finding a peer and choosing one that leaves take constant time; a change takes time linear in the peer's
 * block.
 *
 * Which peer leaves.  When there is no room, peers leave in this order until there is:
 *     1. peers that were never reached and that the user did not name, the one longest without use first;
 *     2. the others, the one longest without use first.
 * A peer is used when it is added, when an address of it is dialled with success, and when a hold is
 * released.  Peers that are held (connected, or protected by the program) never leave.
 *
 * Which address leaves.  When a peer has no room for a new address, its least useful one leaves, or the
 * new one is not added if it would be the least useful one itself.  In this order an address is more
 * useful: one that the user named; one whose last dial did not fail; one of a more trusted origin (enum
 * gn_book_origin); one that was dialled with success more recently; one that expires later.
 */
#ifndef GN_NODE_BOOK_H
#define GN_NODE_BOOK_H

#include "addr/multiaddr.h"

#define GN_BOOK_PEERS_MAX 4096
#define GN_BOOK_BYTES_MAX ((size_t)8 << 20)
#define GN_BOOK_ADDRS_MAX 32
#define GN_BOOK_ADDR_LEN_MAX 256
#define GN_BOOK_PROTOCOLS_LEN_MAX 1024 /* of all names with a NUL behind each */
#define GN_BOOK_RECORD_LEN_MAX 2048

#define GN_BOOK_REST_MIN (5 * GN_SEC)   /* how long an address rests after one failure */
#define GN_BOOK_REST_MAX (600 * GN_SEC) /* the rest doubles with each further failure, up to this */
#define GN_BOOK_KEEP (1800 * GN_SEC)    /* addresses last at least this long after the peer was released */
#define GN_BOOK_NO_TIME INT64_MIN       /* for an event that did not occur yet */

/* Where an address comes from, the least trusted origin first.  An address that has several keeps the most
 * trusted. */
enum gn_book_origin {
	GN_BOOK_INBOUND,  /* the remote address of an inbound connection */
	GN_BOOK_DHT,      /* another peer sent it in a DHT answer */
	GN_BOOK_MDNS,     /* multicast DNS in the local network */
	GN_BOOK_IDENTIFY, /* the peer sent it in an identify message */
	GN_BOOK_DNS,      /* a name that the user gave was resolved to it */
	GN_BOOK_DIALLED,  /* the user gave it for one dial, which succeeded */
	GN_BOOK_RECORD,   /* the peer signed it in a peer record */
	GN_BOOK_USER,     /* the user gave it */
};

/* An address as it is given to the book. */
struct gn_book_source {
	enum gn_book_origin origin;
	gn_time expires; /* the address is valid before this instant; GN_NEVER: always */
};

/* An address as the book returns it. */
struct gn_book_addr {
	const uint8_t *bytes; /* a view, for gn_multiaddr_decode(); valid until the next change of the book */
	size_t len;
	enum gn_book_origin origin;
	gn_time expires;
	gn_time succeeded, failed; /* when it was last dialled so, or GN_BOOK_NO_TIME */
	unsigned failures;         /* since the last success */
	gn_time rests_until;       /* it should not be dialled before; GN_BOOK_NO_TIME: it does not rest */
};

struct gn_book;

int gn_book_new(struct gn_book **out); /* 0 or -ENOMEM */
void gn_book_free(struct gn_book *b);  /* NULL is allowed */
size_t gn_book_count(const struct gn_book *b);
/* The bytes of all blocks, which GN_BOOK_BYTES_MAX bounds. */
size_t gn_book_bytes(const struct gn_book *b);
bool gn_book_has(const struct gn_book *b, const struct gn_peer_id *peer);

/* All functions that change the book leave it as it was when they fail, except that expired addresses and
 * other peers may have left.  They return 0; -ENOMEM; GN_ELIMIT: there is no room, because all other peers
 * are held; and the errors that are named at the function.  A peer that is not in the book is added. */

/* Adds an address, or updates it: the lifetime only becomes longer, the results of dialling stay.  A final
 * /p2p/ID is removed.  GN_ETOOBIG: longer than GN_BOOK_ADDR_LEN_MAX; GN_EPEERID: it ends with another
 * peer's id; GN_ENONAME: it is /p2p/ID alone; GN_ELIMIT also when the peer's addresses are all more useful
 * than this one. */
int gn_book_add(struct gn_book *b, const struct gn_peer_id *peer, const struct gn_multiaddr *addr,
		const struct gn_book_source *source, gn_time now);

/* The addresses of one origin.  What does not fit, or has one of the errors of gn_book_add(), is left out. */
struct gn_book_addrs {
	struct gn_book_source source;
	const struct gn_multiaddr *const *addrs;
	size_t n;
};
/* Replaces the peer's addresses of that origin: those that are not in the list leave. */
int gn_book_replace(struct gn_book *b, const struct gn_peer_id *peer, const struct gn_book_addrs *list, gn_time now);

struct gn_book_record {
	uint64_t seq;
	const uint8_t *envelope; /* as the peer sent it; in what the book returns, a view */
	size_t len;
};
/* Stores a peer's record, whose signature the caller verified, in the place of an older one, and replaces
 * the addresses of origin GN_BOOK_RECORD by the list, whose origin is ignored.  GN_EORDER: the book has a
 * record with this or a higher sequence number; GN_ETOOBIG: over GN_BOOK_RECORD_LEN_MAX. */
int gn_book_set_record(struct gn_book *b, const struct gn_peer_id *peer, const struct gn_book_record *record,
		       const struct gn_book_addrs *list, gn_time now);
/* Replaces the peer's protocols.  Those that do not fit into GN_BOOK_PROTOCOLS_LEN_MAX are left out. */
int gn_book_set_protocols(struct gn_book *b, const struct gn_peer_id *peer, const char *const *protocols, size_t n,
			  gn_time now);

/* Reports the result of dialling an address, with or without /p2p/ID; false when the book does not have
 * it.  After the n-th failure in a row the address rests for GN_BOOK_REST_MIN * 2^(n - 1), at most
 * GN_BOOK_REST_MAX; an address that the user gave never rests.  A success ends the rest and counts as a
 * use of the peer. */
bool gn_book_succeeded(struct gn_book *b, const struct gn_peer_id *peer, const struct gn_multiaddr *addr, gn_time now);
bool gn_book_failed(struct gn_book *b, const struct gn_peer_id *peer, const struct gn_multiaddr *addr, gn_time now);

/* Holds the peer, for a connection or to protect it: until each hold was released, it does not leave the
 * book and its addresses do not expire. */
int gn_book_hold(struct gn_book *b, const struct gn_peer_id *peer, gn_time now);
/* The peer must be held.  With the last hold, addresses that would expire within GN_BOOK_KEEP live that
 * long. */
void gn_book_release(struct gn_book *b, const struct gn_peer_id *peer, gn_time now);

/* Writes the peer's valid addresses to out, the most useful first, also those that rest.  Returns their
 * number, 0 for an unknown peer. */
size_t gn_book_addrs(const struct gn_book *b, const struct gn_peer_id *peer, gn_time now,
		     struct gn_book_addr out[GN_BOOK_ADDRS_MAX]);
/* The i-th protocol of the peer, valid until the next change of the book; NULL: there are not so many. */
const char *gn_book_protocol(const struct gn_book *b, const struct gn_peer_id *peer, size_t i);
/* False: there is no record of the peer. */
bool gn_book_record(const struct gn_book *b, const struct gn_peer_id *peer, struct gn_book_record *out);

#endif
