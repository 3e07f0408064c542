/* SPDX-License-Identifier: MIT */
/* reader: reads messages from a descriptor with blocking calls.  Memory is bounded by the longest message
 * allowed. */
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
	void (*before_read)(void); /* may be NULL; called before a read that may block, to flush output */
	uint64_t count;            /* messages shown so far */
	uint64_t offset;           /* offset in the input of the message shown, or of the malformed one */
	const char *hint;          /* NULL, or a text that reader_check() appends to a message about the input */
};

void reader_init(struct reader *r, int fd, enum format format, size_t max);
void reader_fini(struct reader *r);
/* Shows the next message, which is valid until the next call.  Returns 0, GN_EOF at the end of the input,
 * an error of format_decode(), or -errno. */
int reader_next(struct reader *r, struct format_message *out);
/* Reads at most n bytes.  Returns their number (> 0), 0 at the end, or -errno.  It waits also if the
 * descriptor is non-blocking. */
ptrdiff_t reader_read(int fd, void *buf, size_t n);
/* Ends the tool with a line that names the message, its offset and the error, unless err is 0 or GN_EOF.
 * what: "frame" or "line".  err: the result of reader_next(). */
void reader_check(const struct reader *r, int err, const char *what);

#endif
