/* SPDX-License-Identifier: MIT */
#include "format.h"

#include <stdio.h>
#include <string.h>

#include "gn.h"

static int decode_varint(const uint8_t *p, size_t n, bool ended, size_t max, struct format_message *out)
{
	uint64_t len;
	int head;

	head = gn_uvarint_decode(p, n, &len);
	if (head == GN_EAGAIN)
		return ended ? GN_ETRUNC : GN_EAGAIN;
	if (head < 0)
		return head;
	if (len > max)
		return GN_ETOOBIG;
	if (n - (size_t)head < len)
		return ended ? GN_ETRUNC : GN_EAGAIN;
	*out = (struct format_message){p + head, (size_t)len, (size_t)head + (size_t)len};
	return 0;
}

static int decode_ended_by(uint8_t mark, const uint8_t *p, size_t n, bool ended, size_t max, size_t *seen,
			   struct format_message *out)
{
	const uint8_t *at = memchr(p + *seen, mark, n - *seen);
	size_t len = at != NULL ? (size_t)(at - p) : n;

	if (len > max)
		return GN_ETOOBIG;
	*seen = n;
	if (at == NULL && !ended)
		return GN_EAGAIN;
	*out = (struct format_message){p, len, len + (at != NULL)};
	return 0;
}

/* The length has no leading zeros (D. J. Bernstein, Netstrings). */
static int decode_netstring(const uint8_t *p, size_t n, bool ended, size_t max, struct format_message *out)
{
	size_t len = 0, i;

	for (i = 0; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
		if (i == 1 && p[0] == '0')
			return GN_EFORMAT;
		if (len > (SIZE_MAX - 9) / 10)
			return GN_ETOOBIG;
		len = len * 10 + (size_t)(p[i] - '0');
	}
	if (len > max)
		return GN_ETOOBIG;
	if (i == n)
		return ended ? GN_ETRUNC : GN_EAGAIN;
	if (!i || p[i] != ':')
		return GN_EFORMAT;
	i++;
	if (n - i < len + 1)
		return ended ? GN_ETRUNC : GN_EAGAIN;
	if (p[i + len] != ',')
		return GN_EFORMAT;
	*out = (struct format_message){p + i, len, i + len + 1};
	return 0;
}

int format_decode(enum format format, const uint8_t *p, size_t n, bool ended, size_t max, size_t *seen,
		  struct format_message *out)
{
	int err;

	if (n == 0)
		return ended ? GN_EOF : GN_EAGAIN;
	switch (format) {
	case FORMAT_VARINT:
		return decode_varint(p, n, ended, max, out);
	case FORMAT_NETSTRING:
		return decode_netstring(p, n, ended, max, out);
	case FORMAT_LINE:
	case FORMAT_NUL:
		err = decode_ended_by(format == FORMAT_LINE ? '\n' : '\0', p, n, ended, max, seen, out);
		break;
	case FORMAT_TEXT:
		err = decode_ended_by('\n', p, n, ended, max, seen, out);
		if (err == 0 && out->taken > max)
			return GN_ETOOBIG;
		out->len = err != 0 ? 0 : out->taken; /* the line end is a part of the message */
		break;
	case FORMAT_RAW:
	default:
		n = n < max ? n : max;
		*out = (struct format_message){p, n, n};
		return 0;
	}
	if (err == 0)
		*seen = 0;
	return err;
}

int format_encode(enum format format, const void *body, size_t len, struct format_wrap *out)
{
	*out = (struct format_wrap){0};
	switch (format) {
	case FORMAT_VARINT:
		out->n_head = gn_uvarint_encode(len, out->head);
		break;
	case FORMAT_NETSTRING:
		out->n_head = (size_t)snprintf((char *)out->head, sizeof out->head, "%zu:", len);
		out->tail[0] = ',';
		out->n_tail = 1;
		break;
	case FORMAT_LINE:
	case FORMAT_NUL:
		out->tail[0] = format == FORMAT_LINE ? '\n' : '\0';
		out->n_tail = 1;
		if (len != 0 && memchr(body, out->tail[0], len) != NULL)
			return GN_EFORMAT;
		break;
	case FORMAT_RAW:
	case FORMAT_TEXT:
		break;
	}
	return 0;
}
