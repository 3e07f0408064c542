/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* TIOCGWINSZ is no part of POSIX.1-2008 */
#include "terminal.h"

#include <sys/ioctl.h>

#define COLUMNS_USUAL 80

unsigned terminal_columns(int fd)
{
	struct winsize size = {0};

	if (ioctl(fd, TIOCGWINSZ, &size) || size.ws_col == 0)
		return COLUMNS_USUAL;
	return size.ws_col;
}
