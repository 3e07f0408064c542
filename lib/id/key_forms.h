/* SPDX-License-Identifier: MIT */
/* Private keys in memory as they stand in files: libp2p's protobuf, PEM (PKCS#8, RFC 5958 and
 * 8410), OpenSSH's (its PROTOCOL.key).  Only Ed25519's.  Callers wipe what held a key. */
#ifndef GN_ID_KEY_FORMS_H
#define GN_ID_KEY_FORMS_H

#include "gn.h"

#define GN_KEY_FILE_MAX 16384 /* RSA of 8192 bits, encrypted, in base64, is 9 KB */
#define GN_KEY_FORMS_ROOM 512 /* for what we write in any form */

/* A file of exactly n bytes, its form seen from what it begins with.  Errors as
 * gn_key_file_read_any(); GN_ETOOBIG, GN_ETRUNC, -ENOMEM. */
int gn_key_forms_decode(const uint8_t *p, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out);
/* Returns the length; text ends with a line end. */
size_t gn_key_forms_encode(const struct gn_key *key, enum gn_key_form form, uint8_t out[GN_KEY_FORMS_ROOM]);

/* The forms that are text; n bytes, with a NUL behind them. */
int gn_key_pem_parse(const char *text, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out);
size_t gn_key_pem_format(const struct gn_key *key, char out[GN_KEY_FORMS_ROOM]);
int gn_key_openssh_parse(const char *text, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out);
size_t gn_key_openssh_format(const struct gn_key *key, char out[GN_KEY_FORMS_ROOM]);

#define GN_KEY_OPENSSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"

/* The key as OpenSSH's protocols have it: its type and itself, each behind its length. */
#define GN_KEY_OPENSSH_BLOB_LEN 51
void gn_key_openssh_blob(const struct gn_key *key, uint8_t out[GN_KEY_OPENSSH_BLOB_LEN]);

#endif
