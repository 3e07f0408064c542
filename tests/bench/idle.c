/* SPDX-License-Identifier: MIT */
/*
 * Idle connections, to measure their memory.
 *
 *   idle serve N            N nodes with N identities; prints their addresses, one per line
 *   idle dial one FILE      one node dials the addresses in FILE in turn, and then again from the first
 *   idle dial each FILE     the same with a node of its own for every dial
 *
 * Each line of a dialer's stdin is the number of further connections to make; when all of
 * them are identified and pinged it prints "ready".  All connections stay open until the end of
 * stdin, or of the program.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gn.h"

enum { AT_ONCE = 16, MANY = 100000 };

struct driver {
	struct gn_loop *loop;
	struct gn_watch *watch;
	struct gn_node *one; /* NULL: every dial has a node of its own */
	struct gn_multiaddr **addrs;
	size_t n_addrs, next;
	unsigned wanted, busy;
};

/* A connection that is being made.  It is pinged first, and then identified. */
struct visit {
	struct driver *d;
	struct gn_node *node;
	const struct gn_multiaddr *addr;
	struct gn_ping *ping;
	struct gn_identify *identify;
};

static void check(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, gn_strerror(r));
}

static struct gn_node *new_node(struct gn_loop *loop)
{
	struct gn_node_cfg cfg;
	struct gn_node *node;
	struct gn_key *key;

	gn_node_cfg_init(&cfg);
	check(gn_key_new(&key), "key");
	cfg.loop = loop;
	cfg.key = key;
	cfg.limits.conns = MANY;
	cfg.limits.conns_per_addr = MANY;
	cfg.limits.conns_pending = MANY;
	check(gn_node_new(&cfg, &node), "node");
	gn_key_free(key);
	return node;
}

static void serve(struct gn_loop *loop, unsigned n)
{
	struct gn_multiaddr *at, *bound;

	check(gn_multiaddr_parse("/ip4/127.0.0.1/tcp/0", &at, NULL), "address");
	for (; n > 0; n--) {
		char *text;

		check(gn_node_listen(new_node(loop), at, &bound), "listen");
		text = gn_multiaddr_format(bound);
		if (text == NULL)
			err(1, "address");
		puts(text);
		free(text);
		gn_multiaddr_free(bound);
	}
	fflush(stdout);
	gn_multiaddr_free(at);
}

static void go_on(struct driver *d);

static void on_identified(void *arg, int r, const struct gn_identify_info *info)
{
	struct visit *v = arg;
	struct driver *d = v->d;

	(void)info;
	check(r, "identify");
	free(v);
	d->busy--;
	go_on(d);
}

static void on_pinged(void *arg, int r)
{
	struct visit *v = arg;
	struct gn_identify_cfg cfg = {.target = {.addrs = &v->addr, .n_addrs = 1}, .on_done = on_identified, .arg = v};

	check(r, "ping");
	check(gn_identify_start(v->node, &cfg, &v->identify), "identify");
}

static void visit(struct driver *d)
{
	struct visit *v = calloc(1, sizeof *v);
	struct gn_ping_cfg cfg = {.count = 1, .on_done = on_pinged, .arg = v};

	if (v == NULL)
		err(1, "visit");
	v->d = d;
	v->node = d->one != NULL ? d->one : new_node(d->loop);
	v->addr = d->addrs[d->next++ % d->n_addrs];
	cfg.target.addrs = &v->addr;
	cfg.target.n_addrs = 1;
	d->wanted--;
	d->busy++;
	check(gn_ping_start(v->node, &cfg, &v->ping), "dial");
}

static void go_on(struct driver *d)
{
	while (d->wanted > 0 && d->busy < AT_ONCE)
		visit(d);
	if (d->wanted == 0 && d->busy == 0) {
		puts("ready");
		fflush(stdout);
	}
}

/* Each read of stdin returns one line, because lines are short and written at once. */
static void on_input(void *arg, unsigned ready)
{
	struct driver *d = arg;
	char text[32];
	ssize_t n = read(STDIN_FILENO, text, sizeof text - 1);

	(void)ready;
	if (n <= 0)
		exit(0);
	text[n] = '\0';
	d->wanted += (unsigned)strtoul(text, NULL, 10);
	go_on(d);
}

static void read_addrs(struct driver *d, const char *path)
{
	FILE *f = fopen(path, "r");
	char text[512];

	if (f == NULL)
		err(1, "%s", path);
	while (fgets(text, sizeof text, f) != NULL) {
		struct gn_multiaddr **more = realloc(d->addrs, (d->n_addrs + 1) * sizeof(*more));

		if (more == NULL)
			err(1, "%s", path);
		d->addrs = more;
		text[strcspn(text, "\n")] = '\0';
		check(gn_multiaddr_parse(text, &d->addrs[d->n_addrs], NULL), text);
		d->n_addrs++;
	}
	fclose(f);
	if (!d->n_addrs)
		errx(1, "%s: no address", path);
}

int main(int argc, char **argv)
{
	struct driver d = {0};

	check(gn_loop_new(&d.loop), "loop");
	if (argc == 3 && strcmp(argv[1], "serve") == 0) {
		serve(d.loop, (unsigned)strtoul(argv[2], NULL, 10));
	} else if (argc == 4 && strcmp(argv[1], "dial") == 0 &&
		   (strcmp(argv[2], "one") == 0 || strcmp(argv[2], "each") == 0)) {
		read_addrs(&d, argv[3]);
		if (strcmp(argv[2], "one") == 0)
			d.one = new_node(d.loop);
		check(gn_watch_new(d.loop, STDIN_FILENO, on_input, &d, &d.watch), "standard input");
		gn_watch_start(d.watch, GN_READABLE);
	} else {
		fputs("usage: idle serve N | idle dial one|each FILE\n", stderr);
		return 2;
	}
	check(gn_loop_run(d.loop), "loop");
	return 0;
}
