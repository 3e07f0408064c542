/* SPDX-License-Identifier: MIT */
#include "protocols/identify_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/pb_alloc.h"
#include "id/peer_id.h"
#include "identify.pb-c.h"

#define VERSION "ipfs/0.1.0"

/* ---- reading ---- */

void gn_identify_reader_init(struct gn_identify_reader *r)
{
	gn_frame_init(&r->frame, GN_IDENTIFY_MESSAGE_MAX);
	gn_buf_init(&r->body, (size_t)GN_IDENTIFY_MESSAGES_MAX * GN_IDENTIFY_MESSAGE_MAX);
	r->messages = 0;
}

void gn_identify_reader_fini(struct gn_identify_reader *r)
{
	gn_buf_fini(&r->body);
}

int gn_identify_reader_put(struct gn_identify_reader *r, const void *p, size_t n)
{
	struct gn_cursor in;
	const uint8_t *view;
	size_t len;
	int ev, err = 0;

	gn_cursor_init(&in, p, n);
	while (err == 0 && (ev = gn_frame_advance(&r->frame, &in, &view, &len)) != GN_EAGAIN) {
		if (ev < 0)
			err = ev;
		else if (ev == GN_FRAME_BEGIN)
			err = r->messages++ < GN_IDENTIFY_MESSAGES_MAX ? 0 : GN_ELIMIT;
		else if (ev == GN_FRAME_BODY)
			err = gn_buf_put(&r->body, view, len);
	}
	return err;
}

int gn_identify_reader_finish(const struct gn_identify_reader *r)
{
	return r->messages == 0 ? GN_ETRUNC : gn_frame_finish(&r->frame);
}

/* ---- decoding ---- */

/* A message without a key is accepted, because the handshake has authenticated the peer. */
static int view_check_key(const Gn__Pb__Identify *m, const struct gn_peer_id *peer)
{
	struct gn_pubkey key;
	struct gn_peer_id id;

	if (!m->has_public_key)
		return 0;
	if (gn_pubkey_decode(m->public_key.data, m->public_key.len, &key) != 0)
		return GN_EPEERID;
	gn_peer_id_from_public(&key, &id);
	return gn_peer_id_is_equal(&id, peer) ? 0 : GN_EPEERID;
}

/* Decodes an address without the peer's id at its end.  GN_ENONAME: it is to be left out. */
static int view_addr_get(const ProtobufCBinaryData *from, const struct gn_peer_id *peer, struct gn_multiaddr **out)
{
	struct gn_multiaddr *a;
	struct gn_peer_id id;
	int err = gn_multiaddr_decode(from->data, from->len, &a);

	if (err != 0)
		return err == -ENOMEM ? err : GN_ENONAME;
	if (gn_multiaddr_peer(a, &id) == 0 && !gn_peer_id_is_equal(&id, peer))
		err = GN_ENONAME;
	else
		err = gn_multiaddr_without_peer(a, out);
	gn_multiaddr_free(a);
	return err;
}

static int view_addrs_get(struct gn_identify_view *v, const Gn__Pb__Identify *m, const struct gn_peer_id *peer)
{
	size_t n = m->n_listen_addrs < GN_IDENTIFY_ADDRS_MAX ? m->n_listen_addrs : GN_IDENTIFY_ADDRS_MAX;
	int err;

	v->addrs = calloc(n + 1, sizeof(struct gn_multiaddr *));
	if (v->addrs == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		err = view_addr_get(&m->listen_addrs[i], peer, &v->addrs[v->n_addrs]);
		if (err == 0)
			v->n_addrs++;
		else if (err != GN_ENONAME)
			return err;
	}
	v->info.listen = (const struct gn_multiaddr *const *)v->addrs;
	v->info.n_listen = v->n_addrs;
	if (m->has_observed_addr && m->observed_addr.len > 0) {
		err = gn_multiaddr_decode(m->observed_addr.data, m->observed_addr.len, &v->observed);
		if (err == -ENOMEM)
			return err;
		v->info.observed = v->observed;
	}
	return 0;
}

/* Opens a signed peer record, and uses its addresses if the message has none itself. */
static void view_record_get(struct gn_identify_view *v, const Gn__Pb__Identify *m, const struct gn_peer_id *peer)
{
	if (!m->has_signed_peer_record ||
	    gn_peer_record_open(m->signed_peer_record.data, m->signed_peer_record.len, peer, &v->record) != 0)
		return;
	v->envelope = m->signed_peer_record.data;
	v->n_envelope = m->signed_peer_record.len;
	v->info.signed_record = true;
	if (v->info.n_listen == 0) {
		v->info.listen = (const struct gn_multiaddr *const *)v->record.addrs;
		v->info.n_listen = v->record.n_addrs;
	}
}

