/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* TIOCGWINSZ is no part of POSIX.1-2008 */
#include "terminal.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>

#define COLUMNS_USUAL 80

unsigned terminal_columns(int fd)
{
	struct winsize size = {0};

	if (ioctl(fd, TIOCGWINSZ, &size) || size.ws_col == 0)
		return COLUMNS_USUAL;
	return size.ws_col;
}

/* On a terminal that has hung up every request fails with EIO; on what is no terminal it fails with another error. */
int terminal_check_end(int fd)
{
	struct termios mode;

	return tcgetattr(fd, &mode) && errno == EIO ? -EIO : 0;
}
