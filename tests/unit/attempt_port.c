/* SPDX-License-Identifier: MIT */
/* lib/node/attempt: a handshake that fails over a link from the port on which the node listens. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

enum { DIALS = 2 };

/* Accepts connections and returns what they send, which is what a node receives of a peer that also takes itself for the
 * client.  Writes the port of each to fd. */
static _Noreturn void echo_run(int listener, int fd)
{
	alarm(30); /* also when the test has failed */
	for (int i = 0; i < DIALS; i++) {
		struct sockaddr_in from;
		socklen_t len = sizeof from;
		char buf[4096];
		ssize_t n;
		int conn = accept(listener, (struct sockaddr *)&from, &len);

		if (conn < 0 || write(fd, &from.sin_port, sizeof from.sin_port) != sizeof from.sin_port)
			_exit(1);
		while ((n = read(conn, buf, sizeof buf)) > 0)
			if (write(conn, buf, (size_t)n) != n)
				break;
		close(conn);
	}
	_exit(0);
}

static int echo_listen(in_port_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = at.sin_port;
	return fd;
}

struct done {
	bool is_done;
	int err;
	unsigned attempts;
};

static void on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct done *d = arg;

	(void)addr;
	(void)err;
	(void)took;
	d->attempts++;
}

static void on_done(void *arg, int err, struct gn_channel *ch)
{
	struct done *d = arg;

	assert_null(ch);
	d->is_done = true;
	d->err = err;
}

static in_port_t port_of(const struct gn_multiaddr *addr)
{
	char *text = gn_multiaddr_format(addr), *at = strstr(text, "/tcp/");
	in_port_t port = htons((uint16_t)strtoul(at + 5, NULL, 10));

	free(text);
	return port;
}

static void a_handshake_that_fails_from_the_listening_port_is_repeated_from_another_port_once(void **state)
{
	struct test_node t;
	struct done done = {0};
	in_port_t port, seen[DIALS];
	int fd[2], listener = echo_listen(&port), status;
	char text[64];
	pid_t child;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		echo_run(listener, fd[1]);
	close(listener);
	close(fd[1]);
	test_node_init(&t, false, NULL);
	(void)snprintf(text, sizeof text, "/ip4/127.0.0.1/tcp/%u", ntohs(port));
	{
		struct gn_multiaddr *to = net_addr(text);
		const struct gn_multiaddr *addrs[] = {to};
		struct gn_dial_cfg cfg = {.target = {.addrs = addrs, .n_addrs = 1, .on_attempt = on_attempt},
					  .protocol = "/echo",
					  .on_done = on_done,
					  .arg = &done};
		struct gn_dial *op;

		assert_int_equal(gn_dial_start(t.node, &cfg, &op), 0);
		TEST_NODE_UNTIL(&t, done.is_done, 20 * GN_SEC);
		gn_multiaddr_free(to);
	}
	assert_int_equal(done.err, GN_ETRUNC);
	assert_int_equal(done.attempts, 1);
	assert_int_equal(read(fd[0], seen, sizeof seen), sizeof seen);
	assert_int_equal(seen[0], port_of(t.addr));
	assert_int_not_equal(seen[1], port_of(t.addr));
	close(fd[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	test_node_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_that_fails_from_the_listening_port_is_repeated_from_another_port_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
