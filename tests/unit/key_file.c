/* SPDX-License-Identifier: MIT */
/* The Makefile links this program so that the library's calls of close(), fsync() and link() come here
 * first. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "id/key.h"
#include "support/support.h"

static char dir[] = "/tmp/gn-key-XXXXXX";
static char path[sizeof(dir) + 8];

/* The error that the next call of each function returns; 0: the real function is called. */
static struct {
	int close, fsync, link;
} fail;

int __real_close(int fd);
int __real_fsync(int fd);
int __real_link(const char *from, const char *to);
int __wrap_close(int fd);
int __wrap_fsync(int fd);
int __wrap_link(const char *from, const char *to);

static int failing(int *with)
{
	errno = *with;
	*with = 0;
	return -1;
}

int __wrap_close(int fd)
{
	int rc = __real_close(fd);

	return fail.close ? failing(&fail.close) : rc;
}

int __wrap_fsync(int fd)
{
	return fail.fsync ? failing(&fail.fsync) : __real_fsync(fd);
}

int __wrap_link(const char *from, const char *to)
{
	return fail.link ? failing(&fail.link) : __real_link(from, to);
}

/* Returns the number of entries in the directory. */
static unsigned names(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	assert_int_equal(closedir(d), 0);
	return n;
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void file_make(const void *p, size_t n, mode_t mode)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void a_key_file_is_read_back(void **state)
{
	struct gn_key *key, *back;
	struct gn_peer_id a, b;
	struct stat st;
	mode_t mask = umask(0777); /* the file gets mode 0600 nevertheless */

	(void)state;
	(void)unlink(path);
	assert_int_equal(gn_key_new(&key), 0);
	assert_int_equal(gn_key_file_write(path, key), 0);
	(void)umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, GN_KEY_PRIVATE_LEN);
	assert_int_equal(gn_key_file_write(path, key), -EEXIST);
	assert_int_equal(gn_key_file_read(path, &back), 0);
	gn_key_id(key, &a);
	gn_key_id(back, &b);
	assert_true(gn_peer_id_is_equal(&a, &b));
	gn_key_free(key);
	gn_key_free(back);
}

static void a_file_that_others_may_read_is_rejected(void **state)
{
	static const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0666, 0777};
	static const mode_t fine_modes[] = {0600, 0400, 0700};
	uint8_t pb[GN_KEY_PRIVATE_LEN];
	struct gn_key *key, *back = NULL;

	(void)state;
	assert_int_equal(gn_key_new(&key), 0);
	gn_key_encode(key, pb);
	gn_key_free(key);
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
		file_make(pb, sizeof(pb), open_modes[i]);
		assert_int_equal(gn_key_file_read(path, &back), GN_EKEYMODE);
		assert_null(back);
	}
	for (size_t i = 0; i < sizeof(fine_modes) / sizeof(fine_modes[0]); i++) {
		file_make(pb, sizeof(pb), fine_modes[i]);
		assert_int_equal(gn_key_file_read(path, &back), 0);
		gn_key_free(back);
		back = NULL;
	}
}

static void malformed_files_are_rejected(void **state)
{
	uint8_t pb[GN_KEY_PRIVATE_LEN], *huge = calloc(1, 100000);
	struct gn_key *key, *back = NULL;

	(void)state;
	assert_int_equal(gn_key_new(&key), 0);
	gn_key_encode(key, pb);
	gn_key_free(key);
	for (size_t n = 0; n < sizeof(pb); n++) {
		file_make(pb, n, 0600);
		assert_int_equal(gn_key_file_read(path, &back), GN_EFORMAT);
	}
	assert_non_null(huge);
	file_make(huge, 100000, 0600);
	assert_int_equal(gn_key_file_read(path, &back), GN_EFORMAT);
	file_make("\x08\x02\x12\x01\x00", 5, 0600);
	assert_int_equal(gn_key_file_read(path, &back), GN_EKEYTYPE);
	(void)unlink(path);
	assert_int_equal(gn_key_file_read(path, &back), -ENOENT);
	assert_int_equal(gn_key_file_read(dir, &back), -EISDIR);
	assert_null(back);
	free(huge);
}

