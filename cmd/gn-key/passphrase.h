/* SPDX-License-Identifier: MIT */
/* passphrase: asks for a passphrase at the terminal, without echo. */
#ifndef CMD_GN_KEY_PASSPHRASE_H
#define CMD_GN_KEY_PASSPHRASE_H

#include "gn.h"

/* A gn_passphrase_cb; arg is the name of the key file.  Without a terminal it ends the tool. */
int passphrase_ask(void *arg, char buf[GN_PASSPHRASE_MAX]);

#endif
