/* SPDX-License-Identifier: MIT */
#include "opt.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit.h"
#include "gn.h"
#include "results.h"
#include "signals.h"

struct parser {
	const struct opt_tool *tool;
	void *cfg;
	int argc, at; /* at: index of the next argument */
	char **argv;
	struct fault *fault;
};

static const struct opt *find_brief(const struct opt_tool *t, char c)
{
	for (size_t i = 0; i < t->n_opts; i++)
		if (t->opts[i].brief == c)
			return &t->opts[i];
	return NULL;
}

static const struct opt *find_name(const struct opt_tool *t, const char *name, size_t len)
{
	for (size_t i = 0; i < t->n_opts; i++)
		if (t->opts[i].name != NULL && strlen(t->opts[i].name) == len &&
		    memcmp(t->opts[i].name, name, len) == 0)
			return &t->opts[i];
	return NULL;
}

static bool has_optional(const struct opt *o)
{
	return o->arg != NULL && o->arg[0] == '[';
}

/* label: the option as the user wrote it; the fault shows it. */
static int set(struct parser *p, const struct opt *o, const char *label, int label_len, const char *value)
{
	struct fault inner;

	if (!o->set(o, value, (char *)p->cfg + o->at, &inner))
		return 0;
	return fault_set(p->fault, "%.*s: %s", label_len, label, inner.text);
}

static int take_long(struct parser *p, const char *arg)
{
	const char *name = arg + 2, *eq = strchr(name, '='), *value = eq != NULL ? eq + 1 : NULL;
	int len = (int)(eq != NULL ? eq - name : (ptrdiff_t)strlen(name));
	const struct opt *o;

	if (len == 4 && memcmp(name, "help", 4) == 0)
		return OPT_HELP;
	if (len == 7 && memcmp(name, "version", 7) == 0)
		return OPT_VERSION;
	o = find_name(p->tool, name, (size_t)len);
	if (o == NULL)
		return fault_set(p->fault, "--%.*s: there is no such option", len > 80 ? 80 : len, name);
	if (o->arg == NULL && value != NULL)
		return fault_set(p->fault, "--%s: takes no value", o->name);
	if (o->arg != NULL && !has_optional(o) && value == NULL) {
		if (p->at >= p->argc)
			return fault_set(p->fault, "--%s: %s is missing", o->name, o->arg);
		value = p->argv[p->at++];
	}
	return set(p, o, arg, len + 2, value);
}

/* -h and -V, unless the tool has options with these letters.  0 for other characters. */
static int brief_of_every_tool(char c)
{
	return c == 'h' ? OPT_HELP : c == 'V' ? OPT_VERSION : 0;
}

static int take_briefs(struct parser *p, const char *arg)
{
	for (const char *c = arg + 1; *c; c++) {
		const struct opt *o = find_brief(p->tool, *c);
		const char label[2] = {'-', *c};
		const char *value = NULL;
		bool takes;

		if (o == NULL && brief_of_every_tool(*c))
			return brief_of_every_tool(*c);
		if (o == NULL)
			return fault_set(p->fault, "-%c: there is no such option", *c);
		takes = o->arg != NULL && !has_optional(o);
		if (takes) {
			if (c[1])
				value = c + 1;
			else if (p->at < p->argc)
				value = p->argv[p->at++];
			else
				return fault_set(p->fault, "-%c: %s is missing", *c, o->arg);
		}
		if (set(p, o, label, 2, value))
			return -1;
		if (takes)
			return 0;
	}
	return 0;
}

