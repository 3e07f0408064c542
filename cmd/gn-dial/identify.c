/* SPDX-License-Identifier: MIT */
/* --identify: prints what the peer reports about itself through libp2p's identify protocol. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/json.h"
#include "common/peertext.h"
#include "common/results.h"
#include "dialer.h"

static struct gn_identify *op;

static void dial_identify_put_text(const char *name, const char *text)
{
	char shown[PEERTEXT_MAX + 1];

	printf("%s %s\n", name, peertext(text, shown));
}

static void put_addr(const char *name, const struct gn_multiaddr *addr)
{
	char *text = gn_multiaddr_format(addr);

	dial_identify_put_text(name, text);
	free(text);
}

static void print_text(const struct gn_identify_info *info)
{
	char id[GN_PEER_ID_TEXT_MAX];

	dial_identify_put_text("peer", gn_peer_id_format(&info->peer, id));
	dial_identify_put_text("agent", info->agent);
	dial_identify_put_text("version", info->protocol_version);
	for (size_t i = 0; i < info->n_protocols; i++)
		dial_identify_put_text("protocol", info->protocols[i]);
	for (size_t i = 0; i < info->n_listen; i++)
		put_addr("listen", info->listen[i]);
	if (info->observed != NULL)
		put_addr("observed", info->observed);
	dial_identify_put_text("signed", info->signed_record ? "yes" : "no");
}

static int print_json(const struct gn_identify_info *info)
{
	struct json j;

	json_open(&j);
	json_peer(&j, "peer", &info->peer);
	peertext_json(&j, "agent", info->agent);
	peertext_json(&j, "version", info->protocol_version);
	json_array(&j, "protocols");
	for (size_t i = 0; i < info->n_protocols; i++)
		peertext_json(&j, NULL, info->protocols[i]);
	json_end(&j);
	json_array(&j, "listen");
	for (size_t i = 0; i < info->n_listen; i++)
		json_addr(&j, NULL, info->listen[i]);
	json_end(&j);
	json_addr(&j, "observed", info->observed);
	json_bool(&j, "signed", info->signed_record);
	return json_send(&j, STDOUT_FILENO);
}

static void dial_identify_on_done(void *arg, int err, const struct gn_identify_info *info)
{
	struct dialer *d = arg;

	op = NULL;
	if (err != 0) {
		dialer_failed(d, err);
		return;
	}
	if (d->cfg.log.json)
		err = print_json(info);
	else
		print_text(info);
	dialer_close(d, results_close(err));
}

int identify_start(struct dialer *d)
{
	struct gn_identify_cfg cfg = {.on_done = dial_identify_on_done, .arg = d};

	dialer_target(d, &cfg.target);
	return gn_identify_start(d->node, &cfg, &op);
}

void identify_stop(void)
{
	if (op != NULL)
		gn_identify_cancel(op);
	op = NULL;
}
