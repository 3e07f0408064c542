/* SPDX-License-Identifier: MIT */
/* Sealed messages made by hand, so that any part of one can be wrong; and taken apart, by one
 * of their recipients. */
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

/* Everything here is needed: a failure ends the program. */
void seal_craft_need(bool ok);

struct seal_craft {
	uint8_t k[GN_SEALED_KEY_LEN], hh[GN_SEALED_HASH_LEN], key[GN_SEALED_KEY_LEN];
	struct gn_sealed_header h; /* before seal_craft_header() to be changed at will */
	struct gn_sealed_letter letter;
	uint64_t i; /* the next chunk's number */
	struct gn_buf out;
};

void seal_craft_init(struct seal_craft *f, const struct gn_key *sender);

void seal_craft_fini(struct seal_craft *f);

/* Another recipient, of this K. */
void seal_craft_stanza(struct seal_craft *f, const struct gn_key *to, const uint8_t k[GN_SEALED_KEY_LEN]);

/* The keys that follow from K and these bytes of H, which are put out. */
void seal_craft_header_bytes(struct seal_craft *f, const uint8_t *p, size_t n);

void seal_craft_header(struct seal_craft *f);

void seal_craft_sign(const struct seal_craft *f, const struct gn_key *by, bool is_last, const void *text, size_t n,
		     uint8_t sig[GN_KEY_SIG_LEN]);

/* A chunk with this signature. */
void seal_craft_chunk_sig(struct seal_craft *f, const uint8_t sig[GN_KEY_SIG_LEN], bool is_last, const void *text,
			  size_t n);

void seal_craft_chunk(struct seal_craft *f, const struct gn_key *by, bool is_last, const void *text, size_t n);

/* f->letter as the first chunk. */
void seal_craft_letter(struct seal_craft *f, const struct gn_key *by);

#define SEAL_PARTS_MAX 16

struct seal_part {
	size_t at, n; /* in the message */
	bool is_last;
	uint8_t sig[GN_KEY_SIG_LEN], text[1024];
	size_t n_text;
};

struct seal_parts {
	struct seal_craft f; /* K, H and what follows from them */
	size_t n_front;      /* the length of H and its own length */
	struct seal_part part[SEAL_PARTS_MAX];
	size_t n;
};

/* What the recipient whose stanza is the first one sees of a good message of small chunks. */
void seal_parts_get(struct seal_parts *a, const struct gn_key *own, const uint8_t *p, size_t n);

#endif
