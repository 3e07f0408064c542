/* SPDX-License-Identifier: MIT */
/* Linked into a second copy of each tool that prints results, $(B)/tests/late/gn-*, in place of close(): closing stdout
 * fails there, as it does over NFS or beyond a quota when what was written before cannot be kept. */
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
