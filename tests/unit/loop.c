/* SPDX-License-Identifier: MIT */
/* lib/loop: the run queue, timers and descriptors, with the real and the virtual clock. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop/loop.h"

/* What ran, in order: one letter per run. */
static char trace[256];

static void note(char c)
{
	size_t n = strlen(trace);

	assert_true(n + 1 < sizeof trace);
	trace[n] = c;
	trace[n + 1] = '\0';
}

static int setup_virtual(void **state)
{
	trace[0] = '\0';
	return gn_loop_new_virtual((struct gn_loop **)state);
}

static int setup_real(void **state)
{
	trace[0] = '\0';
	return gn_loop_new((struct gn_loop **)state);
}

static int teardown(void **state)
{
	gn_loop_free(*state);
	return 0;
}

/* ---- tasks -------------------------------------------------------------------- */

struct job {
	struct gn_task task;
	struct gn_loop *loop;
	char name;
	int again; /* how many more times it posts itself */
	struct job *cancel, *post, *post_next[2];
};

static void run_job(struct gn_task *task)
{
	struct job *j = gn_list_entry(task, struct job, task);

	note(j->name);
	if (j->again-- > 0)
		gn_task_post(j->loop, task);
	if (j->cancel != NULL)
		gn_task_cancel(&j->cancel->task);
	if (j->post != NULL)
		gn_task_post(j->loop, &j->post->task);
	for (int i = 0; i < 2; i++)
		if (j->post_next[i] != NULL)
			gn_task_post_next(j->loop, &j->post_next[i]->task);
}

static void job_init(struct job *j, struct gn_loop *loop, char name)
{
	*j = (struct job){.loop = loop, .name = name};
	gn_task_init(&j->task, run_job);
}

static void on_note(void *arg)
{
	note((char)(intptr_t)arg);
}

static void timer_init(struct gn_timer *t, struct gn_loop *loop, char name)
{
	gn_timer_init(t, loop, on_note, (void *)(intptr_t)name);
}

static void tasks_run_in_the_order_of_posting(void **state)
{
	struct gn_loop *loop = *state;
	struct job a, b, c;

	job_init(&a, loop, 'a');
	job_init(&b, loop, 'b');
	job_init(&c, loop, 'c');
	gn_task_post(loop, &c.task);
	gn_task_post(loop, &a.task);
	gn_task_post(loop, &b.task);
	gn_task_post(loop, &c.task); /* a task that is posted twice runs once */
	assert_string_equal(trace, "");
	assert_int_equal(gn_loop_run(loop), 0);
	assert_string_equal(trace, "cab");
	assert_int_equal(gn_loop_turn(loop, 0), GN_EAGAIN);
}

/* A task that is posted by a task runs in the next turn, after the timers of this one. */
static void a_task_posted_by_a_task_runs_in_the_next_turn(void **state)
{
	struct gn_loop *loop = *state;
	struct job a, b;
	struct gn_timer t;

	job_init(&a, loop, 'a');
	job_init(&b, loop, 'b');
	a.again = 2;
	a.post = &b;
	timer_init(&t, loop, 't');
	gn_timer_start(&t, 0);
	gn_task_post(loop, &a.task);
	assert_int_equal(gn_loop_turn(loop, 0), 0);
	assert_string_equal(trace, "at");
	assert_int_equal(gn_loop_turn(loop, 0), 0);
	assert_string_equal(trace, "atab");
	assert_int_equal(gn_loop_run(loop), 0);
	assert_string_equal(trace, "atabab");
}

/* c is posted already, and moves to the front; d is not posted.  With such a task alone the loop is not idle. */
static void a_task_posted_as_the_next_runs_before_the_others(void **state)
{
	struct gn_loop *loop = *state;
	struct job j[4];

	for (int i = 0; i < 4; i++)
		job_init(&j[i], loop, (char)('a' + i));
	j[0].post_next[0] = &j[3];
	j[0].post_next[1] = &j[2];
	for (int i = 0; i < 3; i++)
		gn_task_post(loop, &j[i].task);
	assert_int_equal(gn_loop_turn(loop, 0), 0);
	assert_string_equal(trace, "adcb");
	gn_task_post_next(loop, &j[2].task);
	gn_task_post_next(loop, &j[1].task);
	gn_task_cancel(&j[1].task);
	assert_int_equal(gn_loop_turn(loop, GN_SEC), 0);
	assert_string_equal(trace, "adcbc");
}

