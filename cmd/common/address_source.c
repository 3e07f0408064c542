/* SPDX-License-Identifier: MIT */
/* Reads an address from a file or a descriptor, so that its token does not appear in the command line. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "exit.h"
#include "number.h"
#include "secret.h"

/* Reads one byte and returns what read(2) returns.  It also waits where another process has set O_NONBLOCK.
 */
static ssize_t read_byte(int fd, char *to)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	for (;;) {
		n = read(fd, to, 1);
		if (n >= 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
			return n;
		if (errno != EINTR)
			(void)poll(&p, 1, -1);
	}
}

/* Reads the first line that is not empty, without its line end.  name: how messages refer to the source. */
static int address_source_read_line(int fd, const char *name, char **out, struct fault *f)
{
	char *line = malloc(ADDRESS_LINE_MAX + 1), c = 0;
	size_t len = 0, taken = 0;
	ssize_t n = 1;

	if (line == NULL) {
		fault_set(f, "out of memory");
		return EXIT_LIMIT;
	}
	while (taken++ < ADDRESS_LINE_MAX && (n = read_byte(fd, &c)) > 0) {
		if (c == '\n' && len > 0)
			break;
		if (c == '\0' || strchr(ADDRESS_BLANKS, c) == NULL || len > 0)
			line[len++] = c;
	}
	line[len] = '\0';
	if (n >= 0 && len > 0 && taken <= ADDRESS_LINE_MAX && strlen(line) == len) {
		*out = line;
		return EXIT_DONE;
	}
	if (n < 0)
		fault_set(f, "address %.200s: cannot be read: %s", name, gn_strerror(-errno));
	else if (len == 0)
		fault_set(f, "address %.200s: it has no line with an address", name);
	else
		fault_set(f, "address %.200s: it has no line with an address", name);
	secret_wipe(line, len);
	free(line);
	return n < 0 ? EXIT_LOCAL : EXIT_USAGE;
}

static int address_source_read_file(const char *arg, char **out, struct fault *f)
{
	int fd = open(arg + 1, O_RDONLY | O_CLOEXEC | O_NOCTTY), err;

	if (fd < 0) {
		fault_set(f, "address %.200s: cannot be opened: %s", arg, gn_strerror(-errno));
		return EXIT_LOCAL;
	}
	err = address_source_read_line(fd, arg, out, f);
	close(fd);
	return err;
}

static int read_descriptor(const char *arg, char **out, struct fault *f)
{
	struct fault inner;
	uint64_t fd;
	int err;

	if (number_parse(arg + strlen("@fd:"), 0, INT_MAX, &fd, &inner)) {
		fault_set(f, "address %.60s: %.300s", arg, inner.text);
		return EXIT_USAGE;
	}
	if (fcntl((int)fd, F_GETFD) < 0) {
		fault_set(f, "address %.200s: descriptor %d is not open", arg, (int)fd);
		return EXIT_USAGE;
	}
	err = address_source_read_line((int)fd, arg, out, f);
	if (fd > STDERR_FILENO)
		close((int)fd);
	return err;
}

int address_read(const char *arg, char **out, struct fault *f)
{
	if (strcmp(arg, "@-") == 0) {
		if (isatty(STDIN_FILENO))
			diag("type or paste the address of the peer, and press Enter");
		return address_source_read_line(STDIN_FILENO, "on standard input", out, f);
	}
	if (strncmp(arg, "@fd:", 4) == 0)
		return read_descriptor(arg, out, f);
	if (arg[0] == '@' && arg[1] != '\0')
		return address_source_read_file(arg, out, f);
	if (arg[0] == '@') {
		fault_set(f, "address @: a file's name, - or fd:N is missing after it");
		return EXIT_USAGE;
	}
	*out = strdup(arg);
	if (*out != NULL)
		return EXIT_DONE;
	fault_set(f, "out of memory");
	return EXIT_LIMIT;
}
