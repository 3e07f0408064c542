/* SPDX-License-Identifier: MIT */
/*
 * From a raw link to a session, a layer at a time:
 *
 *     select security -> noise -> (select muxer, unless noise has settled it) -> yamux
 *
 * An initiator with one choice does not wait for answers: it sends its header, its proposal and
 * the first bytes of the next layer together (spec multistream, "Lazy negotiation").
 */
#include "node/upgrade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "node/conn.h"
#include "stack/select.h"

/* ---- the protocol ids of the components ---- */

/* The id of the i-th component; NULL behind the last. */
typedef const char *upgrade_id_at(const struct gn_components *k, size_t i);

static const char *security_id(const struct gn_components *k, size_t i)
{
	return k->securities[i] != NULL ? k->securities[i]->id : NULL;
}

static const char *muxer_id(const struct gn_components *k, size_t i)
{
	return k->muxers[i] != NULL ? k->muxers[i]->id : NULL;
}

static int upgrade_ids_init(struct gn_upgrade_ids *ids, const struct gn_components *k, upgrade_id_at *id_at)
{
	size_t n = 0;

	while (id_at(k, n) != NULL)
		n++;
	ids->ids = calloc(n + 1, sizeof *ids->ids);
	if (ids->ids == NULL)
		return -ENOMEM;
	for (ids->n = 0; ids->n < n; ids->n++)
		ids->ids[ids->n] = id_at(k, ids->n);
	return 0;
}

int gn_upgrade_init(struct gn_upgrade *u, const struct gn_components *components)
{
	int err;

	memset(u, 0, sizeof *u);
	u->components = components;
	err = upgrade_ids_init(&u->securities, components, security_id);
	return err != 0 ? err : upgrade_ids_init(&u->muxers, components, muxer_id);
}

void gn_upgrade_fini(struct gn_upgrade *u)
{
	free(u->securities.ids);
	free(u->muxers.ids);
	memset(u, 0, sizeof *u);
}

/* For struct gn_select_cfg: arg is a struct gn_upgrade_ids. */
static int upgrade_ids_find(void *arg, const char *id, size_t len)
{
	const struct gn_upgrade_ids *ids = arg;

	for (size_t i = 0; i < ids->n; i++)
		if (strlen(ids->ids[i]) == len && memcmp(ids->ids[i], id, len) == 0)
			return (int)i;
	return GN_ENOPROTO;
}

/* ---- steps ---- */

static int start_security(struct gn_conn *c, const struct gn_security_ops *ops)
{
	struct gn_secure_cfg cfg = {
		.state = gn_components_state(c->env->components, ops),
		.key = c->env->key,
		.initiator = c->is_client,
		.expect = *gn_conn_peer(c),
		.muxers = c->env->upgrade.muxers.ids,
		.record_max = c->link != NULL && c->link->pipes != NULL ? c->link->pipes->record_max : 0,
	};

	c->security = ops;
	return gn_stack_push(&c->stack, ops->layer, &cfg, false, NULL);
}

static int admit_stream(void *arg)
{
	struct gn_conn *c = arg;

	return c->env->events->admit(c->node, c);
}

static int start_muxer(struct gn_conn *c, const struct gn_muxer_ops *ops)
{
	const struct gn_limits *lim = c->env->limits;
	struct gn_mux_cfg cfg = {
		.client = c->is_client,
		.window = lim->window,
		.scope = &c->scope,
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
	c->session->frame_max = ops->frame_max;
	c->state = GN_CONN_OPEN;
	if (c->refusal != 0)
		c->session->ops->go_away(c->session, c->refusal);
	return 0;
}

static int start_select(struct gn_conn *c, const struct gn_upgrade_ids *ids)
{
	struct gn_select_cfg cfg = {
		.initiator = c->is_client,
		.ids = ids->ids,
		.n = ids->n,
		.find = upgrade_ids_find,
		.arg = (void *)(uintptr_t)ids,
	};

	return gn_stack_push(&c->stack, &gn_select_ops, &cfg, true, NULL);
}

/* The handshake has proved the identity of the peer. */
static int on_secured(struct gn_conn *c, struct gn_layer *l)
{
	const struct gn_upgrade *u = &c->env->upgrade;
	const struct gn_secure_info *info = c->security->info(l);
	int err;

	err = gn_conn_set_peer(c, &info->peer);
	if (err != 0)
		return err;
	c->state = GN_CONN_MUXING;
	err = c->env->events->secured(c->node, c);
	if (err == 0 && c->state == GN_CONN_GONE) /* the callback has ended the connection */
		err = c->err;
	if (err != 0)
		return err;
	if (info->muxer >= 0)
		return start_muxer(c, u->components->muxers[info->muxer]);
	err = start_select(c, &u->muxers);
	if (err == 0 && c->is_client && u->muxers.n == 1)
		err = start_muxer(c, u->components->muxers[0]);
	return err;
}

/* A selection has ended.  With lazy negotiation the selected layer runs already. */
static int on_selected(struct gn_conn *c, struct gn_layer *l)
{
	const struct gn_components *k = c->env->upgrade.components;
	int i = gn_select_chosen(l);

	if (c->state == GN_CONN_SECURING)
		return c->security != NULL ? 0 : start_security(c, k->securities[i]);
	return c->session != NULL ? 0 : start_muxer(c, k->muxers[i]);
}

void gn_upgrade_on_step(void *arg, struct gn_stack *s, struct gn_layer *l, int what)
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

int gn_upgrade_start(struct gn_conn *c)
{
	const struct gn_upgrade *u = &c->env->upgrade;
	int err = start_select(c, &u->securities);

	if (err == 0 && c->is_client && u->securities.n == 1)
		err = start_security(c, u->components->securities[0]);
	return err;
}