static void a_cancelled_task_does_not_run(void **state)
{
	struct gn_loop *loop = *state;
	struct job a, b, c;

	job_init(&a, loop, 'a');
	job_init(&b, loop, 'b');
	job_init(&c, loop, 'c');
	gn_task_cancel(&a.task); /* no effect, as it is not posted */
	a.cancel = &b;           /* a cancels b in the same run of the queue */
	gn_task_post(loop, &a.task);
	gn_task_post(loop, &b.task);
	gn_task_post(loop, &c.task);
	gn_task_cancel(&c.task);
	assert_int_equal(gn_loop_run(loop), 0);
	assert_string_equal(trace, "a");
}

/* ---- timers ------------------------------------------------------------------- */

static void timers_fire_in_the_order_of_their_instants(void **state)
{
	struct gn_loop *loop = *state;
	gn_time begin = gn_loop_now(loop);
	struct gn_timer a, b, c, d;

	timer_init(&a, loop, 'a');
	timer_init(&b, loop, 'b');
	timer_init(&c, loop, 'c');
	timer_init(&d, loop, 'd');
	gn_timer_start(&a, 30 * GN_MSEC);
	gn_timer_start(&b, 10 * GN_MSEC);
	gn_timer_start(&c, 10 * GN_MSEC); /* started after b for the same instant */
	gn_timer_start_at(&d, begin - GN_SEC);
	gn_timer_start(&a, 5 * GN_MSEC); /* restarted with another delay */
	assert_int_equal(gn_loop_run(loop), 0);
	assert_string_equal(trace, "dabc");
	assert_true(gn_loop_now(loop) >= begin + 10 * GN_MSEC);
	if (gn_loop_is_virtual(loop))
		assert_int_equal(gn_loop_now(loop), begin + 10 * GN_MSEC);
}

static void a_timer_beyond_the_end_of_time_never_fires(void **state)
{
	struct gn_loop *loop = *state;
	struct gn_timer a;

	timer_init(&a, loop, 'a');
	gn_timer_start(&a, GN_SEC);
	gn_timer_start(&a, GN_NEVER);
	assert_int_equal(gn_loop_turn(loop, 0), GN_EAGAIN);
	gn_timer_start_at(&a, GN_NEVER);
	gn_timer_start(&a, GN_NEVER - 1); /* the instant would overflow */
	assert_int_equal(gn_loop_turn(loop, 0), GN_EAGAIN);
	gn_timer_start(&a, -GN_SEC); /* due immediately */
	gn_timer_fini(&a);
	assert_int_equal(gn_loop_run(loop), 0);
	assert_string_equal(trace, "");
}

struct chain {
	struct gn_timer t;
	struct gn_timer *stop, *start;
	gn_time delay;
	int again;
	char name;
};

static void on_chain(void *arg)
{
	struct chain *c = arg;

	note(c->name);
	if (c->stop != NULL)
		gn_timer_stop(c->stop);
	if (c->start != NULL)
		gn_timer_start(c->start, 0);
	if (c->again-- > 0)
		gn_timer_start(&c->t, c->delay);
}

/* A timer may stop another one that is due, and a timer that restarts itself without a delay lets the
 * others fire. */
static void a_timer_may_stop_and_restart_timers(void **state)
{
	struct gn_loop *loop = *state;
	struct chain a = {.name = 'a', .again = 1}, b = {.name = 'b'}, c = {.name = 'c'};
	struct job j;

	job_init(&j, loop, 'j');
	gn_timer_init(&a.t, loop, on_chain, &a);
	gn_timer_init(&b.t, loop, on_chain, &b);
	gn_timer_init(&c.t, loop, on_chain, &c);
	a.stop = &b.t;
	gn_timer_start(&a.t, 0);
	gn_timer_start(&b.t, 0);
	gn_timer_start(&c.t, 0);
	assert_int_equal(gn_loop_turn(loop, 0), 0);
	assert_string_equal(trace, "ac");
	gn_task_post(loop, &j.task);
	assert_int_equal(gn_loop_run(loop), 0);
	assert_string_equal(trace, "acja");
}

/* Thousands of timers are started, moved and stopped at random.  Each one that is still running fires once,
 * at its instant, and in the order of instants. */
struct many {
	struct gn_timer t;
	gn_time when;
	size_t fired;
	gn_time *last;
};

static void on_many(void *arg)
{
	struct many *m = arg;

	m->fired++;
	assert_int_equal(gn_loop_now(m->t.loop), m->when);
	assert_true(m->when >= *m->last);
	*m->last = m->when;
}

