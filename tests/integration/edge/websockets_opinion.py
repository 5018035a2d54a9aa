"""Debian's python3-websockets as a second opinion: what ws_cases.py sends to an echo is sent to one of its, as well.

    websockets_opinion.py EDGE-SERVER

For an interpreter that has the package. Both must echo the same messages, answer the same pings, close with the same
code, and answer handshakes with statuses of one class. Where that is not so, the case is named below, with the reason;
a name below that has no difference any more fails, too.
"""

import asyncio
import concurrent.futures
import logging
import os
import re
import runpy
import socket
import struct
import sys
import tempfile
import threading
import zlib

import websockets
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory as Deflate

import edge

PATIENCE = 3  # seconds until a server that says nothing is taken to wait for more bytes
LIMIT = 1 << 20

# What it does otherwise, and why we do not.
DIFFERENCES = {
    r".* coded in . bytes of length": "it takes any length; RFC 6455 section 5.2: the shortest must be used",
    r"length .*": "to it the message is too big; the highest bit must be 0, so the frame is malformed",
    r"fails before the (frame|message) ends: .*": "it looks when the message is whole; we fail at the first byte that proves the fault",
    r"a piece too many|empty pieces without end": "it has no limit for the number of pieces",
    r"deflate: bad data .*": "it answers 1002, or waits for more; what cannot be inflated is no valid data to us (1007)",
    r"handshake: lists": "it takes one name in Upgrade; RFC 9110 section 7.8 has a list",
    r"handshake: key .*": "it decodes generously; four bits of these letters must be 0 (RFC 4648 section 3.5)",
    r"handshake: by HTTP/2.0": "to it the request is malformed",
    r"handshake: no Host": "it does not ask for one; RFC 9112 section 3.2 does",
    r"handshake: with a body": "it takes the body for frames",
    r"handshake: (somewhere else|at a page)": "it looks at no path",
    r"handshake: offer .* is declined": "it refuses a malformed offer as a whole; we go on without the extension",
}


class Echoes:
    """Two echo servers on unix sockets, one that compresses, in a thread."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="edge-websockets-")
        self.loop = asyncio.new_event_loop()
        logging.getLogger("websockets").setLevel(logging.CRITICAL)
        ready = threading.Event()
        self.thread = threading.Thread(target=self.serve, args=(ready,))
        self.thread.start()
        ready.wait(edge.DEADLINE)

    def path(self, compresses):
        return os.path.join(self.folder.name, "deflate" if compresses else "plain")

    def serve(self, ready):
        async def echo(peer):
            try:
                async for message in peer:
                    await peer.send(message)
            except websockets.ConnectionClosed:
                pass

        async def start(compresses):
            extensions = [Deflate(server_no_context_takeover=True, client_no_context_takeover=True)] if compresses else None
            return await websockets.unix_serve(echo, self.path(compresses), compression=None, extensions=extensions,
                                               max_size=LIMIT, ping_interval=None, close_timeout=1)

        asyncio.set_event_loop(self.loop)
        servers = [self.loop.run_until_complete(start(compresses)) for compresses in (False, True)]
        ready.set()
        self.loop.run_forever()
        for server in servers:
            server.close()
            self.loop.run_until_complete(server.wait_closed())
        self.loop.close()

    def connect(self, compresses):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(self.path(compresses))
        return sock

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.folder.cleanup()


SENTINEL = b"-sentinel-"


def converse(sock, data, due):
    """What came: (messages, pongs, code of the close frame), pings and pongs apart from messages, whose order is free."""
    expected, then = due
    wanted = sum(opcode != edge.PONG for opcode, _ in expected)
    edge.send(sock, data + (edge.frame(edge.PING, SENTINEL) if then == "open" else b""), edge.WHOLE)
    reader, got, pongs = edge.Reader(sock), [], []
    reader.until(b"\r\n\r\n")
    while SENTINEL not in pongs or len(got) < wanted:
        opcode, payload, rsv1, _ = reader.frame()
        if opcode == edge.PONG:
            pongs.append(payload)
        elif opcode == edge.CLOSE:
            return got, pongs, struct.unpack("!H", payload[:2])[0] if payload else None
        else:
            got.append((opcode, zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff") if rsv1 else payload))
    return got, pongs, "open"


def opinion(echoes, request):
    """None when it is ours, else (ours, theirs)."""
    name, data, due, compresses = request
    with echoes.connect(compresses) as sock:
        if isinstance(due, int):
            edge.send(sock, data, edge.WHOLE)
            try:
                status = int(edge.Reader(sock).until(b"\r\n").split()[1])
            except (EOFError, TimeoutError):
                status = 0
            return None if status // 100 == due // 100 else (due, status)
        expected, then = due
        try:
            got, pongs, code = converse(sock, data, due)
        except (EOFError, TimeoutError, ValueError) as error:
            return then, f"{type(error).__name__} {error}"
    if code != then:
        return then, code
    if then != "open":  # what was sent before, it may drop
        return None
    ours = [one for one in expected if one[0] != edge.PONG], [text for opcode, text in expected if opcode == edge.PONG]
    theirs = got, [text for text in pongs if text != SENTINEL]
    return None if ours == theirs else (str(ours)[:80], str(theirs)[:80])


class Opinion(edge.Suite):
    """Instead of running the cases, asks python3-websockets."""

    def run(self):
        echoes = Echoes()
        try:
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                answers = list(pool.map(lambda request: opinion(echoes, request), self.requests))
        finally:
            echoes.stop()
        differences = {request[0]: answer for request, answer in zip(self.requests, answers) if answer}
        return edge.judge_differences("websockets", len(self.requests), differences, DIFFERENCES)


if __name__ == "__main__":
    edge.Suite = Opinion
    runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "ws_cases.py"), run_name="__main__")
