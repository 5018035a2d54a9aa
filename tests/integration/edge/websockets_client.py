"""Debian's python3-websockets as the client: of ws-echo, plain, compressed and by TLS, and of rooms whose events are compressed.

    websockets_client.py LIVESHARD COMPONENTS WS-ECHO [case]

For an interpreter that has the package.
"""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tls")]

import websockets
from liveclient import DEADLINE, Server, run
from tls_support import Files, trusting
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Deflate

LIMIT = 32 << 20


@contextlib.contextmanager
def ws_echo(program, *options):
    """The port of a ws-echo."""
    with subprocess.Popen([program, "--port", "0", *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline().split()[-1])
        finally:
            process.terminate()
            if process.wait(DEADLINE):
                raise RuntimeError(f"ws-echo ended with {process.returncode}")


async def within(promise):
    return await asyncio.wait_for(promise, DEADLINE)


def messages():
    """Texts and bytes of all the sizes at which a length is coded another way, that shrink well, badly, and not at all."""
    chance = random.Random(7)
    for size in (0, 1, 125, 126, 127, 255, 256, 1000, 65535, 65536, 65537, 300000, 1 << 22):
        yield ("all work and no play makes jack a dull boy, äöü €. " * (size // 50 + 1))[:size]
        yield bytes(chance.randrange(256) for _ in range(min(size, 70000)))
        yield "".join(chance.choice("abcdef ") for _ in range(min(size, 70000)))


async def converse(port, secure=None, **options):
    """Echoes, pings, pieces, and an end in order; the names of the extensions that were agreed."""
    scheme = "wss" if secure else "ws"
    async with websockets.connect(f"{scheme}://localhost:{port}/", ssl=secure, max_size=LIMIT, max_queue=None, ping_interval=None, **options) as socket:
        for message in messages():
            await within(socket.send(message))
            assert await within(socket.recv()) == message, f"{len(message)} bytes came back otherwise"
        await within(await socket.ping(b"are you there"))
        await within(socket.send(["in ", "many ", "", "pieces"]))
        assert await within(socket.recv()) == "in many pieces"
        crowd = [f"message {n} " * (n % 50) for n in range(500)]
        for message in crowd:
            await within(socket.send(message))
        for message in crowd:
            assert await within(socket.recv()) == message
        await within(socket.close(4321, "that was all"))
        assert (socket.close_code, socket.close_reason) == (4321, ""), (socket.close_code, socket.close_reason)
        return [extension.name for extension in socket.extensions]


def case_echo(_, __, echo):
    with ws_echo(echo) as port:
        assert asyncio.run(converse(port)) == [], "nothing is compressed unless it is switched on"


def case_echo_deflate(_, __, echo):
    for options in (["--deflate"], ["--takeover"]):
        with ws_echo(echo, *options) as port:
            assert asyncio.run(converse(port)) == ["permessage-deflate"]
            assert asyncio.run(converse(port, compression=None)) == []
            for bits in range(9, 16):
                offer = Deflate(server_max_window_bits=bits, client_max_window_bits=bits)
                assert asyncio.run(converse(port, extensions=[offer], compression=None)) == ["permessage-deflate"]


def case_echo_tls(_, __, echo):
    with Files() as files:
        cert, key = files.make("one")
        with ws_echo(echo, "--tls-cert", cert, "--tls-key", key, "--deflate") as port:
            assert asyncio.run(converse(port, trusting(cert))) == ["permessage-deflate"]


class Member:
    """A client with a Counter in the room."""

    def __init__(self, number, socket):
        self.number, self.socket, self.events = number, socket, []

    async def message(self, wanted):
        """The first message that is wanted; events on the way are kept."""
        while True:
            got = json.loads(await within(self.socket.recv()))
            for one in got if isinstance(got, list) else [got]:
                if one.get("type") == "ROOM_EVENT":
                    self.events.append(one)
                if wanted(one):
                    found = one
                    break
            else:
                continue
            return found

    async def ask(self, kind, **fields):
        await within(self.socket.send(json.dumps({"type": kind, "requestId": "r", **fields})))
        reply = await self.message(lambda one: one.get("requestId") == "r")
        assert reply["success"], reply
        return reply

    async def watch(self):
        reply = await self.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "Board"})
        self.id = reply["result"]["componentId"]

    async def enter(self, room):
        reply = await self.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "Counter"})
        self.id = reply["result"]["componentId"]
        await self.ask("ROOM_JOIN", componentId=self.id, roomId=room, payload={})


