/* SPDX-License-Identifier: MIT */
/* Values that are text: names, unix paths, HTTP paths. */
#include <string.h>

#include "addr/values.h"
#include "base/base.h"
#include "base/text.h"
#include "gn.h"

static bool is_control(uint8_t c)
{
	return c < ' ' || c == 0x7f;
}

/* ---- names ---- */

/* The length of the UTF-8 character at p; 0 when it is malformed or a C1 control, which terminals
 * interpret. */
static size_t utf8_len(const uint8_t *p, size_t n)
{
	uint32_t c = 0;
	size_t k = gn_utf8_decode(p, n, &c);

	return c >= 0x80 && c < 0xa0 ? 0 : k;
}

/* Names are used as C strings and shown on terminals, so NUL and control characters are not valid. */
static bool name_is_valid(const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t k = utf8_len(p, n);

		if (k == 0 || is_control(*p) || *p == '/')
			return false;
		p += k;
		n -= k;
	}
	return true;
}

static int name_parse(const char *text, size_t n, struct gn_buf *out)
{
	return gn_buf_put(out, text, n);
}

static int name_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	return gn_buf_put(out, p, n);
}

const struct gn_protocol_value gn_value_name = {name_parse, name_format, name_is_valid};

/* ---- percent-encoding ---- */

static int percent_parse(const char *text, size_t n, struct gn_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)text[i];
		size_t len;
		int err;

		if (c == '%') {
			if (n - i < 3 || gn_hex_decode(text + i + 1, 2, &c, 1, &len) < 0)
				return GN_EFORMAT;
			i += 2;
		}
		err = gn_buf_put_u8(out, c);
		if (err < 0)
			return err;
	}
	return 0;
}

/* Characters that go does not percent-encode in a segment of a path. */
static bool value_text_is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-_.~$&+=:@", c) != NULL);
}

static int percent_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		int err = value_text_is_plain(p[i]) ? gn_buf_put_u8(out, p[i])
						    : gn_buf_format(out, "%%%02X", (unsigned)p[i]);

		if (err < 0)
			return err;
	}
	return 0;
}

const struct gn_protocol_value gn_value_http_path = {percent_parse, percent_format, NULL};

/* ---- unix paths ----
 *
 * go reads the rest of the text unchanged; js reads one segment that is percent-encoded, including its
 * first slash. /unix/tmp/s and /unix/%2Ftmp%2Fs therefore have the same bytes.  Both formats are read.
 * go's format is written, unless it would be read back differently or contains characters that must not
 * reach a terminal. */

static bool is_percent_form(const uint8_t *p, size_t n)
{
	return n >= 4 && (memcmp(p, "/%2F", 4) == 0 || memcmp(p, "/%2f", 4) == 0) && memchr(p + 1, '/', n - 1) == NULL;
}

/* `text` begins with the slash. */
static int path_parse(const char *text, size_t n, struct gn_buf *out)
{
	if (is_percent_form((const uint8_t *)text, n))
		return percent_parse(text + 1, n - 1, out);
	return gn_buf_put(out, text, n);
}

static int path_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	bool encode = p[n - 1] == '/' || is_percent_form(p, n);
	int err;

	for (size_t i = 0; i < n && !encode; i++) {
		size_t k = utf8_len(p + i, n - i);

		encode = k == 0 || is_control(p[i]);
		if (!encode)
			i += k - 1;
	}
	if (!encode)
		return gn_buf_put(out, p, n);
	err = gn_buf_put_u8(out, '/');
	return err < 0 ? err : percent_format(p, n, out);
}

static bool path_is_valid(const uint8_t *p, size_t n)
{
	return n > 0 && p[0] == '/' && memchr(p, 0, n) == NULL;
}

const struct gn_protocol_value gn_value_path = {path_parse, path_format, path_is_valid};
