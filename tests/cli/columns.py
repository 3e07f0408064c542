#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""columns.py COLUMNS NARROWER COMMAND: runs the shell command COMMAND on a terminal that is COLUMNS wide,
and makes the terminal NARROWER columns wide after two lines of progress (lines with "/s" or "%").  It
ends after further lines of progress, or with the command.  It prints the length of the longest line of
progress before the change and after it, and then all text without its escape sequences."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

wide, narrow, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
go, start = os.pipe()
pid, fd = pty.fork()
if pid == 0:
    os.close(start)
    os.read(go, 1)  # wait until the size is set
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp("bash", ["bash", "-c", command])


def resize(columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def drawn(data):
    lines = (line.replace(b"\x1b[K", b"") for line in re.split(rb"[\r\n]+", data))
    return [line for line in lines if b"/s" in line or b"%" in line]


resize(wide)
os.write(start, b"x")
parts = [b"", b""]
after, end = 0, time.time() + 30
while time.time() < end and len(drawn(parts[1])) < 5:
    if not select.select([fd], [], [], 0.05)[0]:
        continue
    try:
        data = os.read(fd, 65536)
    except OSError:
        data = b""
    if not data:
        break
    parts[after] += data
    # A complete line has just been read, so everything that is drawn from here on is drawn after the change.
    if after == 0 and len(drawn(parts[0])) >= 2:
        resize(narrow)
        after = 1
try:
    os.kill(pid, signal.SIGKILL)
except ProcessLookupError:
    pass
for part in parts:
    print(max((len(line) for line in drawn(part)), default=0))
text = b"".join(parts).replace(b"\x1b[K", b"").replace(b"\r", b"\n")
sys.stdout.write(text.decode(errors="replace"))
