/* SPDX-License-Identifier: MIT */
/*
 * format: how a sequence of messages is represented as bytes; gn-frames(5).
 *
 *	varint     unsigned varint length, body            (the frames of the wire)
 *	line       body '\n'       the last '\n' may be missing at the end of the input
 *	nul        body '\0'       the last '\0' may be missing likewise
 *	netstring  length in decimal ':' body ','
 *	raw        body            the result of each read is a message
 *	text       lines           for a terminal: input is cut into lines that include their '\n'; a message is shown
 *	                           through gn_text_filter(), and a '\n' is added if it has none (batch.c)
 */
#ifndef CMD_COMMON_FORMAT_H
#define CMD_COMMON_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum format { FORMAT_VARINT, FORMAT_LINE, FORMAT_RAW, FORMAT_NUL, FORMAT_NETSTRING, FORMAT_TEXT };

#define FORMAT_EXTRA 24 /* no format adds more bytes to a body */

struct format_message {
	const uint8_t *body;
	size_t len;   /* of the body */
	size_t taken; /* bytes of the input that the message occupies in all */
};

/* Finds the message at the beginning of p[0..n).  ended: the input ends after these bytes.  max: the
 * longest body allowed.  *seen: bytes that an earlier call has searched in vain for a delimiter, 0 for a
 * new message.  Returns 0; GN_EAGAIN (more bytes are needed); GN_EOF (n is 0 and the input has ended);
 * GN_ETOOBIG; GN_EFORMAT; GN_ETRUNC. */
int format_decode(enum format format, const uint8_t *p, size_t n, bool ended, size_t max, size_t *seen,
		  struct format_message *out);

/* The bytes in front of a body and after it. */
struct format_wrap {
	uint8_t head[FORMAT_EXTRA], tail[1];
	size_t n_head, n_tail;
};
/* Returns 0, or GN_EFORMAT when the format cannot express this body (a line that contains a
 * '\n').  FORMAT_TEXT adds nothing. */
int format_encode(enum format format, const void *body, size_t len, struct format_wrap *out);

#endif
