/* SPDX-License-Identifier: MIT */
/*
 * gn.h: the net API of golem-net, and the only header a program needs.
 *
 * A program makes a loop and a node on it, tells the node which protocols it
 * serves, listens, dials, and then reads and writes channels.  Everything runs
 * on the thread that runs the loop; nothing blocks but gn_loop_run().
 *
 * Conventions
 *   - A function that can fail returns 0 or a negative int: -errno for what the
 *     system said, or one of enum gn_error.  gn_strerror() has the words.
 *   - Whoever calls _new frees with _free.  `const T *` in is borrowed for the
 *     call.  Out-parameters come last and are untouched on failure.
 *   - Times are gn_time, nanoseconds; instants are on the loop's clock, which
 *     only goes forward, and stands still while this process is stopped.  Sizes are bytes.
 *   - A callback is never run from inside the call that arranged for it, and
 *     never after that was cancelled or freed.  From inside a callback any
 *     function of this header may be called, but gn_loop_free() and gn_node_free().
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
	GN_EAGAIN = -1000,   /* nothing to be had just now; an event will tell */
	GN_EOF = -1001,      /* the far end has ended its side in good order */
	GN_ERESET = -1002,   /* the stream or connection was reset; data may be short */
	GN_ECLOSED = -1003,  /* closed at this end */
	GN_EPROTO = -1004,   /* the peer broke the protocol */
	GN_EAUTH = -1005,    /* a handshake, signature or decryption failed */
	GN_EPEERID = -1006,  /* not the peer that was asked for */
	GN_EREFUSED = -1007, /* the peer refuses this identity, or we refuse it */
	GN_ENOPROTO = -1008, /* the peer does not speak the protocol */
	GN_ETIMEOUT = -1009, /* a time limit ran out */
	GN_ELIMIT = -1010,   /* a limit was hit */
	GN_EFORMAT = -1011,  /* malformed text or data */
	GN_ETOOBIG = -1012,  /* larger than allowed */
	GN_ETRUNC = -1013,   /* ended in the middle of a unit */
	GN_EUNREACH = -1014, /* no address of the peer could be reached */
	GN_ENONAME = -1015,  /* a name did not resolve */
	GN_EKEYTYPE = -1016, /* a key of a type that cannot be used for this */
	GN_EKEYMODE = -1017, /* a key file that others may read */
	GN_ENOTRANS = -1018, /* no transport for such an address */
	GN_ESPACE = -1019,   /* the room given is too small */
	GN_EGONE = -1020,    /* the session said Go Away, or its connection ended */
	GN_ENOTFOR = -1021,  /* sealed for others: this key opens nothing of it */
	GN_ECONTEXT = -1022, /* sealed for another context */
	GN_EORDER = -1023,   /* a message is missing, repeated, or not of this sequence */
	GN_ECONNS = -1024,   /* the peer has as many connections as its limits allow */
	GN_EPERADDR = -1025, /* it has as many from this address as its limits allow */
	GN_EZONE = -1026,    /* a link-local IPv6 address without its zone, the interface */
	GN_ENOZONE = -1027,  /* this host has no interface that a zone names */
};

/* The words for an error, without a newline; never NULL.  For an unknown code
 * the text is the same for all.  Static or thread-local storage. */
const char *gn_strerror(int err);
/* The name of a code, for -j output: "GN_ERESET", "ECONNREFUSED". */
const char *gn_errname(int err);

/* ---- log (lib/base/log.c) ----------------------------------------------------- */

struct gn_multiaddr; /* a multiaddr in its binary form; see "addresses" below */

enum gn_log_level { GN_LOG_ERROR, GN_LOG_NOTICE, GN_LOG_INFO, GN_LOG_DEBUG };

/* remote: the address of the peer that the line is about, so that lines which strangers provoke can be limited per
 * address; NULL when it is about none.  The line has no newline, and went through gn_text_filter(). */
typedef void gn_log_cb(void *arg, enum gn_log_level level, const struct gn_multiaddr *remote, const char *line);

/* Every line the library has to say goes to cb.  Until this is called nothing is said.  Lines above `max` are not
 * even formatted. */
void gn_log_on_line(enum gn_log_level max, gn_log_cb *cb, void *arg);

