/* SPDX-License-Identifier: MIT */
/* lib/node/components: the states of a node's transports and securities. */

#include <errno.h>

#include "support/support.h"
#include "id/key.h"

/* ---- order and failures ---- */

static char calls[64];   /* a lower-case letter for each start, an upper-case letter for each stop */
static char fails;       /* the letter of the component whose start fails */
static const void *seen; /* the configuration that component "b" received */

static int logged_start(char letter, void **state)
{
	char text[2] = {letter, '\0'};

	strcat(calls, text);
	if (letter == fails)
		return -EDOM;
	*state = &calls[letter - 'a'];
	return 0;
}

static void logged_stop(void *state)
{
	char text[2] = {(char)('A' + ((char *)state - calls)), '\0'};

	strcat(calls, text);
}

static int start_a(struct gn_node *node, const void *config, void **state)
{
	assert_non_null(node);
	assert_null(config);
	assert_null(*state);
	return logged_start('a', state);
}

static int start_b(struct gn_node *node, const void *config, void **state)
{
	assert_non_null(node);
	seen = config;
	return logged_start('b', state);
}

static int start_c(struct gn_node *node, const void *config, void **state)
{
	assert_non_null(node);
	assert_null(config);
	return logged_start('c', state);
}

static int start_d(struct gn_node *node, const void *config, void **state)
{
	(void)node;
	assert_null(config);
	return logged_start('d', state);
}

static const struct gn_transport_ops transport_a = {.name = "a", .start = start_a, .stop = logged_stop};
static const struct gn_transport_ops transport_b = {.name = "b", .start = start_b, .stop = logged_stop};
static const struct gn_transport_ops stateless = {.name = "stateless"};
static const struct gn_security_ops security_c = {.id = "/c", .start = start_c, .stop = logged_stop};
static int start_service(struct gn_node *node, const void *config, void **state)
{
	(void)node;
	(void)state;
	seen = config;
	return 0;
}

static void stop_service(void *state)
{
	(void)state;
}

static const struct gn_service_ops service = {.name = "service", .start = start_service, .stop = stop_service};
static const struct gn_security_ops security_d = {.id = "/d", .start = start_d}; /* without stop */

static int try_node(const struct gn_component_cfg *configs, struct gn_node **out)
{
	static const struct gn_transport_ops *const transports[] = {&transport_a, &stateless, &transport_b, NULL};
	static const struct gn_security_ops *const securities[] = {&security_c, &security_d, NULL};
	static const struct gn_muxer_ops *const muxers[] = {&gn_muxer_yamux, NULL};
	static const struct gn_service_ops *const services[] = {&service, NULL};
	struct gn_components all = {transports, securities, muxers, NULL};
	struct gn_node_cfg cfg;
	struct gn_loop *loop;
	struct gn_key *key;
	int err;

	calls[0] = '\0';
	gn_node_cfg_init(&cfg);
	assert_int_equal(gn_loop_new_virtual(&loop), 0);
	assert_int_equal(gn_key_new(&key), 0);
	cfg.loop = loop;
	cfg.key = key;
	cfg.components = &all;
	cfg.configs = configs;
	if (configs != NULL && configs[0].component == &service)
		all.services = services;
	err = gn_node_new(&cfg, out);
	if (err == 0)
		gn_node_free(*out);
	gn_key_free(key);
	gn_loop_free(loop);
	return err;
}

static void components_start_in_order_and_stop_in_reverse(void **state)
{
	struct gn_node *node = NULL;

	(void)state;
	fails = '\0';
	assert_int_equal(try_node(NULL, &node), 0);
	assert_non_null(node);
	assert_string_equal(calls, "abcdCBA");
	assert_null(seen);
}

static void a_failed_start_stops_those_before_it(void **state)
{
	static const char *const expected[] = {"a", "abA", "abcBA", "abcdCBA"};
	struct gn_node *node = NULL;

	(void)state;
	for (int i = 0; i < 4; i++) {
		fails = (char)('a' + i);
		assert_int_equal(try_node(NULL, &node), -EDOM);
		assert_null(node);
		assert_string_equal(calls, expected[i]);
	}
	fails = '\0';
}

