/* SPDX-License-Identifier: MIT */
/*
 * opt: a tool's options as a table, from which it is parsed, checked and --help printed.
 *
 *	struct cfg { const char *key; bool json; gn_time wait; struct opt_list allow; };
 *	static const struct opt opts[] = {
 *		{ 'k', "key", "FILE", "who we are", opt_string, offsetof(struct cfg, key) },
 *		{ 'j', "json", NULL, "results as JSON lines", opt_flag, offsetof(struct cfg, json) },
 *		{ 0, "ping", "[N]", "so many times", opt_ping, 0 },
 *	};
 *	static const struct opt_tool tool = { .name = "gn-x", .usage = "[-j] FILE\n[-j] -", ... };
 *	struct opt_args args;
 *	opt_begin(&tool, &cfg, argc, argv, &args);
 *
 * Options may stand behind operands, up to "--".  -kFILE, -k FILE, --key FILE, --key=FILE
 * and -jv are understood; a long name may not be shortened.  -h, --help, -V and --version
 * are added to every table.
 */
#ifndef CMD_COMMON_OPT_H
#define CMD_COMMON_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "diag.h"

struct opt;

/* Takes the value (NULL when none was given) to where the option points in the
 * tool's cfg.  0, or -1 and a fault, which says what is wrong with the value only. */
typedef int opt_set(const struct opt *o, const char *value, void *to, struct fault *f);

struct opt {
	char brief;       /* 0: long only */
	const char *name; /* NULL: short only */
	const char *arg;  /* its value's name; NULL: takes none; "[N]": may have one, as --name=N only */
	const char *help; /* one line */
	opt_set *set;
	size_t at; /* offset in the tool's cfg */
};

opt_set opt_flag;   /* bool: true */
opt_set opt_count;  /* unsigned: one more */
opt_set opt_string; /* const char *: as in argv */
opt_set opt_list;   /* struct opt_list: one more */
opt_set opt_number; /* unsigned: from 1 */
opt_set opt_fd;     /* int: a descriptor that is open */
opt_set opt_time;   /* gn_time: number_parse_time() */
opt_set opt_size;   /* size_t: number_parse_size() */

struct opt_list {
	const char **v; /* strings of argv */
	size_t n;
};
void opt_list_free(struct opt_list *l);

/* Which of the words ("varint|line|raw") the value is, from 0; or -1 and a fault. */
int opt_choose(const char *value, const char *words, struct fault *f);

struct opt_tool {
	const char *name;
	const char *usage; /* what follows the name, a line a form */
	const char *about; /* one sentence */
	const struct opt *opts;
	size_t n_opts;
	const char *more; /* behind the options in --help; may be NULL */
	bool program;     /* what stands behind "--" is a program, not operands */
};

struct opt_args {
	char **operands; /* in argv; NULL-ended only when nothing follows */
	int n;
	char **program; /* NULL-ended; NULL: no "--" was given */
};

enum { OPT_HELP = 1, OPT_VERSION = 2 };

/* 0, OPT_HELP, OPT_VERSION, or -1 and a fault.  Reorders argv. */
int opt_parse(const struct opt_tool *t, void *cfg, int argc, char **argv, struct opt_args *out, struct fault *f);
void opt_help(const struct opt_tool *t, FILE *to);
/* diag_open(), opt_parse(), and what a tool does about it: --help and --version are
 * printed and end the tool with 0, a fault is told and ends it with EXIT_USAGE.
 * Before that, signals are set by signals_begin(), and standard descriptors that are closed are filled. */
void opt_begin(const struct opt_tool *t, void *cfg, int argc, char **argv, struct opt_args *out);

#endif