int opt_parse(const struct opt_tool *t, void *cfg, int argc, char **argv, struct opt_args *out, struct fault *f)
{
	struct parser p = {t, cfg, argc, 1, argv, f};
	int operands = 0, err;
	bool dashes = false;

	*out = (struct opt_args){.operands = argv + (argc > 0)};
	while (p.at < argc) {
		char *arg = argv[p.at++];

		dashes = strcmp(arg, "--") == 0;
		if (dashes)
			break;
		if (arg[0] != '-' || !arg[1]) {
			out->operands[operands++] = arg;
			continue;
		}
		err = arg[1] == '-' ? take_long(&p, arg) : take_briefs(&p, arg);
		if (err != 0)
			return err;
	}
	if (dashes && t->program) {
		if (p.at == argc)
			return fault_set(f, "the program after -- is missing");
		out->program = argv + p.at;
	} else {
		while (p.at < argc)
			out->operands[operands++] = argv[p.at++];
	}
	out->n = operands;
	return 0;
}

static void help_forms(const struct opt_tool *t, FILE *to)
{
	const char *line = t->usage, *end;
	const char *head = "usage:";

	for (; *line; line = *end ? end + 1 : end, head = "      ") {
		end = strchr(line, '\n');
		if (end == NULL)
			end = line + strlen(line);
		fprintf(to, "%s %s %.*s\n", head, t->name, (int)(end - line), line);
	}
}

static void help_option(const struct opt *o, FILE *to)
{
	char left[64];
	int n = 0;

	if (o->brief)
		n = snprintf(left, sizeof left, "-%c%s", o->brief, o->name != NULL ? ", " : "");
	else
		n = snprintf(left, sizeof left, "    ");
	if (o->name != NULL)
		n += snprintf(left + n, sizeof left - (size_t)n, "--%s", o->name);
	if (has_optional(o))
		snprintf(left + n, sizeof left - (size_t)n, "[=%s", o->arg + 1);
	else if (o->arg != NULL)
		snprintf(left + n, sizeof left - (size_t)n, " %s", o->arg);
	fprintf(to, "  %-24s  %s\n", left, o->help);
}

/* Explains the values that several tools accept. */
static void help_values(const struct opt_tool *t, FILE *to)
{
	bool has_time = false, has_size = false;

	for (size_t i = 0; i < t->n_opts; i++) {
		has_time |= t->opts[i].set == opt_time;
		has_size |= t->opts[i].set == opt_size;
	}
	if (has_time || has_size)
		fprintf(to, "\n");
	if (has_time)
		fprintf(to, "TIME is 500ms, 2s, 1.5m, 1h; a bare number is seconds.\n");
	if (has_size)
		fprintf(to, "SIZE is bytes, or 64K, 1M, 2G: powers of 1024.\n");
}

void opt_help(const struct opt_tool *t, FILE *to)
{
	static const struct opt own[] = {
		{'h', "help", NULL, "show this help", NULL, 0},
		{'V', "version", NULL, "show the version", NULL, 0},
	};

	help_forms(t, to);
	fprintf(to, "\n%s\n\n", t->about);
	for (size_t i = 0; i < t->n_opts; i++)
		help_option(&t->opts[i], to);
	help_option(&own[0], to);
	help_option(&own[1], to);
	help_values(t, to);
	if (t->more != NULL)
		fprintf(to, "\n%s\n", t->more);
}

/* Opens closed standard descriptors, since a file that is opened later would get their numbers and thus the
 * tool's data or messages.  A closed standard input reads as empty; a closed output is replaced by a
 * descriptor for reading only, so that writing to it fails. */
static void hold_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open(fd == STDIN_FILENO ? "/dev/null" : "/", O_RDONLY); /* the lowest free number: fd */
}

void opt_begin(const struct opt_tool *t, void *cfg, int argc, char **argv, struct opt_args *out)
{
	struct fault f;

	signals_begin();
	hold_standard();
	diag_open(t->name);
	switch (opt_parse(t, cfg, argc, argv, out, &f)) {
	case 0:
		return;
	case OPT_HELP:
		opt_help(t, stdout);
		break;
	case OPT_VERSION:
		printf("%s %s\n", t->name, GN_VERSION);
		break;
	default:
		die_usage("%s", f.text);
	}
	exit(results_close(0));
}
