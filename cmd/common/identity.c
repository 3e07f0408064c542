/* SPDX-License-Identifier: MIT */
#include "identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "default_key.h"
#include "exit.h"
#include "diag.h"

/* Quotes FILE for a shell, if that is needed. */
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

static const char *kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISSOCK(mode))
		return "a socket";
	if (S_ISCHR(mode) || S_ISBLK(mode))
		return "a device";
	return NULL;
}

/* chmod is suggested only to a user who may do it. */
static _Noreturn void die_of_mode(const char *file)
{
	struct stat st = {0};
	char quoted[1024];
	bool is_ours;

	is_ours = stat(file, &st) == 0 && (st.st_uid == geteuid() || geteuid() == 0);
	if (!S_ISREG(st.st_mode) || !is_ours)
		die(EXIT_REFUSED,
		    "key %s: others than its owner may read it (mode %03o); use --insecure-key-mode to accept it", file,
		    (unsigned)st.st_mode & 07777);
	quote(file, quoted, sizeof quoted);
	die(EXIT_REFUSED,
	    "key %s: others than its owner may read it (mode %03o); use --insecure-key-mode to accept it, "
	    "or: chmod 600 %s%s",
	    file, (unsigned)st.st_mode & 07777, file[0] == '-' ? "-- " : "", quoted);
}

void identity_die(const char *file, int err)
{
	struct stat st;

	if (stat(file, &st) == 0 && kind_of(st.st_mode) != NULL)
		die(EXIT_LOCAL, "key %s: is %s, not a key file", file, kind_of(st.st_mode));
	switch (err) {
	case GN_EKEYMODE:
		die_of_mode(file);
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

/* Whether the file holds a key in another form, which gn-key convert reads. */
static bool is_other_form(const char *file)
{
	const struct gn_key_file_cfg cfg = {.any_form = true, .any_mode = true};
	struct gn_key *key;
	struct stat st;
	int err;

	if (stat(file, &st) != 0 || !S_ISREG(st.st_mode))
		return false; /* a pipe cannot be read again */
	err = gn_key_file_read_cfg(file, &cfg, &key);
	if (err == 0)
		gn_key_free(key);
	return err == 0 || err == GN_EAUTH;
}

struct gn_key *identity_read(const char *file, bool any_mode)
{
	const struct gn_key_file_cfg cfg = {.any_mode = any_mode};
	struct gn_key *key;
	int err;

	err = gn_key_file_read_cfg(file, &cfg, &key);
	if (err == GN_EFORMAT && is_other_form(file))
		die(EXIT_USAGE, "key %s: is in another program's format; gn-key convert makes a key file of it", file);
	if (err != 0)
		identity_die(file, err);
	return key;
}

char *identity_file(const struct identity_cfg *cfg)
{
	const char *file = cfg->file != NULL ? cfg->file : getenv("GN_KEY_FILE");
	struct stat st;
	char *path;

	if (file != NULL && *file) {
		path = strdup(file);
		if (path == NULL)
			die_memory();
		return path;
	}
	path = default_key_path();
	/* A directory that this user may not search counts as one without a key: programs often run with
	 * the HOME of another user. */
	if (path == NULL || lstat(path, &st) == 0)
		return path;
	free(path);
	return NULL;
}

static struct gn_key *read_and_free(char *file, bool any_mode)
{
	struct gn_key *key = identity_read(file, any_mode);

	free(file);
	return key;
}

struct gn_key *identity_need(const struct identity_cfg *cfg, const char *why)
{
	char *file = identity_file(cfg);

	if (file == NULL)
		die_usage("no key given (-k, GN_KEY_FILE): %s; gn-key new makes a default key", why);
	return read_and_free(file, cfg->any_mode);
}

struct gn_key *identity_load(const struct identity_cfg *cfg, bool verbose)
{
	char *file = identity_file(cfg);
	char id_text[GN_PEER_ID_TEXT_MAX];
	struct gn_peer_id id;
	struct gn_key *key;
	int err;

	if (file != NULL)
		return read_and_free(file, cfg->any_mode);
	err = gn_key_new(&key);
	if (err != 0)
		die(exit_code(err), "cannot make a key: %s", gn_strerror(err));
	if (verbose) {
		gn_key_id(key, &id);
		diag("no key given (-k, GN_KEY_FILE; gn-key new makes a default one): for this run the "
		     "identity is %s",
		     gn_peer_id_format(&id, id_text));
	}
	return key;
}
