/* SPDX-License-Identifier: MIT */
/*
 * The security layer /noise (libp2p specs noise/README.md): a handshake, then records.
 *
 *     handshake message:  u16 length | Noise message
 *     record:             u16 length | ciphertext, at most 65519 bytes | tag, 16
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/pb_alloc.h"
#include "id/key.h"
#include "id/peer_id.h"
#include "noise_payload.pb-c.h"
#include "security/noise_cipher.h"
#include "security/noise_handshake.h"
#include "security/secure.h"
#include "stack/stack.h"

enum {
	RECORD_MAX = 65535,                        /* bytes of ciphertext with its tag */
	RECORD_HEAD = 2,                           /* bytes of its length */
	RECORD_EXTRA = RECORD_HEAD + GN_NOISE_TAG, /* bytes that a record adds to the plaintext: length and tag */
	BODY_MAX = RECORD_MAX - GN_NOISE_TAG,      /* bytes of plaintext in a record */
	MESSAGE_MAX = 8 * 1024,                    /* bytes of a received handshake message; 2.3 KB with RSA 8192 */
	PAYLOAD_MAX = 2 * 1024,                    /* bytes of the payload that we send */
	BATCH = 8,                                 /* records per advance() and direction */
	VIEWS = 64,                                /* pieces that a record is sealed from */
	PIECES = 16,                               /* pieces that a record is opened from; more are copied into one */
	FIRST_RECORDS = 16,    /* records at the start of a connection that are short, see body_max() */
	FIRST_BODY_MAX = 4096, /* bytes of plaintext in these */
	SMALL_BODY = 2048,     /* bytes of plaintext whose record fits the smallest block of a pipe */
};

static const char signed_prefix[] = "noise-libp2p-static-key:";

enum state {
	WAIT_1, /* responder: -> e */
	WAIT_2, /* initiator: <- e, ee, s, es, payload */
	WAIT_3, /* responder: -> s, se, payload */
	OPEN,   /* records, both ways */
};

/* What only the handshake needs; freed when it is done. */
struct setup {
	struct gn_noise hs;
	struct gn_secure_cfg cfg;
};

struct noise {
	enum state state;
	uint16_t body_max; /* bytes of plaintext in a record that we send */
	struct setup *setup;
	struct gn_secure_info info;
	struct gn_noise_cipher *cipher; /* the node's */
	struct gn_noise_key out, in;
};

/* ---- the payload ---- */

/* Makes our payload: the identity key, its signature of our static key, and the ids of our muxers.  0, or
 * GN_ETOOBIG when it is longer than PAYLOAD_MAX. */
static int payload_make(const struct setup *st, uint8_t *out, size_t *len)
{
	Gn__Pb__NoisePayload pb = GN__PB__NOISE_PAYLOAD__INIT;
	Gn__Pb__NoiseExtensions ext = GN__PB__NOISE_EXTENSIONS__INIT;
	uint8_t text[sizeof signed_prefix - 1 + GN_NOISE_KEY], sig[GN_KEY_SIG_LEN];
	char *muxers[8];
	size_t n;

	memcpy(text, signed_prefix, sizeof signed_prefix - 1);
	memcpy(text + sizeof signed_prefix - 1, st->hs.s_pub, GN_NOISE_KEY);
	gn_key_sign(st->cfg.key, text, sizeof text, sig);
	pb.has_identity_key = pb.has_identity_sig = 1;
	pb.identity_key.data = (uint8_t *)(uintptr_t)gn_key_public(st->cfg.key, &n);
	pb.identity_key.len = n;
	pb.identity_sig.data = sig;
	pb.identity_sig.len = sizeof sig;
	for (n = 0; n < 8 && st->cfg.muxers != NULL && st->cfg.muxers[n] != NULL; n++)
		muxers[n] = (char *)(uintptr_t)st->cfg.muxers[n];
	ext.stream_muxers = muxers;
	ext.n_stream_muxers = n;
	pb.extensions = n > 0 ? &ext : NULL;
	if (gn__pb__noise_payload__get_packed_size(&pb) > PAYLOAD_MAX)
		return GN_ETOOBIG;
	*len = gn__pb__noise_payload__pack(&pb, out);
	return 0;
}

/* The early negotiation of a muxer: the first of the initiator's that the responder has, too, as an index
 * in our list;  -1 when there is none. */
