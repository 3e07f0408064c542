/* SPDX-License-Identifier: MIT */
#include "protocol.h"

/* Handles a complete head.  Returns 0 for DATA, the type of a control chunk, or GN_EPROTO if it is out of
 * order. */
static int cat_rx_take_head(struct cat_rx *rx, uint64_t number)
{
	switch (rx->head[0]) {
	case CAT_DATA:
		if (number < 1 || number > CAT_CHUNK_MAX || rx->is_ended)
			return GN_EPROTO;
		rx->left = number;
		return 0;
	case CAT_END:
		if (rx->is_ended || number != rx->total)
			return GN_EPROTO;
		rx->is_ended = true;
		return CAT_END;
	case CAT_WRITTEN:
	case CAT_FAIL:
		if (rx->has_verdict)
			return GN_EPROTO;
		rx->has_verdict = true;
		return rx->head[0];
	default:
		return GN_EPROTO;
	}
}

/* Takes one byte of a head.  Returns 0 when the head is incomplete or a body follows, else as
 * cat_rx_step(). */
static int cat_rx_head_step(struct cat_rx *rx, uint8_t byte, uint64_t *number)
{
	uint64_t value;
	int r;

	rx->head[rx->n_head++] = byte;
	if (rx->n_head == 1)
		return byte >= CAT_DATA && byte <= CAT_FAIL ? 0 : GN_EPROTO;
	r = gn_uvarint_decode(rx->head + 1, rx->n_head - 1u, &value);
	if (r == GN_EAGAIN)
		return rx->n_head < CAT_HEAD_MAX ? 0 : GN_EPROTO;
	if (r < 0)
		return GN_EPROTO;
	rx->n_head = 0;
	r = cat_rx_take_head(rx, value);
	if (r > 0)
		*number = value;
	return r;
}

int cat_rx_step(struct cat_rx *rx, const uint8_t *p, size_t n, size_t *took, uint64_t *number)
{
	size_t at = 0;
	int err = 0;

	while (at < n && rx->left == 0 && !rx->raw && err == 0)
		err = cat_rx_head_step(rx, p[at++], number);
	*took = at;
	if (err != 0 || at > 0 || n == 0)
		return err;
	*took = !rx->raw && rx->left < n ? (size_t)rx->left : n;
	if (!rx->raw)
		rx->left -= *took;
	rx->total += *took;
	return CAT_DATA;
}

bool cat_tx_is_empty(const struct cat_tx *tx)
{
	return tx->head_at == tx->n_head && tx->left == 0 && tx->control_at == tx->n_control;
}

static uint8_t cat_tx_put_head(uint8_t *at, enum cat_chunk chunk, uint64_t number)
{
	at[0] = (uint8_t)chunk;
	return (uint8_t)(1 + gn_uvarint_encode(number, at + 1));
}

void cat_tx_data(struct cat_tx *tx, uint8_t *body, size_t n)
{
	tx->head_at = 0;
	tx->n_head = tx->raw ? 0 : cat_tx_put_head(tx->head, CAT_DATA, n);
	tx->body = body;
	tx->left = n;
	tx->total += n;
}

void cat_tx_control(struct cat_tx *tx, enum cat_chunk chunk, uint64_t number)
{
	if (tx->control_at == tx->n_control)
		tx->control_at = tx->n_control = 0;
	if (sizeof tx->control - tx->n_control >= CAT_HEAD_MAX)
		tx->n_control = (uint8_t)(tx->n_control + cat_tx_put_head(tx->control + tx->n_control, chunk, number));
}

/* The byte ranges that are to be sent, in order. */
enum { PARTS = 3 };

static void parts(struct cat_tx *tx, struct iovec out[PARTS])
{
	out[0] = (struct iovec){tx->head + tx->head_at, (size_t)(tx->n_head - tx->head_at)};
	out[1] = (struct iovec){tx->body, tx->left};
	out[2] = (struct iovec){tx->control + tx->control_at, (size_t)(tx->n_control - tx->control_at)};
}

int cat_tx_peek(struct cat_tx *tx, struct iovec *v, int max, size_t limit)
{
	struct iovec part[PARTS];
	int n = 0;

	parts(tx, part);
	for (int i = 0; i < PARTS && n < max && limit; i++) {
		if (!part[i].iov_len)
			continue;
		v[n].iov_base = part[i].iov_base;
		v[n].iov_len = part[i].iov_len < limit ? part[i].iov_len : limit;
		limit -= v[n++].iov_len;
	}
	return n;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

void cat_tx_skip(struct cat_tx *tx, size_t n)
{
	struct iovec part[PARTS];
	size_t k[PARTS];

	parts(tx, part);
	for (int i = 0; i < PARTS; i++) {
		k[i] = least(part[i].iov_len, n);
		n -= k[i];
	}
	tx->head_at = (uint8_t)(tx->head_at + k[0]);
	tx->body += k[1];
	tx->left -= k[1];
	tx->gone += k[1];
	tx->control_at = (uint8_t)(tx->control_at + k[2]);
}