static void each_of_many_timers_fires_once_at_its_instant(void **state)
{
	enum { N = 3000 };
	struct gn_loop *loop = *state;
	struct many *m = calloc(N, sizeof *m);
	uint64_t x = 12345;
	gn_time last = 0;
	size_t i, k;

	assert_non_null(m);
	for (i = 0; i < N; i++) {
		gn_timer_init(&m[i].t, loop, on_many, &m[i]);
		m[i].last = &last;
		m[i].when = GN_NEVER;
	}
	for (k = 0; k < 4 * N; k++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		i = (size_t)(x >> 33) % N;
		if ((x >> 20) % 4 == 0) {
			gn_timer_stop(&m[i].t);
			m[i].when = GN_NEVER;
		} else {
			m[i].when = gn_loop_now(loop) + (gn_time)((x >> 40) % 1000) * GN_MSEC;
			gn_timer_start_at(&m[i].t, m[i].when);
		}
	}
	assert_int_equal(gn_loop_run(loop), 0);
	for (i = 0; i < N; i++)
		assert_int_equal(m[i].fired, m[i].when == GN_NEVER ? 0 : 1);
	free(m);
}

/* ---- the virtual clock -------------------------------------------------------- */

static void a_virtual_clock_jumps_to_the_next_timer(void **state)
{
	struct gn_loop *loop = *state;
	gn_time begin = gn_loop_now(loop);
	struct gn_timer a;
	struct gn_watch *w;

	assert_true(gn_loop_is_virtual(loop));
	assert_int_equal(gn_watch_new(loop, 0, NULL, NULL, &w), -ENOTSUP);
	timer_init(&a, loop, 'a');
	gn_timer_start(&a, 3600 * GN_SEC);
	assert_int_equal(gn_loop_turn(loop, GN_SEC), 0); /* the clock advances by at most 1 s */
	assert_int_equal(gn_loop_now(loop), begin + GN_SEC);
	assert_int_equal(gn_loop_turn(loop, 0), 0);
	assert_int_equal(gn_loop_now(loop), begin + GN_SEC);
	assert_int_equal(gn_loop_run(loop), 0);
	assert_int_equal(gn_loop_now(loop), begin + 3600 * GN_SEC);
	assert_string_equal(trace, "a");
}

/* ---- running and stopping ----------------------------------------------------- */

static void run_again(struct gn_task *task)
{
	struct job *j = gn_list_entry(task, struct job, task);

	assert_int_equal(gn_loop_run(j->loop), -EBUSY);
	gn_loop_stop(j->loop);
}

static void a_stop_ends_the_run(void **state)
{
	struct gn_loop *loop = *state;
	struct gn_timer far;
	struct job j;

	job_init(&j, loop, 'j');
	gn_task_init(&j.task, run_again);
	timer_init(&far, loop, 'f');
	gn_timer_start(&far, 3600 * GN_SEC);
	gn_task_post(loop, &j.task);
	assert_int_equal(gn_loop_run(loop), 0);
	gn_loop_stop(loop); /* the next run returns immediately */
	assert_int_equal(gn_loop_run(loop), 0);
	assert_string_equal(trace, "");
	gn_timer_fini(&far);
}

static void fini_slot(void *value)
{
	note(*(const char *)value);
}

static void slots_are_freed_with_the_loop_the_latest_first(void **state)
{
	static const char key1, key2, other;
	static char x[] = "x", y[] = "y";
	struct gn_loop *loop = *state;

	assert_int_equal(gn_loop_slot_put(loop, &key1, x, fini_slot), 0);
	assert_int_equal(gn_loop_slot_put(loop, &key2, y, fini_slot), 0);
	assert_int_equal(gn_loop_slot_put(loop, &key1, y, NULL), -EEXIST);
	assert_ptr_equal(gn_loop_slot_get(loop, &key1), x);
	assert_ptr_equal(gn_loop_slot_get(loop, &key2), y);
	assert_null(gn_loop_slot_get(loop, &other));
	gn_loop_free(loop);
	assert_string_equal(trace, "yx");
	*state = NULL;
}

/* ---- descriptors -------------------------------------------------------------- */

struct seen {
	struct gn_loop *loop;
	struct gn_watch *w;
	struct gn_watch **free_other;
	int fd;
	unsigned ready;
	int calls;
	unsigned next; /* the events to watch from the first call on */
};

