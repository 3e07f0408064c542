/* SPDX-License-Identifier: MIT */
#include "id/key_forms.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "id/key.h"
#include "id/key_pb.h"

#define BEGIN "-----BEGIN "

/* Returns the line at `from` without the blanks around it, its length in *n, and the start of the next
 * line in *next. */
static const char *line_clean(const char *from, size_t *n, const char **next)
{
	const char *end = from + strcspn(from, "\r\n");

	*next = end + (end[0] == '\r' && end[1] == '\n') + (end[0] != '\0');
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*n = (size_t)(end - from);
	return from;
}

/* Moves the text from `from` on to the beginning of `text` and returns its new length.  Each line loses
 * the blanks around it and ends with a line feed.  Empty lines are dropped, except after a header
 * ("Proc-Type: ..."), where the empty line ends the headers.  The rest of the `room` bytes is set to zero,
 * because it may hold a key.  The last line may gain a line feed, so `room` is at least one byte more than
 * the text and its NUL. */
static size_t lines_clean(char *text, size_t room, const char *from)
{
	/* The end is remembered as a pointer, because the line feed of the last line may overwrite the
	 * NUL. */
	const char *end = from + strlen(from);
	bool is_header = false;
	char *to = text;
	size_t len;

	while (from < end) {
		const char *next, *line = line_clean(from, &len, &next);

		if (len > 0 || is_header) {
			memmove(to, line, len);
			is_header = memchr(to, ':', len) != NULL;
			to += len;
			*to++ = '\n';
		}
		from = next;
	}
	sodium_memzero(to, room - (size_t)(to - text));
	return (size_t)(to - text);
}

/* `text` has room for n + 2 bytes.  Anything before the first BEGIN is ignored: a byte order mark, empty
 * lines, comments such as openssl writes. */
static int key_forms_text_parse(char *text, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out)
{
	n = lines_clean(text, n + 2, strstr(text, BEGIN));
	return strstr(text, GN_KEY_OPENSSH_BEGIN) != NULL ? gn_key_openssh_parse(text, n, ask, arg, out)
							  : gn_key_pem_parse(text, n, ask, arg, out);
}

int gn_key_forms_decode(const uint8_t *p, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out)
{
	char *text;
	int err;

	if (n > GN_KEY_FILE_MAX)
		return GN_ETOOBIG;
	text = calloc(1, n + 2);
	if (text == NULL)
		return -ENOMEM;
	if (n > 0)
		memcpy(text, p, n);
	/* The protobuf begins with a control character, with which no text begins. */
	if (n > 0 && p[0] != GN_KEY_PB_TYPE && strstr(text, BEGIN) != NULL)
		err = key_forms_text_parse(text, n, ask, arg, out);
	else
		err = gn_key_decode(p, n, out);
	sodium_memzero(text, n + 2);
	free(text);
	return err;
}

size_t gn_key_forms_encode(const struct gn_key *key, enum gn_key_form form, uint8_t out[GN_KEY_FORMS_ROOM])
{
	switch (form) {
	case GN_KEY_FORM_PEM:
		return gn_key_pem_format(key, (char *)out);
	case GN_KEY_FORM_OPENSSH:
		return gn_key_openssh_format(key, (char *)out);
	case GN_KEY_FORM_LIBP2P:
		break;
	}
	gn_key_encode(key, out);
	return GN_KEY_PRIVATE_LEN;
}
