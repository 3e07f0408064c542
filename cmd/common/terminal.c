/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* TIOCGWINSZ is not in POSIX.1-2008 */
#include "terminal.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>

#define COLUMNS_DEFAULT 80

unsigned terminal_columns(int fd)
{
	struct winsize size = {0};

	if (ioctl(fd, TIOCGWINSZ, &size) || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

/* On a terminal that was closed tcgetattr() fails with EIO; on a descriptor of another kind with another
 * error. */
int terminal_check_end(int fd)
{
	struct termios mode;

	return tcgetattr(fd, &mode) && errno == EIO ? -EIO : 0;
}
