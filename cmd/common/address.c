/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blanks.h"
#include "exit.h"
#include "secret.h"

#define TOKEN_LETTERS "abcdefghijklmnopqrstuvwxyz234567"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* addr: the text in front of the token.  The fault shows addr, never the token. */
static int take_token(const char *addr, const char *token, struct address *out, struct fault *f)
{
	size_t n = strlen(token), good = strspn(token, TOKEN_LETTERS), where = strlen(addr) + 1 + good + 1;

	if (n == 0)
		return fault_set(f, "address %.200s: the token after the # is missing", addr);
	if (good < n && token[strspn(token, TOKEN_LETTERS CAPITALS)] == '\0')
		return fault_set(f,
				 "address %.200s: wrong at character %zu: a token has only a-z and 2-7, and this one "
				 "has capitals",
				 addr, where);
	if (good < n)
		return fault_set(f, "address %.200s: wrong at character %zu: a token has only a-z and 2-7", addr,
				 where);
	if (n > ADDRESS_TOKEN_MAX)
		return fault_set(f, "address %.200s: the token is longer than %d characters", addr, ADDRESS_TOKEN_MAX);
	memcpy(out->token, token, n + 1);
	return 0;
}

/* text: writable, without blanks around it. */
static int parse(char *text, enum address_use use, struct address *out, struct fault *f)
{
	struct address a = {0};
	char *hash = strchr(text, '#');
	size_t where = 0;
	int err;

	if (hash != NULL)
		*hash = '\0';
	if (address_hint(text, use, f))
		return -1;
	/* A '/' after the token is a second address: the text was pasted twice. */
	if (hash != NULL && strchr(hash + 1, '/') != NULL)
		return fault_set(f, "address %.200s: more than a token follows the #; give one address", text);
	if (hash != NULL && take_token(text, hash + 1, &a, f))
		return -1;
	err = gn_multiaddr_parse(text, &a.addr, &where);
	if (err != 0) {
		secret_wipe(&a, sizeof a);
		return address_explain(text, err, where, f);
	}
	if (gn_multiaddr_peer(a.addr, &a.peer))
		a.peer.len = 0;
	if (use == ADDRESS_DIAL && a.peer.len == 0) {
		address_fini(&a);
		return fault_set(f, "address %.200s: does not end in /p2p/ID, the peer id that the listener shows",
				 text);
	}
	*out = a;
	secret_wipe(&a, sizeof a);
	return 0;
}

static int parse_trimmed(const char *text, enum address_use use, struct address *out, struct fault *f)
{
	size_t len = strlen(text);
	char *copy;
	int err;

	blanks_trim(&text, &len);
	copy = malloc(len + 1);
	if (copy == NULL)
		return fault_set(f, "out of memory");
	memcpy(copy, text, len);
	copy[len] = '\0';
	err = parse(copy, use, out, f);
	secret_wipe(copy, len);
	free(copy);
	return err;
}

int address_parse(const char *text, struct address *out, struct fault *f)
{
	return parse_trimmed(text, ADDRESS_LISTEN, out, f);
}

int address_parse_peer(const char *text, struct address *out, struct fault *f)
{
	return parse_trimmed(text, ADDRESS_DIAL, out, f);
}

void address_fini(struct address *a)
{
	gn_multiaddr_free(a->addr);
	secret_wipe(a, sizeof *a);
}

static void address_take_option(const char *arg, enum address_use use, struct address *out)
{
	struct fault f;
	char *text = NULL;
	int rc = address_read(arg, &text, &f);

	if (rc == EXIT_USAGE)
		die_usage("%s", f.text);
	if (rc != 0)
		die(rc, "%s", f.text);
	if (parse_trimmed(text, use, out, &f))
		die_usage("%s", f.text);
	secret_wipe(text, strlen(text));
	free(text);
}

void address_take_peer(char *arg, struct address *out)
{
	address_take_option(arg, ADDRESS_DIAL, out);
	secret_hide_argument(arg);
}

void address_take(const char *arg, struct address *out)
{
	address_take_option(arg, ADDRESS_LISTEN, out);
}

/* Whether the text contains a private key in a form of enum gn_key_form.  A message must not show such a
 * text. */
static bool is_private_key(const char *text)
{
	static const char libp2p[] = "CAESQ"; /* how the base64 form of an Ed25519 PrivateKey begins */

	return strstr(text, "PRIVATE KEY") != NULL ||
	       strncmp(text + strspn(text, ADDRESS_BLANKS), libp2p, sizeof libp2p - 1) == 0;
}

/* Parses a peer id that may have blanks around it. */
static bool parse_id(const char *text, struct gn_peer_id *out)
{
	size_t n = strlen(text);
	char trimmed[GN_PEER_ID_TEXT_MAX];

	blanks_trim(&text, &n);
	if (n >= sizeof trimmed)
		return false;
	memcpy(trimmed, text, n);
	trimmed[n] = '\0';
	return gn_peer_id_parse(trimmed, out) == 0;
}

/* The peer id that a text without a token contains, if it is an address. */
static bool is_address_of(const char *text, struct gn_peer_id *out)
{
	struct gn_multiaddr *addr = NULL;
	bool has_id;

	if (gn_multiaddr_parse(text, &addr, NULL) != 0)
		return false;
	has_id = gn_multiaddr_peer(addr, out) == 0;
	gn_multiaddr_free(addr);
	return has_id;
}

int address_parse_id(const char *text, struct gn_peer_id *out, struct fault *f)
{
	char id_text[GN_PEER_ID_TEXT_MAX];
	struct gn_peer_id id;

	if (parse_id(text, out))
		return 0;
	switch (gn_key_public_parse(text, out)) {
	case 0:
		return 0;
	case GN_EKEYTYPE:
		return fault_set(f, "'%.200s' is a public key, but not Ed25519's", text);
	default:
		if (is_private_key(text))
			return fault_set(f, "a private key was given instead of a public one (gn-key pub shows it)");
		if (is_address_of(text, &id))
			return fault_set(f, "'%.200s' is an address; give only its peer id, %s", text,
					 gn_peer_id_format(&id, id_text));
		return fault_set(f, "'%.200s' is not a peer id, nor a public key", text);
	}
}
