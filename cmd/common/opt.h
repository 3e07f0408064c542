/* SPDX-License-Identifier: MIT */
/*
 * opt: parses the options of a tool, which it declares in a table, and prints --help from the same table.
 *
 *	struct cfg { const char *key; bool json; gn_time wait; struct opt_list allow; };
 *	static const struct opt opts[] = {
 *		{ 'k', "key", "FILE", "the identity", opt_string, offsetof(struct cfg, key) },
 *		{ 'j', "json", NULL, "results as JSON objects", opt_flag, offsetof(struct cfg, json) },
 *		{ 0, "ping", "[N]", "measure N round trips", opt_ping, 0 },
 *	};
 *	static const struct opt_tool tool = { .name = "gn-x", .usage = "[-j] FILE\n[-j] -", ... };
 *	struct opt_args args;
 *	opt_begin(&tool, &cfg, argc, argv, &args);
 *
 * Options may follow operands, up to "--".  -kFILE, -k FILE, --key FILE, --key=FILE and -jv are accepted;
 * long names cannot be abbreviated.  -h, --help, -V and --version are added to every table.
 */
#ifndef CMD_COMMON_OPT_H
#define CMD_COMMON_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "diag.h"

struct opt;

/* Parses the value (NULL when none was given) and stores it at `to`, the option's member in the tool's
 * cfg.  Returns 0, or -1 and a fault about the value; opt_parse() puts the option's name in front. */
typedef int opt_set(const struct opt *o, const char *value, void *to, struct fault *f);

struct opt {
	char brief;       /* 0: long only */
	const char *name; /* NULL: short only */
	const char *arg;  /* the name of its value; NULL: it has none; "[N]": an optional one, given as --name=N only */
	const char *help; /* one line */
	opt_set *set;
	size_t at; /* offset in the tool's cfg */
};

opt_set opt_flag;   /* bool: set to true */
opt_set opt_count;  /* unsigned: incremented */
opt_set opt_string; /* const char *: a string of argv, not empty */
opt_set opt_list;   /* struct opt_list: the value is appended */
opt_set opt_number; /* unsigned: 1 or more */
opt_set opt_fd;     /* int: an open descriptor */
opt_set opt_time;   /* gn_time: number_parse_time() */
opt_set opt_size;   /* size_t: number_parse_size() */

struct opt_list {
	const char **v; /* strings of argv */
	size_t n;
};
void opt_list_free(struct opt_list *l);

/* Returns the index of the value among words ("varint|line|raw"); or -1 and a fault. */
int opt_choose(const char *value, const char *words, struct fault *f);

struct opt_tool {
	const char *name;
	const char *usage; /* the text after the tool's name, one line for each synopsis */
	const char *about; /* one sentence */
	const struct opt *opts;
	size_t n_opts;
	const char *more; /* printed after the options in --help; may be NULL */
	bool program;     /* the arguments after "--" are a program with its arguments, not operands */
};

struct opt_args {
	char **operands; /* in argv; NULL-ended only when nothing follows */
	int n;
	char **program; /* NULL-ended; NULL: no "--" was given */
};

enum { OPT_HELP = 1, OPT_VERSION = 2 };

/* Returns 0, OPT_HELP, OPT_VERSION, or -1 and a fault.  Reorders argv. */
int opt_parse(const struct opt_tool *t, void *cfg, int argc, char **argv, struct opt_args *out, struct fault *f);
void opt_help(const struct opt_tool *t, FILE *to);
/* The first call of every main(): calls signals_begin(), opens closed standard descriptors, and parses the
 * options. --help and --version are printed and end the tool with 0; a fault is printed and ends it with
 * EXIT_USAGE. */
void opt_begin(const struct opt_tool *t, void *cfg, int argc, char **argv, struct opt_args *out);

#endif
