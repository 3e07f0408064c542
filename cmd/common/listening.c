/* SPDX-License-Identifier: MIT */
#include "listening.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "json.h"

int listening_init(struct listening *l, const char *const *texts, size_t n, struct fault *f)
{
	*l = (struct listening){0};
	if (!n)
		return 0;
	l->wanted = calloc(n, sizeof *l->wanted);
	if (!l->wanted)
		return say_fault(f, "out of memory");
	for (; l->n < n; l->n++)
		address_take(texts[l->n], &l->wanted[l->n]);
	return 0;
}

void listening_fini(struct listening *l)
{
	for (size_t i = 0; i < l->n; i++)
		address_fini(&l->wanted[i]);
	for (size_t i = 0; i < l->n_shown; i++)
		free(l->shown[i]);
	free(l->wanted);
	free(l->shown);
	*l = (struct listening){0};
}

static int listen_wanted(struct listening *l, struct gn_node *node)
{
	char *text;
	int err;

	for (size_t i = 0; i < l->n; i++) {
		err = gn_node_listen(node, l->wanted[i].addr, NULL);
		if (err) {
			text = gn_multiaddr_format(l->wanted[i].addr);
			say("cannot listen on %s: %s", text ? text : "?", gn_strerror(err));
			free(text);
			return err;
		}
	}
	return 0;
}

/* A host without IPv6, or without IPv4, still listens on the other. */
static int listen_everywhere(struct gn_node *node)
{
	static const char *const texts[] = {"/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0"};
	int err[2] = {0};
	struct gn_multiaddr *a;

	for (int i = 0; i < 2; i++) {
		err[i] = gn_multiaddr_parse(texts[i], &a, NULL);
		if (err[i])
			continue;
		err[i] = gn_node_listen(node, a, NULL);
		gn_multiaddr_free(a);
	}
	if (!err[0] || !err[1])
		return 0;
	say("cannot listen on %s: %s", texts[0], gn_strerror(err[0]));
	return err[0];
}

static char *with_token(const struct gn_multiaddr *a, const char *token)
{
	char *text = gn_multiaddr_format(a), *both;
	size_t len;

	if (!text || !token)
		return text;
	len = strlen(text);
	both = realloc(text, len + 1 + strlen(token) + 1);
	if (!both) {
		free(text);
		return NULL;
	}
	both[len] = '#';
	memcpy(both + len + 1, token, strlen(token) + 1);
	return both;
}

int listening_start(struct listening *l, struct gn_node *node, const char *token)
{
	struct gn_multiaddr **addrs;
	size_t n;
	int err;

	err = l->n ? listen_wanted(l, node) : listen_everywhere(node);
	if (err)
		return err;
	err = gn_node_addrs(node, &addrs, &n);
	if (err)
		return err;
	l->shown = calloc(n ? n : 1, sizeof *l->shown);
	for (; l->shown && l->n_shown < n; l->n_shown++) {
		l->shown[l->n_shown] = with_token(addrs[l->n_shown], token);
		if (!l->shown[l->n_shown])
			break;
	}
	err = l->shown && l->n_shown == n ? 0 : -ENOMEM;
	gn_multiaddrs_free(addrs, n);
	return err;
}

void listening_show(const struct listening *l, bool json)
{
	struct json j;

	if (json) {
		json_open(&j);
		json_string(&j, "event", "listening");
		json_array(&j, "addrs");
		for (size_t i = 0; i < l->n_shown; i++)
			json_string(&j, NULL, l->shown[i]);
		json_send(&j, STDERR_FILENO);
		return;
	}
	for (size_t i = 0; i < l->n_shown; i++)
		say("listening on %s", l->shown[i]);
}

int listening_ready(const struct listening *l, int fd)
{
	size_t len = 0, at = 0;
	char *text;
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return 0;
	for (size_t i = 0; i < l->n_shown; i++)
		len += strlen(l->shown[i]) + 1;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_shown; i++)
		at += (size_t)sprintf(text + at, "%s\n", l->shown[i]);
	for (at = 0; at < len && !err; at += n > 0 ? (size_t)n : 0) {
		n = write(fd, text + at, len - at);
		if (n < 0 && errno != EINTR)
			err = -errno;
	}
	free(text);
	/* fds 1 and 2 stay: they are more than the one who waits for this line */
	if (fd > STDERR_FILENO)
		close(fd);
	return err;
}
