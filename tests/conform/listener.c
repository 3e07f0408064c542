/* SPDX-License-Identifier: MIT */
/* The part of the conformance suite of transport/transport.h for the states of a listener, over every transport. */
#include <errno.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "loop/socket.h"
#include "support/support.h"
#include "transport/mem.h"
#include "transport/tcp_link.h"

/* A variant of a transport, and how a listener of it is made to fail. */
struct variant {
	struct link_variant v; /* must be first: link_pair_setup() takes it */
	void (*break_listener)(struct gn_loop *loop, const struct gn_multiaddr *bound);
	int err;
};

static const struct variant *current;

/* A listener, and what was reported of it. */
struct seen {
	struct link_pair *f;
	struct gn_link_listener *l;
	int states, err, links;
	bool closes;
};

static void on_state(void *arg, int err, const struct gn_multiaddr *bound)
{
	struct seen *s = arg;

	assert_null(bound);
	s->states++;
	s->err = err;
	if (s->closes) {
		s->f->v->ops->close(s->l);
		s->l = NULL;
	}
}

static void on_link(void *arg, struct gn_link *link)
{
	struct seen *s = arg;

	s->links++;
	link->ops->abort(link);
}

/* Listens on the address of the fixture, whose own listener is closed. */
static void listen_again(struct link_pair *f, struct seen *s)
{
	struct gn_link_listen_cfg cfg = {.loop = f->loop,
					 .addr = f->bound,
					 .on_link = on_link,
					 .on_state = on_state,
					 .arg = s};
	struct gn_multiaddr *bound = NULL;

	if (f->listener != NULL)
		f->v->ops->close(f->listener);
	f->listener = NULL;
	s->f = f;
	assert_int_equal(f->v->ops->listen(f->state, &cfg, &s->l, &bound), 0);
	assert_non_null(bound); /* it is up */
	gn_multiaddr_free(bound);
}

static void a_listener_that_fails_is_down_once(void **state)
{
	struct link_pair *f = *state;
	struct seen s = {.err = 0};

	listen_again(f, &s);
	link_pair_dial(f, f->bound);
	link_pair_until(f, f->dones && s.links);
	assert_int_equal(s.states, 0);
	current->break_listener(f->loop, f->bound);
	assert_int_equal(s.states, 0); /* it is not called from inside */
	link_pair_until(f, s.states);
	assert_int_equal(s.err, current->err);
	f->v->ops->pause(s.l, true); /* without effect */
	f->v->ops->pause(s.l, false);
	link_end_abort(&f->a);
	f->dones = 0;
	link_pair_dial(f, f->bound);
	link_pair_until(f, f->dones);
	assert_int_equal(f->err, -ECONNREFUSED);
	assert_int_equal(s.states, 1);
	assert_int_equal(s.links, 1);
	f->v->ops->close(s.l);
	/* The address can be listened on again. */
	listen_again(f, &s);
	f->v->ops->close(s.l);
}

static void a_listener_may_be_closed_in_its_report(void **state)
{
	struct link_pair *f = *state;
	struct seen s = {.closes = true};

	listen_again(f, &s);
	current->break_listener(f->loop, f->bound);
	link_pair_until(f, s.states);
	assert_null(s.l);
	listen_again(f, &s);
	f->v->ops->close(s.l);
	assert_int_equal(gn_loop_run(f->loop), 0);
	assert_int_equal(s.states, 1);
}

static void a_listener_that_nobody_watches_may_fail(void **state)
{
	struct link_pair *f = *state;

	current->break_listener(f->loop, f->bound);
	(void)gn_loop_turn(f->loop, 0);
	link_pair_dial(f, f->bound);
	link_pair_until(f, f->dones);
	assert_int_equal(f->err, -ECONNREFUSED);
}

/* ---- every test over every transport ------------------------------------------ */

static void fail_mem(struct gn_loop *loop, const struct gn_multiaddr *bound)
{
	struct gn_multiaddr_part part;

	assert_true(gn_multiaddr_find(bound, GN_MA_MEMORY, &part));
	assert_int_equal(gn_mem_fail_listener(loop, gn_get_u64(part.value), -ENODEV), 0);
	assert_int_equal(gn_mem_fail_listener(loop, gn_get_u64(part.value), -ENODEV), -ENOENT);
}

/* Ends the listening socket that is bound to the address, which is one of this process. */
static void fail_tcp(struct gn_loop *loop, const struct gn_multiaddr *bound)
{
	struct gn_sockaddr want, at;

	(void)loop;
	assert_int_equal(gn_tcp_addr_decode(bound, &want), 0);
	for (int fd = 0; fd < 1024; fd++) {
		int listens = 0;
		socklen_t len = sizeof listens;

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens != 0 &&
		    gn_socket_local(fd, &at) == 0 && gn_sockaddr_is_equal(&at, &want)) {
			assert_int_equal(shutdown(fd, SHUT_RDWR), 0);
			return;
		}
	}
	fail_msg("there is no such socket");
}

static const struct variant variants[] = {
	{{.name = "mem", .ops = &gn_transport_mem, .addr = "/memory/0", .is_virtual = true}, fail_mem, -ENODEV},
	{{.name = "mem on a real clock", .ops = &gn_transport_mem, .addr = "/memory/0"}, fail_mem, -ENODEV},
	{{.name = "tcp", .ops = &gn_transport_tcp, .addr = "/ip4/127.0.0.1/tcp/0"}, fail_tcp, -EINVAL},
};

#define ON(test)                                                                                                       \
	{                                                                                                              \
		.name = #test, .test_func = (test), .setup_func = link_pair_setup, .teardown_func = link_pair_teardown \
	}

int main(void)
{
	int failed = 0;

	for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
		struct link_variant v = variants[i].v;
		struct CMUnitTest tests[] = {
			ON(a_listener_that_fails_is_down_once),
			ON(a_listener_may_be_closed_in_its_report),
			ON(a_listener_that_nobody_watches_may_fail),
		};

		current = &variants[i];
		for (size_t k = 0; k < sizeof tests / sizeof *tests; k++)
			tests[k].initial_state = &v;
		print_message("over %s:\n", v.name);
		failed += cmocka_run_group_tests_name(v.name, tests, NULL, NULL);
	}
	return failed;
}
