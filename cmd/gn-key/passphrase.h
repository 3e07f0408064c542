/* SPDX-License-Identifier: MIT */
/* passphrase: asks at the terminal, without showing what is typed. */
#ifndef CMD_GN_KEY_PASSPHRASE_H
#define CMD_GN_KEY_PASSPHRASE_H

#include "gn.h"

/* A gn_passphrase_cb; arg is the name of the file.  Without a terminal it ends the tool. */
int passphrase_ask(void *arg, char buf[GN_PASSPHRASE_MAX]);

#endif
