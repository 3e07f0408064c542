#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second implementation of sealed messages, written from gn-sealed(5).  It shares no code with libgn.

    sealed.py seal KEYFILE ID... [type=T] [context=C] [chunk=N]   < message > sealed
    sealed.py open KEYFILE ID|any [context=C]                     < sealed > message

Key files contain libp2p's PrivateKey protobuf with an Ed25519 key.  The program reads all of its input
before it writes.  When it fails, its error message names the rule that was broken.
"""
import hashlib, hmac, os, struct, sys, time
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

RAW = dict(encoding=ser.Encoding.Raw, format=ser.PublicFormat.Raw)
P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
Y8 = int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")
CHUNK, MESSAGE_HEADER = 1 << 20, 4096
PUBLIC, ID = bytes.fromhex("08011220"), bytes.fromhex("002408011220")
B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

def need(ok, what):
    if not ok:
        sys.exit("sealed.py: " + what)

def attempt(what):
    try:
        return what()
    except Exception:
        return None

# ---- Ed25519 identities and their X25519 form
class Key:
    def __init__(self, seed):
        self.sign = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        self.pk = self.sign.public_key().public_bytes(**RAW)
        self.id, h = ID + self.pk, bytearray(hashlib.sha512(seed).digest()[:32])
        h[0], h[31] = h[0] & 248, h[31] & 127 | 64
        self.x = x25519.X25519PrivateKey.from_private_bytes(bytes(h))
y_of = lambda point: int.from_bytes(point, "little") & (1 << 255) - 1
is_small = lambda point: y_of(point) % P in (0, 1, P - 1, Y8, P - Y8)
def convert(pk):
    y = y_of(pk)
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    need(y < P and not is_small(pk) and pow(xx, (P - 1) // 2, P) == 1, "a recipient's key is no point of the curve")
    return ((1 + y) * pow(1 - y, P - 2, P) % P).to_bytes(32, "little")
def verify(pk, sig, msg):
    need(y_of(pk) < P and not is_small(pk) and not is_small(sig[:32]), "a key or signature of small order")
    key = ed25519.Ed25519PublicKey.from_public_bytes(pk)
    need(attempt(lambda: key.verify(sig, msg) is None), "bad signature")

# ---- HKDF (RFC 5869) and HPKE's base mode (RFC 9180), made of their primitives
mac = lambda key, data: hmac.new(key, data, hashlib.sha256).digest()
def expand(prk, info, n):
    out, t, i = b"", b"", 1
    while len(out) < n:
        t = mac(prk, t + info + bytes([i]))
        out, i = out + t, i + 1
    return out[:n]
KEM, HPKE = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x03"
def lextract(suite, salt, label, ikm):
    return mac(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)
def lexpand(suite, prk, label, info, n):
    return expand(prk, struct.pack(">H", n) + b"HPKE-v1" + suite + label + info, n)
def hpke(dh, enc, pk_r, info):
    shared = lexpand(KEM, lextract(KEM, b"", b"eae_prk", dh), b"shared_secret", enc + pk_r, 32)
    ctx = b"\x00" + lextract(HPKE, b"", b"psk_id_hash", b"") + lextract(HPKE, b"", b"info_hash", info)
    secret = lextract(HPKE, shared, b"secret", b"")
    return ChaCha20Poly1305(lexpand(HPKE, secret, b"key", ctx, 32)), lexpand(HPKE, secret, b"base_nonce", ctx, 12)
def stanza_seal(pk_r, eph, info, k):
    sk = x25519.X25519PrivateKey.from_private_bytes(eph)
    enc = sk.public_key().public_bytes(**RAW)
    aead, base = hpke(sk.exchange(x25519.X25519PublicKey.from_public_bytes(pk_r)), enc, pk_r, info)
    return enc + aead.encrypt(base, k, b"")
def stanza_open(key, stanza, info):  # exchange() rejects points of low order
    dh = attempt(lambda: key.x.exchange(x25519.X25519PublicKey.from_public_bytes(stanza[:32])))
    aead, base = hpke(dh or bytes(32), stanza[:32], key.x.public_key().public_bytes(**RAW), info)
    return dh and attempt(lambda: aead.decrypt(base, stanza[32:], b""))

# ---- protobuf, which has one valid encoding here: encoding a decoded message must give the same bytes
varint = lambda v: bytes([v]) if v < 128 else bytes([v & 127 | 128]) + varint(v >> 7)
def get_varint(b, at):
    v = shift = 0
    while True:
        need(at < len(b) and shift < 63, "bad varint")
        v, shift, at = v | (b[at] & 127) << shift, shift + 7, at + 1
        if b[at - 1] < 128:
            need(varint(v) == b[at - (shift // 7):at], "a varint that is not minimal")
            return v, at
def encode(fields):
    return b"".join(varint(f << 3) + varint(v) if isinstance(v, int) else varint(f << 3 | 2) + varint(len(v)) + v
                    for f, v in fields)
def decode(b, repeated, order):
    at, out = 0, {}
    while at < len(b):
        tag, at = get_varint(b, at)
        v, at = get_varint(b, at)
        if tag & 7 == 2:
            v, at = b[at:at + v], at + v
        need(tag >> 3 in order and at <= len(b), "malformed protobuf")
        need(tag >> 3 not in out or tag >> 3 == repeated, "a field twice")
        out.setdefault(tag >> 3, []).append(v)
    again = encode((f, v) for f in order for v in out.get(f, []))
    need(again == b and all(v != b"" for vs in out.values() for v in vs), "protobuf that is not canonical")
    return out
def text(fields, f):
    t = fields.get(f, [b""])[0]
    need(len(t) <= 255 and not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in t.decode()), "bad text")
    return t

# ---- the format
sha256 = lambda b: hashlib.sha256(b).digest()
nonce = lambda i, last: i.to_bytes(11, "big") + bytes([last])
signed = lambda hh, i, last, p: b"golem-net sealed 1 chunk\x00" + hh + struct.pack(">QB", i, last) + sha256(p)
def seal(key, ids, chunks, k, salt, ephs, message_header):
    info = b"golem-net sealed 1 key" + salt
    prk = mac(salt, k)
    stanzas = [stanza_seal(convert(i[6:]), e, info, k) for i, e in zip(ids, ephs)]
    h = encode([(1, 1), (2, salt), (3, expand(prk, b"commit", 32))] + [(4, s) for s in stanzas])
    hh = sha256(h)
    aead = ChaCha20Poly1305(expand(prk, b"payload" + hh, 32))
    out = varint(len(h)) + h
    first = encode([(1, PUBLIC + key.pk)] + [(2, i) for i in ids] + message_header)
    for i, p in enumerate([first] + chunks):
        last = i == len(chunks)
        ct = aead.encrypt(nonce(i, last), key.sign.sign(signed(hh, i, last, p)) + p, hh)
        out += struct.pack(">I", last << 31 | len(ct)) + ct
    return out
def unseal(key, data, wanted, context):
    n, at = get_varint(data, 0)
    h, at = data[at:at + n], at + n
    need(n <= 8192 and at <= len(data), "truncated")
    f = decode(h, 4, (1, 2, 3, 4))
    need(f.get(1) == [1] and len(f[2][0]) == len(f[3][0]) == 32 and 1 <= len(f[4]) <= 64, "bad header")
    need(all(len(s) == 80 for s in f[4]), "bad stanza")
    tries = [stanza_open(key, s, b"golem-net sealed 1 key" + f[2][0]) for s in f[4]]
    place = next((i for i, k in enumerate(tries) if k), None)
    need(place is not None, "not sealed for this key")
    prk = mac(f[2][0], tries[place])
    need(hmac.compare_digest(expand(prk, b"commit", 32), f[3][0]), "another key than was committed to")
    hh = sha256(h)
    aead = ChaCha20Poly1305(expand(prk, b"payload" + hh, 32))
    i, last, out, sender = 0, 0, b"", None
    while not last:
        need(at + 4 <= len(data), "truncated")
        head, at = struct.unpack(">I", data[at:at + 4])[0], at + 4
        last, n = head >> 31, head & (1 << 31) - 1
        need(80 <= n <= 80 + (CHUNK if i else MESSAGE_HEADER) and (i or not last) and (last or n > 80), "bad chunk")
        need(at + n <= len(data), "truncated")
        pt, at = attempt(lambda: aead.decrypt(nonce(i, last), data[at:at + n], hh)), at + n
        need(pt, "damaged")
        sig, p = pt[:64], pt[64:]
        if i == 0:
            l = decode(p, 2, (1, 2, 3, 4, 5, 6, 7, 8, 9))
            sender = l[1][0]
            need(len(sender) == 36 and sender[:4] == PUBLIC, "bad sender")
        verify(sender[4:], sig, signed(hh, i, last, p))
        if i == 0:
            need(len(set(l[2])) == len(l[2]) == len(f[4]) and all(len(r) == 38 and r[:6] == ID for r in l[2]), "bad ids")
            need(l[2][place] == key.id, "another's id in the place of this one")
            need(len(l[6][0]) == 16 and isinstance(l[5][0], int) and l.get(9, [1]) == [1], "bad message header")
            need((7 in l) == (8 in l) >= (9 in l) and len(l.get(7, [b"%16d" % 0])[0]) == 16, "bad sequence")
            need(wanted is None or ID + sender[4:] in wanted, "a sender that is not wanted")
            text(l, 3)
            need(text(l, 4) == context, "another context")
        else:
            need(9 not in l or p == b"", "an end that is not empty")
            out += p
        i += 1
    need(at == len(data), "bytes after the last chunk")
    return out

# ---- the command line
def key_read(path):
    b = open(path, "rb").read()
    need(len(b) == 68 and b[:4] == bytes.fromhex("08011240"), "no Ed25519 key")
    return Key(b[4:36])
def id_parse(t):
    n = 0
    for c in t:
        n = n * 58 + B58.index(c)
    need(n.to_bytes(38, "big")[:6] == ID, "no Ed25519 identity: " + t)
    return n.to_bytes(38, "big")
def main(verb, file, *rest):
    opt = dict(a.split("=", 1) for a in rest if "=" in a)
    ids = [a for a in rest if "=" not in a]
    key, data, n = key_read(file), sys.stdin.buffer.read(), int(opt.get("chunk", CHUNK))
    if verb == "open":
        wanted = None if ids == ["any"] else [id_parse(i) for i in ids]
        return sys.stdout.buffer.write(unseal(key, data, wanted, opt.get("context", "").encode()))
    message_header = [(3, opt.get("type", "").encode()), (4, opt.get("context", "").encode())]
    message_header = [x for x in message_header if x[1]] + [(5, time.time_ns()), (6, os.urandom(16))]
    chunks = [data[i:i + n] for i in range(0, len(data), n)] or [b""]
    sys.stdout.buffer.write(seal(key, [id_parse(i) for i in ids], chunks, os.urandom(32), os.urandom(32),
                                 [os.urandom(32) for _ in ids], message_header))

if __name__ == "__main__":
    main(*sys.argv[1:])
