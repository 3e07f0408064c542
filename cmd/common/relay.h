/* SPDX-License-Identifier: MIT */
/*
 * relay: carries a channel's bytes or frames to and from a pair of descriptors, until
 * both directions have ended in good order or something failed.
 *
 *	local side                      wire side
 *	input --> [form] --- send --->  channel        form: how frames look locally, format.h;
 *	output <- [form] <-- receive -- channel              raw both ways: bytes, not copied
 *
 * Half-close goes through both ways: the end of the input ends the channel's sending
 * side, the channel's end ends the output.
 *
 * What was sent counts once the peer has acknowledged it (gn_channel_sync()): RELAY_CLEAN promises
 * that, and there is no limit on the wait for it but those that end a silent connection.
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
	RELAY_PEER,   /* the channel died, or what came from it was bad */
	RELAY_UNREAD, /* after its own end the peer has stopped reading: some of what was sent was not taken */
	RELAY_IDLE,   /* nothing has moved for too long; the relay's owner says so */
	RELAY_INPUT,  /* reading locally failed, or what was read was bad (GN_E*) */
	RELAY_OUTPUT, /* writing locally failed */
	RELAY_FORMAT, /* the local form cannot express a frame that came (a line with a '\n' in it) */
};

/* How it ended. */
struct relay_result {
	enum relay_fault fault;
	int err;       /* 0 or of gn.h; -EPIPE with RELAY_OUTPUT is not worth a word */
	bool opened;   /* the peer had accepted the protocol */
	bool got_end;  /* the peer's side ended in good order, and all that came before was written out */
	uint64_t lost; /* bytes that were read from the input and that the peer has not acknowledged */
};

struct relay_cfg {
	struct gn_channel *ch;           /* the relay's from relay_new() on */
	struct input *in;                /* borrowed; NULL: there is nothing to send */
	struct output *out;              /* borrowed; NULL: what comes is dropped */
	struct framer *framer;           /* borrowed; makes frames of `in`; not NULL where the channel is GN_FRAMES */
	enum format format;              /* of the output, with units only */
	bool drop_output;                /* -EPIPE is no fault: what comes is dropped then */
	bool keep_output;                /* the channel's end leaves the output open, for the next one */
	bool hold_end;                   /* the input's end is told by on_input_end and waits for relay_end() */
	bool end_follows;                /* without `in`: our end goes out when the peer's has come */
	void (*on_opened)(void *arg);    /* the peer accepted the protocol; may be NULL */
	void (*on_input_end)(void *arg); /* may be NULL */
	/* All bytes and our end have gone out, only the acknowledgement is missing: the input is not used
	 * any more and may be freed.  May be NULL. */
	void (*on_sent)(void *arg);
	/* Once, on the loop.  The channel is gone by then: freed when clean, reset and freed else.
	 * relay_free() may be called from here. */
	void (*on_done)(void *arg, const struct relay_result *result);
	void *arg;
};

int relay_new(const struct relay_cfg *cfg, struct gn_loop *loop, struct relay **out);
void relay_end(struct relay *r); /* ends the sending side, behind what was read */
/* The program behind input and output has ended and that is fine: ends the sending side, and drops what
 * still comes; the output is not used any more.  When all that was sent is acknowledged, the peer has a second to end its
 * side, too; then the stream is reset, so that it does not go on sending to nobody. */
void relay_finish(struct relay *r);
/* Resets the channel now; on_done is not called any more. */
void relay_reset(struct relay *r);
void relay_free(struct relay *r); /* resets the channel if it is still there */
/* The channel's, as they were when it was given up. */
const struct gn_metrics *relay_metrics(struct relay *r);
/* Bytes read from the input that are not known to have arrived. */
uint64_t relay_unconfirmed(const struct relay *r);

#endif
