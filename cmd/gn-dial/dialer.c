/* SPDX-License-Identifier: MIT */
#include "dialer.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/json.h"
#include "common/say.h"

#define CLOSE_LIMIT (2 * GN_SEC)

static void on_attempt(void *arg, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct dialer *d = arg;

	attempts_add(&d->attempts, addr, err, took);
}

void dialer_cfg(struct dialer *d, struct gn_dial_cfg *out)
{
	*out = (struct gn_dial_cfg){
		.addrs = (const struct gn_multiaddr *const *)&d->address.addr,
		.n_addrs = 1,
		.protocol = d->protocol,
		.kind = d->cfg.wire.frames ? GN_FRAMES : GN_BYTES,
		.max_frame = d->cfg.wire.max_frame,
		.limit = d->cfg.wait,
		.on_attempt = on_attempt,
		.arg = d,
	};
}

static void on_closed(void *arg)
{
	struct dialer *d = arg;

	gn_loop_stop(d->loop);
}

void dialer_close(struct dialer *d, int code)
{
	if (d->closing)
		return;
	d->closing = true;
	d->code = code;
	if (gn_node_close(d->node, CLOSE_LIMIT, on_closed, d))
		gn_loop_stop(d->loop);
}

void dialer_failed(struct dialer *d, int err)
{
	char *text = gn_multiaddr_format(d->address.addr);
	struct json j;

	if (d->cfg.note.json) {
		json_open(&j);
		json_string(&j, "event", "failed");
		json_string(&j, "addr", text);
		json_int(&j, "code", exit_code(err));
		json_string(&j, "error", gn_errname(err));
		json_string(&j, "text", gn_strerror(err));
		json_array(&j, "tried");
		for (size_t i = 0; i < d->attempts.n; i++) {
			json_object(&j, NULL);
			json_string(&j, "addr", d->attempts.v[i].addr);
			json_string(&j, "error", d->attempts.v[i].err ? gn_errname(d->attempts.v[i].err) : NULL);
			json_seconds(&j, "seconds", d->attempts.v[i].took);
			json_end(&j);
		}
		json_send(&j, STDERR_FILENO);
	} else {
		say("%s: %s", text ? text : "?", gn_strerror(err));
		if (d->cfg.note.verbose)
			attempts_say(&d->attempts);
	}
	free(text);
	dialer_close(d, exit_code(err));
}
