/* SPDX-License-Identifier: MIT */
#include "results.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "exit.h"
#include "gn.h"
#include "diag.h"

int results_close_fd(int fd)
{
	int err = close(fd) != 0 && errno != EINTR ? -errno : 0;

	if (fd <= STDERR_FILENO && open("/dev/null", O_RDWR) < 0)
		return err; /* the number stays free, which is harmless since the tool is about to end */
	return err;
}

int results_close(int err)
{
	int late;

	if (fflush(stdout) != 0 && err == 0)
		err = -errno;
	late = results_close_fd(STDOUT_FILENO);
	if (err == 0)
		err = late;
	if (err != 0 && err != -EPIPE)
		diag("standard output: %s", gn_strerror(err));
	return err != 0 ? EXIT_LOCAL : EXIT_DONE;
}
