/* SPDX-License-Identifier: MIT */
/* Functions that make addresses from other addresses. */
#include <errno.h>
#include <string.h>

#include "addr/multiaddr.h"
#include "addr/multiaddr_own.h"

int gn_multiaddr_dup(const struct gn_multiaddr *a, struct gn_multiaddr **out)
{
	return gn_multiaddr_decode(a->bytes, a->len, out);
}

/* Makes an address of up to three pieces, any of which may be empty. */
static int pieces_join(const struct iovec *v, int n, struct gn_multiaddr **out)
{
	struct gn_buf b;
	int err = 0;

	gn_buf_init(&b, GN_MULTIADDR_MAX);
	for (int i = 0; i < n && err == 0; i++)
		err = gn_buf_put(&b, v[i].iov_base, v[i].iov_len);
	if (err == 0)
		err = b.len > 0 ? gn_multiaddr_decode(b.p, b.len, out) : GN_ENONAME;
	gn_buf_fini(&b);
	return err;
}

static struct iovec multiaddr_make_piece(const uint8_t *from, const uint8_t *to)
{
	/* struct iovec has no const pointer; pieces_join() only reads. */
	union {
		const uint8_t *from;
		void *base;
	} u = {.from = from};

	return (struct iovec){u.base, (size_t)(to - from)};
}

static struct iovec whole(const struct gn_multiaddr *a)
{
	return multiaddr_make_piece(a->bytes, a->bytes + a->len);
}

int gn_multiaddr_encapsulate(const struct gn_multiaddr *a, const struct gn_multiaddr *b, struct gn_multiaddr **out)
{
	const struct iovec v[] = {whole(a), whole(b)};

	return pieces_join(v, 2, out);
}

int gn_multiaddr_encapsulate_text(const struct gn_multiaddr *a, const char *text, struct gn_multiaddr **out)
{
	struct gn_multiaddr *b;
	int err = gn_multiaddr_parse(text, &b, NULL);

	if (err < 0)
		return err;
	err = gn_multiaddr_encapsulate(a, b, out);
	gn_multiaddr_free(b);
	return err;
}

int gn_multiaddr_encapsulate_part(const struct gn_multiaddr *a, uint32_t code, const void *value, size_t len,
				  struct gn_multiaddr **out)
{
	struct gn_buf b;
	int err;

	gn_buf_init(&b, GN_MULTIADDR_MAX);
	err = gn_buf_put(&b, a->bytes, a->len);
	if (err == 0)
		err = gn_multiaddr_part_put(&b, code, value, len);
	if (err == 0)
		err = gn_multiaddr_decode(b.p, b.len, out);
	gn_buf_fini(&b);
	return err;
}

int gn_multiaddr_decapsulate(const struct gn_multiaddr *a, const struct gn_multiaddr *b, struct gn_multiaddr **out)
{
	const uint8_t *cut = NULL;
	struct gn_multiaddr_part part;
	struct gn_cursor c;
	struct iovec v;

	/* The comparison is made only where a component begins, because the same bytes may occur inside a
	 * value.  From such a position on, equal bytes are equal components. */
	gn_multiaddr_walk(a, &c);
	while (gn_cursor_left(&c) >= b->len) {
		if (memcmp(c.p, b->bytes, b->len) == 0)
			cut = c.p;
		if (!gn_multiaddr_next(&c, &part))
			break;
	}
	if (cut == NULL)
		return GN_ENONAME;
	v = multiaddr_make_piece(a->bytes, cut);
	return pieces_join(&v, 1, out);
}

int gn_multiaddr_replace(const struct gn_multiaddr *a, const struct gn_multiaddr_part *part,
			 const struct gn_multiaddr *with, struct gn_multiaddr **out)
{
	const struct iovec v[] = {
		multiaddr_make_piece(a->bytes, part->start),
		with != NULL ? whole(with) : (struct iovec){NULL, 0},
		multiaddr_make_piece(part->start + part->size, a->bytes + a->len),
	};

	return pieces_join(v, 3, out);
}

int gn_multiaddr_without_peer(const struct gn_multiaddr *a, struct gn_multiaddr **out)
{
	struct gn_multiaddr_part part;

	if (!gn_multiaddr_find_last(a, GN_MA_P2P, &part) || part.start + part.size != a->bytes + a->len)
		return gn_multiaddr_dup(a, out);
	return gn_multiaddr_replace(a, &part, NULL, out);
}

int gn_multiaddr_with_peer(const struct gn_multiaddr *a, const struct gn_peer_id *id, struct gn_multiaddr **out)
{
	struct gn_peer_id has;
	struct gn_buf b;
	int err;

	if (a != NULL && gn_multiaddr_peer(a, &has) == 0)
		return gn_peer_id_is_equal(&has, id) ? gn_multiaddr_dup(a, out) : GN_EPEERID;
	if (a != NULL)
		return gn_multiaddr_encapsulate_part(a, GN_MA_P2P, id->bytes, id->len, out);
	gn_buf_init(&b, GN_MULTIADDR_MAX);
	err = gn_multiaddr_part_put(&b, GN_MA_P2P, id->bytes, id->len);
	if (err == 0)
		err = gn_multiaddr_decode(b.p, b.len, out);
	gn_buf_fini(&b);
	return err;
}
