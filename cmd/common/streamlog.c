/* SPDX-License-Identifier: MIT */
#include "streamlog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit.h"
#include "json.h"
#include "diag.h"

#define STREAMLOG_TEXT_MAX 400

void streamlog_open(struct streamlog *n, const struct streamlog_cfg *cfg, const struct gn_channel *ch)
{
	struct gn_channel_state st;
	struct json j;

	gn_channel_state(ch, &st);
	*n = (struct streamlog){.cfg = cfg, .path = st.path};
	netblock_of(st.remote, &n->from);
	gn_peer_id_format(&st.peer, n->peer);
	n->inbound = st.inbound;
	n->addr = st.remote != NULL ? gn_multiaddr_format(st.remote) : NULL;
	if (cfg->protocol != NULL)
		st.protocol = cfg->protocol;
	n->protocol = st.protocol != NULL ? strdup(st.protocol) : NULL;
	if (cfg->json) {
		json_open(&j);
		json_string(&j, "event", "open");
		json_string(&j, "peer", n->peer);
		json_string(&j, "addr", n->addr);
		json_string(&j, "protocol", n->protocol);
		json_bool(&j, "inbound", st.inbound);
		json_string(&j, "path", gn_path_name(st.path));
		json_send(&j, STDERR_FILENO);
	} else if (cfg->verbose) {
		diag_from(&n->from, "%s %s at %s: %s opened, %s", st.inbound ? "from" : "to", n->peer,
			  n->addr != NULL ? n->addr : "?", n->protocol != NULL ? n->protocol : "?",
			  gn_path_name(st.path));
	}
}

void streamlog_fini(struct streamlog *n)
{
	free(n->addr);
	free(n->protocol);
	*n = (struct streamlog){0};
}

/* Whether the stream was cut off.  A connection that timed out counts as cut off once the stream was open. */
static bool streamlog_is_cut(const struct relay_result *r)
{
	return r->fault == RELAY_PEER && (exit_code(r->err) == EXIT_RESET || (r->err == GN_ETIMEOUT && r->opened));
}

int streamlog_exit_code(const struct relay_result *r)
{
	switch (r->fault) {
	case RELAY_CLEAN:
		return EXIT_DONE;
	case RELAY_PEER:
		return streamlog_is_cut(r) ? EXIT_RESET : exit_code(r->err);
	case RELAY_UNREAD:
		return EXIT_RESET;
	case RELAY_IDLE:
		return EXIT_TIMEOUT;
	case RELAY_FORMAT:
		return EXIT_BADDATA;
	case RELAY_INPUT:
		return r->err <= GN_EAGAIN ? exit_code(r->err) : EXIT_LOCAL;
	case RELAY_OUTPUT:
	default:
		return EXIT_LOCAL;
	}
}

static const char *streamlog_side(const struct streamlog *n, enum relay_fault fault)
{
	if (fault == RELAY_INPUT)
		return n->cfg->program ? "what the program writes" : "standard input";
	if (fault == RELAY_OUTPUT)
		return n->cfg->program ? "what the program reads" : "standard output";
	return "from the peer";
}

/* Names the option that helps where bytes turn out not to be frames. */
static const char *streamlog_frames_hint(const struct streamlog *n, enum relay_fault fault)
{
	if (fault == RELAY_PEER)
		return "no frames?  --wire raw here takes plain bytes, -F line at the other end sends lines as frames";
	if (n->cfg->program)
		return "no frames?  -F raw takes plain bytes, -F line lines";
	return "no frames?  -F line takes lines, --wire raw sends plain bytes";
}

/* Formats the byte counts of a stream that was cut off. */
static void streamlog_explain_cut(const struct relay_result *r, const struct gn_metrics *m, char *text, size_t room)
{
	unsigned long long in = m->bytes_in, lost = r->lost, sent = m->bytes_out > r->lost ? m->bytes_out : r->lost;

	if (r->got_end)
		snprintf(text, room,
			 "cut off: %s; all received data is complete, but %llu of %llu bytes sent are not confirmed",
			 gn_strerror(r->err), lost, sent);
	else
		snprintf(text, room,
			 "cut off, data may be short: %s (%llu bytes received; %llu of %llu sent are not confirmed)",
			 gn_strerror(r->err), in, lost, sent);
}

