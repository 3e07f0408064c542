/* SPDX-License-Identifier: MIT */
/* accept4(), SOCK_NONBLOCK and SIOCOUTQ exist on Linux only. */
#define _GNU_SOURCE
#include "loop/socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/socket_addr.h"

/* The error of a call that failed on a connected socket. */
static int socket_error(void)
{
	return errno == ECONNRESET || errno == EPIPE ? GN_ERESET : -errno;
}

static bool would_block(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK;
}

static int stream_socket(const struct gn_sockaddr *a, int *fd)
{
	int family = a->family == 6 ? AF_INET6 : AF_INET;

	*fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return *fd < 0 ? -errno : 0;
}

/* A connect that is interrupted continues in the background. */
static int socket_connect(int fd, const struct gn_sockaddr *to)
{
	struct sockaddr_storage sa;
	socklen_t len = gn_sockaddr_encode(to, &sa);

	return connect(fd, (struct sockaddr *)&sa, len) == 0 || errno == EINPROGRESS || errno == EINTR ? 0 : -errno;
}

int gn_socket_dial(const struct gn_sockaddr *to, int *out)
{
	int fd, err = stream_socket(to, &fd);

	if (err != 0)
		return err;
	err = socket_connect(fd, to);
	if (err != 0)
		close(fd);
	else
		*out = fd;
	return err;
}

/* Binds a socket that will connect from the address of a listener.  SO_REUSEADDR is set, because without it the
 * connection, and its TIME_WAIT state, would keep the address from being listened on again. */
static int socket_bind_shared(int fd, const struct gn_sockaddr *from)
{
	static const int one = 1;
	struct sockaddr_storage sa;
	socklen_t len = gn_sockaddr_encode(from, &sa);

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0 ||
	    (from->family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) != 0) ||
	    bind(fd, (struct sockaddr *)&sa, len) != 0)
		return -errno;
	return 0;
}

int gn_socket_dial_from(const struct gn_sockaddr *to, const struct gn_sockaddr *from, int *out)
{
	int fd, err = stream_socket(to, &fd);

	if (err != 0)
		return err;
	err = socket_bind_shared(fd, from);
	if (err == 0)
		err = socket_connect(fd, to);
	if (err != 0)
		close(fd);
	else
		*out = fd;
	return err;
}

int gn_socket_share(int listener)
{
	static const int one = 1;

	return setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0 ? 0 : -errno;
}

int gn_socket_source(const struct gn_sockaddr *to, struct gn_sockaddr *from)
{
	int fd = socket(to->family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	err = socket_connect(fd, to);
	if (err == 0)
		err = gn_socket_local(fd, from);
	close(fd);
	return err;
}

int gn_socket_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof err;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		return -errno;
	return -err;
}

int gn_socket_listen(const struct gn_sockaddr *at, int backlog, int *out)
{
	static const int one = 1;
	struct sockaddr_storage sa;
	socklen_t len = gn_sockaddr_encode(at, &sa);
	int fd, err = stream_socket(at, &fd);

	if (err != 0)
		return err;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
	    (at->family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) != 0) ||
	    bind(fd, (struct sockaddr *)&sa, len) != 0 || listen(fd, backlog) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

/* Errors of accept(2) that concern one pending connection, and not the listener. */
static bool is_accept_transient(int err)
{
	switch (err) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case EPERM: /* a firewall forbids it */
		return true;
	}
	return false;
}

int gn_socket_accept(int listener, int *out, struct gn_sockaddr *remote)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd, tries;

	for (tries = 0; tries < 16; tries++) {
		len = sizeof sa;
		fd = accept4(listener, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			if (gn_sockaddr_decode(&sa, len, remote) == 0) {
				*out = fd;
				return 0;
			}
			close(fd);
		} else if (!is_accept_transient(errno)) {
			return would_block() ? GN_EAGAIN : -errno;
		}
	}
	return GN_EAGAIN;
}

static ptrdiff_t receive(int fd, void *buf, size_t n, int flags)
{
	ssize_t got;

	do
		got = recv(fd, buf, n, flags);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		return got;
	if (got == 0)
		return GN_EOF;
	return would_block() ? GN_EAGAIN : socket_error();
}

ptrdiff_t gn_socket_read(int fd, void *buf, size_t n)
{
	return receive(fd, buf, n, MSG_DONTWAIT);
}

ptrdiff_t gn_socket_skip(int fd)
{
	uint8_t buf[16 << 10]; /* MSG_TRUNC needs no buffer, but memory checkers do not know it */

	return receive(fd, buf, sizeof buf, MSG_DONTWAIT);
}

ptrdiff_t gn_socket_write(int fd, const struct iovec *v, int n)
{
	struct msghdr msg = {.msg_iovlen = (size_t)(n < GN_SOCKET_VIEWS ? n : GN_SOCKET_VIEWS)};
	ssize_t sent;

	memcpy(&msg.msg_iov, &v,
	       sizeof v); /* sendmsg() does not write to the views, but its declaration lacks the const */
	do                /* send() takes less time for a single view */
		sent = n == 1 ? send(fd, v->iov_base, v->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL)
			      : sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return sent;
	return would_block() ? GN_EAGAIN : socket_error();
}

int gn_socket_end(int fd)
{
	if (shutdown(fd, SHUT_WR) == 0)
		return 0;
	/* The connection was reset before. */
	return errno == ENOTCONN ? GN_ERESET : -errno;
}

void gn_socket_close(int fd)
{
	close(fd);
}

void gn_socket_reset(int fd)
{
	static const struct linger now = {.l_onoff = 1};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

void gn_socket_tune(int fd, size_t notsent)
{
	static const int one = 1;
	int low = notsent < INT32_MAX ? (int)notsent : INT32_MAX;

	/* A failure costs speed only, so it is ignored. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (low > 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof low);
}

size_t gn_socket_unacked(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

int gn_socket_local(int fd, struct gn_sockaddr *out)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;

	if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
		return -errno;
	return gn_sockaddr_decode(&sa, len, out);
}

int gn_socket_remote(int fd, struct gn_sockaddr *out)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;

	if (getpeername(fd, (struct sockaddr *)&sa, &len) != 0)
		return -errno;
	return gn_sockaddr_decode(&sa, len, out);
}
