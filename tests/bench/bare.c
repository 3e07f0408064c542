/* SPDX-License-Identifier: MIT */
/*
 * A bare TCP echo with epoll, without encryption and streams, as a reference for small.c.
 *
 *   bare serve                                     prints its address, serves until it is killed
 *   bare ADDR PID SECONDS echo SIZE IN-FLIGHT      messages of SIZE bytes, so many in flight
 *   bare ADDR PID SECONDS conns                    connections, one after the other, each used for one echo
 *
 * ADDR is HOST:PORT.  PID and the output are those of small.c.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/measure.h"

enum { BUFFER = 1 << 18, EVENTS = 64 };

static uint8_t buffer[BUFFER];

static void no_delay(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
		err(1, "TCP_NODELAY");
}

static void write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w <= 0)
			err(1, "write");
		p += w;
		n -= (size_t)w;
	}
}

static void add(int ep, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0)
		err(1, "epoll_ctl");
}

static void wait_for(int ep, struct epoll_event *ev, int *n)
{
	*n = epoll_wait(ep, ev, EVENTS, -1);
	if (*n < 0)
		err(1, "epoll_wait");
}

static void serve(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof sa;
	int ep = epoll_create1(0), listener = socket(AF_INET, SOCK_STREAM, 0), n;
	struct epoll_event ev[EVENTS];

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (ep < 0 || listener < 0 || bind(listener, (struct sockaddr *)&sa, sizeof sa) != 0 ||
	    listen(listener, 128) != 0 || getsockname(listener, (struct sockaddr *)&sa, &len) != 0)
		err(1, "listen");
	printf("127.0.0.1:%d\n", ntohs(sa.sin_port));
	fflush(stdout);
	add(ep, listener);
	for (;;) {
		wait_for(ep, ev, &n);
		for (int i = 0; i < n; i++) {
			int fd = ev[i].data.fd;
			ssize_t got;

			if (fd == listener) {
				fd = accept(listener, NULL, NULL);
				if (fd < 0)
					err(1, "accept");
				no_delay(fd);
				add(ep, fd);
				continue;
			}
			got = read(fd, buffer, sizeof buffer);
			if (got > 0)
				write_all(fd, buffer, (size_t)got);
			else
				close(fd);
		}
	}
}

static int connect_to(const char *addr)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	const char *colon = strchr(addr, ':');
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (colon == NULL || fd < 0)
		errx(1, "%s: no such address", addr);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sa.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0)
		err(1, "%s", addr);
	no_delay(fd);
	return fd;
}

static void measure_echo(struct measure *m, const char *addr, size_t size, unsigned in_flight)
{
	int ep = epoll_create1(0), fd = connect_to(addr), n;
	int64_t start = measure_clock(CLOCK_MONOTONIC);
	struct epoll_event ev[EVENTS];
	size_t part = 0;

	add(ep, fd);
	write_all(fd, buffer, size * in_flight);
	while (!measure_is_over(m, start)) {
		ssize_t got;
		size_t whole;

		wait_for(ep, ev, &n);
		got = read(fd, buffer, sizeof buffer);
		if (got <= 0)
			err(1, "read");
		part += (size_t)got;
		whole = part / size;
		part %= size;
		m->count += whole;
		write_all(fd, buffer, whole * size);
	}
	measure_end(m);
}

static void measure_connections(struct measure *m, const char *addr)
{
	int64_t start = measure_clock(CLOCK_MONOTONIC);

	while (!measure_is_over(m, start)) {
		int fd = connect_to(addr);

		write_all(fd, buffer, 1);
		if (read(fd, buffer, 1) != 1)
			err(1, "read");
		close(fd);
		m->count++;
	}
	measure_end(m);
}

int main(int argc, char **argv)
{
	struct measure m;
	size_t size, n;

	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		serve();
	if (argc == 7 && strcmp(argv[4], "echo") == 0) {
		size = strtoul(argv[5], NULL, 10);
		n = strtoul(argv[6], NULL, 10);
		if (size == 0 || n == 0 || size > BUFFER || n > BUFFER / size)
			errx(2, "at most %d bytes in flight", BUFFER);
		measure_init(&m, argv[2], argv[3]);
		measure_echo(&m, argv[1], size, (unsigned)n);
	} else if (argc == 5 && strcmp(argv[4], "conns") == 0) {
		measure_init(&m, argv[2], argv[3]);
		measure_connections(&m, argv[1]);
	} else {
		fputs("usage: bare serve | bare ADDR PID SECONDS echo SIZE IN-FLIGHT|conns\n", stderr);
		return 2;
	}
	return 0;
}
