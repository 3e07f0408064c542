/* SPDX-License-Identifier: MIT */
#include "node/components.h"

#include <errno.h>
#include <stdlib.h>

#include "security/secure.h"
#include "transport/transport.h"

const void *gn_components_config(const struct gn_node_cfg *cfg, const void *ops)
{
	const struct gn_component_cfg *c = cfg->configs;

	while (c != NULL && c->component != NULL && c->component != ops)
		c++;
	return c != NULL && c->component != NULL ? c->config : NULL;
}

/* Whether the ops are listed, and can have this configuration. */
static bool components_accept(const struct gn_components *k, const void *ops, const void *config)
{
	for (size_t i = 0; k->transports != NULL && k->transports[i] != NULL; i++)
		if (k->transports[i] == ops)
			return true;
	for (size_t i = 0; k->securities != NULL && k->securities[i] != NULL; i++)
		if (k->securities[i] == ops)
			return true;
	for (size_t i = 0; k->muxers != NULL && k->muxers[i] != NULL; i++)
		if (k->muxers[i] == ops)
			return config == NULL; /* a muxer has none */
	for (size_t i = 0; k->services != NULL && k->services[i] != NULL; i++)
		if (k->services[i] == ops)
			return true;
	return false;
}

static size_t components_count(const struct gn_components *k)
{
	size_t n = 0;

	for (size_t i = 0; k->transports != NULL && k->transports[i] != NULL; i++)
		n++;
	for (size_t i = 0; k->securities != NULL && k->securities[i] != NULL; i++)
		n++;
	return n;
}

/* Starts one component and appends it to the states, which have room. */
static int component_start(struct gn_component_states *states, struct gn_component c,
			   int (*start)(struct gn_node *node, const void *config, void **state), struct gn_node *node,
			   const void *config)
{
	int err = start != NULL ? start(node, config, &c.state) : config != NULL ? -EINVAL : 0;

	if (err == 0)
		states->started[states->n++] = c;
	return err;
}

static int components_start_all(struct gn_component_states *states, struct gn_node *node, const struct gn_node_cfg *cfg)
{
	const struct gn_components *k = cfg->components;
	int err = 0;

	for (size_t i = 0; err == 0 && k->transports != NULL && k->transports[i] != NULL; i++) {
		const struct gn_transport_ops *ops = k->transports[i];
		struct gn_component c = {.ops = ops, .stop = ops->stop};

		err = component_start(states, c, ops->start, node, gn_components_config(cfg, ops));
	}
	for (size_t i = 0; err == 0 && k->securities != NULL && k->securities[i] != NULL; i++) {
		const struct gn_security_ops *ops = k->securities[i];
		struct gn_component c = {.ops = ops, .stop = ops->stop};

		err = component_start(states, c, ops->start, node, gn_components_config(cfg, ops));
	}
	return err;
}

int gn_components_start(struct gn_component_states *states, struct gn_node *node, const struct gn_node_cfg *cfg)
{
	int err;

	states->n = 0;
	states->started = NULL;
	for (const struct gn_component_cfg *c = cfg->configs; c != NULL && c->component != NULL; c++)
		if (!components_accept(cfg->components, c->component, c->config))
			return -EINVAL;
	states->started = calloc(components_count(cfg->components) + 1, sizeof *states->started);
	if (states->started == NULL)
		return -ENOMEM;
	err = components_start_all(states, node, cfg);
	if (err != 0)
		gn_components_stop(states);
	return err;
}

void gn_components_stop(struct gn_component_states *states)
{
	while (states->n > 0) {
		const struct gn_component *c = &states->started[--states->n];

		if (c->stop != NULL)
			c->stop(c->state);
	}
	free(states->started);
	states->started = NULL;
}

void *gn_components_state(const struct gn_component_states *states, const void *ops)
{
	for (size_t i = 0; i < states->n; i++)
		if (states->started[i].ops == ops)
			return states->started[i].state;
	return NULL;
}
