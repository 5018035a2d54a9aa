"""Clients that do not read: what they learn when they do, and what a handshake costs: slow_cases.py EDGE-SERVER [case]."""

import struct
import sys
import time

from edge import CLOSE, DEADLINE, TEXT, WHOLE, Reader, Suite, frame, upgrade

suite = Suite("slow", sys.argv[1])
LIMITS = {"shards": 1, "soft_bytes": 100000, "hard_bytes": 8000000, "linger_ms": 20000}
TOO_SLOW = (1008, b"WebSocket backpressure: client too slow")


def open_flood(server, kib):
    """A client with a small receive buffer that asks for so many KiB, and reads none of them."""
    sock = server.connect(4096)
    sock.sendall(upgrade("/ws-flood"))
    reader = Reader(sock)
    reader.until(b"\r\n\r\n")
    sock.sendall(frame(TEXT, str(kib)))
    return sock, reader


def await_counter(server, name):
    end = time.monotonic() + DEADLINE
    while not server.counters()[name]:
        if time.monotonic() > end:
            raise TimeoutError(name)
        time.sleep(0.01)


def read_to_close(reader):
    """How many whole messages come, and the code and reason that end them."""
    count = 0
    while True:
        opcode, payload, _, _ = reader.frame()
        if opcode == CLOSE:
            return count, (struct.unpack("!H", payload[:2])[0], payload[2:])
        if (opcode, payload) != (TEXT, b"x" * 1024):
            raise ValueError(f"{opcode} {payload[:40]!r} ({len(payload)})")
        count += 1


def case(name, kib, counter, **options):
    def run(_):
        server = suite.server(**{**LIMITS, **options})
        sock, reader = open_flood(server, kib)
        with sock:
            await_counter(server, counter)
            count, end = read_to_close(reader)
            if end != TOO_SLOW:
                return f"closed with {end}"
            if not 0 < count < kib:
                return f"{count} of {kib} messages came"
            if reader.data or reader.fill():
                return f"bytes after the close frame: {reader.data[:40]!r}"
        counters = server.counters()
        causes = {key: counters[key] for key in counters if key.startswith("closes_backlog") and counters[key]}
        return None if causes == {counter: 1} and counters["dropped_bytes"] else f"counted {causes}"

    suite.add(name, run, (WHOLE,))


case("over the hard mark by bytes", 100000, "closes_backlog_bytes")
case("over the hard mark by age", 7000, "closes_backlog_age", soft_age_ms=100, hard_age_ms=400)
case("over it in one message after the other", 30000, "closes_backlog_bytes", hard_bytes=1000000, write_budget=1)


def handshake_sends(_):
    """The 101 and what the server says first."""
    server = suite.server(shards=1, max_message=12345)
    before = server.counters()["sends"]
    with server.connect() as sock:
        sock.sendall(upgrade("/ws-hello"))
        reader = Reader(sock)
        reader.until(b"\r\n\r\n")
        if reader.frame()[:2] != (TEXT, b"hello"):
            return "no greeting"
        sends = server.counters()["sends"] - before - 1  # the first counters went out after they were counted
    return None if sends == 1 else f"took {sends} sends"


suite.add("a handshake is one send", handshake_sends, (WHOLE,))
sys.exit(suite.run())
