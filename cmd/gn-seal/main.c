/* SPDX-License-Identifier: MIT */
/* gn-seal: seals messages, or a stream: encrypts them to some peers and signs them.  gn-sealed(5) describes
 * the format. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/fdio.h"
#include "common/identity.h"
#include "common/peers.h"
#include "common/wire.h"
#include "common/writer.h"
#include "gn.h"
#include "seal.h"

struct cfg {
	struct identity_cfg key;
	const char *context, *type;
	struct opt_list to;
	struct wire wire;
};

static const struct opt opts[] = {
	IDENTITY_OPTS(struct cfg, key, "the sender's key (GN_KEY_FILE, else the default key)"),
	{'r', "to", "ID", "a recipient: a peer id, a public key, or @FILE; may be repeated", opt_list,
	 offsetof(struct cfg, to)},
	{'F', "form", "FORMAT", "input format: varint or line; raw: the input is one stream (varint)", wire_opt_format,
	 offsetof(struct cfg, wire)},
	{0, "context", "TEXT", "the purpose: gn-open must name the same", opt_string, offsetof(struct cfg, context)},
	{0, "type", "TEXT", "the kind of message: gn-open shows it", opt_string, offsetof(struct cfg, type)},
	{0, "max-frame", "SIZE", "the longest message, in bytes before it is sealed (1M)", opt_size,
	 offsetof(struct cfg, wire.max_frame)},
};

static const struct opt_tool tool = {
	.name = "gn-seal",
	.usage = "-r ID... [-k FILE] [-F FORMAT] [--context TEXT] [--type TEXT] [--max-frame SIZE]",
	.about = "Encrypts messages to peers and signs them, for transport by any means.",
	.opts = opts,
	.n_opts = sizeof opts / sizeof *opts,
	.more = "Reads standard input, writes standard output.  gn-seal(1) has examples; gn-open opens the messages.",
};

static void check_recipients(const struct peers *to)
{
	for (size_t i = 0; i < to->n; i++) {
		switch (gn_sealer_check(&to->ids[i])) {
		case 0:
			break;
		case GN_EKEYTYPE:
			die_usage("-r %.120s: its key is not Ed25519, and nothing can be sealed to it", to->places[i]);
		default:
			die_usage("-r %.120s: there is no such key", to->places[i]);
		}
		for (size_t k = 0; k < i; k++)
			if (gn_peer_id_is_equal(&to->ids[k], &to->ids[i]))
				die_usage("-r %.120s: is given twice, also as %.120s", to->places[i], to->places[k]);
	}
	if (to->n > GN_SEALED_TO_MAX)
		die_usage("-r: at most %d recipients", GN_SEALED_TO_MAX);
}

static struct gn_sealer *sealer_of(const struct cfg *cfg)
{
	struct gn_key *key = identity_need(&cfg->key, "sealing needs a key that the recipient can check");
	struct gn_seal_cfg sc = {
		.key = key,
		.type = cfg->type,
		.context = cfg->context,
		.sequence = cfg->wire.format != FORMAT_RAW,
	};
	struct gn_sealer *s;
	struct peers to;
	int err;

	peers_take("-r", &cfg->to, &to);
	check_recipients(&to);
	sc.to = to.ids;
	sc.n_to = to.n;
	err = gn_sealer_new(&sc, &s);
	gn_key_free(key);
	peers_fini(&to);
	switch (err) {
	case 0:
		return s;
	case GN_ETOOBIG:
		die_usage("--context and --type: at most %d bytes each", GN_SEALED_TEXT_MAX);
	case GN_EFORMAT:
		die_usage("--context and --type: UTF-8 without control characters");
	default:
		die(exit_code(err), "cannot seal: %s", gn_strerror(err));
	}
}

int main(int argc, char **argv)
{
	struct cfg cfg = {0};
	struct opt_args args;
	struct gn_sealer *s;
	struct fault f;

	opt_begin(&tool, &cfg, argc, argv, &args);
	if (args.n != 0)
		die_usage("takes no operand ('%.80s'); it reads standard input", args.operands[0]);
	if (cfg.to.n == 0)
		die_usage("-r ID is missing: name a recipient");
	if (cfg.wire.max_frame != 0 && cfg.wire.format == FORMAT_RAW)
		die_usage("--max-frame: a stream (-F raw) has no frames");
	if (wire_set_defaults(&cfg.wire, false, &f))
		die_usage("%s", f.text);
	s = sealer_of(&cfg);
	opt_list_free(&cfg.to);
	fdio_enlarge(STDIN_FILENO);
	fdio_enlarge(STDOUT_FILENO);
	if (cfg.wire.format == FORMAT_RAW)
		seal_stream(s);
	else
		seal_frames(s, cfg.wire.format, cfg.wire.max_frame);
	gn_sealer_free(s);
	writer_close();
	return EXIT_DONE;
}
