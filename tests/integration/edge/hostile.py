"""Slow and hostile peers: hostile.py EDGE-SERVER [substring of names].

Each attack runs in a process of its own against one shard, beside a well-behaved client on the same shard, which must be
served all the while. Printed for each: the good client's median round trip as a ratio to its quiet one, and the server's
memory before, during and after. Held against: that the good client is answered, that the attack met the limit that is
meant for it (by its counter), and that nothing is left behind. Times are told, never judged.
"""

import multiprocessing
import os
import selectors
import socket
import statistics
import struct
import sys
import time
import zlib

from edge import BINARY, CONT, DEADLINE, PING, TEXT, Reader, Server, close_frame, frame, open_ws, upgrade

PROGRAM = sys.argv[1]
WANTED = sys.argv[2] if len(sys.argv) > 2 else ""
SCALE = float(os.environ.get("EDGE_SCALE", "1"))
ROUNDS = 300
failures = []


def round_trips(sock, reader, until):
    """Echoes until told to stop; the median round trip in microseconds."""
    times = []
    message = frame(TEXT, b"x" * 64)
    while not until(len(times)):
        start = time.perf_counter()
        sock.sendall(message)
        opcode, payload, _, _ = reader.frame()
        while opcode == PING:
            sock.sendall(frame(10, payload))
            opcode, payload, _, _ = reader.frame()
        times.append((time.perf_counter() - start) * 1e6)
        if (opcode, payload) != (TEXT, b"x" * 64):
            raise ValueError("the good client got something else")
        time.sleep(0.001)
    return statistics.median(times)


def connect(port, receive_buffer=None):
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(DEADLINE)
    sock.connect(("127.0.0.1", port))
    return sock


def shake(port, path="/ws", receive_buffer=None, **headers):
    sock = connect(port, receive_buffer)
    sock.sendall(upgrade(path, **headers))
    Reader(sock).until(b"\r\n\r\n")
    return sock


def drip(socks, chunk, pause, seconds):
    """Sends chunk(i) to all of them again and again, until each is closed by the server or time is over."""
    selector = selectors.DefaultSelector()
    for sock in socks:
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ)
    alive, step, end = set(socks), 0, time.monotonic() + seconds
    while alive and time.monotonic() < end:
        for sock in list(alive):
            try:
                sock.send(chunk(step))
            except BlockingIOError:
                pass
            except OSError:
                alive.discard(sock)
        for key, _ in selector.select(pause):
            try:
                gone = not key.fileobj.recv(65536)
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            if gone:
                selector.unregister(key.fileobj)
                alive.discard(key.fileobj)
        step += 1
        time.sleep(pause)
    return len(alive)


# ---- the attacks: each gets the port and how many peers, and returns an error or None ----


def slow_loris(port, peers):
    socks = [connect(port) for _ in range(peers)]
    head = b"GET /hello HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 10000
    left = drip(socks, lambda step: head[step:step + 1], 0.02, 20)
    return f"{left} slow requests were not ended" if left else None


def slow_frame(port, peers):
    socks = [shake(port) for _ in range(peers)]
    data = frame(BINARY, b"x" * 100000)
    left = drip(socks, lambda step: data[step:step + 1], 0.02, 20)
    return f"{left} slow messages were not ended" if left else None


def dust_fragments(port, peers):
    for _ in range(peers):
        sock = shake(port)
        try:
            sock.sendall(frame(TEXT, b"", False) + frame(CONT, b"", False) * 100000)
        except OSError:
            pass
        sock.close()
    return None