async def gather(server, offers, begin, talk):
    """Opens a member for each offer (None: no compression), has each begin and all talk, and closes them."""
    async with contextlib.AsyncExitStack() as stack:
        members = []
        for number, offer in enumerate(offers):
            socket = await stack.enter_async_context(websockets.connect(
                f"ws://127.0.0.1:{server.port}/api/live/ws", compression=None, extensions=[offer] if offer else None,
                max_size=LIMIT, max_queue=None, ping_interval=None))
            assert [one.name for one in socket.extensions] == (["permessage-deflate"] if offer else [])
            members.append(Member(number, socket))
            await begin(members[-1])
        await talk(members)


def net(server):
    return server.stats()["net"]


def case_rooms(program, components, _):
    """An event is compressed once for all who agreed to the same window, and each member gets it with its own id."""
    data = {"text": "the quick brown fox jumps over the lazy dog, äöü €. " * 40, "n": list(range(100))}
    offers = [Deflate(), Deflate(server_max_window_bits=10), None] * 12

    async def talk(members):
        for round_number in range(5):
            before = net(server)
            sender = members[round_number]
            await sender.socket.send(json.dumps({"type": "ROOM_EMIT", "componentId": sender.id, "roomId": "lobby",
                                                 "payload": {"event": f"note-{round_number}", "data": data}}))
            for member in members:
                if member is not sender:
                    event = await member.message(lambda one: one.get("event") == f"note-{round_number}")
                    assert (event["componentId"], event["data"]) == (member.id, data), event
            after = net(server)
            packed = sum(1 for member, offer in zip(members, offers) if offer and member is not sender)
            assert after["ws_deflates"] - before["ws_deflates"] == 2, "once for each window"
            assert after["ws_deflates_shared"] - before["ws_deflates_shared"] == packed - 2

    with Server(program, "--deflate", components=components, shards=1, rate_limit_tokens=0) as server:
        asyncio.run(gather(server, offers, lambda member: member.enter("lobby"), talk))


def case_singletons(program, components, _):
    """So is what all clients of a singleton are told."""
    text = "the quick brown fox jumps over the lazy dog, äöü €. " * 40

    async def talk(members):
        for member in members:
            await member.ask("COMPONENT_PING", componentId="x")  # what the others' mounts changed is here
        before = net(server)
        await within(members[0].socket.send(json.dumps({"type": "PROPERTY_UPDATE", "componentId": members[0].id, "property": "note",
                                                        "payload": {"value": text}})))
        for member in members:
            delta = await member.message(lambda one: "note" in one.get("payload", {}).get("delta", {}))
            assert delta["payload"]["delta"]["note"] == text
        after = net(server)
        assert after["ws_deflates"] - before["ws_deflates"] == 1
        assert after["ws_deflates_shared"] - before["ws_deflates_shared"] == len(members) - 2, "all others but the one without"

    with Server(program, "--deflate", components=components, shards=1, rate_limit_tokens=0) as server:
        asyncio.run(gather(server, [Deflate()] * 10 + [None], Member.watch, talk))


def case_rooms_in_a_rush(program, components, _):
    """Many events of many sizes, whose batches fall as they may: all of them, in order, for each member."""
    offers = [Deflate(), Deflate(server_max_window_bits=9), Deflate(server_no_context_takeover=True), None] * 3
    chance = random.Random(11)
    sizes = [chance.choice((0, 10, 100, 300, 3000, 30000)) for _ in range(200)]

    async def talk(members):
        sender = members[0]
        for number, size in enumerate(sizes):
            await within(sender.socket.send(json.dumps({"type": "ROOM_EMIT", "componentId": sender.id, "roomId": "lobby", "payload": {
                "event": "rush", "data": {"number": number, "text": f"text {number} " * (size // 8)}}})))
        for member in members[1:]:
            await member.message(lambda one: one.get("data", {}).get("number") == len(sizes) - 1)
            assert [event["data"]["number"] for event in member.events] == list(range(len(sizes)))
            assert all(event["componentId"] == member.id and event["data"]["text"] ==
                       f"text {event['data']['number']} " * (sizes[event["data"]["number"]] // 8) for event in member.events)

    with Server(program, "--deflate", components=components, shards=2, rate_limit_tokens=0) as server:
        asyncio.run(gather(server, offers, lambda member: member.enter("lobby"), talk))


if __name__ == "__main__":
    cases = [value for name, value in list(globals().items()) if name.startswith("case_")]
    run([case for case in cases if not sys.argv[4:] or case.__name__.removeprefix("case_") in sys.argv[4:]], *sys.argv[1:4])
