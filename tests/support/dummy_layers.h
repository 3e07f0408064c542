/* SPDX-License-Identifier: MIT */
/*
 * Small layers for tests of the stack:
 *
 *     dummy_probe      counts the calls of advance and returns what its configuration contains
 *     dummy_inverter   inverts every bit of the bytes that pass through it, in both directions
 *     dummy_greeter    sends a text, waits for a message of a given length, sends "ok" and is done
 */
#ifndef GN_SUPPORT_DUMMY_LAYERS_H
#define GN_SUPPORT_DUMMY_LAYERS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/wire.h"

struct dummy_cfg {
	int ret;                 /* the value that a probe returns from advance */
	gn_time wake;            /* the time to which a probe sets its wake-up; 0: none */
	const char *hello;       /* the text that init sends; NULL: none */
	int init;                /* the value that init returns */
	struct gn_layer **marks; /* a probe marks this layer once, and sets this to NULL */
	size_t take;             /* the length of the message for which a greeter waits */
};

struct dummy {
	struct dummy_cfg cfg;
	unsigned advances;
	gn_time last;
	bool is_ready;
};

extern unsigned dummy_finis;

extern const struct gn_layer_ops dummy_probe;

extern const struct gn_layer_ops dummy_inverter;

extern const struct gn_layer_ops dummy_greeter;

struct dummy *dummy_of(struct gn_layer *l);

void pipe_assert_text(struct gn_pipe *p, const char *want);

#endif
