/* SPDX-License-Identifier: MIT */
/*
 * gn_sealed.h: the part of gn.h for sealed messages.  Programs include gn.h, which includes this file.
 * The conventions of gn.h apply.
 */
#ifndef GN_SEALED_H
#define GN_SEALED_H

#include "gn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A sealed message is encrypted to the identities of its recipients and signed by that of its sender
 * (gn-sealed(5)), so it may travel over any medium.  It has a type and a context, texts whose meaning the
 * programs define; the context must be the same on both sides.  Sealers and unsealers need no loop.  Each
 * takes about 1 MiB of memory.  Secrets are wiped. */

#define GN_SEALED_TO_MAX 64                   /* recipients of a message */
#define GN_SEALED_TEXT_MAX 255                /* bytes of a type or a context: UTF-8 without control characters */
#define GN_SEALED_ID_LEN 16                   /* bytes of a message's and a sequence's id */
#define GN_SEALED_CHUNK_MAX ((size_t)1 << 20) /* bytes of the message in one chunk */
/* An upper bound for the sealed size of a message of n bytes that is sealed in whole chunks. */
#define GN_SEALED_MAX(n) ((size_t)(n) + 84 * ((size_t)(n) / GN_SEALED_CHUNK_MAX + 1) + 8704)

/* The contents of a message header.  The sealer or unsealer owns the texts, which are valid until it begins
 * another message or is freed. */
struct gn_sealed_info {
	struct gn_peer_id sender;
	const char *type, *context;   /* never NULL */
	gn_time time;                 /* when it was sealed, by the sender's clock: since 1970 */
	uint8_t id[GN_SEALED_ID_LEN]; /* random */
	/* The recipients.  The reader itself is proved to be one, the others are claimed by the sender. */
	const struct gn_peer_id *to;
	size_t n_to;
	bool in_sequence;                   /* the following fields are set only if this is true */
	bool is_end;                        /* the empty message that ends the sequence */
	uint8_t sequence[GN_SEALED_ID_LEN]; /* random */
	uint64_t number;                    /* from 0 */
};

struct gn_sealer;

struct gn_seal_cfg {
	const struct gn_key *key;    /* of the sender; copied */
	const struct gn_peer_id *to; /* 1 to GN_SEALED_TO_MAX different recipients; copied */
	size_t n_to;
	const char *type, *context; /* copied; NULL: empty */
	bool sequence;              /* the messages are numbered, and gn_sealer_end() ends them */
};

/* Checks whether messages can be sealed to this peer: 0; GN_EKEYTYPE: not an Ed25519 identity; GN_EFORMAT: not
 * a valid key. */
int gn_sealer_check(const struct gn_peer_id *to);
/* Creates a sealer, which seals any number of messages, one after the other.  -EINVAL (no key, no recipient),
 * -EEXIST (a recipient twice), GN_ELIMIT (too many), GN_ETOOBIG or GN_EFORMAT (a text),
 * GN_EKEYTYPE or GN_EFORMAT (a recipient, as gn_sealer_check()), -ENOMEM. */
int gn_sealer_new(const struct gn_seal_cfg *cfg, struct gn_sealer **out);
void gn_sealer_free(struct gn_sealer *s); /* NULL is allowed */
/* Seals the next n bytes of a message as one chunk.  The first call begins the message, a call with is_last ends
 * it, and the next call begins another.  n may be 0: with is_last, the message ends without more bytes;
 * otherwise only the header is produced, unless that was done.  *len sealed bytes, which may be 0, are at *out;
 * the sealer owns them, and they are valid until the next call.  GN_ETOOBIG: n is more than
 * GN_SEALED_CHUNK_MAX; -EINVAL: after gn_sealer_end(); -ENOMEM. */