/* ---- text that a peer chose (lib/base/text.c) ---------------------------------- */

/* A text that a peer chose (its agent, a protocol's name, a frame) may hold what a terminal obeys, or what makes a
 * text look like another one.  Safe to show are the characters of well-formed UTF-8, without
 *   U+0000..001F, U+007F, U+0080..009F                 controls: C0, DEL, C1
 *   U+061C, U+200E, U+200F, U+202A..202E, U+2066..2069  bidirectional controls
 *   U+2028, U+2029                                     line and paragraph separator
 * Overlong forms, surrogates, what is above U+10FFFF and stray bytes are not well-formed. */

/* The length of the character at text[0..n), n > 0, and whether it is safe.  A byte that is not well-formed counts
 * as a character of length 1 that is not. */
size_t gn_text_next(const char *text, size_t n, bool *is_safe);
/* Copies n bytes of text with '?' for each character that is not safe, as much as fits with a final NUL into room
 * bytes (> 0); never a part of a character.  Returns the length without the NUL, which is never more than n; out may
 * be text itself. */
size_t gn_text_filter(const char *text, size_t n, char *out, size_t room);

/* ---- bytes: varints, base32, random (lib/base) -------------------------------- */

#define GN_UVARINT_MAX 9 /* bytes; multiformats' unsigned-varint: 63 bits, minimal */

/* Writes v into buf, returns the number of bytes (1 to GN_UVARINT_MAX). */
size_t gn_uvarint_encode(uint64_t v, uint8_t buf[GN_UVARINT_MAX]);
/* Reads a varint.  Returns the number of bytes it took (> 0), GN_EAGAIN when the
 * n bytes are a good beginning, GN_EFORMAT when overlong or not minimal. */
int gn_uvarint_decode(const uint8_t *p, size_t n, uint64_t *v);

void gn_random(void *buf, size_t n);

/* RFC 4648 base32, lower case, no padding.  text has room for n * 8 / 5 + 2. */
void gn_base32_encode(const void *p, size_t n, char *text);

/* ---- the loop (lib/loop) ------------------------------------------------------ */

struct gn_loop;
struct gn_timer;
struct gn_watch;

int gn_loop_new(struct gn_loop **out);
/* Everything made on the loop must have been freed before. */
void gn_loop_free(struct gn_loop *loop);
/* Runs until gn_loop_stop(), or until nothing is left to wait for.  0 or -errno. */
int gn_loop_run(struct gn_loop *loop);
void gn_loop_stop(struct gn_loop *loop);
/* The loop's clock, as it was read before the callback that runs; the time for which this process
 * was stopped, or blocked in a callback for more than a second, is not in it. */
gn_time gn_loop_now(struct gn_loop *loop);

/* A timer that fires once, `delay` after gn_timer_start(); starting it again moves it. */
int gn_timer_new(struct gn_loop *loop, void (*cb)(void *arg), void *arg, struct gn_timer **out);
void gn_timer_free(struct gn_timer *t);
void gn_timer_start(struct gn_timer *t, gn_time delay);
void gn_timer_stop(struct gn_timer *t);

/* Watches a descriptor, level-triggered.  The descriptor stays the caller's, and
 * its flags are left alone.  A regular file is always ready. */
enum gn_ready { GN_READABLE = 1, GN_WRITABLE = 2 };
int gn_watch_new(struct gn_loop *loop, int fd, void (*cb)(void *arg, unsigned ready), void *arg, struct gn_watch **out);
void gn_watch_free(struct gn_watch *w);
void gn_watch_start(struct gn_watch *w, unsigned ready); /* replaces what was watched; 0 stops */

/* ---- identities (lib/id) ------------------------------------------------------ */

#define GN_PEER_ID_MAX 46       /* bytes of the multihash: sha2-256 has 34, an inlined key up to 44 */
#define GN_PEER_ID_TEXT_MAX 128 /* room for any textual form with its NUL */

/* A peer id: a multihash (specs peer-ids/peer-ids.md).  Unused bytes are zero, so
 * ids compare with gn_peer_id_is_equal() or memcmp. */
struct gn_peer_id {
	uint8_t len; /* 0: none */
	uint8_t bytes[GN_PEER_ID_MAX];
};

