/* SPDX-License-Identifier: MIT */
#include "open.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/reader.h"
#include "common/diag.h"
#include "common/writer.h"

#define READ_ROOM ((size_t)1 << 20)

/* ---- errors ---- */

/* Whether the bytes, which follow a length, begin as the header of a sealed message: version 1, a salt of
 * 32 bytes. */
static bool is_header(const uint8_t *p, size_t n)
{
	static const uint8_t head[] = {0x08, 0x01, 0x12, 0x20};

	return n >= sizeof head && memcmp(p, head, sizeof head) == 0;
}

/* Whether the bytes begin as a frame with a sealed message: two lengths, and then the header. */
static bool is_frame(const uint8_t *p, size_t n)
{
	for (int i = 0; i < 2; i++) {
		uint64_t len;
		int head = gn_uvarint_decode(p, n, &len);

		if (head <= 0)
			return false;
		p += head;
		n -= (size_t)head;
	}
	return is_header(p, n);
}

static _Noreturn void open_die_of(int err, const char *where)
{
	const char *why;

	switch (err) {
	case -ENOMEM:
		die_memory();
	case GN_ENOTFOR:
		why = "not sealed for this key, or damaged";
		break;
	case GN_EREFUSED:
		why = "its sender is none of those that --from names";
		break;
	case GN_ECONTEXT:
		why = "sealed for another context (--context)";
		break;
	case GN_EFORMAT:
		why = "malformed, or not a sealed message";
		break;
	case GN_ETRUNC:
		why = "its end is missing";
		break;
	case GN_EAUTH:
		why = "damaged or forged";
		break;
	default:
		why = gn_strerror(err);
	}
	die(exit_code(err), "%s: %s", where, why);
}

static _Noreturn void die_of_order(const struct gn_sequence *q, const struct gn_sealed_info *info, const char *where)
{
	if (!info->in_sequence)
		die(EXIT_BADDATA, "%s: is not one of a sequence (--any-order opens it)", where);
	if (q->has_ended)
		die(EXIT_BADDATA, "%s: follows the end of the sequence", where);
	if (info->number == q->next)
		die(EXIT_BADDATA, "%s: is of another sequence", where);
	die(EXIT_BADDATA,
	    "%s: has number %" PRIu64 ", and %" PRIu64 " is due: missing, repeated, out of order, or another's", where,
	    info->number, q->next);
}

/* ---- messages ---- */

struct frames {
	const struct open_cfg *cfg;
	struct gn_unsealer *u;
	struct gn_sequence sequence;
	char where[64]; /* the place of the current message, for error lines */
};

static void put_one(struct frames *f, const struct gn_sealed_info *info, const void *text, size_t len)
{
	if (info->is_end)
		return;
	if (len > f->cfg->max) {
		writer_flush();
		die(EXIT_BADDATA, "%s: longer than %zu bytes (--max-frame)", f->where, f->cfg->max);
	}
	info_put(f->cfg, info);
	if (writer_put(f->cfg->format, text, len) == 0)
		return;
	writer_flush();
	die(EXIT_BADDATA, "%s: holds a line end, which a line cannot (-F varint can)", f->where);
}

static void open_one(struct frames *f, const struct format_message *message)
{
	struct gn_sealed_info info;
	void *text;
	size_t len;
	int err;

	err = gn_unseal_message(f->u, message->body, message->len, &text, &len);
	if (err != 0) {
		writer_flush(); /* the messages before it are written */
		/* Without its own length in front, the header is that of a stream. */
		if (is_header(message->body, message->len))
			die(EXIT_BADDATA, "%s: is not a frame but part of a sealed stream (-F raw opens it)", f->where);
		open_die_of(err, f->where);
	}
	gn_unsealer_info(f->u, &info);
	if (!f->cfg->any_order && gn_sequence_put(&f->sequence, &info)) {
		writer_flush();
		die_of_order(&f->sequence, &info, f->where);
	}
	put_one(f, &info, text, len);
	free(text);
}

void open_frames(struct gn_unsealer *u, const struct open_cfg *cfg)
{
	struct frames f = {.cfg = cfg, .u = u};
	struct format_message message;
	struct reader r;
	int err;

	reader_init(&r, STDIN_FILENO, FORMAT_VARINT, GN_SEALED_MAX(cfg->max));
	r.before_read = writer_flush;
	while ((err = reader_next(&r, &message)) == 0) {
		snprintf(f.where, sizeof f.where, "frame %" PRIu64 ", at byte %" PRIu64, r.count, r.offset);
		open_one(&f, &message);
	}
	writer_flush();
	reader_check(&r, err, "frame");
	reader_fini(&r);
	if (!cfg->any_order && gn_sequence_finish(&f.sequence))
		die(EXIT_BADDATA, "the end of the sequence is missing; other messages may be missing, too");
}

/* ---- a stream ---- */

static void open_on_header(struct gn_unsealer *u, const struct open_cfg *cfg)
{
	struct gn_sealed_info info;

	gn_unsealer_info(u, &info);
	if (info.in_sequence && !cfg->any_order)
		die(EXIT_BADDATA, "the stream: is number %" PRIu64 " of a sequence, no stream (--any-order opens it)",
		    info.number);
	info_put(cfg, &info);
}

/* The first bytes of the input, for the error line about an input that is not a stream. */
struct beginning {
	uint8_t bytes[32];
	size_t n;
};

static void keep_beginning(struct beginning *b, const uint8_t *p, size_t n)
{
	if (n > sizeof b->bytes - b->n)
		n = sizeof b->bytes - b->n;
	memcpy(b->bytes + b->n, p, n);
	b->n += n;
}

static _Noreturn void die_of_stream(int err, const struct beginning *b)
{
	if (is_frame(b->bytes, b->n))
		die(EXIT_BADDATA, "the input is frames with sealed messages, not a stream; open it without -F raw");
	open_die_of(err, "the stream");
}

/* Opens these bytes and writes the data. */
static void open_some(struct gn_unsealer *u, const struct open_cfg *cfg, const struct beginning *b, const void *p,
		      size_t n)
{
	const void *view;
	size_t len;
	int ev;

	while ((ev = gn_unsealer_put(u, &p, &n, &view, &len)) > 0) {
		if (ev == GN_UNSEALED_HEADER)
			open_on_header(u, cfg);
		else if (ev == GN_UNSEALED_DATA)
			writer_write(view, len);
	}
	if (ev != GN_EAGAIN)
		die_of_stream(ev, b);
}

void open_stream(struct gn_unsealer *u, const struct open_cfg *cfg)
{
	static _Alignas(4096) uint8_t buf[READ_ROOM];
	struct beginning b = {.n = 0};
	ptrdiff_t n;
	int err;

	while ((n = reader_read(STDIN_FILENO, buf, READ_ROOM)) > 0) {
		keep_beginning(&b, buf, (size_t)n);
		open_some(u, cfg, &b, buf, (size_t)n);
	}
	if (n < 0)
		die(EXIT_LOCAL, "standard input: %s", gn_strerror((int)n));
	err = gn_unsealer_finish(u);
	if (err != 0)
		die_of_stream(err, &b);
}
