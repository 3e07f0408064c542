/* SPDX-License-Identifier: MIT */
#include "descendants.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process {
	pid_t pid, parent;
	unsigned long long start;
};

struct table {
	struct process *v;
	size_t n, room;
};

/* Parses a line of /proc/PID/stat: "pid (name) state ppid ...", in which field 22 is the start time.  The
 * name may contain any character, so fields are counted from the last ')'.  Returns false for a zombie. */
static bool parse_stat(char *line, struct process *out)
{
	char *at = strrchr(line, ')'), *field, *rest = NULL;
	int i = 3;

	if (at == NULL)
		return false;
	for (field = strtok_r(at + 1, " ", &rest); field != NULL; field = strtok_r(NULL, " ", &rest), i++) {
		if (i == 3 && (*field == 'Z' || *field == 'X'))
			return false;
		if (i == 4)
			out->parent = (pid_t)strtol(field, NULL, 10);
		if (i == 22) {
			out->start = strtoull(field, NULL, 10);
			return true;
		}
	}
	return false;
}

static bool read_process(pid_t pid, struct process *out)
{
	char path[48], line[1024];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, line, sizeof line - 1);
		close(fd);
	}
	if (n <= 0)
		return false;
	line[n] = '\0';
	out->pid = pid;
	return parse_stat(line, out);
}

static bool descendants_table_add(struct table *t, const struct process *p)
{
	size_t room = t->room > 0 ? 2 * t->room : 256;
	struct process *v;

	if (t->n == t->room) {
		v = realloc(t->v, room * sizeof *v);
		if (v == NULL)
			return false;
		t->v = v;
		t->room = room;
	}
	t->v[t->n++] = *p;
	return true;
}

static void table_read(struct table *t)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	struct process p;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		long pid = strtol(e->d_name, NULL, 10);

		if (pid > 0 && read_process((pid_t)pid, &p) && !descendants_table_add(t, &p))
			break;
	}
	if (dir != NULL)
		closedir(dir);
}

static bool has(const struct descendants *d, pid_t pid)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].pid == pid)
			return true;
	return false;
}

static void descendants_add(struct descendants *d, const struct process *p)
{
	struct descendant *v = realloc(d->v, (d->n + 1) * sizeof *v);

	if (v == NULL)
		return;
	d->v = v;
	v[d->n++] = (struct descendant){p->pid, p->start};
}

static void drop_ended(struct descendants *d)
{
	struct process p;
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		if (read_process(d->v[i].pid, &p) && p.start == d->v[i].start)
			d->v[n++] = d->v[i];
	d->n = n;
}

void descendants_update(struct descendants *d, pid_t root)
{
	struct table t = {0};
	struct process p;
	size_t before;

	drop_ended(d);
	if (root > 0 && !has(d, root) && read_process(root, &p))
		descendants_add(d, &p);
	if (d->n == 0)
		return;
	table_read(&t);
	do {
		before = d->n;
		for (size_t i = 0; i < t.n; i++)
			if (has(d, t.v[i].parent) && !has(d, t.v[i].pid))
				descendants_add(d, &t.v[i]);
	} while (d->n > before);
	free(t.v);
}

void descendants_signal(const struct descendants *d, int sig)
{
	for (size_t i = d->n; i > 0; i--)
		kill(d->v[i - 1].pid, sig);
}

void descendants_fini(struct descendants *d)
{
	free(d->v);
	*d = (struct descendants){0};
}
