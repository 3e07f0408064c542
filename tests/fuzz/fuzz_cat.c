/* SPDX-License-Identifier: MIT */
/* The chunks of gn-cat.  The first byte chooses the size of the pieces in which the rest is given to the
 * decoder.  The decoder must return the same chunks for any size, and encoding these chunks again must
 * give the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "gn-cat/protocol.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool ok)
{
	if (!ok)
		abort();
}

struct received {
	uint8_t *bytes; /* the bodies, and the kind and number of each control chunk */
	size_t n;
	int err;
};

static void append(struct received *h, const void *p, size_t n)
{
	memcpy(h->bytes + h->n, p, n);
	h->n += n;
}

static void decode(const uint8_t *p, size_t n, size_t step, struct received *h)
{
	struct cat_rx rx = {0};
	bool ended = false, settled = false;

	for (size_t at = 0; at < n && h->err == 0; at += step) {
		const uint8_t *q = p + at;
		size_t left = n - at < step ? n - at : step, took;

		while (left > 0 && h->err == 0) {
			uint64_t number = 0, total = rx.total;
			int r = cat_rx_step(&rx, q, left, &took, &number);

			need(took <= left);
			need(took > 0);
			q += took;
			left -= took;
			if (r < 0) {
				need(r == GN_EPROTO);
				h->err = r;
			} else if (r == CAT_DATA) {
				need(!ended && rx.total == total + took);
				append(h, q - took, took);
			} else if (r > 0) {
				need(r != CAT_END || (!ended && number == rx.total));
				need(r == CAT_END || !settled);
				ended |= r == CAT_END;
				settled |= r != CAT_END;
				append(h, &r, sizeof r);
				append(h, &number, sizeof number);
			} else {
				need(left == 0 || rx.left > 0);
			}
		}
	}
}

/* Encodes each complete chunk of the input again, and checks that the encoding is unchanged. */
static void encode_again(const uint8_t *p, size_t n)
{
	struct cat_rx rx = {0};
	size_t from = 0, at = 0, took;
	uint64_t number;

	while (at < n) {
		struct cat_tx tx = {0};
		struct iovec v[4];
		size_t same = from;
		int r = cat_rx_step(&rx, p + at, rx.left > 0 ? n - at : 1, &took, &number), views;

		at += took;
		if (r < 0)
			return;
		if (r == 0 || rx.left > 0)
			continue;
		if (r == CAT_DATA) {
			uint8_t *body;
			uint64_t len = 0;

			need(gn_uvarint_decode(p + from + 1, at - from - 1, &len) > 0);
			body = malloc((size_t)len);
			need(body != NULL);
			memcpy(body, p + at - len, (size_t)len);
			cat_tx_data(&tx, body, (size_t)len);
			views = cat_tx_peek(&tx, v, 4, SIZE_MAX);
			for (int i = 0; i < views; same += v[i++].iov_len)
				need(memcmp(p + same, v[i].iov_base, v[i].iov_len) == 0);
			free(body);
		} else {
			cat_tx_control(&tx, (enum cat_chunk)r, number);
			need(cat_tx_peek(&tx, v, 4, SIZE_MAX) == 1);
			need(memcmp(p + same, v[0].iov_base, v[0].iov_len) == 0);
			same += v[0].iov_len;
		}
		need(same == at);
		from = at;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct received whole = {0}, pieces = {0};
	size_t room = 12 * size + 12;

	if (size == 0)
		return 0;
	whole.bytes = malloc(room);
	pieces.bytes = malloc(room);
	need(whole.bytes != NULL && pieces.bytes != NULL);
	decode(data + 1, size - 1, size, &whole);
	decode(data + 1, size - 1, 1 + data[0] % 16, &pieces);
	need(whole.err == pieces.err && whole.n == pieces.n && memcmp(whole.bytes, pieces.bytes, whole.n) == 0);
	encode_again(data + 1, size - 1);
	free(whole.bytes);
	free(pieces.bytes);
	return 0;
}
