/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include <string.h>

void secret_wipe(void *p, size_t n)
{
	volatile unsigned char *at = p;

	while (n-- > 0)
		*at++ = 0;
}

void secret_hide_argument(char *arg)
{
	volatile char *at = strchr(arg, '#');

	if (at == NULL)
		return;
	for (at++; *at != '\0'; at++)
		*at = '*';
}
