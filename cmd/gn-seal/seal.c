/* SPDX-License-Identifier: MIT */
#include "seal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/reader.h"
#include "common/diag.h"
#include "common/writer.h"

#define FILL_LIMIT (20 * GN_MSEC) /* a slow input makes at most 50 chunks per second, each of which is signed */

static void seal_check(int err)
{
	if (err == -ENOMEM)
		die_memory();
	if (err != 0)
		die(exit_code(err), "sealing: %s", gn_strerror(err));
}

/* ---- messages ---- */

static void seal_one(struct gn_sealer *s, const struct format_message *u)
{
	const void *out;
	void *whole = NULL;
	size_t len;

	if (u->len <= GN_SEALED_CHUNK_MAX) {
		seal_check(gn_sealer_put(s, u->body, u->len, true, &out, &len));
	} else { /* a message of several chunks: the length in front of it is known only when it is sealed */
		seal_check(gn_seal_message(s, u->body, u->len, &whole, &len));
		out = whole;
	}
	writer_put(FORMAT_VARINT, out, len);
	free(whole);
}

/* Whether the input begins as a text or an archive, rather than with the length of a frame. */
static bool is_raw(const uint8_t *p, size_t n)
{
	/* gzip, zip, xz, zstd, programs, PNG, JPEG */
	static const char *const heads[] = {"\x1f\x8b",   "PK\x03\x04", "\xfd\x37zXZ", "\x28\xb5\x2f\xfd",
					    "\x7f\x45LF", "\x89PNG",    "\xff\xd8\xff"};
	size_t text = 0;

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		if (n >= strlen(heads[i]) && memcmp(p, heads[i], strlen(heads[i])) == 0)
			return true;
	while (text < n && text < 4 && ((p[text] >= 0x20 && p[text] < 0x7f) || (p[text] >= '\t' && p[text] <= '\r')))
		text++;
	return text == 4;
}

/* A hint for input that is not in the format of -F; NULL if it may be frames that were cut off. */
static const char *hint_for(enum format format, int err, bool looks_raw)
{
	if (format == FORMAT_LINE)
		return "; -F raw seals any input as one stream";
	if (err == GN_ETRUNC && !looks_raw)
		return NULL;
	return "; if these are no frames: -F raw seals any input as one stream, -F line each line";
}

void seal_frames(struct gn_sealer *s, enum format format, size_t max)
{
	bool looks_raw = true; /* false after a first message that looks like a frame */
	struct format_message u;
	struct reader r;
	const void *out;
	size_t len;
	int err;

	reader_init(&r, STDIN_FILENO, format, max);
	r.before_read = writer_flush;
	while ((err = reader_next(&r, &u)) == 0) {
		if (r.count == 1)
			looks_raw = is_raw(r.bytes + r.at, u.taken); /* includes the frame's length */
		seal_one(s, &u);
	}
	writer_flush(); /* the messages before an error are written */
	r.hint = hint_for(format, err, looks_raw);
	reader_check(&r, err, format == FORMAT_LINE ? "line" : "frame");
	reader_fini(&r);
	seal_check(gn_sealer_end(s, &out, &len));
	writer_put(FORMAT_VARINT, out, len);
	writer_flush();
}

/* ---- a stream ---- */

static gn_time now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (gn_time)t.tv_sec * GN_SEC + t.tv_nsec;
}

/* Waits until `until` at most; returns whether there is something to read. */
static bool seal_wait(gn_time until)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	gn_time left;
	int err;

	do {
		left = until - now();
		err = poll(&p, 1, left > 0 ? (int)(left / GN_MSEC) + 1 : 0);
	} while (err < 0 && errno == EINTR);
	return err != 0; /* after a failure of poll(), read() reports the error */
}

/* Reads the data of a chunk: as much as fits, or as arrives within FILL_LIMIT after its first bytes.  Sets
 * *ended. */
static size_t seal_fill(uint8_t *buf, bool *ended)
{
	gn_time until = 0;
	size_t have = 0;
	ptrdiff_t n;

	while (have < GN_SEALED_CHUNK_MAX && (have == 0 || seal_wait(until))) {
		n = reader_read(STDIN_FILENO, buf + have, GN_SEALED_CHUNK_MAX - have);
		if (n < 0)
			die(EXIT_LOCAL, "standard input: %s", gn_strerror((int)n));
		*ended = n == 0;
		if (n == 0)
			break;
		if (have == 0)
			until = now() + FILL_LIMIT;
		have += (size_t)n;
	}
	return have;
}

void seal_stream(struct gn_sealer *s)
{
	static _Alignas(4096) uint8_t buf[GN_SEALED_CHUNK_MAX];
	bool ended = false;
	const void *out;
	size_t n, len;

	/* The header is sent at once, so that the receiver can check the sender. */
	seal_check(gn_sealer_put(s, NULL, 0, false, &out, &len));
	writer_write(out, len);
	while (!ended) {
		n = seal_fill(buf, &ended);
		seal_check(gn_sealer_put(s, buf, n, ended, &out, &len));
		writer_write(out, len);
	}
}
