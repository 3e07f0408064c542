#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""vectors.py check|make FILE: seals the message of each line of the vectors again with sealed.py, and
opens it.  `check` compares it with the last column and prints the names; `make` prints the file with a
new last column."""
import sys
from sealed import Key, need, seal, unseal

def vector(field):
    sender, seeds, k, salt, ephs, when, mid, seq, type_, context, chunks = field[1:12]
    each = lambda s: [bytes.fromhex(x) for x in s.split(",")]
    message_header = [(3, type_.encode()), (4, context.encode()), (5, int(when)), (6, bytes.fromhex(mid))]
    if seq:
        s, number, *end = seq.split(",")
        message_header += [(7, bytes.fromhex(s)), (8, int(number))] + [(9, 1)] * len(end)
    key, to = Key(bytes.fromhex(sender)), [Key(s) for s in each(seeds)]
    out = seal(key, [t.id for t in to], each(chunks), bytes.fromhex(k), bytes.fromhex(salt), each(ephs),
               [(f, v) for f, v in message_header if v != b""])
    for t in to:
        need(unseal(t, out, [key.id], context.encode()) == b"".join(each(chunks)), field[0] + " does not open")
    return out.hex()

verb, file = sys.argv[1:]
for line in open(file, encoding="utf-8").read().splitlines():
    field = line.split("\t")
    if line[:1] != "#":
        made = vector(field)
        need(verb == "make" or made == field[12], field[0] + " comes out otherwise")
        line = "\t".join(field[:12] + [made])
    if verb == "make" or line[:1] != "#":
        print(line if verb == "make" else field[0])
