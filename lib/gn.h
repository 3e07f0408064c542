/* SPDX-License-Identifier: MIT */
/*
 * gn.h: the net API of golem-net, and the only header that a program needs.
 *
 * A program creates a loop and a node on it, registers the protocols that the node serves,
 * listens, dials, and then reads and writes channels.  Everything runs on the thread that runs
 * the loop; only gn_loop_run() blocks.
 *
 * Conventions
 *   - A function that can fail returns 0 or a negative int: -errno for an error of the system, or
 *     one of enum gn_error.  gn_strerror() returns its text.
 *   - What _new creates, the caller frees with _free.  A `const T *` parameter is borrowed for the
 *     call.  Out-parameters come last and are untouched on failure.
 *   - Times are gn_time, in nanoseconds.  Instants are on the loop's clock, which only goes forward,
 *     and stands still while this process is stopped.  Sizes are in bytes.
 *   - A callback never runs inside the call that arranged for it, and never after that was cancelled
 *     or freed.  Inside a callback any function of this header may be called, except gn_loop_free()
 *     and gn_node_free(), unless the callback's contract says otherwise.
 */
#ifndef GN_H
#define GN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GN_VERSION "0.1.0"

typedef int64_t gn_time; /* nanoseconds */
#define GN_USEC ((gn_time)1000)
#define GN_MSEC ((gn_time)1000000)
#define GN_SEC ((gn_time)1000000000)
#define GN_NEVER INT64_MAX

/* ---- errors (lib/base/error.c) ------------------------------------------------ */

enum gn_error {
	GN_EAGAIN = -1000,   /* nothing available now; an event follows */
	GN_EOF = -1001,      /* the peer has ended its direction of the stream */
	GN_ERESET = -1002,   /* the stream or connection was reset; data may be short */
	GN_ECLOSED = -1003,  /* closed by this side */
	GN_EPROTO = -1004,   /* the peer violated the protocol */
	GN_EAUTH = -1005,    /* a handshake, signature or decryption failed */
	GN_EPEERID = -1006,  /* the peer has another id than the one that was dialed */
	GN_EREFUSED = -1007, /* the peer refuses this identity, or this node refuses the peer's */
	GN_ENOPROTO = -1008, /* the peer does not speak the protocol */
	GN_ETIMEOUT = -1009, /* a time limit expired */
	GN_ELIMIT = -1010,   /* a limit was reached */
	GN_EFORMAT = -1011,  /* malformed text or data */
	GN_ETOOBIG = -1012,  /* larger than allowed */
	GN_ETRUNC = -1013,   /* ended in the middle of a message, frame or record */
	GN_EUNREACH = -1014, /* no address of the peer could be reached */
	GN_ENONAME = -1015,  /* a name did not resolve, or an address has no peer id */
	GN_EKEYTYPE = -1016, /* a key of a type that is not supported here */
	GN_EKEYMODE = -1017, /* other users may read the key file */
	GN_ENOTRANS = -1018, /* no transport serves such an address */
	GN_ESPACE = -1019,   /* the given buffer is too small */
	GN_EGONE = -1020,    /* the peer sent Go Away, or the connection ended */
	GN_ENOTFOR = -1021,  /* sealed for others: this key is not a recipient */
	GN_ECONTEXT = -1022, /* sealed for another context */
	GN_EORDER = -1023,   /* a message is missing, repeated, or of another sequence */
	GN_ECONNS = -1024,   /* the peer has reached its limit of connections */
	GN_EPERADDR = -1025, /* it has reached its limit of connections from this address */
	GN_EZONE = -1026,    /* a link-local IPv6 address without a zone (interface) */
	GN_ENOZONE = -1027,  /* a zone names no interface of this host */
	GN_ENOADDR = -1028,  /* no address of the peer is known */
};

/* The text for an error, without a newline, in static or thread-local storage; never NULL.
 * All unknown codes have the same text. */
const char *gn_strerror(int err);
/* The name of a code, as in JSON output: "GN_ERESET", "ECONNREFUSED". */
const char *gn_errname(int err);

