/* SPDX-License-Identifier: MIT */
/*
 * A channel joined to a pair of descriptors.  What the channel receives is written from where it lies; what is
 * read from the descriptor stays in one buffer, which is the channel's source, until the network has taken it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "api/channel.h"
#include "api/splice.h"
#include "loop/socket.h"
#include "node/conn.h"
#include "node/node.h"

enum {
	FD_BUFFER = 64 * 1024,
	FD_VIEWS = 16,
	FD_ROUNDS = 8, /* writes in one run, so that others have their turn */
};

enum { TO_FD, TO_CHANNEL };

struct fd_splice {
	struct gn_splice splice; /* first; a is the channel */
	struct gn_channel *ch;
	int in, out; /* -1: closed */
	struct gn_watch *readable, *writable;
	bool has_eof;      /* the descriptor's end was read */
	size_t head, tail; /* of what is in the buffer */
	uint8_t buffer[FD_BUFFER];
};

static struct fd_splice *fd_splice_of(struct gn_splice *s)
{
	return (struct fd_splice *)(void *)s;
}

static void close_fd(int *fd, struct gn_watch **watch)
{
	gn_watch_free(*watch);
	*watch = NULL;
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* A descriptor or the channel has failed: the other side learns of that by a reset, at once. */
static void cut_both(struct fd_splice *fs, int err)
{
	for (int i = 0; i < 2; i++)
		gn_splice_cut(&fs->splice.flows[i], err);
}

static void fd_splice_free(struct fd_splice *fs)
{
	/* A socket is both: it is closed once. */
	if (fs->in == fs->out)
		fs->in = -1;
	close_fd(&fs->in, &fs->readable);
	close_fd(&fs->out, &fs->writable);
	gn_splice_fini(&fs->splice);
	free(fs);
}

static void fd_splice_release(struct gn_splice *s, bool in_good_order)
{
	struct fd_splice *fs = fd_splice_of(s);

	if (!in_good_order)
		gn_channel_reset(fs->ch);
	gn_pipe_source(&fs->ch->stream.mux->tx, NULL, NULL);
	gn_channel_free(fs->ch);
	fd_splice_free(fs);
}

/* ---- from the descriptor to the channel ---- */

static int fd_peek(void *arg, struct iovec *v, int max, size_t limit)
{
	struct fd_splice *fs = arg;
	size_t n = fs->tail - fs->head < limit ? fs->tail - fs->head : limit;

	if (max < 1 || n == 0)
		return 0;
	v[0].iov_base = fs->buffer + fs->head;
	v[0].iov_len = n;
	return 1;
}

static void fd_skip(void *arg, size_t n)
{
	struct fd_splice *fs = arg;

	fs->head += n;
	if (fs->head == fs->tail) /* there is room to read again */
		gn_task_post(fs->splice.loop, &fs->splice.task);
}

static const struct gn_source fd_source = {fd_peek, fd_skip};

/* Reads as much as may be passed on, when the buffer is empty. */
static int fd_read(struct fd_splice *fs, struct gn_splice_flow *f)
{
	uint64_t most = gn_splice_allowance(f);
	size_t room = most < FD_BUFFER ? (size_t)most : FD_BUFFER;
	uint8_t beyond;
	ptrdiff_t n;

	if (fs->head < fs->tail || fs->has_eof)
		return 0;
	if (room == 0 && !gn_splice_is_past_max(f)) {
		f->is_throttled = true;
		return 0;
	}
	fs->head = fs->tail = 0;
	/* Past the most that may pass, only the end is still welcome. */
	n = room > 0 ? read(fs->in, fs->buffer, room) : read(fs->in, &beyond, 1);
	if (n > 0 && room == 0)
		return GN_ELIMIT;
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
	fs->tail = (size_t)n;
	fs->has_eof = n == 0;
	gn_splice_passed(f, (uint64_t)n);
	if (n > 0)
		gn_channel_wake(fs->ch);
	return 0;
}

static void check_to_channel(struct fd_splice *fs)
{
	struct gn_splice_flow *f = &fs->splice.flows[TO_CHANNEL];
	int err = 0;

	if (fs->ch->stream.err != 0) { /* what it has received is still written */
		gn_splice_cut(f, fs->ch->stream.err);
		return;
	}
	if (f->state == GN_SPLICE_FLOWING)
		err = fd_read(fs, f);
	if (err == 0 && f->state == GN_SPLICE_FLOWING && fs->has_eof && fs->head == fs->tail) {
		f->state = GN_SPLICE_ENDING;
		err = gn_channel_end(fs->ch);
		if (err == 0)
			err = gn_channel_sync(fs->ch);
	}
	if (err != 0)
		cut_both(fs, err);
}

/* ---- from the channel to the descriptor ---- */

/* Passes on up to `most` bytes: 0, GN_EAGAIN when the descriptor takes no more now, GN_EOF, or an error. */
static int fd_write(struct fd_splice *fs, struct gn_splice_flow *f)
{
	for (int round = 0; round < FD_ROUNDS; round++) {
		struct iovec v[FD_VIEWS];
		uint64_t most = gn_splice_allowance(f);
		int views = gn_channel_peek(fs->ch, v, FD_VIEWS), n = 0;
		ptrdiff_t r;

		if (views <= 0)
			return views == GN_EAGAIN ? 0 : views;
		if (most == 0) {
			f->is_throttled = true;
			return gn_splice_is_past_max(f) ? GN_ELIMIT : 0;
		}
		while (n < views && most > 0) {
			if (v[n].iov_len > most)
				v[n].iov_len = (size_t)most;
			most -= v[n++].iov_len;
		}
		r = writev(fs->out, v, n);
		if (r < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return GN_EAGAIN;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0) {
			gn_splice_passed(f, (uint64_t)r);
			gn_channel_skip(fs->ch, (size_t)r);
		}
	}
	gn_task_post(fs->splice.loop, &fs->splice.task);
	return 0;
}

static bool check_to_fd(struct fd_splice *fs)
{
	struct gn_splice_flow *f = &fs->splice.flows[TO_FD];
	int err;

	if (f->state != GN_SPLICE_FLOWING)
		return false;
	err = fd_write(fs, f);
	if (err == GN_EOF) {
		/* The kernel has all bytes, and hands them to the reader whatever happens to this process. */
		if (fs->out == fs->in)
			(void)gn_socket_end(fs->out);
		else
			close_fd(&fs->out, &fs->writable);
		f->state = GN_SPLICE_DONE;
	} else if (err != 0 && err != GN_EAGAIN) {
		cut_both(fs, err);
	}
	return err == GN_EAGAIN;
}

/* ---- events ---- */

static void fd_go_on(struct gn_splice_flow *f)
{
	gn_task_post(f->splice->loop, &f->splice->task);
}

static void fd_splice_run(struct gn_task *task)
{
	struct gn_splice *s = gn_list_entry(task, struct gn_splice, task);
	struct fd_splice *fs = fd_splice_of(s);
	const struct gn_splice_flow *in = &s->flows[TO_CHANNEL];
	bool wants_room;

	check_to_channel(fs);
	wants_room = check_to_fd(fs);
	if (gn_splice_finish(s, fd_go_on))
		return;
	gn_watch_start(fs->readable,
		       in->state == GN_SPLICE_FLOWING && fs->head == fs->tail && !in->is_throttled ? GN_READABLE : 0);
	if (fs->writable != NULL)
		gn_watch_start(fs->writable, wants_room ? GN_WRITABLE : 0);
}

static void fd_on_ready(void *arg, unsigned ready)
{
	struct fd_splice *fs = arg;

	(void)ready;
	gn_task_post(fs->splice.loop, &fs->splice.task);
}

static void fd_splice_on_event(void *arg, struct gn_channel *ch, unsigned events)
{
	struct fd_splice *fs = arg;
	struct gn_splice_flow *to_channel = &fs->splice.flows[TO_CHANNEL];

	(void)ch;
	if (events & GN_ACKED && to_channel->state == GN_SPLICE_ENDING)
		to_channel->state = GN_SPLICE_DONE;
	gn_task_post(fs->splice.loop, &fs->splice.task);
}

static void fd_splice_on_lost(void *arg, struct gn_stream *stream)
{
	struct gn_channel *ch = arg;
	struct fd_splice *fs = ch->arg;

	(void)stream;
	gn_channel_lost(ch);
	fd_splice_free(fs);
}

/* ---- starting ---- */

static bool is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && flags & O_NONBLOCK;
}

