/* SPDX-License-Identifier: MIT */
/*
 * address: an address operand as described in gn-address(7): MULTIADDR or MULTIADDR#TOKEN; or @FILE, @- or
 * @fd:N, from which such a text is read.
 *
 *	address.c         parses the text
 *	address_hint.c    explains common mistakes, such as host:port, and shows the right form
 *	address_error.c   explains why a text is malformed, and why an address cannot be dialled or listened on
 *	address_source.c  reads the text from a file or a descriptor
 */
#ifndef CMD_COMMON_ADDRESS_H
#define CMD_COMMON_ADDRESS_H

#include "gn.h"
#include "diag.h"

#define ADDRESS_TOKEN_MAX 64 /* characters of base32 alphabet, lower case */
#define ADDRESS_BLANKS " \t\r\n\v\f"

struct address {
	struct gn_multiaddr *addr;
	struct gn_peer_id peer;            /* len 0: the address does not end in /p2p/ID */
	char token[ADDRESS_TOKEN_MAX + 1]; /* "": none */
};

/* The use of an address; it selects the form that a message suggests. */
enum address_use { ADDRESS_DIAL, ADDRESS_LISTEN };

/* Parses an address; blanks and line ends around it are ignored.  Returns 0, or -1 and a fault that shows
 * where the text is wrong, and never shows a token.  The caller releases *out with address_fini(). */
int address_parse(const char *text, struct address *out, struct fault *f);
/* The same for an address to dial: it must end in /p2p/ID. */
int address_parse_peer(const char *text, struct address *out, struct fault *f);
void address_fini(struct address *a);
/* Parses a peer id in any textual form, or a public key as text, whose id is then returned.  0, or -1 and a
 * fault. */
int address_parse_id(const char *text, struct gn_peer_id *out, struct fault *f);

/* Parses a string of argv, which may be @FILE, @- or @fd:N.  A failure ends the tool: with EXIT_LOCAL when
 * the file cannot be read, with EXIT_USAGE when the text is malformed.  Afterwards the string no longer
 * shows the token. */
void address_take_peer(char *arg, struct address *out);
void address_take(const char *arg, struct address *out); /* for a listener; a token is not hidden in arg */

/* Returns in *out the text that arg stands for, in memory that the caller wipes and frees: arg itself, or
 * the first line of the file or descriptor that it names, at most ADDRESS_LINE_MAX bytes.  Nothing after
 * that line is read, so the rest of standard input remains data.  Returns 0, or EXIT_LOCAL, EXIT_USAGE or
 * EXIT_LIMIT and a fault. */
#define ADDRESS_LINE_MAX 4096
int address_read(const char *arg, char **out, struct fault *f);

/* Writes a text for an error of dialling or listening on an address, and returns it.  For errors about a
 * zone it names the zone, or shows the right form of the address.  addr may be NULL. */
#define ADDRESS_ERROR_MAX 320
const char *address_strerror(const struct gn_multiaddr *addr, int err, char text[ADDRESS_ERROR_MAX]);

/* Sets the fault for an error of gn_multiaddr_parse() at text[where]: it says which component is wrong and what
 * belongs there.  The text is without a token.  Returns -1. */
int address_explain(const char *text, int err, size_t where, struct fault *f);

/* Whether the text (without a token) is one of the common mistakes: host:port, quotes, two addresses.  If
 * so, the fault shows the right form. */
bool address_hint(const char *text, enum address_use use, struct fault *f);

#endif
