/* SPDX-License-Identifier: MIT */
/*
 * relay: carries a channel's bytes or frames to and from a pair of descriptors, until
 * both directions have ended in good order or something failed.
 *
 *	local side                      wire side
 *	input --> [form] --- send --->  channel        form: how frames look locally, form.h;
 *	output <- [form] <-- receive -- channel              raw both ways: bytes, not copied
 *
 * Half-close goes through both ways: the end of the input ends the channel's sending
 * side, the channel's end ends the output.
 */
#ifndef CMD_COMMON_RELAY_H
#define CMD_COMMON_RELAY_H

#include "form.h"
#include "gn.h"
#include "input.h"
#include "output.h"
#include "units.h"

struct relay;

enum relay_fault {
	RELAY_CLEAN,  /* both directions ended and everything went out */
	RELAY_PEER,   /* the channel died, or what came from it was bad */
	RELAY_INPUT,  /* reading locally failed, or what was read was bad (GN_E*) */
	RELAY_OUTPUT, /* writing locally failed */
	RELAY_FORM,   /* the local form cannot express a frame that came (a line with a '\n' in it) */
};

struct relay_cfg {
	struct gn_channel *ch;           /* the relay's from relay_new() on */
	struct input *in;                /* borrowed; NULL: nothing to send, ends at once (with units not NULL) */
	struct output *out;              /* borrowed; NULL: what comes is dropped */
	struct units *units;             /* borrowed; makes frames of `in`; not NULL where the channel is GN_FRAMES */
	enum form form;                  /* of the output, with units only */
	bool drop_output;                /* -EPIPE is no fault: what comes is dropped then, as relay_drop_output() */
	bool keep_output;                /* the channel's end leaves the output open, for the next one */
	bool hold_end;                   /* the input's end is told by on_input_end and waits for relay_end() */
	void (*on_opened)(void *arg);    /* the peer accepted the protocol; may be NULL */
	void (*on_input_end)(void *arg); /* may be NULL */
	/* Once, on the loop.  err: 0 or of gn.h; -EPIPE with RELAY_OUTPUT is not worth a word.
	 * The channel is gone by then: freed when clean, reset and freed else.  relay_free()
	 * may be called from here. */
	void (*on_done)(void *arg, enum relay_fault fault, int err);
	void *arg;
};

int relay_new(const struct relay_cfg *cfg, struct gn_loop *loop, struct relay **out);
void relay_end(struct relay *r); /* ends the sending side, behind what was read */
/* The reader behind the output has gone and that is fine: drops what still comes, and with
 * both of relay_end() and this the relay is done as soon as all went out. */
void relay_drop_output(struct relay *r);
/* Resets the channel now; on_done is not called any more. */
void relay_reset(struct relay *r);
void relay_free(struct relay *r); /* resets the channel if it is still there */
/* The channel's, as they were when it was given up. */
const struct gn_metrics *relay_metrics(struct relay *r);

#endif
