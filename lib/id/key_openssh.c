/* SPDX-License-Identifier: MIT */
/* The format openssh-key-v1, PROTOCOL.key in OpenSSH's source:
 *
 *     "openssh-key-v1" NUL   string cipher   string kdf   string kdf options   u32 number of keys, 1
 *     string public key      string private part, encrypted, its length a multiple of the cipher's block:
 *         u32 check   u32 check, the same   string "ssh-ed25519"   string public   string seed, public
 *         string comment   bytes 1 2 3 ...
 *
 * A string is a u32 length and that many bytes. */
#include <errno.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cursor.h"
#include "id/bcrypt_pbkdf.h"
#include "id/key.h"
#include "id/key_forms.h"

#define MAGIC "openssh-key-v1" /* with its NUL */
#define TYPE "ssh-ed25519"
#define END "-----END OPENSSH PRIVATE KEY-----"
#define LINE 70
#define PUBLIC_LEN 32
#define ROUNDS_MAX 10000 /* these take half a minute; ssh-keygen writes 16 or 24 */

struct view {
	const uint8_t *p;
	size_t n;
};

static int view_get(struct gn_cursor *c, struct view *out)
{
	uint32_t n;
	int err = gn_cursor_get_u32(c, &n);

	if (err == 0)
		err = gn_cursor_get_view(c, n, &out->p);
	out->n = err == 0 ? n : 0;
	return err;
}

static bool key_openssh_is_text(const struct view *v, const char *text)
{
	return v->n == strlen(text) && memcmp(v->p, text, v->n) == 0;
}

/* The parts of the file, as views into it. */
struct parts {
	struct view cipher, kdf, options, public, private;
	size_t rest; /* bytes after the private part: the tag of an AEAD cipher */
};

static int parts_decode(const uint8_t *p, size_t n, struct parts *out)
{
	const uint8_t *magic;
	struct gn_cursor c;
	uint32_t keys = 0;
	int err;

	gn_cursor_init(&c, p, n);
	err = gn_cursor_get_view(&c, sizeof(MAGIC), &magic);
	if (err < 0 || memcmp(magic, MAGIC, sizeof(MAGIC)) != 0)
		return GN_EFORMAT;
	err = view_get(&c, &out->cipher);
	if (err == 0)
		err = view_get(&c, &out->kdf);
	if (err == 0)
		err = view_get(&c, &out->options);
	if (err == 0)
		err = gn_cursor_get_u32(&c, &keys);
	if (err == 0)
		err = view_get(&c, &out->public);
	if (err == 0)
		err = view_get(&c, &out->private);
	out->rest = gn_cursor_left(&c);
	return err < 0 || keys != 1 ? GN_EFORMAT : 0;
}

/* ---- the private part ---- */

static int public_check(const struct view *v)
{
	struct view type, key;
	struct gn_cursor c;

	gn_cursor_init(&c, v->p, v->n);
	if (view_get(&c, &type) < 0)
		return GN_EFORMAT;
	if (!key_openssh_is_text(&type, TYPE))
		return GN_EKEYTYPE;
	return view_get(&c, &key) < 0 || key.n != PUBLIC_LEN || !gn_cursor_is_done(&c) ? GN_EFORMAT : 0;
}

/* Makes the key of the seed, if the public key and the blob belong to it; otherwise GN_EFORMAT. */
static int key_make(const uint8_t *seed, const struct view *public, const struct view *blob, struct gn_key **out)
{
	uint8_t own[GN_KEY_OPENSSH_BLOB_LEN];
	struct gn_key *key;
	int err;

	err = gn_key_new_seeded(seed, &key);
	if (err < 0)
		return err;
	gn_key_openssh_blob(key, own);
	if (blob->n != sizeof(own) || memcmp(blob->p, own, sizeof(own)) != 0 ||
	    memcmp(public->p, own + sizeof(own) - PUBLIC_LEN, PUBLIC_LEN) != 0 ||
	    memcmp(seed + GN_KEY_SEED_LEN, own + sizeof(own) - PUBLIC_LEN, PUBLIC_LEN) != 0) {
		gn_key_free(key);
		return GN_EFORMAT;
	}
	*out = key;
	return 0;
}

