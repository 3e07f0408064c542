/* SPDX-License-Identifier: MIT */
/*
 * worker: a program that serves one stream: program.h, relay.h and ucspi.h together.
 *
 *   - a program that exits with other than 0 resets the stream;
 *   - a program that exits with 0 ends it: relay_finish();
 *   - when the stream is reset or cut off, the program and all that it has started get a SIGTERM, and
 *     2 s later a SIGKILL.  Its input stays open until they are gone, so that none of them can take the
 *     cut for an end;
 *   - when the connection is lost after the peer's end has come, the program keeps all of its
 *     input, has its end of file, and may end by itself; what it writes is dropped, and counted;
 *   - the end of the program's output waits for its exit code, for 0.2 s: a program that dies
 *     must not look as if it had said all.
 */
#ifndef CMD_COMMON_WORKER_H
#define CMD_COMMON_WORKER_H

#include "format.h"
#include "gn.h"
#include "relay.h"

struct worker;

struct worker_cfg {
	struct gn_loop *loop;
	struct gn_channel *ch; /* the worker's, once worker_new() has succeeded */
	const struct gn_peer_id *self;
	char *const *argv;
	int fd_in, fd_out; /* 0 and 1, or 6 and 7 */
	bool own_group;    /* program.h */
	bool frames;       /* of the channel */
	enum format format;
	size_t max_frame;
	void (*on_opened)(void *arg); /* may be NULL */
	/* The program has ended, and all that it wrote has gone out: only the peer's word is missing.  Not
	 * called when on_done comes first.  May be NULL. */
	void (*on_idle)(void *arg);
	/* Once, on the loop, when both the stream and the program have ended.  status: of
	 * program_exit_code().  Frees nothing: worker_free() may be called from here. */
	void (*on_done)(void *arg, const struct relay_result *result, int status);
	void *arg;
};

/* 0, or what program_start() or others returned. */
int worker_new(const struct worker_cfg *cfg, struct worker **out);
const struct gn_metrics *worker_metrics(struct worker *w);
/* Resets the stream, if it is still there, and ends the program as above; on_done is then called with this fault. */
void worker_stop(struct worker *w, enum relay_fault fault, int err);
/* Resets the stream and kills the program unless on_done was called, and forgets both. */
void worker_free(struct worker *w);

#endif
