/* SPDX-License-Identifier: MIT */
#include "support/fake_transport.h"

#include <stdlib.h>

#include "support/cmocka.h"
#include "transport/mem.h"

int fake_transport_err;
bool fake_transport_defers;
unsigned fake_transport_n_calls, fake_transport_n_closed;

struct gn_link_listener {
	struct gn_link_listen_cfg cfg;
};

static struct gn_link_listener *fake_last; /* that was opened last; NULL: it was closed */

static bool fake_is_for(const struct gn_multiaddr *addr)
{
	return gn_multiaddr_has(addr, GN_MA_TCP);
}

static int fake_listen(void *state, const struct gn_link_listen_cfg *cfg, struct gn_link_listener **out,
		       struct gn_multiaddr **bound)
{
	struct gn_link_listener *l;

	(void)state;
	fake_transport_n_calls++;
	if (fake_transport_err != 0)
		return fake_transport_err;
	l = calloc(1, sizeof *l);
	assert_non_null(l);
	l->cfg = *cfg;
	*out = fake_last = l;
	*bound = NULL;
	return fake_transport_defers ? 0 : gn_multiaddr_dup(cfg->addr, bound);
}

void fake_transport_state(int err, const char *bound)
{
	struct gn_multiaddr *addr = NULL;

	assert_non_null(fake_last);
	if (err == 0)
		assert_int_equal(gn_multiaddr_parse(bound, &addr, NULL), 0);
	fake_last->cfg.on_state(fake_last->cfg.arg, err, addr);
	gn_multiaddr_free(addr);
}

static void fake_close(struct gn_link_listener *l)
{
	fake_transport_n_closed++;
	if (fake_last == l)
		fake_last = NULL;
	free(l);
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
