/* SPDX-License-Identifier: MIT */
/* One yamux session.  A test acts as its peer, and sends and expects single frames. */
#ifndef GN_SUPPORT_YAMUX_SCRIPT_H
#define GN_SUPPORT_YAMUX_SCRIPT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/yamux_watch.h"

enum { KIB = 1024, SCRIPT_EVENT_SLOTS = 64 };

struct yamux_script {
	struct gn_iobuf iobuf;
	struct side s;
	struct gn_layer *l;
	struct gn_mux_session *ses;
	const struct gn_mux_session_ops *ops;
	struct wire out;
	struct gn_mux_cfg cfg;
	struct gn_scope scope;
	gn_time now;
	struct gn_mux_stream *came[SCRIPT_EVENT_SLOTS]; /* inbound streams */
	unsigned n_came;
	unsigned events[SCRIPT_EVENT_SLOTS]; /* the union of the events of each stream, by its id */
	int admits;                          /* the value that admit() of struct gn_mux_cfg returns */
	bool releases;                       /* new streams are released at once */
};

void script_start(struct yamux_script *f, bool client);

void script_stop(struct yamux_script *f);

int script_setup(void **state);

int script_teardown(void **state);

void script_on_new(void *arg, struct gn_mux_stream *st);

void script_deliver(struct yamux_script *f);

/* The session receives a frame header, and the first `body` bytes of the body that follows it. */
void script_receive(struct yamux_script *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length, size_t body);

void script_receive_bytes(struct yamux_script *f, size_t n);

void script_drain(struct yamux_script *f);

/* Asserts that the next frame that the session sends has this header, and skips the frame and its body. */
void script_expect(struct yamux_script *f, uint8_t type, uint16_t flags, uint32_t id, uint32_t length);

void script_expect_nothing(struct yamux_script *f);

struct gn_mux_stream *script_open(struct yamux_script *f);

/* Opens a stream, and receives the peer's acknowledgement of its SYN. */
struct gn_mux_stream *script_open_acked(struct yamux_script *f);

/* Receives a SYN for the stream `id`, and asserts that the session accepts and acknowledges it. */
struct gn_mux_stream *script_accept(struct yamux_script *f, uint32_t id);

void script_put(struct yamux_script *f, struct gn_mux_stream *st, size_t n);

void script_take(struct yamux_script *f, struct gn_mux_stream *st, size_t n);

void script_close(struct yamux_script *f, struct gn_mux_stream *st);

void script_expect_broken(struct yamux_script *f, int err, uint32_t code);

#endif
