/* SPDX-License-Identifier: MIT */
/*
 * Command lines.  The lowest bit of the first byte chooses whether the tool runs a program; the rest is the
 * arguments, each ended by a NUL.  Pointers in an accepted result must point into the argument list.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/allow.h"
#include "common/limit.h"
#include "common/opt.h"
#include "common/protocol.h"
#include "common/wire.h"

enum { ARGS_MAX = 16 };

struct cfg {
	bool flag;
	unsigned verbose, number;
	const char *string;
	struct opt_list list;
	gn_time time;
	size_t size;
	int fd;
	struct wire wire;
	struct gn_limits limits;
};

static const struct opt opts[] = {
	{'f', "flag", NULL, "", opt_flag, offsetof(struct cfg, flag)},
	{'v', "verbose", NULL, "", opt_count, offsetof(struct cfg, verbose)},
	{'k', "key", "FILE", "", opt_string, offsetof(struct cfg, string)},
	{'a', "allow", "ID", "", opt_list, offsetof(struct cfg, list)},
	{'c', "conc", "N", "", opt_number, offsetof(struct cfg, number)},
	{'w', "wait", "TIME", "", opt_time, offsetof(struct cfg, time)},
	{'r', "ready-fd", "FD", "", opt_fd, offsetof(struct cfg, fd)},
	{'F', "form", "FORMAT", "", wire_opt_format, offsetof(struct cfg, wire)},
	{0, "wire", "WIRE", "", wire_opt_wire, offsetof(struct cfg, wire)},
	{0, "max-frame", "SIZE", "", opt_size, offsetof(struct cfg, wire.max_frame)},
	LIMIT_OPT(struct cfg, limits),
	{0, "ping", "[N]", "", opt_flag, offsetof(struct cfg, flag)},
};

static void operand(const char *text, struct fault *f)
{
	struct address a;

	if (address_parse_peer(text, &a, f) == 0) {
		if (a.addr == NULL || a.peer.len == 0)
			abort();
		address_fini(&a);
	} else if (memchr(f->text, '\0', sizeof f->text) == NULL) {
		abort();
	}
	protocol_check(text, f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct opt_tool tool = {"t", "", "", opts, sizeof opts / sizeof *opts, NULL, size > 0 && data[0] & 1};
	char *argv[ARGS_MAX + 2], *text = malloc(size + 1), name[] = "t";
	struct opt_args args;
	struct cfg cfg = {0};
	struct allow allow;
	struct fault f;
	int argc = 1;

	if (text == NULL || size == 0) {
		free(text);
		return 0;
	}
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	argv[0] = name;
	for (size_t at = 0; at < size && argc <= ARGS_MAX; at += strlen(text + at) + 1)
		argv[argc++] = text + at;
	argv[argc] = NULL;
	if (opt_parse(&tool, &cfg, argc, argv, &args, &f) == 0) {
		if (args.n < 0 || args.n >= argc || (args.program != NULL && args.program[0] == NULL))
			abort();
		for (int i = 0; i < args.n; i++)
			operand(args.operands[i], &f);
		wire_set_defaults(&cfg.wire, args.program != NULL, &f);
		if (allow_init(&allow, &cfg.list, &f) == 0)
			allow_fini(&allow);
	}
	opt_list_free(&cfg.list);
	free(text);
	return 0;
}