static int muxer_choose(const struct gn_secure_cfg *cfg, const Gn__Pb__NoiseExtensions *ext)
{
	size_t theirs = ext != NULL ? ext->n_stream_muxers : 0, best = theirs;
	int chosen = -1;

	for (int i = 0; cfg->muxers != NULL && cfg->muxers[i] != NULL; i++) {
		for (size_t j = 0; j < theirs; j++) {
			if (strcmp(cfg->muxers[i], ext->stream_muxers[j]) != 0)
				continue;
			if (cfg->initiator)
				return i;
			if (j < best) {
				best = j;
				chosen = i;
			}
		}
	}
	return chosen;
}

/* Checks the peer's payload and fills in info.  0, GN_EAUTH, GN_EPEERID, or an error of the decoders. */
static int payload_check(struct noise *n, const uint8_t *p, size_t len)
{
	struct setup *st = n->setup;
	struct gn_pb_alloc pb;
	struct gn_pubkey key;
	struct gn_peer_id peer = {0};
	uint8_t text[sizeof signed_prefix - 1 + GN_NOISE_KEY];
	Gn__Pb__NoisePayload *m = gn__pb__noise_payload__unpack(gn_pb_alloc_init(&pb, 4 * MESSAGE_MAX), len, p);
	int err = GN_EAUTH;

	if (m == NULL)
		return gn_pb_alloc_error(&pb);
	if (m->has_identity_key && m->has_identity_sig) {
		memcpy(text, signed_prefix, sizeof signed_prefix - 1);
		memcpy(text + sizeof signed_prefix - 1, st->hs.rs, GN_NOISE_KEY);
		err = gn_pubkey_decode(m->identity_key.data, m->identity_key.len, &key);
		if (err == 0)
			gn_peer_id_from_public(&key, &peer);
		/* This is checked before the signature, which can be expensive to verify. */
		if (err == 0 && st->cfg.expect.len > 0 && !gn_peer_id_is_equal(&peer, &st->cfg.expect))
			err = GN_EPEERID;
		if (err == 0)
			err = gn_pubkey_verify(&key, text, sizeof text, m->identity_sig.data, m->identity_sig.len);
	}
	if (err == 0) {
		n->info.peer = peer;
		n->info.muxer = muxer_choose(&st->cfg, m->extensions);
	}
	gn__pb__noise_payload__free_unpacked(m, &pb.ops);
	return err;
}

/* ---- the handshake ---- */

static int message_send(struct gn_layer *l, int number)
{
	struct noise *n = l->state;
	uint8_t payload[PAYLOAD_MAX], out[2 + GN_NOISE_MSG2 + PAYLOAD_MAX];
	size_t len = 0, fixed = number == 1 ? GN_NOISE_MSG1 : number == 2 ? GN_NOISE_MSG2 : GN_NOISE_MSG3;
	int err = number == 1 ? 0 : payload_make(n->setup, payload, &len);

	if (err == 0)
		err = gn_noise_write(&n->setup->hs, number, payload, len, out + 2);
	if (err != 0)
		return err;
	gn_put_u16(out, (uint16_t)(fixed + len));
	return gn_pipe_put(l->tx, out, 2 + fixed + len);
}

/* Shows the next whole handshake message without its length. */
static int noise_message_peek(struct gn_layer *l, uint8_t **p, size_t *len)
{
	int err = gn_pipe_whole(l->rx, 2, p);

	if (err == 0) {
		*len = gn_get_u16(*p);
		if (*len > MESSAGE_MAX)
			return GN_ETOOBIG;
		err = gn_pipe_whole(l->rx, 2 + *len, p);
	}
	if (err == 0)
		*p += 2;
	return err == GN_EOF || err == GN_ETRUNC ? GN_EGONE : err;
}

static void setup_free(struct noise *n)
{
	if (n->setup != NULL)
		gn_noise_fini(&n->setup->hs);
	free(n->setup);
	n->setup = NULL;
}

static int handshake_done(struct noise *n)
{
	gn_noise_split(&n->setup->hs, n->out.key, n->in.key);
	setup_free(n);
	n->state = OPEN;
	return GN_READY;
}

