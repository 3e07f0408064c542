/* SPDX-License-Identifier: MIT */
/* The loop: its run queue, its clock, its turns, its slots. */
#include "loop/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/time.h"

struct gn_slot {
	struct gn_slot *next;
	const void *key;
	void *value;
	void (*fini)(void *value);
	size_t n_users; /* of one that is shared */
};

#define PAUSE GN_SEC    /* a clock reading that is later than expected by more than this follows a pause */
#define WAIT_MIN GN_SEC /* a wait for a timer is not cut shorter than this */

bool gn_loop_clock_read(struct gn_loop *loop)
{
	struct timespec ts;
	gn_time mono, passed, expected = loop->expected;

	if (loop->ev == NULL || clock_gettime(CLOCK_MONOTONIC, &ts) != 0)
		return false;
	mono = (gn_time)ts.tv_sec * GN_SEC + ts.tv_nsec;
	passed = mono - loop->mono;
	loop->mono = mono;
	loop->expected = 0;
	if (passed <= 0)
		return false;
	if (passed <= gn_time_add(expected, PAUSE)) {
		loop->now += passed;
		return false;
	}
	loop->now += expected;
	return true;
}

static struct gn_loop *loop_new(void)
{
	struct gn_loop *loop = calloc(1, sizeof *loop);

	if (loop == NULL)
		return NULL;
	gn_list_init(&loop->tasks);
	gn_list_init(&loop->running);
	gn_list_init(&loop->next);
	gn_timers_init(loop);
	return loop;
}

int gn_loop_new(struct gn_loop **out)
{
	struct gn_loop *loop = loop_new();
	int err;

	if (loop == NULL)
		return -ENOMEM;
	err = gn_watch_open(loop);
	if (err != 0) {
		free(loop);
		return err;
	}
	loop->expected = GN_NEVER; /* the first reading counts in full */
	gn_loop_clock_read(loop);
	*out = loop;
	return 0;
}

int gn_loop_new_virtual(struct gn_loop **out)
{
	struct gn_loop *loop = loop_new();

	if (loop == NULL)
		return -ENOMEM;
	/* The clock does not start at 0, so that 0 can mean "not set" in an instant. */
	loop->now = GN_SEC;
	*out = loop;
	return 0;
}

void gn_loop_free(struct gn_loop *loop)
{
	struct gn_slot *s;

	if (loop == NULL)
		return;
	while ((s = loop->slots) != NULL) {
		loop->slots = s->next;
		if (s->fini != NULL)
			s->fini(s->value);
		free(s);
	}
	gn_watch_close(loop);
	free(loop);
}

bool gn_loop_is_virtual(const struct gn_loop *loop)
{
	return loop->ev == NULL;
}

gn_time gn_loop_now(struct gn_loop *loop)
{
	return loop->now;
}

