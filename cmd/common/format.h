/* SPDX-License-Identifier: MIT */
/*
 * form: how a sequence of messages looks as bytes; gn-frames(5).
 *
 *	varint     unsigned varint length, body            (the wire's own frames)
 *	line       body '\n'       the last '\n' may be missing at the end of the input
 *	nul        body '\0'       the last '\0' likewise
 *	netstring  length in decimal ':' body ','
 *	raw        body            what one read brings is a message
 *	text       lines           for a terminal: a line with its '\n' is a message; a message is shown through
 *	                           gn_text_filter(), with a '\n' behind it if it has none (batch.c)
 */
#ifndef CMD_COMMON_FORMAT_H
#define CMD_COMMON_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum format { FORMAT_VARINT, FORMAT_LINE, FORMAT_RAW, FORMAT_NUL, FORMAT_NETSTRING, FORMAT_TEXT };

#define FORMAT_EXTRA 24 /* no form adds more bytes than that to a body */

struct format_message {
	const uint8_t *body;
	size_t len;   /* of the body */
	size_t taken; /* bytes of the input that it took in all */
};

/* Finds the message at the beginning of p[0..n).  ended: nothing comes behind.  max: the
 * longest body allowed.  *seen is how far an earlier call looked in vain (0 for a fresh
 * message).  Returns 0; GN_EAGAIN (more is needed); GN_EOF (n is 0 and it ended);
 * GN_ETOOBIG; GN_EFORMAT; GN_ETRUNC. */
int format_decode(enum format format, const uint8_t *p, size_t n, bool ended, size_t max, size_t *seen,
		  struct format_message *out);

/* What stands before and behind a body. */
struct format_wrap {
	uint8_t head[FORMAT_EXTRA], tail[1];
	size_t n_head, n_tail;
};
/* 0, or GN_EFORMAT when the form cannot express this body (a line that has a '\n' inside).  FORMAT_TEXT has no wrap. */
int format_encode(enum format format, const void *body, size_t len, struct format_wrap *out);

#endif
