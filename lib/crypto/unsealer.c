/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/bulk.h"
#include "crypto/hpke.h"
#include "crypto/sealed.h"

/* The states follow the order of the bytes: IN_LENGTH, IN_HEADER, then IN_HEAD to IN_TAG for each chunk,
 * AT_END and DONE after the last one.  A chunk is decrypted as its bytes arrive, and passed on when its
 * tag and signature are valid. */
enum state {
	IN_LENGTH, /* the uvarint before H */
	IN_HEADER, /* H */
	IN_HEAD,   /* a chunk's first four bytes */
	IN_SIG,    /* its signature, encrypted */
	IN_TEXT,   /* P_i, encrypted */
	IN_TAG,    /* the AEAD's tag */
	AT_END,    /* the message is valid; GN_UNSEALED_END was not returned yet */
	DONE,
};

struct gn_unsealer {
	struct gn_hpke_pair own;
	struct gn_peer_id id;
	struct gn_peer_id *from; /* NULL: any */
	size_t n_from;
	char context[GN_SEALED_TEXT_MAX + 1];
	struct gn_bulk *bulk;

	int err; /* after a failure: every later call returns it */
	enum state state;
	size_t got;                          /* bytes received in this state */
	uint8_t small[GN_SEALED_HEADER_MAX]; /* the bytes of this state, except for P_i */
	size_t n_header;                     /* the length of H */
	size_t n_stanzas, own_stanza;        /* their number, and the index of the one for this key */
	uint8_t hh[GN_SEALED_HASH_LEN], payload[GN_SEALED_KEY_LEN];
	uint64_t i; /* the number of the chunk */
	bool is_last;
	size_t n; /* |P_i| */
	uint8_t sig[GN_KEY_SIG_LEN];
	uint8_t *text;     /* the decrypted part of P_i; `room` bytes are allocated */
	size_t room, used; /* `used` bytes of the text must be wiped */
	bool has_message_header;
	struct gn_sealed_message_header message_header;
};

/* ---- construction ---- */

static int cfg_set(struct gn_unsealer *u, const struct gn_unseal_cfg *cfg)
{
	size_t n = cfg->context != NULL ? strlen(cfg->context) : 0;
	int err = gn_sealed_text_check(cfg->context, n);

	if (err == 0)
		err = gn_key_x25519(cfg->key, u->own.sk, u->own.pk);
	if (err == 0)
		err = gn_bulk_new(false, &u->bulk);
	if (err < 0)
		return err;
	if (n > 0)
		memcpy(u->context, cfg->context, n);
	gn_key_id(cfg->key, &u->id);
	if (cfg->from_any)
		return 0;
	u->from = calloc(cfg->n_from, sizeof *u->from);
	if (u->from == NULL)
		return -ENOMEM;
	memcpy(u->from, cfg->from, cfg->n_from * sizeof *u->from);
	u->n_from = cfg->n_from;
	return 0;
}

int gn_unsealer_new(const struct gn_unseal_cfg *cfg, struct gn_unsealer **out)
{
	struct gn_unsealer *u;
	int err;

	if (cfg->key == NULL || (!cfg->from_any && (cfg->from == NULL || cfg->n_from == 0)))
		return -EINVAL;
	u = calloc(1, sizeof *u);
	if (u == NULL)
		return -ENOMEM;
	err = cfg_set(u, cfg);
	if (err < 0)
		gn_unsealer_free(u);
	else
		*out = u;
	return err;
}

static void text_wipe(struct gn_unsealer *u)
{
	if (u->used > 0)
		sodium_memzero(u->text, u->used);
	u->used = 0;
}

void gn_unsealer_free(struct gn_unsealer *u)
{
	if (u == NULL)
		return;
	gn_bulk_free(u->bulk);
	text_wipe(u);
	free(u->text);
	free(u->from);
	sodium_memzero(u, sizeof *u);
	free(u);
}

