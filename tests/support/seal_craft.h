/* SPDX-License-Identifier: MIT */
/*
 * Makes sealed messages part by part, so that a test can make any part invalid, and decrypts the parts of a
 * message as one of its recipients.  K is the random key of the message and H its header, as in
 * crypto/sealed.h.
 */
#ifndef GN_SUPPORT_SEAL_CRAFT_H
#define GN_SUPPORT_SEAL_CRAFT_H

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "crypto/bulk.h"
#include "crypto/hpke.h"
#include "crypto/sealed.h"

/* Aborts the program when the condition is false. */
void seal_craft_need(bool ok);

struct seal_craft {
	uint8_t k[GN_SEALED_KEY_LEN], hh[GN_SEALED_HASH_LEN], key[GN_SEALED_KEY_LEN];
	struct gn_sealed_header h; /* a test may change it before seal_craft_header() */
	struct gn_sealed_message_header message_header;
	uint64_t i; /* the number of the next chunk */
	struct gn_buf out;
};

void seal_craft_init(struct seal_craft *f, const struct gn_key *sender);

void seal_craft_fini(struct seal_craft *f);

/* Adds a recipient, whose stanza contains the key k. */
void seal_craft_stanza(struct seal_craft *f, const struct gn_key *to, const uint8_t k[GN_SEALED_KEY_LEN]);

/* Appends these bytes to f->out as the header H, and derives the keys from K and these bytes. */
void seal_craft_header_bytes(struct seal_craft *f, const uint8_t *p, size_t n);

void seal_craft_header(struct seal_craft *f);

void seal_craft_sign(const struct seal_craft *f, const struct gn_key *by, bool is_last, const void *text, size_t n,
		     uint8_t sig[GN_KEY_SIG_LEN]);

/* Appends a chunk with this signature. */
void seal_craft_chunk_sig(struct seal_craft *f, const uint8_t sig[GN_KEY_SIG_LEN], bool is_last, const void *text,
			  size_t n);

void seal_craft_chunk(struct seal_craft *f, const struct gn_key *by, bool is_last, const void *text, size_t n);

/* Appends f->message_header as the first chunk. */
void seal_craft_message_header(struct seal_craft *f, const struct gn_key *by);

#define SEAL_PARTS_MAX 16

struct seal_part {
	size_t at, n; /* offset and length in the message */
	bool is_last;
	uint8_t sig[GN_KEY_SIG_LEN], text[1024];
	size_t n_text;
};

struct seal_parts {
	struct seal_craft f; /* K, H and the keys that are derived from them */
	size_t n_front;      /* the length of H together with its length prefix */
	struct seal_part part[SEAL_PARTS_MAX];
	size_t n;
};

/* Decrypts all chunks of a valid message with small chunks.  own is the recipient of the first stanza. */
void seal_parts_get(struct seal_parts *a, const struct gn_key *own, const uint8_t *p, size_t n);

#endif
