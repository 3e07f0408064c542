/* SPDX-License-Identifier: MIT */
/*
 * The format of what is sent:
 *
 *     greeting:  "dummy1" | u8 length | peer id
 *     record:    u16 length | u8 sum of the bytes, masked | bytes, masked
 */
#include "support/dummy_security.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "id/key.h"
#include "id/peer_id.h"
#include "stack/stack.h"
#include "support/require.h"

enum { MAGIC = 6, HEAD = 3, BODY_MAX = 16000 };

static const char magic[MAGIC + 1] = "dummy1";

/* The state for a node. */
struct dummy_security_node {
	unsigned layers;
};

/* The state for a connection. */
struct dummy_security_state {
	struct dummy_security_node *node;
	struct gn_secure_info info;
	struct gn_peer_id expect;
	bool is_open;
	uint8_t mask_in, mask_out;
};

static int dummy_security_init(struct gn_layer *l, const void *config)
{
	const struct gn_secure_cfg *cfg = config;
	struct dummy_security_state *d = l->state;
	struct gn_peer_id self;
	uint8_t greeting[MAGIC + 1 + sizeof self.bytes];
	int err;

	d->node = cfg->state;
	d->info.muxer = -1;
	d->expect = cfg->expect;
	gn_key_id(cfg->key, &self);
	memcpy(greeting, magic, MAGIC);
	greeting[MAGIC] = (uint8_t)self.len;
	memcpy(greeting + MAGIC + 1, self.bytes, self.len);
	err = gn_pipe_put(l->tx, greeting, MAGIC + 1 + self.len);
	if (err == 0)
		d->node->layers++;
	return err;
}

static void dummy_security_fini(struct gn_layer *l)
{
	((struct dummy_security_state *)l->state)->node->layers--;
}

static int greet(struct gn_layer *l)
{
	struct dummy_security_state *d = l->state;
	uint8_t *p;
	size_t len = 0;
	int err = gn_pipe_whole(l->rx, MAGIC + 1, &p);

	if (err == 0) {
		len = p[MAGIC];
		if (memcmp(p, magic, MAGIC) != 0 || len > sizeof d->info.peer.bytes)
			return GN_EPROTO;
		err = gn_pipe_whole(l->rx, MAGIC + 1 + len, &p);
	}
	if (err != 0)
		return err == GN_EOF || err == GN_ETRUNC ? GN_EGONE : err;
	memcpy(d->info.peer.bytes, p + MAGIC + 1, len);
	d->info.peer.len = (uint8_t)len;
	gn_pipe_skip(l->rx, MAGIC + 1 + len);
	if (d->expect.len > 0 && !gn_peer_id_is_equal(&d->expect, &d->info.peer))
		return GN_EPEERID;
	d->is_open = true;
	return GN_READY;
}

static int open_record(struct gn_layer *l)
{
	struct dummy_security_state *d = l->state;
	uint8_t *p = NULL, sum = 0;
	size_t len = 0;
	int err = gn_pipe_is_closed(l->up_rx) ? GN_EAGAIN : gn_pipe_whole(l->rx, HEAD, &p);

	if (err == 0) {
		len = gn_get_u16(p);
		if (len > BODY_MAX)
			return GN_EPROTO;
		if (gn_pipe_room(l->up_rx) < len)
			return GN_EAGAIN;
		err = gn_pipe_whole(l->rx, HEAD + len, &p);
	}
	if (err == GN_EAGAIN || err == -ENOMEM)
		return err;
	if (err != 0) {
		gn_pipe_close(l->up_rx, err);
		return 0;
	}
	for (size_t i = HEAD - 1; i < HEAD + len; i++) {
		p[i] ^= d->mask_in++;
		sum = (uint8_t)(sum + (i >= HEAD ? p[i] : 0));
	}
	if (sum != p[HEAD - 1])
		return GN_EAUTH;
	gn_pipe_skip(l->rx, HEAD);
	return gn_pipe_move(l->up_rx, l->rx, len);
}

static int seal_record(struct gn_layer *l)
{
	struct dummy_security_state *d = l->state;
	struct iovec v;
	uint8_t *out, sum = 0;

	if (gn_pipe_peek(l->up_tx, &v, 1, BODY_MAX) == 0) {
		if (gn_pipe_end(l->up_tx) == 0 || gn_pipe_is_closed(l->tx))
			return GN_EAGAIN;
		gn_pipe_close(l->tx, GN_EOF);
		return 0;
	}
	out = gn_pipe_reserve(l->tx, HEAD + v.iov_len);
	if (out == NULL)
		return GN_EAGAIN;
	for (size_t i = 0; i < v.iov_len; i++)
		sum = (uint8_t)(sum + ((uint8_t *)v.iov_base)[i]);
	gn_put_u16(out, (uint16_t)v.iov_len);
	out[HEAD - 1] = (uint8_t)(sum ^ d->mask_out++);
	for (size_t i = 0; i < v.iov_len; i++)
		out[HEAD + i] = (uint8_t)(((uint8_t *)v.iov_base)[i] ^ d->mask_out++);
	gn_pipe_commit(l->tx, HEAD + v.iov_len);
	gn_pipe_skip(l->up_tx, v.iov_len);
	return 0;
}

static int dummy_security_advance(struct gn_layer *l, gn_time now)
{
	const struct dummy_security_state *d = l->state;
	int in, out;

	(void)now;
	if (!d->is_open)
		return greet(l);
	in = open_record(l);
	if (in != 0 && in != GN_EAGAIN)
		return in;
	out = seal_record(l);
	return out == GN_EAGAIN ? in : out;
}

static int dummy_security_start(struct gn_node *node, const void *config, void **state)
{
	(void)node;
	(void)config;
	*state = calloc(1, sizeof(struct dummy_security_node));
	return *state != NULL ? 0 : -ENOMEM;
}

static void dummy_security_stop(void *state)
{
	REQUIRE(((struct dummy_security_node *)state)->layers == 0);
	free(state);
}

static const struct gn_secure_info *dummy_security_info(const struct gn_layer *l)
{
	return &((const struct dummy_security_state *)l->state)->info;
}

static const struct gn_layer_ops dummy_security_layer = {
	.name = "/dummy-security",
	.size = sizeof(struct dummy_security_state),
	.up_cap = 640 * 1024,
	.init = dummy_security_init,
	.advance = dummy_security_advance,
	.fini = dummy_security_fini,
};

const struct gn_security_ops dummy_security = {
	.id = "/dummy-security",
	.start = dummy_security_start,
	.stop = dummy_security_stop,
	.layer = &dummy_security_layer,
	.info = dummy_security_info,
};
