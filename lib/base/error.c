/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gn.h"

/* clang-format off */
#define LIBRARY_ERRORS(X)                                                    \
	X(GN_EAGAIN, "nothing available at the moment")                      \
	X(GN_EOF, "end of stream")                                           \
	X(GN_ERESET, "the stream or connection was reset")                   \
	X(GN_ECLOSED, "closed at this end")                                  \
	X(GN_EPROTO, "the peer broke the protocol")                          \
	X(GN_EAUTH, "authentication or decryption failed")                   \
	X(GN_EPEERID, "a different peer than the one asked for")             \
	X(GN_EREFUSED, "identity or access refused")                         \
	X(GN_ENOPROTO, "the peer does not speak the protocol")               \
	X(GN_ETIMEOUT, "timed out")                                          \
	X(GN_ELIMIT, "a limit was hit")                                      \
	X(GN_EFORMAT, "malformed")                                           \
	X(GN_ETOOBIG, "larger than allowed")                                 \
	X(GN_ETRUNC, "truncated")                                            \
	X(GN_EUNREACH, "no address could be reached")                        \
	X(GN_ENONAME, "the name did not resolve")                            \
	X(GN_EKEYTYPE, "a key of a type that cannot be used here")           \
	X(GN_EKEYMODE, "the key file is open to others")                 \
	X(GN_ENOTRANS, "no transport for such an address")                   \
	X(GN_ESPACE, "the room given is too small")                          \
	X(GN_EGONE, "the session is going away")                             \
	X(GN_ENOTFOR, "not sealed for this key, or damaged")                 \
	X(GN_ECONTEXT, "sealed for another context")                         \
	X(GN_EORDER, "missing, repeated or out of order")                    \
	X(GN_ECONNS, "the peer takes no more connections (its limit conns)") \
	X(GN_EPERADDR, "the peer takes no more connections from this address (its limit conns-per-addr)") \
	X(GN_EZONE, "a link-local address needs its zone, the interface")    \
	X(GN_ENOZONE, "no such interface on this host")                      \
	X(GN_ENOADDR, "no address of the peer is known; write one in front of /p2p")

/* POSIX has strerror() but no function for names of errno values; these are the ones that programs
 * encounter. */
#define SYSTEM_ERRORS(X)                                                     \
	X(E2BIG) X(EACCES) X(EADDRINUSE) X(EADDRNOTAVAIL) X(EAFNOSUPPORT)    \
	X(EAGAIN) X(EALREADY) X(EBADF) X(EBADMSG) X(EBUSY) X(ECANCELED)      \
	X(ECHILD) X(ECONNABORTED) X(ECONNREFUSED) X(ECONNRESET) X(EDEADLK)   \
	X(EDESTADDRREQ) X(EDOM) X(EDQUOT) X(EEXIST) X(EFAULT) X(EFBIG)       \
	X(EHOSTUNREACH) X(EILSEQ) X(EINPROGRESS) X(EINTR) X(EINVAL) X(EIO)   \
	X(EISCONN) X(EISDIR) X(ELOOP) X(EMFILE) X(EMLINK) X(EMSGSIZE)        \
	X(ENAMETOOLONG) X(ENETDOWN) X(ENETRESET) X(ENETUNREACH) X(ENFILE)    \
	X(ENOBUFS) X(ENODEV) X(ENOENT) X(ENOEXEC) X(ENOLCK) X(ENOMEM)        \
	X(ENOPROTOOPT) X(ENOSPC) X(ENOSYS) X(ENOTCONN) X(ENOTDIR)            \
	X(ENOTEMPTY) X(ENOTSOCK) X(ENOTSUP) X(ENOTTY) X(ENXIO) X(EOVERFLOW)  \
	X(EPERM) X(EPIPE) X(EPROTO) X(EPROTONOSUPPORT) X(EPROTOTYPE)         \
	X(ERANGE) X(EROFS) X(ESPIPE) X(ESRCH) X(ESTALE) X(ETIMEDOUT)         \
	X(ETXTBSY) X(EXDEV)
/* clang-format on */

const char *gn_strerror(int err)
{
	static _Thread_local char text[128];

	switch (err) {
#define TEXT(code, text) \
	case code:       \
		return text;
		LIBRARY_ERRORS(TEXT)
#undef TEXT
	case 0:
		return "success";
	default:
		break;
	}
	/* -INT_MIN overflows, and no errno value is above 1000. */
	if (err > 0 || err <= -1000 || strerror_r(-err, text, sizeof(text)) != 0)
		return "unknown error";
	return text;
}

const char *gn_errname(int err)
{
	switch (err) {
#define NAME(code, text) \
	case code:       \
		return #code;
		LIBRARY_ERRORS(NAME)
#undef NAME
#define NAME(code)  \
	case -code: \
		return #code;
		SYSTEM_ERRORS(NAME)
#undef NAME
	case 0:
		return "OK";
	default:
		return "UNKNOWN";
	}
}
