/* SPDX-License-Identifier: MIT */
#include "support/noise_peer.h"

void noise_peer_init(struct noise_peer *p, bool initiator, uint8_t seed)
{
	uint8_t bytes[32];

	memset(p, 0, sizeof *p);
	memset(bytes, seed, sizeof bytes);
	REQUIRE(gn_key_new_seeded(bytes, &p->key) == 0);
	bytes[0] ^= 0x11;
	REQUIRE(gn_noise_init_fixed(&p->hs, initiator, bytes, bytes, "", 0) == 0);
	bytes[0] ^= 0x22;
	memcpy(p->hs.e, bytes, 32); /* the ephemeral key differs from the static key */
	crypto_scalarmult_base(p->hs.e_pub, p->hs.e);
}

void noise_peer_fini(struct noise_peer *p)
{
	gn_key_free(p->key);
	gn_noise_fini(&p->hs);
}

size_t noise_peer_put_field(uint8_t *at, uint8_t field, const void *p, size_t n)
{
	size_t head = 1;

	at[0] = (uint8_t)(field << 3 | 2);
	head += gn_uvarint_encode(n, at + 1);
	memcpy(at + head, p, n);
	return head + n;
}

size_t noise_peer_payload(struct noise_peer *p, const char *const *muxers, size_t n, uint8_t *out)
{
	uint8_t text[24 + 32], sig[GN_KEY_SIG_LEN], ext[2048];
	size_t len = 0, n_ext = 0, n_pub;
	const uint8_t *pub = gn_key_public(p->key, &n_pub);

	memcpy(text, "noise-libp2p-static-key:", 24);
	memcpy(text + 24, p->hs.s_pub, 32);
	gn_key_sign(p->key, text, sizeof text, sig);
	len += noise_peer_put_field(out + len, 1, pub, n_pub);
	len += noise_peer_put_field(out + len, 2, sig, sizeof sig);
	for (size_t i = 0; i < n; i++)
		n_ext += noise_peer_put_field(ext + n_ext, 2, muxers[i], strlen(muxers[i]));
	if (muxers != NULL)
		len += noise_peer_put_field(out + len, 4, ext, n_ext);
	return len;
}

size_t noise_peer_write(struct noise_peer *p, int number, const void *payload, size_t n, uint8_t *out)
{
	size_t len = n + (number == 1 ? GN_NOISE_MSG1 : number == 2 ? GN_NOISE_MSG2 : GN_NOISE_MSG3);

	REQUIRE(gn_noise_write(&p->hs, number, payload, n, out + 2) == 0);
	gn_put_u16(out, (uint16_t)len);
	if (number == 3)
		gn_noise_split(&p->hs, p->send, p->receive);
	return 2 + len;
}

void noise_peer_read(struct noise_peer *p, int number, struct wire *w)
{
	uint8_t msg[65535], *payload;
	size_t len;

	REQUIRE(w->len >= 2);
	len = gn_get_u16(w->p + w->at);
	REQUIRE(w->len >= 2 + len);
	memcpy(msg, w->p + w->at + 2, len);
	wire_skip(w, 2 + len);
	REQUIRE(gn_noise_read(&p->hs, number, msg, len, &payload, &p->n_payload) == 0);
	REQUIRE(p->n_payload <= sizeof p->payload);
	memcpy(p->payload, payload, p->n_payload);
	if (number == 3)
		gn_noise_split(&p->hs, p->send, p->receive);
}

static void noise_peer_nonce(uint64_t n, uint8_t nonce[12])
{
	memset(nonce, 0, 12);
	for (int i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(n >> 8 * i);
}

size_t noise_peer_seal(struct noise_peer *p, const void *plain, size_t n, uint8_t *out)
{
	uint8_t nonce[12];

	noise_peer_nonce(p->n_send++, nonce);
	gn_put_u16(out, (uint16_t)(n + 16));
	crypto_aead_chacha20poly1305_ietf_encrypt(out + 2, NULL, plain, n, NULL, 0, NULL, nonce, p->send);
	return 2 + n + 16;
}

void noise_peer_unseal(struct noise_peer *p, struct wire *w, struct wire *out)
{
	static uint8_t plain[65536];

	while (w->len >= 2) {
		const uint8_t *at = w->p + w->at;
		size_t len = gn_get_u16(at);
		uint8_t nonce[12];

		REQUIRE(len >= 16);
		if (w->len < 2 + len)
			return;
		noise_peer_nonce(p->n_receive++, nonce);
		REQUIRE(crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, at + 2, len, NULL, 0, nonce,
								  p->receive) == 0);
		wire_put(out, plain, len - 16);
		wire_skip(w, 2 + len);
	}
}
