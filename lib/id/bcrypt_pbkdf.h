/* SPDX-License-Identifier: MIT */
/* bcrypt_pbkdf, the function by which OpenSSH derives a key from a passphrase (OpenBSD's
 * bcrypt_pbkdf(3)).  Debian has no library that offers it. */
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
	uint32_t rounds; /* 1 or more; a round takes about 2 ms for every 32 bytes of key */
};

/* Derives n bytes, 1 to GN_BCRYPT_PBKDF_KEY_MAX.  Returns 0, -EINVAL (a length or the rounds are out of
 * range) or -ENOMEM. */
int gn_bcrypt_pbkdf(const struct gn_bcrypt_pbkdf_cfg *cfg, uint8_t *key, size_t n);

#endif