static void a_configuration_reaches_its_component(void **state)
{
	static const int value = 7;
	const struct gn_component_cfg good[] = {{&transport_b, &value}, {NULL, NULL}};
	const struct gn_component_cfg twice[] = {{&gn_muxer_yamux, NULL}, {&transport_b, NULL}, {NULL, NULL}};
	const struct gn_component_cfg foreign[] = {{&transport_b, &value}, {&gn_transport_tcp, &value}, {NULL, NULL}};
	const struct gn_component_cfg of_service[] = {{&service, &value}, {NULL, NULL}};
	const struct gn_component_cfg of_muxer[] = {{&gn_muxer_yamux, &value}, {NULL, NULL}};
	const struct gn_component_cfg needless[] = {{&stateless, &value}, {NULL, NULL}};
	struct gn_node *node;

	(void)state;
	assert_int_equal(try_node(good, &node), 0);
	assert_ptr_equal(seen, &value);
	assert_int_equal(try_node(twice, &node), 0);
	assert_null(seen);
	assert_int_equal(try_node(foreign, &node), -EINVAL); /* the node does not have this component */
	assert_string_equal(calls, "");
	assert_int_equal(try_node(of_muxer, &node), -EINVAL); /* a muxer has no configuration */
	assert_int_equal(try_node(of_service, &node), 0);
	assert_ptr_equal(seen, &value);
	assert_int_equal(try_node(needless, &node), -EINVAL); /* this transport has no configuration */
	assert_string_equal(calls, "aA");
}

/* ---- states in every call ---- */

/* A security protocol that forwards to Noise.  Its state contains a second state of Noise. */
struct other {
	void *noise;
	unsigned prepared, layers;
};

static int other_start(struct gn_node *node, const void *config, void **state)
{
	struct other *o = calloc(1, sizeof *o);

	assert_non_null(o);
	assert_int_equal(gn_security_noise.start(node, config, &o->noise), 0);
	*state = o;
	return 0;
}

static void other_stop(void *state)
{
	struct other *o = state;

	gn_security_noise.stop(o->noise);
	free(o);
}

static void other_prepare(void *state)
{
	struct other *o = state;

	o->prepared++;
	gn_security_noise.prepare(o->noise);
}

static int other_init(struct gn_layer *l, const void *cfg)
{
	struct gn_secure_cfg inner = *(const struct gn_secure_cfg *)cfg;
	struct other *o = inner.state;

	o->layers++;
	inner.state = o->noise;
	return gn_security_noise.layer->init(l, &inner);
}

static const struct gn_secure_info *other_info(const struct gn_layer *l)
{
	return gn_security_noise.info(l);
}

static struct gn_layer_ops other_layer; /* a copy of the layer of Noise with another name and init */
static const struct gn_security_ops other = {
	.id = "/other",
	.start = other_start,
	.stop = other_stop,
	.layer = &other_layer,
	.info = other_info,
	.prepare = other_prepare,
};

/* A transport that forwards to mem and counts the calls in its state. */
struct counted {
	unsigned dials, listens;
};

static int counted_start(struct gn_node *node, const void *config, void **state)
{
	(void)node;
	(void)config;
	*state = calloc(1, sizeof(struct counted));
	return *state != NULL ? 0 : -ENOMEM;
}

static bool counted_is_for(const struct gn_multiaddr *addr)
{
	return gn_transport_mem.is_for(addr);
}

static int counted_dial(void *state, const struct gn_link_dial_cfg *cfg, struct gn_link_dial **out)
{
	((struct counted *)state)->dials++;
	return gn_transport_mem.dial(NULL, cfg, out);
}

static void counted_cancel(struct gn_link_dial *op)
{
	gn_transport_mem.cancel(op);
}

static int counted_listen(void *state, const struct gn_link_listen_cfg *cfg, struct gn_link_listener **out,
			  struct gn_multiaddr **bound)
{
	((struct counted *)state)->listens++;
	return gn_transport_mem.listen(NULL, cfg, out, bound);
}

static void counted_close(struct gn_link_listener *l)
{
	gn_transport_mem.close(l);
}

static const struct gn_transport_ops counted = {
	.name = "counted",
	.start = counted_start,
	.stop = free,
	.is_for = counted_is_for,
	.dial = counted_dial,
	.cancel = counted_cancel,
	.listen = counted_listen,
	.close = counted_close,
};

static const struct gn_components *with_securities(const struct gn_security_ops *const *securities)
{
	static const struct gn_transport_ops *const transports[] = {&counted, NULL};
	static const struct gn_muxer_ops *const muxers[] = {&gn_muxer_yamux, NULL};
	static struct gn_components all[3];
	static unsigned n;
	struct gn_components *c = &all[n++ % 3];

	*c = (struct gn_components){transports, securities, muxers, NULL};
	return c;
}

