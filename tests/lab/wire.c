/* SPDX-License-Identifier: MIT */
/*
 * A bad cable, for kernels without netem: carries frames between two interfaces of its namespace, each of
 * which is the peer of a host's veth.
 *
 *   wire [-d MS] [-j MS] [-l PERCENT] [-D PERCENT] [-s SEED] IF1 IF2
 *   wire plain IF
 *
 *   -d   delay of every frame                  -l   share of frames that are lost
 *   -j   jitter, which reorders frames         -D   share of frames that arrive twice
 *
 * The numbers apply to each direction.  Prints "up", and then works until it is killed.  `wire plain IF`
 * turns offloading off at the hosts' ends, so that checksums and segments are complete before the cable.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX = 2048, BATCH = 64 };

struct frame {
	int64_t due; /* ns */
	uint64_t seq;
	size_t len;
	struct frame *next; /* in the list of unused frames */
	unsigned char data[FRAME_MAX];
};

/* One direction: the frames in transit, a heap ordered by (due, seq). */
struct way {
	int in, out;
	struct frame **heap;
	size_t n, room;
};

static struct {
	double delay, jitter, loss, twice;
} opts;
static uint64_t seed = 1, frames;
static struct frame *spare;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Returns a random number from 0 to below 100. */
static double chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double)(seed >> 11) / 9007199254740992.0 * 100;
}

static struct frame *frame_get(void)
{
	struct frame *f = spare;

	if (f != NULL)
		spare = f->next;
	else
		f = malloc(sizeof *f);
	if (f == NULL)
		err(1, "frame");
	return f;
}

static void frame_put(struct frame *f)
{
	f->next = spare;
	spare = f;
}

static int is_before(const struct frame *a, const struct frame *b)
{
	return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

static void push(struct way *w, struct frame *f, int64_t due)
{
	size_t i = w->n++;

	if (w->n > w->room) {
		w->room = w->room ? 2 * w->room : 256;
		w->heap = realloc(w->heap, w->room * sizeof(*w->heap));
		if (w->heap == NULL)
			err(1, "frames");
	}
	f->due = due;
	f->seq = frames++;
	for (; i > 0 && is_before(f, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = f;
}

static struct frame *pop(struct way *w)
{
	struct frame *first = w->heap[0], *last = w->heap[--w->n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < w->n) {
		if (child + 1 < w->n && is_before(w->heap[child + 1], w->heap[child]))
			child++;
		if (is_before(last, w->heap[child]))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	if (w->n)
		w->heap[i] = last;
	return first;
}

static int64_t due_at(int64_t now)
{
	double ms = opts.delay + (chance() / 50 - 1) * opts.jitter;

	return now + (ms > 0 ? (int64_t)(ms * 1e6) : 0);
}

static void take_in(struct way *w)
{
	for (int i = 0; i < BATCH; i++) {
		struct frame *f = frame_get();
		ssize_t n = recv(w->in, f->data, sizeof f->data, MSG_DONTWAIT | MSG_TRUNC);
		int64_t now = now_ns();

		if (n < 0) {
			frame_put(f);
			return;
		}
		if ((size_t)n > sizeof f->data || chance() < opts.loss) {
			frame_put(f);
			continue;
		}
		f->len = (size_t)n;
		if (chance() < opts.twice) {
			struct frame *again = frame_get();

			memcpy(again->data, f->data, f->len);
			again->len = f->len;
			push(w, again, due_at(now));
		}
		push(w, f, due_at(now));
	}
}

static void put_out(struct way *w)
{
	while (w->n && w->heap[0]->due <= now_ns()) {
		struct frame *f = pop(w);

		/* A frame that does not fit into the queue is dropped. */
		(void)!send(w->out, f->data, f->len, MSG_DONTWAIT);
		frame_put(f);
	}
}

static int open_interface(const char *name)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, big = 8 << 20;

	at.sll_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || at.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0)
		err(1, "%s", name);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
	return fd;
}

static int make_plain(const char *name)
{
	static const unsigned commands[] = {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		struct ethtool_value value = {commands[i], 0};
		struct ifreq req = {.ifr_data = (char *)&value};

		if (strlen(name) >= sizeof req.ifr_name)
			errx(2, "%s: too long a name", name);
		memcpy(req.ifr_name, name, strlen(name));
		if (ioctl(fd, SIOCETHTOOL, &req) < 0 && errno != EOPNOTSUPP)
			err(1, "%s", name);
	}
	return 0;
}

static void carry(struct way ways[2])
{
	struct pollfd p[2] = {{.fd = ways[0].in, .events = POLLIN}, {.fd = ways[1].in, .events = POLLIN}};

	for (;;) {
		int64_t now = now_ns(), wait = 1000000000;
		struct timespec t;

		for (int i = 0; i < 2; i++)
			if (ways[i].n && ways[i].heap[0]->due - now < wait)
				wait = ways[i].heap[0]->due > now ? ways[i].heap[0]->due - now : 0;
		t = (struct timespec){wait / 1000000000, wait % 1000000000};
		ppoll(p, 2, &t, NULL);
		for (int i = 0; i < 2; i++) {
			take_in(&ways[i]);
			put_out(&ways[i]);
		}
	}
}

int main(int argc, char **argv)
{
	static struct way ways[2];
	int opt;

	if (argc == 3 && strcmp(argv[1], "plain") == 0)
		return make_plain(argv[2]);
	while ((opt = getopt(argc, argv, "d:j:l:D:s:")) > 0) {
		double value = opt != '?' ? strtod(optarg, NULL) : 0;

		switch (opt) {
		case 'd':
			opts.delay = value;
			break;
		case 'j':
			opts.jitter = value;
			break;
		case 'l':
			opts.loss = value;
			break;
		case 'D':
			opts.twice = value;
			break;
		case 's':
			seed = strtoull(optarg, NULL, 10);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2 || seed == 0)
		return 2;
	for (int i = 0; i < 2; i++)
		ways[i].in = ways[!i].out = open_interface(argv[optind + i]);
	prctl(PR_SET_TIMERSLACK, 1);
	puts("up");
	fflush(stdout);
	carry(ways);
	return 0;
}
