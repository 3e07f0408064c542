/* SPDX-License-Identifier: MIT */
/* The memory of one peer in the address book, and the changes of its contents.  Private to book.c and
 * book_block.c. */
#ifndef GN_NODE_BOOK_BLOCK_H
#define GN_NODE_BOOK_BLOCK_H

#include "base/list.h"
#include "node/book.h"

/* An address in a block; its bytes are elsewhere in the block. */
struct gn_book_entry {
	gn_time expires, succeeded, failed;
	uint16_t len;
	uint8_t origin, failures;
};

/* A peer: one block of memory.  The entries are followed by the bytes of the addresses in the same order, the
 * protocols, each with a NUL behind it, and the envelope of the record. */
struct gn_book_peer {
	struct gn_book_peer *next; /* in the bucket */
	struct gn_list idle;       /* in idle[is_proven] of the book; on no list while it is held */
	struct gn_peer_id id;
	bool is_proven; /* it was reached, or the user named it */
	unsigned holds;
	uint32_t size; /* of the block */
	uint16_t n_addrs, n_protocols, n_record;
	uint64_t seq;
	struct gn_book_entry entries[];
};

/* The contents of a block as views, which are changed and then stored in a new block. */
struct gn_book_content {
	struct gn_book_entry entries[GN_BOOK_ADDRS_MAX];
	const uint8_t *addrs[GN_BOOK_ADDRS_MAX];
	size_t n_addrs;
	const void *protocols;
	size_t n_protocols;
	struct gn_book_record record;
};

/* The contents of a peer's block without the addresses that have expired; nothing if p is NULL. */
void gn_book_content_load(struct gn_book_peer *p, gn_time now, struct gn_book_content *c);
/* The size of a block with these contents, in bytes. */
size_t gn_book_content_size(const struct gn_book_content *c);
/* Writes the contents to a zeroed block of that size. */
void gn_book_content_copy(const struct gn_book_content *c, struct gn_book_peer *p);

/* Above 0: a is more useful than b; book.h has the order. */
int gn_book_entry_compare(const struct gn_book_entry *a, const struct gn_book_entry *b);
/* Adds an address, as a view, or updates it.  Errors as gn_book_add(), except for -ENOMEM. */
int gn_book_content_add(struct gn_book_content *c, const struct gn_peer_id *peer, const struct gn_multiaddr *addr,
			const struct gn_book_source *source);
/* The addresses of the list's origin become those of the list. */
void gn_book_content_replace(struct gn_book_content *c, const struct gn_peer_id *peer,
			     const struct gn_book_addrs *list);
/* The valid address in the peer's block; NULL if there is none, or p is NULL. */
struct gn_book_entry *gn_book_entry_find(struct gn_book_peer *p, const struct gn_multiaddr *addr, gn_time now);

#endif