/* ---- log (lib/base/log.c) ----------------------------------------------------- */

struct gn_multiaddr; /* a multiaddr in its binary form; see "addresses" below */

enum gn_log_level { GN_LOG_ERROR, GN_LOG_NOTICE, GN_LOG_INFO, GN_LOG_DEBUG };

/* remote: the address of the peer that the line is about, so that the program can limit the lines per address;
 * NULL when the line is about no peer.  The line has no newline and has passed gn_text_filter(). */
typedef void gn_log_cb(void *arg, enum gn_log_level level, const struct gn_multiaddr *remote, const char *line);

/* Sends every line that the library logs at levels up to max to cb.  Before the first call nothing is logged.
 * The setting is one for the whole process. */
void gn_log_on_line(enum gn_log_level max, gn_log_cb *cb, void *arg);

/* ---- text that a peer chose (lib/base/text.c) ---------------------------------- */

/* A text that a peer chose (its agent, a protocol's name, a frame) may contain control sequences for a terminal, or
 * characters that disguise it.  Safe to display are the characters of well-formed UTF-8, except
 *   U+0000..001F, U+007F, U+0080..009F                 controls: C0, DEL, C1
 *   U+061C, U+200E, U+200F, U+202A..202E, U+2066..2069  bidirectional controls
 *   U+2028, U+2029                                     line and paragraph separator
 * Overlong forms, surrogates, code points above U+10FFFF and stray bytes are not well-formed. */

/* Returns the length of the character at text[0..n), n > 0, and whether it is safe.  A byte that is not part of
 * well-formed UTF-8 is an unsafe character of length 1. */
size_t gn_text_next(const char *text, size_t n, bool *is_safe);
/* Copies n bytes of text with '?' in place of each unsafe character, as many whole characters as fit into room
 * bytes (> 0) with a final NUL.  Returns the length without the NUL, which is never more than n.  out may be text. */
size_t gn_text_filter(const char *text, size_t n, char *out, size_t room);

/* ---- bytes: varints, base32, random (lib/base) -------------------------------- */

#define GN_UVARINT_MAX 9 /* bytes; multiformats' unsigned-varint: 63 bits, minimal */

/* Writes v into buf and returns the number of bytes (1 to GN_UVARINT_MAX). */
size_t gn_uvarint_encode(uint64_t v, uint8_t buf[GN_UVARINT_MAX]);
/* Reads a varint.  Returns the number of bytes that it has (> 0), GN_EAGAIN when the n bytes are
 * the beginning of one, or GN_EFORMAT when it is too long or not minimal. */
int gn_uvarint_decode(const uint8_t *p, size_t n, uint64_t *v);

void gn_random(void *buf, size_t n); /* cryptographically secure */

/* RFC 4648 base32, lower case, no padding.  text has room for n * 8 / 5 + 2 bytes. */
void gn_base32_encode(const void *p, size_t n, char *text);

/* ---- the loop (lib/loop) ------------------------------------------------------ */

struct gn_loop;
struct gn_timer;
struct gn_watch;

int gn_loop_new(struct gn_loop **out);
/* All that was created on the loop has to be freed before. */
void gn_loop_free(struct gn_loop *loop);
/* Runs until gn_loop_stop() is called, or nothing is left to wait for.  Returns 0 or -errno. */
int gn_loop_run(struct gn_loop *loop);
void gn_loop_stop(struct gn_loop *loop);
/* The loop's clock, as it was read before the current callback.  It does not count the time for which
 * this process was stopped, or blocked in a callback for more than a second. */
gn_time gn_loop_now(struct gn_loop *loop);

/* A timer that fires once, `delay` after gn_timer_start().  Starting it again replaces the delay. */
int gn_timer_new(struct gn_loop *loop, void (*cb)(void *arg), void *arg, struct gn_timer **out);
void gn_timer_free(struct gn_timer *t);
void gn_timer_start(struct gn_timer *t, gn_time delay);
void gn_timer_stop(struct gn_timer *t);