void gn_unsealer_start(struct gn_unsealer *u)
{
	gn_bulk_forget(u->bulk);
	sodium_memzero(u->payload, sizeof(u->payload));
	text_wipe(u);
	u->err = 0;
	u->state = IN_LENGTH;
	u->got = 0;
	u->i = 0;
}

/* ---- input ---- */

struct input {
	const uint8_t *p;
	size_t n;
};

/* Moves bytes of the input to u->small until it has `want`; returns whether it has. */
static bool unsealer_gather(struct gn_unsealer *u, struct input *in, size_t want)
{
	size_t k = want - u->got < in->n ? want - u->got : in->n;

	if (k > 0)
		memcpy(u->small + u->got, in->p, k);
	u->got += k;
	in->p = k > 0 ? in->p + k : in->p;
	in->n -= k;
	return u->got == want;
}

static int unsealer_enter(struct gn_unsealer *u, enum state state)
{
	u->state = state;
	u->got = 0;
	return 0;
}

/* ---- H ---- */

static int in_length(struct gn_unsealer *u, struct input *in)
{
	uint64_t n;
	int took;

	if (!unsealer_gather(u, in, u->got + 1))
		return GN_EAGAIN;
	took = gn_uvarint_decode(u->small, u->got, &n);
	if (took == GN_EAGAIN && u->got < GN_UVARINT_MAX)
		return 0;
	if (took < 0 || n < GN_SEALED_HEADER_LEN(1) || n > GN_SEALED_HEADER_MAX)
		return GN_EFORMAT;
	u->n_header = (size_t)n;
	return unsealer_enter(u, IN_HEADER);
}

/* Tries every stanza.  One that cannot be opened, also because its key has a low order, is skipped. */
static int stanzas_try(struct gn_unsealer *u, const struct gn_sealed_header *h, uint8_t k[GN_SEALED_KEY_LEN])
{
	uint8_t info[GN_SEALED_INFO_LEN];
	const struct gn_hpke_cfg cfg = {.own = &u->own, .info = info, .n_info = sizeof(info)};

	gn_sealed_info_make(h->salt, info);
	for (size_t i = 0; i < h->n; i++) {
		const uint8_t *enc = h->stanzas[i];
		const struct gn_hpke_text text = {
			.p = enc + GN_HPKE_ENC_LEN,
			.n = GN_SEALED_STANZA_LEN - GN_HPKE_ENC_LEN,
		};

		if (gn_hpke_unseal_once(&cfg, enc, &text, k) == 0) {
			u->own_stanza = i;
			return 0;
		}
	}
	return GN_ENOTFOR;
}

static int in_header(struct gn_unsealer *u, struct input *in)
{
	uint8_t k[GN_SEALED_KEY_LEN], prk[GN_SEALED_HASH_LEN], commitment[GN_SEALED_HASH_LEN];
	struct gn_sealed_header h;
	int err;

	if (!unsealer_gather(u, in, u->n_header))
		return GN_EAGAIN;
	err = gn_sealed_header_decode(u->small, u->n_header, &h);
	if (err == 0)
		err = stanzas_try(u, &h, k);
	if (err < 0)
		return err;
	u->n_stanzas = h.n;
	gn_sealed_prk(h.salt, k, prk, commitment);
	sodium_memzero(k, sizeof(k));
	err = sodium_memcmp(commitment, h.commitment, sizeof(commitment)) == 0 ? 0 : GN_EAUTH;
	if (err == 0)
		err = gn_bulk_hash_start(u->bulk);
	if (err == 0)
		err = gn_bulk_hash_put(u->bulk, u->small, u->n_header);
	if (err == 0)
		err = gn_bulk_hash_get(u->bulk, u->hh);
	if (err == 0)
		gn_sealed_key(prk, u->hh, u->payload);
	sodium_memzero(prk, sizeof(prk));
	return err < 0 ? err : unsealer_enter(u, IN_HEAD);
}

/* ---- chunks ---- */

