/* SPDX-License-Identifier: MIT */
/*
 * worker: a program that serves one stream; combines program.h, relay.h and ucspi.h.
 *
 *   - A program that exits with another code than 0 resets the stream.
 *   - A program that exits with 0 ends it: relay_finish().
 *   - When the stream is reset or cut off, the program and the processes that it has started get a SIGTERM,
 *     and 2 s later a SIGKILL.  The program's input stays open until they have ended, so that none of them
 *     mistakes the cut for an end of file.
 *   - When the connection is lost after the peer has ended its side, the program gets all of its input and
 *     the end of file, and may finish its work; its output is dropped, and counted as lost.
 *   - The end of the program's output is sent only after its exit code is known, or after 0.2 s: the output
 *     of a program that fails must not look complete.
 */
#ifndef CMD_COMMON_WORKER_H
#define CMD_COMMON_WORKER_H

#include "format.h"
#include "gn.h"
#include "relay.h"

struct worker;

struct worker_cfg {
	struct gn_loop *loop;
	struct gn_channel *ch; /* owned by the worker once worker_new() has succeeded */
	const struct gn_peer_id *self;
	char *const *argv;
	int fd_in, fd_out; /* 0 and 1, or 6 and 7 */
	bool own_group;    /* program.h */
	bool frames;       /* of the channel */
	enum format format;
	size_t max_frame;
	void (*on_opened)(void *arg); /* may be NULL */
	/* The program has ended and its output was sent; only the peer's acknowledgement and end are
	 * pending.  Not called if on_done is called first.  May be NULL. */
	void (*on_idle)(void *arg);
	/* Called once, on the loop, when both the stream and the program have ended.  status: of
	 * program_exit_code().  worker_free() may be called from here. */
	void (*on_done)(void *arg, const struct relay_result *result, int status);
	void *arg;
};

/* Returns 0, an error of program_start(), or -errno. */
int worker_new(const struct worker_cfg *cfg, struct worker **out);
const struct gn_metrics *worker_metrics(struct worker *w);
/* Resets the stream, if it still exists, and ends the program as above; on_done is then called with this
 * fault. */
void worker_stop(struct worker *w, enum relay_fault fault, int err);
/* Releases the worker; before on_done it resets the stream and kills the program.  NULL is allowed. */
void worker_free(struct worker *w);

#endif