/* Every textual form: base58btc, CIDv1 in base32, base36, base58btc, hex, base64url. */
int gn_peer_id_parse(const char *text, struct gn_peer_id *out);
/* base58btc; returns text. */
char *gn_peer_id_format(const struct gn_peer_id *id, char text[GN_PEER_ID_TEXT_MAX]);
/* A multihash as it stands on the wire. */
int gn_peer_id_decode(const uint8_t *p, size_t n, struct gn_peer_id *out);
bool gn_peer_id_is_equal(const struct gn_peer_id *a, const struct gn_peer_id *b);

/* A private identity key. */
struct gn_key;

int gn_key_new(struct gn_key **out);  /* a fresh Ed25519 key */
void gn_key_free(struct gn_key *key); /* wipes it; NULL is fine */
void gn_key_id(const struct gn_key *key, struct gn_peer_id *out);
/* The serialised PublicKey protobuf, owned by the key. */
const uint8_t *gn_key_public(const struct gn_key *key, size_t *len);
/* libp2p's own private-key file: the PrivateKey protobuf, raw. */
int gn_key_file_read(const char *path, struct gn_key **out); /* GN_EKEYMODE: others may read it */
/* With mode 0600; -EEXIST rather than overwrite.  The file is there when all of it is on the disk, or not at all. */
int gn_key_file_write(const char *path, const struct gn_key *key);

/* How keys stand in files: also as other programs have them. */
enum gn_key_form {
	GN_KEY_FORM_LIBP2P,  /* as above; the public key: that in base64 */
	GN_KEY_FORM_PEM,     /* openssl's: PKCS#8, SubjectPublicKeyInfo (RFC 8410) */
	GN_KEY_FORM_OPENSSH, /* ssh-keygen's: openssh-key-v1; "ssh-ed25519 ..." */
};

#define GN_PASSPHRASE_MAX 1024
/* Writes the passphrase of an encrypted key file to buf, which the caller wipes, and returns its
 * length, or a negative error, which then ends the reading. */
typedef int gn_passphrase_cb(void *arg, char buf[GN_PASSPHRASE_MAX]);

/* Reads a file of any form.  ask, which may be NULL, is called at most once, for an encrypted one.
 * GN_EKEYMODE; GN_EFORMAT; GN_EKEYTYPE: not an Ed25519 key, or encrypted in a way that is not
 * known here; GN_EAUTH: the passphrase is wrong, or there is nobody to ask for it. */
int gn_key_file_read_any(const char *path, gn_passphrase_cb *ask, void *arg, struct gn_key **out);
/* How gn_key_file_read_cfg() takes a file.  All zero: as gn_key_file_read(). */
struct gn_key_file_cfg {
	bool any_form;         /* PEM and OpenSSH's, too */
	bool any_mode;         /* also a file that others may read or write, such as a mounted secret */
	gn_passphrase_cb *ask; /* may be NULL */
	void *ask_arg;
};
/* Reads a regular file or a pipe.  Errors as of gn_key_file_read_any(); -EISDIR; GN_EFORMAT for a device. */
int gn_key_file_read_cfg(const char *path, const struct gn_key_file_cfg *cfg, struct gn_key **out);
/* gn_key_file_write() in a form of choice, not encrypted. */
int gn_key_file_write_as(const char *path, const struct gn_key *key, enum gn_key_form form);
/* The public key, without the last line end, in memory that the caller frees with free(); NULL
 * when there is none. */
char *gn_key_public_format(const struct gn_key *key, enum gn_key_form form);
/* The peer id of a public key that stands in text in one of these forms; of ssh's a line of authorized_keys, of
 * known_hosts or of a .pub file.  GN_EFORMAT; GN_EKEYTYPE: in PEM or ssh's form, and not an Ed25519 key. */
int gn_key_public_parse(const char *text, struct gn_peer_id *out);

/* ---- addresses (lib/addr) ----------------------------------------------------- */

/* A multiaddr in its binary form; immutable. */
struct gn_multiaddr;

