/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "crypto/bulk.h"
#include "crypto/hpke.h"
#include "crypto/sealed.h"
#include "id/peer_id.h"

/* The maximum before a message's first chunk: the length, H, and the message header. */
#define FRONT_MAX                                                                                    \
	(GN_UVARINT_MAX + GN_SEALED_HEADER_MAX + GN_SEALED_HEAD_LEN + GN_SEALED_MESSAGE_HEADER_MAX + \
	 GN_SEALED_CHUNK_OVER)

struct gn_sealer {
	struct gn_key *key;
	struct gn_sealed_message_header message_header; /* info.number is that of the latest message */
	uint8_t x25519[GN_SEALED_TO_MAX][GN_KEY_X25519_LEN];
	struct gn_bulk *bulk;
	const struct gn_sealer_fixed *fixed;
	uint64_t due;   /* the number of the next message */
	bool is_open;   /* inside a message; the fields below describe it */
	bool has_begun; /* at least one message was begun */
	bool is_ending; /* gn_sealer_end() is running */
	int err;        /* after a failure: every later call returns it */
	uint64_t i;     /* the number of the next chunk */
	uint8_t hh[GN_SEALED_HASH_LEN], payload[GN_SEALED_KEY_LEN];
	uint8_t *out; /* room bytes */
	size_t room;
};

/* ---- construction ---- */

static int text_copy(const char *from, char to[GN_SEALED_TEXT_MAX + 1])
{
	size_t n = from != NULL ? strlen(from) : 0;
	int err = gn_sealed_text_check(from, n);

	if (err == 0 && n > 0)
		memcpy(to, from, n);
	return err;
}

static int recipient_key(const struct gn_peer_id *id, uint8_t out[GN_KEY_X25519_LEN])
{
	struct gn_pubkey pub;
	int err = gn_peer_id_public(id, &pub);

	/* An id that is a hash belongs to a key that is longer than an Ed25519 key. */
	if (err == GN_ENONAME)
		return GN_EKEYTYPE;
	return err < 0 ? err : gn_pubkey_x25519(&pub, out);
}

int gn_sealer_check(const struct gn_peer_id *to)
{
	uint8_t x[GN_KEY_X25519_LEN];

	return recipient_key(to, x);
}

static int recipients_set(struct gn_sealer *s, const struct gn_peer_id *to, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int err = recipient_key(&to[i], s->x25519[i]);

		if (err < 0)
			return err;
		for (size_t j = 0; j < i; j++) {
			if (gn_peer_id_is_equal(&to[i], &to[j]))
				return -EEXIST;
		}
		s->message_header.to[i] = to[i];
	}
	s->message_header.info.n_to = n;
	return 0;
}

static int message_header_set(struct gn_sealer *s, const struct gn_seal_cfg *cfg)
{
	struct gn_sealed_info *info = &s->message_header.info;
	int err = text_copy(cfg->type, s->message_header.type);
	size_t n;

	if (err == 0)
		err = text_copy(cfg->context, s->message_header.context);
	if (err == 0)
		err = recipients_set(s, cfg->to, cfg->n_to);
	if (err < 0)
		return err;
	memcpy(s->message_header.sender, gn_key_public(cfg->key, &n), sizeof(s->message_header.sender));
	gn_key_id(cfg->key, &info->sender);
	info->type = s->message_header.type;
	info->context = s->message_header.context;
	info->to = s->message_header.to;
	info->in_sequence = cfg->sequence;
	if (cfg->sequence)
		gn_random(info->sequence, sizeof(info->sequence));
	return 0;
}

int gn_sealer_new(const struct gn_seal_cfg *cfg, struct gn_sealer **out)
{
	struct gn_sealer *s;
	int err;

	if (cfg->key == NULL || cfg->to == NULL || cfg->n_to == 0)
		return -EINVAL;
	if (cfg->n_to > GN_SEALED_TO_MAX)
		return GN_ELIMIT;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	err = message_header_set(s, cfg);
	if (err == 0)
		err = gn_key_dup(cfg->key, &s->key);
	if (err == 0)
		err = gn_bulk_new(true, &s->bulk);
	if (err < 0)
		gn_sealer_free(s);
	else
		*out = s;
	return err;
}

void gn_sealer_free(struct gn_sealer *s)
{
	if (s == NULL)
		return;
	gn_key_free(s->key);
	gn_bulk_free(s->bulk);
	free(s->out); /* ciphertext */
	sodium_memzero(s, sizeof *s);
	free(s);
}