/* Watches a descriptor, level-triggered.  The caller keeps the descriptor, and its flags are not
 * changed.  A regular file is always ready. */
enum gn_ready { GN_READABLE = 1, GN_WRITABLE = 2 };
int gn_watch_new(struct gn_loop *loop, int fd, void (*cb)(void *arg, unsigned ready), void *arg, struct gn_watch **out);
void gn_watch_free(struct gn_watch *w);
void gn_watch_start(struct gn_watch *w, unsigned ready); /* replaces the set; 0 stops */

/* ---- identities (lib/id) ------------------------------------------------------ */

#define GN_PEER_ID_MAX 46       /* bytes of the multihash: sha2-256 has 34, an inlined key up to 44 */
#define GN_PEER_ID_TEXT_MAX 128 /* room for any textual form with its NUL */

/* A peer id: a multihash (specs peer-ids/peer-ids.md).  Unused bytes are zero, so ids may be
 * compared with gn_peer_id_is_equal() or memcmp(). */
struct gn_peer_id {
	uint8_t len; /* 0: none */
	uint8_t bytes[GN_PEER_ID_MAX];
};

/* Reads every textual form: base58btc, and CIDv1 in base32, base36, base58btc, hex, base64url.  GN_EFORMAT. */
int gn_peer_id_parse(const char *text, struct gn_peer_id *out);
/* Writes base58btc and returns text. */
char *gn_peer_id_format(const struct gn_peer_id *id, char text[GN_PEER_ID_TEXT_MAX]);
/* Reads the multihash as it is on the wire.  GN_EFORMAT. */
int gn_peer_id_decode(const uint8_t *p, size_t n, struct gn_peer_id *out);
bool gn_peer_id_is_equal(const struct gn_peer_id *a, const struct gn_peer_id *b);

/* A private identity key. */
struct gn_key;

int gn_key_new(struct gn_key **out);  /* a fresh Ed25519 key */
void gn_key_free(struct gn_key *key); /* wipes it; NULL is allowed */
void gn_key_id(const struct gn_key *key, struct gn_peer_id *out);
/* The serialised PublicKey protobuf; the key owns it. */
const uint8_t *gn_key_public(const struct gn_key *key, size_t *len);
/* Reads libp2p's private-key file, which is the raw PrivateKey protobuf.  Errors as
 * gn_key_file_read_any(). */
int gn_key_file_read(const char *path, struct gn_key **out);
/* Writes a new file with mode 0600; -EEXIST when there is one already.  The file appears only after all of it is
 * on the disk. */
int gn_key_file_write(const char *path, const struct gn_key *key);

/* Formats of key files, libp2p's and those of other programs. */
enum gn_key_form {
	GN_KEY_FORM_LIBP2P,  /* the PrivateKey protobuf; of a public key, the PublicKey protobuf in base64 */
	GN_KEY_FORM_PEM,     /* openssl's: PKCS#8, SubjectPublicKeyInfo (RFC 8410) */
	GN_KEY_FORM_OPENSSH, /* ssh-keygen's: openssh-key-v1; "ssh-ed25519 ..." */
};

#define GN_PASSPHRASE_MAX 1024
/* Writes the passphrase of an encrypted key file to buf, which the caller wipes, and returns its length,
 * or a negative error, which the reading function then returns. */
typedef int gn_passphrase_cb(void *arg, char buf[GN_PASSPHRASE_MAX]);

/* Reads a file of any of these formats.  ask, which may be NULL, is called at most once, when the key is
 * encrypted.  -errno; GN_EKEYMODE: others may read the file; GN_EFORMAT; GN_EKEYTYPE: not an Ed25519 key, or
 * encrypted by an unsupported method; GN_EAUTH: the passphrase is wrong, or ask is NULL. */
