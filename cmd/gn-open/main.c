/* SPDX-License-Identifier: MIT */
/* gn-open: opens messages of gn-seal: decrypts them, and checks their sender and that none is
 * missing.  gn-sealed(5) describes the format. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/fdio.h"
#include "common/identity.h"
#include "common/outfile.h"
#include "common/peers.h"
#include "common/wire.h"
#include "common/writer.h"
#include "gn.h"
#include "open.h"

struct cfg {
	struct identity_cfg key;
	const char *context, *file;
	struct opt_list from;
	struct wire wire;
	struct open_cfg open;
};

static const struct opt opts[] = {
	IDENTITY_OPTS(struct cfg, key, "the recipient's key (GN_KEY_FILE, else the default key)"),
	{'f', "from", "ID", "an accepted sender: a peer id, a public key, @FILE, or any; may be repeated", opt_list,
	 offsetof(struct cfg, from)},
	{'F', "form", "FORMAT", "output format: varint or line; raw: the input is one stream (varint)", wire_opt_format,
	 offsetof(struct cfg, wire)},
	{0, "context", "TEXT", "the context that the sender must have named", opt_string,
	 offsetof(struct cfg, context)},
	{'o', "output", "FILE", "write to this file, which is made only if everything is valid", opt_string,
	 offsetof(struct cfg, file)},
	{0, "any-order", NULL, "accept messages that are not one complete sequence", opt_flag,
	 offsetof(struct cfg, open.any_order)},
	{0, "info-fd", "FD", "write sender, time, type and id to FD, a line for each message", opt_fd,
	 offsetof(struct cfg, open.info_fd)},
	{'j', "json", NULL, "with --info-fd: JSON objects", opt_flag, offsetof(struct cfg, open.json)},
	{0, "max-frame", "SIZE", "the longest message, in bytes once it is opened (1M)", opt_size,
	 offsetof(struct cfg, wire.max_frame)},
};

static const struct opt_tool tool = {
	.name = "gn-open",
	.usage = "--from ID|any... [-k FILE] [-F FORMAT] [--context TEXT] [-o FILE] [--any-order] "
		 "[--info-fd FD [-j]] [--max-frame SIZE]",
	.about = "Opens sealed messages: decrypts them, and checks who wrote them and that none is missing.",
	.opts = opts,
	.n_opts = sizeof opts / sizeof *opts,
	.more = "Reads standard input, writes standard output.  All output comes from the sender, but it is complete\n"
		"only if the exit code is 0.  gn-open(1) has examples.",
};

static bool is_any(const struct opt_list *texts)
{
	size_t n = 0;

	for (size_t i = 0; i < texts->n; i++)
		n += strcmp(texts->v[i], "any") == 0;
	if (n != 0 && texts->n > n)
		die_usage("--from: either any or ids");
	return n > 0;
}

static struct gn_unsealer *unsealer_of(const struct cfg *cfg)
{
	struct gn_unseal_cfg uc = {.context = cfg->context, .from_any = is_any(&cfg->from)};
	struct peers from = {0};
	struct gn_key *key = identity_need(&cfg->key, "opening needs the recipient's key");
	struct gn_unsealer *u;
	int err;

	if (!uc.from_any)
		peers_take("--from", &cfg->from, &from);
	uc.key = key;
	uc.from = from.ids;
	uc.n_from = from.n;
	err = gn_unsealer_new(&uc, &u);
	gn_key_free(key);
	peers_fini(&from);
	switch (err) {
	case 0:
		return u;
	case GN_ETOOBIG:
		die_usage("--context: at most %d bytes", GN_SEALED_TEXT_MAX);
	case GN_EFORMAT:
		die_usage("--context: UTF-8 without control characters");
	default:
		die(exit_code(err), "cannot open: %s", gn_strerror(err));
	}
}

int main(int argc, char **argv)
{
	struct cfg cfg = {.open.info_fd = -1};
	struct gn_unsealer *u;
	struct opt_args args;
	struct fault f;

	opt_begin(&tool, &cfg, argc, argv, &args);
	if (args.n != 0)
		die_usage("takes no operand ('%.80s'); it reads standard input", args.operands[0]);
	if (cfg.from.n == 0)
		die_usage("--from ID is missing (--from any accepts every sender)");
	if (cfg.file != NULL && strcmp(cfg.file, "-") == 0)
		die_usage("-o -: without -o it goes to standard output; a file of that name is ./-");
	if (cfg.open.json && cfg.open.info_fd < 0)
		die_usage("-j goes with --info-fd");
	if (cfg.wire.max_frame != 0 && cfg.wire.format == FORMAT_RAW)
		die_usage("--max-frame: a stream (-F raw) has no frames");
	if (wire_set_defaults(&cfg.wire, false, &f))
		die_usage("%s", f.text);
	u = unsealer_of(&cfg);
	opt_list_free(&cfg.from);
	fdio_enlarge(STDIN_FILENO);
	if (cfg.file != NULL)
		writer_to(outfile_open(cfg.file, OUTFILE_REPLACE), cfg.file);
	else
		fdio_enlarge(STDOUT_FILENO);
	cfg.open.format = cfg.wire.format;
	cfg.open.max = cfg.wire.max_frame;
	if (cfg.wire.format == FORMAT_RAW)
		open_stream(u, &cfg.open);
	else
		open_frames(u, &cfg.open);
	gn_unsealer_free(u);
	info_close(&cfg.open);
	if (cfg.file != NULL)
		outfile_close();
	else
		writer_close();
	return EXIT_DONE;
}
