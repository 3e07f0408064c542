/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "cat.h"
#include "common/diag.h"
#include "report.h"

static void carry_on_closed(void *arg)
{
	gn_loop_stop(((struct cat *)arg)->loop);
}

void cat_close(struct cat *c, int code, gn_time limit)
{
	if (c->closing)
		return;
	c->closing = true;
	c->code = code;
	if (gn_node_close(c->node, limit, carry_on_closed, c))
		gn_loop_stop(c->loop);
}

uint64_t carry_moved(void *arg)
{
	const struct cat *c = arg;
	uint64_t in = 0, out = 0;

	if (c->stream != NULL)
		stream_totals(c->stream, &in, &out);
	return c->is_sized ? out : in + out;
}

static void on_stream_done(void *arg, const struct stream_result *v)
{
	struct cat *c = arg;
	struct stream_result copy = *v;

	/* Bytes that were queued for a protocol which the peer has refused were not carried. */
	if (copy.opened)
		progress_end(c->progress, gn_path_name(c->log.path));
	else
		progress_stop(c->progress);
	stream_free(c->stream);
	c->stream = NULL;
	report_close(&c->log, &copy, strlen(c->token));
	streamlog_fini(&c->log);
	c->on_done(c, &copy);
}

static void carry_on_unwanted(void *arg)
{
	struct cat *c = arg;

	if (!c->cfg.log.json)
		diag("the peer accepts no more data; waiting for standard input to end without data");
}

int carry_start(struct cat *c, struct gn_channel *ch, void (*on_opened)(void *arg),
		void (*on_done)(struct cat *c, const struct stream_result *v))
{
	const struct stream_cfg cfg = {
		.loop = c->loop,
		.ch = ch,
		.in = c->in,
		.is_terminal = isatty(STDIN_FILENO),
		.out = c->out,
		.keep_open = c->cfg.keep,
		.raw = c->raw,
		.idle = c->cfg.idle,
		.on_opened = on_opened,
		.on_unwanted = carry_on_unwanted,
		.on_done = on_stream_done,
		.arg = c,
	};
	long long size;
	int err;

	c->on_done = on_done;
	streamlog_open(&c->log, &c->cfg.log, ch);
	err = stream_new(&cfg, &c->stream);
	if (err != 0) {
		gn_channel_reset(ch);
		gn_channel_free(ch);
		streamlog_fini(&c->log);
		return err;
	}
	size = c->in != NULL && !c->cfg.keep ? c->in_size : -1;
	c->is_sized = size > 0;
	progress_start(c->progress, size);
	return 0;
}

void carry_stop(struct cat *c)
{
	if (c->stream == NULL)
		return;
	progress_stop(c->progress);
	stream_free(c->stream);
	c->stream = NULL;
	streamlog_fini(&c->log);
}