void gn_sealer_fix(struct gn_sealer *s, const struct gn_sealer_fixed *fixed)
{
	s->fixed = fixed;
	memcpy(s->message_header.info.sequence, fixed->sequence,
	       s->message_header.info.in_sequence ? sizeof(fixed->sequence) : 0);
}

/* The old contents are not kept, because the function is only called between two outputs. */
static int sealer_room_make(struct gn_sealer *s, size_t n)
{
	if (n <= s->room)
		return 0;
	free(s->out);
	s->room = 0;
	s->out = malloc(n);
	if (s->out == NULL)
		return -ENOMEM;
	s->room = n;
	return 0;
}

/* ---- a message ---- */

static gn_time unix_time(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) < 0 || ts.tv_sec < 0)
		return 0;
	return (gn_time)ts.tv_sec * GN_SEC + ts.tv_nsec;
}

static int stanza_make(struct gn_sealer *s, const uint8_t k[GN_SEALED_KEY_LEN], struct gn_sealed_header *h)
{
	uint8_t info[GN_SEALED_INFO_LEN], *enc = h->stanzas[h->n];
	struct gn_hpke_cfg cfg = {.peer = s->x25519[h->n], .info = info, .n_info = sizeof(info)};
	const struct gn_hpke_text text = {.p = k, .n = GN_SEALED_KEY_LEN};
	struct gn_hpke_pair eph;
	int err;

	gn_sealed_info_make(h->salt, info);
	if (s->fixed != NULL) {
		memcpy(eph.sk, s->fixed->ephemeral[h->n], sizeof(eph.sk));
		(void)crypto_scalarmult_base(eph.pk, eph.sk);
		cfg.ephemeral = &eph;
	}
	err = gn_hpke_seal_once(&cfg, &text, enc, enc + GN_HPKE_ENC_LEN);
	h->n++;
	return err;
}

/* Makes H and derives the message's key from it; writes the length and H at *p and advances *p. */
static int header_put(struct gn_sealer *s, uint8_t **p)
{
	uint8_t k[GN_SEALED_KEY_LEN], prk[GN_SEALED_HASH_LEN], bytes[GN_SEALED_HEADER_MAX];
	struct gn_sealed_header h = {.n = 0};
	size_t n;
	int err = 0;

	gn_random(k, sizeof(k));
	gn_random(h.salt, sizeof(h.salt));
	if (s->fixed != NULL) {
		memcpy(k, s->fixed->k, sizeof(k));
		memcpy(h.salt, s->fixed->salt, sizeof(h.salt));
	}
	while (err == 0 && h.n < s->message_header.info.n_to)
		err = stanza_make(s, k, &h);
	gn_sealed_prk(h.salt, k, prk, h.commitment);
	sodium_memzero(k, sizeof(k));
	n = gn_sealed_header_encode(&h, bytes);
	if (err == 0)
		err = gn_bulk_hash_start(s->bulk);
	if (err == 0)
		err = gn_bulk_hash_put(s->bulk, bytes, n);
	if (err == 0)
		err = gn_bulk_hash_get(s->bulk, s->hh);
	gn_sealed_key(prk, s->hh, s->payload);
	sodium_memzero(prk, sizeof(prk));
	*p += gn_uvarint_encode(n, *p);
	memcpy(*p, bytes, n);
	*p += n;
	return err;
}

static int sign(struct gn_sealer *s, bool is_last, const uint8_t *text, size_t n, uint8_t sig[GN_KEY_SIG_LEN])
{
	uint8_t hp[GN_SEALED_HASH_LEN], msg[GN_SEALED_SIGNED_LEN];
	int err = gn_bulk_hash_start(s->bulk);

	if (err == 0)
		err = gn_bulk_hash_put(s->bulk, text, n);
	if (err == 0)
		err = gn_bulk_hash_get(s->bulk, hp);
	if (err < 0)
		return err;
	gn_sealed_signed(s->hh, s->i, is_last, hp, msg);
	gn_key_sign(s->key, msg, sizeof(msg), sig);
	return 0;
}

