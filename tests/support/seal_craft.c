/* SPDX-License-Identifier: MIT */
#include "support/seal_craft.h"

void seal_craft_need(bool ok)
{
	if (!ok)
		abort();
}

void seal_craft_init(struct seal_craft *f, const struct gn_key *sender)
{
	size_t n;

	memset(f, 0, sizeof(*f));
	gn_random(f->k, sizeof(f->k));
	gn_random(f->h.salt, sizeof(f->h.salt));
	memcpy(f->message_header.sender, gn_key_public(sender, &n), sizeof(f->message_header.sender));
	f->message_header.info.time = 1;
	gn_buf_init(&f->out, (size_t)1 << 24);
}

void seal_craft_fini(struct seal_craft *f)
{
	gn_buf_fini(&f->out);
}

void seal_craft_stanza(struct seal_craft *f, const struct gn_key *to, const uint8_t k[GN_SEALED_KEY_LEN])
{
	uint8_t info[GN_SEALED_INFO_LEN], *enc = f->h.stanzas[f->h.n];
	struct gn_hpke_pair pair;
	const struct gn_hpke_cfg cfg = {.peer = pair.pk, .info = info, .n_info = sizeof(info)};
	const struct gn_hpke_text text = {.p = k, .n = GN_SEALED_KEY_LEN};

	gn_sealed_info_make(f->h.salt, info);
	seal_craft_need(gn_key_x25519(to, pair.sk, pair.pk) == 0);
	seal_craft_need(gn_hpke_seal_once(&cfg, &text, enc, enc + GN_HPKE_ENC_LEN) == 0);
	gn_key_id(to, &f->message_header.to[f->h.n]);
	f->message_header.info.n_to = ++f->h.n;
}

static void seal_craft_hash(const void *p, size_t n, uint8_t out[GN_SEALED_HASH_LEN])
{
	seal_craft_need(crypto_hash_sha256(out, p, n) == 0);
}

void seal_craft_header_bytes(struct seal_craft *f, const uint8_t *p, size_t n)
{
	uint8_t prk[GN_SEALED_HASH_LEN], commitment[GN_SEALED_HASH_LEN];

	gn_sealed_prk(f->h.salt, f->k, prk, commitment);
	seal_craft_hash(p, n, f->hh);
	gn_sealed_key(prk, f->hh, f->key);
	seal_craft_need(gn_buf_put_prefixed(&f->out, p, n) == 0);
}

void seal_craft_header(struct seal_craft *f)
{
	uint8_t prk[GN_SEALED_HASH_LEN], p[GN_SEALED_HEADER_MAX];

	gn_sealed_prk(f->h.salt, f->k, prk, f->h.commitment);
	seal_craft_header_bytes(f, p, gn_sealed_header_encode(&f->h, p));
}

void seal_craft_sign(const struct seal_craft *f, const struct gn_key *by, bool is_last, const void *text, size_t n,
		     uint8_t sig[GN_KEY_SIG_LEN])
{
	uint8_t hp[GN_SEALED_HASH_LEN], msg[GN_SEALED_SIGNED_LEN];

	seal_craft_hash(text, n, hp);
	gn_sealed_signed(f->hh, f->i, is_last, hp, msg);
	gn_key_sign(by, msg, sizeof(msg), sig);
}

void seal_craft_chunk_sig(struct seal_craft *f, const uint8_t sig[GN_KEY_SIG_LEN], bool is_last, const void *text,
			  size_t n)
{
	uint8_t nonce[12], tag[16], *p;
	struct gn_bulk *b = NULL;

	seal_craft_need(gn_bulk_new(true, &b) == 0 && gn_buf_reserve(&f->out, n + 84) == 0);
	p = f->out.p + f->out.len;
	gn_put_u32(p, (is_last ? GN_SEALED_LAST : 0) + (uint32_t)(n + GN_SEALED_CHUNK_OVER));
	gn_sealed_nonce(f->i++, is_last, nonce);
	seal_craft_need(gn_bulk_start(b, f->key, nonce, f->hh, sizeof(f->hh)) == 0);
	seal_craft_need(gn_bulk_put(b, sig, GN_KEY_SIG_LEN, p + 4) == 0 && gn_bulk_put(b, text, n, p + 68) == 0);
	seal_craft_need(gn_bulk_seal(b, tag) == 0);
	memcpy(p + 68 + n, tag, sizeof(tag));
	f->out.len += n + 84;
	gn_bulk_free(b);
}

