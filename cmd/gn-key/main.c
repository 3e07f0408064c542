/* SPDX-License-Identifier: MIT */
/* gn-key: makes identity keys, shows their peer ids and public keys, and converts key files. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/default_key.h"
#include "common/exit.h"
#include "common/identity.h"
#include "common/json.h"
#include "common/opt.h"
#include "common/results.h"
#include "store.h"

struct cfg {
	struct identity_cfg key;
	bool json, raw, has_form;
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
	cfg->has_form = true;
	return 0;
}

static const struct opt opts[] = {
	{'j', "json", NULL, "print a JSON object", opt_flag, offsetof(struct cfg, json)},
	{'F', "form", "FORMAT", "with convert and pub: libp2p, pem or openssh (libp2p)", opt_form, 0},
	{0, "raw", NULL, "with pub: print bytes, not text", opt_flag, offsetof(struct cfg, raw)},
	IDENTITY_OPT_MODE(struct cfg, key),
};

static const struct opt_tool tool = {
	.name = "gn-key",
	.usage = "new [-j] [FILE]\nid [-j] [FILE]\npub [-j | --raw | -F FORMAT] [FILE]\nconvert [-j] [-F FORMAT] FILE "
		 "NEW",
	.about = "Makes a key, and so an identity; shows the peer id or the public key of one; converts key files.",
	.opts = opts,
	.n_opts = sizeof opts / sizeof *opts,
	.more = "FILE is libp2p's own private-key file; convert takes it, PEM and OpenSSH's.  Without FILE new makes "
		"the\n"
		"default key, which all tools use: $XDG_CONFIG_HOME/golem-net/key, or in ~/.config; id and pub show "
		"the key\n"
		"that the tools use.  gn-key(1) has examples.",
};

static char *public_text(const struct gn_key *key, enum gn_key_form form)
{
	char *text = gn_key_public_format(key, form);

	if (text == NULL)
		die_memory();
	return text;
}

static int show_json(const struct gn_key *key, const char *file)
{
	char *pub = public_text(key, GN_KEY_FORM_LIBP2P);
	struct gn_peer_id id;
	struct json j;

	gn_key_id(key, &id);
	json_open(&j);
	json_peer(&j, "id", &id);
	json_string(&j, "pub", pub);
	json_string(&j, "file", file);
	free(pub);
	return results_close(json_send(&j, STDOUT_FILENO));
}

static int show_id(const struct gn_key *key)
{
	char text[GN_PEER_ID_TEXT_MAX];
	struct gn_peer_id id;

	gn_key_id(key, &id);
	puts(gn_peer_id_format(&id, text));
	return results_close(0);
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
	return results_close(0);
}

/* Checks that the options and operands fit the verb. */
static void key_check_options(const char *verb, const struct cfg *cfg, const struct opt_args *args)
{
	bool converts = strcmp(verb, "convert") == 0, is_pub = strcmp(verb, "pub") == 0;
	int most = converts ? 2 : 1;

	if (!converts && !is_pub && strcmp(verb, "new") && strcmp(verb, "id"))
		die_usage("'%.80s' is none of new, id, pub and convert", verb);
	if (converts && args->n < 3)
		die_usage("%s: %s is missing", verb, args->n < 2 ? "FILE" : "NEW");
	for (int i = 1; i < args->n; i++)
		if (!*args->operands[i])
			die_usage("%s: the name of a file is empty", verb);
	if (args->n > 1 + most)
		die_usage("%s: takes %s", verb, converts ? "two files" : "one FILE");
	if (cfg->raw && (!is_pub || cfg->json))
		die_usage("--raw goes with pub, and not with -j");
	if (cfg->has_form && !converts && (!is_pub || cfg->raw || cfg->json))
		die_usage("-F goes with convert, and with pub, but not with -j or --raw there");
	if (cfg->key.any_mode && strcmp(verb, "new") == 0)
		die_usage("--insecure-key-mode: new reads no key");
}

/* The default of FILE for the verb. */
static char *file_of(const char *verb, const struct cfg *cfg)
{
	bool makes = strcmp(verb, "new") == 0;
	char *file = makes ? default_key_path() : identity_file(&cfg->key);

	if (file == NULL && makes)
		die_usage("new: FILE is missing, and there is no place for a default key: HOME is not set");
	if (file == NULL)
		die_usage("%s: FILE is missing, and there is no default key (gn-key new makes it)", verb);
	return file;
}

/* Makes or reads the key; *file is the name of its file, which the caller frees. */
static struct gn_key *key_of(const char *verb, const struct cfg *cfg, const struct opt_args *args, char **file)
{
	const char *given = args->n > 1 ? args->operands[args->n - 1] : NULL;

	*file = given != NULL ? strdup(given) : file_of(verb, cfg);
	if (*file == NULL)
		die_memory();
	if (verb[0] == 'c')
		return store_convert(args->operands[1], *file, cfg->form, cfg->key.any_mode);
	if (verb[0] != 'n')
		return identity_read(*file, cfg->key.any_mode);
	return given != NULL ? store_new(*file) : store_default(*file, cfg->json);
}

int main(int argc, char **argv)
{
	struct cfg cfg = {.form = GN_KEY_FORM_LIBP2P};
	struct opt_args args;
	struct gn_key *key;
	const char *verb;
	char *file;
	int err;

	opt_begin(&tool, &cfg, argc, argv, &args);
	if (args.n == 0)
		die_usage("one of new, id, pub and convert is missing");
	verb = args.operands[0];
	key_check_options(verb, &cfg, &args);
	signal(SIGXFSZ, SIG_IGN); /* a write past the size limit fails with EFBIG */
	key = key_of(verb, &cfg, &args, &file);
	if (cfg.json)
		err = show_json(key, file);
	else
		err = verb[0] == 'p' ? show_public(key, &cfg) : show_id(key);
	gn_key_free(key);
	free(file);
	return err;
}
