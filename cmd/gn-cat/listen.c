/* SPDX-License-Identifier: MIT */
/* The listener: serves one stream, or with --keep one after the other.  Waiting streams are negotiated, and
 * their data is held back by their windows. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cat.h"
#include "common/exit.h"
#include "common/json.h"
#include "common/netblock.h"
#include "common/diag.h"
#include "protocol.h"
#include "report.h"

#define CLOSE_LIMIT (2 * GN_SEC)
#define DRAIN_LIMIT (5 * GN_SEC)

struct waiting {
	struct waiting *next;
	struct gn_channel *ch;
};

/* OPEN        -- without --keep, the first stream arrives --> TAKEN: no other stream is accepted
 * OPEN, TAKEN -- the first signal --> DRAINING: the stream that is carried may finish
 */
enum listen_state { LISTEN_OPEN, LISTEN_TAKEN, LISTEN_DRAINING };

static struct {
	struct cat *c;
	enum listen_state state;
	struct gn_timer *turn; /* runs listen_on_turn() from the loop */
	struct waiting *first;
	uint64_t n_served; /* streams that were or are carried */
} st;

static void listen_refuse(struct gn_channel *ch)
{
	gn_channel_reset(ch);
	gn_channel_free(ch);
}

/* Removes the first waiting stream and returns its channel; NULL when there is none. */
static struct gn_channel *take_first(void)
{
	struct waiting *w = st.first;
	struct gn_channel *ch;

	if (w == NULL)
		return NULL;
	ch = w->ch;
	st.first = w->next;
	free(w);
	return ch;
}

static void refuse_all(void)
{
	struct gn_channel *ch;

	while ((ch = take_first()) != NULL)
		listen_refuse(ch);
}

static void listen_on_done(struct cat *c, const struct stream_result *v)
{
	bool is_broken = v->outcome == STREAM_INPUT || v->outcome == STREAM_OUTPUT;

	/* A failure of the peer ends its stream; a failure of stdin or stdout ends the tool. */
	if (!c->cfg.keep || is_broken) {
		refuse_all();
		if (c->closing)
			c->code = report_code(v);
		cat_close(c, report_code(v), CLOSE_LIMIT);
	} else if (c->closing) {
		c->code = report_code(v); /* the last stream after a signal */
	} else {
		gn_timer_start(st.turn, 0);
	}
}

static void listen_on_turn(void *arg)
{
	struct cat *c = arg;
	struct gn_channel *ch;
	int err;

	if (st.state == LISTEN_TAKEN && !c->closing) {
		gn_node_unlisten(c->node);
		gn_protocol_del(c->node, c->protocol);
	}
	if (c->stream != NULL || c->closing || (ch = take_first()) == NULL)
		return;
	err = carry_start(c, ch, NULL, listen_on_done);
	if (err == 0) {
		st.n_served++;
	} else {
		diag("a stream cannot be served: %s", gn_strerror(err));
		cat_close(c, exit_code(err), CLOSE_LIMIT);
	}
}

/* Called for a waiting stream: it may fail before its turn. */
static void listen_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct waiting *w = arg;

	if ((events & GN_DEAD) == 0)
		return;
	for (struct waiting **at = &st.first; *at != NULL; at = &(*at)->next) {
		if (*at == w) {
			*at = w->next;
			break;
		}
	}
	free(w);
	gn_channel_free(ch);
	if (st.c->cfg.log.verbose)
		diag("a waiting stream has ended");
	if (!st.c->cfg.keep) {
		diag("the stream was cut off before it began");
		cat_close(st.c, EXIT_RESET, CLOSE_LIMIT);
	}
}

static void listen_on_open(void *arg, struct gn_channel *ch)
{
	struct cat *c = arg;
	struct waiting *w, **at;

	w = st.state != LISTEN_OPEN || c->closing ? NULL : calloc(1, sizeof *w);
	if (w == NULL) {
		listen_refuse(ch);
		return;
	}
	if (!c->cfg.keep)
		st.state = LISTEN_TAKEN;
	w->ch = ch;
	gn_channel_on_event(ch, listen_on_event, w);
	for (at = &st.first; *at != NULL; at = &(*at)->next)
		;
	*at = w;
	gn_timer_start(st.turn, 0);
}

/* Whether the word needs no quotes in a command line. */
static bool listen_is_plain(const char *word)
{
	for (; *word != '\0'; word++)
		if (!((*word >= '0' && *word <= '9') || ((*word | 32) >= 'a' && (*word | 32) <= 'z') || *word == '/' ||
		      *word == '.' || *word == '-' || *word == '_' || *word == ':'))
			return false;
	return true;
}

