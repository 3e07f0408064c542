/* SPDX-License-Identifier: MIT */
/* Sealed messages.  The first byte chooses what the rest is: bytes for an unsealer; one of the two
 * protobufs, whose encoding is unique; a message header and chunks that are sealed and signed here, so
 * that the fuzzer reaches the code after the checks of stanza, AEAD and signature; or changes to a valid
 * message, all of which must be rejected. */
#include "base/cursor.h"
#include "support/rng.h"
#include "support/seal_craft.h"

#define OUT_MAX ((size_t)1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gn_key *sender, *own;
static struct gn_unsealer *opener;

static void once(void)
{
	static const uint8_t seeds[2][GN_KEY_SEED_LEN] = {{1}, {2}};
	struct gn_unseal_cfg cfg = {.from_any = true};

	if (opener != NULL)
		return;
	seal_craft_need(gn_key_new_seeded(seeds[0], &sender) == 0 && gn_key_new_seeded(seeds[1], &own) == 0);
	cfg.key = own;
	seal_craft_need(gn_unsealer_new(&cfg, &opener) == 0);
}

/* Opens a message in pieces that r chooses, and checks the contract of gn_unsealer_put(). */
static int open_pieces(struct rng *r, const uint8_t *from, size_t size, struct gn_buf *got)
{
	int ev = 0, n_headers = 0, ends = 0;

	gn_unsealer_start(opener);
	for (size_t at = 0; at < size && ev >= 0;) {
		size_t n = 1 + rng_below(r, (uint32_t)(size - at));
		const void *p = from + at, *view = NULL;
		size_t len = 0;

		at += n;
		while ((ev = gn_unsealer_put(opener, &p, &n, &view, &len)) > 0) {
			n_headers += ev == GN_UNSEALED_HEADER;
			ends += ev == GN_UNSEALED_END;
			seal_craft_need(n_headers == 1 && ends <= 1);
			if (ev == GN_UNSEALED_DATA)
				seal_craft_need(ends == 0 && len > 0 && gn_buf_put(got, view, len) == 0);
		}
		if (ev == GN_EAGAIN)
			seal_craft_need(n == 0);
		ev = ev == GN_EAGAIN ? 0 : ev;
	}
	if (ev == 0)
		ev = gn_unsealer_finish(opener);
	seal_craft_need((ev == 0) == (ends == 1 && gn_unsealer_finish(opener) == 0));
	return ev;
}

static void hostile(const uint8_t *p, size_t n)
{
	struct gn_buf got;
	struct rng r;

	rng_seed(&r, n);
	gn_buf_init(&got, OUT_MAX);
	/* Only the owner of the sender's key can make a valid message. */
	seal_craft_need(open_pieces(&r, p, n, &got) < 0 && got.len == 0);
	gn_buf_fini(&got);
}

static void codecs(const uint8_t *p, size_t n)
{
	static struct gn_sealed_message_header message_header;
	static struct gn_sealed_header header;
	uint8_t out[GN_SEALED_HEADER_MAX];

	if (gn_sealed_header_decode(p, n, &header) == 0)
		seal_craft_need(gn_sealed_header_encode(&header, out) == n && memcmp(out, p, n) == 0);
	if (gn_sealed_message_header_decode(p, n, &message_header) == 0)
		seal_craft_need(gn_sealed_message_header_encode(&message_header, out) == n && memcmp(out, p, n) == 0);
}

/* Seals a message that the input describes: a byte with the length of the message header (0: a valid one
 * is made), and the header; then for each chunk a byte that chooses whether it is the last, who signs it
 * and whether it is damaged, and a length. */
static void inside(const uint8_t *p, size_t n)
{
	struct gn_cursor c;
	struct gn_buf got, text;
	struct seal_craft f;
	const uint8_t *view;
	uint8_t what, len;
	bool is_clean = true;
	struct rng r;
	int err;

	rng_seed(&r, n);
	gn_cursor_init(&c, p, n);
	gn_buf_init(&got, OUT_MAX);
	gn_buf_init(&text, OUT_MAX);
	seal_craft_init(&f, sender);
	seal_craft_stanza(&f, own, f.k);
	seal_craft_header(&f);
	if (gn_cursor_get_u8(&c, &len) == 0 && len > 0 && gn_cursor_get_view(&c, len, &view) == 0) {
		seal_craft_chunk(&f, sender, false, view, len);
		is_clean = false;
	} else {
		seal_craft_message_header(&f, sender);
	}
	while (gn_cursor_get_u8(&c, &what) == 0 && gn_cursor_get_u8(&c, &len) == 0 &&
	       gn_cursor_get_view(&c, len, &view) == 0) {
		if (what & 2)
			f.i += what >> 4;
		seal_craft_chunk(&f, what & 4 ? own : sender, what & 1, view, len);
		if (what & 8)
			f.out.p[f.out.len - 1 - len / 2] ^= what;
		is_clean = is_clean && !(what & 12) && !((what & 2) && what >> 4) && (len > 0 || (what & 1));
		if (is_clean)
			seal_craft_need(gn_buf_put(&text, view, len) == 0);
		if (what & 1)
			break;
	}
	err = open_pieces(&r, f.out.p, f.out.len, &got);
	if (is_clean) {
		seal_craft_need(err == 0 || err == GN_ETRUNC);
		seal_craft_need(got.len == text.len && (got.len == 0 || memcmp(got.p, text.p, got.len) == 0));
	}
	seal_craft_fini(&f);
	gn_buf_fini(&got);
	gn_buf_fini(&text);
}

/* Changes a valid message.  Each change takes four bytes: the offset, and what is added to the byte there. */
static void changed(const uint8_t *p, size_t n)
{
	static struct gn_sealer *s;
	static struct gn_sealer_fixed fixed;
	uint8_t *copy;
	const void *out = NULL;
	struct gn_buf got;
	size_t len = 0;
	bool is_same;
	struct rng r;

	if (s == NULL) {
		struct gn_peer_id to;

		gn_key_id(own, &to);
		seal_craft_need(gn_sealer_new(&(struct gn_seal_cfg){.key = sender, .to = &to, .n_to = 1}, &s) == 0);
		gn_sealer_fix(s, &fixed);
	}
	rng_seed(&r, n);
	seal_craft_need(gn_sealer_put(s, "message", 7, true, &out, &len) == 0);
	copy = malloc(len);
	seal_craft_need(copy != NULL);
	memcpy(copy, out, len);
	for (; n >= 3; n -= 3, p += 3)
		copy[gn_get_u16(p) % len] += p[2];
	is_same = memcmp(copy, out, len) == 0;
	gn_buf_init(&got, OUT_MAX);
	seal_craft_need((open_pieces(&r, copy, len, &got) == 0) == is_same);
	gn_buf_fini(&got);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const modes[])(const uint8_t *p, size_t n) = {hostile, codecs, inside, changed};

	once();
	if (size > 0 && size < OUT_MAX / 4)
		modes[data[0] & 3](data + 1, size - 1);
	return 0;
}
