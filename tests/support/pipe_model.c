/* SPDX-License-Identifier: MIT */
#include "support/pipe_model.h"

#define PIPE_MODEL_CHECK(what)                                                             \
	do {                                                                               \
		if (!(what)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			return false;                                                      \
		}                                                                          \
	} while (0)

static void pipe_queue_put(struct pipe_queue *q, const void *p, size_t n)
{
	if (q->head + q->len + n > PIPE_MODEL_MAX * 2) {
		memmove(q->buf, q->buf + q->head, q->len);
		q->head = 0;
	}
	memcpy(q->buf + q->head + q->len, p, n);
	q->len += n;
}

static void pipe_queue_skip(struct pipe_queue *q, size_t n)
{
	q->head += n;
	q->len -= n;
}

void pipe_model_init(struct pipe_model *m, struct rng *rng)
{
	static const size_t caps[] = {1, 100, 4096, 70000, 300000, PIPE_MODEL_MAX};

	memset(m, 0, sizeof *m);
	m->rng = rng;
	m->tmp = malloc(2 * PIPE_MODEL_MAX);
	gn_iobuf_init(&m->iobuf);
	for (int i = 0; i < PIPE_MODEL_PIPES; i++) {
		gn_pipe_init(&m->pipe[i], &m->iobuf, i < 2 ? PIPE_MODEL_MAX : caps[rng_below(rng, 6)]);
		m->pipe[i].sends = i >= 4;
		m->q[i].buf = malloc(2 * PIPE_MODEL_MAX + 1);
		if (m->tmp == NULL || m->q[i].buf == NULL)
			abort();
	}
}

void pipe_model_fini(struct pipe_model *m)
{
	for (int i = 0; i < PIPE_MODEL_PIPES; i++) {
		gn_pipe_fini(&m->pipe[i]);
		free(m->q[i].buf);
	}
	gn_iobuf_fini(&m->iobuf);
	free(m->tmp);
}

/* Compares the bytes and the end of pipe i with those of its queue. */
static bool pipe_model_same(struct pipe_model *m, int i, bool whole)
{
	struct gn_pipe *p = &m->pipe[i];
	struct pipe_queue *q = &m->q[i];
	struct iovec v[16];
	size_t at = 0, limit = whole ? q->len + 1 : rng_size(m->rng, q->len + 1);
	int max = whole ? 16 : (int)rng_below(m->rng, 16) + 1, n;

	PIPE_MODEL_CHECK(gn_pipe_len(p) == q->len);
	PIPE_MODEL_CHECK(gn_pipe_room(p) == (q->end != 0 || q->len >= p->cap ? 0 : p->cap - q->len));
	PIPE_MODEL_CHECK(gn_pipe_end(p) == (q->len > 0 ? 0 : q->end));
	PIPE_MODEL_CHECK(gn_pipe_is_closed(p) == (q->end != 0));
	n = gn_pipe_peek(p, v, max, limit);
	PIPE_MODEL_CHECK(n >= 0 && n <= max);
	for (int k = 0; k < n; k++) {
		PIPE_MODEL_CHECK(v[k].iov_len > 0 && at + v[k].iov_len <= limit && at + v[k].iov_len <= q->len);
		PIPE_MODEL_CHECK(memcmp(v[k].iov_base, q->buf + q->head + at, v[k].iov_len) == 0);
		at += v[k].iov_len;
	}
	PIPE_MODEL_CHECK(at == limit || at == q->len || n == max);
	gn_pipe_copy(p, m->tmp, q->len);
	PIPE_MODEL_CHECK(memcmp(m->tmp, q->buf + q->head, q->len) == 0);
	return true;
}

static bool pipe_model_write(struct pipe_model *m, int i, int how)
{
	struct gn_pipe *p = &m->pipe[i];
	struct pipe_queue *q = &m->q[i];
	size_t room = gn_pipe_room(p), n = rng_size(m->rng, how == 2 ? GN_BLOCK_MAX : 300000), k;
	uint8_t *at;
	ptrdiff_t r;

	rng_fill(m->rng, m->tmp, n);
	switch (how) {
	case 0:
		r = gn_pipe_put(p, m->tmp, n);
		PIPE_MODEL_CHECK(r == (q->end != 0 ? q->end : n > room ? GN_EAGAIN : 0));
		if (r == 0)
			pipe_queue_put(q, m->tmp, n);
		return true;
	case 1:
		r = gn_pipe_write(p, m->tmp, n);
		PIPE_MODEL_CHECK(r == (q->end != 0 ? q->end
				       : room == 0 ? GN_EAGAIN
						   : (ptrdiff_t)(n < room ? n : room)));
		if (r > 0)
			pipe_queue_put(q, m->tmp, (size_t)r);
		return true;
	default:
		at = gn_pipe_reserve(p, n);
		PIPE_MODEL_CHECK(at == NULL || (n <= room && q->end == 0));
		PIPE_MODEL_CHECK(at != NULL || q->end != 0 || n > room || (p->sends && gn_pipe_len(p) > 0));
		if (at == NULL)
			return true;
		k = rng_one_in(m->rng, 4) ? rng_size(m->rng, n) : n;
		memcpy(at, m->tmp, k);
		gn_pipe_commit(p, k);
		pipe_queue_put(q, m->tmp, k);
		return true;
	}
}

