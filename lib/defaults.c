/* SPDX-License-Identifier: MIT */
/* The stock list of components.  A program that has a list of its own does not link this file. */
#include <string.h>

#include "gn.h"

static const struct gn_transport_ops *const transports[] = {&gn_transport_tcp, NULL};
static const struct gn_security_ops *const securities[] = {&gn_security_noise, NULL};
static const struct gn_muxer_ops *const muxers[] = {&gn_muxer_yamux, NULL};
static const struct gn_service_ops *const services[] = {&gn_service_identify, &gn_service_ping, NULL};

const struct gn_components gn_components_stock = {transports, securities, muxers, services};

void gn_node_cfg_init(struct gn_node_cfg *cfg)
{
	memset(cfg, 0, sizeof *cfg);
	cfg->components = &gn_components_stock;
	gn_limits_init(&cfg->limits);
}