/* On failure *where, if asked for, is the offset in text at which it went wrong. */
int gn_multiaddr_parse(const char *text, struct gn_multiaddr **out, size_t *where);
int gn_multiaddr_decode(const uint8_t *p, size_t n, struct gn_multiaddr **out);
void gn_multiaddr_free(struct gn_multiaddr *a);
/* The text, in memory that the caller frees with free(); NULL when there is none. */
char *gn_multiaddr_format(const struct gn_multiaddr *a);
const uint8_t *gn_multiaddr_bytes(const struct gn_multiaddr *a, size_t *len);
bool gn_multiaddr_is_equal(const struct gn_multiaddr *a, const struct gn_multiaddr *b);
/* The id of the last /p2p component when that ends the address; GN_ENONAME without one. */
int gn_multiaddr_peer(const struct gn_multiaddr *a, struct gn_peer_id *out);

/* A private-use component (multicodec 0x300000 to 0x3fffff) of the program's own,
 * known to parse, format and decode from then on.  size: bytes of its value, 0 for
 * none, -1 for a length-prefixed string. */
int gn_multiaddr_protocol_add(uint32_t code, const char *name, int size);

/* ---- components (lib/defaults.c) ---------------------------------------------- */

struct gn_transport_ops;
struct gn_security_ops;
struct gn_muxer_ops;
struct gn_service_ops;

/* What a node is made of: NULL-ended lists, first is preferred.  What is not
 * named is not linked. */
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

/* Limits; gn_limits_init() sets what stands at the right.  An address is an IPv4 address or an IPv6 /64.
 *
 * Silence is when no byte at all comes and the far host takes none of what waits for it, so a
 * connection whose path is slow lives on.  One that is silent for `keepalive` and `ping`, 60 s
 * in all, ends with GN_ETIMEOUT.  With keepalive 0 only a ping that measures the path can end
 * it, `ping` after it was sent.  Time for which this process itself was stopped does not count
 * in any limit (gn_loop_now()).
 *
 * accept, attempt and negotiate are for peers that do not move.  On a slow path they are
 * exceeded, up to three times, while bytes of the handshake keep coming, or other streams'
 * bytes are in front of the selection's; and so is dial, unless the caller has set it.  A
 * selection that we began waits on while the peer is silent, until the connection ends.
 *
 * A peer that is past conns or conns_per_addr is told which limit it is, once it is secured and the
 * gate has let it in: its channels die of GN_ECONNS or GN_EPERADDR.  A few are told at once, others are cut off.  A full
 * node closes a connection without a stream, of the address that has the most, for a newcomer from
 * an address that has fewer.  The loopback has no limit conns_per_addr.
 *
 * Pending connections never keep others out: when there are too many, the oldest one of the address
 * that has the most is closed.
 *
 * No address may hold more of memory than is free for all others.  Inbound streams without a protocol
 * hold none.  Of those a connection may have 16 and an address 64 that are older than a second, and
 * an address 256 in all; one that is past that is reset. */
struct gn_limits {
	unsigned conns;            /* connections in all, but for the pending  1024 */
	unsigned conns_per_addr;   /* of them, inbound from one address        16 */
	unsigned conns_pending;    /* inbound, before they are secured         64 */
	unsigned streams_per_conn; /* inbound streams of a connection         256 */
	unsigned streams_per_peer; /* inbound streams of a peer               512 */
	size_t memory;             /* windows, bytes not sent, frames not whole  256 MiB */
	size_t window;             /* the most that one stream's window grows to  64 MiB */
	gn_time accept;            /* from accept to a secured, multiplexed connection  10 s */
	gn_time first_stream;      /* from there to the first inbound stream   60 s */
	gn_time negotiate;         /* a stream's protocol selection            10 s */
	gn_time dial;              /* a dial in all, unless it says otherwise  15 s */
	gn_time attempt;           /* one address of it, up to secured         10 s */
	gn_time ping;              /* silence after `keepalive` that ends a connection  45 s */
	gn_time keepalive;         /* silence after which a ping is sent; 0 never  15 s */
	gn_time idle;              /* a connection without a stream is closed; 0 never  0 */
};

struct gn_node;

