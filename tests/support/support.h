/* SPDX-License-Identifier: MIT */
/*
 * The fixtures of the tests.  A test in tests/unit or tests/conform includes this header, and is linked with
 * libsupport.a; a fuzzer or a bench includes the one header of this folder that it needs.  Each header
 * declares one module, whose functions, types and constants begin with the name in the first column:
 *
 *   (cmocka)       cmocka.h        assertions, and the headers that cmocka requires before it
 *   REQUIRE        require.h       an assertion for fixtures that are also linked without cmocka
 *   heap_          heap.h          the library's allocations, counted, and made to fail
 *   rng_           rng.h           random choices, from a seed or from a fuzzer's input
 *   vectors_       vectors.h       the files in tests/vectors, hexadecimal text
 *
 *   wire_, side_,  wire.h          a stack without a socket, bytes in transit, two connected stacks
 *   pair_
 *   dummy_         dummy_layers.h  small layers for tests of the stack
 *   dummy_         dummy_security.h  a security layer that protects nothing, beside noise
 *   pipe_pair_     pipe_pair.h     two pipes on one iobuf
 *   pipe_model_    pipe_model.h    random operations on pipes, compared with a model
 *   noise_peer_    noise_peer.h    the peer of a noise layer, controlled by the test
 *   noise_script_  noise_script.h  a noise layer that is connected to a noise_peer
 *   watch_         yamux_watch.h   checks that the frames of a yamux session are allowed
 *   script_        yamux_script.h  a yamux session that receives and is expected to send single frames
 *   mux_           mux_model.h     random use of two yamux sessions, compared with a model
 *   direct_mux_    direct_mux.h    a multiplexer for tests, two sessions without a layer
 *   session_       session_pair.h  two connected sessions of any multiplexer, and the owners of their streams
 *   link_          link_pair.h     a listener, a dial and the two ends of a link, over any transport
 *   pipe_link_     pipe_link.h     two links with pipes of their own, joined without a stream
 *   dns_server_    dns_server.h    a DNS server on the loopback
 *   fake_transport fake_transport.h  a transport that listens without a socket
 *   dummy_router_  dummy_router.h  a router that knows the addresses of one peer
 *   dummy_finder_  dummy_finder.h  a finder whose nodes meet in memory
 *   dummy_reach_   dummy_reach.h   a port mapping that needs no router
 *
 *   net_           net.h           nodes on one virtual loop
 *   peer_events_   peer_events.h   two nodes, and the events of the first about its peers
 *   net_           net_ends.h      random channels between the nodes of a net
 *   test_node_     test_node.h     a node that serves, and clients that follow the protocol
 *   raw_peer_      raw_peer.h      a peer of a test_node that sends any bytes, handshake steps and frames
 *   bare_link_     bare_link.h     a connection whose other end is a link without layers
 *   carried_       carried.h       two nodes, and connections over streams of a connection between them
 *   channel_pair_  channel_pair.h  two nodes and a channel between them
 *
 *   book_          book_fixture.h  an address book, with peers that are numbers and addresses that are text
 *
 *   cat_plan_      cat_plan.h      a schedule of faults for two gn-cats, from a seed
 *   measure_       measure.h       work done and processor time used, for benches
 *
 *   seal_craft_    seal_craft.h    sealed messages that are made and decrypted part by part
 *   seal_          seal_fixture.h  four keys, a sealed message, opening it
 *
 * A fixture that has to use up virtual or real time turns a loop until a condition holds; none of them
 * sleeps.
 */
#ifndef GN_SUPPORT_SUPPORT_H
#define GN_SUPPORT_SUPPORT_H

#include "support/cmocka.h"

#include "support/bare_link.h"
#include "support/carried.h"
#include "support/channel_pair.h"
#include "support/direct_mux.h"
#include "support/dns_server.h"
#include "support/dummy_finder.h"
#include "support/dummy_layers.h"
#include "support/dummy_reach.h"
#include "support/dummy_router.h"
#include "support/dummy_security.h"
#include "support/fake_transport.h"
#include "support/heap.h"
#include "support/link_pair.h"
#include "support/mux_model.h"
#include "support/net.h"
#include "support/net_ends.h"
#include "support/noise_peer.h"
#include "support/noise_script.h"
#include "support/peer_events.h"
#include "support/pipe_link.h"
#include "support/pipe_model.h"
#include "support/pipe_pair.h"
#include "support/raw_peer.h"
#include "support/require.h"
#include "support/rng.h"
#include "support/seal_craft.h"
#include "support/seal_fixture.h"
#include "support/session_pair.h"
#include "support/test_node.h"
#include "support/vectors.h"
#include "support/wire.h"
#include "support/yamux_script.h"
#include "support/yamux_watch.h"

#endif
