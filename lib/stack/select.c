/* SPDX-License-Identifier: MIT */
#include "stack/select.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"

static const char header[] = "/multistream/1.0.0";

enum state {
	WAIT_HEADER,   /* initiator and responder: the peer's header */
	WAIT_ANSWER,   /* initiator: the proposal repeated, or na */
	WAIT_PROPOSAL, /* responder: an id, or ls */
	CHOSEN,
};

struct select {
	struct gn_select_cfg cfg;
	enum state state;
	int chosen;
	size_t proposals; /* sent, or received */
};

/* A message: uvarint length, the text, a newline. */
static int message_put(struct gn_buf *b, const char *text, size_t len)
{
	int err = gn_buf_put_uvarint(b, len + 1);

	if (err == 0)
		err = gn_buf_put(b, text, len);
	return err == 0 ? gn_buf_put_u8(b, '\n') : err;
}

/* Sends one or two texts (b may be NULL), all or nothing. */
static int send_texts(struct gn_layer *l, const char *a, const char *b)
{
	struct gn_buf buf;
	int err;

	gn_buf_init(&buf, 2 * (GN_SELECT_ID_MAX + 4));
	err = message_put(&buf, a, strlen(a));
	if (err == 0 && b != NULL)
		err = message_put(&buf, b, strlen(b));
	if (err == 0)
		err = gn_pipe_put(l->tx, buf.p, buf.len);
	gn_buf_fini(&buf);
	return err;
}

/* Shows the next whole message: its text without the newline, and the bytes that it occupies in rx. */
static int select_message_peek(struct gn_layer *l, const char **text, size_t *len, size_t *takes)
{
	uint8_t *p;
	uint64_t n;
	int head, err = gn_pipe_whole(l->rx, 1, &p);

	if (err != 0)
		return err == GN_EOF ? GN_ETRUNC : err;
	if (p[0] & 0x80 && (err = gn_pipe_whole(l->rx, 2, &p)) != 0)
		return err;
	head = gn_uvarint_decode(p, p[0] & 0x80 ? 2 : 1, &n);
	if (head < 0) /* GN_EAGAIN: a length of three bytes or more, which is too large */
		return head == GN_EAGAIN ? GN_ETOOBIG : head;
	if (n > GN_SELECT_ID_MAX + 1)
		return GN_ETOOBIG;
	if (n == 0)
		return GN_EFORMAT;
	err = gn_pipe_whole(l->rx, (size_t)head + (size_t)n, &p);
	if (err != 0)
		return err;
	if (p[(size_t)head + (size_t)n - 1] != '\n')
		return GN_EFORMAT;
	*text = (const char *)p + head;
	*len = (size_t)n - 1;
	*takes = (size_t)head + (size_t)n;
	return 0;
}

static bool select_is_text(const char *text, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(text, want, len) == 0;
}

/* Answers `ls` by one message: for each id a message of its own, then a newline. */
static int answer_ls(struct gn_layer *l)
{
	struct select *s = l->state;
	struct gn_buf list, whole;
	const char *id;
	int err = 0;

	gn_buf_init(&list, 64 * 1024);
	gn_buf_init(&whole, 64 * 1024 + 16);
	for (size_t i = 0; err == 0 && s->cfg.show != NULL && (id = s->cfg.show(s->cfg.arg, i)) != NULL; i++)
		err = message_put(&list, id, strlen(id));
	if (err == 0)
		err = gn_buf_put_u8(&list, '\n');
	if (err == 0)
		err = gn_buf_put_prefixed(&whole, list.p, list.len);
	if (err == 0)
		err = gn_pipe_put(l->tx, whole.p, whole.len);
	gn_buf_fini(&list);
	gn_buf_fini(&whole);
	return err;
}

/* Responder: an id or ls was received. */
static int answer(struct gn_layer *l, const char *text, size_t len)
{
	struct select *s = l->state;
	char id[GN_SELECT_ID_MAX + 1];
	int found, err;

	if (select_is_text(text, len, "ls"))
		return answer_ls(l);
	if (memchr(text, '\0', len) != NULL)
		return GN_EFORMAT;
	memcpy(id, text, len);
	id[len] = '\0';
	found = s->cfg.find(s->cfg.arg, id, len);
	err = send_texts(l, found >= 0 ? id : "na", NULL);
	if (err == 0 && found >= 0) {
		s->chosen = found;
		s->state = CHOSEN;
	}
	return err;
}

/* Initiator: the answer to our proposal was received. */
static int select_answered(struct gn_layer *l, const char *text, size_t len)
{
	struct select *s = l->state;
	int err;

	if (select_is_text(text, len, s->cfg.ids[s->proposals - 1])) {
		s->chosen = (int)s->proposals - 1;
		s->state = CHOSEN;
		return 0;
	}
	if (!select_is_text(text, len, "na"))
		return GN_EPROTO;
	if (s->proposals == s->cfg.n)
		return GN_ENOPROTO;
	err = send_texts(l, s->cfg.ids[s->proposals], NULL);
	if (err == 0)
		s->proposals++;
	return err;
}

static int select_init(struct gn_layer *l, const void *cfg)
{
	struct select *s = l->state;

	s->cfg = *(const struct gn_select_cfg *)cfg;
	s->chosen = GN_ENOPROTO;
	if (!s->cfg.initiator)
		return 0;
	if (s->cfg.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < s->cfg.n; i++)
		if (strlen(s->cfg.ids[i]) > GN_SELECT_ID_MAX)
			return -EINVAL;
	s->proposals = 1;
	return send_texts(l, header, s->cfg.ids[0]);
}

static int select_advance(struct gn_layer *l, gn_time now)
{
	struct select *s = l->state;
	const char *text = NULL;
	size_t len = 0, takes = 0;
	int err;

	(void)now;
	if (s->state == CHOSEN)
		return GN_DONE;
	err = select_message_peek(l, &text, &len, &takes);
	if (err != 0)
		return err;
	switch (s->state) {
	case WAIT_HEADER: /* 19 /multistream/1.0.0\n, from both sides */
		if (!select_is_text(text, len, header))
			return GN_EPROTO;
		err = s->cfg.initiator ? 0 : send_texts(l, header, NULL);
		if (err == 0)
			s->state = s->cfg.initiator ? WAIT_ANSWER : WAIT_PROPOSAL;
		break;
	case WAIT_ANSWER: /* the id repeated, or na */
		err = select_answered(l, text, len);
		break;
	case WAIT_PROPOSAL: /* an id, or ls */
		if (s->proposals == GN_SELECT_PROPOSALS_MAX)
			return GN_ELIMIT;
		err = answer(l, text, len);
		if (err == 0)
			s->proposals++;
		break;
	case CHOSEN:
		break;
	}
	if (err == 0)
		gn_pipe_skip(l->rx, takes);
	return err != 0 ? err : s->state == CHOSEN ? GN_DONE : 0;
}

int gn_select_chosen(const struct gn_layer *l)
{
	return ((const struct select *)l->state)->chosen;
}

const struct gn_layer_ops gn_select_ops = {
	.name = "/multistream/1.0.0",
	.size = sizeof(struct select),
	.init = select_init,
	.advance = select_advance,
};
