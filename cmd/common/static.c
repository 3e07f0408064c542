/* SPDX-License-Identifier: MIT */
/*
 * For STATIC=1 only.  c-ares refers to getservbyname() and getservbyport_r() to look up service names,
 * which the tools do not use.  In a static program those functions would load the system's shared
 * libraries, and the linker warns about it.  The functions below replace them and find no service.
 */
#ifdef GN_STATIC

#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stddef.h>

/* The linker's --wrap option substitutes these. */
struct servent *__wrap_getservbyname(const char *name, const char *proto);
int __wrap_getservbyport_r(int port, const char *proto, struct servent *buf, char *room, size_t n,
			   struct servent **out);

struct servent *__wrap_getservbyname(const char *name, const char *proto)
{
	(void)name;
	(void)proto;
	return NULL;
}

int __wrap_getservbyport_r(int port, const char *proto, struct servent *buf, char *room, size_t n, struct servent **out)
{
	(void)port;
	(void)proto;
	(void)buf;
	(void)room;
	(void)n;
	*out = NULL;
	return ENOENT;
}

#else
typedef int gn_nothing_here; /* ISO C does not allow an empty translation unit */
#endif
