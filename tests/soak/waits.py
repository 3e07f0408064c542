# SPDX-License-Identifier: MIT
"""Each time limit of struct gn_limits passes in real time, and then ordinary work must succeed; processes are stopped; paths are slow."""
import hashlib, os, signal, socket, subprocess, time
from kit import LO, ends, need, read_all, read_exactly, case, slow_path, stop_for, until
from wire import DATA, PING_ID, SYN, WINDOW, Peer, frame, opening, ping

PIPE = subprocess.PIPE


def cat_pair(s, addr_of=lambda a: a):
    """Starts two gn-cat that are connected, with pipes for their stdin and stdout."""
    a, addr, _ = s.listen("gn-cat", "-l", LO, stdin=PIPE, stdout=PIPE, bufsize=0)
    b = s.start("gn-cat", addr_of(addr), stdin=PIPE, stdout=PIPE, bufsize=0)
    return a, b


def carries(a, b, text, seconds=10):
    """Checks that text that is written to a is received by b."""
    a.stdin.write(text)
    got = read_exactly(b.stdout, len(text), seconds)
    need(got == text, "%d of %d bytes came" % (len(got), len(text)))


def ends_well(*processes):
    for p in processes:
        p.stdin.close()
    codes = [ends(p, 15) for p in processes]
    need(codes == [0] * len(codes), "exit %s" % codes)


# ---- an idle listener


def idle_listener(s, seconds):
    cat, cat_addr, _ = s.listen("gn-cat", "-l", "--recv-only", LO, stdout=PIPE)
    _, echo_addr, _ = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    time.sleep(seconds)
    data = os.urandom(1 << 20)
    s.dials(echo_addr, data=data)
    s.pings(echo_addr)
    sender = s.start("gn-cat", cat_addr, stdin=PIPE, stdout=subprocess.DEVNULL)
    sender.stdin.write(data)
    sender.stdin.close()
    out = read_all(cat.stdout, 10)
    codes = (ends(sender, 10), ends(cat, 10))
    need(codes == (0, 0) and out == data, "exit %s and %s, %d of %d bytes" % (*codes, len(out), len(data)))


@case(17)
def a_listener_that_was_idle_for_15_s_serves(s):
    idle_listener(s, 15)


@case(32)
def a_listener_that_was_idle_for_30_s_serves(s):
    idle_listener(s, 30)


@case(72)
def a_listener_that_was_idle_for_70_s_serves(s):
    idle_listener(s, 70)


# ---- a stream that is silent


def silent_stream(s, seconds):
    a, b = cat_pair(s)
    carries(a, b, b"before\n")
    carries(b, a, b"before\n")
    _, addr, _ = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    d = s.start("gn-dial", "-F", "raw", "--wire", "raw", addr, "/echo", stdin=PIPE, stdout=PIPE, bufsize=0)
    carries(d, d, b"before\n")
    time.sleep(seconds)
    carries(a, b, b"after\n" * 1000)
    carries(b, a, b"after\n" * 1000)
    ends_well(a, b)
    carries(d, d, b"after\n" * 1000)
    ends_well(d)


@case(47)
def a_stream_that_was_silent_for_45_s_carries_data(s):
    silent_stream(s, 45)


@case(102)
def a_stream_that_was_silent_for_100_s_carries_data(s):
    silent_stream(s, 100)


# ---- processes that are stopped


SIZE = 40 << 20


def stopped(s, seconds, who):
    """Stops processes in the middle of a transfer of 40 MiB; an idle stream of gn-dial is open at the same time."""
    half = os.urandom(1 << 20) * (SIZE >> 21)
    out = s.path("out")
    with open(out, "wb") as f:
        a, addr, _ = s.listen("gn-cat", "-l", LO, stdout=f)
    b = s.start("gn-cat", addr, stdin=PIPE)
    c, echo, _ = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    d = s.start("gn-dial", "-F", "raw", "--wire", "raw", echo, "/echo", stdin=PIPE, stdout=PIPE, bufsize=0)
    carries(d, d, b"before\n")
    b.stdin.write(half)
    need(until(lambda: os.path.getsize(out) > 0, 10), "nothing came")
    stop_for({"listener": [a, c], "dialer": [b, d], "both": [a, b, c, d]}[who], seconds)
    carries(d, d, b"after\n")
    ends_well(d)
    b.stdin.write(half)
    b.stdin.close()
    codes = (ends(b, 20), ends(a, 20))
    with open(out, "rb") as f:
        same = hashlib.sha256(f.read()).digest() == hashlib.sha256(half + half).digest()
    need(codes == (0, 0) and same, "exit %s and %s, the data is %s" % (*codes, "whole" if same else "not the same"))


@case(20)
def a_listener_that_is_stopped_for_17_s_keeps_its_streams(s):
    stopped(s, 17, "listener")


@case(20)
def a_dialer_that_is_stopped_for_17_s_keeps_its_streams(s):
    stopped(s, 17, "dialer")


@case(20)
def streams_live_on_when_both_ends_are_stopped_for_17_s(s):
    stopped(s, 17, "both")


