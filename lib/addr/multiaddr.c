/* SPDX-License-Identifier: MIT */
/* Parsing, formatting and access.  An address is stored in its binary encoding, which is validated
 * completely when the address is made. */
#include "addr/multiaddr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "addr/multiaddr_own.h"
#include "addr/protocols.h"
#include "addr/values.h"
#include "base/buf.h"

#define TEXT_MAX ((size_t)32 * 1024) /* characters; percent-encoding may triple the length of a value */

/* ---- components ---- */

/* Reads one component and checks everything except the meaning of its value. */
static int part_decode(struct gn_cursor *c, struct gn_multiaddr_part *part, const struct gn_multiaddr_protocol **proto)
{
	struct gn_cursor try = *c;
	uint64_t code;
	int err = gn_cursor_get_uvarint(&try, &code);

	if (err < 0)
		return err;
	*proto = gn_protocols_find(code);
	if (*proto == NULL)
		return GN_EFORMAT;
	part->code = (uint32_t)code;
	if ((*proto)->size == GN_PROTOCOL_VAR) {
		err = gn_cursor_get_prefixed(&try, &part->value, &part->len);
	} else {
		part->len = (size_t)(*proto)->size;
		err = gn_cursor_get_view(&try, part->len, &part->value);
	}
	if (err < 0)
		return err;
	part->start = c->p;
	part->size = (size_t)(try.p - c->p);
	*c = try;
	return 0;
}

static bool value_is_valid(const struct gn_multiaddr_protocol *proto, const uint8_t *p, size_t n)
{
	if (proto->size == GN_PROTOCOL_VAR ? n == 0 : n != (size_t)proto->size)
		return false;
	return n == 0 || proto->value->is_valid == NULL || proto->value->is_valid(p, n);
}

static int bytes_check(const uint8_t *p, size_t n)
{
	const struct gn_multiaddr_protocol *proto;
	struct gn_multiaddr_part part;
	struct gn_cursor c;
	unsigned count = 0;

	if (n > GN_MULTIADDR_MAX)
		return GN_ETOOBIG;
	if (n == 0)
		return GN_EFORMAT;
	gn_cursor_init(&c, p, n);
	while (!gn_cursor_is_done(&c)) {
		int err = part_decode(&c, &part, &proto);

		if (err < 0)
			return err;
		if (++count > GN_MULTIADDR_PARTS_MAX)
			return GN_ETOOBIG;
		if (!value_is_valid(proto, part.value, part.len))
			return GN_EFORMAT;
		if (proto->is_path && !gn_cursor_is_done(&c))
			return GN_EFORMAT;
	}
	return 0;
}

int gn_multiaddr_decode(const uint8_t *p, size_t n, struct gn_multiaddr **out)
{
	struct gn_multiaddr *a;
	int err = bytes_check(p, n);

	if (err < 0)
		return err;
	a = malloc(sizeof *a + n);
	if (a == NULL)
		return -ENOMEM;
	a->len = n;
	memcpy(a->bytes, p, n);
	*out = a;
	return 0;
}

void gn_multiaddr_free(struct gn_multiaddr *a)
{
	free(a);
}

void gn_multiaddrs_free(struct gn_multiaddr **a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		gn_multiaddr_free(a[i]);
	free(a);
}

const uint8_t *gn_multiaddr_bytes(const struct gn_multiaddr *a, size_t *len)
{
	*len = a->len;
	return a->bytes;
}

int gn_multiaddr_part_put(struct gn_buf *b, uint32_t code, const void *value, size_t n)
{
	const struct gn_multiaddr_protocol *proto = gn_protocols_find(code);
	int err;

	if (proto == NULL || !value_is_valid(proto, value, n))
		return GN_EFORMAT;
	err = gn_buf_put_uvarint(b, code);
	if (err < 0)
		return err;
	return proto->size == GN_PROTOCOL_VAR ? gn_buf_put_prefixed(b, value, n) : gn_buf_put(b, value, n);
}

/* ---- text to binary ---- */

struct text {
	const char *start, *p, *end;
};

/* The length up to the next slash or the end of the text. */
static size_t segment(const struct text *t)
{
	const char *slash = memchr(t->p, '/', (size_t)(t->end - t->p));

	return (size_t)((slash != NULL ? slash : t->end) - t->p);
}

/* t->p is at the end of the name; it is moved to the end of the value or, on failure, to the position of
 * the error. */
static int value_parse(struct text *t, const struct gn_multiaddr_protocol *proto, struct gn_buf *out)
{
	struct gn_buf value;
	size_t n;
	int err;

	if (t->p == t->end)
		return GN_EFORMAT; /* the value is missing */
	if (!proto->is_path)
		t->p++;
	n = proto->is_path ? (size_t)(t->end - t->p) : segment(t);
	if (n == 0)
		return GN_EFORMAT;
	gn_buf_init(&value, GN_MULTIADDR_MAX);
	err = proto->value->parse(t->p, n, &value);
	if (err == 0)
		err = gn_multiaddr_part_put(out, proto->code, value.p, value.len);
	gn_buf_fini(&value);
	if (err == 0)
		t->p += n;
	return err;
}

static int part_parse(struct text *t, struct gn_buf *out)
{
	const struct gn_multiaddr_protocol *proto;
	size_t n;

	t->p++; /* the slash */
	n = segment(t);
	proto = gn_protocols_find_name(t->p, n);
	if (proto == NULL)
		return GN_EFORMAT;
	t->p += n;
	if (proto->size == 0)
		return gn_buf_put_uvarint(out, proto->code);
	return value_parse(t, proto, out);
}

