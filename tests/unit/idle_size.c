/* SPDX-License-Identifier: MIT */
/*
 * The memory of an idle connection, at the node that was dialled.  A child process opens connections from nodes with
 * different identities, and this process counts the bytes that the library allocates for each: the connection, its
 * link, layers, session and watch, and what services and the table of peers have of it.  See support/heap.h.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "protocols/identify.h"
#include "support/support.h"

enum {
	/* 2.4 KiB. */
	IDLE_SIZE_MAX = 2457,
	FEW = 4,   /* connections before counting begins */
	MORE = 16, /* connections that are counted */
};

/* ---- the child: dials ---- */

static void on_pinged(void *arg, int err)
{
	(void)arg;
	if (err != 0)
		_exit(1);
}

static void dial_one(struct gn_loop *loop, uint8_t seed, const struct gn_multiaddr *const *addrs)
{
	struct gn_ping_cfg cfg = {.target = {.addrs = addrs, .n_addrs = 1}, .count = 1, .on_done = on_pinged};
	struct gn_key *key = test_node_key(seed);
	struct gn_limits limits;
	struct gn_ping *op;

	gn_limits_init(&limits);
	if (gn_ping_start(test_node_node(loop, key, &limits), &cfg, &op) != 0)
		_exit(1);
	gn_key_free(key);
}

struct child {
	struct gn_loop *loop;
	const struct gn_multiaddr *const *addrs;
	int fd;
	uint8_t seed; /* of the next node */
};

static void child_on_ready(void *arg, unsigned ready)
{
	struct child *c = arg;
	uint8_t n;

	(void)ready;
	if (read(c->fd, &n, 1) != 1)
		_exit(0); /* the parent has ended */
	for (; n > 0; n--)
		dial_one(c->loop, c->seed++, c->addrs);
}

/* Opens as many connections as each byte from fd says, and keeps them until its end. */
static _Noreturn void child_run(const struct gn_multiaddr *to, int fd)
{
	struct child c = {.addrs = &to, .fd = fd, .seed = 10};
	struct gn_watch *watch;

	if (gn_loop_new(&c.loop) != 0 || gn_watch_new(c.loop, fd, child_on_ready, &c, &watch) != 0)
		_exit(1);
	gn_watch_start(watch, GN_READABLE);
	(void)gn_loop_run(c.loop);
	_exit(1);
}

/* ---- the test ---- */

static bool is_idle(const struct test_node *t, unsigned n)
{
	struct gn_list *at;
	unsigned idle = 0;

	gn_list_for_each(at, &t->node->conns) {
		const struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);
		struct gn_identify_view v;

		if (c->state != GN_CONN_OPEN || !gn_list_is_empty(&c->streams_open) || gn_identify_get(c, &v) != 0)
			continue;
		gn_identify_view_fini(&v);
		idle++;
	}
	return idle == n;
}

/* Makes the child open n more connections, one after the other, so that no more of the loop's pooled blocks are in use at a
 * time than before.  Waits until all are identified and have no stream. */
static void open_more(struct test_node *t, int fd, unsigned n)
{
	static const uint8_t one = 1;
	unsigned want = t->node->n_conns + n;

	while (t->node->n_conns < want) {
		unsigned next = t->node->n_conns + 1;

		assert_int_equal(write(fd, &one, 1), 1);
		TEST_NODE_UNTIL(t, is_idle(t, next), 20 * GN_SEC);
	}
	test_node_run(t, 100 * GN_MSEC); /* the last frames of the streams go out */
	assert_true(is_idle(t, want));
}

static void an_idle_connection_takes_at_most_2_4_KiB(void **state)
{
	struct test_node t;
	size_t before, each, blocks;
	int fd[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	test_node_init(&t, false, NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(fd[1]);
		child_run(t.addr, fd[0]);
	}
	close(fd[0]);
	open_more(&t, fd[1], FEW);
	before = heap.bytes;
	blocks = heap.blocks;
	open_more(&t, fd[1], MORE);
	each = (heap.bytes - before + MORE - 1) / MORE;
	print_message("an idle connection: %zu bytes in %zu blocks; struct gn_conn: %zu\n", each,
		      (heap.blocks - blocks) / MORE, sizeof(struct gn_conn));
	assert_true(each > sizeof(struct gn_conn));
	if (sizeof(void *) == 8)
		assert_true(each <= IDLE_SIZE_MAX);
	close(fd[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	test_node_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_idle_connection_takes_at_most_2_4_KiB)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
