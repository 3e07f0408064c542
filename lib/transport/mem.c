/* SPDX-License-Identifier: MIT */
/* The mem transport: its settings and faults, listening, dialing. */
#include "transport/mem_link.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"

#define BUFFER ((size_t)64 << 10)
#define BACKLOG 1024
#define FIRST_PICKED 49152

static const char mem_slot_key;

static void mem_fini_slot(void *value)
{
	struct gn_mem *mem = value;
	struct gn_list *pos, *tmp;
	int i;

	/* Only ends that are closing are left: all others must have been freed by their owners. */
	gn_list_for_each_safe(pos, tmp, &mem->pairs) {
		struct gn_mem_pair *pair = gn_list_entry(pos, struct gn_mem_pair, link);
		struct gn_mem_end *end[2] = {pair->end[0], pair->end[1]};

		for (i = 0; i < 2; i++)
			if (end[i] != NULL && end[i]->is_closing)
				gn_mem_end_free(end[i]);
	}
	free(mem);
}

static int mem_of(struct gn_loop *loop, struct gn_mem **out)
{
	struct gn_mem *mem = gn_loop_slot_get(loop, &mem_slot_key);
	int err = 0;

	if (mem == NULL) {
		mem = calloc(1, sizeof *mem);
		if (mem == NULL)
			return -ENOMEM;
		mem->loop = loop;
		mem->cfg.buffer = BUFFER;
		mem->next = FIRST_PICKED;
		gn_list_init(&mem->listeners);
		gn_list_init(&mem->pairs);
		err = gn_loop_slot_put(loop, &mem_slot_key, mem, mem_fini_slot);
		if (err != 0)
			free(mem);
	}
	if (err == 0)
		*out = mem;
	return err;
}

/* ---- settings and faults ------------------------------------------------------ */

int gn_mem_set(struct gn_loop *loop, const struct gn_mem_cfg *cfg)
{
	struct gn_mem *mem;
	int err = mem_of(loop, &mem);

	if (err != 0)
		return err;
	mem->cfg = *cfg;
	mem->random = cfg->seed;
	if (mem->cfg.buffer == 0)
		mem->cfg.buffer = BUFFER;
	return 0;
}

static struct gn_mem_pair *find_pair(struct gn_loop *loop, size_t i)
{
	struct gn_mem *mem = gn_loop_slot_get(loop, &mem_slot_key);
	struct gn_list *pos;

	if (mem == NULL)
		return NULL;
	gn_list_for_each(pos, &mem->pairs)
		if (i-- == 0)
			return gn_list_entry(pos, struct gn_mem_pair, link);
	return NULL;
}

size_t gn_mem_count(struct gn_loop *loop)
{
	size_t n = 0;

	while (find_pair(loop, n) != NULL)
		n++;
	return n;
}

int gn_mem_cut(struct gn_loop *loop, size_t i)
{
	struct gn_mem_pair *pair = find_pair(loop, i);

	if (pair == NULL)
		return -ENOENT;
	gn_mem_pair_cut(pair);
	return 0;
}

void gn_mem_cut_all(struct gn_loop *loop)
{
	size_t i;

	for (i = 0; gn_mem_cut(loop, i) == 0; i++)
		;
}

int gn_mem_stall(struct gn_loop *loop, size_t i, bool from_dialer, gn_time howlong)
{
	struct gn_mem_pair *pair = find_pair(loop, i);
	gn_time now = gn_loop_now(loop);

	if (pair == NULL)
		return -ENOENT;
	gn_mem_pair_stall(pair, from_dialer, howlong < GN_NEVER - now ? now + howlong : GN_NEVER);
	return 0;
}

/* ---- listening ---------------------------------------------------------------- */

struct gn_link_listener {
	struct gn_list link;
	struct gn_mem *mem;
	uint64_t at;
	void (*on_link)(void *arg, struct gn_link *link);
	void (*on_state)(void *arg, int err, const struct gn_multiaddr *bound);
	void *arg;
	int err;              /* it is down because of this error; 0: it is up */
	struct gn_list queue; /* of struct gn_mem_end: connections that wait for on_link */
	size_t queued;
	struct gn_task task;
	bool is_paused;
};

static bool mem_is_for(const struct gn_multiaddr *addr)
{
	static const uint32_t codes[] = {GN_MA_MEMORY};

	return gn_multiaddr_is_shape(addr, codes, 1);
}

static int mem_prepare(struct gn_loop *loop, const struct gn_multiaddr *addr, struct gn_mem **mem, uint64_t *at)
{
	struct gn_multiaddr_part part;

	if (!mem_is_for(addr) || !gn_multiaddr_find(addr, GN_MA_MEMORY, &part) || part.len != 8)
		return GN_ENOTRANS;
	*at = gn_get_u64(part.value);
	return mem_of(loop, mem);
}

static struct gn_link_listener *find_listener(const struct gn_mem *mem, uint64_t at)
{
	struct gn_list *pos;

	gn_list_for_each(pos, &mem->listeners) {
		struct gn_link_listener *l = gn_list_entry(pos, struct gn_link_listener, link);

		if (l->at == at)
			return l;
	}
	return NULL;
}

static uint64_t mem_pick(struct gn_mem *mem)
{
	while (find_listener(mem, mem->next) != NULL)
		mem->next++;
	return mem->next++;
}

/* Posts the task when a connection waits and may be reported. */
static void listener_update(struct gn_link_listener *l)
{
	if (l->err == 0 && !l->is_paused && !gn_list_is_empty(&l->queue))
		gn_task_post(l->mem->loop, &l->task);
}