static int handshake(struct gn_layer *l)
{
	struct noise *n = l->state;
	struct gn_noise *hs = &n->setup->hs;
	uint8_t *msg, *payload;
	size_t len = 0, n_payload;
	int err = noise_message_peek(l, &msg, &len);

	if (err != 0)
		return err;
	/* The answer must fit before the message is consumed, so that the step is done as a whole or not at
	 * all. */
	if (n->state != WAIT_3 && gn_pipe_is_closed(l->tx))
		return GN_EGONE;
	if (n->state != WAIT_3 && gn_pipe_room(l->tx) < 2 + GN_NOISE_MSG2 + PAYLOAD_MAX)
		return GN_EAGAIN;
	switch (n->state) {
	case WAIT_1:
		gn_noise_init(hs, false);
		err = gn_noise_read(hs, 1, msg, len, &payload, &n_payload);
		if (err == 0)
			err = message_send(l, 2);
		n->state = WAIT_3;
		break;
	case WAIT_2:
		err = gn_noise_read(hs, 2, msg, len, &payload, &n_payload);
		if (err == 0)
			err = payload_check(n, payload, n_payload);
		if (err == 0)
			err = message_send(l, 3);
		if (err == 0)
			err = handshake_done(n);
		break;
	case WAIT_3:
		err = gn_noise_read(hs, 3, msg, len, &payload, &n_payload);
		if (err == 0)
			err = payload_check(n, payload, n_payload);
		if (err == 0)
			err = handshake_done(n);
		break;
	case OPEN:
		break;
	}
	gn_pipe_skip(l->rx, 2 + len);
	return err;
}

/* ---- records ---- */

/* Takes the tag from behind the first len bytes of n views, which then cover these bytes only. */
static void record_take_tag(struct iovec *v, int n, size_t len, uint8_t *tag)
{
	for (int i = 0; i < n; i++) {
		size_t body = v[i].iov_len < len ? v[i].iov_len : len, rest = v[i].iov_len - body;

		memcpy(tag, (uint8_t *)v[i].iov_base + body, rest);
		tag += rest;
		v[i].iov_len = body;
		len -= body;
	}
}

/* Opens the record with len bytes of plaintext that n views show, and moves it up.  0 or an error. */
static int open_record(struct gn_layer *l, struct iovec *v, int n, size_t len)
{
	struct noise *noise = l->state;
	uint8_t tag[GN_NOISE_TAG];
	int err;

	v[0].iov_base =
		(uint8_t *)v[0].iov_base + RECORD_HEAD; /* open_records() has seen to it that it is in one piece */
	v[0].iov_len -= RECORD_HEAD;
	record_take_tag(v, n, len, tag);
	err = gn_noise_cipher_unseal(noise->cipher, &noise->in, v, n, tag);
	if (err != 0)
		return err;
	gn_pipe_skip(l->rx, RECORD_HEAD);
	err = gn_pipe_move(l->up_rx, l->rx, len);
	if (err == 0)
		gn_pipe_skip(l->rx, GN_NOISE_TAG);
	return err;
}

/* Opens whole records in place.  A connection over a stream finds a record in several pieces when the peer, or a relay,
 * has sent it in several frames.  0 when something moved, GN_EAGAIN, or an error. */
static int open_records(struct gn_layer *l)
{
	int moved = GN_EAGAIN;

	if (l->up_rx->end == -ENOMEM) /* the I/O buffers have reset it */
		return -ENOMEM;
	for (int i = 0; i < BATCH && !gn_pipe_is_closed(l->up_rx); i++) {
		struct iovec v[PIECES];
		uint8_t *p;
		size_t len = 0;
		int r = gn_pipe_whole(l->rx, RECORD_HEAD, &p);

		if (r >= 0) {
			len = gn_get_u16(p);
			if (len < GN_NOISE_TAG)
				return GN_EPROTO;
			len -= GN_NOISE_TAG;
			if (gn_pipe_room(l->up_rx) < len)
				return moved;
			r = gn_pipe_pieces(l->rx, RECORD_EXTRA + len, v, PIECES);
		}
		if (r == GN_EAGAIN)
			return moved;
		moved = 0;
		if (r < 0) {
			if (r == -ENOMEM)
				return r;
			gn_pipe_close(l->up_rx, r);
			break;
		}
		r = open_record(l, v, r, len);
		if (r != 0)
			return r;
	}
	return moved;
}

/* The most plaintext for the next record.  The peer can use no byte of a record before it has received all
 * of it, and on a path of 4 KB/s a full record takes 16 s.  The first records are therefore short: they
 * carry the negotiation of protocols and identify, for which a peer waits only for a limited time, and
 * which would otherwise be held up by data in the same record. */
static size_t body_max(const struct gn_layer *l)
{
	const struct noise *n = l->state;
	size_t most = n->out.n < FIRST_RECORDS && n->body_max > FIRST_BODY_MAX ? FIRST_BODY_MAX : n->body_max;
	size_t room = l->tx->cap - RECORD_EXTRA;

	return room < most ? room : most;
}

/* Shows what the next record is made of, at most `limit` bytes, and reserves its place.  Returns the number of views, 0 when
 * there is nothing to send or no place; *len is the number of bytes in them. */
