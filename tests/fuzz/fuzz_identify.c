/* SPDX-License-Identifier: MIT */
/* Identify's messages.  The first byte is the size of the pieces that the rest arrives in. */
#include <stdlib.h>
#include <string.h>

#include "id/key.h"
#include "protocols/identify_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

/* Stores a message, which is a change of `old` unless that is NULL. */
static int known_make(const uint8_t *body, size_t len, const struct gn_peer_id *self,
		      const struct gn_identify_known *old, struct gn_identify_known **out)
{
	struct gn_identify_view v;
	int err = gn_identify_view_init(&v, body, len, self);

	if (err != 0)
		return err;
	err = gn_identify_known_make(&v, old, out);
	gn_identify_view_fini(&v);
	return err;
}

static void known_check(const struct gn_identify_known *k, const struct gn_peer_id *self)
{
	struct gn_identify_known *again;
	struct gn_identify_view v;

	need(k->len <= GN_IDENTIFY_KNOWN_MAX);
	need(gn_identify_view_init(&v, k->body, k->len, self) == 0);
	need(v.info.n_listen <= GN_IDENTIFY_ADDRS_MAX && v.info.n_protocols <= GN_IDENTIFY_PROTOCOLS_MAX);
	gn_identify_view_fini(&v);
	/* Decoding the stored message again must give the same result. */
	need(known_make(k->body, k->len, self, NULL, &again) == 0);
	need(again->len == k->len && memcmp(again->body, k->body, k->len) == 0);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[GN_KEY_SEED_LEN] = {1};
	struct gn_identify_known *k = NULL, *pushed = NULL;
	struct gn_identify_reader r;
	struct gn_peer_id self;
	struct gn_key *key;
	size_t piece;
	int err = 0;

	if (size == 0 || gn_key_new_seeded(seed, &key) != 0)
		return 0;
	gn_key_id(key, &self);
	gn_key_free(key);
	piece = data[0] + 1u;
	gn_identify_reader_init(&r);
	for (size_t at = 1; at < size && err == 0; at += piece)
		err = gn_identify_reader_put(&r, data + at, size - at < piece ? size - at : piece);
	need(r.body.len <= (size_t)GN_IDENTIFY_MESSAGE_MAX * GN_IDENTIFY_MESSAGES_MAX);
	if (err == 0 && gn_identify_reader_finish(&r) == 0 && known_make(r.body.p, r.body.len, &self, NULL, &k) == 0) {
		known_check(k, &self);
		need(known_make(r.body.p, r.body.len, &self, k, &pushed) == 0);
		known_check(pushed, &self);
	}
	free(k);
	free(pushed);
	gn_identify_reader_fini(&r);
	return 0;
}