int gn_sealer_put(struct gn_sealer *s, const void *p, size_t n, bool is_last, const void **out, size_t *len);
/* Produces the empty message that ends a sequence.  -EINVAL: no sequence, within a message, or a second call. */
int gn_sealer_end(struct gn_sealer *s, const void **out, size_t *len);
/* The header of the message that was begun last; *out is untouched before the first. */
void gn_sealer_info(const struct gn_sealer *s, struct gn_sealed_info *out);
/* Seals a whole message of any length, into memory that the caller frees with free().  -EINVAL: within a
 * message; otherwise errors as gn_sealer_put(). */
int gn_seal_message(struct gn_sealer *s, const void *p, size_t n, void **out, size_t *len);

struct gn_unsealer;

struct gn_unseal_cfg {
	const struct gn_key *key;      /* of the recipient; copied */
	const struct gn_peer_id *from; /* the accepted senders; copied */
	size_t n_from;
	bool from_any;       /* accept every sender; from and n_from are ignored */
	const char *context; /* that the message must have been sealed with; NULL: empty */
};

enum gn_unsealed {
	GN_UNSEALED_HEADER = 1, /* the message header is valid: gn_unsealer_info() */
	GN_UNSEALED_DATA = 2,   /* the next bytes of the message */
	GN_UNSEALED_END = 3,    /* the message is complete */
};

/* Creates an unsealer, which opens any number of messages, one after the other.  -EINVAL (no key, no accepted
 * sender), GN_ETOOBIG or GN_EFORMAT (the context), -ENOMEM. */
int gn_unsealer_new(const struct gn_unseal_cfg *cfg, struct gn_unsealer **out);
void gn_unsealer_free(struct gn_unsealer *u); /* NULL is allowed */
/* Begins another message, in whatever state the current one is. */
void gn_unsealer_start(struct gn_unsealer *u);
/* Consumes bytes from the *n at *p, advancing both, until there is a result; returns
 *   > 0           enum gn_unsealed.  With GN_UNSEALED_DATA there are *len bytes (> 0) at *view, which the
 *                 unsealer owns and which are valid until the next call.  They are authentic, but what follows
 *                 may still be missing or damaged
 *   GN_EAGAIN     all bytes were consumed, and more are needed
 *   GN_ENOTFOR    this key is not a recipient, or its entry was damaged
 *   GN_EREFUSED   the sender is not accepted
 *   GN_ECONTEXT   sealed for another context
 *   GN_EFORMAT    malformed, or bytes after GN_UNSEALED_END
 *   GN_EAUTH      damaged or forged
 *   -ENOMEM
 * After an error each call returns the same error until gn_unsealer_start(). */
int gn_unsealer_put(struct gn_unsealer *u, const void **p, size_t *n, const void **view, size_t *len);
/* To be called at the end of the input: 0 after GN_UNSEALED_END, GN_ETRUNC before it, or the earlier error. */
int gn_unsealer_finish(const struct gn_unsealer *u);
/* The header of the message whose GN_UNSEALED_HEADER was returned last; *out is untouched before the first. */
void gn_unsealer_info(const struct gn_unsealer *u, struct gn_sealed_info *out);
/* Opens a whole message, all or nothing, into memory that the caller frees with free().  Errors as
 * gn_unsealer_put() and gn_unsealer_finish(). */
int gn_unseal_message(struct gn_unsealer *u, const void *p, size_t n, void **out, size_t *len);

/* Checks that messages are one complete sequence in order.  All zero before the first message. */
struct gn_sequence {
	struct gn_peer_id sender; /* of the first message, and required of all others */
	uint8_t id[GN_SEALED_ID_LEN];
	uint64_t next; /* the number that is expected */
	bool has_begun, has_ended;
};
/* 0 when the message is the next one; otherwise GN_EORDER, and q is unchanged. */
int gn_sequence_put(struct gn_sequence *q, const struct gn_sealed_info *info);
/* 0 after the end of the sequence, otherwise GN_ETRUNC. */
int gn_sequence_finish(const struct gn_sequence *q);

#ifdef __cplusplus
}
#endif

#endif
