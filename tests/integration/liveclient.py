"""A client of liveshard for tests, and the server that they run: standard library only, so that nothing hides what is on the wire.

A Client is one WebSocket with a blocking socket; it masks what it sends, checks every frame that it gets, unpacks batches and
keeps all messages in order. Waiting is always for a message, with a deadline. Clients may keep their state as the reference's
client does (State). Not thread-safe: one thread per client, or all clients on one.
"""

import base64
import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import zlib

DEADLINE = float(os.environ.get("LIVE_DEADLINE", "30"))
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def until(check, what):
    """Waits for check() to be true."""
    end = time.monotonic() + DEADLINE
    while not check():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.01)


def log_of(server):
    """What it has logged so far, by a descriptor of our own: the server writes where its own stands."""
    with open(f"/proc/self/fd/{server.log.fileno()}", encoding="utf-8") as log:
        return log.read()


class Closed(Exception):
    """The server ended the connection; code is None without a close frame."""

    def __init__(self, code=None, reason=""):
        super().__init__(f"closed with {code} {reason!r}")
        self.code, self.reason = code, reason


class Server:
    """A liveshard of its own, on a free port, that ends with the with block and must end well."""

    def __init__(self, program, *arguments, components=None, shards=4, env=None, **settings):
        self.words = [program, "--shards", str(shards)]
        if "host" not in settings:
            self.words += ["--host", "127.0.0.1", "--port", "0"]
        if components:
            self.words += ["--components", components]
        # Tests that wait for the end want to see it: clients that linger hold it up only where a case says so.
        for name, value in {"shutdown_ms": 200, **settings}.items():
            self.words += [f"--{name.replace('_', '-')}", str(value)]
        self.words += arguments
        self.settings = settings
        self.log = tempfile.TemporaryFile("w+")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LIVE_")}
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        env={**clean, **(env or {})})
        self.hello = [self.process.stdout.readline().rstrip("\n")]
        while self.hello[-1] and not self.hello[-1].startswith("components:"):
            self.hello.append(self.process.stdout.readline().rstrip("\n"))
        if not self.hello[0].startswith("listening on "):
            raise RuntimeError(f"{self.words} did not start: {self.errors()}")
        self.pid = self.process.pid
        where = self.hello[0].removeprefix("listening on ")
        self.unix = where.removeprefix("unix:") if where.startswith("unix:") else None
        self.port = None if self.unix else int(where.rsplit(":", 1)[1])

    def errors(self):
        self.log.seek(0)
        return self.log.read()

    def socket(self, timeout=DEADLINE):
        if self.unix:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(timeout)
            sock.connect(self.unix)
            return sock
        sock = socket.create_connection(("127.0.0.1", self.port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def client(self, **options):
        return Client(self, **options)

    def clients(self, count, **options):
        return [Client(self, **options) for _ in range(count)]

    def http(self, method, path, body=None, headers=()):
        """(status, headers, body bytes) of one request."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: test", "Connection: close", *headers]
        if body is not None:
            lines += [f"Content-Length: {len(data)}", "Content-Type: application/json"]
        with self.socket() as sock:
            sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
            reply = b""
            while part := sock.recv(1 << 16):
                reply += part
        head, _, rest = reply.partition(b"\r\n\r\n")
        first, *fields = head.decode().split("\r\n")
        names = {name.lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
        if names.get("transfer-encoding") == "chunked":
            rest = b"".join(re.findall(rb"[0-9a-fA-F]+\r\n(.*?)\r\n", rest, re.S))
        return int(first.split()[1]), names, rest

    def get_json(self, path):
        status, _, body = self.http("GET", path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def stats(self):
        return self.get_json("/api/live/stats")

    def until(self, what, check):
        """Asks for the stats until check says so of them."""
        end = time.monotonic() + DEADLINE
        while True:
            stats = self.stats()
            if check(stats):
                return stats
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what}: {stats}")
            time.sleep(0.01)

    def ask_to_end(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """Ends it in the orderly way; a sanitizer's report or another status fails the test."""
        if self.process.poll() is None:
            self.ask_to_end()
        return self.wait()

    def wait(self):
        try:
            status = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"the server did not end:\n{self.errors()[-8000:]}") from None
        self.process.stdout.close()
        if status != 0:
            raise RuntimeError(f"the server ended with status {status}:\n{self.errors()[-8000:]}")
        return status

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.stop()
        finally:
            self.log.close()


class Client:
    """One connection; generation "G5" (now), or "G1" for the forms of older clients."""

    def __init__(self, server, generation="G5", path="/api/live/ws", origin=None, greeted=True, timeout=DEADLINE, headers=(),
                 inflates=False):
        self.server, self.generation, self.timeout, self.inflates = server, generation, timeout, inflates
        self.sock = server.socket(timeout)
        self.data = b""
        self.messages = []      # all that came, in order, out of their batches
        self.batches = []       # how many messages each text frame held; 0: it was a plain object
        self.seen = 0           # of messages: what wait() has looked at
        self.count = 0
        self.fragments = b""
        self.upgrade(path, origin, headers)
        self.id = self.wait(type="CONNECTION_ESTABLISHED")["connectionId"] if greeted else None

    # ---- the wire ----

    def upgrade(self, path, origin, headers=()):
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", "Host: test", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *headers]
        if origin is not None:
            lines.append(f"Origin: {origin}")
        if self.inflates:
            lines.append("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover")
        self.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        while b"\r\n\r\n" not in self.data:
            self.fill()
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())
        assert head.startswith(b"HTTP/1.1 101"), head
        assert b"sec-websocket-accept: " + accept.lower() in head.lower(), head

    def fill(self):
        try:
            part = self.sock.recv(1 << 18)
        except ConnectionResetError:
            part = b""
        if not part:
            raise Closed
        self.data += part

    def exactly(self, count):
        while len(self.data) < count:
            self.fill()
        part, self.data = self.data[:count], self.data[count:]
        return part

    def read_frame(self):
        first, second = self.exactly(2)
        unknown = 0x30 if self.inflates else 0x70
        assert not first & unknown and not second & 0x80, f"bits that nobody agreed on: {first:02x} {second:02x}"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self.exactly(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.exactly(8))
        payload = self.exactly(size)
        if first & 0x40:
            payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
        return first & 0x80, first & 0x0F, payload

    def write_frame(self, opcode, payload, fin=True, sock=None):
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([(0x80 if fin else 0) | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += struct.pack(">BH", 0x80 | 126, size)
        else:
            head += struct.pack(">BQ", 0x80 | 127, size)
        stretched = (mask * (size // 4 + 1))[:size]
        body = (int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")).to_bytes(size, "big")
        (sock or self.sock).sendall(head + mask + body)

    def receive(self):
        """Takes one frame in: its messages are appended to self.messages."""
        fin, opcode, payload = self.read_frame()
        if opcode == CLOSE:
            code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else None
            try:
                self.write_frame(CLOSE, payload[:2])
            except OSError:
                pass
            raise Closed(code, payload[2:].decode())
        if opcode == PING:
            self.write_frame(PONG, payload)
            return
        if opcode == PONG:
            return
        assert opcode == TEXT and fin, f"opcode {opcode}, fin {fin}"
        whole = json.loads(payload.decode("utf-8", "strict"))
        self.batches.append(len(whole) if isinstance(whole, list) else 0)
        if isinstance(whole, list):
            assert whole and not any("requestId" in message for message in whole), f"a reply in a batch: {whole}"
        self.messages += whole if isinstance(whole, list) else [whole]

    # ---- messages ----

    def send_text(self, text):
        self.write_frame(TEXT, text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)

    def send(self, **message):
        self.send_text(json.dumps(message))

    def request_id(self):
        self.count += 1
        return f"r-{self.count:06d}" if self.generation == "G5" else f"req-1700000000000-{self.count:09d}"

    def envelope(self, type, fields):
        message = {"type": type, **fields}
        if self.generation != "G5" or type.startswith("ROOM_"):
            message["timestamp"] = int(time.time() * 1000)
        return message

    def ask(self, type, **fields):
        """Sends a request and returns its id; answer() waits for the reply."""
        id = fields.setdefault("requestId", self.request_id())
        fields.setdefault("expectResponse", True)
        self.send(**self.envelope(type, fields))
        return id

    def tell(self, type, **fields):
        self.send(**self.envelope(type, fields))

    def wait(self, check=None, **fields):
        """The next message after those looked at before that has these fields; the ones between are passed over."""
        end = time.monotonic() + self.timeout
        while True:
            while self.seen < len(self.messages):
                message = self.messages[self.seen]
                self.seen += 1
                if all(message.get(name) == value for name, value in fields.items()) and (not check or check(message)):
                    return message
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"waited in vain for {fields}; last: {self.messages[-5:]}")
            self.sock.settimeout(left)
            try:
                self.receive()
            except socket.timeout:
                raise AssertionError(f"waited in vain for {fields}; last: {self.messages[-5:]}") from None

    def answer(self, id):
        """The reply to a request, wherever it stands among what came; it must be the only one so far."""
        replies = [message for message in self.messages if message.get("requestId") == id]
        while not replies:
            last = self.wait()
            replies = [last] if last.get("requestId") == id else []
        assert len(replies) == 1, replies
        return replies[0]

    def request(self, type, **fields):
        return self.answer(self.ask(type, **fields))

    def settle(self):
        """Whatever the server had to say until now has come: it answers in order, and this is the last question."""
        return self.request("COMPONENT_PING", componentId="settle")

    def wait_close(self):
        """The close code and reason; messages before it are kept."""
        try:
            end = time.monotonic() + self.timeout
            while time.monotonic() < end:
                self.sock.settimeout(end - time.monotonic())
                self.receive()
        except Closed as closed:
            return closed.code, closed.reason
        raise AssertionError("the connection was not closed")

    def close(self):
        try:
            self.write_frame(CLOSE, struct.pack(">H", 1000))
        except OSError:
            pass
        self.sock.close()

    def vanish(self):
        """Goes without a word: the connection is reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    # ---- components ----

    def mount(self, component, room=None, **props):
        payload = {"component": component, "props": props}
        if room:
            payload["room"] = room
        reply = self.request("COMPONENT_MOUNT", componentId=f"mount-{component}", payload=payload)
        assert reply.get("success") is True, reply
        return Mounted(self, component, reply["result"]["componentId"], reply["result"]["initialState"])

    def act(self, id, action, payload=None):
        return self.request("CALL_ACTION", componentId=id, action=action, payload=payload or {})


class Mounted:
    """A component of a client, and its state as the reference's client would hold it."""

    def __init__(self, client, name, id, state):
        self.client, self.name, self.id = client, name, id
        self.first = state

    def ask(self, action, **payload):
        return self.client.ask("CALL_ACTION", componentId=self.id, action=action, payload=payload)

    def act(self, action, **payload):
        return self.client.act(self.id, action, payload)

    def pushes(self, type=None):
        return [message for message in self.client.messages
                if message.get("componentId") == self.id and "requestId" not in message
                and (type is None or message["type"] == type)]

    @property
    def state(self):
        """What all pushes so far amount to."""
        state = {}
        for message in self.pushes():
            payload = message.get("payload")
            if message["type"] in ("STATE_UPDATE", "STATE_REHYDRATED"):
                state = payload["state"]
            elif message["type"] == "STATE_DELTA":
                state = merge(state, payload["delta"])
        return state

    @property
    def signed(self):
        """The newest signed state that it was given."""
        found = [message["payload"]["signedState"] for message in self.pushes()
                 if isinstance(message.get("payload"), dict) and "signedState" in message["payload"]]
        return found[-1]

    def wait_state(self, **fields):
        while not all(self.state.get(name) == value for name, value in fields.items()):
            self.client.wait()
        return self.state


def merge(base, delta, nested=False):
    """Protocol 7.3: null is a value at the top and deletes below."""
    result = dict(base)
    for key, value in delta.items():
        if value is None and nested:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value, True)
        else:
            result[key] = value
    return result


def run(cases, program, *arguments):
    """Runs the cases (functions) named on the command line, or all; prints one line each; exits 1 when one failed."""
    import traceback
    failed = 0
    for case in cases:
        started = time.monotonic()
        try:
            case(program, *arguments)
            print(f"ok      {case.__name__} ({time.monotonic() - started:.2f} s)", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {case.__name__}\n{traceback.format_exc()}", flush=True)
    sys.exit(1 if failed else 0)


def main(namespace):
    """The main of a suite: PROGRAM COMPONENTS [case...]; its cases are the functions named case_*."""
    program, components, *names = sys.argv[1:]
    cases = [value for name, value in namespace.items() if name.startswith("case_") and callable(value)]
    chosen = [case for case in cases if not names or case.__name__.removeprefix("case_") in names]
    run(chosen, program, components)


def quote(text):
    return urllib.parse.quote(text, safe="")