static int unsealer_room_make(struct gn_unsealer *u, size_t n)
{
	text_wipe(u);
	if (n <= u->room)
		return 0;
	free(u->text);
	u->room = 0;
	u->text = malloc(n);
	if (u->text == NULL)
		return -ENOMEM;
	u->room = n;
	return 0;
}

static int in_head(struct gn_unsealer *u, struct input *in)
{
	uint8_t nonce[12];
	uint32_t head;
	size_t n;
	int err;

	if (!unsealer_gather(u, in, GN_SEALED_HEAD_LEN))
		return GN_EAGAIN;
	head = gn_get_u32(u->small);
	u->is_last = head & GN_SEALED_LAST;
	n = head & ~GN_SEALED_LAST;
	if (n < GN_SEALED_CHUNK_OVER)
		return GN_EFORMAT;
	n -= GN_SEALED_CHUNK_OVER;
	/* The message header is never the last chunk, and only the last chunk may be empty. */
	if (n > (u->i == 0 ? GN_SEALED_MESSAGE_HEADER_MAX : GN_SEALED_CHUNK_MAX) || (u->i == 0 && u->is_last) ||
	    (n == 0 && !u->is_last))
		return GN_EFORMAT;
	u->n = n;
	err = unsealer_room_make(u, n);
	if (err < 0)
		return err;
	gn_sealed_nonce(u->i, u->is_last, nonce);
	err = gn_bulk_start(u->bulk, u->payload, nonce, u->hh, sizeof(u->hh));
	if (err == 0)
		err = gn_bulk_hash_start(u->bulk);
	return err < 0 ? err : unsealer_enter(u, IN_SIG);
}

static int in_sig(struct gn_unsealer *u, struct input *in)
{
	if (!unsealer_gather(u, in, sizeof(u->sig)))
		return GN_EAGAIN;
	(void)unsealer_enter(u, IN_TEXT);
	return gn_bulk_put(u->bulk, u->small, sizeof(u->sig), u->sig);
}

/* Decrypts and hashes the input in pieces that fit into the CPU's first-level cache. */
static int in_text(struct gn_unsealer *u, struct input *in)
{
	while (u->got < u->n) {
		size_t left = u->n - u->got, k = in->n < left ? in->n : left;
		uint8_t *to = u->text + u->got;
		int err;

		if (k == 0)
			return GN_EAGAIN;
		if (k > 16384)
			k = 16384;
		err = gn_bulk_put(u->bulk, in->p, k, to);
		u->got += k;
		u->used = u->got;
		if (err == 0)
			err = gn_bulk_hash_put(u->bulk, to, k);
		if (err < 0)
			return err;
		in->p += k;
		in->n -= k;
	}
	return unsealer_enter(u, IN_TAG);
}

static int chunk_verify(struct gn_unsealer *u, const uint8_t sender[GN_KEY_PUBLIC_LEN])
{
	uint8_t hp[GN_SEALED_HASH_LEN], msg[GN_SEALED_SIGNED_LEN];
	struct gn_pubkey pub;
	int err = gn_bulk_hash_get(u->bulk, hp);

	if (err == 0)
		err = gn_pubkey_decode(sender, GN_KEY_PUBLIC_LEN, &pub);
	if (err < 0)
		return err;
	gn_sealed_signed(u->hh, u->i, u->is_last, hp, msg);
	return gn_pubkey_verify(&pub, msg, sizeof(msg), u->sig, sizeof(u->sig));
}

static bool is_wanted(const struct gn_unsealer *u, const struct gn_peer_id *sender)
{
	for (size_t i = 0; i < u->n_from; i++) {
		if (gn_peer_id_is_equal(&u->from[i], sender))
			return true;
	}
	return u->from == NULL;
}

