#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An honest peer that measures: honest.py PORT PROTOCOL RATE.  For each word on stdin, a number of requests, it makes so many at
RATE a second, each a stream of its own on one connection, every tenth on a new connection, and prints a line of JSON: seconds of
each, null for one that was refused.  PROTOCOL is ping's, or one that sends back what it gets."""
import json, os, sys, time
from kit import HONEST
from wire import PING_ID, FIN, WINDOW, Peer, frame, opening, ping, proposal


def echo(peer, stream, protocol, seconds=10):
    begin, text = time.monotonic(), os.urandom(32)
    want = proposal(protocol) + text
    peer.send(opening(stream, protocol, text) + frame(WINDOW, FIN, stream, 0))
    done = peer.wait(lambda: len(peer.data(stream)) >= len(want) or stream in peer.resets() or peer.error, seconds)
    took = time.monotonic() - begin
    if not done or peer.data(stream) != want:
        return None
    peer.wait(lambda: stream in peer.ended() or peer.error, seconds)
    with peer.cond:
        peer.frames = [f for f in peer.frames if f[2] != stream]
    return took


def request(peer, stream, protocol):
    return ping(peer, stream) if protocol == PING_ID else echo(peer, stream, protocol)


def main():
    port, protocol, rate = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    peer, stream = Peer(port, HONEST), 1
    for word in sys.stdin:
        took, due = [], time.monotonic()
        for i in range(int(word)):
            if took.count(None) == 3:  # that will do
                took += [None] * (int(word) - len(took))
                break
            due += 1 / rate
            time.sleep(max(0, due - time.monotonic()))
            try:
                if i % 10 == 9:
                    begin, fresh = time.monotonic(), Peer(port, HONEST, timeout=5)
                    got = request(fresh, 1, protocol)
                    took.append(got and time.monotonic() - begin)
                    fresh.close()
                else:
                    took.append(request(peer, stream, protocol))
                    stream += 2
            except (OSError, EOFError):
                took.append(None)
        print(json.dumps(took), flush=True)


main()
