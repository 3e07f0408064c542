/* SPDX-License-Identifier: MIT */
/*
 * A name server for the lab whose records are given on the command line:
 *
 *   names ADDRESS NAME TYPE VALUE [NAME TYPE VALUE]...
 *
 * ADDRESS is an IPv4 address, port 53; TYPE is A, AAAA or TXT; records of one name and
 * type are answered in the order given.  A name without a record of any type does not
 * exist.  Prints "up", then answers until it is killed.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { HEAD = 12, PACKET = 4096, QUESTION = 4, RR_HEAD = 12, TYPE_A = 1, TYPE_TXT = 16, TYPE_AAAA = 28, NO_NAME = 3 };

/* The packet that is being read or made. */
struct packet {
	unsigned char data[PACKET];
	size_t len;
};

static void put16(struct packet *p, unsigned v)
{
	p->data[p->len++] = (unsigned char)(v >> 8);
	p->data[p->len++] = (unsigned char)v;
}

/* Reads the requested name as text; returns the offset after it, or 0 if it is malformed. */
static size_t read_name(const struct packet *p, char name[256])
{
	size_t at = HEAD, out = 0;

	while (at < p->len && p->data[at] != 0) {
		size_t n = p->data[at++];

		if (n > 63 || at + n >= p->len || out + n + 1 > 255)
			return 0;
		memcpy(name + out, p->data + at, n);
		at += n;
		out += n;
		name[out++] = '.';
	}
	name[out > 0 ? out - 1 : 0] = '\0';
	return at + 1 + QUESTION <= p->len ? at + 1 : 0;
}

static unsigned type_of(const char *text)
{
	if (strcmp(text, "A") == 0)
		return TYPE_A;
	if (strcmp(text, "AAAA") == 0)
		return TYPE_AAAA;
	if (strcmp(text, "TXT") == 0)
		return TYPE_TXT;
	errx(2, "%s: not A, AAAA or TXT", text);
}

/* Adds a record for the name in the question, with a lifetime of 60 s. */
static void put_record(struct packet *p, unsigned type, const char *value)
{
	unsigned char data[256];
	size_t n = type == TYPE_A ? 4 : 16;

	if (type == TYPE_TXT) {
		n = strlen(value);
		if (n > 255)
			errx(2, "%s: too long", value);
		data[0] = (unsigned char)n;
		memcpy(data + 1, value, n++);
	} else if (inet_pton(type == TYPE_A ? AF_INET : AF_INET6, value, data) != 1) {
		errx(2, "%s: not an address", value);
	}
	if (p->len + RR_HEAD + n > sizeof p->data)
		return;
	put16(p, 0xc000 | HEAD); /* a pointer to the name in the question */
	put16(p, type);
	put16(p, 1); /* Internet */
	put16(p, 0);
	put16(p, 60);
	put16(p, (unsigned)n);
	memcpy(p->data + p->len, data, n);
	p->len += n;
}

/* Turns the question into the answer; returns false if it is not a question. */
static int answer(struct packet *p, char **records)
{
	unsigned type, answers = 0, known = 0;
	char name[256];
	size_t end;

	if (p->len < HEAD || (p->data[2] & 0x80) || p->data[4] || p->data[5] != 1)
		return 0;
	end = read_name(p, name);
	if (end == 0)
		return 0;
	type = (unsigned)(p->data[end] << 8 | p->data[end + 1]);
	p->len = end + QUESTION; /* additional records (EDNS) are dropped */
	for (; records[0] != NULL; records += 3) {
		if (strcasecmp(records[0], name) != 0)
			continue;
		known = 1;
		if (type_of(records[1]) == type) {
			put_record(p, type, records[2]);
			answers++;
		}
	}
	p->data[2] = (unsigned char)(0x84 | (p->data[2] & 1)); /* an answer, authoritative */
	p->data[3] = known ? 0 : NO_NAME;
	memset(p->data + 6, 0, 6);
	p->data[7] = (unsigned char)answers;
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53)}, from;
	int sock = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc < 5 || (argc - 2) % 3 != 0 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1) {
		fputs("usage: names ADDRESS NAME TYPE VALUE [NAME TYPE VALUE]...\n", stderr);
		return 2;
	}
	if (sock < 0 || bind(sock, (struct sockaddr *)&at, sizeof at) < 0)
		err(1, "%s", argv[1]);
	puts("up");
	fflush(stdout);
	for (;;) {
		struct packet p;
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(sock, p.data, sizeof p.data, 0, (struct sockaddr *)&from, &len);

		if (n < 0)
			err(1, "receive");
		p.len = (size_t)n;
		if (answer(&p, argv + 2))
			sendto(sock, p.data, p.len, 0, (struct sockaddr *)&from, len);
	}
}
