/* SPDX-License-Identifier: MIT */
#include "node/service.h"

#include <errno.h>
#include <stdlib.h>

#include "node/conn.h"
#include "node/dialer.h"
#include "node/event.h"
#include "node/node.h"
#include "node/reach.h"

/*     STARTING -- its task has reported the open connections --> RUNNING
 *     STARTING, RUNNING -- detached --> STOPPING
 *     STOPPING -- its task has stopped it --> freed
 */
enum service_phase { SERVICE_STARTING, SERVICE_RUNNING, SERVICE_STOPPING };

struct service {
	struct gn_list link; /* in node->services */
	struct gn_node *node;
	const struct gn_service_ops *ops;
	void *state;
	enum service_phase phase;
	uint32_t slot; /* its bit in conn->service_slots of the connections that were reported to it */
	struct gn_task task;
};

/* Loops over node->services may call the services: one that is attached meanwhile is added at the end, and one that is
 * detached is removed by its task. */

static struct service *service_of(struct gn_list *at)
{
	return gn_list_entry(at, struct service, link);
}

static struct service *service_find(const struct gn_node *node, const struct gn_service_ops *ops)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->services)
		if (service_of(at)->ops == ops)
			return service_of(at);
	return NULL;
}

/* Whether a connection was reported to a service that is not being stopped. */
static bool service_has(const struct service *s, const struct gn_conn *c)
{
	return s->phase == SERVICE_RUNNING && (c->service_slots & s->slot) != 0;
}

/* ---- state per connection ---- */

void gn_service_conn_add(struct gn_conn *c, struct gn_service_conn *s, void *service)
{
	s->service = service;
	s->next = c->services;
	c->services = s;
}

void gn_service_conn_del(struct gn_conn *c, struct gn_service_conn *s)
{
	struct gn_service_conn **at = &c->services;

	while (*at != NULL && *at != s)
		at = &(*at)->next;
	if (*at != NULL)
		*at = s->next;
}

struct gn_service_conn *gn_service_conn_find(const struct gn_conn *c, const void *service)
{
	struct gn_service_conn *s = c->services;

	while (s != NULL && s->service != service)
		s = s->next;
	return s;
}

/* ---- attaching and detaching ---- */

static void service_report_conn(struct service *s, struct gn_conn *c)
{
	c->service_slots |= s->slot;
	if (s->ops->on_conn != NULL)
		s->ops->on_conn(s->state, c);
}

static void service_report_gone(struct service *s, struct gn_conn *c)
{
	if ((c->service_slots & s->slot) == 0)
		return;
	c->service_slots &= ~s->slot;
	if (s->ops->on_gone != NULL)
		s->ops->on_gone(s->state, c);
}

static void service_stop(struct service *s)
{
	struct gn_node *node = s->node;
	struct gn_list *at;

	s->phase = SERVICE_STOPPING;
	gn_list_for_each(at, &node->conns)
		service_report_gone(s, gn_list_entry(at, struct gn_conn, link_node));
	s->ops->stop(s->state);
	gn_task_cancel(&s->task);
	gn_list_del(&s->link);
	node->service_slots &= ~s->slot;
	free(s);
}

static void service_on_task(struct gn_task *task)
{
	struct service *s = gn_list_entry(task, struct service, task);
	struct gn_node *node = s->node;
	struct gn_list *at;

	if (s->phase == SERVICE_STOPPING) {
		service_stop(s);
		gn_node_changed(node);
		return;
	}
	s->phase = SERVICE_RUNNING;
	gn_list_for_each(at, &node->conns) {
		struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);

		if (s->phase == SERVICE_RUNNING && !node->is_closing && gn_conn_is_usable(c) &&
		    c->report == GN_REPORT_OPENED && (c->service_slots & s->slot) == 0)
			service_report_conn(s, c);
	}
}

int gn_service_attach(struct gn_node *node, const struct gn_service_ops *ops, const void *config)
{
	struct service *s;
	int err;

	if (node->is_closing)
		return GN_ECLOSED;
	if (service_find(node, ops) != NULL)
		return -EEXIST;
	if (node->service_slots == UINT32_MAX)
		return GN_ELIMIT;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	s->node = node;
	s->ops = ops;
	s->slot = ~node->service_slots & (node->service_slots + 1); /* the lowest bit that is free */
	gn_list_init(&s->link);
	gn_task_init(&s->task, service_on_task);
	err = ops->start(node, config, &s->state);
	if (err != 0) {
		free(s);
		return err;
	}
	node->service_slots |= s->slot;
	gn_list_add_tail(&node->services, &s->link);
	if (gn_list_is_empty(&node->conns))
		s->phase = SERVICE_RUNNING;
	else
		gn_task_post(node->loop, &s->task);
	gn_node_changed(node);
	return 0;
}

