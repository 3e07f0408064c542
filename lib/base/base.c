/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include <string.h>

static const char base16[] = "0123456789abcdef";
static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char base36[] = "0123456789abcdefghijklmnopqrstuvwxyz";
static const char base58[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Returns the value of the character in the alphabet, or -1 when it is not part of it. */
static int digit(const char *alphabet, char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at != NULL ? (int)(at - alphabet) : -1;
}

/* As digit(), for an alphabet that has only one case. */
static int digit_any_case(const char *alphabet, char c)
{
	return digit(alphabet, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
}

typedef int digit_fn(const char *alphabet, char c);

/* ---- bases that are a power of two ---- */

static void bits_encode(const char *alphabet, unsigned bits, const uint8_t *p, size_t n, char *text)
{
	uint32_t acc = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		acc = (acc << 8 | p[i]) & 0xffff;
		have += 8;
		while (have >= bits) {
			have -= bits;
			*text++ = alphabet[acc >> have & ((1U << bits) - 1)];
		}
	}
	if (have > 0)
		*text++ = alphabet[acc << (bits - have) & ((1U << bits) - 1)];
	*text = '\0';
}

static int bits_decode(const char *alphabet, digit_fn *value, unsigned bits, const char *text, size_t n, uint8_t *out,
		       size_t room, size_t *len)
{
	uint32_t acc = 0;
	unsigned have = 0;
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		int v = value(alphabet, text[i]);

		if (v < 0)
			return GN_EFORMAT;
		acc = (acc << bits | (uint32_t)v) & 0xffff;
		have += bits;
		if (have < 8)
			continue;
		have -= 8;
		if (k == room)
			return GN_ESPACE;
		out[k++] = (uint8_t)(acc >> have);
	}
	/* The last character held no bit of a byte, or the unused bits, which an encoder sets to zero, are
	 * not zero. */
	if (have >= bits || (acc & ((1U << have) - 1)) != 0)
		return GN_EFORMAT;
	*len = k;
	return 0;
}

/* ---- bases that are not a power of two: the bytes are one number, except for leading zeros ---- */

static void big_encode(const char *alphabet, unsigned base, const uint8_t *p, size_t n, char *text)
{
	size_t zeros = 0, k = 0;

	while (zeros < n && p[zeros] == 0)
		text[zeros++] = alphabet[0];
	text += zeros;
	for (size_t i = zeros; i < n; i++) {
		unsigned carry = p[i];

		for (size_t j = 0; j < k; j++) {
			carry += (unsigned)(uint8_t)text[j] << 8;
			text[j] = (char)(carry % base);
			carry /= base;
		}
		for (; carry > 0; carry /= base)
			text[k++] = (char)(carry % base);
	}
	for (size_t i = 0; i < k / 2; i++) {
		char c = text[i];

		text[i] = text[k - 1 - i];
		text[k - 1 - i] = c;
	}
	for (size_t i = 0; i < k; i++)
		text[i] = alphabet[(uint8_t)text[i]];
	text[k] = '\0';
}

static int big_decode(const char *alphabet, digit_fn *value, unsigned base, const char *text, size_t n, uint8_t *out,
		      size_t room, size_t *len)
{
	size_t zeros = 0, k = 0;

	while (zeros < n && text[zeros] == alphabet[0]) {
		if (zeros == room)
			return GN_ESPACE;
		out[zeros++] = 0;
	}
	out += zeros;
	room -= zeros;
	for (size_t i = zeros; i < n; i++) {
		int v = value(alphabet, text[i]);
		unsigned carry = (unsigned)v;

		if (v < 0)
			return GN_EFORMAT;
		for (size_t j = 0; j < k; j++) {
			carry += out[j] * base;
			out[j] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry > 0) {
			if (k == room)
				return GN_ESPACE;
			out[k++] = (uint8_t)carry;
		}
	}
	for (size_t i = 0; i < k / 2; i++) {
		uint8_t c = out[i];

		out[i] = out[k - 1 - i];
		out[k - 1 - i] = c;
	}
	*len = zeros + k;
	return 0;
}

/* ---- the bases ---- */

void gn_base32_encode(const void *p, size_t n, char *text)
{
	bits_encode(base32, 5, p, n, text);
}

int gn_base32_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len)
{
	return bits_decode(base32, digit_any_case, 5, text, n, out, room, len);
}

void gn_hex_encode(const void *p, size_t n, char *text)
{
	bits_encode(base16, 4, p, n, text);
}

int gn_hex_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len)
{
	return bits_decode(base16, digit_any_case, 4, text, n, out, room, len);
}

void gn_base64url_encode(const void *p, size_t n, char *text)
{
	bits_encode(base64url, 6, p, n, text);
}

int gn_base64url_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len)
{
	return bits_decode(base64url, digit, 6, text, n, out, room, len);
}

int gn_base64_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len)
{
	return bits_decode(base64, digit, 6, text, n, out, room, len);
}

void gn_base58_encode(const void *p, size_t n, char *text)
{
	big_encode(base58, 58, p, n, text);
}

int gn_base58_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len)
{
	return big_decode(base58, digit, 58, text, n, out, room, len);
}

void gn_base36_encode(const void *p, size_t n, char *text)
{
	big_encode(base36, 36, p, n, text);
}

int gn_base36_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len)
{
	return big_decode(base36, digit_any_case, 36, text, n, out, room, len);
}

/* Base64url with padding: the length is a multiple of four. */
static int padded_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len)
{
	size_t pad = 0;

	if (n % 4 != 0)
		return GN_EFORMAT;
	while (pad < 2 && pad < n && text[n - 1 - pad] == '=')
		pad++;
	return gn_base64url_decode(text, n - pad, out, room, len);
}

int gn_multibase_decode(const char *text, size_t n, uint8_t *out, size_t room, size_t *len)
{
	if (n == 0)
		return GN_EFORMAT;
	switch (text[0]) {
	case 'b':
	case 'B':
		return gn_base32_decode(text + 1, n - 1, out, room, len);
	case 'f':
	case 'F':
		return gn_hex_decode(text + 1, n - 1, out, room, len);
	case 'k':
	case 'K':
		return gn_base36_decode(text + 1, n - 1, out, room, len);
	case 'm':
		return gn_base64_decode(text + 1, n - 1, out, room, len);
	case 'u':
		return gn_base64url_decode(text + 1, n - 1, out, room, len);
	case 'U':
		return padded_decode(text + 1, n - 1, out, room, len);
	case 'z':
		return gn_base58_decode(text + 1, n - 1, out, room, len);
	default:
		return GN_EFORMAT;
	}
}
