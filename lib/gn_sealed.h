/* SPDX-License-Identifier: MIT */
/*
 * gn_sealed.h: the part of gn.h that has sealed messages.  Programs include gn.h, which includes
 * this file; its conventions hold here, too.
 */
#ifndef GN_SEALED_H
#define GN_SEALED_H

#include "gn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A sealed message is encrypted to its recipients' identities and signed by its
 * sender's (gn-sealed(5)), so it may travel any way.  It has a type and a context,
 * texts that the caller gives a meaning: the context must be the same at both ends.
 * These need no loop.  All memory they take is about 1 MiB; secrets are wiped. */

#define GN_SEALED_TO_MAX 64                   /* recipients of a message */
#define GN_SEALED_TEXT_MAX 255                /* bytes of a type or a context: UTF-8 without control characters */
#define GN_SEALED_ID_LEN 16                   /* bytes of a message's and a sequence's id */
#define GN_SEALED_CHUNK_MAX ((size_t)1 << 20) /* bytes of the message in a chunk */
/* Room enough for a message of n bytes once it is sealed in whole chunks. */
#define GN_SEALED_MAX(n) ((size_t)(n) + 84 * ((size_t)(n) / GN_SEALED_CHUNK_MAX + 1) + 8704)

/* What stands in a message's message header.  Texts are the sealer's or unsealer's own, good
 * until it is given another message or freed. */
struct gn_sealed_info {
	struct gn_peer_id sender;
	const char *type, *context;   /* never NULL */
	gn_time time;                 /* when it was sealed, as the sender says: since 1970 */
	uint8_t id[GN_SEALED_ID_LEN]; /* random */
	const struct gn_peer_id *to;  /* the recipients; of all but its own an opener has only the sender's word */
	size_t n_to;
	bool in_sequence;                   /* the rest is of such a message only */
	bool is_end;                        /* the sequence ends here; such a message is empty */
	uint8_t sequence[GN_SEALED_ID_LEN]; /* random */
	uint64_t number;                    /* from 0 */
};

struct gn_sealer;

struct gn_seal_cfg {
	const struct gn_key *key;    /* the sender's; copied */
	const struct gn_peer_id *to; /* 1 to GN_SEALED_TO_MAX, no two the same; copied */
	size_t n_to;
	const char *type, *context; /* copied; NULL: empty */
	bool sequence;              /* the messages are numbered, and gn_sealer_end() ends them */
};

/* Can messages be sealed to this peer?  0, GN_EKEYTYPE (only Ed25519 identities), GN_EFORMAT
 * (no such key). */
int gn_sealer_check(const struct gn_peer_id *to);
/* A sealer makes any number of messages, one after the other.  -EINVAL (no key, no recipient),
 * -EEXIST (a recipient twice), GN_ELIMIT (too many), GN_ETOOBIG or GN_EFORMAT (a text),
 * GN_EKEYTYPE or GN_EFORMAT (a recipient, as gn_sealer_check()), -ENOMEM. */
int gn_sealer_new(const struct gn_seal_cfg *cfg, struct gn_sealer **out);
void gn_sealer_free(struct gn_sealer *s); /* NULL is fine */
/* Seals the next n bytes (at most GN_SEALED_CHUNK_MAX, else GN_ETOOBIG) of a message as one
 * chunk; the first call of a message begins it, is_last ends it, and the call after that
 * begins another.  n may be 0: with is_last that is an end without more bytes, otherwise only
 * the beginning is made, if it was not.  *len bytes at *out, which may be 0, go out as they are;
 * they are the sealer's, good until the next call.  So a message of up to GN_SEALED_CHUNK_MAX
 * is one call.  -EINVAL after gn_sealer_end(), -ENOMEM. */
int gn_sealer_put(struct gn_sealer *s, const void *p, size_t n, bool is_last, const void **out, size_t *len);
/* Makes the empty message that ends a sequence; -EINVAL without one, within a message, or twice. */
int gn_sealer_end(struct gn_sealer *s, const void **out, size_t *len);
/* Of the message that was begun last; untouched before the first. */
void gn_sealer_info(const struct gn_sealer *s, struct gn_sealed_info *out);
/* A whole message of any length at once, in memory that the caller frees with free().
 * -EINVAL within a message. */
int gn_seal_message(struct gn_sealer *s, const void *p, size_t n, void **out, size_t *len);

struct gn_unsealer;

struct gn_unseal_cfg {
	const struct gn_key *key;      /* the recipient's; copied */
	const struct gn_peer_id *from; /* the senders that are wanted; copied */
	size_t n_from;
	bool from_any;       /* every sender is; from and n_from are not looked at */
	const char *context; /* what the message must have been sealed with; NULL: empty */
};

enum gn_unsealed {
	GN_UNSEALED_HEADER = 1, /* the message header is good: gn_unsealer_info() */
	GN_UNSEALED_DATA = 2,   /* the message's next bytes */
	GN_UNSEALED_END = 3,    /* all of it was here */
};

/* An unsealer opens any number of messages, one after the other.  -EINVAL (no key; nobody is
 * wanted), GN_ETOOBIG or GN_EFORMAT (the context), -ENOMEM. */
int gn_unsealer_new(const struct gn_unseal_cfg *cfg, struct gn_unsealer **out);
void gn_unsealer_free(struct gn_unsealer *u); /* NULL is fine */
/* Begins with another message, whatever became of the one before. */
void gn_unsealer_start(struct gn_unsealer *u);
/* Takes from the *n bytes at *p, moving both, until there is something to tell; returns
 *   > 0           enum gn_unsealed; with GN_UNSEALED_DATA *len bytes (> 0) at *view, the
 *                 unsealer's, good until the next call: written by the sender, though what
 *                 follows may still be missing or bad
 *   GN_EAGAIN     all was taken, and more is needed
 *   GN_ENOTFOR    this key opens no part of it, or that part was damaged
 *   GN_EREFUSED   the sender is not wanted
 *   GN_ECONTEXT   sealed for another context
 *   GN_EFORMAT    malformed; also bytes after GN_UNSEALED_END
 *   GN_EAUTH      damaged or forged
 *   -ENOMEM
 * An error stays until gn_unsealer_start(). */
int gn_unsealer_put(struct gn_unsealer *u, const void **p, size_t *n, const void **view, size_t *len);
/* The input has ended: 0 after GN_UNSEALED_END, GN_ETRUNC before, or the error it had. */
int gn_unsealer_finish(const struct gn_unsealer *u);
/* Of the message whose GN_UNSEALED_HEADER came last; untouched before the first. */
void gn_unsealer_info(const struct gn_unsealer *u, struct gn_sealed_info *out);
/* A whole message at once, all or nothing, in memory that the caller frees with free(); errors
 * as gn_unsealer_put() and gn_unsealer_finish(). */
int gn_unseal_message(struct gn_unsealer *u, const void *p, size_t n, void **out, size_t *len);

/* Whether messages are one whole sequence in its order.  All zero before the first. */
struct gn_sequence {
	struct gn_peer_id sender; /* of the first: another's are none of this sequence */
	uint8_t id[GN_SEALED_ID_LEN];
	uint64_t next; /* the number that is due */
	bool has_begun, has_ended;
};
/* 0 when the message is the next one; GN_EORDER otherwise, and q stays as it was. */
int gn_sequence_put(struct gn_sequence *q, const struct gn_sealed_info *info);
/* 0 when its end was there, else GN_ETRUNC. */
int gn_sequence_finish(const struct gn_sequence *q);

#ifdef __cplusplus
}
#endif

#endif
