#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""terminal.py FDS COMMAND...: runs COMMAND with a new terminal as its descriptors FDS ("0", "1", "01").

Standard input is typed at the terminal, and its end is typed as Ctrl-D.  The output of the terminal is
copied to standard output, without echo and with unchanged line ends.  The exit code is that of COMMAND."""
import os, pty, select, subprocess, sys, termios

fds, command = sys.argv[1], sys.argv[2:]
master, slave = pty.openpty()
mode = termios.tcgetattr(slave)
mode[1] &= ~termios.OPOST
mode[3] &= ~termios.ECHO
termios.tcsetattr(slave, termios.TCSANOW, mode)
child = subprocess.Popen(command, stdin=slave if '0' in fds else subprocess.DEVNULL, stdout=slave if '1' in fds else None,
                         close_fds=False)
os.close(slave)
sources = [master] + ([0] if '0' in fds else [])
while master in sources:
    for fd in select.select(sources, [], [])[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:  # EIO: the last process has closed the terminal
            data = b''
        if fd == 0:
            os.write(master, data or b'\x04')
        else:
            os.write(1, data)
        if not data:
            sources.remove(fd)
sys.exit(child.wait())
