#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""on_terminal.py COMMAND...: runs it on a terminal of its own.  What it prints there goes to standard output;
Ctrl-C is typed once for each line on standard input.  Ends with the command's exit code (128 + signal)."""
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
