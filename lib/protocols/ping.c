/* SPDX-License-Identifier: MIT */
#include "protocols/ping.h"

#include <errno.h>
#include <stdlib.h>

#include "node/node.h"
#include "node/service.h"

/* An inbound stream. */
struct ping_echo {
	struct gn_list link; /* in service->streams */
	struct gn_stream stream;
	struct gn_timer silence;
	uint8_t buf[GN_PING_LEN];
	size_t len; /* bytes of the current ping in buf */
};

static void echo_free(struct ping_echo *e)
{
	gn_stream_close(&e->stream);
	gn_timer_fini(&e->silence);
	gn_list_del(&e->link);
	free(e);
}

static void echo_reset(struct ping_echo *e)
{
	gn_stream_reset(&e->stream);
	echo_free(e);
}

static void echo_on_silence(void *arg)
{
	echo_reset(arg);
}

/* Sends back all pings that were received: GN_EAGAIN, or the end or error of the stream. */
static int echo_bytes(struct ping_echo *e)
{
	for (;;) {
		ptrdiff_t n = 0;
		int err;

		if (e->len < GN_PING_LEN)
			n = gn_stream_read(&e->stream, e->buf + e->len, GN_PING_LEN - e->len);
		if (n < 0)
			return (int)n;
		e->len += (size_t)n;
		if (n > 0)
			gn_timer_start(&e->silence, GN_PING_SILENCE * GN_SEC);
		if (e->len < GN_PING_LEN)
			continue;
		/* When there is no room, nothing more is read, so that the receive window stops the peer. */
		err = gn_stream_put(&e->stream, e->buf, GN_PING_LEN);
		if (err != 0)
			return err;
		e->len = 0;
	}
}

static void echo_on_event(void *arg, struct gn_stream *stream, unsigned events)
{
	struct ping_echo *e = arg;
	int err = echo_bytes(e);

	if (err == GN_EOF && e->len == 0) {
		gn_stream_end(stream);
		echo_free(e);
	} else if (err != GN_EAGAIN || events & GN_DEAD) {
		echo_reset(e);
	}
}

static void echo_on_open(void *arg, struct gn_stream *handed)
{
	struct gn_ping_service *sv = arg;
	struct ping_echo *e = NULL;
	struct gn_list *at;
	unsigned n = 0;

	gn_list_for_each(at, &sv->streams)
		n += gn_list_entry(at, struct ping_echo, link)->stream.conn == handed->conn;
	if (n < GN_PING_STREAMS)
		e = calloc(1, sizeof *e);
	if (e == NULL) {
		gn_stream_reset(handed);
		gn_stream_close(handed);
		return;
	}
	gn_timer_init(&e->silence, sv->node->loop, echo_on_silence, e);
	gn_timer_start(&e->silence, GN_PING_SILENCE * GN_SEC);
	gn_list_init(&e->link);
	gn_list_add_tail(&sv->streams, &e->link);
	gn_stream_accept(&e->stream, handed);
	e->stream.on_event = echo_on_event;
	e->stream.arg = e;
}

static int ping_service_start(struct gn_node *node, const void *config, void **state)
{
	struct gn_ping_service *sv;
	struct gn_registry_entry entry = {.on_open = echo_on_open};
	char id[] = GN_PING_ID;
	int err;

	if (config != NULL)
		return -EINVAL;
	sv = calloc(1, sizeof *sv);
	if (sv == NULL)
		return -ENOMEM;
	sv->node = node;
	gn_list_init(&sv->streams);
	gn_list_init(&sv->ops);
	entry.id = id;
	entry.arg = sv;
	err = gn_registry_add(&node->registry, &entry);
	if (err != 0) {
		free(sv);
		return err;
	}
	*state = sv;
	return 0;
}

static void ping_service_on_gone(void *state, struct gn_conn *c)
{
	struct gn_ping_service *sv = state;
	struct gn_list *at, *next;

	gn_list_for_each_safe(at, next, &sv->streams) {
		struct ping_echo *e = gn_list_entry(at, struct ping_echo, link);

		if (e->stream.conn == c)
			echo_free(e);
	}
	gn_ping_ops_gone(sv, c);
}

static void ping_service_stop(void *state)
{
	struct gn_ping_service *sv = state;

	/* on_gone has closed the streams of every connection. */
	gn_registry_del(&sv->node->registry, GN_PING_ID);
	gn_ping_ops_stop(sv);
	free(sv);
}

const struct gn_service_ops gn_service_ping = {
	.name = "ping",
	.start = ping_service_start,
	.stop = ping_service_stop,
	.on_gone = ping_service_on_gone,
};