static int view_fill(struct gn_identify_view *v, Gn__Pb__Identify *m, const struct gn_peer_id *peer)
{
	struct gn_identify_info *info = &v->info;
	int err = view_check_key(m, peer);

	if (err != 0)
		return err;
	info->peer = *peer;
	info->agent = m->agent_version != NULL ? m->agent_version : "";
	info->protocol_version = m->protocol_version != NULL ? m->protocol_version : "";
	info->protocols = (const char *const *)m->protocols;
	info->n_protocols = m->n_protocols < GN_IDENTIFY_PROTOCOLS_MAX ? m->n_protocols : GN_IDENTIFY_PROTOCOLS_MAX;
	for (size_t i = 0; i < info->n_protocols; i++)
		v->takes_push |= strcmp(info->protocols[i], GN_IDENTIFY_PUSH_ID) == 0;
	err = view_addrs_get(v, m, peer);
	if (err == 0)
		view_record_get(v, m, peer);
	return err;
}

int gn_identify_view_init(struct gn_identify_view *v, const uint8_t *p, size_t n, const struct gn_peer_id *peer)
{
	struct gn_pb_alloc *pb = malloc(sizeof *pb);
	int err;

	memset(v, 0, sizeof *v);
	if (pb == NULL)
		return -ENOMEM;
	v->alloc = pb;
	v->message = gn__pb__identify__unpack(gn_pb_alloc_init(pb, GN_PB_BUDGET(n)), n, p);
	err = v->message == NULL ? gn_pb_alloc_error(pb) : view_fill(v, v->message, peer);
	if (err == 0 && v->message == NULL)
		err = GN_EFORMAT; /* never, but clang's analyzer does not know that the allocator has an error */
	if (err != 0)
		gn_identify_view_fini(v);
	return err;
}

void gn_identify_view_fini(struct gn_identify_view *v)
{
	struct gn_pb_alloc *pb = v->alloc;

	for (size_t i = 0; i < v->n_addrs; i++)
		gn_multiaddr_free(v->addrs[i]);
	free(v->addrs);
	if (v->envelope != NULL)
		gn_peer_record_fini(&v->record);
	gn_multiaddr_free(v->observed);
	if (v->message != NULL)
		gn__pb__identify__free_unpacked(v->message, &pb->ops);
	free(pb);
	memset(v, 0, sizeof *v);
}

/* ---- encoding fields ---- */

enum identify_field { LISTEN = 2, PROTOCOL = 3, OBSERVED = 4, PROTOCOL_VERSION = 5, AGENT = 6, KEY = 1, RECORD = 8 };

static int identify_field_put(struct gn_buf *b, enum identify_field f, const void *p, size_t n)
{
	int err = gn_buf_put_u8(b, (uint8_t)((unsigned)f << 3 | 2));

	return err != 0 ? err : gn_buf_put_prefixed(b, p, n);
}

/* Appends a whole field or nothing. */
static int identify_field_try(struct gn_buf *b, enum identify_field f, const void *p, size_t n)
{
	size_t len = b->len;
	int err = identify_field_put(b, f, p, n);

	if (err != 0)
		b->len = len;
	return err;
}

static int identify_text_try(struct gn_buf *b, enum identify_field f, const char *text, size_t max)
{
	size_t n = strlen(text);

	return n > 0 ? identify_field_try(b, f, text, n < max ? n : max) : 0;
}

static int identify_addr_try(struct gn_buf *b, enum identify_field f, const struct gn_multiaddr *a)
{
	size_t n;
	const uint8_t *p = gn_multiaddr_bytes(a, &n);

	return identify_field_try(b, f, p, n);
}

/* ---- keeping ---- */

/* Appends the small fields first, and the addresses, which may be many, last. */
static int known_put(struct gn_buf *b, const struct gn_identify_view *now, const struct gn_identify_view *old,
		     bool *whole)
{
	const struct gn_identify_info *info = &now->info, *was = &old->info;
	const struct gn_identify_info *protocols = info->n_protocols > 0 ? info : was;
	const struct gn_identify_info *listen = info->n_listen > 0 ? info : was;
	const struct gn_multiaddr *observed = info->observed != NULL ? info->observed : was->observed;
	const char *agent = info->agent[0] != '\0' || was->agent == NULL ? info->agent : was->agent;
	const char *version = info->protocol_version[0] != '\0' || was->protocol_version == NULL
				      ? info->protocol_version
				      : was->protocol_version;
	int err = identify_text_try(b, AGENT, agent, GN_IDENTIFY_AGENT_MAX);

	if (err == 0)
		err = identify_text_try(b, PROTOCOL_VERSION, version, GN_IDENTIFY_AGENT_MAX);
	if (strlen(agent) > GN_IDENTIFY_AGENT_MAX || strlen(version) > GN_IDENTIFY_AGENT_MAX)
		*whole = false;
	if (err == 0 && observed != NULL)
		err = identify_addr_try(b, OBSERVED, observed);
	for (size_t i = 0; i < protocols->n_protocols && err == 0; i++)
		err = identify_field_try(b, PROTOCOL, protocols->protocols[i], strlen(protocols->protocols[i]));
	for (size_t i = 0; i < listen->n_listen && err == 0; i++)
		err = identify_addr_try(b, LISTEN, listen->listen[i]);
	if (err == GN_ETOOBIG) {
		*whole = false;
		err = 0;
	}
	return err;
}

