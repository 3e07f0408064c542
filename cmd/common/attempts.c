/* SPDX-License-Identifier: MIT */
#include "attempts.h"

#include <stdlib.h>
#include <unistd.h>

#include "address.h"
#include "exit.h"
#include "json.h"
#include "streamlog.h"
#include "targets.h"
#include "diag.h"

void attempts_add(struct attempts *a, const struct gn_multiaddr *addr, int err, gn_time took)
{
	struct attempt *v = realloc(a->v, (a->n + 1) * sizeof *v);

	if (v == NULL)
		return; /* out of memory: the table lacks this line */
	a->v = v;
	v[a->n++] = (struct attempt){addr != NULL ? gn_multiaddr_format(addr) : NULL, err, took};
}

void attempts_print(const struct attempts *a)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct attempt *t = &a->v[i];

		diag("  tried %s  %.3f s  %s", t->addr != NULL ? t->addr : "?", (double)t->took / (double)GN_SEC,
		     t->err ? gn_strerror(t->err) : "connected");
	}
}

static void attempts_print_json(const struct attempts *a, const char *addr, int err, const char *why)
{
	struct json j;

	json_open(&j);
	json_string(&j, "event", "failed");
	json_string(&j, "addr", addr);
	json_int(&j, "code", exit_code_of_dial(err));
	json_string(&j, "error", gn_errname(err));
	json_string(&j, "text", why);
	json_array(&j, "tried");
	for (size_t i = 0; i < a->n; i++) {
		const struct attempt *t = &a->v[i];

		json_object(&j, NULL);
		json_string(&j, "addr", t->addr);
		json_string(&j, "error", t->err != 0 ? gn_errname(t->err) : NULL);
		json_seconds(&j, "seconds", t->took);
		json_end(&j);
	}
	json_send(&j, STDERR_FILENO);
}

int attempts_report(const struct attempts *a, const struct streamlog_cfg *cfg, const struct targets *targets, int err)
{
	char *text = cfg->json ? gn_multiaddr_format(targets->addrs[0]) : targets_format(targets);
	char why[ADDRESS_ERROR_MAX];

	address_strerror(targets->addrs[0], err, why);
	if (cfg->json) {
		attempts_print_json(a, text, err, why);
	} else {
		diag("%s: %s", text != NULL ? text : "?", why);
		if (cfg->verbose > 0)
			attempts_print(a);
	}
	free(text);
	return exit_code_of_dial(err);
}

void attempts_fini(struct attempts *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i].addr);
	free(a->v);
	*a = (struct attempts){0};
}
