#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""slow_path.py PORT RATE: a relay to a port of this host.  It passes the first 4000 bytes at once, and
then RATE bytes per second; the other direction is not limited.  It prints its own port, serves one
connection, and ends with it."""
import socket, sys, threading, time

port, rate = int(sys.argv[1]), int(sys.argv[2])
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
listener.bind(("127.0.0.1", 0))
listener.listen(1)
print(listener.getsockname()[1], flush=True)
near = listener.accept()[0]
far = socket.create_connection(("127.0.0.1", port))
far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def back():
    try:
        while data := far.recv(65536):
            near.sendall(data)
        near.shutdown(socket.SHUT_WR)
    except OSError:
        pass


threading.Thread(target=back, daemon=True).start()
passed, due = 0, time.monotonic()
try:
    while data := near.recv(max(1, rate // 20)):
        passed += len(data)
        far.sendall(data)
        if passed > 4000:
            due = max(due, time.monotonic() - 0.2) + len(data) / rate
            time.sleep(max(0, due - time.monotonic()))
    far.shutdown(socket.SHUT_WR)
    near.recv(1)
except OSError:
    pass