/* Writes one chunk at *p and advances *p. */
static int chunk_put(struct gn_sealer *s, bool is_last, const uint8_t *text, size_t n, uint8_t **p)
{
	uint8_t sig[GN_KEY_SIG_LEN], nonce[12], *ct = *p + GN_SEALED_HEAD_LEN;
	int err = sign(s, is_last, text, n, sig);

	gn_put_u32(*p, (is_last ? GN_SEALED_LAST : 0) + (uint32_t)(n + GN_SEALED_CHUNK_OVER));
	gn_sealed_nonce(s->i, is_last, nonce);
	if (err == 0)
		err = gn_bulk_start(s->bulk, s->payload, nonce, s->hh, sizeof(s->hh));
	if (err == 0)
		err = gn_bulk_put(s->bulk, sig, sizeof(sig), ct);
	if (err == 0)
		err = gn_bulk_put(s->bulk, text, n, ct + sizeof(sig));
	if (err == 0)
		err = gn_bulk_seal(s->bulk, ct + sizeof(sig) + n);
	s->i++;
	*p = ct + n + GN_SEALED_CHUNK_OVER;
	return err;
}

static int message_begin(struct gn_sealer *s, uint8_t **p)
{
	struct gn_sealed_info *info = &s->message_header.info;
	uint8_t text[GN_SEALED_MESSAGE_HEADER_MAX];
	int err;

	info->time = s->fixed != NULL ? s->fixed->time : unix_time();
	info->number = info->in_sequence ? s->due++ : 0;
	gn_random(info->id, sizeof(info->id));
	if (s->fixed != NULL)
		memcpy(info->id, s->fixed->id, sizeof(info->id));
	s->i = 0;
	s->is_open = s->has_begun = true;
	err = header_put(s, p);
	if (err == 0)
		err = chunk_put(s, false, text, gn_sealed_message_header_encode(&s->message_header, text), p);
	sodium_memzero(text, sizeof(text));
	return err;
}

static void message_finish(struct gn_sealer *s)
{
	s->is_open = false;
	gn_bulk_forget(s->bulk);
	sodium_memzero(s->payload, sizeof(s->payload));
}

int gn_sealer_put(struct gn_sealer *s, const void *p, size_t n, bool is_last, const void **out, size_t *len)
{
	uint8_t *at;

	if (s->err < 0)
		return s->err;
	if (n > GN_SEALED_CHUNK_MAX)
		return GN_ETOOBIG;
	if (s->message_header.info.is_end && !s->is_ending)
		return -EINVAL;
	s->err = sealer_room_make(s, FRONT_MAX + GN_SEALED_HEAD_LEN + n + GN_SEALED_CHUNK_OVER);
	if (s->err < 0)
		return s->err;
	at = s->out;
	if (!s->is_open)
		s->err = message_begin(s, &at);
	if (s->err == 0 && (n > 0 || is_last))
		s->err = chunk_put(s, is_last, p, n, &at);
	if (is_last || s->err < 0)
		message_finish(s);
	if (s->err < 0)
		return s->err;
	*out = s->out;
	*len = (size_t)(at - s->out);
	return 0;
}

int gn_sealer_end(struct gn_sealer *s, const void **out, size_t *len)
{
	int err;

	if (!s->message_header.info.in_sequence || s->is_open || s->message_header.info.is_end)
		return -EINVAL;
	s->message_header.info.is_end = s->is_ending = true;
	err = gn_sealer_put(s, NULL, 0, true, out, len);
	s->is_ending = false;
	return err;
}

void gn_sealer_info(const struct gn_sealer *s, struct gn_sealed_info *out)
{
	if (s->has_begun)
		*out = s->message_header.info;
}

int gn_seal_message(struct gn_sealer *s, const void *p, size_t n, void **out, size_t *len)
{
	const uint8_t *from = p;
	uint8_t *whole;
	size_t done = 0;
	bool is_last;

	if (s->is_open)
		return -EINVAL;
	if (n > SIZE_MAX / 2)
		return GN_ETOOBIG;
	whole = malloc(GN_SEALED_MAX(n));
	if (whole == NULL)
		return -ENOMEM;
	do {
		size_t k = n < GN_SEALED_CHUNK_MAX ? n : GN_SEALED_CHUNK_MAX, got = 0;
		const void *piece = NULL;
		int err;

		is_last = k == n;
		err = gn_sealer_put(s, from, k, is_last, &piece, &got);
		if (err < 0) {
			free(whole);
			return err;
		}
		memcpy(whole + done, piece, got);
		done += got;
		n -= k;
		from = k > 0 ? from + k : from;
	} while (!is_last);
	*out = whole;
	*len = done;
	return 0;
}
