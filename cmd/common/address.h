/* SPDX-License-Identifier: MIT */
/*
 * address: a multiaddr as a tool takes it, gn-address(7): MULTIADDR or MULTIADDR#TOKEN, or where it is to be read from:
 * @FILE, @- or @fd:N.
 *
 *	address.c         parsing
 *	address_hint.c    what is wrong with a text that is no address, and what the right form is
 *	address_error.c   what is wrong with an address that cannot be reached
 *	address_source.c  reading an address from a file or descriptor
 */
#ifndef CMD_COMMON_ADDRESS_H
#define CMD_COMMON_ADDRESS_H

#include "gn.h"
#include "diag.h"

#define ADDRESS_TOKEN_MAX 64 /* characters of base32 alphabet, lower case */
#define ADDRESS_BLANKS " \t\r\n\v\f"

struct address {
	struct gn_multiaddr *addr;
	struct gn_peer_id peer;            /* len 0: it does not end in /p2p/ID */
	char token[ADDRESS_TOKEN_MAX + 1]; /* "": none */
};

/* What an address is for decides which form a message shows. */
enum address_use { ADDRESS_DIAL, ADDRESS_LISTEN };

/* Parses an address, with any blanks and line ends around it.  0, or -1 and a fault that shows the place at which it
 * went wrong, and never shows a token. */
int address_parse(const char *text, struct address *out, struct fault *f);
/* The same, for an address to dial: it must end in /p2p/ID. */
int address_parse_peer(const char *text, struct address *out, struct fault *f);
void address_fini(struct address *a);
/* A peer id in any textual form, or a public key as text, whose id it then is. */
int address_parse_id(const char *text, struct gn_peer_id *out, struct fault *f);

/* Parses a string of argv, which may be @FILE, @- or @fd:N.  What fails ends the tool: with EXIT_LOCAL when the file
 * cannot be read, with EXIT_USAGE when the text is malformed.  After it the string does not show the token. */
void address_take_peer(char *arg, struct address *out);
void address_take(const char *arg, struct address *out); /* for a listener; a token stays in arg */

/* The address that arg stands for, in memory that the caller wipes and frees: arg itself, or the first line of what
 * it names, of at most ADDRESS_LINE_MAX bytes.  Nothing behind that line is read, so that the rest of standard input
 * is data.  0; EXIT_LOCAL or EXIT_USAGE and a fault. */
#define ADDRESS_LINE_MAX 4096
int address_read(const char *arg, char **out, struct fault *f);

/* What an error of dialling or listening on an address means, in words, for a zone with its name or with the right
 * form of the address. */
#define ADDRESS_ERROR_MAX 320
const char *address_strerror(const struct gn_multiaddr *addr, int err, char text[ADDRESS_ERROR_MAX]);

/* Whether a text of n bytes, without a token, is one of the well-known mistakes (host:port, quotes, two addresses);
 * if so, the fault shows the right form. */
bool address_hint(const char *text, enum address_use use, struct fault *f);

#endif