struct gn_node_cfg {
	struct gn_loop *loop;
	const struct gn_key *key; /* copied */
	const struct gn_components *components;
	const char *agent; /* identify's agentVersion; NULL: "golem-net/VERSION" */
	struct gn_limits limits;
	/* May this peer stay?  Asked once the peer has proved its identity, for both
	 * directions; 0, or an error, usually GN_EREFUSED, which the peer is told. */
	int (*gate)(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote, bool inbound);
	/* A peer proposed a protocol that this node does not serve, on a stream of its own; it has been told so.
	 * protocol: what it proposed, at most 1022 bytes that it chose, so not safe to show as they are; it may hold
	 * a secret.  Good during the call.  Of proposals that come at once the last one is reported.  May be NULL. */
	void (*on_unknown_protocol)(void *arg, const struct gn_peer_id *peer, const struct gn_multiaddr *remote,
				    const char *protocol);
	void *arg;
};

void gn_limits_init(struct gn_limits *limits);
/* The defaults: stock components, limits as above.  A program with components of its own
 * starts from an all-zero struct and gn_limits_init(), and links no others. */
void gn_node_cfg_init(struct gn_node_cfg *cfg);
int gn_node_new(const struct gn_node_cfg *cfg, struct gn_node **out);
/* Closes in good order: no new streams, those that are open may end, then every connection;
 * done() once.  After `limit` the channels that somebody still holds are cut off.  What was
 * written to a channel that was ended and freed still goes out, however long that takes,
 * unless the far end is silent for `keepalive` and `ping` of the limits. */
int gn_node_close(struct gn_node *node, gn_time limit, void (*done)(void *arg), void *arg);
void gn_node_free(struct gn_node *node); /* at once; channels and operations die without a word */
void gn_node_id(const struct gn_node *node, struct gn_peer_id *out);

/* Listens; port 0 picks a port.  *bound, if asked for, is the real address with
 * /p2p/ID, to be freed.  gn_node_unlisten() stops all of them. */
int gn_node_listen(struct gn_node *node, const struct gn_multiaddr *addr, struct gn_multiaddr **bound);
void gn_node_unlisten(struct gn_node *node);
/* Addresses to hand out, with /p2p/ID: wildcards spelled out as this host's own
 * addresses, the one that others are likeliest to reach first.  An array of *n
 * that the caller frees with gn_multiaddrs_free(). */
int gn_node_addrs(const struct gn_node *node, struct gn_multiaddr ***out, size_t *n);
void gn_multiaddrs_free(struct gn_multiaddr **a, size_t n);

struct gn_metrics {
	uint64_t bytes_in, bytes_out;   /* the application's, not the wire's */
	uint64_t frames_in, frames_out; /* of frame channels */
	gn_time rtt;                    /* smoothed round trip of the connection; 0 unknown */
	gn_time age;                    /* since it was opened */
	gn_time heard;                  /* since the connection last brought anything */
	uint64_t channels, conns;       /* open now (node and connection sums) */
};
void gn_node_metrics(const struct gn_node *node, struct gn_metrics *out);

/* ---- channels (lib/api) ------------------------------------------------------- */

/* A channel is a stream of bytes or of frames to a peer.  It is its opener's until
 * gn_channel_free(), which may come at any time. */
struct gn_channel;

enum gn_channel_kind {
	GN_BYTES,
	GN_FRAMES, /* uvarint length, then that many bytes */
};

#define GN_FRAME_MAX ((size_t)1 << 20) /* default of max_frame */

enum gn_channel_event {
	GN_CAN_READ = 1,  /* something to read, or its end */
	GN_CAN_WRITE = 2, /* room again after GN_EAGAIN, or the source may be asked */
	GN_OPENED = 4,    /* the peer has accepted the protocol (lazy: data may have gone before) */
	GN_DRAINED = 8,   /* after gn_channel_end(): everything, and the end, went to the network */
	GN_ACKED = 32,    /* what gn_channel_sync() asked about has reached the peer */
	GN_DEAD = 16,     /* reset, refused or cut off: gn_channel_error() says why; the last event */
};

typedef void gn_channel_cb(void *arg, struct gn_channel *ch, unsigned events);

/* Events are level-triggered in this sense: one is delivered when the condition
 * begins and again whenever there is news of it; read or write until GN_EAGAIN. */
void gn_channel_on_event(struct gn_channel *ch, gn_channel_cb *cb, void *arg);

/* Views of what has arrived, in order: up to max; returns how many (> 0), or
 * GN_EAGAIN, GN_EOF, or what the channel died of.  They are good until
 * gn_channel_skip() or the callback's return.  Bytes that are not skipped stay,
 * and hold the peer back by the window. */
