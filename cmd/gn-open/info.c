/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/exit.h"
#include "common/json.h"
#include "common/peertext.h"
#include "common/diag.h"
#include "open.h"

#define HEX_LEN (2 * GN_SEALED_ID_LEN)
#define TIME_LEN 32

static const char *hex(const uint8_t id[GN_SEALED_ID_LEN], char text[HEX_LEN + 1])
{
	for (size_t i = 0; i < GN_SEALED_ID_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	return text;
}

/* Formats a time with all nine decimals, as the sender has set it. */
static const char *seconds(gn_time t, char text[TIME_LEN])
{
	snprintf(text, TIME_LEN, "%" PRId64 ".%09d", t / GN_SEC, (int)(t % GN_SEC));
	return text;
}

/* The fields are separated by tabs, which a type cannot contain. */
static int put_line(int fd, const struct gn_sealed_info *info)
{
	char sender[GN_PEER_ID_TEXT_MAX], time[TIME_LEN], id[HEX_LEN + 1], type[PEERTEXT_MAX + 1];

	return dprintf(fd, "%s\t%s\t%s\t%s\n", gn_peer_id_format(&info->sender, sender), seconds(info->time, time),
		       peertext(info->type, type), hex(info->id, id)) < 0
		       ? -errno
		       : 0;
}

static int put_json(int fd, const struct gn_sealed_info *info)
{
	char text[HEX_LEN + 1];
	struct json j;

	json_open(&j);
	json_peer(&j, "sender", &info->sender);
	json_seconds(&j, "time", info->time);
	json_string(&j, "type", info->type);
	json_string(&j, "id", hex(info->id, text));
	json_string(&j, "context", info->context);
	json_array(&j, "to");
	for (size_t i = 0; i < info->n_to; i++)
		json_peer(&j, NULL, &info->to[i]);
	json_end(&j);
	if (info->in_sequence) {
		json_string(&j, "sequence", hex(info->sequence, text));
		json_int(&j, "number", (int64_t)info->number);
	}
	return json_send(&j, fd);
}

void info_put(const struct open_cfg *cfg, const struct gn_sealed_info *info)
{
	int err;

	if (cfg->info_fd < 0)
		return;
	err = cfg->json ? put_json(cfg->info_fd, info) : put_line(cfg->info_fd, info);
	if (err == -ENOMEM)
		die_memory();
	if (err != 0)
		die(EXIT_LOCAL, "--info-fd %d: %s", cfg->info_fd, gn_strerror(err));
}

void info_close(const struct open_cfg *cfg)
{
	if (cfg->info_fd > STDERR_FILENO && close(cfg->info_fd) != 0 && errno != EINTR)
		die(EXIT_LOCAL, "--info-fd %d: %s", cfg->info_fd, gn_strerror(-errno));
}
