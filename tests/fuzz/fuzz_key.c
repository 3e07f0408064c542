/* SPDX-License-Identifier: MIT */
/* Public and private key protobufs, and signatures: a length byte, the key, then a signature
 * of "message".  protobuf-c must decode what the strict decoder accepts to the same fields. */
#include <stdlib.h>
#include <string.h>

#include "base/pb_alloc.h"
#include "id/key.h"
#include "id/peer_id.h"
#include "keys.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void public_check(const uint8_t *p, size_t n, const uint8_t *sig, size_t n_sig)
{
	Gn__Pb__PublicKey *m;
	struct gn_pb_alloc pb;
	struct gn_pubkey pub;
	struct gn_peer_id id;

	m = gn__pb__public_key__unpack(gn_pb_alloc_init(&pb, GN_PB_BUDGET(n)), n, p);
	if (gn_pubkey_decode(p, n, &pub) == 0) {
		need(m != NULL && (int)m->type == (int)pub.type && m->data.len == pub.len);
		need(memcmp(m->data.data, pub.data, pub.len) == 0);
		gn_peer_id_from_public(&pub, &id);
		need(id.len > 0);
		(void)gn_pubkey_verify(&pub, "message", 7, sig, n_sig);
	}
	if (m != NULL)
		gn__pb__public_key__free_unpacked(m, &pb.ops);
}

static void private_check(const uint8_t *p, size_t n)
{
	uint8_t out[GN_KEY_PRIVATE_LEN];
	struct gn_key *key;

	if (gn_key_decode(p, n, &key) < 0)
		return;
	gn_key_encode(key, out);
	need(n == sizeof(out) ? memcmp(p, out, n) == 0 : n == sizeof(out) + 32);
	gn_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n;

	if (size < 2)
		return 0;
	n = (size_t)data[0] << 8 | data[1];
	data += 2;
	size -= 2;
	if (n > size)
		n = size;
	public_check(data, n, data + n, size - n);
	private_check(data, n);
	return 0;
}
