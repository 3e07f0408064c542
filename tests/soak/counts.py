# SPDX-License-Identifier: MIT
"""Each limit of struct gn_limits on a number is reached, and then ordinary work must succeed."""
import os, socket, time
from kit import ATTACKER, LO, need, case, until
from wire import ACK, FIN, PING_ID, RST, SYN, WINDOW, Peer, frame, opening, ping


@case(8, "load")
def connections_over_the_limit_end_and_the_others_live(s):
    """limits.conns: a connection beyond it is notified or cut off; when one is closed there is room again."""
    _, addr, port = s.listen("gn-listen", "--limit", "conns=12", "-a", LO, "/echo", "--", "cat")
    peers = []
    for i in range(12):
        p = Peer(port, "127.0.1.%d" % (i + 1))
        need(ping(p, 1) is not None, "connection %d" % i)
        peers.append(p)
    code, _, err = s.run("gn-dial", "-w", "5", "--ping=1", addr)
    need(code == 6, "one too many: exit %s: %s" % (code, err))
    need(all(ping(p, 3) is not None for p in peers), "one of the first has no answer")
    peers[0].close()
    need(until(lambda: s.run("gn-dial", "-w", "5", "--ping=1", addr)[0] == 0, 5), "there is no room when one has gone")


@case(8, "load")
def many_connections_from_one_loopback_address_are_served(s):
    """limits.conns_per_addr does not apply to loopback addresses."""
    _, addr, port = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    peers = [Peer(port) for _ in range(40)]
    need(all(ping(p, 1) is not None for p in peers), "one of 40 has no answer")
    s.dials(addr)


@case(8, "load")
def many_that_are_not_secured_do_not_keep_others_out(s):
    """limits.conns_pending: the oldest connection of the address that has the most is closed."""
    _, addr, port = s.listen("gn-listen", "-a", LO, "/echo", "--", "cat")
    silent = []
    for i in range(100):
        k = socket.socket()
        k.bind(("127.0.2.%d" % (i % 4 + 1), 0))
        k.connect(("127.0.0.1", port))
        silent.append(k)
    time.sleep(0.2)
    for _ in range(3):
        s.pings(addr)
    s.dials(addr)
    for k in silent:
        k.close()
    s.dials(addr)


def fill(p, first, n):
    """Opens n streams of ping that stay open; returns how many were reset, once all were answered."""
    ids = [first + 2 * i for i in range(n)]
    for i in ids:
        p.send(opening(i, PING_ID))
        if i // 2 % 8 == 7:  # so that only a few are in protocol selection at a time
            p.wait(lambda: p.data(i) or i in p.resets() or p.error, 5)
    p.wait(lambda: all(i in p.resets() or p.data(i) for i in ids) or p.error, 10)
    return len(p.resets() & set(ids))


@case(12, "load")
def streams_over_a_share_are_reset_and_the_others_live(s):
    """limits.streams_per_conn and streams_per_peer, with low values and with a protocol that has no limit of its own."""
    _, addr, port = s.listen("gn-listen", "--limit", "streams-per-conn=6", "--limit", "streams-per-peer=9", "-c", "100", "-a",
                             LO, "/echo", "--", "cat")
    a = Peer(port, ATTACKER)

    def opens(p, stream):
        p.send(opening(stream, "/echo", b"x"))
        p.wait(lambda: p.data(stream).endswith(b"x") or stream in p.resets() or p.error, 5)
        return p.data(stream).endswith(b"x")

    mine = [opens(a, 1 + 2 * i) for i in range(8)]
    need(mine == [True] * 6 + [False] * 2, "of a connection: %s" % mine)
    b = Peer(port, ATTACKER, key=a.key)
    more = [opens(b, 1 + 2 * i) for i in range(5)]
    need(more == [True] * 3 + [False] * 2, "of a peer: %s" % more)
    s.dials(addr)
    a.send(frame(WINDOW, RST, 1, 0) + frame(WINDOW, RST, 3, 0))
    time.sleep(0.3)
    need(opens(b, 21), "there is no room when some have gone")
    need(a.error is None and b.error is None, "a connection has ended")


@case(10, "load")
def memory_that_one_peer_has_used_up_is_there_for_others(s):
    """limits.memory: streams that exceed a peer's share are reset."""
    _, addr, port = s.listen("gn-listen", "--limit", "memory=16M", "-c", "200", "-a", LO, "/echo", "--", "sleep", "60")
    p = Peer(port, ATTACKER)
    for i in range(64):
        p.send(opening(1 + 2 * i, "/echo", bytes(60000)))
        p.wait(lambda: p.data(1 + 2 * i) or 1 + 2 * i in p.resets() or p.error, 2)
    need(s.run("gn-dial", "-w", "5", "--ping=2", addr)[0] == 0, "no ping for another peer")
    need(s.run("gn-dial", "-w", "5", "--identify", addr)[0] == 0, "no identify for another peer")
    p.close()
    s.pings(addr)


@case(8, "load")
def a_window_that_may_not_grow_carries_data(s):
    """limits.window: a stream whose window cannot grow carries data."""
    _, addr, _ = s.listen("gn-listen", "--limit", "window=256K", "-a", LO, "/echo", "--", "cat")
    s.dials(addr, data=os.urandom(20 << 20))
