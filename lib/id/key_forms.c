/* SPDX-License-Identifier: MIT */
#include "id/key_forms.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "id/key.h"

#define PUBLIC_ROOM 160 /* the longest form, PEM, has 113 characters */

static int text_parse(const char *text, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out)
{
	return strstr(text, GN_KEY_OPENSSH_BEGIN) ? gn_key_openssh_parse(text, n, ask, arg, out)
						  : gn_key_pem_parse(text, n, ask, arg, out);
}

int gn_key_forms_decode(const uint8_t *p, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out)
{
	char *text;
	int err;

	if (n > GN_KEY_FILE_MAX)
		return GN_ETOOBIG;
	text = malloc(n + 1);
	if (!text)
		return -ENOMEM;
	if (n > 0)
		memcpy(text, p, n);
	text[n] = '\0';
	/* Openssl puts lines of text before the first; the protobuf begins with a byte below 0x20. */
	if (n > 0 && p[0] >= 0x20 && strstr(text, "-----BEGIN "))
		err = text_parse(text, n, ask, arg, out);
	else
		err = gn_key_decode(p, n, out);
	sodium_memzero(text, n);
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

/* ---- public keys ---- */

/* Appends base64 with a head before and a tail behind it. */
static void base64_put(char *text, const char *head, const uint8_t *p, size_t n, const char *tail)
{
	size_t at = strlen(head);

	memcpy(text, head, at);
	(void)sodium_bin2base64(text + at, PUBLIC_ROOM - at, p, n, sodium_base64_VARIANT_ORIGINAL);
	at = strlen(text);
	memcpy(text + at, tail, strlen(tail) + 1);
}

char *gn_key_public_format(const struct gn_key *key, enum gn_key_form form)
{
	/* SubjectPublicKeyInfo { id-Ed25519, BIT STRING of 32 bytes }: the head. */
	static const uint8_t head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	uint8_t der[sizeof(head) + 32], blob[GN_KEY_OPENSSH_BLOB_LEN];
	char *text = malloc(PUBLIC_ROOM);
	const uint8_t *pb;
	size_t n;

	if (!text)
		return NULL;
	pb = gn_key_public(key, &n);
	switch (form) {
	case GN_KEY_FORM_PEM:
		memcpy(der, head, sizeof(head));
		memcpy(der + sizeof(head), pb + n - 32, 32);
		base64_put(text, "-----BEGIN PUBLIC KEY-----\n", der, sizeof(der), "\n-----END PUBLIC KEY-----");
		break;
	case GN_KEY_FORM_OPENSSH:
		gn_key_openssh_blob(key, blob);
		base64_put(text, "ssh-ed25519 ", blob, sizeof(blob), "");
		break;
	case GN_KEY_FORM_LIBP2P:
		base64_put(text, "", pb, n, "");
		break;
	}
	return text;
}
