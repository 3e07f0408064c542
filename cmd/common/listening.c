/* SPDX-License-Identifier: MIT */
#include "listening.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "exit.h"
#include "json.h"

#define PORT_TRIES 16 /* attempts to find a port that is free for IPv4 and for IPv6 */
#define LINES_MAX 8   /* addresses that are printed without -v */

int listening_init(struct listening *l, const char *const *texts, size_t n, struct fault *f)
{
	*l = (struct listening){0};
	if (n == 0)
		return 0;
	l->wanted = calloc(n, sizeof *l->wanted);
	if (l->wanted == NULL)
		return fault_set(f, "out of memory");
	for (; l->n < n; l->n++) {
		address_take(texts[l->n], &l->wanted[l->n]);
		if (l->wanted[l->n].token[0])
			return fault_set(f, "an address to listen on has no token; remove the # and the token: "
					    " gn-cat -l makes one, and --token-file keeps it");
	}
	return 0;
}

int listening_announce(struct listening *l, const struct opt_list *texts, struct fault *f)
{
	if (texts->n == 0)
		return 0;
	l->announced = calloc(texts->n, sizeof *l->announced);
	if (l->announced == NULL)
		return fault_set(f, "out of memory");
	for (; l->n_announced < texts->n; l->n_announced++) {
		address_take(texts->v[l->n_announced], &l->announced[l->n_announced]);
		if (l->announced[l->n_announced].token[0])
			return fault_set(f, "--announce: an address without # and token is needed");
	}
	return 0;
}

void listening_fini(struct listening *l)
{
	for (size_t i = 0; i < l->n; i++)
		address_fini(&l->wanted[i]);
	for (size_t i = 0; i < l->n_announced; i++)
		address_fini(&l->announced[i]);
	free(l->announced);
	for (size_t i = 0; i < l->n_shown; i++)
		free(l->shown[i]);
	free(l->wanted);
	free(l->shown);
	*l = (struct listening){0};
}

/* Ends the tool.  A failure to listen is a local failure, whatever its reason. */
static _Noreturn void cannot_listen(const struct gn_multiaddr *addr, int err)
{
	char *text = gn_multiaddr_format(addr), why[ADDRESS_ERROR_MAX];

	die(EXIT_LOCAL, "cannot listen on %s: %s", text != NULL ? text : "?", address_strerror(addr, err, why));
}

/* An address to listen on may end in this node's own id, but not in another one. */
static void check_id(const struct address *a, const struct gn_node *node)
{
	char own[GN_PEER_ID_TEXT_MAX], other[GN_PEER_ID_TEXT_MAX];
	struct gn_peer_id id;

	gn_node_id(node, &id);
	if (a->peer.len == 0 || gn_peer_id_is_equal(&a->peer, &id))
		return;
	die_usage("the address to listen on ends in another peer's id, %s, and the key here is that of %s; remove "
		  "/p2p/ID, "
		  "or to dial remove -l",
		  gn_peer_id_format(&a->peer, other), gn_peer_id_format(&id, own));
}

static void listen_wanted(struct listening *l, struct gn_node *node)
{
	int err;

	for (size_t i = 0; i < l->n; i++)
		check_id(&l->wanted[i], node);
	for (size_t i = 0; i < l->n; i++) {
		err = gn_node_listen(node, l->wanted[i].addr, NULL);
		if (err != 0)
			cannot_listen(l->wanted[i].addr, err);
	}
}

/* Listens on every interface, with IPv4 or IPv6.  *port: the port, or 0 for a free one, which is stored
 * there. */
static int listen_any(struct gn_node *node, bool is_ip6, unsigned *port)
{
	struct gn_multiaddr *wanted, *bound;
	char *text, *tcp, format[40];
	int err;

	snprintf(format, sizeof format, "/%s/tcp/%u", is_ip6 ? "ip6/::" : "ip4/0.0.0.0", *port);
	err = gn_multiaddr_parse(format, &wanted, NULL);
	if (err != 0)
		return err;
	err = gn_node_listen(node, wanted, &bound);
	gn_multiaddr_free(wanted);
	if (err != 0)
		return err;
	text = gn_multiaddr_format(bound);
	tcp = text != NULL ? strstr(text, "/tcp/") : NULL;
	if (tcp != NULL)
		*port = (unsigned)strtoul(tcp + strlen("/tcp/"), NULL, 10);
	free(text);
	gn_multiaddr_free(bound);
	return tcp != NULL ? 0 : -ENOMEM;
}

