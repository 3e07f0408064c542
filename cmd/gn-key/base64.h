/* SPDX-License-Identifier: MIT */
/* base64: RFC 4648 section 4, with padding: how go and js write keys in their JSON. */
#ifndef CMD_GN_KEY_BASE64_H
#define CMD_GN_KEY_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters for n bytes, with the NUL. */
size_t base64_room(size_t n);
void base64_encode(const uint8_t *p, size_t n, char *text);

#endif
