/* SPDX-License-Identifier: MIT */
/* The stock list of components.  A program that names its own links none of these. */
#include <string.h>

#include "gn.h"

static const struct gn_transport_ops *const transports[] = {&gn_transport_tcp, NULL};
static const struct gn_security_ops *const securities[] = {&gn_security_noise, NULL};
static const struct gn_muxer_ops *const muxers[] = {&gn_muxer_yamux, NULL};
static const struct gn_service_ops *const services[] = {&gn_service_identify, &gn_service_ping, NULL};

const struct gn_components gn_components_stock = {transports, securities, muxers, services};

void gn_node_cfg_init(struct gn_node_cfg *cfg)
{
	static const struct gn_limits limits = {
		.conns = 1024,
		.conns_per_addr = 16,
		.conns_pending = 64,
		.streams_per_conn = 256,
		.streams_per_peer = 512,
		.memory = (size_t)256 << 20,
		.window = (size_t)64 << 20,
		.accept = 10 * GN_SEC,
		.first_stream = 60 * GN_SEC,
		.negotiate = 10 * GN_SEC,
		.dial = 15 * GN_SEC,
		.attempt = 10 * GN_SEC,
		.ping = 10 * GN_SEC,
		.keepalive = 10 * GN_SEC,
		.idle = 0,
	};

	memset(cfg, 0, sizeof *cfg);
	cfg->components = &gn_components_stock;
	cfg->limits = limits;
}
