/* SPDX-License-Identifier: MIT */
/*
 * worker: a program that serves one stream: program.h, relay.h and ucspi.h together.
 *
 *   - a program that exits with other than 0 resets the stream;
 *   - a stream that is reset gets the program a SIGTERM, and a SIGKILL 2 s later, before its
 *     pipes are closed, so that it cannot take the cut for an end;
 *   - the end of the program's output waits for its exit code, for 0.2 s: a program that dies
 *     must not look as if it had said all.
 */
#ifndef CMD_COMMON_WORKER_H
#define CMD_COMMON_WORKER_H

#include "form.h"
#include "gn.h"
#include "relay.h"

struct worker;

struct worker_cfg {
	struct gn_loop *loop;
	struct gn_channel *ch; /* the worker's, once worker_new() has succeeded */
	const struct gn_peer_id *self;
	char *const *argv;
	int fd_in, fd_out; /* 0 and 1, or 6 and 7 */
	bool frames;       /* of the channel */
	enum form form;
	size_t max_frame;
	void (*on_opened)(void *arg); /* may be NULL */
	/* Once, on the loop, when both the stream and the program have ended.  status: of
	 * program_exit_code().  Frees nothing: worker_free() may be called from here. */
	void (*on_done)(void *arg, enum relay_fault fault, int err, int status);
	void *arg;
};

/* 0, or what program_start() or others returned. */
int worker_new(const struct worker_cfg *cfg, struct worker **out);
const struct gn_metrics *worker_metrics(struct worker *w);
/* Resets the stream, ends the program (SIGTERM) and forgets both. */
void worker_free(struct worker *w);

#endif