/* Opens the message header.  Its contents are used only after the signature was verified. */
static int message_header_open(struct gn_unsealer *u)
{
	const struct gn_sealed_info *info = &u->message_header.info;
	int err;

	u->has_message_header = false;
	err = gn_sealed_message_header_decode(u->text, u->n, &u->message_header);
	if (err == 0)
		err = chunk_verify(u, u->message_header.sender);
	if (err < 0)
		return err;
	if (info->n_to != u->n_stanzas)
		return GN_EFORMAT;
	if (!gn_peer_id_is_equal(&info->to[u->own_stanza], &u->id))
		return GN_EAUTH;
	if (!is_wanted(u, &info->sender))
		return GN_EREFUSED;
	if (strcmp(info->context, u->context) != 0)
		return GN_ECONTEXT;
	u->has_message_header = true;
	return GN_UNSEALED_HEADER;
}

static int in_tag(struct gn_unsealer *u, struct input *in)
{
	int err;

	if (!unsealer_gather(u, in, GN_BULK_TAG_LEN))
		return GN_EAGAIN;
	err = gn_bulk_unseal(u->bulk, u->small);
	if (err < 0)
		return err;
	(void)unsealer_enter(u, u->is_last ? AT_END : IN_HEAD);
	err = u->i == 0 ? message_header_open(u) : chunk_verify(u, u->message_header.sender);
	if (err == 0 && u->message_header.info.is_end && u->n > 0)
		err = GN_EFORMAT;
	if (err < 0)
		return err;
	u->i++;
	return err == 0 && u->n > 0 ? GN_UNSEALED_DATA : err;
}

static int unsealer_step(struct gn_unsealer *u, struct input *in)
{
	switch (u->state) {
	case IN_LENGTH:
		return in_length(u, in);
	case IN_HEADER:
		return in_header(u, in);
	case IN_HEAD:
		return in_head(u, in);
	case IN_SIG:
		return in_sig(u, in);
	case IN_TEXT:
		return in_text(u, in);
	case IN_TAG:
		return in_tag(u, in);
	case AT_END:
		(void)unsealer_enter(u, DONE);
		gn_bulk_forget(u->bulk);
		sodium_memzero(u->payload, sizeof(u->payload));
		return GN_UNSEALED_END;
	case DONE:
		return in->n > 0 ? GN_EFORMAT : GN_EAGAIN;
	}
	return GN_EFORMAT;
}

int gn_unsealer_put(struct gn_unsealer *u, const void **p, size_t *n, const void **view, size_t *len)
{
	struct input in = {*p, *n};
	int ev = u->err;

	while (ev == 0)
		ev = unsealer_step(u, &in);
	*p = in.p;
	*n = in.n;
	if (ev == GN_UNSEALED_DATA) {
		*view = u->text;
		*len = u->n;
	} else if (ev < 0 && ev != GN_EAGAIN && u->err == 0) {
		gn_unsealer_start(u);
		u->err = ev;
	}
	return ev;
}

int gn_unsealer_finish(const struct gn_unsealer *u)
{
	if (u->err < 0)
		return u->err;
	return u->state == DONE || u->state == AT_END ? 0 : GN_ETRUNC;
}

void gn_unsealer_info(const struct gn_unsealer *u, struct gn_sealed_info *out)
{
	if (u->has_message_header)
		*out = u->message_header.info;
}

/* ---- whole messages ---- */

int gn_unseal_message(struct gn_unsealer *u, const void *p, size_t n, void **out, size_t *len)
{
	const size_t room = n > 0 ? n : 1; /* a message is never longer than its sealed form */
	uint8_t *whole = malloc(room);
	const void *view;
	size_t done = 0, k;
	int ev;

	if (whole == NULL)
		return -ENOMEM;
	gn_unsealer_start(u);
	while ((ev = gn_unsealer_put(u, &p, &n, &view, &k)) > 0) {
		if (ev != GN_UNSEALED_DATA)
			continue;
		memcpy(whole + done, view, k);
		done += k;
	}
	ev = gn_unsealer_finish(u);
	if (ev < 0) {
		sodium_memzero(whole, done);
		free(whole);
		return ev;
	}
	*out = whole;
	*len = done;
	return 0;
}
