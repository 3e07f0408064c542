/* SPDX-License-Identifier: MIT */
/*
 * Reads the output of every listener of the bench to its end, as fast as possible,
 * and records the times and the number of bytes.
 *
 *   sink [-s] [-l FILE] [-u PATH] OUT <pipe
 *
 *   -l FILE   the first line is not data: it goes to FILE
 *   -u PATH   reads from the first connection to the Unix socket PATH instead of stdin
 *   -s        also computes the SHA-256 (not in timed runs)
 *
 * OUT gets a line: the nanoseconds (CLOCK_MONOTONIC) of the first and of the last byte,
 * the number of bytes, the processor time of this program in nanoseconds, the hash or -.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };

struct account {
	uint64_t first, last, bytes;
	EVP_MD_CTX *hash; /* NULL without -s */
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int accept_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	if (strlen(path) >= sizeof at.sun_path)
		errx(2, "%s: too long for a socket", path);
	memcpy(at.sun_path, path, strlen(path));
	unlink(path);
	if (sock < 0 || bind(sock, (struct sockaddr *)&at, sizeof at) < 0 || listen(sock, 1) < 0)
		err(1, "%s", path);
	fd = accept(sock, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	return fd;
}

static void count(struct account *a, const unsigned char *p, size_t n)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (!n)
		return;
	if (!a->bytes)
		a->first = now;
	a->last = now;
	a->bytes += n;
	if (a->hash != NULL)
		EVP_DigestUpdate(a->hash, p, n);
}

/* Writes the bytes of the first line to FILE; returns how many of the n bytes belong to it. */
static size_t line(FILE *to, const unsigned char *p, size_t n, int *done)
{
	const unsigned char *end = memchr(p, '\n', n);
	size_t len = end != NULL ? (size_t)(end - p) + 1 : n;

	fwrite(p, 1, len, to);
	if (end != NULL) {
		fclose(to);
		*done = 1;
	}
	return len;
}

static void put_result(const char *path, struct account *a)
{
	FILE *out = fopen(path, "w");
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (out == NULL)
		err(1, "%s", path);
	fprintf(out, "%llu %llu %llu %llu ", (unsigned long long)a->first, (unsigned long long)a->last,
		(unsigned long long)a->bytes, (unsigned long long)clock_ns(CLOCK_PROCESS_CPUTIME_ID));
	if (a->hash != NULL)
		EVP_DigestFinal_ex(a->hash, md, &len);
	else
		fputc('-', out);
	for (unsigned i = 0; i < len; i++)
		fprintf(out, "%02x", md[i]);
	fputc('\n', out);
	if (fclose(out) != 0)
		err(1, "%s", path);
}

int main(int argc, char **argv)
{
	static unsigned char buf[CHUNK];
	struct account a = {0};
	FILE *line_to = NULL;
	int fd = STDIN_FILENO, opt, past_line = 1;

	while ((opt = getopt(argc, argv, "sl:u:")) > 0) {
		if (opt == 's') {
			a.hash = EVP_MD_CTX_new();
			if (a.hash == NULL || EVP_DigestInit_ex(a.hash, EVP_sha256(), NULL) != 1)
				errx(1, "no hash");
		} else if (opt == 'l') {
			line_to = fopen(optarg, "w");
			if (line_to == NULL)
				err(1, "%s", optarg);
			past_line = 0;
		} else if (opt == 'u') {
			fd = accept_at(optarg);
		} else {
			return 2;
		}
	}
	if (argc - optind != 1)
		return 2;
	fcntl(fd, F_SETPIPE_SZ, CHUNK); /* the same large pipe for every program */
	for (;;) {
		ssize_t got = read(fd, buf, sizeof buf);
		size_t skip = 0;

		if (got < 0)
			err(1, "read");
		if (got == 0)
			break;
		if (!past_line)
			skip = line(line_to, buf, (size_t)got, &past_line);
		count(&a, buf + skip, (size_t)got - skip);
	}
	put_result(argv[optind], &a);
	return 0;
}
