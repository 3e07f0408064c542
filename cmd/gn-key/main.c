/* SPDX-License-Identifier: MIT */
/* gn-key: makes identity keys and shows what they are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/identity.h"
#include "common/json.h"
#include "common/opt.h"
#include "passphrase.h"

struct cfg {
	bool json, raw, said_form;
	enum gn_key_form form;
};

static int opt_form(const struct opt *o, const char *value, void *to, struct fault *f)
{
	static const enum gn_key_form forms[] = {GN_KEY_FORM_LIBP2P, GN_KEY_FORM_PEM, GN_KEY_FORM_OPENSSH};
	struct cfg *cfg = to;
	int i = opt_choose(value, "libp2p|pem|openssh", f);

	(void)o;
	if (i < 0)
		return -1;
	cfg->form = forms[i];
	cfg->said_form = true;
	return 0;
}

static const struct opt opts[] = {
	{'j', "json", NULL, "print a JSON object", opt_flag, offsetof(struct cfg, json)},
	{'F', "form", "FORM", "with convert and pub: libp2p, pem or openssh (libp2p)", opt_form, 0},
	{0, "raw", NULL, "with pub: the bytes, not their text", opt_flag, offsetof(struct cfg, raw)},
};

static const struct opt_tool tool = {
	.name = "gn-key",
	.usage = "new [-j] FILE\nid [-j] FILE\npub [-j | --raw | -F FORM] FILE\nconvert [-j] [-F FORM] FILE NEW",
	.about = "Makes a key, and so an identity; shows the peer id or the public key of one; converts key files.",
	.opts = opts,
	.n_opts = sizeof opts / sizeof *opts,
	.more = "FILE is libp2p's own private-key file; convert takes it, PEM and OpenSSH's.  gn-key(1) has examples.",
};

/* stdout is all that these commands are for. */
static int flushed(void)
{
	if (!fflush(stdout))
		return EXIT_DONE;
	if (errno != EPIPE)
		say("standard output: %s", strerror(errno));
	return EXIT_LOCAL;
}

static char *public_text(const struct gn_key *key, enum gn_key_form form)
{
	char *text = gn_key_public_format(key, form);

	if (!text)
		die_memory();
	return text;
}

static int show_json(const struct gn_key *key, const char *file)
{
	char *pub = public_text(key, GN_KEY_FORM_LIBP2P);
	struct gn_peer_id id;
	struct json j;
	int err;

	gn_key_id(key, &id);
	json_open(&j);
	json_peer(&j, "id", &id);
	json_string(&j, "pub", pub);
	json_string(&j, "file", file);
	free(pub);
	err = json_send(&j, STDOUT_FILENO);
	if (err && err != -EPIPE)
		say("standard output: %s", gn_strerror(err));
	return err ? EXIT_LOCAL : EXIT_DONE;
}

static int show_id(const struct gn_key *key)
{
	char text[GN_PEER_ID_TEXT_MAX];
	struct gn_peer_id id;

	gn_key_id(key, &id);
	puts(gn_peer_id_format(&id, text));
	return flushed();
}

static int show_public(const struct gn_key *key, const struct cfg *cfg)
{
	const uint8_t *pub;
	char *text;
	size_t n;

	if (cfg->raw) {
		pub = gn_key_public(key, &n);
		fwrite(pub, 1, n, stdout);
	} else {
		text = public_text(key, cfg->form);
		puts(text);
		free(text);
	}
	return flushed();
}

static void write_key(const char *file, const struct gn_key *key, enum gn_key_form form)
{
	int err = gn_key_file_write_as(file, key, form);

	if (err == -EEXIST)
		die(EXIT_REFUSED, "%s is there already and is not overwritten", file);
	if (err)
		die(err == -EACCES || err == -EPERM ? EXIT_REFUSED : EXIT_LOCAL, "%s: %s", file, gn_strerror(err));
}

static struct gn_key *make(const char *file)
{
	struct gn_key *key;
	int err;

	err = gn_key_new(&key);
	if (err)
		die(exit_code(err), "cannot make a key: %s", gn_strerror(err));
	write_key(file, key, GN_KEY_FORM_LIBP2P);
	return key;
}

static struct gn_key *convert(const char *from, const char *to, enum gn_key_form form)
{
	struct gn_key *key;
	int err;

	err = gn_key_file_read_any(from, passphrase_ask, (void *)(uintptr_t)from, &key);
	if (err == GN_EAUTH)
		die(EXIT_BADDATA, "key %s: the passphrase is wrong, or the file is damaged", from);
	if (err == GN_EKEYTYPE)
		die(EXIT_USAGE,
		    "key %s: not an Ed25519 key, or encrypted in a way not known here (ssh-keygen -p changes it)",
		    from);
	if (err)
		identity_die(from, err);
	write_key(to, key, form);
	return key;
}

/* Which options and operands go with which verb. */
static void check(const char *verb, const struct cfg *cfg, const struct opt_args *args)
{
	bool converts = !strcmp(verb, "convert"), is_pub = !strcmp(verb, "pub");
	int files = converts ? 2 : 1;

	if (!converts && !is_pub && strcmp(verb, "new") && strcmp(verb, "id"))
		die_usage("'%.80s' is none of new, id, pub and convert", verb);
	if (args->n < 1 + files)
		die_usage("%s: %s is missing", verb, args->n < 2 ? "FILE" : "NEW");
	if (args->n > 1 + files)
		die_usage("%s: takes %s", verb, converts ? "two files" : "one FILE");
	if (cfg->raw && (!is_pub || cfg->json))
		die_usage("--raw goes with pub, and not with -j");
	if (cfg->said_form && !converts && (!is_pub || cfg->raw || cfg->json))
		die_usage("-F goes with convert, and with pub, but not with -j or --raw there");
}

int main(int argc, char **argv)
{
	struct cfg cfg = {.form = GN_KEY_FORM_LIBP2P};
	struct opt_args args;
	struct gn_key *key;
	const char *verb;
	char **files;
	int rc;

	opt_begin(&tool, &cfg, argc, argv, &args);
	if (!args.n)
		die_usage("one of new, id, pub and convert is missing");
	verb = args.operands[0];
	files = args.operands + 1;
	check(verb, &cfg, &args);
	if (verb[0] == 'c')
		key = convert(files[0], files[1], cfg.form);
	else
		key = verb[0] == 'n' ? make(files[0]) : identity_read(files[0]);
	if (cfg.json)
		rc = show_json(key, files[args.n - 2]);
	else
		rc = verb[0] == 'p' ? show_public(key, &cfg) : show_id(key);
	gn_key_free(key);
	return rc;
}