int gn_channel_peek(struct gn_channel *ch, struct iovec *v, int max);
void gn_channel_skip(struct gn_channel *ch, size_t n);
/* Copies; returns the number of bytes (> 0) or as gn_channel_peek(). */
ptrdiff_t gn_channel_read(struct gn_channel *ch, void *buf, size_t n);
/* Takes up to n bytes; returns how many (> 0), GN_EAGAIN when full or when limits.memory is
 * used up, or an error. */
ptrdiff_t gn_channel_write(struct gn_channel *ch, const void *buf, size_t n);

/* A frame channel's: all or nothing.  A frame that arrived is a view of len bytes,
 * good until the next call on the channel or the callback's return.  Errors also
 * GN_ETOOBIG (longer than max_frame), GN_EFORMAT, GN_ETRUNC (ended inside a frame), and
 * GN_ELIMIT: limits.memory has nothing left for the frame, and the channel dies of that. */
int gn_channel_send(struct gn_channel *ch, const void *frame, size_t len);
int gn_channel_receive(struct gn_channel *ch, const void **frame, size_t *len);

/* Sending without a copy: the channel asks the source when the network has room.
 * peek shows up to max views of at most `limit` bytes in all and returns how many
 * (0: nothing now), the same bytes until skipped; they must stay where they are until
 * skip takes them.  Both run inside the pump: they may not call the library.
 * After GN_CAN_WRITE, or at any time, gn_channel_wake() says that there is more. */
struct gn_source {
	int (*peek)(void *arg, struct iovec *v, int max, size_t limit);
	void (*skip)(void *arg, size_t n);
};
int gn_channel_source(struct gn_channel *ch, const struct gn_source *source, void *arg);
void gn_channel_wake(struct gn_channel *ch);

/* Half-close: after what was written (and what the source still shows) comes the end. */
int gn_channel_end(struct gn_channel *ch);
/* Asks for GN_ACKED, which is the only proof that the peer has received something: it comes
 * when all that was written has left this host, and the end too if gn_channel_end() was called,
 * and the peer's multiplexer has answered a ping that was sent behind it.  Bytes that are
 * written while GN_ACKED is pending may delay it.  A call while it is pending makes one GN_ACKED
 * cover the bytes written since, too.  GN_DEAD comes instead if the channel dies before,
 * also when both directions had ended already.  0, or what the channel died of.  There is no
 * limit on the wait but the limits that end a silent connection.  It may be called from inside
 * a callback. */
int gn_channel_sync(struct gn_channel *ch);
/* Bytes that were written, or taken from the source, and that no GN_ACKED has covered; good
 * also after GN_DEAD, when it is the number of bytes that may not have arrived. */
uint64_t gn_channel_pending(const struct gn_channel *ch);
/* Kills both directions at once. */
void gn_channel_reset(struct gn_channel *ch);
/* Gives the channel up.  If both directions had ended that is a clean close; if only
 * this side has ended, what is queued still goes out and what comes in is discarded;
 * otherwise it is a reset. */
void gn_channel_free(struct gn_channel *ch);
/* What the channel died of, 0 while it lives. */
int gn_channel_error(const struct gn_channel *ch);
void *gn_channel_arg(const struct gn_channel *ch);

#define GN_GUID_LEN 16

/* How the address of a connection's peer was learnt. */
enum gn_addr_origin {
	GN_ORIGIN_INBOUND, /* the peer connected to this host */
	GN_ORIGIN_ADDRESS, /* the program gave the address */
	GN_ORIGIN_DNS,     /* the program gave a name, which was resolved */
	GN_ORIGIN_BOOK     /* the address book */
};
const char *gn_addr_origin_name(enum gn_addr_origin origin); /* "inbound", "address", "dns", "book" */

enum gn_path { GN_PATH_DIRECT, GN_PATH_RELAYED };
const char *gn_path_name(enum gn_path path); /* "direct", "relay" */

/* What a relay allows a connection through it; 0 is no limit, and a direct connection has none. */
struct gn_path_limits {
	uint64_t bytes;   /* each way */
	uint32_t seconds; /* from the start of the connection */
};

