/* SPDX-License-Identifier: MIT */
/* reader: messages out of a descriptor, one after the other, blocking.  Memory is
 * bounded by the longest message allowed. */
#ifndef CMD_COMMON_READER_H
#define CMD_COMMON_READER_H

#include "format.h"

struct reader {
	int fd;
	enum format format; /* FORMAT_RAW: blocks of `max` bytes, the last may be shorter */
	size_t max;
	uint8_t *bytes;
	size_t at, len, cap, seen, taken;
	bool ended;
	void (*before_read)(void); /* may be NULL; lets what is held out before it may wait */
	uint64_t count;            /* messages shown so far */
	uint64_t offset;           /* of the message shown, or of the bad one */
	const char *hint;          /* NULL, or what reader_check() says behind what is wrong with the input */
};

void reader_init(struct reader *r, int fd, enum format format, size_t max);
void reader_fini(struct reader *r);
/* The next message, good until the next call.  0, GN_EOF at the end, an error of
 * format_decode(), or -errno. */
int reader_next(struct reader *r, struct format_message *out);
/* What read() says of at most n bytes: > 0, 0 at the end, or -errno; waits where the descriptor
 * is a non-blocking one. */
ptrdiff_t reader_read(int fd, void *buf, size_t n);
/* Dies with the code and a line that names the message, its place and what is wrong.
 * what: "frame", "line".  err: what reader_next() returned; GN_EOF is fine and returns. */
void reader_check(const struct reader *r, int err, const char *what);

#endif
