/* SPDX-License-Identifier: MIT */
/* gn_identify_start(): connects, and returns the message that the service has or requests. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/dialer.h"
#include "node/node.h"
#include "protocols/identify.h"

struct gn_identify {
	struct gn_list link;         /* in service->ops */
	struct gn_list link_waiting; /* in peer->waiters */
	struct gn_identify_service *service;
	struct gn_identify_cfg cfg;
	struct gn_dialer *dialer; /* while it connects */
	struct gn_task task;      /* calls on_done */
	int err;
	struct gn_peer_id peer;
	bool signed_record; /* of the message that the service had */
	uint8_t *body;
	size_t len;
};

static void identify_op_free(struct gn_identify *op)
{
	gn_task_cancel(&op->task);
	gn_list_del(&op->link);
	gn_list_del(&op->link_waiting);
	free(op->body);
	free(op);
}

static void identify_op_notify(struct gn_task *task)
{
	struct gn_identify *op = gn_list_entry(task, struct gn_identify, task);
	struct gn_identify_cfg cfg = op->cfg;
	struct gn_identify_view v;
	int err = op->err;

	if (err == 0)
		err = gn_identify_view_init(&v, op->body, op->len, &op->peer);
	if (err == 0)
		v.info.signed_record |= op->signed_record;
	identify_op_free(op);
	cfg.on_done(cfg.arg, err, err == 0 ? &v.info : NULL);
	if (err == 0)
		gn_identify_view_fini(&v);
}

static void identify_op_finish(struct gn_identify *op, int err, const uint8_t *body, size_t len)
{
	gn_list_del(&op->link_waiting);
	op->err = err;
	if (err == 0 && (op->body = malloc(len + 1)) == NULL)
		op->err = -ENOMEM;
	if (op->err == 0 && len > 0)
		memcpy(op->body, body, len);
	op->len = len;
	gn_task_post(op->service->node->loop, &op->task);
}

void gn_identify_ops_finish(struct gn_list *waiters, int err, const struct gn_buf *body)
{
	struct gn_identify *op;

	while ((op = gn_list_first(waiters, struct gn_identify, link_waiting)) != NULL)
		identify_op_finish(op, err, body != NULL ? body->p : NULL, body != NULL ? body->len : 0);
}

void gn_identify_ops_stop(struct gn_identify_service *service)
{
	struct gn_identify *op;

	while ((op = gn_list_first(&service->ops, struct gn_identify, link)) != NULL) {
		if (op->dialer != NULL)
			gn_dialer_cancel(op->dialer);
		op->dialer = NULL;
		if (service->node->is_being_freed)
			identify_op_free(op);
		else
			identify_op_notify(&op->task);
	}
}

static void identify_op_on_conn(void *arg, int err, struct gn_conn *conn)
{
	struct gn_identify *op = arg;
	struct gn_identify_peer *peer = conn != NULL ? gn_identify_peer_find(op->service, conn) : NULL;

	op->dialer = NULL;
	if (err == 0 && peer == NULL)
		err = -ENOMEM;
	if (err == 0) {
		op->peer = *gn_conn_peer(conn);
		if (peer->known != NULL && peer->known->is_whole) {
			op->signed_record = peer->known->signed_record;
			identify_op_finish(op, 0, peer->known->body, peer->known->len);
			return;
		}
		err = gn_identify_query(peer);
	}
	if (err != 0)
		identify_op_finish(op, err, NULL, 0);
	else
		gn_list_add_tail(&peer->waiters, &op->link_waiting);
}

/* The node is being freed; gn_identify_ops_stop() frees op. */
static void identify_op_on_lost(void *arg)
{
	((struct gn_identify *)arg)->dialer = NULL;
}

int gn_identify_start(struct gn_node *node, const struct gn_identify_cfg *cfg, struct gn_identify **out)
{
	struct gn_dialer_cfg dialer = {
		.target = cfg->target,
		.takes_limited = true,
		.attempt_arg = cfg->arg,
		.on_done = identify_op_on_conn,
		.on_lost = identify_op_on_lost,
	};
	struct gn_identify_service *sv = gn_node_service(node, &gn_service_identify);
	struct gn_identify *op;
	int err;

	if (sv == NULL || cfg->on_done == NULL)
		return -EINVAL;
	op = calloc(1, sizeof *op);
	if (op == NULL)
		return -ENOMEM;
	op->service = sv;
	op->cfg = *cfg;
	op->err = GN_ECLOSED; /* should the service be stopped before there is a result */
	gn_list_init(&op->link);
	gn_list_init(&op->link_waiting);
	gn_task_init(&op->task, identify_op_notify);
	dialer.arg = op;
	err = gn_dialer_start(node, &dialer, &op->dialer);
	if (err != 0) {
		identify_op_free(op);
		return err;
	}
	gn_list_add_tail(&sv->ops, &op->link);
	*out = op;
	return 0;
}

void gn_identify_cancel(struct gn_identify *op)
{
	if (op->dialer != NULL)
		gn_dialer_cancel(op->dialer);
	identify_op_free(op);
}
