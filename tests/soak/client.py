#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client that measures: client.py PORT PROTOCOL RATE.  For each number on stdin it makes that many requests at
RATE per second, each on a stream of its own, and every tenth on a new connection.  Then it prints a line of JSON: the seconds of
each request, and null for one that was refused.  PROTOCOL is that of ping, or an echo protocol."""
import json, os, sys, time
from kit import CLIENT
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
    peer, stream = Peer(port, CLIENT), 1
    for word in sys.stdin:
        took, due = [], time.monotonic()
        for i in range(int(word)):
            if took.count(None) == 3:  # the measurement has failed anyway
                took += [None] * (int(word) - len(took))
                break
            due += 1 / rate
            time.sleep(max(0, due - time.monotonic()))
            try:
                if i % 10 == 9:
                    begin, fresh = time.monotonic(), Peer(port, CLIENT, timeout=5)
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