struct gn_channel_state {
	uint8_t guid[GN_GUID_LEN]; /* random, of the connection */
	struct gn_peer_id peer;
	const struct gn_multiaddr *remote, *local; /* borrowed from the channel; without /p2p */
	const char *protocol;
	enum gn_addr_origin origin;
	enum gn_path path;
	struct gn_path_limits path_limits;
	bool inbound;
	bool opened;       /* the protocol was accepted */
	unsigned channels; /* open on this connection */
	size_t queued;     /* bytes written that the network has not taken */
};
void gn_channel_state(const struct gn_channel *ch, struct gn_channel_state *out);
void gn_channel_metrics(const struct gn_channel *ch, struct gn_metrics *out);
void gn_channel_conn_metrics(const struct gn_channel *ch, struct gn_metrics *out);
/* Bytes the kernel of this host has not yet seen acknowledged; 0 when it cannot tell. */
size_t gn_channel_unacked(const struct gn_channel *ch);

/* ---- protocols ---------------------------------------------------------------- */

struct gn_protocol_cfg {
	const char *id; /* "/name/1.0.0", at most 1022 bytes */
	enum gn_channel_kind kind;
	size_t max_frame; /* 0: GN_FRAME_MAX */
	bool hidden;      /* served, but absent from identify and ls */
	/* A peer opened a channel; the program owns it from here on. */
	void (*on_open)(void *arg, struct gn_channel *ch);
	void *arg;
};
int gn_protocol_add(struct gn_node *node, const struct gn_protocol_cfg *cfg); /* -EEXIST */
int gn_protocol_del(struct gn_node *node, const char *id);

/* ---- dialing ------------------------------------------------------------------ */

struct gn_dial;

struct gn_dial_cfg {
	const struct gn_multiaddr *const *addrs; /* all of one peer; raced, staggered */
	size_t n_addrs;
	const char *protocol; /* borrowed until the operation ends */
	enum gn_channel_kind kind;
	size_t max_frame;
	gn_time limit; /* 0: the node's */
	/* For every address tried, as it failed or (err 0) won; may be NULL. */
	void (*on_attempt)(void *arg, const struct gn_multiaddr *addr, int err, gn_time took);
	/* Exactly once.  err 0: the channel, the program's own, which may be written at
	 * once; whether the peer speaks the protocol comes later (GN_OPENED or GN_DEAD). */
	void (*on_done)(void *arg, int err, struct gn_channel *ch);
	void *arg;
};
int gn_dial_start(struct gn_node *node, const struct gn_dial_cfg *cfg, struct gn_dial **out);
void gn_dial_cancel(struct gn_dial *op);

/* ---- ping and identify (lib/protocols) ---------------------------------------- */

struct gn_ping;

struct gn_ping_cfg {
	struct gn_dial_cfg dial; /* protocol, on_done and arg are not looked at */
	unsigned count;          /* 0: until cancelled */
	gn_time interval, limit; /* between two; for an answer (0: 10 s) */
	void (*on_rtt)(void *arg, unsigned seq, gn_time rtt);
	void (*on_done)(void *arg, int err); /* exactly once */
	void *arg;
};
int gn_ping_start(struct gn_node *node, const struct gn_ping_cfg *cfg, struct gn_ping **out);
void gn_ping_cancel(struct gn_ping *op);

/* What a peer says of itself (specs identify/README.md).  Valid during the callback. */
struct gn_identify_info {
	struct gn_peer_id peer;
	const char *agent, *protocol_version;
	const char *const *protocols;
	size_t n_protocols;
	const struct gn_multiaddr *const *listen;
	size_t n_listen;
	const struct gn_multiaddr *observed; /* us, as it sees us; NULL if it did not say */
	bool signed_record;                  /* a peer record with a good signature came along */
};

struct gn_identify;

struct gn_identify_cfg {
	struct gn_dial_cfg dial; /* protocol, on_done and arg are not looked at */
	void (*on_done)(void *arg, int err, const struct gn_identify_info *info); /* exactly once */
	void *arg;
};
int gn_identify_start(struct gn_node *node, const struct gn_identify_cfg *cfg, struct gn_identify **out);
void gn_identify_cancel(struct gn_identify *op);

#ifdef __cplusplus
}
#endif

#include "gn_sealed.h" /* sealed messages (lib/crypto) */
#include "gn_splice.h" /* channels joined inside the node (lib/api) */

#endif