int gn_loop_slot_put(struct gn_loop *loop, const void *key, void *value, void (*fini)(void *value))
{
	struct gn_slot *s;

	if (gn_loop_slot_get(loop, key) != NULL)
		return -EEXIST;
	s = malloc(sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	*s = (struct gn_slot){.next = loop->slots, .key = key, .value = value, .fini = fini};
	loop->slots = s;
	return 0;
}

void *gn_loop_slot_get(const struct gn_loop *loop, const void *key)
{
	const struct gn_slot *s;

	for (s = loop->slots; s != NULL; s = s->next)
		if (s->key == key)
			return s->value;
	return NULL;
}

/* The place of a slot in the list; *it is NULL when there is none. */
static struct gn_slot **loop_slot_find(struct gn_loop *loop, const void *key)
{
	struct gn_slot **at = &loop->slots;

	while (*at != NULL && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

int gn_loop_slot_acquire(struct gn_loop *loop, const struct gn_slot_ops *ops, void **value)
{
	struct gn_slot *s = *loop_slot_find(loop, ops);
	void *made;
	int err;

	if (s == NULL) {
		err = ops->make(&made);
		if (err != 0)
			return err;
		err = gn_loop_slot_put(loop, ops, made, ops->fini);
		if (err != 0) {
			ops->fini(made);
			return err;
		}
		s = *loop_slot_find(loop, ops);
	}
	s->n_users++;
	*value = s->value;
	return 0;
}

void gn_loop_slot_release(struct gn_loop *loop, const struct gn_slot_ops *ops)
{
	struct gn_slot **at = loop_slot_find(loop, ops), *s = *at;

	if (s == NULL || --s->n_users > 0)
		return;
	*at = s->next;
	s->fini(s->value);
	free(s);
}

void gn_task_init(struct gn_task *task, void (*run)(struct gn_task *task))
{
	gn_list_init(&task->link);
	task->run = run;
}

void gn_task_post(struct gn_loop *loop, struct gn_task *task)
{
	if (gn_list_is_empty(&task->link))
		gn_list_add_tail(&loop->tasks, &task->link);
}

void gn_task_post_next(struct gn_loop *loop, struct gn_task *task)
{
	gn_list_del(&task->link);
	gn_list_add_tail(&loop->next, &task->link);
}

void gn_task_cancel(struct gn_task *task)
{
	gn_list_del(&task->link);
}

/* NULL: no task is left in this turn. */
static struct gn_task *loop_next_task(struct gn_loop *loop)
{
	struct gn_list *tasks = gn_list_is_empty(&loop->next) ? &loop->running : &loop->next;

	return gn_list_first(tasks, struct gn_task, link);
}

static bool run_tasks(struct gn_loop *loop)
{
	struct gn_task *task;
	bool any = false;

	/* The list is not empty when a task runs a turn of its own. */
	gn_list_splice(&loop->running, &loop->tasks);
	while ((task = loop_next_task(loop)) != NULL) {
		gn_list_del(&task->link);
		gn_loop_clock_read(loop);
		task->run(task);
		any = true;
	}
	return any;
}

static bool loop_has_tasks(const struct gn_loop *loop)
{
	return !gn_list_is_empty(&loop->tasks) || !gn_list_is_empty(&loop->next);
}

/* Returns how long to wait for descriptors, at most `wait`.  On the real clock the loop waits for a timer
 * in steps of half of the time that is left.  A pause of the process during a wait cannot be distinguished
 * from the wait itself, so it uses up at most half of the time that any timer still had. */
static gn_time loop_wait_limit(const struct gn_loop *loop, gn_time wait)
{
	const struct gn_timer *next = gn_timers_first(loop);
	gn_time left;

	if (wait < 0 || loop_has_tasks(loop))
		return 0;
	if (next == NULL)
		return wait;
	left = next->when - loop->now;
	if (loop->ev != NULL && left > WAIT_MIN)
		left = gn_time_max(left / 2, WAIT_MIN);
	return gn_time_min(left, wait);
}

static bool loop_is_idle(const struct gn_loop *loop)
{
	return !loop_has_tasks(loop) && gn_timers_first(loop) == NULL && loop->watching == 0;
}

static int loop_turn(struct gn_loop *loop, gn_time wait, bool is_single)
{
	bool any;

	if (loop_is_idle(loop))
		return GN_EAGAIN;
	any = run_tasks(loop);
	any |= gn_timer_advance(loop);
	if (any && is_single)
		wait = 0;
	/* A stopped loop and an idle one do not wait, but still poll the descriptors once. */
	wait = loop->is_stopped || loop_is_idle(loop) ? 0 : loop_wait_limit(loop, wait);
	if (loop->ev == NULL) {
		loop->now += wait == GN_NEVER ? 0 : wait;
		return 0;
	}
	loop->expected = gn_time_max(wait, 0);
	if (loop->watching > 0 || wait > 0)
		gn_watch_wait(loop, wait);
	/* After a pause, descriptors that became ready meanwhile are reported before any timer fires. */
	if (gn_loop_clock_read(loop) && loop->watching > 0)
		gn_watch_wait(loop, 0);
	return 0;
}

int gn_loop_turn(struct gn_loop *loop, gn_time wait)
{
	gn_loop_clock_read(loop);
	return loop_turn(loop, wait, true);
}

int gn_loop_run(struct gn_loop *loop)
{
	if (loop->is_running)
		return -EBUSY;
	loop->is_running = true;
	gn_loop_clock_read(loop);
	while (!loop->is_stopped && loop_turn(loop, GN_NEVER, false) == 0)
		;
	loop->is_stopped = false;
	loop->is_running = false;
	return 0;
}

void gn_loop_stop(struct gn_loop *loop)
{
	loop->is_stopped = true;
}
