/* SPDX-License-Identifier: MIT */
#include "addr/values.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/base.h"
#include "base/bytes.h"
#include "gn.h"
#include "id/multihash.h"

/* ---- IP addresses ---- */

static int inet_parse(int family, size_t len, const char *text, size_t n, struct gn_buf *out)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t addr[16];

	/* inet_pton() would ignore everything after a NUL. */
	if (n >= sizeof(copy) || memchr(text, 0, n) != NULL)
		return GN_EFORMAT;
	memcpy(copy, text, n);
	copy[n] = '\0';
	if (inet_pton(family, copy, addr) != 1)
		return GN_EFORMAT;
	return gn_buf_put(out, addr, len);
}

static int inet_format(int family, const uint8_t *p, struct gn_buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(family, p, text, sizeof(text)) == NULL)
		return GN_EFORMAT;
	return gn_buf_put(out, text, strlen(text));
}

static int ip4_parse(const char *text, size_t n, struct gn_buf *out)
{
	return inet_parse(AF_INET, 4, text, n, out);
}

static int ip4_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	(void)n;
	return inet_format(AF_INET, p, out);
}

static int ip6_parse(const char *text, size_t n, struct gn_buf *out)
{
	return inet_parse(AF_INET6, 16, text, n, out);
}

static int ip6_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	(void)n;
	return inet_format(AF_INET6, p, out);
}

const struct gn_protocol_value gn_value_ip4 = {ip4_parse, ip4_format, NULL};
const struct gn_protocol_value gn_value_ip6 = {ip6_parse, ip6_format, NULL};

/* ---- numbers ---- */

/* Only decimal digits are accepted.  Leading zeros are allowed, although go never writes them: "08" is 8. */
static int number_parse(const char *text, size_t n, uint64_t max, uint64_t *v)
{
	uint64_t r = 0;

	if (n == 0)
		return GN_EFORMAT;
	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)text[i] - '0';

		if (d > 9 || r > (max - d) / 10)
			return GN_EFORMAT;
		r = r * 10 + d;
	}
	*v = r;
	return 0;
}

static int number_put(const char *text, size_t n, size_t size, struct gn_buf *out)
{
	uint8_t bytes[8];
	uint64_t v;
	int err = number_parse(text, n, UINT64_MAX >> (64 - 8 * size), &v);

	if (err < 0)
		return err;
	gn_put_u64(bytes, v);
	return gn_buf_put(out, bytes + 8 - size, size);
}

static int number_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return gn_buf_format(out, "%" PRIu64, v);
}

static int u8_parse(const char *text, size_t n, struct gn_buf *out)
{
	return number_put(text, n, 1, out);
}

static int u16_parse(const char *text, size_t n, struct gn_buf *out)
{
	return number_put(text, n, 2, out);
}

static int u64_parse(const char *text, size_t n, struct gn_buf *out)
{
	return number_put(text, n, 8, out);
}

const struct gn_protocol_value gn_value_u8 = {u8_parse, number_format, NULL};
const struct gn_protocol_value gn_value_u16 = {u16_parse, number_format, NULL};
const struct gn_protocol_value gn_value_u64 = {u64_parse, number_format, NULL};

/* ---- ids and hashes ---- */

static int peer_parse(const char *text, size_t n, struct gn_buf *out)
{
	char copy[GN_PEER_ID_TEXT_MAX];
	struct gn_peer_id id;

	if (n >= sizeof(copy) || memchr(text, 0, n) != NULL)
		return GN_EFORMAT;
	memcpy(copy, text, n);
	copy[n] = '\0';
	if (gn_peer_id_parse(copy, &id) < 0)
		return GN_EFORMAT;
	return gn_buf_put(out, id.bytes, id.len);
}

static int peer_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	char text[GN_PEER_ID_TEXT_MAX];
	struct gn_peer_id id;
	int err = gn_peer_id_decode(p, n, &id);

	if (err < 0)
		return err;
	gn_peer_id_format(&id, text);
	return gn_buf_put(out, text, strlen(text));
}

static bool peer_is_valid(const uint8_t *p, size_t n)
{
	struct gn_peer_id id;

	return gn_peer_id_decode(p, n, &id) == 0;
}

static int hash_parse(const char *text, size_t n, struct gn_buf *out)
{
	uint8_t hash[GN_MULTIHASH_MAX];
	size_t len;

	if (gn_multibase_decode(text, n, hash, sizeof(hash), &len) < 0)
		return GN_EFORMAT;
	return gn_buf_put(out, hash, len);
}

static int hash_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	char text[GN_MULTIHASH_MAX * 4 / 3 + 3];

	if (n > GN_MULTIHASH_MAX)
		return GN_EFORMAT;
	gn_base64url_encode(p, n, text);
	return gn_buf_format(out, "u%s", text);
}

static bool hash_is_valid(const uint8_t *p, size_t n)
{
	struct gn_multihash h;

	return gn_multihash_decode(p, n, &h) == 0;
}

const struct gn_protocol_value gn_value_peer = {peer_parse, peer_format, peer_is_valid};
const struct gn_protocol_value gn_value_hash = {hash_parse, hash_format, hash_is_valid};

/* ---- onion: base32 of the key, a colon, a port that is not 0 ---- */

