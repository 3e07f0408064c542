/* SPDX-License-Identifier: MIT */
#include "addr/protocols.h"

#include <errno.h>
#include <string.h>

#include "addr/values.h"

/* Sorted by code.  gn_protocols_find_name() has the aliases. */
static const struct gn_multiaddr_protocol table[] = {
	{4, 4, "ip4", &gn_value_ip4, false},
	{6, 2, "tcp", &gn_value_u16, false},
	{33, 2, "dccp", &gn_value_u16, false},
	{41, 16, "ip6", &gn_value_ip6, false},
	{42, GN_PROTOCOL_VAR, "ip6zone", &gn_value_name, false},
	{43, 1, "ipcidr", &gn_value_u8, false},
	{53, GN_PROTOCOL_VAR, "dns", &gn_value_name, false},
	{54, GN_PROTOCOL_VAR, "dns4", &gn_value_name, false},
	{55, GN_PROTOCOL_VAR, "dns6", &gn_value_name, false},
	{56, GN_PROTOCOL_VAR, "dnsaddr", &gn_value_name, false},
	{132, 2, "sctp", &gn_value_u16, false},
	{273, 2, "udp", &gn_value_u16, false},
	{275, 0, "p2p-webrtc-star", NULL, false},
	{276, 0, "p2p-webrtc-direct", NULL, false},
	{280, 0, "webrtc-direct", NULL, false},
	{281, 0, "webrtc", NULL, false},
	{290, 0, "p2p-circuit", NULL, false},
	{301, 0, "udt", NULL, false},
	{302, 0, "utp", NULL, false},
	{400, GN_PROTOCOL_VAR, "unix", &gn_value_path, true},
	{421, GN_PROTOCOL_VAR, "p2p", &gn_value_peer, false},
	{443, 0, "https", NULL, false},
	{444, 12, "onion", &gn_value_onion, false},
	{445, 37, "onion3", &gn_value_onion3, false},
	{446, GN_PROTOCOL_VAR, "garlic64", &gn_value_garlic64, false},
	{447, GN_PROTOCOL_VAR, "garlic32", &gn_value_garlic32, false},
	{448, 0, "tls", NULL, false},
	{449, GN_PROTOCOL_VAR, "sni", &gn_value_name, false},
	{454, 0, "noise", NULL, false},
	{460, 0, "quic", NULL, false},
	{461, 0, "quic-v1", NULL, false},
	{465, 0, "webtransport", NULL, false},
	{466, GN_PROTOCOL_VAR, "certhash", &gn_value_hash, false},
	{477, 0, "ws", NULL, false},
	{478, 0, "wss", NULL, false},
	{480, 0, "http", NULL, false},
	{481, GN_PROTOCOL_VAR, "http-path", &gn_value_http_path, false},
	{777, 8, "memory", &gn_value_u64, false},
};

#define TABLE_LEN (sizeof(table) / sizeof(table[0]))

/* Protocols that the program added.  They are kept for the life of the process. */
#define OWN_MAX 32
#define OWN_NAME_MAX 32
#define OWN_SIZE_MAX 255
#define OWN_FIRST 0x300000
#define OWN_LAST 0x3fffff

static struct {
	struct gn_multiaddr_protocol protocol;
	char name[OWN_NAME_MAX];
} own[OWN_MAX];
static size_t n_own;

const struct gn_multiaddr_protocol *gn_protocols_find(uint64_t code)
{
	size_t low = 0, high = TABLE_LEN;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (table[mid].code == code)
			return &table[mid];
		if (table[mid].code < code)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t i = 0; i < n_own; i++)
		if (own[i].protocol.code == code)
			return &own[i].protocol;
	return NULL;
}

static bool is_name(const char *name, const char *text, size_t n)
{
	return strncmp(name, text, n) == 0 && name[n] == '\0';
}

const struct gn_multiaddr_protocol *gn_protocols_find_name(const char *name, size_t n)
{
	if (is_name("ipfs", name, n))
		return gn_protocols_find(421);
	for (size_t i = 0; i < TABLE_LEN; i++)
		if (is_name(table[i].name, name, n))
			return &table[i];
	for (size_t i = 0; i < n_own; i++)
		if (is_name(own[i].name, name, n))
			return &own[i].protocol;
	return NULL;
}

int gn_multiaddr_protocol_add(uint32_t code, const char *name, int size)
{
	const struct gn_multiaddr_protocol *by_code = gn_protocols_find(code);
	size_t n = strlen(name);
	const struct gn_multiaddr_protocol *by_name = gn_protocols_find_name(name, n);

	if (code < OWN_FIRST || code > OWN_LAST || size < GN_PROTOCOL_VAR || size > OWN_SIZE_MAX)
		return GN_EFORMAT;
	if (n == 0 || n >= OWN_NAME_MAX || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != n)
		return GN_EFORMAT;
	if (by_code != NULL && by_code == by_name && by_code->size == size)
		return 0; /* two libraries in one program may add the same protocol */
	if (by_code != NULL || by_name != NULL)
		return -EEXIST;
	if (n_own == OWN_MAX)
		return GN_ELIMIT;
	memcpy(own[n_own].name, name, n + 1);
	own[n_own].protocol = (struct gn_multiaddr_protocol){
		.code = code,
		.size = size,
		.name = own[n_own].name,
		.value = size == 0                 ? NULL
			 : size == GN_PROTOCOL_VAR ? &gn_value_name
						   : &gn_value_hex,
	};
	n_own++;
	return 0;
}
