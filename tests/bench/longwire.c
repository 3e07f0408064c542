/* SPDX-License-Identifier: MIT */
/*
 * A path with a long delay and a high rate between two network namespaces, for kernels without netem.
 *
 *   longwire [-d MS] NETNS1 NETNS2      (paths; needs CAP_NET_ADMIN there, and /dev/net/tun)
 *
 * Makes a tun interface `long` in each, and carries packets between them, delayed by MS (31.5) milliseconds.
 * TCP segments travel as the kernel's super-packets of 64 KiB, after a virtio header, and each direction has
 * a thread, which allows several Gbit/s.  The program prints "up", and then works until SIGTERM.  When it is
 * too slow no packet is lost, because packets wait in the queue of the tun.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 8192, PACKET = 65536 + 256, BATCH = 32 };

struct slot {
	int64_t due; /* ns */
	size_t len;
	char data[PACKET];
};

struct way {
	int in, out;
	int64_t delay; /* ns */
	struct slot *ring;
	size_t head, tail; /* counters; the index in the ring is modulo SLOTS */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Enters the namespace and makes the tun interface there. */
static int open_tun(const char *netns)
{
	unsigned offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	struct ifreq req = {.ifr_name = "long"};
	int ns = open(netns, O_RDONLY | O_CLOEXEC), fd;

	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		err(77, "%s", netns);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	req.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
	if (fd < 0 || ioctl(fd, TUNSETIFF, &req) < 0 || ioctl(fd, TUNSETOFFLOAD, (unsigned long)offload) < 0)
		err(77, "/dev/net/tun");
	return fd;
}

/* Writes the packets that are due.  An empty ring starts again at its beginning, to stay in the cache. */
static void put_out(struct way *w)
{
	int64_t now = now_ns();

	for (; w->head != w->tail; w->head++) {
		struct slot *s = &w->ring[w->head % SLOTS];

		if (s->due > now || (write(w->out, s->data, s->len) < 0 && errno == EAGAIN))
			return;
	}
	w->head = w->tail = 0;
}

static void take_in(struct way *w)
{
	for (int i = 0; i < BATCH && w->tail - w->head < SLOTS; i++) {
		struct slot *s = &w->ring[w->tail % SLOTS];
		ssize_t n = read(w->in, s->data, sizeof s->data);

		if (n <= 0)
			return;
		s->len = (size_t)n;
		s->due = now_ns() + w->delay;
		w->tail++;
	}
}

static void *carry(void *arg)
{
	struct way *w = arg;

	prctl(PR_SET_TIMERSLACK, 1);
	for (;;) {
		int64_t wait = 1000000000;

		put_out(w);
		take_in(w);
		if (w->head != w->tail)
			wait = w->ring[w->head % SLOTS].due - now_ns();
		if (wait > 0) {
			struct pollfd p = {.fd = w->in, .events = w->tail - w->head < SLOTS ? POLLIN : 0};
			struct timespec t = {wait / 1000000000, wait % 1000000000};

			ppoll(&p, 1, &t, NULL);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct way ways[2];
	double delay = 31.5;
	sigset_t signals;
	pthread_t thread;
	int opt, sig;

	while ((opt = getopt(argc, argv, "d:")) > 0) {
		if (opt != 'd')
			return 2;
		delay = strtod(optarg, NULL);
	}
	if (argc - optind != 2) {
		fputs("usage: longwire [-d MS] NETNS1 NETNS2\n", stderr);
		return 2;
	}
	for (int i = 0; i < 2; i++)
		ways[i].in = ways[!i].out = open_tun(argv[optind + i]);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	for (int i = 0; i < 2; i++) {
		ways[i].delay = (int64_t)(delay * 1e6);
		ways[i].ring = malloc(SLOTS * sizeof *ways[i].ring);
		if (ways[i].ring == NULL)
			err(1, "ring");
		errno = pthread_create(&thread, NULL, carry, &ways[i]);
		if (errno)
			err(1, "thread");
	}
	puts("up");
	fflush(stdout);
	sigwait(&signals, &sig);
	return 0;
}