static void on_seen(void *arg, unsigned ready)
{
	struct seen *s = arg;
	char c;

	s->ready |= ready;
	s->calls++;
	if (ready & GN_READABLE)
		assert_true(read(s->fd, &c, 1) >= 0);
	if (s->free_other != NULL) {
		gn_watch_free(*s->free_other);
		*s->free_other = NULL;
	}
	gn_watch_start(s->w, s->next);
}

static void a_watch_is_level_triggered(void **state)
{
	struct gn_loop *loop = *state;
	struct seen r = {.loop = loop}, w = {.loop = loop};
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	r.fd = fd[0];
	w.fd = fd[1];
	assert_int_equal(gn_watch_new(loop, fd[0], on_seen, &r, &r.w), 0);
	assert_int_equal(gn_watch_new(loop, fd[1], on_seen, &w, &w.w), 0);
	assert_int_equal(gn_loop_turn(loop, GN_NEVER), GN_EAGAIN); /* no active watch */
	gn_watch_start(r.w, GN_READABLE);
	assert_int_equal(gn_loop_turn(loop, 0), 0);
	assert_int_equal(r.calls, 0);
	assert_int_equal(write(fd[1], "ab", 2), 2);
	r.next = GN_READABLE;
	assert_int_equal(gn_loop_turn(loop, GN_NEVER), 0);
	assert_int_equal(r.calls, 1);
	assert_int_equal(gn_loop_turn(loop, GN_NEVER), 0); /* a second byte is readable */
	assert_int_equal(r.calls, 2);
	assert_int_equal(r.ready, GN_READABLE);
	assert_int_equal(gn_loop_turn(loop, 0), 0);
	assert_int_equal(r.calls, 2);
	gn_watch_start(w.w, GN_WRITABLE);
	assert_int_equal(gn_loop_turn(loop, GN_NEVER), 0);
	assert_int_equal(w.calls, 1);
	assert_int_equal(w.ready, GN_WRITABLE);
	close(fd[1]);
	r.next = 0;
	assert_int_equal(gn_loop_run(loop), 0); /* returns after the end of the pipe, as no watch is active */
	assert_int_equal(r.calls, 3);
	gn_watch_free(r.w);
	gn_watch_free(w.w);
	close(fd[0]);
}

/* Two watches are ready at once.  The callback that runs first frees the other watch, whose callback never
 * runs. */
static void a_freed_watch_is_not_called(void **state)
{
	struct gn_loop *loop = *state;
	struct seen a = {.loop = loop}, b = {.loop = loop};
	int fd[2], gd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(pipe(gd), 0);
	assert_int_equal(write(fd[1], "x", 1), 1);
	assert_int_equal(write(gd[1], "x", 1), 1);
	a.fd = fd[0];
	b.fd = gd[0];
	assert_int_equal(gn_watch_new(loop, fd[0], on_seen, &a, &a.w), 0);
	assert_int_equal(gn_watch_new(loop, gd[0], on_seen, &b, &b.w), 0);
	a.free_other = &b.w;
	b.free_other = &a.w;
	gn_watch_start(a.w, GN_READABLE);
	gn_watch_start(b.w, GN_READABLE);
	assert_int_equal(gn_loop_run(loop), 0);
	assert_int_equal(a.calls + b.calls, 1);
	gn_watch_free(a.w);
	gn_watch_free(b.w);
	close(fd[0]);
	close(fd[1]);
	close(gd[0]);
	close(gd[1]);
}

/* While tasks are posted, descriptors are polled without waiting. */
static void posted_tasks_do_not_starve_descriptors(void **state)
{
	struct gn_loop *loop = *state;
	struct seen r = {.loop = loop};
	struct job j;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	r.fd = fd[0];
	job_init(&j, loop, ' ');
	assert_int_equal(gn_watch_new(loop, fd[0], on_seen, &r, &r.w), 0);
	gn_watch_start(r.w, GN_READABLE);
	j.again = 100000;
	gn_task_post(loop, &j.task);
	assert_int_equal(gn_loop_turn(loop, GN_NEVER), 0); /* does not wait, as the task posted itself */
	assert_int_equal(r.calls, 0);
	assert_int_equal(write(fd[1], "x", 1), 1);
	assert_int_equal(gn_loop_turn(loop, GN_NEVER), 0);
	assert_int_equal(r.calls, 1);
	gn_task_cancel(&j.task);
	gn_watch_free(r.w);
	close(fd[0]);
	close(fd[1]);
}