int gn_key_file_read_any(const char *path, gn_passphrase_cb *ask, void *arg, struct gn_key **out);
/* Options of gn_key_file_read_cfg().  All zero: as gn_key_file_read(). */
struct gn_key_file_cfg {
	bool any_form;         /* accept PEM and OpenSSH, too */
	bool any_mode;         /* accept a file that others may read or write, such as a mounted secret */
	gn_passphrase_cb *ask; /* may be NULL */
	void *ask_arg;
};
/* Reads a regular file or a pipe.  Errors as gn_key_file_read_any(); -EISDIR; GN_EFORMAT for a device. */
int gn_key_file_read_cfg(const char *path, const struct gn_key_file_cfg *cfg, struct gn_key **out);
/* As gn_key_file_write(), in the given format, not encrypted. */
int gn_key_file_write_as(const char *path, const struct gn_key *key, enum gn_key_form form);
/* The public key as text without a final newline, which the caller frees with free(); NULL when there is no
 * memory. */
char *gn_key_public_format(const struct gn_key *key, enum gn_key_form form);
/* The peer id of a public key in one of these formats; in ssh's it is a line of authorized_keys, of known_hosts or
 * of a .pub file.  GN_EFORMAT; GN_EKEYTYPE: a PEM or ssh key that is not an Ed25519 key. */
int gn_key_public_parse(const char *text, struct gn_peer_id *out);

/* ---- addresses (lib/addr) ----------------------------------------------------- */

/* A multiaddr in its binary form; immutable. */
struct gn_multiaddr;

/* On failure *where, if where is not NULL, is the offset of the error in text. */
int gn_multiaddr_parse(const char *text, struct gn_multiaddr **out, size_t *where);
int gn_multiaddr_decode(const uint8_t *p, size_t n, struct gn_multiaddr **out);
void gn_multiaddr_free(struct gn_multiaddr *a);
/* The text, which the caller frees with free(); NULL when there is no memory. */
char *gn_multiaddr_format(const struct gn_multiaddr *a);
const uint8_t *gn_multiaddr_bytes(const struct gn_multiaddr *a, size_t *len);
bool gn_multiaddr_is_equal(const struct gn_multiaddr *a, const struct gn_multiaddr *b);
/* The id of a /p2p component at the end of the address.  GN_ENONAME: the address does not end with one. */
int gn_multiaddr_peer(const struct gn_multiaddr *a, struct gn_peer_id *out);

/* Adds a private-use component (multicodec 0x300000 to 0x3fffff) to those that parse, format and decode
 * know.  size: bytes of its value, 0 for none, -1 for a length-prefixed string. */
int gn_multiaddr_protocol_add(uint32_t code, const char *name, int size);

/* ---- components (lib/defaults.c) ---------------------------------------------- */

struct gn_transport_ops;
struct gn_security_ops;
struct gn_muxer_ops;
struct gn_service_ops;

/* The components of a node: lists that end with NULL, the preferred component first.  Only the components that a
 * program names are linked into it. */
struct gn_components {
	const struct gn_transport_ops *const *transports;
	const struct gn_security_ops *const *securities;
	const struct gn_muxer_ops *const *muxers;
	const struct gn_service_ops *const *services;
};

extern const struct gn_transport_ops gn_transport_tcp;
extern const struct gn_transport_ops gn_transport_mem;
extern const struct gn_security_ops gn_security_noise;
extern const struct gn_muxer_ops gn_muxer_yamux;
extern const struct gn_service_ops gn_service_identify;
extern const struct gn_service_ops gn_service_ping;

extern const struct gn_components gn_components_stock; /* tcp, noise, yamux, identify, ping */

/* ---- the node (lib/node, lib/api) --------------------------------------------- */

