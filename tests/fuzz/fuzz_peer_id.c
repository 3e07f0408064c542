/* SPDX-License-Identifier: MIT */
/* Peer ids, CIDs, multihashes and the text bases.  The first byte chooses one of them. */
#include <stdlib.h>
#include <string.h>

#include "addr/cid.h"
#include "base/base.h"
#include "id/peer_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void id_check(const struct gn_peer_id *id)
{
	char text[GN_PEER_ID_TEXT_MAX];
	struct gn_peer_id same;
	struct gn_pubkey pub;

	need(gn_peer_id_parse(gn_peer_id_format(id, text), &same) == 0);
	need(memcmp(id, &same, sizeof(same)) == 0);
	if (gn_peer_id_public(id, &pub) == 0) {
		gn_peer_id_from_public(&pub, &same);
		need(memcmp(id, &same, sizeof(same)) == 0);
	}
}

static void cid_check(const struct gn_cid *cid)
{
	static const char bases[] = "bkzfu";
	char text[GN_CID_TEXT_MAX];
	struct gn_cid same;

	for (size_t i = 0; i < sizeof(bases) - 1; i++) {
		need(gn_cid_format(cid, bases[i], text) != NULL);
		need(gn_cid_parse(text, &same) == 0);
		need(same.len == cid->len && memcmp(same.multihash, cid->multihash, cid->len) == 0);
	}
}

static void bases_check(const char *text, size_t n)
{
	uint8_t *out = malloc(n + 1);
	size_t len;

	need(out != NULL);
	if (gn_multibase_decode(text, n, out, n, &len) == 0)
		need(len <= n);
	(void)gn_multibase_decode(text, n, out, n / 3, &len);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gn_peer_id id;
	struct gn_multihash h;
	struct gn_cid cid;
	char *text;

	if (size == 0 || size > 1000)
		return 0;
	if (gn_peer_id_decode(data + 1, size - 1, &id) == 0)
		id_check(&id);
	if (gn_cid_decode(data + 1, size - 1, &cid) == 0)
		cid_check(&cid);
	if (gn_multihash_decode(data + 1, size - 1, &h) == 0)
		need(h.digest + h.len == data + size);
	text = malloc(size);
	need(text != NULL);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	bases_check(text, size - 1);
	if (gn_peer_id_parse(text, &id) == 0)
		id_check(&id);
	if (gn_cid_parse(text, &cid) == 0)
		cid_check(&cid);
	free(text);
	return 0;
}
