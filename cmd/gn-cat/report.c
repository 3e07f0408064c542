/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/json.h"
#include "protocol.h"

#define TOKEN_USUAL 26 /* characters of the token that a listener makes */

/* The exit code for the error of a channel.  Once the peer has accepted the protocol, every error is a cut
 * (EXIT_RESET) except invalid data, limits and refusals. */
static int code_of_channel(const struct stream_result *v)
{
	int code = exit_code(v->err);

	return !v->opened || code == EXIT_BADDATA || code == EXIT_LIMIT || code == EXIT_REFUSED ? code : EXIT_RESET;
}

int report_code(const struct stream_result *v)
{
	switch (v->outcome) {
	case STREAM_CLEAN:
		return EXIT_DONE;
	case STREAM_PEER:
		return code_of_channel(v);
	case STREAM_INPUT:
	case STREAM_OUTPUT:
		return EXIT_LOCAL;
	case STREAM_IDLE:
		return EXIT_TIMEOUT;
	case STREAM_SHORT:
	case STREAM_FAILED:
	default:
		return EXIT_RESET;
	}
}

static const char *fail_text(int code)
{
	switch (code) {
	case CAT_FAIL_WRITE:
		return "the peer could not write what was sent";
	case CAT_FAIL_SPACE:
		return "the peer has no space left for what was sent";
	case CAT_FAIL_CLOSED:
		return "the peer's output has no reader any more";
	case CAT_FAIL_INPUT:
		return "the peer could not read its input; data may be short";
	case CAT_FAIL_UNWANTED:
		return "the peer only sends; what standard input has was not taken";
	default:
		return "the peer failed";
	}
}

static void explain_channel(const struct stream_result *v, size_t token, char *text, size_t room)
{
	if (!v->opened && v->err == GN_ENOPROTO && token > 0 && token != TOKEN_USUAL)
		snprintf(text, room,
			 "the token is wrong, or that listener has ended; it has %zu characters, is it whole? Usual "
			 "are %d",
			 token, TOKEN_USUAL);
	else if (!v->opened && v->err == GN_ENOPROTO)
		snprintf(text, room, "%s",
			 token > 0 ? "the token is wrong, or that listener has ended"
				   : "the peer does not speak this protocol, or wants a token");
	else if (v->err == GN_EPROTO)
		snprintf(text, room, "the peer broke the protocol");
	else if (report_code(v) == EXIT_RESET && v->raw && v->peer_ended)
		snprintf(text, room, "the peer stopped reading: it has confirmed %llu of %llu bytes",
			 (unsigned long long)(v->out - v->pending), (unsigned long long)v->out);
	else if (report_code(v) == EXIT_RESET && v->raw && v->out > 0)
		snprintf(text, room, "cut off, data may be short: %s; the peer has confirmed %llu of %llu bytes",
			 gn_strerror(v->err), (unsigned long long)(v->out - v->pending), (unsigned long long)v->out);
	else if (report_code(v) == EXIT_RESET)
		snprintf(text, room, "cut off, data may be short: %s", gn_strerror(v->err));
	else
		snprintf(text, room, "%s", gn_strerror(v->err));
}

void report_explain(const struct stream_result *v, size_t token, char *text, size_t room)
{
	text[0] = '\0';
	switch (v->outcome) {
	case STREAM_CLEAN:
		break;
	case STREAM_PEER:
		explain_channel(v, token, text, room);
		break;
	case STREAM_SHORT:
		snprintf(text, room,
			 "the peer ended without confirming that it has written everything; data may be short");
		break;
	case STREAM_FAILED:
		snprintf(text, room, "%s", fail_text(v->err));
		break;
	case STREAM_INPUT:
		snprintf(text, room, "standard input: %s", gn_strerror(v->err));
		break;
	case STREAM_OUTPUT:
		if (v->err != -EPIPE)
			snprintf(text, room, "standard output: %s", gn_strerror(v->err));
		break;
	case STREAM_IDLE:
		snprintf(text, room, "no byte has moved for the time of -i");
		break;
	}
}

static void report_close_json(const struct streamlog *n, const struct stream_result *v, const char *why)
{
	struct json j;

	streamlog_json_close(n, report_code(v), &j);
	if (v->outcome != STREAM_CLEAN)
		json_string(&j, "text", why);
	json_int(&j, "bytes_in", (int64_t)v->in);
	json_int(&j, "bytes_out", (int64_t)v->out);
	json_string(&j, "path", gn_path_name(n->path));
	json_send(&j, STDERR_FILENO);
}

void report_close(const struct streamlog *n, const struct stream_result *v, size_t token)
{
	char why[320];

	report_explain(v, token, why, sizeof why);
	if (n->cfg->json)
		report_close_json(n, v, why);
	else if (why[0] != '\0')
		streamlog_line(n, "%s", why);
	else if (v->outcome == STREAM_CLEAN && v->dropped > 0)
		streamlog_line(n, "%llu bytes from it were dropped: this end only sends",
			       (unsigned long long)v->dropped);
	else if (v->outcome == STREAM_CLEAN && n->cfg->verbose)
		streamlog_line(n, "ended, %llu bytes in, %llu out, %s", (unsigned long long)v->in,
			       (unsigned long long)v->out, gn_path_name(n->path));
}
