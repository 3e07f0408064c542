/* SPDX-License-Identifier: MIT */
/* Two nodes and a channel between them: each end sends, reads, and at an event of the test's
 * choice frees or resets.  On a virtual loop, over mem with a delay.  After cmocka.h. */
#ifndef GN_SUPPORT_CHANNEL_PAIR_H
#define GN_SUPPORT_CHANNEL_PAIR_H

#include "support/raw_peer.h"

enum { CHANNEL_PAIR_BYTES = 300000, CHANNEL_PAIR_DELAY = 5 };

/* One end of a channel, and what it is to do when an event comes. */
struct channel_end {
	struct gn_channel *ch;
	unsigned seen; /* events, ored */
	unsigned count;
	unsigned dead;
	unsigned free_on, reset_on; /* at the first of these */
	bool is_freed, is_reset, has_ended;
	bool reads, writes;
	size_t sent, got;
	int in; /* how reading ended */
};

struct channel_pair {
	struct test_node t;
	struct gn_node *client;
	struct gn_key *key;
	struct gn_dial *op;
	struct channel_end server, dialer;
	unsigned done, opened;
	int err;
	bool frees_in_open, frees_in_done;
};

uint8_t channel_pair_byte(size_t i);

void channel_end_write(struct channel_end *e);

void channel_end_on_event(void *arg, struct gn_channel *ch, unsigned events);

void channel_pair_on_done(void *arg, int err, struct gn_channel *ch);

void channel_pair_init(struct channel_pair *s, gn_time delay);

void channel_pair_dial(struct channel_pair *s);

void channel_pair_run(struct channel_pair *s, unsigned ms);

void channel_pair_fini(struct channel_pair *s);

#endif