/* On a terminal: shows the command to type at the other end. */
static void show_command(const struct cat *c)
{
	const char *addr = c->listening.n_shown != 0 ? c->listening.shown[0] : NULL;

	if (addr == NULL || c->cfg.log.json || !isatty(STDERR_FILENO))
		return;
	diag("at the other end:");
	if (!c->raw)
		diag_raw("\n    gn-cat %s\n\n", addr);
	else if (listen_is_plain(c->protocol))
		diag_raw("\n    gn-cat -p %s %s\n\n", c->protocol, addr);
}

/* Explains why the protocol that a peer has proposed is refused.  It may contain a token, so gn-cat's is
 * not shown. */
static void explain_unknown(const struct cat *c, const char *protocol, char *text, size_t room)
{
	size_t n = strlen(CAT_PROTOCOL);
	bool is_cat = strncmp(protocol, CAT_PROTOCOL, n) == 0 && (protocol[n] == '/' || protocol[n] == '\0');

	if (strcmp(protocol, c->protocol) == 0)
		snprintf(text, room, "came while another stream was served");
	else if (is_cat && !c->raw && c->token[0] == '\0')
		snprintf(text, room, "had a token, but this listener has none");
	else if (is_cat && !c->raw)
		snprintf(text, room, "%s", protocol[n] != '\0' ? "had a wrong token" : "had no token");
	else
		snprintf(text, room, "asked for %.100s; here is %.100s", is_cat ? CAT_PROTOCOL : protocol,
			 c->raw ? c->protocol : CAT_PROTOCOL);
}

/* Whether it is one of the protocols that libp2p programs propose to every peer. */
static bool is_well_known(const char *protocol)
{
	return strncmp(protocol, "/ipfs/", 6) == 0 || strncmp(protocol, "/libp2p/", 8) == 0;
}

void listen_on_unknown(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote,
		       const char *protocol)
{
	char id[GN_PEER_ID_TEXT_MAX], why[320], *addr;
	const struct cat *c = arg;
	struct netblock from;
	struct json j;

	if (is_well_known(protocol) && !c->cfg.log.verbose)
		return;
	explain_unknown(c, protocol, why, sizeof why);
	gn_peer_id_format(peer, id);
	addr = remote != NULL ? gn_multiaddr_format(remote) : NULL;
	netblock_of(remote, &from);
	if (!c->cfg.log.json) {
		diag_from(&from, "a caller from %s, %s, %s", addr != NULL ? addr : "?", id, why);
	} else if (netblock_may_print(&from)) {
		json_open(&j);
		json_string(&j, "event", "refused");
		json_string(&j, "peer", id);
		json_string(&j, "addr", addr);
		json_string(&j, "text", why);
		json_send(&j, STDERR_FILENO);
	}
	free(addr);
}

int listen_start(struct cat *c)
{
	const struct gn_protocol_cfg pc = {
		.id = c->protocol,
		.kind = GN_BYTES,
		.hidden = c->token[0] != '\0',
		.on_open = listen_on_open,
		.arg = c,
	};
	int err;

	st.c = c;
	err = gn_timer_new(c->loop, listen_on_turn, c, &st.turn);
	if (err == 0)
		err = gn_protocol_add(c->node, &pc);
	if (err == 0)
		err = listening_start(&c->listening, c->node, c->token[0] != '\0' ? c->token : NULL);
	if (err != 0)
		return err;
	listening_show(&c->listening, c->cfg.log.json, c->cfg.log.verbose > 0);
	show_command(c);
	err = listening_ready(&c->listening, c->cfg.ready_fd);
	if (err != 0)
		die(EXIT_LOCAL, "--ready-fd: %s", gn_strerror(err));
	return 0;
}

/* The first signal: no new streams, but the running one may finish.  The second ends the tool at once. */
void listen_on_signal(struct cat *c, int sig)
{
	if (st.state == LISTEN_DRAINING) {
		c->signal = sig;
		gn_loop_stop(c->loop);
		return;
	}
	st.state = LISTEN_DRAINING;
	refuse_all();
	if (c->stream != NULL && !c->cfg.log.json && (c->cfg.log.verbose || isatty(STDERR_FILENO)))
		diag("ending: the stream has %d s; a second signal ends it at once", (int)(DRAIN_LIMIT / GN_SEC));
	/* If no stream was served, the exit status must not be 0, since there was no data. */
	if (st.n_served == 0 && !c->closing)
		c->signal = sig;
	/* If a stream is cut off at the limit, its data is short: EXIT_RESET. */
	cat_close(c, c->stream != NULL ? EXIT_RESET : EXIT_DONE, DRAIN_LIMIT);
}

void listen_stop(struct cat *c)
{
	(void)c;
	refuse_all();
	gn_timer_free(st.turn);
	st.turn = NULL;
}