/* Limits; the number at the right of each is the default, which gn_limits_init() sets and 0 stands for.  "An address" is an IPv4
 * address or an IPv6 /64.
 *
 * Silence is a time in which no byte arrives and the remote host acknowledges none of the bytes that wait for it;
 * so a connection on a slow path stays open.  A connection that is silent for `keepalive` and then `ping`, 60 s in
 * all, ends with GN_ETIMEOUT.  With keepalive GN_NEVER only a ping that measures the round trip can end it, `ping` after
 * it was sent.  No limit counts the time for which this process was stopped (gn_loop_now()).
 *
 * accept, attempt and negotiate are extended, up to three times, while bytes of the handshake keep arriving, or
 * while bytes of other streams are ahead of the protocol selection; so is dial, unless the caller has set a limit.
 * The selection of an outbound stream continues while the peer is silent, until the connection ends.
 *
 * A peer beyond conns or conns_per_addr is notified of the limit after the handshake and the gate: its channels
 * fail with GN_ECONNS or GN_EPERADDR.  Only a few are notified at the same time; others are cut off.  A node with
 * all connections in use closes one without a stream, from the address that has the most, for a new one from an
 * address that has fewer.  conns_per_addr does not apply to the loopback.  Pending connections never block new ones:
 * when there are too many, the oldest one of the address that has the most is closed.
 *
 * memory counts what is held: received bytes that were not read, unsent bytes, partial frames, and windows beyond
 * their first 256 KiB.  No peer may hold more than memory_per_peer, and no address more than is free for all others;
 * past that a peer gets no new stream and no larger window, and a stream that needs more is reset.
 *
 * Of inbound streams without a protocol that are older than a second, a connection may have 16 and an address 64; an
 * address may have 256 in all.  A stream beyond that is reset. */
struct gn_limits {
	unsigned conns;            /* connections in all, except pending ones  1024 */
	unsigned conns_low;        /* of the manager, see gn_peer.h          4/5 of conns_high */
	unsigned conns_high;       /* likewise                               15/16 of conns */
	unsigned conns_per_addr;   /* of them, inbound from one address        16 */
	unsigned conns_pending;    /* inbound, whose handshake is not done     64 */
	unsigned dials;            /* attempts of dials at once; others wait   64 */
	unsigned streams_per_conn; /* inbound streams of a connection          256 */
	unsigned streams_per_peer; /* inbound streams of a peer                512 */
	size_t memory;             /* of all connections                       256 MiB */
	size_t memory_per_peer;    /* of that, for one peer                    an eighth of memory */
	size_t window;             /* the largest window of one stream         64 MiB */
	gn_time accept;            /* from accept to a multiplexed connection  10 s */
	gn_time first_stream;      /* from there to the first inbound stream   60 s;
				    * starts again while a stream of this node runs */
	gn_time negotiate;         /* the protocol selection of a stream       10 s */
	gn_time dial;              /* a whole dial, unless it sets its own     15 s */
	gn_time attempt;           /* the handshake with one address of it     10 s */
	gn_time ping;              /* silence after `keepalive` until the end  45 s */
	gn_time keepalive;         /* silence until a ping is sent; GN_NEVER    15 s */
	gn_time idle;              /* until a connection without a stream is closed  GN_NEVER */
};

struct gn_node;
struct gn_event;

/* The configuration of one component, in a form that its header defines. */
struct gn_component_cfg {
	const void *component; /* its ops, such as &gn_transport_tcp */
	const void *config;    /* NULL: its defaults */
};

struct gn_node_cfg {
	struct gn_loop *loop;
	const struct gn_key *key; /* copied */
	const struct gn_components *components;
	/* Ends with an entry whose component is NULL; borrowed until gn_node_new() returns.  What is not listed has its
	 * defaults.  NULL: all have.  One that is not among the components, or takes no configuration, is -EINVAL. */
	const struct gn_component_cfg *configs;
	const char *agent; /* identify's agentVersion; NULL: "golem-net/VERSION" */
	struct gn_limits limits;
	/* Decides whether a peer is accepted, once it has proved its identity, in both directions.  Returns 0, or
	 * an error, usually GN_EREFUSED, which is also sent to the peer.  May be NULL. */
	int (*gate)(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote, bool inbound);
	/* A peer opened a stream for a protocol that this node does not serve, and was answered so.  protocol: the
	 * peer's proposal, at most 1022 bytes; not safe to display, and it may contain a secret; valid during the
	 * call.  Of proposals that arrive together only the last is reported.  May be NULL. */
	void (*on_unknown_protocol)(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote,
				    const char *protocol);
	/* The state of the node has changed: peers, paths, own addresses, listeners; see gn_event.h.  May be NULL. */
	void (*on_event)(void *arg, const struct gn_event *event);
	void *arg;
};

