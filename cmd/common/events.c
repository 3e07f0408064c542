/* SPDX-License-Identifier: MIT */
#include "common/events.h"

#include <unistd.h>

#include "common/json.h"

static void print_peer(struct json *j, const struct gn_event *event)
{
	json_peer(j, "peer", &event->peer);
	json_addr(j, "addr", event->addr);
	json_bool(j, "inbound", event->inbound);
	json_string(j, "path", gn_path_name(event->path));
}

void events_print(void *arg, const struct gn_event *event)
{
	struct json j;

	(void)arg;
	json_open(&j);
	json_string(&j, "event", gn_event_name(event->type));
	switch (event->type) {
	case GN_EVENT_CONNECTED:
	case GN_EVENT_GONE:
	case GN_EVENT_PATH:
		print_peer(&j, event);
		break;
	case GN_EVENT_ADDR_NEW:
	case GN_EVENT_ADDR_LOST:
	case GN_EVENT_LISTENER_UP:
	case GN_EVENT_LISTENER_DOWN:
		json_addr(&j, "addr", event->addr);
		break;
	case GN_EVENT_REACH:
		json_addr(&j, "addr", event->addr);
		json_string(&j, "reach", gn_reach_name(event->reach));
		break;
	}
	if (event->err != 0) {
		json_string(&j, "error", gn_errname(event->err));
		json_string(&j, "text", gn_strerror(event->err));
	}
	json_send(&j, STDERR_FILENO);
}
