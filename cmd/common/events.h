/* SPDX-License-Identifier: MIT */
/* Prints the events of a node on stderr as JSON objects, for -j. */
#ifndef CMD_COMMON_EVENTS_H
#define CMD_COMMON_EVENTS_H

#include "gn.h"

/* on_event of struct gn_node_cfg; arg is not used. */
void events_print(void *arg, const struct gn_event *event);

#endif
