/* SPDX-License-Identifier: MIT */
/*
 * json: JSON objects, one per line, for -j.
 *
 *	struct json j;
 *	json_open(&j);
 *	json_string(&j, "event", "open");
 *	json_array(&j, "addrs"); json_string(&j, NULL, "..."); json_end(&j);
 *	json_send(&j, STDOUT_FILENO);
 *
 * Strings are escaped.  Characters that gn_text_next() does not call safe become U+FFFD, so that a program
 * which parses the object may print text that a peer chose.  A failed allocation is remembered, and
 * json_send() returns it.
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
	bool comma;     /* the next value needs a comma in front */
	unsigned depth; /* open arrays and objects, the outermost object not counted */
	char close[8];  /* the closing bracket of each */
	int err;
};

void json_open(struct json *j);
/* key is NULL inside an array.  A NULL string is written as null. */
void json_string(struct json *j, const char *key, const char *value);
void json_int(struct json *j, const char *key, int64_t value);
void json_seconds(struct json *j, const char *key, gn_time value);
void json_bool(struct json *j, const char *key, bool value);
void json_array(struct json *j, const char *key); /* at most 8 deep */
void json_object(struct json *j, const char *key);
void json_end(struct json *j); /* ends the innermost array or object */
/* json_string() with the text of an address or of an id. */
void json_addr(struct json *j, const char *key, const struct gn_multiaddr *addr);
void json_peer(struct json *j, const char *key, const struct gn_peer_id *id);
/* Ends the line, writes it (by one call where the descriptor allows it), and frees it.  Standard error is
 * written to through errout.h, which does not block.  Returns 0 or -errno. */
int json_send(struct json *j, int fd);

#endif
