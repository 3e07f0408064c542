/* SPDX-License-Identifier: MIT */
#include "peers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "exit.h"
#include "number.h"
#include "reader.h"
#include "diag.h"

#define FILE_MAX ((size_t)1 << 20)
#define BLANKS " \t\r\n"

/* ---- one peer ---- */

static void peers_add(struct peers *p, const struct gn_peer_id *id, const char *place)
{
	struct gn_peer_id *ids = realloc(p->ids, (p->n + 1) * sizeof *ids);
	char **places = ids != NULL ? realloc(p->places, (p->n + 1) * sizeof *places) : NULL;

	if (ids != NULL)
		p->ids = ids;
	if (places == NULL)
		die_memory();
	p->places = places;
	p->ids[p->n] = *id;
	p->places[p->n] = strdup(place);
	if (p->places[p->n] == NULL)
		die_memory();
	p->n++;
}

static void peers_take_text(const char *option, const char *text, struct peers *p)
{
	struct gn_peer_id id;
	struct fault f;

	if (address_parse_id(text, &id, &f) != 0)
		die_usage("%s: %s%s", option, f.text,
			  access(text, R_OK) == 0 ? "; write @ in front of a file's name" : "");
	peers_add(p, &id, text);
}

/* ---- a file ---- */

/* A list of peers that is being read. */
struct listing {
	const char *option, *file;
	char *at; /* the next line */
	unsigned line;
	struct peers *out;
};

/* Opens FILE, or duplicates N of fd:N.  Returns the descriptor, or -1 and errno. */
static int peers_open_file(const char *option, const char *file)
{
	uint64_t number;
	struct fault f;

	if (strcmp(file, "-") == 0)
		die_usage("%s @-: standard input has the messages; @fd:N reads from another descriptor", option);
	if (strncmp(file, "fd:", 3) != 0)
		return open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (number_parse(file + 3, 0, INT_MAX, &number, &f) != 0)
		die_usage("%s @%s: %s", option, file, f.text);
	return fcntl((int)number, F_DUPFD_CLOEXEC, 3);
}

static char *peers_read_file(const char *option, const char *file)
{
	int fd = peers_open_file(option, file), err = fd < 0 ? errno : 0;
	char *text = malloc(FILE_MAX + 1);
	ptrdiff_t got = 1;
	size_t n = 0;

	if (text == NULL)
		die_memory();
	while (err == 0 && got > 0 && n <= FILE_MAX) {
		got = reader_read(fd, text + n, FILE_MAX + 1 - n);
		if (got < 0)
			err = (int)-got;
		else
			n += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	if (err != 0)
		die(err == EACCES || err == EPERM ? EXIT_REFUSED : EXIT_LOCAL, "%s @%s: %s", option, file,
		    strerror(err));
	if (n > FILE_MAX)
		die_usage("%s @%s: is longer than 1 MiB", option, file);
	text[n] = '\0';
	/* A private key was given by mistake; the message must not show any of it. */
	if (n > 4 && memcmp(text, "\x08\x01\x12\x40", 4) == 0)
		die_usage("%s @%s: is a private key; gn-key pub shows the public one", option, file);
	if (memchr(text, '\0', n) != NULL)
		die_usage("%s @%s: is not text", option, file);
	if (strstr(text, "PRIVATE KEY-----") != NULL)
		die_usage("%s @%s: holds a private key instead of a public one", option, file);
	return text;
}

/* Returns the next line without its line end; NULL after the last. */
static char *next_line(struct listing *l)
{
	char *line = l->at, *end;

	if (*line == '\0')
		return NULL;
	end = line + strcspn(line, "\n");
	l->at = end + (*end != '\0');
	*end = '\0';
	l->line++;
	return line;
}

/* Joins the line and the following ones, up to the END line of PEM, to one text again. */
static void join_pem(struct listing *l, char *line)
{
	while (strstr(line, "-----END ") == NULL && *l->at != '\0') {
		char *more = l->at;

		more[-1] = '\n';
		(void)next_line(l);
	}
}

static void take_line(struct listing *l, char *line, unsigned number)
{
	char place[300];
	struct gn_peer_id id;
	struct fault f;

	snprintf(place, sizeof place, "@%.240s, line %u", l->file, number);
	if (address_parse_id(line, &id, &f) != 0) /* f.text is not shown: it may contain a secret */
		die_usage("%s %s: is neither a peer id nor an Ed25519 public key", l->option, place);
	peers_add(l->out, &id, place);
}

static void take_file(const char *option, const char *file, struct peers *p)
{
	char *text = peers_read_file(option, file), *line;
	struct listing l = {.option = option, .file = file, .at = text, .out = p};
	size_t before = p->n;

	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		l.at += 3; /* a byte order mark */
	while ((line = next_line(&l)) != NULL) {
		unsigned number = l.line;

		line += strspn(line, BLANKS);
		if (*line == '\0' || *line == '#')
			continue;
		if (strstr(line, "-----BEGIN ") != NULL)
			join_pem(&l, line);
		take_line(&l, line, number);
	}
	free(text);
	if (p->n == before)
		die_usage("%s @%s: contains no peer id", option, file);
}

void peers_take(const char *option, const struct opt_list *values, struct peers *out)
{
	*out = (struct peers){0};
	for (size_t i = 0; i < values->n; i++) {
		if (values->v[i][0] == '@')
			take_file(option, values->v[i] + 1, out);
		else
			peers_take_text(option, values->v[i], out);
	}
}

void peers_fini(struct peers *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->places[i]);
	free(p->places);
	free(p->ids);
	*p = (struct peers){0};
}