static int multiaddr_text_parse(struct text *t, struct gn_buf *out)
{
	unsigned count = 0;

	if (t->end - t->start > (ptrdiff_t)TEXT_MAX)
		return GN_ETOOBIG;
	if (t->p == t->end || *t->p != '/')
		return GN_EFORMAT;
	while (t->end > t->start && t->end[-1] == '/')
		t->end--;
	if (t->p == t->end)
		return GN_EFORMAT;
	while (t->p < t->end) {
		int err;

		if (++count > GN_MULTIADDR_PARTS_MAX)
			return GN_ETOOBIG;
		err = part_parse(t, out);
		if (err < 0)
			return err;
	}
	return 0;
}

int gn_multiaddr_parse(const char *text, struct gn_multiaddr **out, size_t *where)
{
	struct text t = {text, text, text + strlen(text)};
	struct gn_buf b;
	int err;

	gn_buf_init(&b, GN_MULTIADDR_MAX);
	err = multiaddr_text_parse(&t, &b);
	if (err < 0 && where != NULL)
		*where = (size_t)(t.p - t.start);
	if (err == 0)
		err = gn_multiaddr_decode(b.p, b.len, out);
	gn_buf_fini(&b);
	return err;
}

/* ---- binary to text ---- */

static int part_format(const struct gn_multiaddr_protocol *proto, const struct gn_multiaddr_part *part,
		       struct gn_buf *out)
{
	int err = gn_buf_format(out, "/%s", proto->name);

	if (err < 0 || part->len == 0)
		return err;
	/* The text of a path begins with a slash already. */
	if (!proto->is_path)
		err = gn_buf_put_u8(out, '/');
	return err < 0 ? err : proto->value->format(part->value, part->len, out);
}

char *gn_multiaddr_format(const struct gn_multiaddr *a)
{
	const struct gn_multiaddr_protocol *proto;
	struct gn_multiaddr_part part;
	struct gn_cursor c;
	struct gn_buf b;
	int err = 0;

	gn_buf_init(&b, TEXT_MAX);
	gn_multiaddr_walk(a, &c);
	while (err == 0 && !gn_cursor_is_done(&c)) {
		err = part_decode(&c, &part, &proto);
		if (err == 0)
			err = part_format(proto, &part, &b);
	}
	if (err == 0)
		err = gn_buf_put_u8(&b, '\0');
	if (err < 0) {
		gn_buf_fini(&b);
		return NULL;
	}
	return (char *)gn_buf_take(&b);
}

/* ---- access ---- */

void gn_multiaddr_walk(const struct gn_multiaddr *a, struct gn_cursor *c)
{
	gn_cursor_init(c, a->bytes, a->len);
}

bool gn_multiaddr_next(struct gn_cursor *c, struct gn_multiaddr_part *part)
{
	const struct gn_multiaddr_protocol *proto;
	struct gn_multiaddr_part found;

	if (gn_cursor_is_done(c) || part_decode(c, &found, &proto) < 0)
		return false;
	*part = found;
	return true;
}

bool gn_multiaddr_find(const struct gn_multiaddr *a, uint32_t code, struct gn_multiaddr_part *part)
{
	struct gn_multiaddr_part at;
	struct gn_cursor c;

	gn_multiaddr_walk(a, &c);
	while (gn_multiaddr_next(&c, &at)) {
		if (at.code == code) {
			*part = at;
			return true;
		}
	}
	return false;
}

bool gn_multiaddr_find_last(const struct gn_multiaddr *a, uint32_t code, struct gn_multiaddr_part *part)
{
	struct gn_multiaddr_part at;
	struct gn_cursor c;
	bool found = false;

	gn_multiaddr_walk(a, &c);
	while (gn_multiaddr_next(&c, &at)) {
		if (at.code == code) {
			*part = at;
			found = true;
		}
	}
	return found;
}

bool gn_multiaddr_has(const struct gn_multiaddr *a, uint32_t code)
{
	struct gn_multiaddr_part part;

	return gn_multiaddr_find(a, code, &part);
}

bool gn_multiaddr_is_shape(const struct gn_multiaddr *a, const uint32_t *codes, size_t n)
{
	struct gn_multiaddr_part part;
	struct gn_cursor c;
	size_t i = 0;

	gn_multiaddr_walk(a, &c);
	while (gn_multiaddr_next(&c, &part)) {
		if (i < n && part.code == codes[i])
			i++;
		else
			return i == n && part.code == GN_MA_P2P && gn_cursor_is_done(&c);
	}
	return i == n;
}

bool gn_multiaddr_is_equal(const struct gn_multiaddr *a, const struct gn_multiaddr *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

int gn_multiaddr_compare(const struct gn_multiaddr *a, const struct gn_multiaddr *b)
{
	int d = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);

	return d != 0 ? d : (a->len > b->len) - (a->len < b->len);
}

int gn_multiaddr_peer(const struct gn_multiaddr *a, struct gn_peer_id *out)
{
	struct gn_multiaddr_part part;

	if (!gn_multiaddr_find_last(a, GN_MA_P2P, &part) || part.start + part.size != a->bytes + a->len)
		return GN_ENONAME;
	return gn_peer_id_decode(part.value, part.len, out);
}