int gn_identify_known_make(const struct gn_identify_view *now, const struct gn_identify_known *old,
			   struct gn_identify_known **out)
{
	struct gn_identify_view was;
	struct gn_identify_known *k = NULL;
	struct gn_buf b;
	bool whole = true;
	int err = 0;

	memset(&was, 0, sizeof was);
	gn_buf_init(&b, GN_IDENTIFY_KNOWN_MAX);
	if (old != NULL)
		err = gn_identify_view_init(&was, old->body, old->len, &now->info.peer);
	if (err == 0)
		err = known_put(&b, now, &was, &whole);
	if (err == 0) {
		k = malloc(sizeof *k + b.len);
		err = k != NULL ? 0 : -ENOMEM;
	}
	if (err == 0) {
		k->len = (uint16_t)b.len;
		k->is_whole = whole && (old == NULL || old->is_whole);
		k->signed_record = now->info.signed_record || (old != NULL && old->signed_record);
		k->takes_push = now->info.n_protocols > 0 || old == NULL ? now->takes_push : old->takes_push;
		if (b.len > 0)
			memcpy(k->body, b.p, b.len);
		*out = k;
	}
	gn_buf_fini(&b);
	gn_identify_view_fini(&was);
	return err;
}

/* ---- writing ---- */

enum {
	RECORD_HEAD = 256, /* bytes of an envelope without its addresses, about */
	RECORD_ADDR = 12,  /* overhead of an address in the message and the envelope */
	ADDRS_ROOM = 512,  /* bytes that are reserved for addresses */
};

/* How many of the addresses fit into `left` bytes; each is sent twice. */
static size_t own_count_addrs(struct gn_multiaddr *const *addrs, size_t n, size_t left)
{
	size_t len, i;

	for (i = 0; i < n && i < GN_PEER_RECORD_ADDRS_MAX; i++) {
		gn_multiaddr_bytes(addrs[i], &len);
		len = 2 * len + RECORD_ADDR;
		if (len > left)
			break;
		left -= len;
	}
	return i;
}

/* All fields but addresses and record. */
static int own_head(const struct gn_identify_own *own, struct gn_buf *b)
{
	size_t n_key;
	const uint8_t *key = gn_key_public(own->key, &n_key);
	const char *id;
	int err = identify_field_put(b, KEY, key, n_key);

	if (err == 0)
		err = identify_text_try(b, PROTOCOL_VERSION, VERSION, GN_IDENTIFY_AGENT_MAX);
	if (err == 0)
		err = identify_text_try(b, AGENT, own->agent, GN_IDENTIFY_AGENT_MAX);
	if (err == 0 && own->observed != NULL)
		err = identify_addr_try(b, OBSERVED, own->observed);
	for (size_t i = 0; err == 0 && (id = own->protocol(own->arg, i)) != NULL; i++)
		err = identify_text_try(b, PROTOCOL, id, SIZE_MAX);
	return err == GN_ETOOBIG ? 0 : err;
}

static int own_put(const struct gn_identify_own *own, struct gn_multiaddr *const *addrs, size_t n, struct gn_buf *out)
{
	struct gn_buf head, record;
	int err;

	gn_buf_init(&head, GN_IDENTIFY_OWN_MAX - RECORD_HEAD - ADDRS_ROOM);
	gn_buf_init(&record, GN_IDENTIFY_OWN_MAX);
	err = own_head(own, &head);
	head.max += ADDRS_ROOM;
	if (err == 0)
		n = own_count_addrs(addrs, n, head.max - head.len);
	for (size_t i = 0; i < n && err == 0; i++)
		err = identify_addr_try(&head, LISTEN, addrs[i]);
	if (err == 0)
		err = gn_peer_record_seal(own->key, own->seq, (const struct gn_multiaddr *const *)addrs, n, &record);
	if (err == 0 && head.len + record.len + 4 > GN_IDENTIFY_SPLIT) {
		err = gn_buf_put_prefixed(out, head.p, head.len);
		head.len = 0;
	}
	head.max = GN_IDENTIFY_OWN_MAX;
	if (err == 0)
		err = identify_field_put(&head, RECORD, record.p, record.len);
	if (err == 0)
		err = gn_buf_put_prefixed(out, head.p, head.len);
	gn_buf_fini(&head);
	gn_buf_fini(&record);
	return err;
}

int gn_identify_own_encode(const struct gn_identify_own *own, struct gn_buf *out)
{
	struct gn_multiaddr **addrs = calloc(own->n_listen + 1, sizeof(struct gn_multiaddr *));
	size_t n = 0;
	int err = addrs != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; i < own->n_listen && err == 0; i++) {
		err = gn_multiaddr_without_peer(own->listen[i], &addrs[n]);
		if (err == 0)
			n++;
		else if (err == GN_ENONAME) /* /p2p/ID alone is no address */
			err = 0;
	}
	if (err == 0)
		err = own_put(own, addrs, n, out);
	for (size_t i = 0; i < n; i++)
		gn_multiaddr_free(addrs[i]);
	free(addrs);
	return err;
}
