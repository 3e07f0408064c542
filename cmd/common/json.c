/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "errout.h"

static void json_put(struct json *j, const char *p, size_t n)
{
	size_t cap = j->cap != 0 ? j->cap : 256;
	char *text;

	if (j->err != 0)
		return;
	while (cap - j->len < n)
		cap *= 2;
	if (cap != j->cap) {
		text = realloc(j->text, cap);
		if (text == NULL) {
			j->err = -ENOMEM;
			return;
		}
		j->text = text;
		j->cap = cap;
	}
	memcpy(j->text + j->len, p, n);
	j->len += n;
}

static void puts_plain(struct json *j, const char *s)
{
	json_put(j, s, strlen(s));
}

static void put_string(struct json *j, const char *value)
{
	size_t left = strlen(value), n;
	char esc[2] = {'\\'};
	bool is_safe;

	json_put(j, "\"", 1);
	for (; left > 0; value += n, left -= n) {
		n = gn_text_next(value, left, &is_safe);
		if (!is_safe) {
			puts_plain(j, "\\ufffd");
		} else if (*value == '"' || *value == '\\') {
			esc[1] = *value;
			json_put(j, esc, 2);
		} else {
			json_put(j, value, n);
		}
	}
	json_put(j, "\"", 1);
}

static void put_key(struct json *j, const char *key)
{
	if (j->comma)
		json_put(j, ",", 1);
	j->comma = true;
	if (key != NULL) {
		put_string(j, key);
		json_put(j, ":", 1);
	}
}

void json_open(struct json *j)
{
	*j = (struct json){0};
	json_put(j, "{", 1);
}

void json_string(struct json *j, const char *key, const char *value)
{
	put_key(j, key);
	if (value != NULL)
		put_string(j, value);
	else
		puts_plain(j, "null");
}

void json_int(struct json *j, const char *key, int64_t value)
{
	char text[32];

	put_key(j, key);
	snprintf(text, sizeof text, "%" PRId64, value);
	puts_plain(j, text);
}

void json_seconds(struct json *j, const char *key, gn_time value)
{
	char text[48];

	put_key(j, key);
	if (value < 0)
		value = 0;
	snprintf(text, sizeof text, "%" PRId64 ".%09" PRId64, value / GN_SEC, value % GN_SEC);
	puts_plain(j, text);
}

void json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	puts_plain(j, value ? "true" : "false");
}

static void json_begin(struct json *j, const char *key, const char *open, char close)
{
	put_key(j, key);
	if (j->depth == sizeof j->close) {
		j->err = -E2BIG;
		return;
	}
	puts_plain(j, open);
	j->close[j->depth++] = close;
	j->comma = false;
}

void json_array(struct json *j, const char *key)
{
	json_begin(j, key, "[", ']');
}

void json_object(struct json *j, const char *key)
{
	json_begin(j, key, "{", '}');
}

void json_end(struct json *j)
{
	if (!j->depth)
		return;
	json_put(j, &j->close[--j->depth], 1);
	j->comma = true;
}

void json_addr(struct json *j, const char *key, const struct gn_multiaddr *addr)
{
	char *text = addr != NULL ? gn_multiaddr_format(addr) : NULL;

	json_string(j, key, text);
	free(text);
}

void json_peer(struct json *j, const char *key, const struct gn_peer_id *id)
{
	char text[GN_PEER_ID_TEXT_MAX];

	json_string(j, key, id != NULL && id->len ? gn_peer_id_format(id, text) : NULL);
}

int json_send(struct json *j, int fd)
{
	size_t at = 0;
	ssize_t n;
	int err;

	while (j->depth)
		json_end(j);
	json_put(j, "}\n", 2);
	err = j->err;
	if (err == 0 && fd == STDERR_FILENO) {
		errout_line(ERROUT_JSON, j->text, j->len);
		at = j->len;
	}
	while (err == 0 && at < j->len) {
		n = write(fd, j->text + at, j->len - at);
		if (n >= 0)
			at += (size_t)n;
		else if (errno != EINTR)
			err = -errno;
	}
	free(j->text);
	*j = (struct json){0};
	return err;
}