void gn_limits_init(struct gn_limits *limits);
/* Sets the defaults: the stock components, and limits as above.  A program with components of its own starts from
 * an all-zero struct and gn_limits_init(), so that no others are linked. */
void gn_node_cfg_init(struct gn_node_cfg *cfg);
int gn_node_new(const struct gn_node_cfg *cfg, struct gn_node **out); /* -EINVAL, -ENOMEM */
/* Closes the node in good order: it accepts no new streams, waits until the open ones have ended, and closes every
 * connection; then it calls done() once.  After `limit`, channels that the program still holds are reset.  Bytes
 * written to a channel that was ended and freed are still sent, however long that takes, unless the peer is silent
 * for `keepalive` and `ping` of the limits.  GN_ECLOSED: the node is closing already. */
int gn_node_close(struct gn_node *node, gn_time limit, void (*done)(void *arg), void *arg);
/* Frees the node and its channels and operations at once.  None of their callbacks is called, and the program must
 * not use them any more. */
void gn_node_free(struct gn_node *node);
void gn_node_id(const struct gn_node *node, struct gn_peer_id *out);

/* Listens on addr; port 0 lets the system choose.  *bound, if bound is not NULL, is the address that is bound, with
 * /p2p/ID, which the caller frees; NULL when the listener is not up yet, as that on a relay.  GN_ENOTRANS, -ENOMEM,
 * -errno.  gn_listener.h has listeners that are closed one by one, and that come up later. */
int gn_node_listen(struct gn_node *node, const struct gn_multiaddr *addr, struct gn_multiaddr **bound);
void gn_node_unlisten(struct gn_node *node); /* closes all listeners */
/* The addresses to give to others, with /p2p/ID: a wildcard is replaced by each address of this host, and those that
 * others are likeliest to reach come first.  The caller frees the array of *n with gn_multiaddrs_free(). */
int gn_node_addrs(const struct gn_node *node, struct gn_multiaddr ***out, size_t *n);
/* Announces one more address at which others reach this node, such as that of a port forwarding: gn_node_addrs()
 * returns it first, and peers are notified.  GN_EPEERID: it ends with another peer's id; GN_ENONAME: it is an id alone;
 * GN_ENOTRANS: it names a host without a port; GN_ELIMIT: 64 are announced; -ENOMEM. */
int gn_addr_announce(struct gn_node *node, const struct gn_multiaddr *addr);
/* No longer announces the address.  GN_ENONAME: it was not announced; GN_EPEERID, -ENOMEM. */
int gn_addr_withdraw(struct gn_node *node, const struct gn_multiaddr *addr);
void gn_multiaddrs_free(struct gn_multiaddr **a, size_t n);

struct gn_metrics {
	uint64_t bytes_in, bytes_out;   /* of the application, without the overhead on the wire */
	uint64_t frames_in, frames_out; /* of frame channels */
	gn_time rtt;                    /* smoothed round trip of the connection; 0: unknown */
	gn_time age;                    /* since the opening */
	gn_time silence;                /* since the last byte was received from the peer */
	uint64_t channels, conns;       /* that are open now */
};
void gn_node_metrics(const struct gn_node *node, struct gn_metrics *out);

/* ---- channels (lib/api) ------------------------------------------------------- */

/* A channel is a stream of bytes or of frames to a peer.  The program owns it and may free it at any time. */
struct gn_channel;

enum gn_channel_kind {
	GN_BYTES,
	GN_FRAMES, /* uvarint length, then that many bytes */
};

#define GN_FRAME_MAX ((size_t)1 << 20) /* default of max_frame */