/* Listens on the same port for IPv4 and IPv6, so that one firewall rule or port forwarding opens both.  A
 * host that has only one of them listens on that one. */
static int listen_everywhere(struct gn_node *node)
{
	unsigned port = 0, other = 0;
	int err, err6;

	for (int i = 0; i < PORT_TRIES; i++) {
		port = 0;
		err = listen_any(node, false, &port);
		err6 = listen_any(node, true, &port);
		if (err6 != -EADDRINUSE || err != 0)
			return err6 ? err : 0;
		gn_node_unlisten(node);
	}
	/* All those ports were in use for IPv6: two different ports are better than none. */
	err = listen_any(node, false, &port);
	err6 = listen_any(node, true, &other);
	return err6 ? err : 0;
}

static char *with_token(const struct gn_multiaddr *a, const char *token)
{
	char *text = gn_multiaddr_format(a), *both;
	size_t len;

	if (text == NULL || token == NULL)
		return text;
	len = strlen(text);
	both = realloc(text, len + 1 + strlen(token) + 1);
	if (both == NULL) {
		free(text);
		return NULL;
	}
	both[len] = '#';
	memcpy(both + len + 1, token, strlen(token) + 1);
	return both;
}

/* Ends the tool when an address cannot be announced. */
static void announce_all(const struct listening *l, struct gn_node *node)
{
	for (size_t i = 0; i < l->n_announced; i++) {
		const struct gn_multiaddr *addr = l->announced[i].addr;
		int err = gn_addr_announce(node, addr);
		char *text;

		if (err == 0)
			continue;
		text = gn_multiaddr_format(addr);
		if (err == GN_ENOTRANS)
			die_usage("--announce %s: the port is missing, as in /ip4/192.0.2.7/tcp/4040",
				  text != NULL ? text : "?");
		if (err == GN_EPEERID)
			die_usage("--announce %s: the address ends in another peer's id; remove /p2p/ID",
				  text != NULL ? text : "?");
		if (err == GN_ENONAME)
			die_usage("--announce %s: a peer id alone is no address", text != NULL ? text : "?");
		die(exit_code(err), "--announce %s: %s", text != NULL ? text : "?", gn_strerror(err));
	}
}

int listening_start(struct listening *l, struct gn_node *node, const char *token)
{
	struct gn_multiaddr **addrs;
	size_t n;
	int err = 0;

	if (l->n != 0)
		listen_wanted(l, node);
	else
		err = listen_everywhere(node);
	if (err != 0)
		die(EXIT_LOCAL, "cannot listen on any address: %s", gn_strerror(err));
	announce_all(l, node);
	err = gn_node_addrs(node, &addrs, &n);
	if (err != 0)
		return err;
	l->shown = calloc(n != 0 ? n : 1, sizeof *l->shown);
	for (; l->shown != NULL && l->n_shown < n; l->n_shown++) {
		l->shown[l->n_shown] = with_token(addrs[l->n_shown], token);
		if (l->shown[l->n_shown] == NULL)
			break;
	}
	err = l->shown != NULL && l->n_shown == n ? 0 : -ENOMEM;
	gn_multiaddrs_free(addrs, n);
	return err;
}

void listening_show(const struct listening *l, bool json, bool all)
{
	size_t n = all || l->n_shown <= LINES_MAX ? l->n_shown : LINES_MAX;
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
	for (size_t i = 0; i < n; i++)
		diag("listening on %s", l->shown[i]);
	if (n < l->n_shown)
		diag("and on %zu more addresses (-v shows them)", l->n_shown - n);
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
	if (text == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_shown; i++)
		at += (size_t)sprintf(text + at, "%s\n", l->shown[i]);
	for (at = 0; at < len && err == 0; at += n > 0 ? (size_t)n : 0) {
		n = write(fd, text + at, len - at);
		if (n < 0 && errno != EINTR)
			err = -errno;
	}
	free(text);
	/* Descriptors 1 and 2 have other uses, so they stay open. */
	if (fd > STDERR_FILENO)
		close(fd);
	return err;
}
