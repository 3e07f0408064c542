/* SPDX-License-Identifier: MIT */
/* libgn against tests/sealed/sealed.py, the second implementation.  Each opens the messages of the other,
 * both reject the same messages, and both reproduce the vectors byte for byte. */
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

#define DIR GN_VECTORS "/../sealed"

static char tmp[] = "/tmp/gn-sealed-XXXXXX";
static char id[4][GN_PEER_ID_TEXT_MAX];

static void path_make(char path[256], const char *name)
{
	(void)snprintf(path, 256, "%s/%s", tmp, name);
}

static void file_write(const char *name, const struct gn_buf *b)
{
	char path[256];
	FILE *f;

	path_make(path, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(b->p, 1, b->len, f), b->len);
	assert_int_equal(fclose(f), 0);
}

static void file_read(const char *name, struct gn_buf *b)
{
	char path[256];
	size_t n;
	FILE *f;

	path_make(path, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(gn_buf_reserve(b, (size_t)1 << 23), 0);
	n = fread(b->p + b->len, 1, (size_t)1 << 23, f);
	b->len += n;
	(void)fclose(f);
}

/* Runs sealed.py in the folder of the key files, with the files "in" and "out" as stdin and stdout.
 * Returns its exit code. */
__attribute__((format(printf, 1, 2))) static int python(const char *fmt, ...)
{
	char args[1024], line[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(args, sizeof(args), fmt, ap);
	va_end(ap);
	(void)snprintf(line, sizeof(line), "cd %s && PYTHONDONTWRITEBYTECODE=1 python3 '%s'/%s <in >out 2>err", tmp,
		       DIR, args);
	return system(line);
}

static int set_up_files(void **state)
{
	struct gn_key *keys[4];
	const char *const names[] = {"alice", "bob", "carol", "dave"};

	if (seal_setup(state) < 0 || mkdtemp(tmp) == NULL)
		return -1;
	keys[0] = seal_alice, keys[1] = seal_bob, keys[2] = seal_carol, keys[3] = seal_dave;
	for (int i = 0; i < 4; i++) {
		struct gn_peer_id peer;
		char path[256];

		path_make(path, names[i]);
		if (gn_key_file_write(path, keys[i]) < 0)
			return -1;
		gn_key_id(keys[i], &peer);
		gn_peer_id_format(&peer, id[i]);
	}
	return 0;
}

static int tear_down_files(void **state)
{
	const char *const names[] = {"alice", "bob", "carol", "dave", "in", "out", "err"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[256];

		path_make(path, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(tmp);
	return seal_teardown(state);
}

static void the_second_implementation_opens_the_vectors(void **state)
{
	struct gn_buf none;

	(void)state;
	gn_buf_init(&none, 1);
	assert_int_equal(gn_buf_reserve(&none, 1), 0);
	file_write("in", &none);
	gn_buf_fini(&none);
	assert_int_equal(python("vectors.py check '%s'/sealed.tsv", GN_VECTORS), 0);
}

static void each_implementation_opens_the_others_messages(void **state)
{
	struct gn_buf in, out;

	(void)state;
	gn_buf_init(&out, (size_t)1 << 24);
	seal_sample(&in, (const struct gn_key *const[]){seal_bob, seal_carol, seal_dave}, 3);
	file_write("in", &in);
	assert_int_equal(python("sealed.py open carol %s context=here", id[0]), 0);
	file_read("out", &out);
	assert_int_equal(out.len, strlen(SEAL_WHOLE));
	assert_memory_equal(out.p, SEAL_WHOLE, out.len);
	assert_int_equal(python("sealed.py open dave any context=here"), 0);
	assert_int_not_equal(python("sealed.py open alice any context=here"), 0);
	assert_int_not_equal(python("sealed.py open bob %s context=here", id[1]), 0);
	assert_int_not_equal(python("sealed.py open bob any"), 0);
	in.p[in.len - 1] ^= 1;
	file_write("in", &in);
	assert_int_not_equal(python("sealed.py open bob any context=here"), 0);
	in.len -= 20;
	file_write("in", &in);
	assert_int_not_equal(python("sealed.py open bob any context=here"), 0);
	gn_buf_fini(&in);
	gn_buf_fini(&out);
}

/* Tests a message of several full chunks and a shorter one, in both directions, and an empty message. */
static void long_messages_open(void **state)
{
	static const size_t lens[] = {0, 1, 5 * GN_SEALED_CHUNK_MAX / 2};
	struct gn_buf plain, in, got;
	struct gn_peer_id to;
	const struct gn_seal_cfg cfg = {seal_alice, &to, 1, "a type", NULL, false};
	struct gn_sealer *s;

	(void)state;
	gn_key_id(seal_bob, &to);
	assert_int_equal(gn_sealer_new(&cfg, &s), 0);
	gn_buf_init(&plain, (size_t)1 << 23);
	gn_buf_init(&in, (size_t)1 << 24);
	gn_buf_init(&got, (size_t)1 << 24);
	assert_int_equal(gn_buf_reserve(&plain, lens[2]), 0);
	for (size_t i = 0; i < lens[2]; i++)
		plain.p[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		void *sealed = NULL;
		size_t n = 0;

		plain.len = lens[i];
		assert_int_equal(gn_seal_message(s, plain.p, plain.len, &sealed, &n), 0);
		in.len = got.len = 0;
		assert_int_equal(gn_buf_put(&in, sealed, n), 0);
		free(sealed);
		file_write("in", &in);
		assert_int_equal(python("sealed.py open bob %s", id[0]), 0);
		file_read("out", &got);
		assert_int_equal(got.len, plain.len);
		assert_memory_equal(got.p, plain.p, plain.len);

		file_write("in", &plain);
		assert_int_equal(python("sealed.py seal alice %s %s type=t context=c chunk=%d", id[2], id[1],
					i == 1 ? 7 : 1 << 20),
				 0);
		in.len = 0;
		file_read("out", &in);
		assert_int_equal(seal_unseal(seal_bob, seal_alice, "c", &in, &got), 0);
		assert_int_equal(got.len, plain.len);
		assert_memory_equal(got.len > 0 ? got.p : plain.p, plain.p, plain.len);
		assert_int_equal(seal_unseal(seal_dave, seal_alice, "c", &in, &got), GN_ENOTFOR);
		assert_int_equal(seal_unseal(seal_carol, seal_alice, "d", &in, &got), GN_ECONTEXT);
	}
	gn_sealer_free(s);
	gn_buf_fini(&plain);
	gn_buf_fini(&in);
	gn_buf_fini(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_implementation_opens_the_vectors),
		cmocka_unit_test(each_implementation_opens_the_others_messages),
		cmocka_unit_test(long_messages_open),
	};

	return cmocka_run_group_tests(tests, set_up_files, tear_down_files);
}
