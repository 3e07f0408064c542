/* SPDX-License-Identifier: MIT */
#include "support/pipe_link.h"

#include <stdlib.h>

#include "support/require.h"

struct pipe_link_pair;

struct pipe_link {
	struct gn_link link; /* first */
	struct gn_link_pipes pipes;
	struct gn_task task; /* reports that the other end has read or written */
	struct pipe_link_pair *pair;
	int side;
};

struct pipe_link_pair {
	struct gn_loop *loop;
	struct gn_pipe pipe[2];   /* pipe[i] carries what end i writes */
	struct pipe_link *end[2]; /* NULL: it was closed */
};

static struct pipe_link *pipe_link_of(struct gn_link *link)
{
	return (struct pipe_link *)(void *)link;
}

static void pipe_link_run(struct gn_task *task)
{
	struct pipe_link *l = gn_list_entry(task, struct pipe_link, task);

	if (l->link.on_ready != NULL)
		l->link.on_ready(l->link.arg, GN_READABLE | GN_WRITABLE);
}

static void pipe_link_touch(struct gn_link *link)
{
	struct pipe_link *l = pipe_link_of(link), *other = l->pair->end[!l->side];

	if (other != NULL)
		gn_task_post(l->pair->loop, &other->task);
}

static int pipe_link_end(struct gn_link *link)
{
	gn_pipe_close(pipe_link_of(link)->pipes.tx, GN_EOF);
	pipe_link_touch(link);
	return 0;
}

static void pipe_link_free(struct pipe_link *l, int err)
{
	struct pipe_link_pair *pair = l->pair;

	gn_pipe_close(l->pipes.tx, err);
	gn_pipe_reset(l->pipes.rx, err);
	pipe_link_touch(&l->link);
	gn_task_cancel(&l->task);
	gn_multiaddr_free(l->link.remote);
	gn_multiaddr_free(l->link.local);
	pair->end[l->side] = NULL;
	free(l);
	if (pair->end[0] != NULL || pair->end[1] != NULL)
		return;
	gn_pipe_fini(&pair->pipe[0]);
	gn_pipe_fini(&pair->pipe[1]);
	free(pair);
}

static void pipe_link_close(struct gn_link *link)
{
	pipe_link_free(pipe_link_of(link), GN_EOF);
}

static void pipe_link_abort(struct gn_link *link)
{
	pipe_link_free(pipe_link_of(link), GN_ERESET);
}

static size_t pipe_link_unacked(struct gn_link *link)
{
	(void)link;
	return 0;
}

static const struct gn_link_ops pipe_link_ops = {
	.end = pipe_link_end,
	.close = pipe_link_close,
	.abort = pipe_link_abort,
	.unacked = pipe_link_unacked,
	.touch = pipe_link_touch,
};

void pipe_link_new(struct gn_loop *loop, struct gn_iobuf *iobuf, size_t cap, struct gn_link *end[2])
{
	struct pipe_link_pair *pair = calloc(1, sizeof *pair);

	REQUIRE(pair != NULL);
	pair->loop = loop;
	for (int i = 0; i < 2; i++)
		gn_pipe_init(&pair->pipe[i], iobuf, cap);
	for (int i = 0; i < 2; i++) {
		struct pipe_link *l = calloc(1, sizeof *l);

		REQUIRE(l != NULL);
		l->link.ops = &pipe_link_ops;
		l->link.pipes = &l->pipes;
		l->pipes.tx = &pair->pipe[i];
		l->pipes.rx = &pair->pipe[!i];
		l->pair = pair;
		l->side = i;
		gn_task_init(&l->task, pipe_link_run);
		REQUIRE(gn_multiaddr_parse(i == 0 ? "/memory/1" : "/memory/2", &l->link.local, NULL) == 0);
		REQUIRE(gn_multiaddr_parse(i == 0 ? "/memory/2" : "/memory/1", &l->link.remote, NULL) == 0);
		pair->end[i] = l;
		end[i] = &l->link;
	}
}