enum gn_channel_event {
	GN_CAN_READ = 1,  /* there is something to read, or the end of the stream */
	GN_CAN_WRITE = 2, /* there is room again after GN_EAGAIN */
	GN_OPENED = 4,    /* the peer has accepted the protocol; data may have been sent before */
	GN_DRAINED = 8,   /* after gn_channel_end(): all bytes and the end have been passed to the network */
	GN_ACKED = 32,    /* the bytes before gn_channel_sync() have reached the peer */
	GN_DEAD = 16,     /* the last event: the channel failed, gn_channel_error() returns why */
};

typedef void gn_channel_cb(void *arg, struct gn_channel *ch, unsigned events);

/* Sets the callback for events.  An event is delivered when its condition begins, and again when more bytes arrive
 * or more room becomes free; the program reads or writes until GN_EAGAIN. */
void gn_channel_on_event(struct gn_channel *ch, gn_channel_cb *cb, void *arg);

/* Sets up to max views of the received bytes, in order, and returns how many (> 0), GN_EAGAIN, GN_EOF, or the error
 * of the channel.  The views are valid until gn_channel_skip() or until the callback returns.  Bytes that are not
 * skipped stay, and keep the receive window closed. */
int gn_channel_peek(struct gn_channel *ch, struct iovec *v, int max);
void gn_channel_skip(struct gn_channel *ch, size_t n);
/* Copies up to n bytes; returns their number (> 0), or an error as gn_channel_peek(). */
ptrdiff_t gn_channel_read(struct gn_channel *ch, void *buf, size_t n);
/* Copies up to n bytes into the send queue; returns their number (> 0), GN_EAGAIN when the queue is full or
 * limits.memory or memory_per_peer is used up, GN_ECLOSED after gn_channel_end(), or the error of the channel. */
ptrdiff_t gn_channel_write(struct gn_channel *ch, const void *buf, size_t n);

/* Send or receive one whole frame of a frame channel.  A received frame is a view of len bytes, valid until the next
 * call on the channel or until the callback returns.  Errors as gn_channel_read() and gn_channel_write(), and
 * -EINVAL: not a frame channel; GN_ETOOBIG: longer than max_frame; GN_EFORMAT: a malformed length; GN_ETRUNC: the
 * stream ended inside a frame; GN_ELIMIT: the limits of memory leave no room for the frame, and the channel fails. */
int gn_channel_send(struct gn_channel *ch, const void *frame, size_t len);
int gn_channel_receive(struct gn_channel *ch, const void **frame, size_t *len);

/* A source sends without a copy: the channel asks it for bytes when the network has room.  peek sets up to max views
 * of at most `limit` bytes in all and returns how many, 0 for none; the bytes stay the same and in place until skip
 * consumes them.  Both run inside the pump and may not call the library. */
struct gn_source {
	int (*peek)(void *arg, struct iovec *v, int max, size_t limit);
	void (*skip)(void *arg, size_t n);
};
/* Sets the source; NULL removes it.  Returns 0, or the error of the channel. */
int gn_channel_source(struct gn_channel *ch, const struct gn_source *source, void *arg);
/* The source has more bytes.  May be called at any time, except from peek and skip. */
void gn_channel_wake(struct gn_channel *ch);

/* Ends the outgoing direction: the end follows the bytes that were written and those that the source still shows.
 * Returns 0, or the error of the channel. */
int gn_channel_end(struct gn_channel *ch);
/* Requests GN_ACKED, which is the only proof that the peer's host has received the bytes.  It is delivered when all
 * written bytes, and the end if gn_channel_end() was called, have left this host, and the peer's multiplexer has
 * answered a ping that was sent after them.  Bytes that are written while GN_ACKED is pending may delay it.  A second
 * call while it is pending extends it to the bytes written since.  GN_DEAD is delivered instead when the channel
 * fails before, also when both directions had ended already.  Only the limits of a silent connection bound the wait.
 * Returns 0, or the error of the channel. */
int gn_channel_sync(struct gn_channel *ch);
/* The number of bytes written, or taken from the source, that no GN_ACKED covers.  After GN_DEAD it is the number of
 * bytes that may not have arrived. */
