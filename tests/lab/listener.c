/* SPDX-License-Identifier: MIT */
/*
 * A listener that comes up later:
 *
 *   listener ADDR
 *
 * It prints the events of its listener, one a line, "listener-up ADDR" or "listener-down ADDR ERROR", until it is killed.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "gn.h"

static void check(int error, const char *what)
{
	if (error != 0)
		errx(1, "%s: %s", what, gn_strerror(error));
}

static void on_event(void *arg, const struct gn_event *event)
{
	char *text;

	(void)arg;
	if (event->type != GN_EVENT_LISTENER_UP && event->type != GN_EVENT_LISTENER_DOWN)
		return;
	text = gn_multiaddr_format(event->addr);
	if (printf("%s %s%s%s\n", gn_event_name(event->type), text != NULL ? text : "?", event->err != 0 ? " " : "",
		   event->err != 0 ? gn_errname(event->err) : "") < 0 ||
	    fflush(stdout) != 0)
		errx(1, "standard output");
	free(text);
}

int main(int argc, char **argv)
{
	struct gn_listener_cfg listen = {.retry = true};
	struct gn_multiaddr *addr;
	struct gn_listener *listener;
	struct gn_node_cfg cfg;
	struct gn_node *node;
	struct gn_key *key;

	if (argc != 2)
		errx(2, "usage: listener ADDR");
	gn_node_cfg_init(&cfg);
	check(gn_key_new(&key), "key");
	check(gn_loop_new(&cfg.loop), "loop");
	cfg.key = key;
	cfg.on_event = on_event;
	check(gn_node_new(&cfg, &node), "node");
	check(gn_multiaddr_parse(argv[1], &addr, NULL), "address");
	listen.addr = addr;
	check(gn_listener_open(node, &listen, &listener), "listen");
	check(gn_loop_run(cfg.loop), "run");
	return 0;
}
