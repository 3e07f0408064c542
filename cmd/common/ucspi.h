/* SPDX-License-Identifier: MIT */
/* ucspi: the environment of a program that serves a stream: PROTO=GN, GNREMOTEPEER,
 * GNREMOTEADDR, GNLOCALPEER, GNLOCALADDR, GNPROTOCOL, GNPATH=direct|relay. */
#ifndef CMD_COMMON_UCSPI_H
#define CMD_COMMON_UCSPI_H

#include "gn.h"

/* Our environment with these in it, NULL-ended; NULL when out of memory. */
char **ucspi_new(const struct gn_channel *ch, const struct gn_peer_id *self);
void ucspi_free(char **env);

#endif
