/* SPDX-License-Identifier: MIT */
/* gn-frame: converts lines and other formats to frames and back.  gn-frames(5) describes the formats. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/json.h"
#include "common/opt.h"
#include "common/results.h"
#include "common/writer.h"
#include "gn.h"
#include "split.h"

struct cfg {
	bool nul, netstring, raw, whole, json;
	size_t block, max;
	const char *prefix;
};

static const struct opt opts[] = {
	{'0', "nul", NULL, "NUL-terminated strings instead of lines", opt_flag, offsetof(struct cfg, nul)},
	{'n', "netstring", NULL, "netstrings instead of lines", opt_flag, offsetof(struct cfg, netstring)},
	{'b', "block", "SIZE", "encode: blocks of SIZE bytes instead of lines", opt_size, offsetof(struct cfg, block)},
	{'w', "whole", NULL, "encode: the whole input is one frame", opt_flag, offsetof(struct cfg, whole)},
	{'r', "raw", NULL, "decode: nothing between the frames", opt_flag, offsetof(struct cfg, raw)},
	{'p', "prefix", "TEXT", "split: the files are TEXT000000, TEXT000001, ... (frame-)", opt_string,
	 offsetof(struct cfg, prefix)},
	{'j', "json", NULL, "count: print a JSON object", opt_flag, offsetof(struct cfg, json)},
	{0, "max-frame", "SIZE", "the longest frame, in bytes (1M)", opt_size, offsetof(struct cfg, max)},
};

static const struct opt_tool tool = {
	.name = "gn-frame",
	.usage = "encode [-0 | -n | -b SIZE | -w] [--max-frame SIZE]\n"
		 "decode [-0 | -n | -r] [--max-frame SIZE]\n"
		 "split [-p TEXT] [--max-frame SIZE] [-- PROG ARGS...]\n"
		 "join [--max-frame SIZE] FILE...\n"
		 "count [-j] [--max-frame SIZE]",
	.about = "Converts lines and other formats of messages to frames (a length and that many bytes), and back.",
	.opts = opts,
	.n_opts = sizeof opts / sizeof *opts,
	.more = "Reads standard input, writes standard output.  gn-frame(1) has examples.",
	.program = true,
};

static enum format frame_format_of(const struct cfg *cfg)
{
	if (cfg->nul)
		return FORMAT_NUL;
	if (cfg->netstring)
		return FORMAT_NETSTRING;
	return cfg->raw || cfg->block ? FORMAT_RAW : FORMAT_LINE;
}

static const char *frame_unit_name(enum format format)
{
	static const char *const names[] = {
		[FORMAT_VARINT] = "frame", [FORMAT_LINE] = "line",           [FORMAT_RAW] = "block",
		[FORMAT_NUL] = "string",   [FORMAT_NETSTRING] = "netstring",
	};

	return names[format];
}

/* Writes one frame with everything that can be read from fd. */
static void encode_whole(int fd, size_t max, const char *name)
{
	struct format_message u = {0};
	struct reader r;
	int err;

	/* one byte more than allowed is read, to detect an input that is too long */
	reader_init(&r, fd, FORMAT_RAW, max + 1);
	err = reader_next(&r, &u);
	if (err == 0 && u.len > max)
		die(EXIT_BADDATA, "%s: longer than %zu bytes (--max-frame)", name, max);
	if (err != 0 && err != GN_EOF)
		die(err == -ENOMEM ? EXIT_LIMIT : EXIT_LOCAL, "%s: %s", name, gn_strerror(err));
	writer_put(FORMAT_VARINT, u.body, u.len);
	reader_fini(&r);
}

static int encode(const struct cfg *cfg)
{
	enum format format = frame_format_of(cfg);
	struct format_message u;
	struct reader r;
	int err;

	if (cfg->whole) {
		encode_whole(STDIN_FILENO, cfg->max, "standard input");
	} else {
		reader_init(&r, STDIN_FILENO, format, cfg->block ? cfg->block : cfg->max);
		r.before_read = writer_flush;
		while ((err = reader_next(&r, &u)) == 0)
			writer_put(FORMAT_VARINT, u.body, u.len);
		writer_flush(); /* the messages before an error are written */
		reader_check(&r, err, frame_unit_name(format));
		reader_fini(&r);
	}
	writer_close();
	return EXIT_DONE;
}

static int frame_decode(const struct cfg *cfg)
{
	enum format format = frame_format_of(cfg);
	struct format_message u;
	struct reader r;
	int err;

	reader_init(&r, STDIN_FILENO, FORMAT_VARINT, cfg->max);
	r.before_read = writer_flush;
	while ((err = reader_next(&r, &u)) == 0) {
		if (writer_put(format, u.body, u.len) == 0)
			continue;
		writer_flush();
		die(EXIT_BADDATA, "frame %" PRIu64 ", at byte %" PRIu64 ": holds %s, which a %s cannot (%s)", r.count,
		    r.offset, format == FORMAT_NUL ? "a NUL" : "a line end", frame_unit_name(format),
		    format == FORMAT_NUL ? "-n can" : "-0 or -n can");
	}
	writer_flush();
	reader_check(&r, err, "frame");
	reader_fini(&r);
	writer_close();
	return EXIT_DONE;
}