static int record_plan(struct gn_layer *l, struct iovec *v, size_t limit, size_t *len, uint8_t **out)
{
	int views = gn_pipe_peek(l->up_tx, v, VIEWS, limit);

	*len = 0;
	for (int i = 0; i < views; i++)
		*len += v[i].iov_len;
	*out = *len > 0 ? gn_pipe_reserve(l->tx, RECORD_EXTRA + *len) : NULL;
	return views;
}

/* Seals what the layer above shows, in records as long as possible.  0 when something moved, GN_EAGAIN, or an
 * error. */
static int seal_records(struct gn_layer *l)
{
	struct noise *n = l->state;
	int moved = GN_EAGAIN;

	for (int i = 0; i < BATCH; i++) {
		struct iovec v[VIEWS];
		size_t len;
		uint8_t *out;
		int err, views = record_plan(l, v, body_max(l), &len, &out);

		if (len == 0) {
			if (gn_pipe_end(l->up_tx) != 0 && !gn_pipe_is_closed(l->tx)) {
				gn_pipe_close(l->tx, GN_EOF);
				moved = 0;
			}
			break;
		}
		/* The pipe of a stream has a scope, which may have no room for a large block while the pipe is empty,
		 * and then nothing would ask again.  The first small block is free of charge. */
		if (out == NULL && len > SMALL_BODY && gn_pipe_len(l->tx) == 0)
			views = record_plan(l, v, SMALL_BODY, &len, &out);
		if (out == NULL)
			break;
		gn_put_u16(out, (uint16_t)(len + GN_NOISE_TAG));
		err = gn_noise_cipher_seal(n->cipher, &n->out, v, views, out + RECORD_HEAD);
		if (err != 0)
			return err;
		gn_pipe_commit(l->tx, RECORD_EXTRA + len);
		gn_pipe_skip(l->up_tx, len);
		moved = 0;
	}
	return moved;
}

static int noise_advance(struct gn_layer *l, gn_time now)
{
	struct noise *n = l->state;
	int in, out;

	(void)now;
	if (n->state != OPEN)
		return handshake(l);
	in = open_records(l);
	if (in != 0 && in != GN_EAGAIN)
		return in;
	out = seal_records(l);
	return out == GN_EAGAIN ? in : out;
}

static int noise_init(struct gn_layer *l, const void *cfg)
{
	struct noise *n = l->state;
	size_t record_max = ((const struct gn_secure_cfg *)cfg)->record_max;
	int err = 0;

	if (record_max == 0 || record_max > BODY_MAX + RECORD_EXTRA)
		record_max = BODY_MAX + RECORD_EXTRA;
	if (record_max <= RECORD_EXTRA)
		return -EINVAL;
	n->body_max = (uint16_t)(record_max - RECORD_EXTRA);
	n->setup = calloc(1, sizeof *n->setup);
	if (n->setup == NULL)
		return -ENOMEM;
	n->setup->cfg = *(const struct gn_secure_cfg *)cfg;
	n->cipher = n->setup->cfg.state;
	n->info.muxer = -1;
	/* A responder makes no keys before it has received a message. */
	if (!n->setup->cfg.initiator) {
		n->state = WAIT_1;
		return 0;
	}
	n->state = WAIT_2;
	gn_noise_init(&n->setup->hs, true);
	err = message_send(l, 1);
	if (err != 0)
		setup_free(n);
	return err;
}

static void noise_fini(struct gn_layer *l)
{
	struct noise *n = l->state;

	setup_free(n);
	gn_noise_cipher_forget(n->cipher, &n->out);
	gn_noise_cipher_forget(n->cipher, &n->in);
}

static const struct gn_secure_info *noise_info(const struct gn_layer *l)
{
	return &((const struct noise *)l->state)->info;
}

static int noise_start(struct gn_node *node, const void *config, void **state)
{
	struct gn_noise_cipher *c;

	(void)node;
	if (config != NULL)
		return -EINVAL;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return -ENOMEM;
	*state = c;
	return 0;
}

static void noise_stop(void *state)
{
	gn_noise_cipher_fini(state);
	free(state);
}

static void noise_prepare(void *state)
{
	(void)gn_noise_cipher_open(state);
}

static const struct gn_layer_ops noise_ops = {
	.name = "/noise",
	.size = sizeof(struct noise),
	.up_cap = 640 * 1024, /* what one read of the socket may bring, and one record more */
	.init = noise_init,
	.advance = noise_advance,
	.fini = noise_fini,
};

const struct gn_security_ops gn_security_noise = {
	.id = "/noise",
	.start = noise_start,
	.stop = noise_stop,
	.layer = &noise_ops,
	.info = noise_info,
	.prepare = noise_prepare,
};
