/* SPDX-License-Identifier: MIT */
/* peers: the peers that are named by the values of an option, which may be repeated.  Each value is
 *
 *	a peer id, in any of its forms
 *	a public key: as gn-key pub prints it, in PEM, or in the form of ssh
 *	@FILE, @fd:N   a list of these, one per line (PEM: several lines); empty lines and lines that begin with '#' are
 *	               skipped
 * / */
#ifndef CMD_COMMON_PEERS_H
#define CMD_COMMON_PEERS_H

#include "gn.h"
#include "opt.h"

struct peers {
	struct gn_peer_id *ids;
	char **places; /* where each was named, for messages */
	size_t n;
};

/* Parses the values.  A failure ends the tool with the code of gn-exit(7) and a line that names the option
 * ("-r"). */
void peers_take(const char *option, const struct opt_list *values, struct peers *out);
void peers_fini(struct peers *p);

#endif