static void tune_both(struct gn_node_cfg *cfg)
{
	static const struct gn_security_ops *const securities[] = {&gn_security_noise, &other, NULL};

	cfg->components = with_securities(securities);
}

static void tune_noise(struct gn_node_cfg *cfg)
{
	static const struct gn_security_ops *const securities[] = {&gn_security_noise, NULL};

	cfg->components = with_securities(securities);
}

static void tune_other(struct gn_node_cfg *cfg)
{
	static const struct gn_security_ops *const securities[] = {&other, NULL};

	cfg->components = with_securities(securities);
}

/* ---- frames in both directions ---- */

enum { ROUNDS = 200, FRAME = 700 };

struct client {
	struct gn_channel *ch;
	unsigned sent, got;
	uint8_t mark;
};

static void on_echo(void *arg, struct gn_channel *ch, unsigned events)
{
	const void *frame;
	size_t len;

	(void)arg;
	if ((events & GN_DEAD) != 0) {
		gn_channel_free(ch);
		return;
	}
	while (gn_channel_receive(ch, &frame, &len) == 0)
		assert_int_equal(gn_channel_send(ch, frame, len), 0);
}

static void on_open(void *arg, struct gn_channel *ch)
{
	gn_channel_on_event(ch, on_echo, arg);
}

static void client_send(struct client *c)
{
	uint8_t frame[FRAME];

	memset(frame, (int)(c->mark + c->sent++), sizeof frame);
	assert_int_equal(gn_channel_send(c->ch, frame, sizeof frame), 0);
}

static void on_client(void *arg, struct gn_channel *ch, unsigned events)
{
	struct client *c = arg;
	const void *frame;
	size_t len;

	assert_int_equal(events & GN_DEAD, 0);
	while (gn_channel_receive(ch, &frame, &len) == 0) {
		assert_int_equal(len, FRAME);
		assert_int_equal(*(const uint8_t *)frame, (uint8_t)(c->mark + c->got));
		if (++c->got < ROUNDS)
			client_send(c);
	}
}

static void on_dialed(void *arg, int err, struct gn_channel *ch)
{
	struct client *c = arg;

	assert_int_equal(err, 0);
	c->ch = ch;
	gn_channel_on_event(ch, on_client, c);
	client_send(c);
}

static void two_securities_run_at_the_same_time(void **state)
{
	const struct gn_protocol_cfg echo = {.id = "/echo", .kind = GN_FRAMES, .on_open = on_open};
	struct net w = {.n = 3};
	struct client client[2] = {{.mark = 1}, {.mark = 100}};
	const struct other *o;
	const struct counted *c;

	(void)state;
	other_layer = *gn_security_noise.layer;
	other_layer.name = "/other";
	other_layer.init = other_init;
	assert_int_equal(gn_loop_new_virtual(&w.loop), 0);
	net_add(&w, 0, tune_both);
	net_add(&w, 1, tune_noise);
	net_add(&w, 2, tune_other);
	o = gn_components_state(&w.node[0]->components, &other);
	assert_int_equal(o->prepared, 1); /* once, when the node began to listen */
	assert_int_equal(gn_protocol_add(w.node[0], &echo), 0);
	for (size_t i = 0; i < 2; i++) {
		const struct gn_multiaddr *addr = w.addr[0];
		struct gn_dial_cfg dial = {.target.addrs = &addr,
					   .target.n_addrs = 1,
					   .protocol = "/echo",
					   .kind = GN_FRAMES,
					   .on_done = on_dialed,
					   .arg = &client[i]};
		struct gn_dial *op;

		assert_int_equal(gn_dial_start(w.node[i + 1], &dial, &op), 0);
	}
	net_run(&w, 5 * GN_SEC);
	assert_int_equal(client[0].got, ROUNDS);
	assert_int_equal(client[1].got, ROUNDS);
	o = gn_components_state(&w.node[0]->components, &other);
	assert_int_equal(o->layers, 1);
	o = gn_components_state(&w.node[2]->components, &other);
	assert_true(o->prepared > 1); /* the dialer prepares also while it waits for the answer */
	assert_int_equal(o->layers, 1);
	assert_null(gn_components_state(&w.node[1]->components, &other));
	c = gn_components_state(&w.node[0]->components, &counted);
	assert_int_equal(c->listens, 1);
	assert_int_equal(c->dials, 0);
	c = gn_components_state(&w.node[1]->components, &counted);
	assert_int_equal(c->listens, 1);
	assert_int_equal(c->dials, 1);
	for (size_t i = 0; i < 2; i++) {
		gn_channel_free(client[i].ch);
		client[i].ch = NULL;
	}
	net_run(&w, GN_SEC);
	net_fini(&w);
}

