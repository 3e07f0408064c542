/* SPDX-License-Identifier: MIT */
/* The setters that options of several tools use. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "gn.h"
#include "number.h"
#include "opt.h"

int opt_flag(const struct opt *o, const char *value, void *to, struct fault *f)
{
	(void)o, (void)value, (void)f;
	*(bool *)to = true;
	return 0;
}

int opt_count(const struct opt *o, const char *value, void *to, struct fault *f)
{
	(void)o, (void)value, (void)f;
	++*(unsigned *)to;
	return 0;
}

int opt_string(const struct opt *o, const char *value, void *to, struct fault *f)
{
	(void)o;
	if (!*value)
		return fault_set(f, "is empty");
	*(const char **)to = value;
	return 0;
}

int opt_list(const struct opt *o, const char *value, void *to, struct fault *f)
{
	struct opt_list *l = to;
	const char **v;

	(void)o;
	v = realloc(l->v, (l->n + 1) * sizeof *v);
	if (v == NULL)
		return fault_set(f, "out of memory");
	v[l->n++] = value;
	l->v = v;
	return 0;
}

void opt_list_free(struct opt_list *l)
{
	free(l->v);
	*l = (struct opt_list){0};
}

int opt_number(const struct opt *o, const char *value, void *to, struct fault *f)
{
	uint64_t v;

	(void)o;
	if (number_parse(value, 1, UINT_MAX, &v, f))
		return -1;
	*(unsigned *)to = (unsigned)v;
	return 0;
}

int opt_fd(const struct opt *o, const char *value, void *to, struct fault *f)
{
	uint64_t v;

	(void)o;
	if (number_parse(value, 0, INT_MAX, &v, f))
		return -1;
	if (fcntl((int)v, F_GETFD) < 0)
		return fault_set(f, "descriptor %d is not open", (int)v);
	*(int *)to = (int)v;
	return 0;
}

int opt_time(const struct opt *o, const char *value, void *to, struct fault *f)
{
	(void)o;
	return number_parse_time(value, to, f);
}

int opt_size(const struct opt *o, const char *value, void *to, struct fault *f)
{
	size_t size;

	(void)o;
	if (number_parse_size(value, &size, f))
		return -1;
	if (size == 0)
		return fault_set(f, "'%.80s' is not a size: it must be at least 1", value);
	*(size_t *)to = size;
	return 0;
}

int opt_choose(const char *value, const char *words, struct fault *f)
{
	size_t len = strlen(value), n;
	int i = 0;

	for (const char *w = words; *w; i++) {
		n = strcspn(w, "|");
		if (n == len && memcmp(w, value, n) == 0)
			return i;
		w += n + (w[n] == '|');
	}
	return fault_set(f, "'%.80s' is none of %s", value, words);
}