static void streamlog_explain(const struct streamlog *n, const struct relay_result *r, const struct gn_metrics *m,
			      char *text, size_t room)
{
	const char *what = NULL;

	if (r->fault == RELAY_UNREAD) {
		snprintf(text, room, "the %s stopped reading: %llu bytes were not delivered",
			 n->inbound ? "peer" : "program at the other end", (unsigned long long)r->lost);
		return;
	}
	if (r->fault == RELAY_IDLE) {
		snprintf(text, room, "reset: no byte has moved for the time of --idle (%llu bytes received, %llu sent)",
			 (unsigned long long)m->bytes_in, (unsigned long long)m->bytes_out);
		return;
	}
	if (r->err == GN_ETOOBIG)
		what = "a frame longer than --max-frame";
	else if (r->err == GN_ETRUNC)
		what = "it ends in the middle of a frame";
	else if (r->err == GN_EFORMAT && r->fault != RELAY_FORMAT)
		what = "a malformed frame";
	if (what != NULL) {
		snprintf(text, room, "%s: %s (%s)", streamlog_side(n, r->fault), what,
			 streamlog_frames_hint(n, r->fault));
		return;
	}
	if (r->fault == RELAY_FORMAT) {
		snprintf(text, room, "%s: a frame with a line end inside, which -F line cannot show",
			 streamlog_side(n, r->fault));
		return;
	}
	if (r->fault != RELAY_PEER)
		snprintf(text, room, "%s: %s", streamlog_side(n, r->fault), gn_strerror(r->err));
	else if (streamlog_is_cut(r))
		streamlog_explain_cut(r, m, text, room);
	else if (r->err == GN_ENOPROTO)
		snprintf(text, room, "the peer does not speak %s", n->protocol != NULL ? n->protocol : "the protocol");
	else
		snprintf(text, room, "%s", gn_strerror(r->err));
}

void streamlog_json_close(const struct streamlog *n, int code, struct json *j)
{
	json_open(j);
	json_string(j, "event", "close");
	json_string(j, "peer", n->peer);
	json_string(j, "addr", n->addr);
	json_string(j, "protocol", n->protocol);
	json_int(j, "code", code);
}

void streamlog_line(const struct streamlog *n, const char *fmt, ...)
{
	char text[STREAMLOG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	diag_from(&n->from, "%s at %s: %s", n->peer, n->addr != NULL ? n->addr : "?", text);
}

static void streamlog_result_json(const struct streamlog *n, const struct relay_result *r, const char *why, int status,
				  const struct gn_metrics *m)
{
	struct json j;

	streamlog_json_close(n, streamlog_exit_code(r), &j);
	if (r->fault != RELAY_CLEAN) {
		json_string(&j, "error", gn_errname(r->err));
		json_string(&j, "text", why);
	}
	if (status >= 0)
		json_int(&j, "program", status);
	json_int(&j, "bytes_in", (int64_t)m->bytes_in);
	json_int(&j, "bytes_out", (int64_t)m->bytes_out);
	json_int(&j, "unconfirmed", (int64_t)r->lost);
	json_int(&j, "frames_in", (int64_t)m->frames_in);
	json_int(&j, "frames_out", (int64_t)m->frames_out);
	json_seconds(&j, "seconds", m->age);
	json_send(&j, STDERR_FILENO);
}

void streamlog_close(const struct streamlog *n, const struct relay_result *r, int status, const struct gn_metrics *m)
{
	bool is_quiet = r->fault == RELAY_OUTPUT && r->err == -EPIPE;
	char why[STREAMLOG_TEXT_MAX];

	if (r->fault != RELAY_CLEAN)
		streamlog_explain(n, r, m, why, sizeof why);
	if (n->cfg->json)
		streamlog_result_json(n, r, why, status, m);
	else if (r->fault != RELAY_CLEAN && !is_quiet)
		streamlog_line(n, "%s", why);
	else if (status > 0)
		streamlog_line(n, "the program ended with %d", status);
	else if (n->cfg->verbose)
		streamlog_line(n, "ended, %llu bytes in, %llu out", (unsigned long long)m->bytes_in,
			       (unsigned long long)m->bytes_out);
}
