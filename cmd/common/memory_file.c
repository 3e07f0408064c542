/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "memory_file.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Writes all bytes and leaves the file's offset at 0.  0 or -errno. */
static int memory_file_put_all(int fd, const uint8_t *bytes, size_t n)
{
	size_t done = 0;
	ssize_t put;

	while (done < n) {
		put = pwrite(fd, bytes + done, n - done, (off_t)done);
		if (put < 0 && errno != EINTR)
			return -errno;
		if (put > 0)
			done += (size_t)put;
	}
	return 0;
}

int memory_file_new(const void *bytes, size_t n)
{
	int fd = memfd_create("frame", MFD_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = memory_file_put_all(fd, bytes, n);
	if (err != 0) {
		close(fd);
		return err;
	}
	return fd;
}