@case(53)
def a_listener_that_is_stopped_for_50_s_keeps_its_streams(s):
    stopped(s, 50, "listener")


@case(83)
def streams_live_on_when_both_ends_are_stopped_for_80_s(s):
    stopped(s, 80, "both")


@case(17)
def a_peer_that_is_stopped_at_the_end_of_the_data_gets_all_of_it(s):
    data = os.urandom(1 << 20)
    a, addr, _ = s.listen("gn-cat", "-l", LO, stdout=PIPE)
    b = s.start("gn-cat", addr, stdin=PIPE)
    b.stdin.write(data[:-1])
    need(read_exactly(a.stdout, len(data) - 1, 10) == data[:-1], "the data is not the same")
    a.send_signal(signal.SIGSTOP)
    b.stdin.write(data[-1:])
    b.stdin.close()
    time.sleep(13)
    a.send_signal(signal.SIGCONT)
    codes = (ends(b, 15), ends(a, 15))
    rest = read_all(a.stdout, 5)
    need(codes == (0, 0) and rest == data[-1:], "exit %s and %s, %d bytes at the end" % (*codes, len(rest)))


@case(12)
def a_dialer_that_is_stopped_while_it_dials_is_served(s):
    """Dialers are stopped for 7 s at several stages of a dial, which is shorter than the limits of the listener."""
    _, addr, _ = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    ds = []
    for delay in (0.004, 0.008, 0.012, 0.016, 0.025, 0.04):
        d = s.start("gn-dial", "-F", "raw", "--wire", "raw", addr, "/echo", stdin=PIPE, stdout=PIPE, bufsize=0)
        time.sleep(delay)
        d.send_signal(signal.SIGSTOP)
        ds.append(d)
    time.sleep(7)
    for d in ds:
        d.send_signal(signal.SIGCONT)
    for d in ds:
        carries(d, d, b"after\n")
        ends_well(d)


@case(80)
def a_connection_that_is_silent_for_a_minute_is_closed(s):
    """limits.keepalive and ping: the stream ends with 8, and the listener serves the next one."""
    c, echo, _ = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    d = s.start("gn-dial", "-F", "raw", "--wire", "raw", echo, "/echo", stdin=PIPE, stdout=PIPE, bufsize=0)
    carries(d, d, b"before\n")
    begin = time.monotonic()
    c.send_signal(signal.SIGSTOP)
    code = ends(d, 78)
    took = time.monotonic() - begin
    c.send_signal(signal.SIGCONT)
    need(code in (5, 8) and 55 <= took <= 75, "exit %s after %.0f s" % (code, took))
    s.dials(echo)


@case(80)
def a_connection_whose_peer_answers_pings_lives_on(s):
    """limits.keepalive and idle, whose default is never: a stream is used once, and then the peer only answers pings."""
    _, _, port = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    p = Peer(port)
    need(ping(p, 1) is not None, "a first request")
    before = p.pings
    time.sleep(75)
    need(not p.is_gone(), "the connection has gone: %s" % p.error)
    need(3 <= p.pings - before <= 8, "%d pings in 75 s" % (p.pings - before))
    need(ping(p, 3) is not None, "a request afterwards")


# ---- slow paths


def slow(s, up, down, send):
    """Sends 160 kB at 4 KB/s from the dialer (send) or from the listener."""
    data = os.urandom(160000)
    fed = ["gn-cat", "-l", LO] if not send else ["gn-cat", "-l", "--recv-only", LO]
    a, addr, _ = s.listen(*fed, stdin=PIPE, stdout=PIPE)
    b = s.start("gn-cat", slow_path(addr, up, down), stdin=PIPE, stdout=PIPE)
    begin = time.monotonic()
    source, sink = (b, a) if send else (a, b)
    source.stdin.write(data)
    for p in (a, b):
        p.stdin.close()
    out = read_all(sink.stdout, 60)
    codes = (ends(a, 10), ends(b, 10))
    took = time.monotonic() - begin
    need(codes == (0, 0) and out == data, "exit %s and %s after %.0f s, %d of %d bytes" % (*codes, took, len(out), len(data)))
    need(took >= 30, "the path was not slow: %.0f s" % took)


@case(50)
def a_slow_path_carries_what_the_dialer_sends(s):
    slow(s, 4000, None, True)


@case(50)
def a_slow_path_carries_what_the_listener_sends(s):
    slow(s, None, 4000, False)


@case(50)
def a_path_that_is_slow_both_ways_carries_data(s):
    slow(s, 4000, 4000, True)


@case(28)
def a_handshake_on_a_very_slow_path_is_waited_for(s):
    """limits.accept: at 40 bytes per second the handshake takes more than 10 s."""
    _, addr, port = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    begin = time.monotonic()
    p = Peer(int(slow_path(addr, 40, 40).split("/")[4]), timeout=30)
    need(p.wait(lambda: p.frames, 10), "the handshake was cut off after %.0f s: %s" % (time.monotonic() - begin, p.error))
    need(time.monotonic() - begin > 11, "the path was not slow")
    s.dials(addr)


