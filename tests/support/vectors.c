/* SPDX-License-Identifier: MIT */
#include "support/vectors.h"

#include "support/cmocka.h"

unsigned vectors_each(const char *file, void (*cb)(char **field))
{
	char path[1024], *line = NULL;
	size_t room = 0;
	unsigned count = 0;
	ssize_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", GN_VECTORS, file);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s cannot be read", path);
	while ((n = getline(&line, &room, f)) >= 0) {
		char *field[VECTOR_FIELDS_MAX], *s = line;

		if (n > 0 && line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (line[0] == '#')
			continue;
		for (int i = 0; i < VECTOR_FIELDS_MAX; i++) {
			char *tab = strchr(s, '\t');

			field[i] = s;
			s = tab ? tab + 1 : s + strlen(s);
			if (tab)
				*tab = '\0';
		}
		cb(field);
		count++;
	}
	free(line);
	(void)fclose(f);
	assert_true(count > 0);
	return count;
}

uint8_t *unhex(const char *text, size_t *n)
{
	size_t len = strlen(text);
	uint8_t *p = malloc(len / 2 > 0 ? len / 2 : 1);

	assert_non_null(p);
	assert_int_equal(gn_hex_decode(text, len, p, len / 2, n), 0);
	return p;
}

void assert_hex(const void *p, size_t n, const char *hex)
{
	char *text = malloc(n * 2 + 1);

	assert_non_null(text);
	gn_hex_encode(p, n, text);
	assert_string_equal(text, hex);
	free(text);
}
