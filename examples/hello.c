/* SPDX-License-Identifier: MIT */
/* Sends a name to a peer over an encrypted connection and prints the greeting that it answers.
 *   cc hello.c -o hello $(pkg-config --cflags --libs golem-net)
 *   ./hello                   listens, and prints the command for the other end
 *   ./hello ADDRESS NAME      dials */
#include <gn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char protocol[] = "/example/hello/1.0.0";
static char hello[] = "Hello";
static struct gn_loop *loop;

static void check(int err, const char *what)
{
	if (err) {
		fprintf(stderr, "%s: %s\n", what, gn_strerror(err));
		exit(1);
	}
}

/* Answers one frame and ends the stream; both are still sent after gn_channel_free(). */
static void on_question(void *greeting, struct gn_channel *ch, unsigned events)
{
	const void *frame;
	char text[256];
	size_t len = 0;
	int err = events & GN_DEAD ? gn_channel_error(ch) : gn_channel_receive(ch, &frame, &len);

	if (err == GN_EAGAIN)
		return;
	if (!err) {
		snprintf(text, sizeof text, "%s, %.*s!", (char *)greeting, len < 200 ? (int)len : 200,
			 (const char *)frame);
		if (!gn_channel_send(ch, text, strlen(text)))
			gn_channel_end(ch);
	}
	gn_channel_free(ch);
}

static void on_open(void *greeting, struct gn_channel *ch)
{
	gn_channel_on_event(ch, on_question, greeting);
}

/* The dialer prints the answer, or the error. */
static void on_answer(void *name, struct gn_channel *ch, unsigned events)
{
	const void *frame;
	size_t len = 0;
	int err = events & GN_DEAD ? gn_channel_error(ch) : gn_channel_receive(ch, &frame, &len);

	if (err == GN_EAGAIN)
		return;
	check(err, name);
	printf("%.*s\n", (int)len, (const char *)frame);
	gn_channel_free(ch);
	gn_loop_stop(loop);
}

static void on_dialed(void *name, int err, struct gn_channel *ch)
{
	check(err, "dial");
	gn_channel_on_event(ch, on_answer, name);
	check(gn_channel_send(ch, name, strlen(name)), "send");
	check(gn_channel_end(ch), "send");
}

int main(int argc, char **argv)
{
	struct gn_protocol_cfg serve = {.id = protocol, .kind = GN_FRAMES, .on_open = on_open, .arg = hello};
	struct gn_dial_cfg dial = {.target.n_addrs = 1, .protocol = protocol, .kind = GN_FRAMES, .on_done = on_dialed};
	struct gn_multiaddr *addr, *bound;
	struct gn_node_cfg cfg;
	struct gn_node *node;
	struct gn_dial *op;
	struct gn_key *key;

	gn_node_cfg_init(&cfg);
	check(gn_loop_new(&loop), "loop");
	check(gn_key_new(&key), "key");
	cfg.loop = loop;
	cfg.key = key;
	check(gn_node_new(&cfg, &node), "node");
	check(gn_multiaddr_parse(argc > 2 ? argv[1] : "/ip4/127.0.0.1/tcp/0", &addr, NULL), "address");
	if (argc > 2) {
		dial.target.addrs = (const struct gn_multiaddr *const *)&addr;
		dial.arg = argv[2];
		check(gn_dial_start(node, &dial, &op), "dial");
	} else {
		check(gn_protocol_add(node, &serve), "protocol");
		check(gn_node_listen(node, addr, &bound), "listen");
		fprintf(stderr, "./hello %s NAME\n", gn_multiaddr_format(bound));
	}
	check(gn_loop_run(loop), "loop");
	gn_node_free(node);
	gn_loop_free(loop);
}