/* A write that fails leaves no file.  A limit on the size of files makes it fail. */
static void a_full_disk_leaves_no_file(void **state)
{
	struct rlimit was, small;
	struct gn_key *key;
	int err;

	(void)state;
	(void)unlink(path);
	assert_int_equal(gn_key_new(&key), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = was;
	small.rlim_cur = 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	err = gn_key_file_write(path, key);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(names(), 0);
	assert_int_equal(gn_key_file_write("/nonexistent/key", key), -ENOENT);
	gn_key_free(key);
}

/* An error of close() or fsync(), as NFS and quotas cause, leaves no file either. */
static void a_late_failure_leaves_no_file(void **state)
{
	struct gn_key *key;

	(void)state;
	(void)unlink(path);
	assert_int_equal(gn_key_new(&key), 0);
	fail.fsync = EIO;
	assert_int_equal(gn_key_file_write(path, key), -EIO);
	assert_int_equal(names(), 0);
	fail.close = EDQUOT;
	assert_int_equal(gn_key_file_write(path, key), -EDQUOT);
	assert_int_equal(names(), 0);
	fail.link = EIO;
	assert_int_equal(gn_key_file_write(path, key), -EIO);
	assert_int_equal(names(), 0);
	fail.fsync = EINVAL; /* the file system does not support it */
	assert_int_equal(gn_key_file_write(path, key), 0);
	assert_int_equal(names(), 1);
	gn_key_free(key);
}

static void a_file_system_without_hard_links_works(void **state)
{
	struct gn_key *key, *back;
	struct stat st;

	(void)state;
	(void)unlink(path);
	assert_int_equal(gn_key_new(&key), 0);
	fail.link = EPERM;
	assert_int_equal(gn_key_file_write(path, key), 0);
	assert_int_equal(names(), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(gn_key_file_read(path, &back), 0);
	gn_key_free(back);
	fail.link = EPERM;
	assert_int_equal(gn_key_file_write(path, key), -EEXIST);
	fail.link = 0;
	gn_key_free(key);
}

/* The same is true of a dangling symbolic link, a FIFO and a directory. */
static void an_existing_file_is_not_overwritten(void **state)
{
	struct gn_key *key;

	(void)state;
	(void)unlink(path);
	assert_int_equal(gn_key_new(&key), 0);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(gn_key_file_write(path, key), -EEXIST);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(gn_key_file_write(path, key), -EEXIST);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(gn_key_file_write(dir, key), -EEXIST);
	gn_key_free(key);
}

static void any_mode_is_accepted_on_request(void **state)
{
	static const mode_t modes[] = {0440, 0444, 0666, 0600};
	const struct gn_key_file_cfg cfg = {.any_mode = true};
	uint8_t pb[GN_KEY_PRIVATE_LEN];
	struct gn_key *key, *back;

	(void)state;
	assert_int_equal(gn_key_new(&key), 0);
	gn_key_encode(key, pb);
	gn_key_free(key);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		file_make(pb, sizeof(pb), modes[i]);
		assert_int_equal(gn_key_file_read_cfg(path, &cfg, &back), 0);
		gn_key_free(back);
	}
}

/* The modes of directories and devices are not checked, so that other errors are reported for them.  A FIFO
 * whose mode is wrong is rejected without waiting for a writer. */
static void the_mode_of_a_pipe_does_not_matter(void **state)
{
	struct gn_key *back = NULL;

	(void)state;
	(void)unlink(path);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(gn_key_file_read(dir, &back), -EISDIR);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(gn_key_file_read("/dev/null", &back), GN_EFORMAT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(gn_key_file_read(path, &back), GN_EKEYMODE);
	assert_null(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_file_is_read_back),
		cmocka_unit_test(a_file_that_others_may_read_is_rejected),
		cmocka_unit_test(malformed_files_are_rejected),
		cmocka_unit_test(a_full_disk_leaves_no_file),
		cmocka_unit_test(a_late_failure_leaves_no_file),
		cmocka_unit_test(a_file_system_without_hard_links_works),
		cmocka_unit_test(an_existing_file_is_not_overwritten),
		cmocka_unit_test(any_mode_is_accepted_on_request),
		cmocka_unit_test(the_mode_of_a_pipe_does_not_matter),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
