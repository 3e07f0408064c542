/* SPDX-License-Identifier: MIT */
/*
 * Two nodes and a channel between them, on a virtual loop over the mem transport.  Each end writes and reads
 * CHANNEL_PAIR_BYTES, checks the bytes that it reads, and frees or resets the channel at an event that the
 * test chooses.
 */
#ifndef GN_SUPPORT_CHANNEL_PAIR_H
#define GN_SUPPORT_CHANNEL_PAIR_H

#include "support/test_node.h"

enum { CHANNEL_PAIR_BYTES = 300000, CHANNEL_PAIR_DELAY = 5 };

/* One end of a channel. */
struct channel_end {
	struct gn_channel *ch;
	unsigned seen;              /* the union of all events so far */
	unsigned count;             /* calls of on_event */
	unsigned dead;              /* GN_DEAD events */
	unsigned free_on, reset_on; /* the channel is freed or reset at the first of these events */
	bool is_freed, is_reset, has_ended;
	bool reads, writes;
	size_t sent, got;
	int in; /* the error or GN_EOF that ended reading; 0 until then */
};

struct channel_pair {
	struct test_node t;
	struct gn_node *client;
	struct gn_key *key;
	struct gn_dial *op; /* NULL when the dial has ended */
	struct channel_end server, dialer;
	unsigned done, opened;
	int err;
	bool frees_in_open, frees_in_done;
};

/* Returns the i-th byte that each end sends. */
uint8_t channel_pair_byte(size_t i);

/* Writes until the channel accepts no more bytes, or all bytes are written; then it ends the writing side. */
void channel_end_write(struct channel_end *e);

void channel_end_on_event(void *arg, struct gn_channel *ch, unsigned events);

/* The callback on_done of the dial.  arg is the struct channel_pair. */
void channel_pair_on_done(void *arg, int err, struct gn_channel *ch);

/* delay is the delay of the mem transport in one direction. */
void channel_pair_init(struct channel_pair *s, gn_time delay);

/* Starts the dial.  The channel is opened later, from inside the loop. */
void channel_pair_dial(struct channel_pair *s);

void channel_pair_run(struct channel_pair *s, unsigned ms);

/* Asserts that no memory is in use once the channels are freed and that the server still accepts a client,
 * and frees everything. */
void channel_pair_fini(struct channel_pair *s);

#endif
