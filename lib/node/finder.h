/* SPDX-License-Identifier: MIT */
/*
 * The interface of finders: a finder finds the peers that offer something, and lets others find what this node offers.
 * What is offered is a topic: a namespace under which nodes meet, or content.  Kademlia's provider records, a
 * rendezvous server, multicast DNS and a list of bootstrap nodes are finders.
 *
 * tests/conform/finder.c tests what every finder has to guarantee.
 */
#ifndef GN_NODE_FINDER_H
#define GN_NODE_FINDER_H

#include "gn.h"
#include "node/router.h"

enum gn_topic_kind {
	GN_TOPIC_NODES,     /* any nodes of the network; bytes is empty */
	GN_TOPIC_NAMESPACE, /* the name of a service or group; bytes is its text, not hashed, without a NUL */
	GN_TOPIC_CONTENT,   /* bytes is the multihash of the content */
};

#define GN_TOPIC_LEN_MAX 256

struct gn_topic {
	enum gn_topic_kind kind;
	const uint8_t *bytes;
	size_t len; /* 1 to GN_TOPIC_LEN_MAX, for nodes 0 */
};

/* A peer that offers the topic. */
struct gn_found {
	struct gn_peer_id peer;
	struct gn_router_answer addrs; /* of this peer; n may be 0 */
};

struct gn_finder_find;   /* a search; each finder defines its own */
struct gn_finder_advert; /* an announcement; likewise */

struct gn_finder_find_cfg {
	struct gn_topic topic; /* copied */
	unsigned max;          /* peers after which the search may end; 0: no maximum */
	/* A peer was found; called any number of times before on_done, for a peer again when it has new addresses.  The
	 * argument is valid during the call. */
	void (*on_found)(void *arg, const struct gn_found *found);
	/* Called exactly once, unless the search is cancelled; it is freed before.  0: it is complete, also when nobody
	 * was found; GN_EUNREACH: nobody could be asked; GN_ETIMEOUT; GN_ECLOSED: the finder was stopped; -ENOMEM. */
	void (*on_done)(void *arg, int err);
	void *arg;
};

/* The result of announcing a topic once; a finder repeats it before it expires. */
struct gn_advertised {
	int err;          /* 0: others can find this node; GN_EUNREACH: nobody has stored it; GN_ETIMEOUT */
	unsigned n_asked; /* nodes that were asked to store it */
	unsigned n_stored;
	gn_time expires; /* the instant on the loop's clock; with an error, when the finder tries again */
};

struct gn_finder_advertise_cfg {
	struct gn_topic topic; /* copied; not GN_TOPIC_NODES */
	gn_time lifetime;      /* for which others shall store it; 0: the finder's default.  The finder may use less. */
	/* After each attempt to announce the topic.  The argument is valid during the call. */
	void (*on_advertised)(void *arg, const struct gn_advertised *result);
	/* The finder was stopped, and the announcement is freed; not after withdraw. */
	void (*on_lost)(void *arg);
	void *arg;
};

struct gn_finder_ops {
	const char *name;
	/* As in struct gn_router_ops. */
	int (*start)(struct gn_node *node, const void *config, void **state);
	/* Frees the state.  Each search that is running ends with GN_ECLOSED, and on_lost of each announcement is called,
	 * before stop returns. */
	void (*stop)(void *state);
	/* Starts a search.  The callbacks are called as those of a router's search.  0; GN_ENOPROTO: it cannot find topics of
	 * this kind; GN_ETOOBIG; -EINVAL: a topic without bytes; -ENOMEM. */
	int (*find)(void *state, const struct gn_finder_find_cfg *cfg, struct gn_finder_find **out);
	/* Ends and frees the search; no callback is called any more.  Not after on_done. */
	void (*cancel)(struct gn_finder_find *find);
	/* Announces that this node offers a topic, and repeats that until it is withdrawn, also when the addresses of the
	 * node change.  The callbacks are called from the loop.  Errors as find; -EEXIST: the topic is announced
	 * already.  NULL: the finder cannot announce. */
	int (*advertise)(void *state, const struct gn_finder_advertise_cfg *cfg, struct gn_finder_advert **out);
	/* Ends and frees the announcement; what others have stored expires by itself.  Also inside on_advertised. */
	void (*withdraw)(struct gn_finder_advert *advert);
};

/* Attaches a finder to node->finders.  Errors as gn_attached_add(). */
int gn_finder_attach(struct gn_node *node, const struct gn_finder_ops *ops, const void *config);
/* Stops a finder.  Not from inside a function of this finder.  -ENOENT: it is not attached. */
int gn_finder_detach(struct gn_node *node, const struct gn_finder_ops *ops);
/* Checks a topic, for finders: 0; -EINVAL; GN_ETOOBIG. */
int gn_topic_check(const struct gn_topic *topic);

#endif