int gn_splice_fds(struct gn_channel *ch, int in, int out, const struct gn_splice_cfg *cfg, struct gn_splice **result)
{
	struct gn_loop *loop = ch->node->loop;
	struct fd_splice *fs;
	int err;

	if (!is_nonblocking(in) || !is_nonblocking(out) || ch->source != NULL)
		return -EINVAL;
	if (ch->stream.err != 0)
		return ch->stream.err;
	fs = calloc(1, sizeof *fs);
	if (fs == NULL)
		return -ENOMEM;
	err = gn_watch_new(loop, in, fd_on_ready, fs, &fs->readable);
	if (err == 0)
		err = gn_watch_new(loop, out, fd_on_ready, fs, &fs->writable);
	if (err != 0) {
		gn_watch_free(fs->readable);
		free(fs);
		return err;
	}
	fs->ch = ch;
	fs->in = in;
	fs->out = out;
	gn_splice_init(&fs->splice, loop, cfg, fd_splice_run);
	fs->splice.release = fd_splice_release;
	ch->stream.on_lost = fd_splice_on_lost;
	ch->stream.mux->has_fixed_window = true;
	gn_channel_on_event(ch, fd_splice_on_event, fs);
	(void)gn_channel_source(ch, &fd_source, fs); /* it has not failed */
	gn_task_post(loop, &fs->splice.task);
	*result = &fs->splice;
	return 0;
}