static bool pipe_model_read_in(struct pipe_model *m, int i)
{
	struct gn_pipe *p = &m->pipe[i];
	size_t room, n;
	uint8_t *at;

	if (m->q[i].end != 0)
		return true;
	at = gn_iobuf_fill(&m->iobuf, p, &room);
	PIPE_MODEL_CHECK((at == NULL) == (m->q[i].len > GN_IOBUF_REST));
	if (at == NULL)
		return true;
	PIPE_MODEL_CHECK((uintptr_t)at % 64 == 0 && room == GN_IOBUF_RX);
	n = rng_size(m->rng, room);
	rng_fill(m->rng, at, n);
	pipe_queue_put(&m->q[i], at, n);
	gn_iobuf_filled(&m->iobuf, p, n);
	return true;
}

static bool pipe_model_whole(struct pipe_model *m, int i)
{
	struct pipe_queue *q = &m->q[i];
	size_t n = rng_size(m->rng, PIPE_MODEL_WHOLE);
	uint8_t *out = NULL;
	int r = gn_pipe_whole(&m->pipe[i], n, &out);

	if (n > q->len) {
		PIPE_MODEL_CHECK(r == (q->end == 0 ? GN_EAGAIN : q->len > 0 && q->end == GN_EOF ? GN_ETRUNC : q->end));
		return true;
	}
	PIPE_MODEL_CHECK(r == 0);
	PIPE_MODEL_CHECK(n == 0 || memcmp(out, q->buf + q->head, n) == 0);
	if (n > 0) { /* changes a byte, as a record that is decrypted in place does */
		out[n - 1] ^= 0x5a;
		q->buf[q->head + n - 1] ^= 0x5a;
	}
	return true;
}

static bool pipe_model_move(struct pipe_model *m, int to, int from)
{
	size_t n = rng_size(m->rng, m->q[from].len);

	if (to == from || to >= 4 || from >= 4 || m->q[to].len + n > PIPE_MODEL_MAX || m->q[to].end != 0)
		return true;
	PIPE_MODEL_CHECK(gn_pipe_move(&m->pipe[to], &m->pipe[from], n) == 0);
	pipe_queue_put(&m->q[to], m->q[from].buf + m->q[from].head, n);
	pipe_queue_skip(&m->q[from], n);
	return true;
}

static bool pipe_model_end(struct pipe_model *m, int i)
{
	struct pipe_queue *q = &m->q[i];

	if (rng_one_in(m->rng, 2)) {
		gn_pipe_close(&m->pipe[i], GN_EOF);
		q->end = q->end != 0 ? q->end : GN_EOF;
	} else {
		gn_pipe_reset(&m->pipe[i], GN_ERESET);
		q->len = 0;
		q->end = q->end == 0 || q->end == GN_EOF ? GN_ERESET : q->end;
	}
	return true;
}

/* Frees pipe i and makes an empty one in its place. */
static void pipe_model_renew(struct pipe_model *m, int i)
{
	size_t cap = m->pipe[i].cap;

	gn_pipe_fini(&m->pipe[i]);
	gn_pipe_init(&m->pipe[i], &m->iobuf, cap);
	m->pipe[i].sends = i >= 4;
	m->q[i].head = m->q[i].len = 0;
	m->q[i].end = 0;
}

bool pipe_model_step(struct pipe_model *m)
{
	struct rng *r = m->rng;
	int i = (int)rng_below(r, PIPE_MODEL_PIPES), j = (int)rng_below(r, PIPE_MODEL_PIPES);
	uint32_t op = rng_below(r, 32);
	bool ok = true;
	size_t n;

	if (op < 9) {
		ok = pipe_model_write(m, i, (int)op % 3);
	} else if (op < 14) {
		ok = pipe_model_read_in(m, i % 2);
	} else if (op < 20) {
		n = rng_one_in(r, 3) ? m->q[i].len : rng_size(r, m->q[i].len);
		gn_pipe_skip(&m->pipe[i], n);
		pipe_queue_skip(&m->q[i], n);
	} else if (op < 24) {
		ok = pipe_model_whole(m, i);
	} else if (op < 28) {
		ok = pipe_model_move(m, i, j);
	} else if (op == 28) {
		ok = gn_pipe_settle(&m->pipe[i]) == 0;
	} else if (op == 29) {
		gn_iobuf_settle(&m->iobuf);
	} else if (op == 30) {
		ok = rng_one_in(r, 4) ? pipe_model_end(m, i) : true;
	} else if (m->q[i].end != 0) {
		pipe_model_renew(m, i);
	}
	ok = ok && pipe_model_same(m, i, false) && pipe_model_same(m, j, true);
	if (rng_one_in(r, 16))
		for (i = 0; i < PIPE_MODEL_PIPES; i++)
			ok = ok && pipe_model_same(m, i, true);
	if (!ok)
		fprintf(stderr, "operation %u, pipes %d and %d\n", (unsigned)op, i, j);
	return ok;
}
