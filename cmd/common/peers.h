/* SPDX-License-Identifier: MIT */
/* peers: the peers that an option names, once or several times.  Each value is
 *
 *	a peer id, in any of its forms
 *	a public key: as gn-key pub prints it, in PEM, or as ssh has it
 *	@FILE, @fd:N   a list of those, one a line; empty lines and lines that begin with '#' are skipped, PEM takes several
 *	               lines
 */
#ifndef CMD_COMMON_PEERS_H
#define CMD_COMMON_PEERS_H

#include "gn.h"
#include "opt.h"

struct peers {
	struct gn_peer_id *ids;
	char **places; /* where each was named, for people */
	size_t n;
};

/* Dies with a line and the code of gn-exit(7); option ("-r") is named in it. */
void peers_take(const char *option, const struct opt_list *values, struct peers *out);
void peers_fini(struct peers *p);

#endif
