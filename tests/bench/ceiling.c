/* SPDX-License-Identifier: MIT */
/*
 * The minimal program: the least that an encrypted pipe has to do, as a reference for others.
 *
 *   ceiling listen HOST PORT >out    ceiling dial HOST PORT <in    (IPv4; port 0 picks one)
 *
 * The dialer seals its input into records of Noise's size, four a write, with
 * ChaCha20-Poly1305; the listener opens them in place.  No handshake, no multiplexing, no
 * windows, and a fixed key.  When it can be reached the listener writes
 * HOST PORT to descriptor 9, if that is open.
 *
 *      +-----------+------------------------+-----------+
 *      | length    | sealed bytes           | tag       |
 *      | 2, BE     | at most 65,519         | 16        |
 *      +-----------+------------------------+-----------+
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HEAD = 2, BODY = 65519, TAG = 16, RECORD = HEAD + BODY + TAG, BATCH = 4, LINE = 64, VIEWS = 64, READY_FD = 9 };

struct cipher {
	EVP_CIPHER_CTX *ctx;
	uint64_t records; /* the number of records so far, which is the nonce */
	int seals;
};

static void cipher_init(struct cipher *c, int seals)
{
	static const unsigned char key[32] = "known to everybody";

	c->ctx = EVP_CIPHER_CTX_new();
	c->records = 0;
	c->seals = seals;
	if (c->ctx == NULL || EVP_CipherInit_ex(c->ctx, EVP_chacha20_poly1305(), NULL, key, NULL, seals) != 1)
		errx(1, "no cipher");
}

static void cipher_next(struct cipher *c)
{
	unsigned char nonce[12] = {0};

	memcpy(nonce + 4, &c->records, sizeof c->records);
	c->records++;
	if (EVP_CipherInit_ex(c->ctx, NULL, NULL, NULL, nonce, c->seals) != 1)
		errx(1, "no nonce");
}

/* Seals n bytes into a record; returns the length of the record. */
static size_t seal(struct cipher *c, const unsigned char *from, size_t n, unsigned char *to)
{
	int len;

	to[0] = (unsigned char)((n + TAG) >> 8);
	to[1] = (unsigned char)(n + TAG);
	cipher_next(c);
	if (EVP_CipherUpdate(c->ctx, to + HEAD, &len, from, (int)n) != 1 ||
	    EVP_CipherFinal_ex(c->ctx, to + HEAD + len, &len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_GET_TAG, TAG, to + HEAD + n) != 1)
		errx(1, "cannot seal");
	return HEAD + n + TAG;
}

/* Opens in place the n bytes at p, which are followed by the tag. */
static void unseal(struct cipher *c, unsigned char *p, size_t n)
{
	int len;

	cipher_next(c);
	if (EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, TAG, p + n) != 1 ||
	    EVP_CipherUpdate(c->ctx, p, &len, p, (int)n) != 1 || EVP_CipherFinal_ex(c->ctx, p + len, &len) != 1)
		errx(9, "record %llu is not genuine", (unsigned long long)c->records - 1);
}

static void send_all(int fd, const unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent < 0)
			err(8, "send");
		p += sent;
		n -= (size_t)sent;
	}
}

static void write_all(struct iovec *v, int n)
{
	while (n > 0) {
		ssize_t put = writev(STDOUT_FILENO, v, n);

		if (put < 0)
			err(1, "standard output");
		for (; n > 0 && (size_t)put >= v->iov_len; v++, n--)
			put -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + put;
			v->iov_len -= (size_t)put;
		}
	}
}

static void dial(int sock)
{
	static _Alignas(LINE) unsigned char in[BATCH * BODY], out[BATCH * RECORD];
	struct cipher c;

	cipher_init(&c, 1);
	for (;;) {
		ssize_t got = read(STDIN_FILENO, in, sizeof in);
		size_t len = 0;

		if (got < 0)
			err(1, "standard input");
		if (got == 0)
			return;
		for (size_t at = 0; at < (size_t)got; at += BODY)
			len += seal(&c, in + at, (size_t)got - at < BODY ? (size_t)got - at : BODY, out + len);
		send_all(sock, out, len);
	}
}

/* Opens the complete records in the n bytes at p and writes them out; returns their length. */
static size_t take(struct cipher *c, unsigned char *p, size_t n)
{
	struct iovec v[VIEWS];
	size_t at = 0;
	int views = 0;

	while (views < VIEWS && n - at >= HEAD) {
		size_t len = (size_t)p[at] << 8 | p[at + 1];

		if (len < TAG)
			errx(9, "a record shorter than its tag");
		if (n - at < HEAD + len)
			break;
		unseal(c, p + at + HEAD, len - TAG);
		v[views++] = (struct iovec){p + at + HEAD, len - TAG};
		at += HEAD + len;
	}
	write_all(v, views);
	return at;
}

static void serve(int sock)
{
	/* An incomplete record ends on a 64-byte boundary, so that the kernel writes to an aligned address. */
	static _Alignas(LINE) unsigned char room[RECORD + LINE + 2 * BATCH * RECORD];
	unsigned char *p = room;
	size_t have = 0;
	struct cipher c;

	cipher_init(&c, 0);
	for (;;) {
		ssize_t got = recv(sock, p + have, 2 * BATCH * RECORD - have, 0);
		unsigned char *rest;
		size_t taken;

		if (got < 0)
			err(8, "receive");
		if (got == 0)
			break;
		have += (size_t)got;
		taken = take(&c, p, have);
		have -= taken;
		rest = room + (LINE - have % LINE) % LINE;
		memmove(rest, p + taken, have);
		p = rest;
	}
	if (have > 0)
		errx(8, "cut inside a record");
}

static int accept_one(int sock, struct sockaddr_in *at)
{
	socklen_t len = sizeof *at;
	char host[INET_ADDRSTRLEN];
	int on = 1;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(sock, (struct sockaddr *)at, len) < 0 || listen(sock, 1) < 0 ||
	    getsockname(sock, (struct sockaddr *)at, &len) < 0)
		err(3, "listen");
	if (fcntl(READY_FD, F_GETFD) >= 0) {
		dprintf(READY_FD, "%s %d\n", inet_ntop(AF_INET, &at->sin_addr, host, sizeof host), ntohs(at->sin_port));
		close(READY_FD);
	}
	return accept(sock, NULL, NULL);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int listens = argc > 1 && strcmp(argv[1], "listen") == 0, sock;

	if (argc != 4 || (!listens && strcmp(argv[1], "dial") != 0) || inet_pton(AF_INET, argv[2], &at.sin_addr) != 1) {
		fputs("usage: ceiling listen|dial HOST PORT\n", stderr);
		return 2;
	}
	at.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10));
	sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		err(1, "socket");
	fcntl(listens ? STDOUT_FILENO : STDIN_FILENO, F_SETPIPE_SZ, 1 << 20);
	if (listens) {
		sock = accept_one(sock, &at);
		if (sock < 0)
			err(3, "accept");
		serve(sock);
	} else {
		if (connect(sock, (struct sockaddr *)&at, sizeof at) < 0)
			err(3, "connect");
		dial(sock);
	}
	return 0;
}
