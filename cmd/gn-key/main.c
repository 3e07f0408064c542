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
#include "base64.h"

struct cfg {
	bool json, raw;
};

static const struct opt opts[] = {
	{'j', "json", NULL, "print a JSON object", opt_flag, offsetof(struct cfg, json)},
	{0, "raw", NULL, "with pub: the bytes, not their text", opt_flag, offsetof(struct cfg, raw)},
};

static const struct opt_tool tool = {
	.name = "gn-key",
	.usage = "new [-j] FILE\nid [-j] FILE\npub [-j | --raw] FILE",
	.about = "Makes a key, and so an identity, or shows the peer id or the public key of one.",
	.opts = opts,
	.n_opts = sizeof opts / sizeof *opts,
	.more = "FILE is libp2p's own private-key file.  gn-key(1) has examples.",
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

static char *public_text(const struct gn_key *key)
{
	const uint8_t *pub;
	size_t n;
	char *text;

	pub = gn_key_public(key, &n);
	text = malloc(base64_room(n));
	if (!text)
		die_memory();
	base64_encode(pub, n, text);
	return text;
}

static int show_json(const struct gn_key *key, const char *file)
{
	char *pub = public_text(key);
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

static int show_public(const struct gn_key *key, bool raw)
{
	const uint8_t *pub;
	char *text;
	size_t n;

	if (raw) {
		pub = gn_key_public(key, &n);
		fwrite(pub, 1, n, stdout);
	} else {
		text = public_text(key);
		puts(text);
		free(text);
	}
	return flushed();
}

static struct gn_key *make(const char *file)
{
	struct gn_key *key;
	int err;

	err = gn_key_new(&key);
	if (err)
		die(exit_code(err), "cannot make a key: %s", gn_strerror(err));
	err = gn_key_file_write(file, key);
	if (!err)
		return key;
	gn_key_free(key);
	if (err == -EEXIST)
		die(EXIT_REFUSED, "%s is there already and is not overwritten", file);
	die(err == -EACCES || err == -EPERM ? EXIT_REFUSED : EXIT_LOCAL, "%s: %s", file, gn_strerror(err));
}

int main(int argc, char **argv)
{
	struct cfg cfg = {0};
	struct opt_args args;
	struct gn_key *key;
	const char *verb;
	int rc;

	opt_begin(&tool, &cfg, argc, argv, &args);
	if (!args.n)
		die_usage("one of new, id and pub is missing");
	verb = args.operands[0];
	if (strcmp(verb, "new") && strcmp(verb, "id") && strcmp(verb, "pub"))
		die_usage("'%.80s' is none of new, id and pub", verb);
	if (args.n != 2)
		die_usage(args.n < 2 ? "%s: FILE is missing" : "%s: takes one FILE", verb);
	if (cfg.raw && (strcmp(verb, "pub") || cfg.json))
		die_usage("--raw goes with pub, and not with -j");
	key = strcmp(verb, "new") ? identity_read(args.operands[1]) : make(args.operands[1]);
	if (cfg.json)
		rc = show_json(key, args.operands[1]);
	else
		rc = strcmp(verb, "pub") ? show_id(key) : show_public(key, cfg.raw);
	gn_key_free(key);
	return rc;
}