static int onion_parse(const char *text, size_t n, size_t key_len, struct gn_buf *out)
{
	const char *colon = memchr(text, ':', n);
	uint8_t bytes[37];
	size_t len;
	uint64_t port;

	if (colon == NULL)
		return GN_EFORMAT;
	if (gn_base32_decode(text, (size_t)(colon - text), bytes, key_len, &len) < 0 || len != key_len)
		return GN_EFORMAT;
	if (number_parse(colon + 1, n - (size_t)(colon + 1 - text), UINT16_MAX, &port) < 0 || port == 0)
		return GN_EFORMAT;
	gn_put_u16(bytes + key_len, (uint16_t)port);
	return gn_buf_put(out, bytes, key_len + 2);
}

static int onion10_parse(const char *text, size_t n, struct gn_buf *out)
{
	return onion_parse(text, n, 10, out);
}

static int onion35_parse(const char *text, size_t n, struct gn_buf *out)
{
	return onion_parse(text, n, 35, out);
}

static int onion_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	char text[35 * 8 / 5 + 2];

	if (n < 2 || n > 37)
		return GN_EFORMAT;
	gn_base32_encode(p, n - 2, text);
	return gn_buf_format(out, "%s:%u", text, (unsigned)gn_get_u16(p + n - 2));
}

static bool onion_is_valid(const uint8_t *p, size_t n)
{
	return n > 2 && gn_get_u16(p + n - 2) != 0;
}

const struct gn_protocol_value gn_value_onion = {onion10_parse, onion_format, onion_is_valid};
const struct gn_protocol_value gn_value_onion3 = {onion35_parse, onion_format, onion_is_valid};

/* ---- garlic (I2P): a destination in I2P's base64, or its hash in base32 ---- */

#define GARLIC64_MIN 386 /* bytes of a destination; one with a certificate is longer */
#define GARLIC64_MAX 512
#define GARLIC32_LEN 32
#define GARLIC32_LONG_MIN 35 /* the hash of an encrypted lease set */
#define GARLIC32_MAX 64

static int garlic32_parse(const char *text, size_t n, struct gn_buf *out)
{
	uint8_t bytes[GARLIC32_MAX];
	size_t len;

	while (n > 0 && text[n - 1] == '=')
		n--;
	if (gn_base32_decode(text, n, bytes, sizeof(bytes), &len) < 0)
		return GN_EFORMAT;
	return gn_buf_put(out, bytes, len);
}

static int garlic32_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	char text[GARLIC32_MAX * 8 / 5 + 2];

	if (n > GARLIC32_MAX)
		return GN_EFORMAT;
	gn_base32_encode(p, n, text);
	return gn_buf_put(out, text, strlen(text));
}

static bool garlic32_is_valid(const uint8_t *p, size_t n)
{
	(void)p;
	return n == GARLIC32_LEN || (n >= GARLIC32_LONG_MIN && n <= GARLIC32_MAX);
}

/* I2P writes '~' where base64url has '_', and pads. */
static int garlic64_parse(const char *text, size_t n, struct gn_buf *out)
{
	char copy[GARLIC64_MAX * 4 / 3 + 3];
	uint8_t bytes[GARLIC64_MAX];
	size_t len;

	if (n > sizeof(copy) || n % 4 != 0)
		return GN_EFORMAT;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '_')
			return GN_EFORMAT;
		copy[i] = text[i] == '~' ? '_' : text[i];
	}
	for (int pad = 0; pad < 2 && n > 0 && copy[n - 1] == '='; pad++)
		n--;
	if (gn_base64url_decode(copy, n, bytes, sizeof(bytes), &len) < 0)
		return GN_EFORMAT;
	return gn_buf_put(out, bytes, len);
}

static int garlic64_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	char text[GARLIC64_MAX * 4 / 3 + 3];
	size_t len;

	if (n > GARLIC64_MAX)
		return GN_EFORMAT;
	gn_base64url_encode(p, n, text);
	len = strlen(text);
	for (size_t i = 0; i < len; i++)
		if (text[i] == '_')
			text[i] = '~';
	return gn_buf_format(out, "%s%s", text, len % 4 == 2 ? "==" : len % 4 == 3 ? "=" : "");
}

static bool garlic64_is_valid(const uint8_t *p, size_t n)
{
	(void)p;
	return n >= GARLIC64_MIN && n <= GARLIC64_MAX;
}

const struct gn_protocol_value gn_value_garlic32 = {garlic32_parse, garlic32_format, garlic32_is_valid};
const struct gn_protocol_value gn_value_garlic64 = {garlic64_parse, garlic64_format, garlic64_is_valid};

/* ---- protocols that the program added ---- */

#define HEX_MAX 255

static int hex_parse(const char *text, size_t n, struct gn_buf *out)
{
	uint8_t bytes[HEX_MAX];
	size_t len;

	if (gn_hex_decode(text, n, bytes, sizeof(bytes), &len) < 0)
		return GN_EFORMAT;
	return gn_buf_put(out, bytes, len);
}

static int hex_format(const uint8_t *p, size_t n, struct gn_buf *out)
{
	char text[HEX_MAX * 2 + 1];

	if (n > HEX_MAX)
		return GN_EFORMAT;
	gn_hex_encode(p, n, text);
	return gn_buf_put(out, text, strlen(text));
}

const struct gn_protocol_value gn_value_hex = {hex_parse, hex_format, NULL};
