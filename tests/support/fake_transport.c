/* SPDX-License-Identifier: MIT */
#include "support/fake_transport.h"

#include "transport/mem.h"

int fake_transport_err;
unsigned fake_transport_n_closed;

static bool fake_is_for(const struct gn_multiaddr *addr)
{
	return gn_multiaddr_has(addr, GN_MA_TCP);
}

static int fake_listen(void *state, const struct gn_link_listen_cfg *cfg, struct gn_link_listener **out,
		       struct gn_multiaddr **bound)
{
	(void)state;
	if (fake_transport_err != 0)
		return fake_transport_err;
	*out = NULL;
	return gn_multiaddr_dup(cfg->addr, bound);
}

static void fake_close(struct gn_link_listener *l)
{
	(void)l;
	fake_transport_n_closed++;
}

const struct gn_transport_ops fake_transport = {
	.name = "fake",
	.is_for = fake_is_for,
	.listen = fake_listen,
	.close = fake_close,
};

void fake_transport_tune(struct gn_node_cfg *cfg)
{
	static const struct gn_transport_ops *const transports[] = {&fake_transport, &gn_transport_mem, NULL};
	static struct gn_components all;

	all = *cfg->components;
	all.transports = transports;
	cfg->components = &all;
}