uint64_t gn_channel_pending(const struct gn_channel *ch);
/* Resets both directions at once; the channel still has to be freed. */
void gn_channel_reset(struct gn_channel *ch);
/* Frees the channel.  When both directions had ended, the stream is closed.  When only gn_channel_end() was called,
 * queued bytes are still sent and received bytes are discarded.  In all other cases the stream is reset.  NULL is
 * allowed. */
void gn_channel_free(struct gn_channel *ch);
/* The error that the channel failed with; 0 while it is open. */
int gn_channel_error(const struct gn_channel *ch);
void *gn_channel_arg(const struct gn_channel *ch); /* of gn_channel_on_event() */

#define GN_GUID_LEN 16

/* The origin of the address of a connection's peer. */
enum gn_addr_origin {
	GN_ORIGIN_INBOUND, /* the peer connected to this host */
	GN_ORIGIN_ADDRESS, /* the program gave the address */
	GN_ORIGIN_DNS,     /* the program gave a name, which was resolved */
	GN_ORIGIN_BOOK,    /* the address book */
	GN_ORIGIN_ROUTER   /* a router has found it */
};
const char *gn_addr_origin_name(enum gn_addr_origin origin); /* "inbound", "address", "dns", "book", "router" */

enum gn_path { GN_PATH_DIRECT, GN_PATH_RELAYED };
const char *gn_path_name(enum gn_path path); /* "direct", "relay" */

/* The limits that a relay sets on a connection; 0: none.  A direct connection has none. */
struct gn_path_limits {
	uint64_t bytes;   /* in each direction */
	uint32_t seconds; /* from the start of the connection */
};

struct gn_channel_state {
	uint8_t guid[GN_GUID_LEN]; /* random, of the connection */
	struct gn_peer_id peer;
	const struct gn_multiaddr *remote, *local; /* owned by the channel; without /p2p */
	const char *protocol;
	enum gn_addr_origin origin;
	enum gn_path path;
	struct gn_path_limits path_limits;
	bool inbound;
	bool opened;       /* the protocol was accepted */
	unsigned channels; /* that are open on this connection */
	size_t queued;     /* bytes written that were not passed to the network yet */
};
void gn_channel_state(const struct gn_channel *ch, struct gn_channel_state *out);
void gn_channel_metrics(const struct gn_channel *ch, struct gn_metrics *out);
void gn_channel_conn_metrics(const struct gn_channel *ch, struct gn_metrics *out);
/* Bytes that the kernel of this host has sent or queued and the remote host has not acknowledged; 0 when unknown. */
size_t gn_channel_unacked(const struct gn_channel *ch);

/* ---- protocols ---------------------------------------------------------------- */

struct gn_protocol_cfg {
	const char *id; /* "/name/1.0.0", at most 1022 bytes */
	enum gn_channel_kind kind;
	size_t max_frame; /* 0: GN_FRAME_MAX */
	bool hidden;      /* served, but not listed in identify and multistream's ls */
	/* A peer opened a channel, which the program owns from now on. */
	void (*on_open)(void *arg, struct gn_channel *ch);
	void *arg;
};
/* Serves a protocol from now on; cfg and its id are copied.  -EINVAL (no id, too long, no on_open), -EEXIST,
 * -ENOMEM. */
int gn_protocol_add(struct gn_node *node, const struct gn_protocol_cfg *cfg);
/* Stops serving it; channels that are open stay.  -ENOENT. */
int gn_protocol_del(struct gn_node *node, const char *id);

#ifdef __cplusplus
}
#endif

#include "gn_sealed.h"   /* sealed messages (lib/crypto) */
#include "gn_dial.h"     /* dialing, ping and identify (lib/node, lib/api, lib/protocols) */
#include "gn_event.h"    /* events of a node (lib/node) */
#include "gn_listener.h" /* listeners one by one (lib/node) */
#include "gn_peer.h"     /* the value of peers (lib/node) */
#include "gn_splice.h"   /* channels joined inside the node (lib/api) */

#endif
