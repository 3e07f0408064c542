/* SPDX-License-Identifier: MIT */
/* gn_dial_start(), which connects and then opens a channel, and the protocols that a program serves. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/channel.h"
#include "node/conn.h"
#include "node/dialer.h"
#include "node/node.h"

struct gn_dial {
	struct gn_dial_cfg cfg;
	struct gn_dialer *dialer;
};

static void api_dial_on_conn(void *arg, int err, struct gn_conn *conn)
{
	struct gn_dial *op = arg;
	struct gn_dial_cfg cfg = op->cfg;
	struct gn_channel *ch = NULL;

	if (err == 0)
		err = gn_channel_open(conn, cfg.protocol, cfg.kind, cfg.max_frame, &ch);
	free(op);
	cfg.on_done(cfg.arg, err, ch);
}

int gn_dial_start(struct gn_node *node, const struct gn_dial_cfg *cfg, struct gn_dial **out)
{
	struct gn_dialer_cfg dialer = {
		.target = cfg->target,
		.attempt_arg = cfg->arg,
		.on_done = api_dial_on_conn,
		.on_lost = free,
	};
	struct gn_dial *op;
	int err;

	if (cfg->protocol == NULL || cfg->on_done == NULL)
		return -EINVAL;
	op = calloc(1, sizeof *op);
	if (op == NULL)
		return -ENOMEM;
	op->cfg = *cfg;
	dialer.arg = op;
	err = gn_dialer_start(node, &dialer, &op->dialer);
	if (err != 0) {
		free(op);
		return err;
	}
	*out = op;
	return 0;
}

void gn_dial_cancel(struct gn_dial *op)
{
	gn_dialer_cancel(op->dialer);
	free(op);
}

/* ---- protocols ---- */

struct api_protocol {
	struct gn_protocol_cfg cfg;
};

static void api_protocol_on_open(void *arg, struct gn_stream *handed)
{
	const struct api_protocol *s = arg;
	struct gn_channel *ch;

	if (gn_channel_accept(handed, s->cfg.kind, s->cfg.max_frame, &ch) != 0) {
		gn_stream_reset(handed);
		gn_stream_close(handed);
		return;
	}
	s->cfg.on_open(s->cfg.arg, ch);
}

static void api_protocol_free(void *arg)
{
	free(arg);
}

int gn_protocol_add(struct gn_node *node, const struct gn_protocol_cfg *cfg)
{
	struct gn_registry_entry entry = {.id = NULL,
					  .hidden = cfg->hidden,
					  .on_open = api_protocol_on_open,
					  .on_free = api_protocol_free};
	struct api_protocol *s;
	int err;

	if (cfg->id == NULL || cfg->on_open == NULL)
		return -EINVAL;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	s->cfg = *cfg;
	entry.id = (char *)(uintptr_t)cfg->id;
	entry.arg = s;
	err = gn_registry_add(&node->registry, &entry);
	if (err != 0) {
		free(s);
		return err;
	}
	gn_node_changed(node);
	return 0;
}

int gn_protocol_del(struct gn_node *node, const char *id)
{
	int err = gn_registry_del(&node->registry, id);

	if (err == 0)
		gn_node_changed(node);
	return err;
}
