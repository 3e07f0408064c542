/* SPDX-License-Identifier: MIT */
/*
 * Descriptors, by libev: the only file that knows it.  The loop is one of its own, never
 * the default one, so that no signal handler is installed; the environment is not asked.
 * libev reports what epoll refuses (regular files, /dev/null) as always ready.
 */
#include "loop/inside.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>

struct gn_watch {
	struct ev_io io;
	struct gn_loop *loop;
	void (*cb)(void *arg, unsigned ready);
	void *arg;
	bool is_on; /* counted in loop->watching; libev may have stopped it meanwhile */
};

static void set_off(struct gn_watch *w)
{
	if (w->is_on)
		w->loop->watching--;
	w->is_on = false;
}

static void on_io(struct ev_loop *ev, struct ev_io *io, int revents)
{
	struct gn_watch *w = io->data;
	unsigned ready = 0;

	(void)ev;
	/* The first of a batch comes right out of the wait. */
	gn_loop_clock_read(w->loop);
	if (revents & EV_ERROR) {
		/* The descriptor is none any more; libev has stopped it.  Its owner finds out
		 * by reading. */
		if (!ev_is_active(io))
			set_off(w);
		ready = GN_READABLE | GN_WRITABLE;
	}
	if (revents & EV_READ)
		ready |= GN_READABLE;
	if (revents & EV_WRITE)
		ready |= GN_WRITABLE;
	w->cb(w->arg, ready);
}

int gn_watch_new(struct gn_loop *loop, int fd, void (*cb)(void *arg, unsigned ready), void *arg, struct gn_watch **out)
{
	struct gn_watch *w;

	if (loop->ev == NULL)
		return -ENOTSUP;
	/* libev, as distributions build it, aborts over a descriptor that is not open. */
	if (fcntl(fd, F_GETFD) < 0)
		return -errno;
	w = malloc(sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	ev_io_init(&w->io, on_io, fd, 0);
	w->io.data = w;
	w->loop = loop;
	w->cb = cb;
	w->arg = arg;
	w->is_on = false;
	*out = w;
	return 0;
}

void gn_watch_free(struct gn_watch *w)
{
	if (w == NULL)
		return;
	gn_watch_start(w, 0);
	free(w);
}

void gn_watch_start(struct gn_watch *w, unsigned ready)
{
	int events = (ready & GN_READABLE ? EV_READ : 0) | (ready & GN_WRITABLE ? EV_WRITE : 0);

	if (w->is_on && ev_is_active(&w->io) && (w->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	/* Stopping also takes back an event that is about to be reported.  libev asks the
	 * kernel once a turn, and only for what has changed by then. */
	ev_io_stop(w->loop->ev, &w->io);
	set_off(w);
	if (events) {
		ev_io_modify(&w->io, events);
		ev_io_start(w->loop->ev, &w->io);
		w->is_on = true;
		w->loop->watching++;
	}
}

int gn_watch_open(struct gn_loop *loop)
{
	loop->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	return loop->ev != NULL ? 0 : errno > 0 ? -errno : -ENOMEM;
}

void gn_watch_close(struct gn_loop *loop)
{
	if (loop->ev != NULL)
		ev_loop_destroy(loop->ev);
}

static void watch_on_time(struct ev_loop *ev, struct ev_timer *timer, int revents)
{
	(void)ev;
	(void)timer;
	(void)revents;
}

void gn_watch_wait(struct gn_loop *loop, gn_time wait)
{
	struct ev_timer timer;

	if (wait <= 0) {
		ev_run(loop->ev, EVRUN_NOWAIT);
		return;
	}
	/* libev reckons from its own idea of now, which is as old as its last wait. */
	ev_now_update(loop->ev);
	ev_timer_init(&timer, watch_on_time, (double)wait / 1e9, 0.);
	if (wait != GN_NEVER)
		ev_timer_start(loop->ev, &timer);
	ev_run(loop->ev, EVRUN_ONCE);
	ev_timer_stop(loop->ev, &timer);
}