static void a_regular_file_is_always_ready(void **state)
{
	struct gn_loop *loop = *state;
	struct seen s = {.loop = loop, .next = GN_WRITABLE}, null = {.loop = loop};
	char path[] = "/tmp/gn-loop-XXXXXX";

	s.fd = mkstemp(path);
	assert_true(s.fd >= 0);
	assert_int_equal(unlink(path), 0);
	null.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(null.fd >= 0);
	assert_int_equal(gn_watch_new(loop, s.fd, on_seen, &s, &s.w), 0);
	assert_int_equal(gn_watch_new(loop, null.fd, on_seen, &null, &null.w), 0);
	gn_watch_start(s.w, GN_READABLE);
	gn_watch_start(null.w, GN_READABLE);
	assert_int_equal(gn_loop_turn(loop, GN_NEVER), 0);
	assert_int_equal(s.ready, GN_READABLE);
	assert_int_equal(null.ready, GN_READABLE);
	assert_int_equal(gn_loop_turn(loop, GN_NEVER), 0);
	assert_int_equal(s.ready, GN_READABLE | GN_WRITABLE);
	gn_watch_free(s.w);
	gn_watch_free(null.w);
	close(s.fd);
	close(null.fd);
}

static void a_closed_descriptor_is_reported_as_ready(void **state)
{
	struct gn_loop *loop = *state;
	struct gn_watch *w;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	close(fd[0]);
	close(fd[1]);
	assert_int_equal(gn_watch_new(loop, -1, on_seen, NULL, &w), -EBADF);
	assert_int_equal(gn_watch_new(loop, fd[0], on_seen, NULL, &w), -EBADF);
}

/* A wait ends when a timer is due although no descriptor is ready, and not earlier. */
static void a_wait_ends_when_a_timer_is_due(void **state)
{
	struct gn_loop *loop = *state;
	struct seen r = {.loop = loop};
	gn_time begin = gn_loop_now(loop);
	struct gn_timer *t;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	r.fd = fd[0];
	assert_int_equal(gn_watch_new(loop, fd[0], on_seen, &r, &r.w), 0);
	assert_int_equal(gn_timer_new(loop, on_note, (void *)(intptr_t)'t', &t), 0);
	gn_watch_start(r.w, GN_READABLE);
	gn_timer_start(t, 20 * GN_MSEC);
	while (trace[0] == '\0')
		assert_int_equal(gn_loop_turn(loop, GN_NEVER), 0);
	assert_true(gn_loop_now(loop) - begin >= 20 * GN_MSEC);
	assert_int_equal(r.calls, 0);
	gn_timer_free(t);
	gn_watch_free(r.w);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
#define ON_VIRTUAL(test) cmocka_unit_test_setup_teardown(test, setup_virtual, teardown)
#define ON_REAL(test) cmocka_unit_test_setup_teardown(test, setup_real, teardown)
	const struct CMUnitTest tests[] = {
		ON_VIRTUAL(tasks_run_in_the_order_of_posting),
		ON_VIRTUAL(a_task_posted_by_a_task_runs_in_the_next_turn),
		ON_VIRTUAL(a_task_posted_as_the_next_runs_before_the_others),
		ON_VIRTUAL(a_cancelled_task_does_not_run),
		ON_VIRTUAL(timers_fire_in_the_order_of_their_instants),
		ON_VIRTUAL(a_timer_beyond_the_end_of_time_never_fires),
		ON_VIRTUAL(a_timer_may_stop_and_restart_timers),
		ON_VIRTUAL(each_of_many_timers_fires_once_at_its_instant),
		ON_VIRTUAL(a_virtual_clock_jumps_to_the_next_timer),
		ON_VIRTUAL(a_stop_ends_the_run),
		ON_VIRTUAL(slots_are_freed_with_the_loop_the_latest_first),
		ON_REAL(tasks_run_in_the_order_of_posting),
		ON_REAL(a_task_posted_by_a_task_runs_in_the_next_turn),
		ON_REAL(a_cancelled_task_does_not_run),
		ON_REAL(timers_fire_in_the_order_of_their_instants),
		ON_REAL(a_timer_beyond_the_end_of_time_never_fires),
		ON_REAL(a_timer_may_stop_and_restart_timers),
		ON_REAL(a_stop_ends_the_run),
		ON_REAL(slots_are_freed_with_the_loop_the_latest_first),
		ON_REAL(a_watch_is_level_triggered),
		ON_REAL(a_freed_watch_is_not_called),
		ON_REAL(posted_tasks_do_not_starve_descriptors),
		ON_REAL(a_regular_file_is_always_ready),
		ON_REAL(a_closed_descriptor_is_reported_as_ready),
		ON_REAL(a_wait_ends_when_a_timer_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
