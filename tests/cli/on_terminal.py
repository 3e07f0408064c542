#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""on_terminal.py COMMAND...: runs COMMAND on a new terminal, and copies the terminal's output to standard
output.  For each line on standard input it types Ctrl-C once.  Its exit code is that of COMMAND, or 128
+ the number of the signal that ended it."""
import os, pty, select, signal, sys

pid, terminal = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp(sys.argv[1], sys.argv[1:])
inputs = [terminal, 0]
while True:
    ready = select.select(inputs, [], [])[0]
    if 0 in ready:
        typed = os.read(0, 4096)
        if not typed:
            inputs.remove(0)
        os.write(terminal, b"\x03" * typed.count(b"\n"))
    if terminal in ready:
        try:
            text = os.read(terminal, 4096)
        except OSError:
            break
        if not text:
            break
        os.write(1, text)
status = os.waitpid(pid, 0)[1]
sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
