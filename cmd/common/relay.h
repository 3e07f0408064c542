/* SPDX-License-Identifier: MIT */
/*
 * relay: copies bytes or frames between a channel and a pair of descriptors, until both directions have
 * ended in good order or something has failed.
 *
 *	local side                      network
 *	input --> framer ---- send ---> channel        without a framer: bytes, which are not copied
 *	output <- batch <-- receive --- channel
 *
 * Half-close passes through: the end of the input ends the sending side of the channel, and the end of the
 * channel closes the output.
 *
 * RELAY_CLEAN means that the peer has acknowledged everything that was sent (gn_channel_sync()).  The wait
 * for the acknowledgement is limited only by the limits that end a silent connection.
 */
#ifndef CMD_COMMON_RELAY_H
#define CMD_COMMON_RELAY_H

#include "format.h"
#include "gn.h"
#include "input.h"
#include "output.h"
#include "framer.h"

struct relay;

enum relay_fault {
	RELAY_CLEAN,  /* both directions ended, everything was written out, and what was sent was acknowledged */
	RELAY_PEER,   /* the channel failed, or the peer sent invalid data */
	RELAY_UNREAD, /* after its own end the peer has stopped reading: some bytes were not delivered */
	RELAY_IDLE,   /* no byte has moved for too long; set by the relay's owner */
	RELAY_INPUT,  /* reading the input failed, or the input is invalid (GN_E*) */
	RELAY_OUTPUT, /* writing the output failed */
	RELAY_FORMAT, /* the local format cannot express a received frame (a line that contains a '\n') */
};

/* How a relay ended. */
struct relay_result {
	enum relay_fault fault;
	int err;       /* 0 or an error of gn.h; -EPIPE with RELAY_OUTPUT is not reported */
	bool opened;   /* the peer has accepted the protocol */
	bool got_end;  /* the peer has ended its side in good order, and all that it sent was written out */
	uint64_t lost; /* bytes that were read from the input and not acknowledged by the peer */
};

struct relay_cfg {
	struct gn_channel *ch;        /* owned by the relay once relay_new() has succeeded */
	struct input *in;             /* borrowed; NULL: nothing is sent */
	struct output *out;           /* borrowed; NULL: received data is dropped */
	struct framer *framer;        /* borrowed; cuts `in` into frames; not NULL if the channel is GN_FRAMES */
	enum format format;           /* of the output; used with a framer only */
	bool drop_output;             /* -EPIPE of the output is not a failure: received data is dropped from then on */
	bool keep_output;             /* the output stays open when the channel ends, for the next relay */
	bool hold_end;                /* at the end of the input, on_input_end is called and relay_end() awaited */
	bool end_follows;             /* without `in`: the sending side is ended after the peer has ended its side */
	void (*on_opened)(void *arg); /* the peer has accepted the protocol; may be NULL */
	void (*on_input_end)(void *arg); /* may be NULL */
	/* All bytes and the end have been sent, and only the acknowledgement is pending: the input is not
	 * used any more and may be freed.  May be NULL. */
	void (*on_sent)(void *arg);
	/* Called once, on the loop.  The channel is freed by then; it was reset before unless the result is
	 * RELAY_CLEAN. relay_free() may be called from here. */
	void (*on_done)(void *arg, const struct relay_result *result);
	void *arg;
};

/* Returns 0, or an error, and then the channel is still the caller's. */
int relay_new(const struct relay_cfg *cfg, struct gn_loop *loop, struct relay **out);
void relay_end(struct relay *r); /* ends the sending side after the bytes that were read */
/* To be called when the program that uses input and output has exited with 0: ends the sending side, drops
 * what is still received, and does not use the output any more.  After the acknowledgement the peer has a
 * second to end its side; then the stream is reset, so that the peer stops sending. */
void relay_finish(struct relay *r);
/* Resets the channel; on_done is not called any more. */
void relay_reset(struct relay *r);
void relay_free(struct relay *r); /* resets the channel if it still exists; NULL is allowed */
/* The channel's metrics; after its end the last ones. */
const struct gn_metrics *relay_metrics(struct relay *r);
/* The number of bytes that were read from the input and not acknowledged by the peer. */
uint64_t relay_unconfirmed(const struct relay *r);

#endif