/* ---- the arguments of dial and listen ---- */

static struct gn_node *named_node;
static char named[1024]; /* the address and the host name of each dial */

static bool named_is_for(const struct gn_multiaddr *addr)
{
	return gn_multiaddr_has(addr, GN_MA_TCP);
}

static int named_dial(void *state, const struct gn_link_dial_cfg *cfg, struct gn_link_dial **out)
{
	char *text = gn_multiaddr_format(cfg->addr);

	(void)state;
	(void)out;
	assert_ptr_equal(cfg->node, named_node);
	strcat(strcat(named, text), " ");
	strcat(strcat(named, cfg->name != NULL ? cfg->name : "-"), "\n");
	free(text);
	return -ECONNREFUSED;
}

static int named_listen(void *state, const struct gn_link_listen_cfg *cfg, struct gn_link_listener **out,
			struct gn_multiaddr **bound)
{
	(void)state;
	(void)out;
	(void)bound;
	assert_ptr_equal(cfg->node, named_node);
	return -EADDRINUSE;
}

static const struct gn_transport_ops named_transport = {.name = "named",
							.is_for = named_is_for,
							.dial = named_dial,
							.listen = named_listen};

static void on_refused(void *arg, int err, struct gn_channel *ch)
{
	assert_int_equal(err, -ECONNREFUSED);
	assert_null(ch);
	gn_loop_stop(arg);
}

static const char *dialed(struct gn_loop *loop, const char *text)
{
	struct gn_multiaddr *addr = net_addr(text);
	const struct gn_multiaddr *addrs = addr;
	struct gn_dial_cfg dial = {.target.addrs = &addrs,
				   .target.n_addrs = 1,
				   .protocol = "/none",
				   .on_done = on_refused,
				   .arg = loop};
	struct gn_dial *op;

	named[0] = '\0';
	assert_int_equal(gn_dial_start(named_node, &dial, &op), 0);
	gn_multiaddr_free(addr);
	assert_int_equal(gn_loop_run(loop), 0);
	return named;
}

static void a_transport_gets_the_node_and_the_name(void **state)
{
	static const struct dns_entry zone[] = {
		{"host.test", GN_DNS_A, "192.0.2.1"},
		{"_dnsaddr.boot.test", GN_DNS_TXT, "dnsaddr=/dns4/host.test/tcp/2"},
		{"_dnsaddr.boot.test", GN_DNS_TXT, "dnsaddr=/ip4/192.0.2.3/tcp/3"},
		{NULL, GN_DNS_A, NULL},
	};
	static const struct gn_transport_ops *const transports[] = {&named_transport, NULL};
	struct gn_components all = *test_node_components();
	struct dns_server server;
	struct gn_multiaddr *at;
	struct gn_node_cfg cfg;
	struct gn_loop *loop;
	struct gn_key *key;

	(void)state;
	assert_int_equal(gn_loop_new(&loop), 0);
	dns_server_start(&server, loop, zone);
	gn_node_cfg_init(&cfg);
	assert_int_equal(gn_key_new(&key), 0);
	all.transports = transports;
	cfg.loop = loop;
	cfg.key = key;
	cfg.components = &all;
	assert_int_equal(gn_node_new(&cfg, &named_node), 0);
	assert_string_equal(dialed(loop, "/ip4/192.0.2.9/tcp/9"), "/ip4/192.0.2.9/tcp/9 -\n");
	assert_string_equal(dialed(loop, "/dns4/host.test/tcp/1"), "/ip4/192.0.2.1/tcp/1 host.test\n");
	assert_string_equal(dialed(loop, "/dnsaddr/boot.test"), "/ip4/192.0.2.1/tcp/2 host.test\n"
								"/ip4/192.0.2.3/tcp/3 boot.test\n");
	at = net_addr("/ip4/127.0.0.1/tcp/0");
	assert_int_equal(gn_node_listen(named_node, at, NULL), -EADDRINUSE);
	gn_multiaddr_free(at);
	gn_node_free(named_node);
	gn_key_free(key);
	dns_server_stop(&server);
	gn_loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(components_start_in_order_and_stop_in_reverse),
		cmocka_unit_test(a_failed_start_stops_those_before_it),
		cmocka_unit_test(a_configuration_reaches_its_component),
		cmocka_unit_test(two_securities_run_at_the_same_time),
		cmocka_unit_test(a_transport_gets_the_node_and_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