static int count(const struct cfg *cfg)
{
	uint64_t bytes = 0, largest = 0;
	struct format_message u;
	struct reader r;
	struct json j;
	int err;

	reader_init(&r, STDIN_FILENO, FORMAT_VARINT, cfg->max);
	while ((err = reader_next(&r, &u)) == 0) {
		bytes += u.len;
		largest = u.len > largest ? u.len : largest;
	}
	reader_check(&r, err, "frame");
	if (cfg->json) {
		json_open(&j);
		json_int(&j, "frames", (int64_t)r.count);
		json_int(&j, "bytes", (int64_t)bytes);
		json_int(&j, "largest", (int64_t)largest);
		err = json_send(&j, STDOUT_FILENO);
	} else {
		printf("%" PRIu64 " %" PRIu64 "\n", r.count, bytes);
		err = 0;
	}
	reader_fini(&r);
	return results_close(err);
}

static int join(const struct cfg *cfg, char *const *files, int n)
{
	int fd;

	for (int i = 0; i < n; i++) {
		bool is_stdin = strcmp(files[i], "-") == 0;

		fd = is_stdin ? STDIN_FILENO : open(files[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			int saved = errno;

			writer_flush();
			die(EXIT_LOCAL, "%s: %s", files[i], strerror(saved));
		}
		encode_whole(fd, cfg->max, is_stdin ? "standard input" : files[i]);
		if (!is_stdin)
			close(fd);
	}
	writer_close();
	return EXIT_DONE;
}

static int frame_split(const struct cfg *cfg, char *const *program)
{
	struct reader r;
	int err;

	reader_init(&r, STDIN_FILENO, FORMAT_VARINT, cfg->max);
	err = program != NULL ? split_program(&r, program)
			      : split_files(&r, cfg->prefix != NULL ? cfg->prefix : "frame-");
	reader_fini(&r);
	return err;
}

/* Checks that the options fit the verb. */
static void frame_check(const char *verb, const struct cfg *cfg, const struct opt_args *args)
{
	bool encodes = strcmp(verb, "encode") == 0, decodes = strcmp(verb, "decode") == 0,
	     splits = strcmp(verb, "split") == 0;
	bool joins = strcmp(verb, "join") == 0, counts = strcmp(verb, "count") == 0;

	if (!encodes && !decodes && !splits && !joins && !counts)
		die_usage("'%.80s' is none of encode, decode, split, join and count", verb);
	if (cfg->nul + cfg->netstring + cfg->raw + cfg->whole + (cfg->block > 0) > 1)
		die_usage("only one of -0, -n, -b, -w and -r may be given");
	if (((cfg->whole || cfg->block) && !encodes) || (cfg->raw && !decodes))
		die_usage("%s: -w and -b go with encode, -r with decode", verb);
	if ((cfg->nul || cfg->netstring) && !encodes && !decodes)
		die_usage("%s: -0 and -n go with encode and decode", verb);
	if ((cfg->json && !counts) || ((cfg->prefix != NULL || args->program != NULL) && !splits))
		die_usage("%s: -j goes with count, -p and a program with split", verb);
	if (cfg->prefix != NULL && args->program != NULL)
		die_usage("split: either -p or a program");
	if (joins && args->n < 2)
		die_usage("join: FILE is missing");
	if (!joins && args->n > 1)
		die_usage("%s: takes no operand ('%.80s'); it reads standard input", verb, args->operands[1]);
	if (!cfg->max || cfg->max > SIZE_MAX / 4 || cfg->block > cfg->max)
		die_usage(cfg->block > cfg->max ? "-b: larger than --max-frame" : "--max-frame: out of range");
}

int main(int argc, char **argv)
{
	struct cfg cfg = {.max = GN_FRAME_MAX};
	struct opt_args args;
	const char *verb;

	opt_begin(&tool, &cfg, argc, argv, &args);
	if (args.n == 0)
		die_usage("one of encode, decode, split, join and count is missing");
	verb = args.operands[0];
	frame_check(verb, &cfg, &args);
	switch (verb[0]) {
	case 'e':
		return encode(&cfg);
	case 'd':
		return frame_decode(&cfg);
	case 's':
		return frame_split(&cfg, args.program);
	case 'j':
		return join(&cfg, args.operands + 1, args.n - 1);
	default:
		return count(&cfg);
	}
}
