/* SPDX-License-Identifier: MIT */
#include "protocol.h"

#include <string.h>

int protocol_check(const char *id, struct fault *f)
{
	size_t n = strlen(id);

	if (n == 0)
		return fault_set(f, "PROTO is empty");
	if (n > PROTOCOL_MAX)
		return fault_set(f, "PROTO '%.40s...' is longer than %d bytes", id, PROTOCOL_MAX);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)id[i] < 0x20 || id[i] == 0x7f)
			return fault_set(f, "PROTO '%.200s' has a control character at character %zu", id, i + 1);
	if (id[0] != '/')
		return fault_set(f, "PROTO '%.200s' does not begin with a '/'", id);
	return 0;
}
