/* SPDX-License-Identifier: MIT */
/*
 * json: one object a line, for -j.
 *
 *	struct json j;
 *	json_open(&j);
 *	json_string(&j, "event", "open");
 *	json_array(&j, "addrs"); json_string(&j, NULL, "..."); json_end(&j);
 *	json_send(&j, STDOUT_FILENO);
 *
 * Strings are escaped; what gn_text_next() does not call safe becomes U+FFFD, so that text which a peer chose
 * can be shown again by whoever parses it.  Out of memory is remembered and told by json_send().
 */
#ifndef CMD_COMMON_JSON_H
#define CMD_COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gn.h"

struct json {
	char *text;
	size_t len, cap;
	bool comma;     /* something stands before, at this level */
	unsigned depth; /* of arrays and objects, the outermost not counted */
	char close[8];  /* what ends each */
	int err;
};

void json_open(struct json *j);
/* key is NULL inside an array.  A NULL string is null. */
void json_string(struct json *j, const char *key, const char *value);
void json_int(struct json *j, const char *key, int64_t value);
void json_seconds(struct json *j, const char *key, gn_time value);
void json_bool(struct json *j, const char *key, bool value);
void json_array(struct json *j, const char *key); /* at most 8 deep */
void json_object(struct json *j, const char *key);
void json_end(struct json *j); /* of an array or object */
/* json_string() with the text of an address, an id. */
void json_addr(struct json *j, const char *key, const struct gn_multiaddr *addr);
void json_peer(struct json *j, const char *key, const struct gn_peer_id *id);
/* Ends the line, writes it in one write where the descriptor allows, and frees it.  Standard error is written to
 * through errout.h: never blocking, what does not fit is counted there.  0 or -errno. */
int json_send(struct json *j, int fd);

#endif