int gn_service_detach(struct gn_node *node, const struct gn_service_ops *ops)
{
	struct service *s = service_find(node, ops);

	if (s == NULL || s->phase == SERVICE_STOPPING)
		return -ENOENT;
	s->phase = SERVICE_STOPPING;
	gn_task_post(node->loop, &s->task);
	return 0;
}

void *gn_node_service(const struct gn_node *node, const struct gn_service_ops *ops)
{
	const struct service *s = service_find(node, ops);

	return s != NULL && s->phase != SERVICE_STOPPING ? s->state : NULL;
}

int gn_services_start(struct gn_node *node)
{
	const struct gn_service_ops *const *ops = node->cfg.components->services;
	int err = node->cfg.on_event != NULL ? gn_service_attach(node, &gn_service_events, NULL) : 0;

	for (size_t i = 0; ops != NULL && ops[i] != NULL && err == 0; i++)
		err = gn_service_attach(node, ops[i], gn_components_config(&node->cfg, ops[i]));
	return err;
}

void gn_services_stop(struct gn_node *node)
{
	while (!gn_list_is_empty(&node->services))
		service_stop(service_of(node->services.prev));
}

/* ---- notifications ---- */

void gn_services_close(struct gn_node *node)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->services) {
		const struct service *s = service_of(at);

		if (s->phase == SERVICE_RUNNING && s->ops->on_closing != NULL)
			s->ops->on_closing(s->state, NULL);
	}
	gn_list_for_each(at, &node->conns) {
		struct gn_conn *c = gn_list_entry(at, struct gn_conn, link_node);

		if (c->state == GN_CONN_OPEN)
			gn_node_conn_closing(node, c);
	}
}

void gn_node_conn_opened(struct gn_node *node, struct gn_conn *c)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->services)
		if (service_of(at)->phase == SERVICE_RUNNING && c->state == GN_CONN_OPEN)
			service_report_conn(service_of(at), c);
}

void gn_node_conn_closing(struct gn_node *node, struct gn_conn *c)
{
	struct gn_list *at;

	if (c->is_closing_reported)
		return;
	c->is_closing_reported = true;
	gn_list_for_each(at, &node->services) {
		const struct service *s = service_of(at);

		if (service_has(s, c) && s->ops->on_closing != NULL)
			s->ops->on_closing(s->state, c);
	}
}

void gn_node_conn_gone(struct gn_node *node, struct gn_conn *c)
{
	struct gn_list *at;

	gn_dialers_gone(c);
	gn_list_for_each(at, &node->services)
		service_report_gone(service_of(at), c);
}

void gn_node_conn_path(struct gn_node *node, struct gn_conn *c)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->services) {
		const struct service *s = service_of(at);

		if (service_has(s, c) && s->ops->on_path != NULL)
			s->ops->on_path(s->state, c);
	}
}

void gn_node_conn_suspect(struct gn_node *node, struct gn_conn *c)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->services) {
		const struct service *s = service_of(at);

		if (service_has(s, c) && s->ops->on_suspect != NULL)
			s->ops->on_suspect(s->state, c);
	}
	if (!c->is_suspect && gn_conn_is_usable(c))
		gn_dialers_offer(c);
}

bool gn_node_wants_identified(const struct gn_node *node)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->services)
		if (service_of(at)->ops->on_identified != NULL)
			return true;
	return false;
}

void gn_node_conn_identified(struct gn_node *node, struct gn_conn *c, const struct gn_identify_info *info)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->services) {
		const struct service *s = service_of(at);

		if (service_has(s, c) && s->ops->on_identified != NULL)
			s->ops->on_identified(s->state, c, info);
	}
}

void gn_node_changed(struct gn_node *node)
{
	struct gn_list *at;

	gn_list_for_each(at, &node->services) {
		const struct service *s = service_of(at);

		if (s->phase == SERVICE_RUNNING && s->ops->on_change != NULL)
			s->ops->on_change(s->state);
	}
	gn_reaches_changed(node);
	gn_host_watch_update(node);
}
