/* SPDX-License-Identifier: MIT */
/*
 * From a raw link to a session, a layer at a time:
 *
 *     select security -> noise -> (select muxer, unless noise has settled it) -> yamux
 *
 * An initiator with one choice does not wait for answers: it sends its header, its proposal and
 * the first bytes of the next layer together (spec multistream, "Lazy negotiation").
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "node/conn.h"
#include "node/node.h"
#include "stack/select.h"

enum { CHOICES_MAX = 8 };

/* ---- the protocol ids of the components ---- */

static size_t security_ids(const struct gn_components *k, const char **ids)
{
	size_t n = 0;

	while (n < CHOICES_MAX && k->securities[n] != NULL) {
		ids[n] = k->securities[n]->id;
		n++;
	}
	ids[n] = NULL;
	return n;
}

static size_t muxer_ids(const struct gn_components *k, const char **ids)
{
	size_t n = 0;

	while (n < CHOICES_MAX && k->muxers[n] != NULL) {
		ids[n] = k->muxers[n]->id;
		n++;
	}
	ids[n] = NULL;
	return n;
}

static int upgrade_find(const char *const *ids, const char *id, size_t len)
{
	for (int i = 0; ids[i] != NULL; i++)
		if (strlen(ids[i]) == len && memcmp(ids[i], id, len) == 0)
			return i;
	return GN_ENOPROTO;
}

/* ---- steps ---- */

static int start_security(struct gn_conn *c, const struct gn_security_ops *ops)
{
	struct gn_secure_cfg cfg = {
		.state = gn_components_state(&c->node->components, ops),
		.key = c->node->key,
		.initiator = !c->inbound,
		.expect = c->peer,
		.muxers = c->node->muxer_ids,
	};

	c->security = ops;
	return gn_stack_push(&c->stack, ops->layer, &cfg, false, NULL);
}

static int admit_stream(void *arg)
{
	return gn_node_admits_stream(((struct gn_conn *)arg)->node, arg);
}

static int start_muxer(struct gn_conn *c, const struct gn_muxer_ops *ops)
{
	const struct gn_limits *lim = &c->node->cfg.limits;
	struct gn_mux_cfg cfg = {
		.client = !c->inbound,
		.window = lim->window,
		.budget = gn_network_budget(c->network),
		.keepalive = lim->keepalive,
		.ping = lim->ping,
		.admit = admit_stream,
		.arg = c,
	};
	struct gn_layer *l;
	int err = gn_stack_push(&c->stack, ops->layer, &cfg, false, &l);

	if (err != 0)
		return err;
	c->session = ops->session(l);
	c->state = GN_CONN_OPEN;
	if (c->refusal != 0)
		c->session->ops->go_away(c->session, c->refusal);
	return 0;
}

static int start_select(struct gn_conn *c, const char *const *ids, size_t n,
			int (*by_name)(void *, const char *, size_t))
{
	struct gn_select_cfg cfg = {.initiator = !c->inbound, .ids = ids, .n = n, .find = by_name, .arg = c};

	return gn_stack_push(&c->stack, &gn_select_ops, &cfg, true, NULL);
}

static int find_security(void *arg, const char *id, size_t len)
{
	return upgrade_find(((struct gn_conn *)arg)->node->security_ids, id, len);
}

static int find_muxer(void *arg, const char *id, size_t len)
{
	return upgrade_find(((struct gn_conn *)arg)->node->muxer_ids, id, len);
}

/* The handshake has proved the identity of the peer. */
static int on_secured(struct gn_conn *c, struct gn_layer *l)
{
	const struct gn_components *k = c->node->cfg.components;
	const struct gn_secure_info *info = c->security->info(l);
	int err = 0;

	c->peer = info->peer;
	c->state = GN_CONN_MUXING;
	if (c->node->cfg.gate != NULL)
		err = c->node->cfg.gate(c->node->cfg.arg, &c->peer, c->remote, c->inbound);
	if (err != 0) { /* start_muxer() sends the refusal */
		c->refusal = GN_GO_AWAY_GATED;
		c->err = err;
	} else if (c->inbound) {
		err = gn_conn_admit(c);
		if (err != 0)
			return err;
	}
	if (info->muxer >= 0)
		return start_muxer(c, k->muxers[info->muxer]);
	err = start_select(c, c->node->muxer_ids, c->node->n_muxers, find_muxer);
	if (err == 0 && !c->inbound && c->node->n_muxers == 1)
		err = start_muxer(c, k->muxers[0]);
	return err;
}

/* A selection has ended.  With lazy negotiation the selected layer runs already. */
static int on_selected(struct gn_conn *c, struct gn_layer *l)
{
	const struct gn_components *k = c->node->cfg.components;
	int i = gn_select_chosen(l);

	if (c->state == GN_CONN_SECURING)
		return c->security != NULL ? 0 : start_security(c, k->securities[i]);
	return c->session != NULL ? 0 : start_muxer(c, k->muxers[i]);
}

void gn_conn_on_step(void *arg, struct gn_stack *s, struct gn_layer *l, int what)
{
	struct gn_conn *c = arg;
	int err = what;

	(void)s;
	if (what == GN_DONE)
		err = on_selected(c, l);
	else if (what == GN_READY)
		err = on_secured(c, l);
	if (err < 0) {
		gn_log(GN_LOG_DEBUG, "%s: %s", l->ops->name, gn_strerror(err));
		s->err = err;
	}
}

int gn_conn_upgrade(struct gn_conn *c)
{
	struct gn_node *node = c->node;
	int err = start_select(c, node->security_ids, node->n_securities, find_security);

	if (err == 0 && !c->inbound && node->n_securities == 1)
		err = start_security(c, node->cfg.components->securities[0]);
	return err;
}

void gn_node_name_components(struct gn_node *node)
{
	node->n_securities = security_ids(node->cfg.components, node->security_ids);
	node->n_muxers = muxer_ids(node->cfg.components, node->muxer_ids);
}
