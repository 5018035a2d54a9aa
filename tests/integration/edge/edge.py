"""What the edge suites share: a server for each set of options, raw sockets, frames, and a runner of cases.

A case is sent over a real socket, once with its bytes all at once and once with one byte per write, and must be answered the
same both times. Nothing sleeps to hope: every wait is for an event, with a deadline.
"""

import concurrent.futures
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time

DEADLINE = float(os.environ.get("EDGE_DEADLINE", "30"))
WHOLE, BYTES = "whole", "bytes"
TEXT, BINARY, CONT, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


class Server:
    """The edge-server with the given options; it ends when its standard input does."""

    def __init__(self, program, **options):
        words = [f"{name.replace('_', '-')}={value}" for name, value in options.items()]
        self.process = subprocess.Popen([program, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError(f"{program} {words} did not start")
        self.port = int(line.split()[-1])
        self.pid = self.process.pid

    def connect(self, receive_buffer=None):
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(DEADLINE)
        sock.connect(("127.0.0.1", self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def counters(self):
        with self.connect() as sock:
            sock.sendall(b"GET /counters HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return json.loads(receive_all(sock).split(b"\r\n\r\n", 1)[1])

    def resident_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def stop(self):
        """Ends the server; anything but a clean exit (a sanitizer's report, say) fails the suite."""
        self.process.stdin.close()
        self.process.stdout.close()
        if self.process.wait(DEADLINE) != 0:
            raise RuntimeError(f"the server ended with {self.process.returncode}")


def send(sock, data, mode):
    """Sends data; a peer that closes meanwhile has its reasons, which the reply tells."""
    try:
        if mode == WHOLE:
            sock.sendall(data)
            return
        # Of a long message the middle goes at once: it is the edges that matter.
        middle = slice(300, max(300, len(data) - 300))
        for byte in data[: middle.start]:
            sock.sendall(bytes([byte]))
        if data[middle]:
            sock.sendall(data[middle])
        for byte in data[middle.stop:]:
            sock.sendall(bytes([byte]))
    except (BrokenPipeError, ConnectionResetError):
        pass


def receive_all(sock):
    data = b""
    while True:
        try:
            part = sock.recv(1 << 16)
        except ConnectionResetError:
            return data
        if not part:
            return data
        data += part


class Reader:
    """Exact reads from a socket."""

    def __init__(self, sock, data=b""):
        self.sock, self.data = sock, data

    def fill(self):
        try:
            part = self.sock.recv(1 << 16)
        except ConnectionResetError:
            part = b""
        self.data += part
        return bool(part)

    def exactly(self, count):
        while len(self.data) < count:
            if not self.fill():
                raise EOFError
        part, self.data = self.data[:count], self.data[count:]
        return part

    def until(self, mark):
        while mark not in self.data:
            if not self.fill():
                raise EOFError
        part, self.data = self.data.split(mark, 1)
        return part

    def frame(self):
        """(opcode, payload, rsv1, fin) of a server's frame, which must be unmasked and minimally coded."""
        first, second = self.exactly(2)
        length = second & 0x7F
        if second & 0x80:
            raise ValueError("the server masked a frame")
        if length == 126:
            (length,) = struct.unpack("!H", self.exactly(2))
            if length < 126:
                raise ValueError("length is not minimal")
        elif length == 127:
            (length,) = struct.unpack("!Q", self.exactly(8))
            if length < 65536:
                raise ValueError("length is not minimal")
        if first & 0x30:
            raise ValueError("the server set a reserved bit")
        return first & 0x0F, self.exactly(length), bool(first & 0x40), bool(first & 0x80)


def masked(payload, key):
    repeated = key * (len(payload) // 4 + 1)
    size = len(payload)
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated[:size], "big")).to_bytes(size, "big")


def frame(opcode, payload=b"", fin=True, rsv=0, key=b"\x11\x22\x33\x44", length_bytes=None, length=None, mask=True):
    """A client's frame, right or wrong."""
    if isinstance(payload, str):
        payload = payload.encode()
    size = len(payload) if length is None else length
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 65536 else 8
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if length_bytes == 0:
        head += bytes([bit | size])
    elif length_bytes == 2:
        head += bytes([bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", size)
    return head + (key + masked(payload, key) if mask else payload)


def close_frame(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def upgrade(path="/ws", **headers):
    """A handshake. A header given as None is left out; a list is sent as several."""
    fields = {"Host": "x", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
              "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    for name, value in headers.items():
        fields[name.replace("_", "-")] = value
    lines = []
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            lines.append(f"{name}: {one}\r\n")
    return f"GET {path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode()


def open_ws(server, path="/ws", **headers):
    """A socket past the handshake, and its reader."""
    sock = server.connect()
    sock.sendall(upgrade(path, **headers))
    reader = Reader(sock)
    head = reader.until(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101 "):
        raise ValueError(head)
    return sock, reader


class Suite:
    """Collects cases, runs them side by side, reports."""

    def __init__(self, name, program):
        self.name, self.program = name, program
        self.jobs, self.names, self.servers, self.failures = [], set(), {}, []
        self.requests = []  # of cases that are one exchange: (name, bytes, what is due), for another server's opinion
        self.lock = threading.Lock()

    def server(self, **options):
        key = tuple(sorted(options.items()))
        with self.lock:
            if key not in self.servers:
                self.servers[key] = Server(self.program, **options)
            return self.servers[key]

    def add(self, name, function, modes=(WHOLE, BYTES)):
        """function(mode) raises or returns a text when the case fails."""
        if name in self.names:
            raise RuntimeError(f"two cases named {name}")
        self.names.add(name)
        for mode in modes:
            self.jobs.append((f"{name} [{mode}]", function, mode))

    def run_one(self, job):
        name, function, mode = job
        try:
            complaint = function(mode)
        except Exception as error:  # whatever goes wrong is the case's failure
            complaint = f"{type(error).__name__}: {error}"
        if complaint:
            with self.lock:
                self.failures.append(f"{name}: {complaint}")

    def run(self):
        wanted = sys.argv[2] if len(sys.argv) > 2 else ""
        jobs = [job for job in self.jobs if wanted in job[0]]
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(self.run_one, jobs))
        for server in self.servers.values():
            try:
                server.stop()
            except Exception as error:
                self.failures.append(f"server: {error}")
        for failure in self.failures:
            print("FAILED", failure[:600])
        print(f"{self.name}: {len(self.names)} cases, {len(jobs)} runs, {len(self.failures)} failed, "
              f"{time.monotonic() - start:.1f} s")
        return 1 if self.failures else 0


def judge_differences(who, asked, differences, reasons):
    """Tells of the differences (name -> (ours, theirs)) that no pattern of reasons matches, and of patterns that match none."""
    stale = [pattern for pattern in reasons if not any(re.fullmatch(pattern, name) for name in differences)]
    unexplained = [name for name in differences if not any(re.fullmatch(pattern, name) for pattern in reasons)]
    for name in unexplained:
        print(f"FAILED {name}: we {differences[name][0]}, {who} {differences[name][1]}")
    for pattern in stale:
        print(f"FAILED nothing differs in {pattern!r}")
    print(f"{who}: {asked} cases, {len(differences)} judged otherwise, {len(unexplained)} without a reason")
    return 1 if unexplained or stale else 0
