/* SPDX-License-Identifier: MIT */
/* bcrypt_pbkdf: how OpenSSH makes a key of a passphrase (OpenBSD's bcrypt_pbkdf(3)).  No library of
 * Debian's has it by itself. */
#ifndef GN_ID_BCRYPT_PBKDF_H
#define GN_ID_BCRYPT_PBKDF_H

#include <stddef.h>
#include <stdint.h>

#define GN_BCRYPT_PBKDF_SALT_MAX 64
#define GN_BCRYPT_PBKDF_KEY_MAX 64

struct gn_bcrypt_pbkdf_cfg {
	const void *pass;
	size_t n_pass;
	const uint8_t *salt; /* 1 to GN_BCRYPT_PBKDF_SALT_MAX bytes */
	size_t n_salt;
	uint32_t rounds; /* from 1; one takes about 2 ms for every 32 bytes of key */
};

/* n: 1 to GN_BCRYPT_PBKDF_KEY_MAX.  0; -EINVAL (out of range); -ENOMEM. */
int gn_bcrypt_pbkdf(const struct gn_bcrypt_pbkdf_cfg *cfg, uint8_t *key, size_t n);

#endif
