/* SPDX-License-Identifier: MIT */
#include "errout.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gn.h"
#include "diag.h"

int errout_init(struct errout *e, int fd)
{
	int err;

	*e = (struct errout){.wait = ERROUT_WAITS};
	err = fdio_open_as_is(&e->io, fd, true);
	e->is_open = err == 0;
	return err;
}

void errout_fini(struct errout *e)
{
	if (e->is_open && e->io.fd != e->io.given)
		close(e->io.fd);
	e->is_open = false;
}

/* Writes as much as there is room for.  Returns the number of bytes, or if that is 0 GN_EAGAIN or -errno. */
static ptrdiff_t errout_write(struct errout *e, const char *p, size_t len)
{
	struct iovec v;
	ptrdiff_t n = 0;
	size_t at = 0;

	if (!e->is_open)
		return -EBADF;
	while (at < len) {
		v = (struct iovec){(void *)(uintptr_t)(p + at), len - at};
		n = fdio_writev(&e->io, &v, 1);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	return at > 0 ? (ptrdiff_t)at : n;
}

/* Writes the rest of an earlier line.  Returns 0 when nothing is kept any more, else GN_EAGAIN.  After
 * another error the rest is dropped. */
static int flush_rest(struct errout *e)
{
	ptrdiff_t n;

	if (e->rest_len == 0)
		return 0;
	n = errout_write(e, e->rest, e->rest_len);
	if (n < 0 && n != GN_EAGAIN) {
		e->rest_len = 0;
		e->lost++;
		return 0;
	}
	if (n > 0) {
		e->rest_len -= (size_t)n;
		memmove(e->rest, e->rest + n, e->rest_len);
	}
	return e->rest_len == 0 ? 0 : GN_EAGAIN;
}

/* Formats the line about lost lines.  Returns its length, 0 when none was lost. */
static size_t format_lost(const struct errout *e, char *text, size_t room)
{
	int n;

	if (e->lost == 0)
		return 0;
	if (e->kind == ERROUT_JSON)
		n = snprintf(text, room, "{\"event\":\"lost\",\"lines\":%" PRIu64 "}\n", e->lost);
	else
		n = snprintf(text, room, "%.60s: %" PRIu64 " %s lost\n", diag_tool(), e->lost,
			     e->lost == 1 ? "line was" : "lines were");
	return (size_t)n;
}

/* Writes as much as possible of the first `len` bytes of e->rest, and keeps the remainder there.  Returns
 * 0, or GN_EAGAIN or -errno when nothing was written. */
static int put_rest(struct errout *e, size_t len)
{
	ptrdiff_t n = errout_write(e, e->rest, len);

	if (n <= 0)
		return n < 0 ? (int)n : GN_EAGAIN;
	e->rest_len = len - (size_t)n;
	memmove(e->rest, e->rest + n, e->rest_len);
	e->lost = 0;
	return 0;
}

/* Writes a line that does not fit into e->rest.  The part that is not written is cut to the size of e->rest
 * and still ends in a line end. */
static int put_long(struct errout *e, const char *line, size_t len)
{
	ptrdiff_t n = errout_write(e, line, len);

	if (n <= 0)
		return n < 0 ? (int)n : GN_EAGAIN;
	len -= (size_t)n;
	e->rest_len = len < sizeof e->rest ? len : sizeof e->rest;
	memcpy(e->rest, line + n, e->rest_len);
	if (e->rest_len < len) {
		e->rest[e->rest_len - 1] = '\n';
		e->lost++;
	}
	return 0;
}

/* Writes the line, preceded by the line about lost lines, by one call, so that both are written or
 * none.  Returns 0, or GN_EAGAIN or -errno when nothing was written. */
static int errout_write_line(struct errout *e, const char *line, size_t len)
{
	int err = flush_rest(e);
	size_t before;

	if (err != 0)
		return err;
	before = format_lost(e, e->rest, sizeof e->rest);
	if (before + len <= sizeof e->rest) {
		memcpy(e->rest + before, line, len);
		return put_rest(e, before + len);
	}
	err = before > 0 ? put_rest(e, before) : 0;
	if (err == 0)
		err = flush_rest(e);
	return err != 0 ? err : put_long(e, line, len);
}

/* Waits for room if that is allowed; returns false when there is none. */
static bool wait_for_room(struct errout *e)
{
	struct pollfd p = {.fd = e->io.fd, .events = POLLOUT};

	if (e->wait == ERROUT_WAITS && poll(&p, 1, ERROUT_WAIT) <= 0)
		e->wait = ERROUT_GAVE_UP;
	return e->wait == ERROUT_WAITS;
}

bool errout_put(struct errout *e, enum errout_kind kind, const char *line, size_t len)
{
	int err;

	if (len == 0)
		return true;
	e->kind = kind;
	do {
		err = errout_write_line(e, line, len);
	} while (err == GN_EAGAIN && wait_for_room(e));
	if (err != 0)
		e->lost++;
	return err == 0;
}

bool errout_draw(struct errout *e, const char *text, size_t len)
{
	return errout_write_line(e, text, len) == 0;
}

void errout_set_wait(struct errout *e, bool may_wait)
{
	if (e->wait != ERROUT_GAVE_UP)
		e->wait = may_wait ? ERROUT_WAITS : ERROUT_NEVER_WAITS;
}

void errout_finish(struct errout *e)
{
	int err;

	errout_set_wait(e, true);
	do {
		err = e->lost > 0 ? errout_write_line(e, "", 0) : flush_rest(e);
	} while (err == GN_EAGAIN && wait_for_room(e));
}

/* ---- the process's standard error ------------------------------------------------ */

static struct errout own;
static enum { OWN_UNUSED, OWN_READY } own_state;

static void finish_own(void)
{
	errout_finish(&own);
}

static struct errout *get_own(void)
{
	if (own_state == OWN_UNUSED) {
		own_state = OWN_READY;
		errout_init(&own, STDERR_FILENO);
		atexit(finish_own);
	}
	return &own;
}

static bool is_progress_shown;

bool errout_progress(const char *text, size_t len)
{
	static const char clear[] = "\r\033[K";
	char line[sizeof clear + ERROUT_PROGRESS_MAX];

	if (len > ERROUT_PROGRESS_MAX)
		len = ERROUT_PROGRESS_MAX;
	memcpy(line, clear, sizeof clear - 1);
	if (len > 0)
		memcpy(line + sizeof clear - 1, text, len);
	if (!errout_draw(get_own(), line, sizeof clear - 1 + len))
		return false;
	is_progress_shown = len > 0;
	return true;
}

bool errout_line(enum errout_kind kind, const char *line, size_t len)
{
	if (is_progress_shown)
		errout_progress("", 0);
	return errout_put(get_own(), kind, line, len);
}

void errout_may_wait(bool may)
{
	errout_set_wait(get_own(), may);
}
