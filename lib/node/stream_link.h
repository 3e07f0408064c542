/* SPDX-License-Identifier: MIT */
/*
 * A link over a stream: what a transport that reaches its peers through streams of other connections, such as a circuit
 * through a relay, hands to gn_link_dial_cfg.on_done or gn_link_listen_cfg.on_link.  The connection that is built on it is
 * nested in the one that carries the stream.
 *
 * The link has pipes (struct gn_link_pipes): those of the stream.  The nested connection seals its records into the
 * stream's pipe, from where the carrier's security seals them into the send buffer, and opens the records that it receives
 * in place in the receive buffer.  Bytes that its layers have not taken out of the pipe keep the window of the stream
 * closed and are charged to the stream.  What is behind them in the nested connection's own streams is charged to those,
 * and keeps only their windows closed, so that one slow reader does not block the others.
 *
 * The carrier is not freed before its streams are closed, so it outlives the links over it.  When it closes in good order,
 * nested connections close first; when it is gone, they fail first, with its error.
 */
#ifndef GN_NODE_STREAM_LINK_H
#define GN_NODE_STREAM_LINK_H

#include "node/stream.h"
#include "transport/transport.h"

enum { GN_STREAM_LINK_DEPTH = 4 }; /* links on top of each other, at most */

/* Makes a link over a stream whose protocol is negotiated.  What the stream has received and not consumed is the first
 * that the link delivers.  On success the stream belongs to the link, and *stream is as one that is not open; its owner
 * frees the memory.  The addresses are copied.  May be called from inside an event of the stream.
 *
 * 0; -EINVAL: the protocol is not negotiated yet; the error of a stream that has failed; GN_ECLOSED: its sending side was
 * ended; GN_ELIMIT: more than GN_STREAM_LINK_DEPTH connections would be nested; -ENOMEM. */
int gn_stream_link_new(struct gn_stream *stream, const struct gn_multiaddr *remote, const struct gn_multiaddr *local,
		       struct gn_link **out);
/* The connection that carries the link; NULL: the link is not over a stream. */
struct gn_conn *gn_stream_link_carrier(const struct gn_link *link);

/* For the node: the connection is about to close in good order (err 0), or is gone.  Calls on_conn of its streams. */
void gn_stream_links_notify(struct gn_conn *conn, int err);
/* Whether every stream of the connection carries another one; also if it has none. */
bool gn_stream_links_are_all(const struct gn_conn *conn);

#endif
