/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include "id/key.h"
#include "vectors.h"

static char dir[] = "/tmp/gn-key-XXXXXX";
static char path[sizeof(dir) + 8];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
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

static void test_round_trip(void **state)
{
	struct gn_key *key, *back;
	struct gn_peer_id a, b;
	struct stat st;
	mode_t mask = umask(0777); /* even so the owner can read it */

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

static void test_modes(void **state)
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

static void test_malformed(void **state)
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

/* A write that fails leaves no file: here by a limit on how long files may get. */
static void test_disk_full(void **state)
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
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(gn_key_file_write("/nonexistent/key", key), -ENOENT);
	gn_key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_disk_full),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