static int private_decode(const struct view *v, const struct view *blob, struct gn_key **out)
{
	struct view type, public, secret, comment;
	uint32_t a = 0, b = 0;
	struct gn_cursor c;
	uint8_t octet = 0;
	int err;

	gn_cursor_init(&c, v->p, v->n);
	if (gn_cursor_get_u32(&c, &a) < 0 || gn_cursor_get_u32(&c, &b) < 0)
		return GN_EFORMAT;
	if (a != b)
		return GN_EAUTH; /* decrypted with a wrong key */
	err = view_get(&c, &type);
	if (err == 0 && !key_openssh_is_text(&type, TYPE))
		return GN_EKEYTYPE;
	if (err == 0)
		err = view_get(&c, &public);
	if (err == 0)
		err = view_get(&c, &secret);
	if (err == 0)
		err = view_get(&c, &comment);
	if (err != 0 || public.n != PUBLIC_LEN || secret.n != GN_KEY_SEED_LEN + PUBLIC_LEN)
		return GN_EFORMAT;
	for (uint8_t i = 1; !gn_cursor_is_done(&c); i++) {
		(void)gn_cursor_get_u8(&c, &octet);
		if (octet != i)
			return GN_EFORMAT;
	}
	return key_make(secret.p, &public, blob, out);
}

/* ---- encrypted files ---- */

static int key_openssh_decrypt(const EVP_CIPHER *cipher, const uint8_t key_iv[48], const struct view *in, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, rest = 0, ok;

	ok = ctx != NULL && EVP_DecryptInit_ex(ctx, cipher, NULL, key_iv, key_iv + 32) == 1 &&
	     EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 && EVP_DecryptUpdate(ctx, out, &n, in->p, (int)in->n) == 1 &&
	     EVP_DecryptFinal_ex(ctx, out + n, &rest) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -ENOMEM;
}

/* Derives the cipher's key and IV from the passphrase. */
static int derive(const struct parts *p, gn_passphrase_cb *ask, void *arg, uint8_t key_iv[48])
{
	struct gn_bcrypt_pbkdf_cfg cfg;
	char pass[GN_PASSPHRASE_MAX];
	struct gn_cursor c;
	struct view salt;
	int n;

	gn_cursor_init(&c, p->options.p, p->options.n);
	if (view_get(&c, &salt) < 0 || gn_cursor_get_u32(&c, &cfg.rounds) < 0 || !gn_cursor_is_done(&c) ||
	    salt.n == 0 || salt.n > GN_BCRYPT_PBKDF_SALT_MAX || cfg.rounds == 0)
		return GN_EFORMAT;
	if (cfg.rounds > ROUNDS_MAX)
		return GN_EKEYTYPE;
	cfg.salt = salt.p;
	cfg.n_salt = salt.n;
	n = ask != NULL ? ask(arg, pass) : GN_EAUTH;
	if (n >= 0) {
		cfg.pass = pass;
		cfg.n_pass = (size_t)n;
		n = gn_bcrypt_pbkdf(&cfg, key_iv, 48);
	}
	sodium_memzero(pass, sizeof(pass));
	return n;
}

static int encrypted_decode(const struct parts *p, gn_passphrase_cb *ask, void *arg, struct gn_key **out)
{
	const bool is_ctr = key_openssh_is_text(&p->cipher, "aes256-ctr");
	struct view plain = {NULL, p->private.n};
	uint8_t key_iv[48], *bytes;
	int err;

	if (!key_openssh_is_text(&p->kdf, "bcrypt") || (!is_ctr && !key_openssh_is_text(&p->cipher, "aes256-cbc")))
		return GN_EKEYTYPE;
	if (plain.n % 16 != 0 || p->rest > 0)
		return GN_EFORMAT;
	err = derive(p, ask, arg, key_iv);
	if (err < 0)
		return err;
	bytes = malloc(plain.n + 1);
	plain.p = bytes;
	err = bytes != NULL
		      ? key_openssh_decrypt(is_ctr ? EVP_aes_256_ctr() : EVP_aes_256_cbc(), key_iv, &p->private, bytes)
		      : -ENOMEM;
	sodium_memzero(key_iv, sizeof(key_iv));
	if (err == 0)
		err = private_decode(&plain, &p->public, out);
	if (bytes != NULL)
		sodium_memzero(bytes, plain.n);
	free(bytes);
	return err;
}

static int file_decode(const uint8_t *p, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out)
{
	struct parts parts;
	int err = parts_decode(p, n, &parts);

	if (err == 0)
		err = public_check(&parts.public);
	if (err < 0)
		return err;
	if (!key_openssh_is_text(&parts.cipher, "none"))
		return encrypted_decode(&parts, ask, arg, out);
	if (!key_openssh_is_text(&parts.kdf, "none") || parts.private.n % 8 != 0 || parts.rest > 0)
		return GN_EFORMAT;
	err = private_decode(&parts.private, &parts.public, out);
	return err == GN_EAUTH ? GN_EFORMAT : err;
}

