"""A Redis for tests of several servers, a client of it that plays a node of the reference, and clients that count."""

import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time

from liveclient import DEADLINE, Closed, Server

FAST = {"cluster_lease_ms": 1500, "cluster_heartbeat_ms": 300, "cluster_timeout_ms": 1000, "rate_limit_tokens": 0,
        "redis_retry_ms": 200}
PREFIX = "fluxstack:cluster:"


class Redis:
    """A redis-server of its own on a free port, which keeps nothing on disk."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", self.folder.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + DEADLINE
        while True:
            try:
                with Resp(self.port) as probe:
                    if probe("PING") == b"PONG":
                        return
            except OSError:
                pass
            assert time.monotonic() < end, "redis-server did not start"
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self, paused):
        self.process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def client(self):
        return Resp(self.port)

    def owner(self, name="Board"):
        """[port, component] of who has claimed name, or None."""
        with self.client() as client:
            value = client("GET", f"{PREFIX}singleton:{name}")
        return value.decode().split(":") if value else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.kill()
        self.folder.cleanup()


class Resp:
    """A blocking client of Redis: client("GET", "key")."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.file = self.sock.makefile("rb")

    def __call__(self, *words):
        self.send(*words)
        return self.read()

    def send(self, *words):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.sock.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))

    def read(self):
        line = self.file.readline()
        if not line:
            raise OSError("Redis ended the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise OSError(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()


class Listener:
    """A subscriber: message() waits for the next one, as JSON."""

    def __init__(self, redis, channel):
        self.resp = redis.client()
        self.resp("SUBSCRIBE", channel)

    def message(self, check=lambda _: True):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            found = json.loads(self.resp.read()[2])
            if check(found):
                return found
        raise AssertionError("waited in vain for a message")

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self.resp.__exit__(*arguments)


class Nodes:
    """So many servers that share a Redis."""

    def __init__(self, program, components, redis, count=3, **settings):
        self.all = []
        self.paused = set()
        try:
            for n in range(count):
                self.all.append(Server(program, components=components, shards=2, node=f"node{n}", redis_url=redis.url,
                                       **{**FAST, **settings}))
        except Exception:
            self.__exit__(None)
            raise

    def __getitem__(self, n):
        return self.all[n]

    def instances(self):
        """The numbers of the nodes where the board lives, of those that can be asked."""
        return [n for n, server in enumerate(self.all) if server.process.poll() is None and n not in self.paused
                and "Board" in server.stats()["components"]["singletons"]]

    def pause(self, n, paused):
        self.all[n].process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)
        (self.paused.add if paused else self.paused.discard)(n)

    def kill(self, n):
        self.all[n].process.kill()
        self.all[n].process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        first = None
        for n, server in enumerate(self.all):
            try:
                server.process.send_signal(signal.SIGCONT)
                if server.process.poll() is None or server.process.returncode == 0:
                    server.stop()
                else:
                    server.process.stdout.close()
            except Exception as error:
                first = first or error
            finally:
                server.log.close()
        if first and kind is None:
            raise first


class Counter(threading.Thread):
    """A client that adds 1 to the board again and again, and knows what was acknowledged."""

    def __init__(self, server, pause=0.002):
        super().__init__(daemon=True)
        self.board = server.client(timeout=60).mount("Board")
        self.pause = pause
        self.asked = self.acknowledged = 0
        self.errors = {}
        self.results = []
        self.failure = None
        self.ends = threading.Event()
        self.start()

    def run(self):
        try:
            while not self.ends.is_set():
                self.asked += 1
                reply = self.board.act("add")
                if reply["success"]:
                    self.acknowledged += 1
                    self.results.append(reply["result"])
                else:
                    self.errors[reply["error"]] = self.errors.get(reply["error"], 0) + 1
                    if reply["error"].startswith("COMPONENT_REHYDRATION_REQUIRED"):
                        self.board = self.board.client.mount("Board")
                self.ends.wait(self.pause)
        except (Closed, OSError) as error:
            self.failure = error

    def end(self):
        self.ends.set()
        self.join(DEADLINE)
        assert not self.is_alive(), "a counter did not end"
        return self


def until(what, check, seconds=DEADLINE):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


def check_sums(counters, total):
    """Each acknowledged increment is in the total, once, and no number was given twice."""
    acknowledged = sum(counter.acknowledged for counter in counters)
    asked = sum(counter.asked for counter in counters)
    results = [result for counter in counters for result in counter.results]
    assert len(results) == len(set(results)), "two were told the same number"
    assert acknowledged <= total <= asked, (acknowledged, total, asked, [counter.errors for counter in counters])
    return acknowledged