void seal_craft_chunk(struct seal_craft *f, const struct gn_key *by, bool is_last, const void *text, size_t n)
{
	uint8_t sig[GN_KEY_SIG_LEN];

	seal_craft_sign(f, by, is_last, text, n, sig);
	seal_craft_chunk_sig(f, sig, is_last, text, n);
}

void seal_craft_message_header(struct seal_craft *f, const struct gn_key *by)
{
	uint8_t text[GN_SEALED_MESSAGE_HEADER_MAX];

	seal_craft_chunk(f, by, false, text, gn_sealed_message_header_encode(&f->message_header, text));
}

/* ---- decryption of the parts ---- */

static void seal_parts_open(struct seal_parts *a, struct seal_part *part, const uint8_t *ct, size_t n)
{
	uint8_t nonce[12];
	struct gn_bulk *b = NULL;

	part->n_text = n - GN_SEALED_CHUNK_OVER;
	seal_craft_need(part->n_text <= sizeof(part->text) && gn_bulk_new(false, &b) == 0);
	gn_sealed_nonce(a->n, part->is_last, nonce);
	seal_craft_need(gn_bulk_start(b, a->f.key, nonce, a->f.hh, sizeof(a->f.hh)) == 0);
	seal_craft_need(gn_bulk_put(b, ct, GN_KEY_SIG_LEN, part->sig) == 0);
	seal_craft_need(gn_bulk_put(b, ct + GN_KEY_SIG_LEN, part->n_text, part->text) == 0);
	seal_craft_need(gn_bulk_unseal(b, ct + n - 16) == 0);
	gn_bulk_free(b);
}

void seal_parts_get(struct seal_parts *a, const struct gn_key *own, const uint8_t *p, size_t n)
{
	uint8_t info[GN_SEALED_INFO_LEN];
	struct gn_hpke_pair pair;
	const struct gn_hpke_cfg cfg = {.own = &pair, .info = info, .n_info = sizeof(info)};
	struct gn_hpke_text text = {.n = 48};
	uint64_t len = 0;
	size_t at = (size_t)gn_uvarint_decode(p, n, &len);

	seal_craft_init(&a->f, own);
	seal_craft_need(gn_sealed_header_decode(p + at, (size_t)len, &a->f.h) == 0);
	gn_sealed_info_make(a->f.h.salt, info);
	seal_craft_need(gn_key_x25519(own, pair.sk, pair.pk) == 0);
	text.p = a->f.h.stanzas[0] + GN_HPKE_ENC_LEN;
	seal_craft_need(gn_hpke_unseal_once(&cfg, a->f.h.stanzas[0], &text, a->f.k) == 0);
	seal_craft_header_bytes(&a->f, p + at, (size_t)len);
	at += (size_t)len;
	a->n_front = at;
	for (a->n = 0; at < n; a->n++) {
		struct seal_part *part = &a->part[a->n];
		uint32_t head = gn_get_u32(p + at);

		seal_craft_need(a->n < SEAL_PARTS_MAX);
		part->at = at;
		part->is_last = (head & GN_SEALED_LAST) != 0;
		part->n = 4 + (head & ~GN_SEALED_LAST);
		seal_parts_open(a, part, p + at + 4, part->n - 4);
		at += part->n;
	}
	seal_craft_need(at == n &&
			gn_sealed_message_header_decode(a->part[0].text, a->part[0].n_text, &a->f.message_header) == 0);
}