def bomb(port, peers):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = (packer.compress(b"\0" * (256 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    for _ in range(peers):
        sock = shake(port, Sec_WebSocket_Extensions="permessage-deflate")
        sock.sendall(frame(BINARY, packed, rsv=4))
        opcode, payload, _, _ = Reader(sock).frame()
        if opcode != 8 or struct.unpack("!H", payload[:2])[0] != 1009:
            return f"a bomb was answered with {opcode} {payload[:20]!r}"
        sock.close()
    return None


def endless_ends(port, peers):
    """A full window, and then nothing but final blocks, each of which says that the stream ends."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b"\0" * 70000) + packer.flush(zlib.Z_SYNC_FLUSH) + b"\x03\x00" * 500000 + b"\x00"
    for _ in range(peers):
        sock = shake(port, Sec_WebSocket_Extensions="permessage-deflate")
        sock.sendall(frame(BINARY, packed, rsv=4))
        opcode, _, rsv1, _ = Reader(sock).frame()
        if (opcode, rsv1) != (BINARY, True):
            return f"answered with {opcode}"
        sock.close()
    return None


def flood(port, peers):
    """Sends as fast as it can and reads nothing: its own replies must stop it."""
    socks = [shake(port, receive_buffer=4096) for _ in range(peers)]
    data = (frame(TEXT, b"f" * 100) + frame(PING, b"f" * 100)) * 500
    end = time.monotonic() + 2
    stuck = 0
    for sock in socks:
        sock.setblocking(False)
    while time.monotonic() < end:
        stuck = 0
        for sock in socks:
            try:
                sock.send(data)
            except BlockingIOError:
                stuck += 1
            except OSError:
                pass
        if stuck == len(socks):
            time.sleep(0.01)
    return None if stuck else "nobody stopped the flood"


def unread_socket(port, peers):
    """Asks for 100 MB each and reads none of it."""
    socks = [shake(port, "/ws-flood", receive_buffer=4096) for _ in range(peers)]
    for sock in socks:
        sock.sendall(frame(TEXT, b"100000"))
    return wait_closed(socks)


def unread_trickle(port, peers):
    """Asks for a little more than the kernel takes, and reads none of it."""
    socks = [shake(port, "/ws-flood", receive_buffer=4096) for _ in range(peers)]
    for sock in socks:
        sock.sendall(frame(TEXT, b"6000"))
    return wait_closed(socks)


def wait_closed(socks):
    """Without reading: a closed peer shows by an error or hang-up."""
    import select
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    left, end = {sock.fileno() for sock in socks}, time.monotonic() + 20
    while left and time.monotonic() < end:
        for fd, _ in poll.poll(500):
            left.discard(fd)
            poll.unregister(fd)
    return f"{len(left)} of {len(socks)} who do not read were not closed" if left else None


def reset_storm(port, peers):
    linger = struct.pack("ii", 1, 0)
    parts = [b"", b"G", b"GET /hello HTTP/1.1\r\n", b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n" * 20, upgrade(), upgrade() + frame(TEXT, b"x" * 5000)[:3000],
             upgrade() + frame(TEXT, b"x") * 200, upgrade("/ws-flood") + frame(TEXT, b"500"), b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
             b"GET /later HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n", upgrade("/ws-hold") + frame(TEXT, b"x")]
    for i in range(peers):
        sock = connect(port)
        sock.sendall(parts[i % len(parts)])
        if i % 24 < 12 and i % 12 in (3, 4, 5, 6, 7, 11):  # those that are answered: reset amid the answer
            try:
                sock.recv(1)
            except OSError:
                pass
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        sock.close()
    return None



def half_open(port, peers):
    """Shakes hands and falls silent: no pong ever."""
    return wait_closed([shake(port) for _ in range(peers)])


def silent(port, peers):
    """Connects and says nothing."""
    return wait_closed([connect(port) for _ in range(peers)])


def pipeline_flood(port, peers):
    """Pipelines large echoes without reading any."""
    socks = [connect(port, 4096) for _ in range(peers)]
    data = (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" + b"x" * 60000) * 10
    sent = {sock: 0 for sock in socks}
    end = time.monotonic() + 2
    while time.monotonic() < end:
        for sock in socks:
            sock.setblocking(False)
            try:
                sent[sock] += sock.send(data[sent[sock] % len(data):])
            except OSError:
                pass
        time.sleep(0.001)
    return wait_closed(socks)


def garbage(port, peers):
    noise = os.urandom(4096)
    for i in range(peers):
        sock = connect(port) if i % 2 else shake(port)
        try:
            sock.sendall(noise[i % 1000:])
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        except OSError:
            pass
        sock.close()
    return None


def header_flood(port, peers):
    for _ in range(peers):
        sock = connect(port)
        try:
            sock.sendall(b"GET /hello HTTP/1.1\r\n" + b"A: b\r\n" * 100000)
            while sock.recv(65536):
                pass
        except OSError:
            pass
        sock.close()
    return None


def close_storm(port, peers):
    """Opens and closes in order, as a flock of browsers that reload."""
    for _ in range(peers):
        sock = shake(port)
        sock.sendall(close_frame(1001))
        Reader(sock).frame()
        sock.close()
    return None


LIMITS = {"header_ms": 1000, "body_ms": 1000, "idle_ms": 60000, "ping_ms": 60000, "message_ms": 1000, "close_ms": 500, "linger_ms": 500,
          "soft_bytes": 100000, "hard_bytes": 8000000, "max_message": 1 << 20}
# name, attack, peers, options, the counters that must have moved
ATTACKS = [
    (slow_loris, 300, {}, ["http_timeouts"]),
    (slow_frame, 300, {}, ["ws_closes_slow"]),
    (dust_fragments, 30, {}, ["ws_closes_too_big"]),
    (bomb, 20, {"deflate": 1}, ["ws_closes_too_big"]),
    (endless_ends, 10, {"deflate": 1}, ["ws_deflates"]),
    (flood, 10, {}, ["pauses_backlog", "soft_marks"]),
    (unread_socket, 10, {}, ["closes_backlog_bytes", "dropped_bytes"]),
    (unread_trickle, 10, {"soft_age_ms": 300, "hard_age_ms": 1000}, ["closes_backlog_age"]),
    (pipeline_flood, 10, {"soft_age_ms": 300, "hard_age_ms": 1000}, ["closes_backlog_age", "pauses_backlog"]),
    (reset_storm, 1500, {}, ["closes_error"]),
    (close_storm, 300, {}, ["ws_closes_peer"]),
    (half_open, 200, {"ping_ms": 500}, ["ws_closes_half_open", "ws_pings"]),
    (silent, 300, {"idle_ms": 1000}, ["http_timeouts"]),
    (garbage, 300, {}, ["http_errors_4xx"]),
    (header_flood, 50, {}, ["http_errors_4xx"]),
]


def child(attack, port, peers, pipe):
    try:
        pipe.send(attack(port, peers))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


def settle(server, keep):
    """Waits until the server has closed all but the good client's connections."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        counters = server.counters()
        # The request for the counters is a connection, too.
        if counters["opened"] - counters["closed"] <= keep + 1:
            return counters
        time.sleep(0.05)
    return counters


def run(attack, peers, options, moved):
    server = Server(PROGRAM, shards=1, **{**LIMITS, **options})
    sock, reader = open_ws(server)
    quiet = round_trips(sock, reader, lambda count: count >= ROUNDS)
    before = server.resident_kib()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=child, args=(attack, server.port, max(1, int(peers * SCALE)), theirs))
    process.start()
    most = 0

    def until(_):
        nonlocal most
        most = max(most, server.resident_kib())
        return not process.is_alive()

    loaded = round_trips(sock, reader, until)
    complaint = ours.recv()
    process.join()
    counters = settle(server, 1)
    round_trips(sock, reader, lambda count: count >= 20)
    sock.sendall(close_frame(1000))
    after = server.resident_kib()
    left = counters["opened"] - counters["closed"]
    server.stop()
    sock.close()
    if not complaint and left > 2:
        complaint = f"{left - 2} connections were left"
    if not complaint and counters["backlog_bytes"]:
        complaint = f"{counters['backlog_bytes']} bytes of backlog were left"
    still = [name for name in moved if not counters[name]]
    if not complaint and still:
        complaint = f"did not move: {still}"
    print(f"{attack.__name__:16} {max(1, int(peers * SCALE)):5} peers  round trip {quiet:6.0f} us, {loaded:6.0f} us meanwhile ({loaded / quiet:4.1f}x)  "
          f"memory {before / 1024:6.1f} -> {most / 1024:6.1f} -> {after / 1024:6.1f} MiB  {complaint or 'fine'}", flush=True)
    if complaint:
        failures.append(f"{attack.__name__}: {complaint}")


if __name__ == "__main__":
    for attack, peers, options, moved in ATTACKS:
        if WANTED in attack.__name__:
            run(attack, peers, options, moved)
    for failure in failures:
        print("FAILED", failure)
    sys.exit(1 if failures else 0)