/* Resets the connections that wait for on_link. */
static void listener_drop_queue(struct gn_link_listener *l)
{
	struct gn_mem_end *e;

	while ((e = gn_list_first(&l->queue, struct gn_mem_end, queued)) != NULL)
		gn_mem_end_abort(e);
	l->queued = 0;
}

int gn_mem_fail_listener(struct gn_loop *loop, uint64_t at, int err)
{
	struct gn_mem *mem = gn_loop_slot_get(loop, &mem_slot_key);
	struct gn_link_listener *l = mem != NULL ? find_listener(mem, at) : NULL;

	if (l == NULL)
		return -ENOENT;
	l->err = err;
	gn_list_del(&l->link);
	listener_drop_queue(l);
	gn_task_post(mem->loop, &l->task);
	return 0;
}

static void run_listener(struct gn_task *task)
{
	struct gn_link_listener *l = gn_list_entry(task, struct gn_link_listener, task);
	struct gn_mem_end *e = gn_list_first(&l->queue, struct gn_mem_end, queued);

	if (l->err != 0) {
		if (l->on_state != NULL)
			l->on_state(l->arg, l->err, NULL);
		return;
	}
	if (e == NULL || l->is_paused)
		return;
	gn_list_del(&e->queued);
	l->queued--;
	listener_update(l); /* before the callback, which may close it */
	l->on_link(l->arg, &e->link);
}

static int mem_listen(void *state, const struct gn_link_listen_cfg *cfg, struct gn_link_listener **out,
		      struct gn_multiaddr **bound)
{
	struct gn_link_listener *l;
	struct gn_mem *mem;
	uint64_t at;
	int err = mem_prepare(cfg->loop, cfg->addr, &mem, &at);

	(void)state;
	if (err != 0)
		return err;
	if (at == 0)
		at = mem_pick(mem);
	else if (find_listener(mem, at) != NULL)
		return -EADDRINUSE;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return -ENOMEM;
	err = gn_mem_addr_encode(at, bound);
	if (err != 0) {
		free(l);
		return err;
	}
	l->mem = mem;
	l->at = at;
	l->on_link = cfg->on_link;
	l->on_state = cfg->on_state;
	l->arg = cfg->arg;
	gn_list_init(&l->queue);
	gn_task_init(&l->task, run_listener);
	gn_list_add_tail(&mem->listeners, &l->link);
	*out = l;
	return 0;
}

static void mem_pause(struct gn_link_listener *l, bool paused)
{
	l->is_paused = paused;
	listener_update(l);
}

static void mem_unlisten(struct gn_link_listener *l)
{
	listener_drop_queue(l);
	gn_task_cancel(&l->task);
	gn_list_del(&l->link);
	free(l);
}

/* ---- dialing ------------------------------------------------------------------ */

struct gn_link_dial {
	struct gn_mem *mem;
	uint64_t to;
	void (*on_done)(void *arg, int err, struct gn_link *link);
	void *arg;
	struct gn_timer timer; /* of the way to the listener, then of the way back */
	bool has_arrived;
	int err;
	struct gn_mem_end *end;
};

/* The dial reaches the listener: the connection is made and queued, as a kernel does, whether or not the
 * listener ever accepts it. */
static int dial_arrive(struct gn_link_dial *op)
{
	struct gn_link_listener *l = find_listener(op->mem, op->to);
	struct gn_mem_pair *pair;
	int err;

	if (l == NULL || l->queued >= BACKLOG)
		return -ECONNREFUSED;
	err = gn_mem_pair_new(op->mem, mem_pick(op->mem), op->to, &pair);
	if (err != 0)
		return err;
	op->end = pair->end[0];
	gn_list_add_tail(&l->queue, &pair->end[1]->queued);
	l->queued++;
	listener_update(l);
	return 0;
}

static void mem_on_step(void *arg)
{
	struct gn_link_dial *op = arg;
	struct gn_link_dial done;

	if (!op->has_arrived) {
		op->has_arrived = true;
		op->err = dial_arrive(op);
		gn_timer_start(&op->timer, op->mem->cfg.delay);
		return;
	}
	done = *op;
	free(op);
	done.on_done(done.arg, done.err, done.err != 0 ? NULL : &done.end->link);
}

static int mem_dial(void *state, const struct gn_link_dial_cfg *cfg, struct gn_link_dial **out)
{
	struct gn_link_dial *op;
	struct gn_mem *mem;
	uint64_t to;
	int err = mem_prepare(cfg->loop, cfg->addr, &mem, &to);

	(void)state;
	if (err != 0)
		return err;
	op = calloc(1, sizeof *op);
	if (op == NULL)
		return -ENOMEM;
	op->mem = mem;
	op->to = to;
	op->on_done = cfg->on_done;
	op->arg = cfg->arg;
	gn_timer_init(&op->timer, cfg->loop, mem_on_step, op);
	gn_timer_start(&op->timer, mem->cfg.delay);
	*out = op;
	return 0;
}

static void mem_cancel(struct gn_link_dial *op)
{
	gn_timer_fini(&op->timer);
	if (op->end != NULL)
		gn_mem_end_abort(op->end);
	free(op);
}

const struct gn_transport_ops gn_transport_mem = {
	.name = "mem",
	.is_for = mem_is_for,
	.dial = mem_dial,
	.cancel = mem_cancel,
	.listen = mem_listen,
	.pause = mem_pause,
	.close = mem_unlisten,
};
