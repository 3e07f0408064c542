/* SPDX-License-Identifier: MIT */
/*
 * For STATIC=1 only.  c-ares can look up the names of services, which nobody here asks
 * it for, and brings getservbyname() and getservbyport_r() along; in a static program those would
 * load the system's shared libraries (and the linker warns of it).  These know no service.
 */
#ifdef GN_STATIC

#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stddef.h>

/* In their place by the linker's --wrap. */
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
typedef int gn_nothing_here; /* ISO C wants something in a file */
#endif
