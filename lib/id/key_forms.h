/* SPDX-License-Identifier: MIT */
/* The file formats of private keys, in memory: libp2p's protobuf, PEM (PKCS#8, RFC 5958 and 8410) and
 * OpenSSH's (PROTOCOL.key in its source).  Ed25519 keys only.  Callers wipe the memory that held a key. */
#ifndef GN_ID_KEY_FORMS_H
#define GN_ID_KEY_FORMS_H

#include "gn.h"

#define GN_KEY_FILE_MAX 16384 /* an encrypted RSA key of 8192 bits has 9 KB in base64 */
#define GN_KEY_FORMS_ROOM 512 /* enough for an Ed25519 key in any format */

/* Decodes a file of exactly n bytes and detects its format by its first bytes.  Returns 0, the errors of
 * gn_key_file_read_any(), GN_ETOOBIG, GN_ETRUNC or -ENOMEM. */
int gn_key_forms_decode(const uint8_t *p, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out);
/* Returns the length.  The text formats end with a line feed. */
size_t gn_key_forms_encode(const struct gn_key *key, enum gn_key_form form, uint8_t out[GN_KEY_FORMS_ROOM]);

/* The text formats.  text has n bytes, and a NUL behind them. */
int gn_key_pem_parse(const char *text, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out);
size_t gn_key_pem_format(const struct gn_key *key, char out[GN_KEY_FORMS_ROOM]);
int gn_key_openssh_parse(const char *text, size_t n, gn_passphrase_cb *ask, void *arg, struct gn_key **out);
size_t gn_key_openssh_format(const struct gn_key *key, char out[GN_KEY_FORMS_ROOM]);

#define GN_KEY_OPENSSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"

/* The public key in the encoding of OpenSSH's protocols: its type and its bytes, each after its length. */
#define GN_KEY_OPENSSH_BLOB_LEN 51
void gn_key_openssh_blob(const struct gn_key *key, uint8_t out[GN_KEY_OPENSSH_BLOB_LEN]);

#endif
