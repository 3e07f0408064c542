# SPDX-License-Identifier: MIT
"""An independent implementation of a dialing peer for the soak tests: TCP, multistream-select, Noise XX and yamux.  It can also
violate the protocols."""
import hashlib, hmac, os, socket, struct, threading, time
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

RAW = dict(encoding=ser.Encoding.Raw, format=ser.PublicFormat.Raw)
DATA, WINDOW, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
NOISE_NAME = b"Noise_XX_25519_ChaChaPoly_SHA256"
RECORD_MAX = 65519  # bytes of plaintext


def uvarint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """A length-delimited protobuf field."""
    return uvarint(number << 3 | 2) + uvarint(len(value)) + value


def line(text):
    """A message of multistream-select."""
    return uvarint(len(text) + 1) + text.encode() + b"\n"


def proposal(protocol):
    return line("/multistream/1.0.0") + line(protocol)


def frame(kind, flags, stream, length, body=b""):
    return struct.pack(">BBHII", 0, kind, flags, stream, length) + body


def opening(stream, protocol, data=b""):
    """The frames that open a stream, propose its protocol and send the first bytes."""
    body = proposal(protocol) + data
    return frame(DATA, SYN, stream, len(body), body)


class Cipher:
    def __init__(self, key):
        self.aead, self.n = ChaCha20Poly1305(key), 0

    def nonce(self):
        self.n += 1
        return struct.pack("<IQ", 0, self.n - 1)

    def seal(self, text, ad=None):
        return self.aead.encrypt(self.nonce(), text, ad)

    def open(self, text, ad=None):
        return self.aead.decrypt(self.nonce(), text, ad)


class Handshake:
    """Noise's symmetric state."""

    def __init__(self):
        self.hash = self.chain = NOISE_NAME
        self.cipher = None
        self.mix(b"")

    def mix(self, data):
        self.hash = hashlib.sha256(self.hash + data).digest()

    def derive(self, secret):
        root = hmac.digest(self.chain, secret, "sha256")
        one = hmac.digest(root, b"\1", "sha256")
        return one, hmac.digest(root, one + b"\2", "sha256")

    def mix_key(self, secret):
        self.chain, key = self.derive(secret)
        self.cipher = Cipher(key)

    def seal(self, text):
        out = self.cipher.seal(text, self.hash)
        self.mix(out)
        return out

    def open(self, text):
        out = self.cipher.open(text, self.hash)
        self.mix(text)
        return out


class Peer:
    """A connection to the listener at `port`, from the loopback address `source`.  A thread keeps the frames that are received
    and answers pings while `answers` is set."""

    def __init__(self, port, source="127.0.0.1", key=None, timeout=15, answers=True):
        self.key = key or Ed25519PrivateKey.generate()
        self.answers, self.error, self.lock = answers, None, threading.Lock()
        self.cond = threading.Condition()
        self.frames, self.pings, self.away, self.buffer = [], 0, None, b""
        self.sock = socket.socket()
        self.sock.settimeout(timeout)
        self.sock.bind((source, 0))
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._secure()
        self.sock.settimeout(None)
        threading.Thread(target=self._read, daemon=True).start()

    # ---- the handshake

    def _take(self, n):
        while len(self.buffer) < n:
            got = self.sock.recv(65536)
            if not got:
                raise EOFError("the listener has closed the connection")
            self.buffer += got
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def _message(self):
        return self._take(struct.unpack(">H", self._take(2))[0])

    def _secure(self):
        static, own = X25519PrivateKey.generate(), X25519PrivateKey.generate()
        static_public = static.public_key().public_bytes(**RAW)
        hs, first = Handshake(), own.public_key().public_bytes(**RAW)
        hs.mix(first)
        hs.mix(b"")
        self.sock.sendall(proposal("/noise") + struct.pack(">H", len(first)) + first)
        expected = proposal("/noise")
        if self._take(len(expected)) != expected:
            raise EOFError("the listener does not support Noise")
        answer = self._message()
        theirs = X25519PublicKey.from_public_bytes(answer[:32])
        hs.mix(answer[:32])
        hs.mix_key(own.exchange(theirs))
        their_static = X25519PublicKey.from_public_bytes(hs.open(answer[32:80]))
        hs.mix_key(own.exchange(their_static))
        hs.open(answer[80:])
        third = hs.seal(static_public)
        hs.mix_key(static.exchange(theirs))
        identity = bytes.fromhex("08011220") + self.key.public_key().public_bytes(**RAW)
        proof = self.key.sign(b"noise-libp2p-static-key:" + static_public)
        third += hs.seal(field(1, identity) + field(2, proof) + field(4, field(2, b"/yamux/1.0.0")))
        self.sock.sendall(struct.pack(">H", len(third)) + third)
        send, receive = hs.derive(b"")
        self.tx, self.rx = Cipher(send), Cipher(receive)

    # ---- frames

    def send(self, data):
        """Sends frames in as few records as possible.  Returns False if the connection is lost."""
        try:
            with self.lock:
                out = b""
                for at in range(0, len(data), RECORD_MAX):
                    text = self.tx.seal(data[at:at + RECORD_MAX])
                    out += struct.pack(">H", len(text)) + text
                self.sock.sendall(out)
            return True
        except OSError as e:
            self.error = self.error or e
            return False

    def _read(self):
        plain = b""
        try:
            while True:
                plain += self.rx.open(self._message())
                while len(plain) >= 12:
                    _, kind, flags, stream, length = struct.unpack(">BBHII", plain[:12])
                    size = 12 + (length if kind == DATA else 0)
                    if len(plain) < size:
                        break
                    self._received(kind, flags, stream, length, plain[12:size])
                    plain = plain[size:]
        except Exception as e:
            with self.cond:
                self.error = self.error or e
                self.cond.notify_all()

    def _received(self, kind, flags, stream, length, body):
        if kind == PING and flags & SYN:
            self.pings += 1
            if self.answers:
                self.send(frame(PING, ACK, 0, length))
        with self.cond:
            if kind == GO_AWAY:
                self.away = length
            if kind in (DATA, WINDOW):
                self.frames.append((kind, flags, stream, body))
            self.cond.notify_all()

    def wait(self, what, seconds):
        """Waits until what() is true; returns False if it does not become true in time."""
        with self.cond:
            return self.cond.wait_for(what, seconds) and bool(what())

    def data(self, stream):
        return b"".join(f[3] for f in list(self.frames) if f[2] == stream)

    def resets(self):
        return {f[2] for f in list(self.frames) if f[1] & RST}

    def ended(self):
        return {f[2] for f in list(self.frames) if f[1] & (FIN | RST)}

    def is_gone(self):
        return self.error is not None

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


PING_ID = "/ipfs/ping/1.0.0"
IDENTIFY_ID = "/ipfs/id/1.0.0"
PUSH_ID = "/ipfs/id/push/1.0.0"


def ping(peer, stream, seconds=5):
    """Opens a stream of ping, exchanges 32 bytes and ends it.  Returns the seconds it took, or None if it was refused."""
    begin, nonce = time.monotonic(), os.urandom(32)
    want = proposal(PING_ID) + nonce
    peer.send(opening(stream, PING_ID, nonce) + frame(WINDOW, FIN, stream, 0))
    if not peer.wait(lambda: len(peer.data(stream)) >= len(want) or stream in peer.resets() or peer.error, seconds):
        return None
    took = time.monotonic() - begin
    if peer.data(stream) != want:
        return None
    peer.wait(lambda: stream in peer.ended() or peer.error, seconds)
    with peer.cond:
        peer.frames = [f for f in peer.frames if f[2] != stream]
    return took
