/* SPDX-License-Identifier: MIT */
/* A close() that fails for stdout.  The second copy of each tool that prints results,
 * $(B)/tests/late/gn-*, is linked with it, because over NFS or beyond a quota the error of an earlier
 * write may be reported by close() only. */
#include <errno.h>
#include <unistd.h>

int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
	int rc = __real_close(fd);

	if (fd != STDOUT_FILENO)
		return rc;
	errno = EDQUOT;
	return -1;
}
