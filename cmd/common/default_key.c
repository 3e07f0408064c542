/* SPDX-License-Identifier: MIT */
#include "default_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "diag.h"

#define NAME "golem-net/key"

/* The variable's value, or NULL when it is not an absolute path. */
static const char *directory_of(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] == '/' ? value : NULL;
}

char *default_key_path(void)
{
	const char *config = directory_of("XDG_CONFIG_HOME"), *home = directory_of("HOME");
	const char *base = config != NULL ? config : home;
	size_t room;
	char *path;

	if (base == NULL)
		return NULL;
	room = strlen(base) + sizeof "/.config/" NAME;
	path = malloc(room);
	if (path == NULL)
		die_memory();
	snprintf(path, room, "%s%s/" NAME, base, config != NULL ? "" : "/.config");
	return path;
}

static int make_directory(const char *path)
{
	struct stat st;
	int err;

	if (mkdir(path, 0700) == 0)
		return 0;
	err = -errno;
	/* On a read-only file system mkdir() may fail with EROFS even if the directory exists. */
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? 0 : err;
}

int default_key_make_directories(const char *path, int *where)
{
	char *part = strdup(path);
	int err = 0;

	if (part == NULL)
		die_memory();
	for (char *slash = strchr(part + 1, '/'); slash != NULL && err == 0; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		err = make_directory(part);
		*where = (int)(slash - part);
		*slash = '/';
	}
	free(part);
	return err;
}
