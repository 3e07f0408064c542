# SPDX-License-Identifier: MIT
"""Shared by the soak's cases: tools in the background, listeners, slow paths, and checks."""
import os, re, select, shutil, signal, socket, subprocess, tempfile, threading, time

BIN = os.path.abspath(os.environ.get("GN_BIN", "build/release/bin"))
LO = "/ip4/127.0.0.1/tcp/0"
ATTACKER, CLIENT = "127.0.0.9", "127.0.0.2"  # the addresses of attackers and of the clients that measure
cases = []


class Failed(Exception):
    pass


def case(seconds, lane="wait"):
    """Registers a case: its duration, and whether it mostly waits ("wait") or loads the machine ("load")."""

    def add(run):
        cases.append((run.__name__, seconds, lane, run))
        return run

    return add


def need(ok, text):
    if not ok:
        raise Failed(text)


class Case:
    """The directory and the processes of one case."""

    def __init__(self):
        self.dir, self.kids, self.env = tempfile.mkdtemp(prefix="gn-soak-"), [], dict(os.environ, LC_ALL="C")
        self.env["PATH"] = BIN + ":" + self.env["PATH"]
        self.env["XDG_CONFIG_HOME"] = self.dir
        self.env.pop("GN_KEY_FILE", None)

    def close(self):
        for p in self.kids:
            if p.poll() is None:
                p.kill()
                p.wait()
            for f in (p.stdin, p.stdout, p.stderr):
                if f:
                    try:
                        f.close()
                    except OSError:
                        pass
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, *argv, **kw):
        for name in ("stdin", "stdout", "stderr"):
            kw.setdefault(name, subprocess.DEVNULL)
        p = subprocess.Popen(argv, env=self.env, cwd=self.dir, **kw)
        self.kids.append(p)
        return p

    def listen(self, tool, *args, **kw):
        """Starts a listener with --ready-fd; returns its process, its address and its port."""
        r, w = os.pipe()
        with open(self.path("err"), "ab") as err:
            kw.setdefault("stderr", err)
            p = self.start(tool, "--ready-fd", str(w), *args, pass_fds=[w], **kw)
        os.close(w)
        with os.fdopen(r) as ready:
            addr = ready.readline().strip() if select.select([r], [], [], 10)[0] else None
        if not addr:
            with open(self.path("err"), errors="replace") as err:
                raise Failed("no listener: " + err.read()[-300:])
        return p, addr, int(addr.split("/")[4])

    def run(self, *argv, seconds=20, data=b"", **kw):
        """Runs a command; returns its exit code (None after a time-out), its stdout and the last line of its stderr."""
        p = self.start(*argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
        try:
            out, err = p.communicate(data, timeout=seconds)
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
            return None, b"", "still running after %d s" % seconds
        return p.returncode, out, err.decode(errors="replace").strip().split("\n")[-1]

    def dials(self, addr, protocol="/echo", data=b"hello\n", **kw):
        """Checks that a dial is served and that data comes back from a program that is cat."""
        code, out, err = self.run("gn-dial", "--wire", "raw", "-F", "raw", addr, protocol, data=data, **kw)
        need(code == 0 and out == data, "a dial: exit %s, %d of %d bytes: %s" % (code, len(out), len(data), err))

    def pings(self, addr):
        code, _, err = self.run("gn-dial", "-w", "5", "--ping=1", addr)
        need(code == 0, "a ping: exit %s: %s" % (code, err))


def ends(p, seconds):
    """Returns the exit code of a process, or None if it does not end in time."""
    try:
        return p.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def until(what, seconds):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def read_exactly(f, n, seconds):
    """Reads n bytes, or fewer, from an unbuffered pipe within the given time."""
    got = []

    def go():
        while sum(map(len, got)) < n:
            b = os.read(f.fileno(), min(n - sum(map(len, got)), 1 << 16))
            if not b:
                return
            got.append(b)

    t = threading.Thread(target=go, daemon=True)
    t.start()
    t.join(seconds)
    return b"".join(got)


def read_all(f, seconds):
    """Reads up to the end of file within the given time."""
    return read_exactly(f, 1 << 40, seconds)


def stop_for(processes, seconds):
    """Stops all processes, waits, and continues them."""
    for p in processes:
        p.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    for p in processes:
        p.send_signal(signal.SIGCONT)


def copy_slowly(a, b, rate):
    """Copies from a to b in small pieces at `rate` bytes per second; None is without a limit."""
    due = None
    try:
        while True:
            piece = a.recv(max(1, rate // 20) if rate else 65536)
            if not piece:
                b.shutdown(socket.SHUT_WR)
                return
            b.sendall(piece)
            if rate:
                due = max(due or 0, time.monotonic() - 0.2) + len(piece) / rate
                time.sleep(max(0, due - time.monotonic()))
    except OSError:
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def slow_path(addr, up, down):
    """Returns an address that leads to addr over a path with these rates in bytes per second and small buffers."""
    port = int(addr.split("/")[4])
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    door.bind(("127.0.0.1", 0))
    door.listen(4)

    def serve():
        while True:
            try:
                a, _ = door.accept()
            except OSError:
                return
            b = socket.socket()
            b.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            b.connect(("127.0.0.1", port))
            for s in (a, b):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=copy_slowly, args=(a, b, up), daemon=True).start()
            threading.Thread(target=copy_slowly, args=(b, a, down), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return re.sub(r"/tcp/\d+", "/tcp/%d" % door.getsockname()[1], addr, count=1)