int gn_key_openssh_parse(const char *text, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out)
{
	const char *at = strstr(text, GN_KEY_OPENSSH_BEGIN), *end = at != NULL ? strstr(at, END) : NULL;
	uint8_t *bytes;
	size_t len = 0;
	int err;

	if (end == NULL)
		return GN_EFORMAT;
	at += strlen(GN_KEY_OPENSSH_BEGIN);
	bytes = malloc(n + 1);
	if (bytes == NULL)
		return -ENOMEM;
	err = sodium_base642bin(bytes, n, at, (size_t)(end - at), " \t\r\n", &len, NULL,
				sodium_base64_VARIANT_ORIGINAL) == 0
		      ? 0
		      : GN_EFORMAT;
	if (err == 0)
		err = file_decode(bytes, len, ask, arg, out);
	sodium_memzero(bytes, n);
	free(bytes);
	return err;
}

/* ---- writing ---- */

static void string_put(uint8_t **at, const void *p, size_t n)
{
	gn_put_u32(*at, (uint32_t)n);
	if (n > 0)
		memcpy(*at + 4, p, n);
	*at += 4 + n;
}

void gn_key_openssh_blob(const struct gn_key *key, uint8_t out[GN_KEY_OPENSSH_BLOB_LEN])
{
	size_t n;
	const uint8_t *pb = gn_key_public(key, &n);

	string_put(&out, TYPE, strlen(TYPE));
	string_put(&out, pb + n - PUBLIC_LEN, PUBLIC_LEN);
}

/* Encodes the private part and returns its length, 136. */
static size_t private_encode(const struct gn_key *key, uint8_t *out)
{
	uint8_t pb[GN_KEY_PRIVATE_LEN], *at = out;
	const uint8_t *seed = pb + sizeof(pb) - GN_KEY_SEED_LEN - PUBLIC_LEN;

	gn_key_encode(key, pb);
	gn_random(at, 4);
	memcpy(at + 4, at, 4);
	at += 8;
	string_put(&at, TYPE, strlen(TYPE));
	string_put(&at, seed + GN_KEY_SEED_LEN, PUBLIC_LEN);
	string_put(&at, seed, GN_KEY_SEED_LEN + PUBLIC_LEN);
	string_put(&at, NULL, 0);
	for (uint8_t i = 1; (at - out) % 8 != 0; i++)
		*at++ = i;
	sodium_memzero(pb, sizeof(pb));
	return (size_t)(at - out);
}

/* Writes base64 in lines and returns the length. */
static size_t lines_put(const uint8_t *p, size_t n, char *out)
{
	char text[GN_KEY_FORMS_ROOM], *at = out;
	size_t len;

	(void)sodium_bin2base64(text, sizeof(text), p, n, sodium_base64_VARIANT_ORIGINAL);
	len = strlen(text);
	for (size_t i = 0; i < len; i += LINE) {
		size_t k = len - i < LINE ? len - i : LINE;

		memcpy(at, text + i, k);
		at += k;
		*at++ = '\n';
	}
	sodium_memzero(text, sizeof(text));
	return (size_t)(at - out);
}

size_t gn_key_openssh_format(const struct gn_key *key, char out[GN_KEY_FORMS_ROOM])
{
	static const char begin[] = GN_KEY_OPENSSH_BEGIN "\n", end[] = END "\n";
	uint8_t bytes[256], private[144], blob[GN_KEY_OPENSSH_BLOB_LEN], *at = bytes;
	size_t n = sizeof(begin) - 1;

	memcpy(at, MAGIC, sizeof(MAGIC));
	at += sizeof(MAGIC);
	string_put(&at, "none", 4);
	string_put(&at, "none", 4);
	string_put(&at, NULL, 0);
	gn_put_u32(at, 1);
	at += 4;
	gn_key_openssh_blob(key, blob);
	string_put(&at, blob, sizeof(blob));
	string_put(&at, private, private_encode(key, private));
	memcpy(out, begin, n);
	n += lines_put(bytes, (size_t)(at - bytes), out + n);
	memcpy(out + n, end, sizeof(end) - 1);
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(private, sizeof(private));
	return n + sizeof(end) - 1;
}
