/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "common/default_key.h"
#include "common/exit.h"
#include "common/identity.h"
#include "common/diag.h"
#include "passphrase.h"

/* Writes the file with signals blocked, so that it is either complete or absent when the tool ends. */
static int write_undisturbed(const char *file, const struct gn_key *key, enum gn_key_form form)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	err = gn_key_file_write_as(file, key, form);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

static void write_key(const char *file, const struct gn_key *key, enum gn_key_form form, const char *advice)
{
	int err = write_undisturbed(file, key, form);

	if (err == -EEXIST)
		die(EXIT_REFUSED, "%s is there already and is not overwritten%s", file, advice);
	if (err != 0)
		die(err == -EACCES || err == -EPERM ? EXIT_REFUSED : EXIT_LOCAL, "%s: %s", file, gn_strerror(err));
}

static struct gn_key *make(const char *file, const char *advice)
{
	struct gn_key *key;
	int err;

	err = gn_key_new(&key);
	if (err != 0)
		die(exit_code(err), "cannot make a key: %s", gn_strerror(err));
	write_key(file, key, GN_KEY_FORM_LIBP2P, advice);
	return key;
}

struct gn_key *store_new(const char *file)
{
	return make(file, "");
}

struct gn_key *store_default(const char *file, bool quiet)
{
	const char *other = getenv("GN_KEY_FILE");
	bool is_other = other != NULL && *other;
	struct gn_key *key;
	int where, err;

	err = default_key_make_directories(file, &where);
	if (err != 0)
		die(err == -EACCES || err == -EPERM ? EXIT_REFUSED : EXIT_LOCAL, "%.*s: %s", where, file,
		    gn_strerror(err));
	key = make(file, is_other ? "; its peer id is shown by: env -u GN_KEY_FILE gn-key id"
				  : "; its peer id is shown by: gn-key id");
	if (!quiet)
		diag("made the default key, %s", file);
	if (is_other)
		diag("GN_KEY_FILE is set, and as long as it is the tools use that key: %s", other);
	return key;
}

struct gn_key *store_convert(const char *from, const char *to, enum gn_key_form form, bool any_mode)
{
	const struct gn_key_file_cfg any = {
		.any_form = true,
		.any_mode = any_mode,
		.ask = passphrase_ask,
		.ask_arg = (void *)(uintptr_t)from,
	};
	struct gn_key *key;
	int err;

	err = gn_key_file_read_cfg(from, &any, &key);
	if (err == GN_EAUTH)
		die(EXIT_BADDATA, "key %s: the passphrase is wrong, or the file is damaged", from);
	if (err == GN_EKEYTYPE)
		die(EXIT_USAGE,
		    "key %s: not an Ed25519 key, or encrypted in a way not known here (ssh-keygen -p changes it)",
		    from);
	if (err != 0)
		identity_die(from, err);
	write_key(to, key, form, "");
	return key;
}
