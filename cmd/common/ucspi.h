/* SPDX-License-Identifier: MIT */
/* ucspi: the environment of a program that serves a stream, after D. J. Bernstein's UCSPI: PROTO=GN,
 * GNREMOTEPEER, GNREMOTEADDR, GNLOCALPEER, GNLOCALADDR, GNPROTOCOL, GNPATH=direct|relay. */
#ifndef CMD_COMMON_UCSPI_H
#define CMD_COMMON_UCSPI_H

#include "gn.h"

/* Returns this process's environment with these variables set, NULL-terminated; NULL when out of
 * memory.  The caller frees it with ucspi_free(). */
char **ucspi_new(const struct gn_channel *ch, const struct gn_peer_id *self);
void ucspi_free(char **env);

#endif
