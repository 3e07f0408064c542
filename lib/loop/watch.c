/* SPDX-License-Identifier: MIT */
/*
 * Watches of descriptors.  This is the only file that uses libev.  It never uses libev's default loop, so
 * that no signal handler is installed, and libev does not read the environment.  libev reports descriptors
 * that epoll refuses (regular files, /dev/null) as always ready.
 */
#include "loop/inside.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/time.h"

struct gn_watch {
	struct ev_io io;
	struct gn_loop *loop;
	void (*cb)(void *arg, unsigned ready); /* arg is io.data */
	bool is_on; /* counted in loop->watching; libev stops the watcher of a bad descriptor by itself */
};

static void watch_set_off(struct gn_watch *w)
{
	if (w->is_on)
		w->loop->watching--;
	w->is_on = false;
}

static void on_io(struct ev_loop *ev, struct ev_io *io, int revents)
{
	struct gn_watch *w = (struct gn_watch *)io; /* its first member */
	unsigned ready = 0;

	(void)ev;
	/* The first callback of a batch follows a wait, the others follow a callback: both took time. */
	gn_loop_clock_read(w->loop);
	if (revents & EV_ERROR) {
		/* The descriptor is not open any more, and libev has stopped the watcher.  The owner
		 * gets the error when it reads. */
		if (!ev_is_active(io))
			watch_set_off(w);
		ready = GN_READABLE | GN_WRITABLE;
	}
	if (revents & EV_READ)
		ready |= GN_READABLE;
	if (revents & EV_WRITE)
		ready |= GN_WRITABLE;
	w->cb(io->data, ready);
}

int gn_watch_new(struct gn_loop *loop, int fd, void (*cb)(void *arg, unsigned ready), void *arg, struct gn_watch **out)
{
	struct gn_watch *w;

	if (loop->ev == NULL)
		return -ENOTSUP;
	/* libev, as distributions build it, aborts when a watched descriptor is not open. */
	if (fcntl(fd, F_GETFD) < 0)
		return -errno;
	w = malloc(sizeof *w);
	if (w == NULL)
		return -ENOMEM;
	ev_io_init(&w->io, on_io, fd, 0);
	w->io.data = arg;
	w->loop = loop;
	w->cb = cb;
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
	/* Stopping also discards an event that is pending.  It costs no system call: libev updates the
	 * kernel's set once per turn, and only for watchers that have changed by then. */
	ev_io_stop(w->loop->ev, &w->io);
	watch_set_off(w);
	if (events != 0) {
		ev_io_modify(&w->io, events);
		ev_io_start(w->loop->ev, &w->io);
		w->is_on = true;
		w->loop->watching++;
	}
}

/* Ends a wait. */
static void watch_on_time(struct ev_loop *ev, struct ev_timer *timer, int revents)
{
	(void)ev;
	(void)timer;
	(void)revents;
}

/* Makes sure that libev's next wait ends after `wait` at the latest.  A timer that an earlier wait has left running and
 * that fires before then is kept: at worst a wait ends early and the loop waits again, which costs less than starting a
 * timer for each wait. */
static void watch_set_timer(struct gn_loop *loop, gn_time wait)
{
	struct ev_timer *timer = loop->ev_timer;

	if (wait == GN_NEVER) {
		ev_timer_stop(loop->ev, timer);
		return;
	}
	if (ev_is_active(timer) && loop->ev_timer_at - loop->mono <= wait)
		return;
	ev_timer_stop(loop->ev, timer);
	/* libev starts the timer from its own cached time, which is as old as its last wait. */
	ev_now_update(loop->ev);
	ev_timer_set(timer, (double)wait / 1e9, 0.);
	ev_timer_start(loop->ev, timer);
	loop->ev_timer_at = gn_time_add(loop->mono, wait);
}

void gn_watch_wait(struct gn_loop *loop, gn_time wait)
{
	if (wait > 0)
		watch_set_timer(loop, wait);
	ev_run(loop->ev, wait > 0 ? EVRUN_ONCE : EVRUN_NOWAIT);
}

int gn_watch_open(struct gn_loop *loop)
{
	loop->ev_timer = malloc(sizeof *loop->ev_timer);
	if (loop->ev_timer == NULL)
		return -ENOMEM;
	ev_timer_init(loop->ev_timer, watch_on_time, 0., 0.);
	loop->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (loop->ev != NULL)
		return 0;
	free(loop->ev_timer);
	return errno > 0 ? -errno : -ENOMEM;
}

void gn_watch_close(struct gn_loop *loop)
{
	if (loop->ev != NULL)
		ev_loop_destroy(loop->ev);
	free(loop->ev_timer);
}
