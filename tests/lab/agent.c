/* SPDX-License-Identifier: MIT */
/*
 * A peer whose agent string and protocol are given on the command line:
 *
 *   agent AGENT PROTOCOL
 *
 * Escapes (\xHH) in both stand for bytes.  It prints its address, and then serves identify until it is killed.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gn.h"

static char *unescape(char *text)
{
	char *out = text;

	for (char *in = text; *in != '\0'; out++) {
		if (in[0] == '\\' && in[1] == 'x' && in[2] != '\0' && in[3] != '\0') {
			char hex[3] = {in[2], in[3], '\0'};

			*out = (char)strtoul(hex, NULL, 16);
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
	return text;
}

static void on_open(void *arg, struct gn_channel *ch)
{
	(void)arg;
	gn_channel_reset(ch);
	gn_channel_free(ch);
}

static void check(int error, const char *what)
{
	if (error != 0)
		errx(1, "%s: %s", what, gn_strerror(error));
}

int main(int argc, char **argv)
{
	struct gn_protocol_cfg protocol = {.kind = GN_BYTES, .on_open = on_open};
	struct gn_multiaddr *addr, *bound;
	struct gn_node_cfg cfg;
	struct gn_node *node;
	struct gn_key *key;
	char *text;

	if (argc != 3)
		errx(2, "usage: agent AGENT PROTOCOL");
	gn_node_cfg_init(&cfg);
	check(gn_key_new(&key), "key");
	check(gn_loop_new(&cfg.loop), "loop");
	cfg.key = key;
	cfg.agent = unescape(argv[1]);
	protocol.id = unescape(argv[2]);
	check(gn_node_new(&cfg, &node), "node");
	check(gn_protocol_add(node, &protocol), protocol.id);
	check(gn_multiaddr_parse("/ip4/127.0.0.1/tcp/0", &addr, NULL), "address");
	check(gn_node_listen(node, addr, &bound), "listen");
	text = gn_multiaddr_format(bound);
	if (text == NULL || puts(text) < 0 || fflush(stdout) != 0)
		errx(1, "standard output");
	check(gn_loop_run(cfg.loop), "run");
	return 0;
}
