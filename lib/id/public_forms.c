/* SPDX-License-Identifier: MIT */
/* Public keys as text, in the formats of enum gn_key_form. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "id/key.h"
#include "id/key_forms.h"
#include "id/key_pb.h"
#include "id/peer_id.h"

#define PUBLIC_ROOM 160 /* the longest format, PEM, has 113 characters */
#define PUBLIC_LEN 32
#define TEXT_MAX 16384 /* characters; a line of authorized_keys includes options and a comment */
#define BLANKS " \t\r\n"

/* The bytes before the key: SubjectPublicKeyInfo { id-Ed25519, BIT STRING of 32 bytes }. */
static const uint8_t spki_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
/* The bytes before the key in OpenSSH's encoding: the length and name of the type, the length of the key. */
static const uint8_t blob_head[] = {0, 0, 0, 11, 's', 's', 'h', '-', 'e', 'd', '2', '5', '5', '1', '9', 0, 0, 0, 32};

/* ---- writing ---- */

/* Writes `head`, the base64 of p and `tail` to text. */
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
	uint8_t der[sizeof(spki_head) + PUBLIC_LEN], blob[GN_KEY_OPENSSH_BLOB_LEN];
	char *text = malloc(PUBLIC_ROOM);
	const uint8_t *pb;
	size_t n;

	if (text == NULL)
		return NULL;
	pb = gn_key_public(key, &n);
	switch (form) {
	case GN_KEY_FORM_PEM:
		memcpy(der, spki_head, sizeof(spki_head));
		memcpy(der + sizeof(spki_head), pb + n - PUBLIC_LEN, PUBLIC_LEN);
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

/* ---- reading ---- */

static int ed25519_id(const uint8_t public[PUBLIC_LEN], struct gn_peer_id *out)
{
	uint8_t pb[GN_KEY_PUBLIC_LEN] = {GN_KEY_PB_TYPE, GN_KEY_ED25519, GN_KEY_PB_DATA, PUBLIC_LEN};
	struct gn_pubkey pub;
	int err;

	memcpy(pb + GN_KEY_PB_HEAD, public, PUBLIC_LEN);
	err = gn_pubkey_decode(pb, sizeof(pb), &pub);
	if (err == 0)
		gn_peer_id_from_public(&pub, out);
	return err;
}

/* Decodes n characters of base64, with or without padding; blanks are ignored. */
static bool base64_get(const char *text, size_t n, uint8_t out[GN_PUBKEY_MAX], size_t *len)
{
	return sodium_base642bin(out, GN_PUBKEY_MAX, text, n, BLANKS, len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 ||
	       sodium_base642bin(out, GN_PUBKEY_MAX, text, n, BLANKS, len, NULL,
				 sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0;
}

static int pem_parse(const char *text, struct gn_peer_id *out)
{
	static const char begin[] = "-----BEGIN PUBLIC KEY-----", end[] = "-----END PUBLIC KEY-----";
	const char *from = strstr(text, begin), *to = from != NULL ? strstr(from, end) : NULL;
	uint8_t der[GN_PUBKEY_MAX];
	size_t n;

	if (from == NULL && strstr(text, "PUBLIC KEY-----") != NULL)
		return GN_EKEYTYPE; /* PKCS#1, a format for RSA only */
	if (to == NULL)
		return GN_EFORMAT;
	from += sizeof(begin) - 1;
	if (!base64_get(from, (size_t)(to - from), der, &n) || n < 2 || der[0] != spki_head[0])
		return GN_EFORMAT;
	if (n != sizeof(spki_head) + PUBLIC_LEN || memcmp(der, spki_head, sizeof(spki_head)) != 0)
		return GN_EKEYTYPE;
	return ed25519_id(der + sizeof(spki_head), out);
}

/* Returns the end of the field at `at`: the next blank outside double quotes. */
static const char *field_end(const char *at)
{
	bool quoted = false;

	for (; *at && (quoted || strchr(BLANKS, *at) == NULL); at++) {
		if (*at == '\\' && at[1] == '"')
			at++;
		else if (*at == '"')
			quoted = !quoted;
	}
	return at;
}

static bool has_head(const char *field, size_t n, const char *head)
{
	return n >= strlen(head) && memcmp(field, head, strlen(head)) == 0;
}

static int blob_parse(const char *field, size_t n, struct gn_peer_id *out)
{
	uint8_t blob[GN_PUBKEY_MAX];
	size_t len;

	if (!base64_get(field, n, blob, &len) || len != sizeof(blob_head) + PUBLIC_LEN ||
	    memcmp(blob, blob_head, sizeof(blob_head)) != 0)
		return GN_EFORMAT;
	return ed25519_id(blob + sizeof(blob_head), out);
}

/* Parses a line of authorized_keys, known_hosts or a .pub file.  Fields before the type of the key and
 * after the key are ignored.  Returns 0, GN_EFORMAT, GN_EKEYTYPE, or GN_EAGAIN when no field names a type
 * of key. */
static int ssh_parse(const char *line, struct gn_peer_id *out)
{
	static const char *const others[] = {"ssh-rsa", "ssh-dss", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"};
	const char *end;
	size_t n;

	for (line += strspn(line, BLANKS); *line; line = end + strspn(end, BLANKS)) {
		end = field_end(line);
		n = (size_t)(end - line);
		if (n == strlen("ssh-ed25519") && has_head(line, n, "ssh-ed25519")) {
			line = end + strspn(end, BLANKS);
			return blob_parse(line, strcspn(line, BLANKS), out);
		}
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			if (has_head(line, n, others[i]))
				return GN_EKEYTYPE;
	}
	return GN_EAGAIN;
}

int gn_key_public_parse(const char *text, struct gn_peer_id *out)
{
	uint8_t pb[GN_PUBKEY_MAX];
	struct gn_pubkey pub;
	size_t n;
	int err;

	if (strlen(text) > TEXT_MAX)
		return GN_EFORMAT;
	if (strstr(text, "-----BEGIN ") != NULL)
		return pem_parse(text, out);
	err = ssh_parse(text, out);
	if (err != GN_EAGAIN)
		return err;
	text += strspn(text, BLANKS);
	n = strcspn(text, BLANKS);
	if (n == 0 || text[n + strspn(text + n, BLANKS)] || !base64_get(text, n, pb, &n))
		return GN_EFORMAT;
	err = gn_pubkey_decode(pb, n, &pub);
	if (err == 0)
		gn_peer_id_from_public(&pub, out);
	return err == 0 || err == GN_EKEYTYPE ? err : GN_EFORMAT;
}
