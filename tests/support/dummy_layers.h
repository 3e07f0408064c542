/* SPDX-License-Identifier: MIT */
/* Toy layers: one that only counts, one that turns bytes over, one that greets. */
#ifndef GN_SUPPORT_DUMMY_LAYERS_H
#define GN_SUPPORT_DUMMY_LAYERS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/wire.h"

struct dummy_cfg {
	int ret;                 /* what a probe returns */
	gn_time wake;            /* what it sets */
	const char *hello;       /* what is written in init */
	int init;                /* what init returns */
	struct gn_layer **marks; /* a probe marks this layer once */
	size_t take;             /* a greeter's message */
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
