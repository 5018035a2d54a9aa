#!/usr/bin/env python3
"""deploy/run.sh serves the page, the browser client and the example components, and ends cleanly on SIGTERM.

The script is run as somebody would: from another folder, with options that are passed on. Where it listens is a free port.
"""
import base64
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_S = 900       # the first start builds
ANSWER_S = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(port, path):
    with urllib.request.urlopen(f"http://localhost:{port}{path}", timeout=ANSWER_S) as answer:
        return answer.read().decode()


def wait_until_ready(server, port):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            sys.exit(f"deploy/run.sh ended with status {server.returncode}")
        try:
            return fetch(port, "/healthz")
        except OSError:
            time.sleep(0.1)     # between two looks, not for luck
    sys.exit(f"not ready after {START_S} s")


class Client:
    """A WebSocket client of just what is needed here: text frames of up to 64 KiB."""

    def __init__(self, port):
        self.socket = socket.create_connection(("localhost", port), timeout=ANSWER_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /api/live/ws HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.stream = self.socket.makefile("rb")
        status = self.stream.readline()
        assert b" 101 " in status, f"no upgrade: {status}"
        while self.stream.readline().strip():
            pass

    def send(self, message):
        payload, mask = json.dumps(message).encode(), os.urandom(4)
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.socket.sendall(b"\x81" + length + mask + masked)

    def messages(self):
        """What comes, one message after the other; arrays are taken apart."""
        while True:
            opcode, length = self.stream.read(2)
            if length == 126:
                length, = struct.unpack(">H", self.stream.read(2))
            elif length == 127:
                length, = struct.unpack(">Q", self.stream.read(8))
            payload = self.stream.read(length)
            if opcode & 15 == 1:
                message = json.loads(payload)
                yield from message if isinstance(message, list) else [message]

    def ask(self, message):
        """Sends a request; returns its reply and what came before it."""
        request = f"request-{os.urandom(4).hex()}"
        self.send({**message, "requestId": request, "expectResponse": True})
        before = []
        for answer in self.messages():
            if answer.get("requestId") == request:
                return answer, before
            before.append(answer)


def try_counter(port):
    client = Client(port)
    reply, _ = client.ask({"type": "COMPONENT_MOUNT", "componentId": "mount-Counter", "payload": {"component": "Counter"}})
    assert reply["success"], reply
    counter = reply["result"]["componentId"]
    reply, before = client.ask({"type": "CALL_ACTION", "componentId": counter, "action": "increment", "payload": {}})
    assert reply["success"], reply
    deltas = [message["payload"]["delta"] for message in before if message["type"] == "STATE_DELTA"]
    assert deltas == [{"count": 1}], before


def main():
    port = free_port()
    with tempfile.TemporaryDirectory() as elsewhere:
        server = subprocess.Popen([ROOT / "deploy" / "run.sh", "--port", str(port), "--shards", "2"], cwd=elsewhere,
                                  stdin=subprocess.DEVNULL)
        try:
            wait_until_ready(server, port)
            assert "/live-client.js" in fetch(port, "/"), "the page does not load the client"
            assert "FluxstackLive" in fetch(port, "/live-client.js"), "that is not the browser client"
            names = json.loads(fetch(port, "/api/live/components"))["names"]
            missing = {"Counter", "SharedCounter", "ChatRoom", "Clock"} - set(names)
            assert not missing, f"not served: {missing}"
            try_counter(port)
            server.send_signal(signal.SIGTERM)
            status = server.wait(ANSWER_S)
            assert status == 0, f"ended with status {status} on SIGTERM"
        finally:
            if server.poll() is None:
                server.kill()
                server.wait()
    print("served, counted, ended")


if __name__ == "__main__":
    main()
