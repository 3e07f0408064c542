/* SPDX-License-Identifier: MIT */
#include "form.h"

#include <stdio.h>
#include <string.h>

#include "gn.h"

static int decode_varint(const uint8_t *p, size_t n, bool ended, size_t max, struct form_unit *out)
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
	*out = (struct form_unit){p + head, (size_t)len, (size_t)head + (size_t)len};
	return 0;
}

static int decode_ended_by(uint8_t mark, const uint8_t *p, size_t n, bool ended, size_t max, size_t *seen,
			   struct form_unit *out)
{
	const uint8_t *at = memchr(p + *seen, mark, n - *seen);
	size_t len = at != NULL ? (size_t)(at - p) : n;

	if (len > max)
		return GN_ETOOBIG;
	*seen = n;
	if (at == NULL && !ended)
		return GN_EAGAIN;
	*out = (struct form_unit){p, len, len + (at != NULL)};
	return 0;
}

/* D. J. Bernstein, netstrings: no leading zeros. */
static int decode_netstring(const uint8_t *p, size_t n, bool ended, size_t max, struct form_unit *out)
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
	*out = (struct form_unit){p + i, len, i + len + 1};
	return 0;
}

int form_decode(enum form form, const uint8_t *p, size_t n, bool ended, size_t max, size_t *seen, struct form_unit *out)
{
	int err;

	if (!n)
		return ended ? GN_EOF : GN_EAGAIN;
	switch (form) {
	case FORM_VARINT:
		return decode_varint(p, n, ended, max, out);
	case FORM_NETSTRING:
		return decode_netstring(p, n, ended, max, out);
	case FORM_LINE:
	case FORM_NUL:
		err = decode_ended_by(form == FORM_LINE ? '\n' : '\0', p, n, ended, max, seen, out);
		break;
	case FORM_TEXT:
		err = decode_ended_by('\n', p, n, ended, max, seen, out);
		if (!err && out->taken > max)
			return GN_ETOOBIG;
		out->len = err ? 0 : out->taken; /* the line end is a part of the message */
		break;
	case FORM_RAW:
	default:
		n = n < max ? n : max;
		*out = (struct form_unit){p, n, n};
		return 0;
	}
	if (!err)
		*seen = 0;
	return err;
}

int form_encode(enum form form, const void *body, size_t len, struct form_wrap *out)
{
	*out = (struct form_wrap){0};
	switch (form) {
	case FORM_VARINT:
		out->n_head = gn_uvarint_encode(len, out->head);
		break;
	case FORM_NETSTRING:
		out->n_head = (size_t)snprintf((char *)out->head, sizeof out->head, "%zu:", len);
		out->tail[0] = ',';
		out->n_tail = 1;
		break;
	case FORM_LINE:
	case FORM_NUL:
		out->tail[0] = form == FORM_LINE ? '\n' : '\0';
		out->n_tail = 1;
		if (len && memchr(body, out->tail[0], len) != NULL)
			return GN_EFORMAT;
		break;
	case FORM_RAW:
	case FORM_TEXT:
		break;
	}
	return 0;
}