# ---- limits of handshakes and selections


def trickle(sock, seconds):
    """Sends the start of a handshake, one byte per second; returns how long the connection stayed open."""
    begin = time.monotonic()
    text = bytes([19]) + b"/multistream/1.0.0\n" + bytes([7]) + b"/noise\n" + b"\0\x20" + bytes(32)
    sock.settimeout(1)
    for i in range(seconds):
        try:
            sock.sendall(text[i:i + 1])
            while sock.recv(4096):
                pass
            return time.monotonic() - begin
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - begin
    return time.monotonic() - begin


@case(40)
def a_handshake_that_does_not_finish_is_cut_off(s):
    """limits.accept: 10 s for a silent peer, 30 s for a peer that sends a byte per second."""
    _, addr, port = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    begin = time.monotonic()
    quiet = socket.create_connection(("127.0.0.1", port))
    quiet.settimeout(15)
    try:
        while quiet.recv(4096):
            pass
    except ConnectionResetError:
        pass
    took = time.monotonic() - begin
    need(9 <= took <= 12, "a silent peer was closed after %.1f s" % took)
    s.dials(addr)
    took = trickle(socket.create_connection(("127.0.0.1", port)), 40)
    need(9 <= took <= 33, "a peer with a byte per second was closed after %.1f s" % took)
    s.dials(addr)


@case(65)
def a_connection_without_a_stream_is_closed(s):
    """limits.first_stream: a connection without a stream is closed."""
    _, addr, port = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    p = Peer(port)
    begin = time.monotonic()
    p.wait(lambda: p.away is not None or p.error, 64)
    took = time.monotonic() - begin
    need(58 <= took <= 63, "after %.1f s" % took)
    s.dials(addr)


@case(14)
def a_selection_that_does_not_end_is_reset(s):
    """limits.negotiate: the stream is reset, and the connection is still served."""
    _, addr, port = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    p = Peer(port)
    p.send(frame(WINDOW, SYN, 1, 0) + frame(DATA, SYN, 3, 6, b"\x13/mult"))
    begin = time.monotonic()
    need(p.wait(lambda: {1, 3} <= p.resets(), 13), "it was not reset")
    took = time.monotonic() - begin
    need(9 <= took <= 12, "after %.1f s" % took)
    need(ping(p, 5) is not None, "no request afterwards")
    s.dials(addr)


def deaf():
    """Returns a port at which connections are accepted and nothing is ever sent."""
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    door.listen(8)
    return door


@case(14)
def a_dial_to_a_silent_host_times_out(s):
    """limits.attempt, and dial if the caller has set it."""
    door = deaf()
    to = "/ip4/127.0.0.1/tcp/%d/p2p/%s" % (door.getsockname()[1], s.run("gn-key", "new", "key")[1].decode().strip())
    begin = time.monotonic()
    code, _, err = s.run("gn-dial", "-w", "3", "--ping=1", to)
    took = time.monotonic() - begin
    need(code == 5 and 2.5 <= took <= 5, "-w 3: exit %s after %.1f s: %s" % (code, took, err))
    begin = time.monotonic()
    code, _, err = s.run("gn-dial", "--ping=1", to)
    took = time.monotonic() - begin
    need(code == 5 and 9 <= took <= 12, "exit %s after %.1f s: %s" % (code, took, err))
    _, addr, _ = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    s.dials(addr)


@case(14)
def limits_on_time_can_be_set(s):
    """--limit sets limits.dial, attempt, idle and first_stream."""
    door = deaf()
    to = "/ip4/127.0.0.1/tcp/%d/p2p/%s" % (door.getsockname()[1], s.run("gn-key", "new", "key")[1].decode().strip())
    for name in ("dial", "attempt"):
        begin = time.monotonic()
        code, _, err = s.run("gn-dial", "--limit", name + "=2s", "--ping=1", to)
        took = time.monotonic() - begin
        need(code == 5 and 1.5 <= took <= 4, "%s: exit %s after %.1f s: %s" % (name, code, took, err))
    _, addr, port = s.listen("gn-listen", "--limit", "idle=3s", "--limit", "first-stream=2s", "-a", LO, "/echo", "--", "cat")
    used, unused = Peer(port), Peer(port)
    begin = time.monotonic()
    used.send(opening(1, PING_ID, bytes(32)))
    unused.wait(lambda: unused.away is not None or unused.error, 6)
    took = time.monotonic() - begin
    # The listener closes at once, or after 2 s if the peer has not answered its identify request.
    need(1.5 <= took <= 4.9, "first-stream: after %.1f s" % took)
    need(not used.wait(lambda: used.away is not None or used.error, 2), "idle counts although there is a stream")
    used.send(frame(WINDOW, 4, 1, 0))
    begin = time.monotonic()
    used.wait(lambda: used.away is not None or used.error, 8)
    took = time.monotonic() - begin
    need(2.5 <= took <= 5, "idle: after %.1f s" % took)
    s.dials(addr)
