/* SPDX-License-Identifier: MIT */
#include "identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "say.h"

/* FILE as a shell takes it: in single quotes where it needs any. */
static void quote(const char *file, char *out, size_t room)
{
	size_t n = 0;

	if (file[0] != '-' &&
	    !file[strspn(file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-@%:,=")] &&
	    strlen(file) < room) {
		memcpy(out, file, strlen(file) + 1);
		return;
	}
	out[n++] = '\'';
	for (; *file && n + 8 < room; file++) {
		if (*file == '\'') {
			memcpy(out + n, "'\\''", 4);
			n += 4;
		} else {
			out[n++] = *file;
		}
	}
	out[n++] = '\'';
	out[n] = '\0';
}

void identity_die(const char *file, int err)
{
	char quoted[1024];

	switch (err) {
	case GN_EKEYMODE:
		quote(file, quoted, sizeof quoted);
		die(EXIT_REFUSED, "key %s: others than its owner may read it; mended by: chmod 600 %s%s", file,
		    file[0] == '-' ? "-- " : "", quoted);
	case GN_EFORMAT:
	case GN_ETRUNC:
	case GN_ETOOBIG:
	case GN_EPROTO:
	case GN_EAUTH:
	case GN_EKEYTYPE:
		die(EXIT_USAGE, "key %s: %s", file, gn_strerror(err));
	case -EACCES:
	case -EPERM:
		die(EXIT_REFUSED, "key %s: %s", file, gn_strerror(err));
	default:
		die(EXIT_LOCAL, "key %s: %s", file, gn_strerror(err));
	}
}

struct gn_key *identity_read(const char *file)
{
	struct gn_key *key;
	int err;

	err = gn_key_file_read(file, &key);
	if (err)
		identity_die(file, err);
	return key;
}

/* -k's value, or GN_KEY_FILE's, or NULL. */
static const char *key_file(const char *file)
{
	if (!file)
		file = getenv("GN_KEY_FILE");
	return file && *file ? file : NULL;
}

struct gn_key *identity_need(const char *file, const char *why)
{
	file = key_file(file);
	if (!file)
		die_usage("no key given (-k, GN_KEY_FILE): %s", why);
	return identity_read(file);
}

struct gn_key *identity_load(const char *file, bool quiet)
{
	char id_text[GN_PEER_ID_TEXT_MAX];
	struct gn_peer_id id;
	struct gn_key *key;
	int err;

	file = key_file(file);
	if (file)
		return identity_read(file);
	err = gn_key_new(&key);
	if (err)
		die(exit_code(err), "cannot make a key: %s", gn_strerror(err));
	if (!quiet) {
		gn_key_id(key, &id);
		say("no key given (-k, GN_KEY_FILE): for this run the identity is %s", gn_peer_id_format(&id, id_text));
	}
	return key;
}
