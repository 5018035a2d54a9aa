"""Clients under load that survive: 300 of them on one asyncio loop, each in a room of ten, some with the singleton.

Each increment carries a token that is never used twice. One that was answered must be counted once; one whose answer was lost
with its connection may be counted or not, but not twice: see Ledger. Standard library only.
"""

import asyncio
import base64
import itertools
import json
import os
import random
import struct
import time


class Lost(Exception):
    """The connection ended."""


class Ledger:
    """What one client asked of one counter."""

    def __init__(self):
        self.n = self.sum = 0           # answered
        self.unknown = []               # tokens whose answer did not come

    def judge(self, n, total):
        """(lost, doubled) by what the counter holds: some subset of the unknown must make up for the difference."""
        extra, more = n - self.n, total - self.sum
        if 0 <= extra <= len(self.unknown) and more >= 0:
            if any(sum(some) == more for some in itertools.combinations(self.unknown, extra)):
                return 0, 0
        return (max(1, -extra), 0) if extra < 0 or more < 0 else (0, max(1, extra - len(self.unknown)))


class Wire:
    """One WebSocket."""

    async def open(self, port, timeout):
        self.reader, self.writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), timeout)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write((f"GET /api/live/ws HTTP/1.1\r\nHost: chaos\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), timeout)
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            self.close()
            raise Lost(head.split(b"\r\n", 1)[0])

    def send(self, opcode, payload):
        mask, size = os.urandom(4), len(payload)
        head = bytes([0x80 | opcode])
        head += bytes([0x80 | size]) if size < 126 else struct.pack(">BH", 0xFE, size) if size < 65536 \
            else struct.pack(">BQ", 0xFF, size)
        stretched = (mask * (size // 4 + 1))[:size]
        body = (int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")).to_bytes(size, "big")
        self.writer.write(head + mask + body)

    async def messages(self):
        while True:
            first, size = await self.reader.readexactly(2)
            if size == 126:
                size, = struct.unpack(">H", await self.reader.readexactly(2))
            elif size == 127:
                size, = struct.unpack(">Q", await self.reader.readexactly(8))
            payload = await self.reader.readexactly(size)
            opcode = first & 15
            if opcode == 8:
                self.send(8, payload[:2])
                raise Lost(payload)
            if opcode == 9:
                self.send(10, payload)
            elif opcode == 1:
                whole = json.loads(payload)
                for message in whole if isinstance(whole, list) else [whole]:
                    yield message

    def close(self):
        self.writer.close()


class Client:
    TIMEOUT_S = 12

    def __init__(self, driver, number):
        self.driver, self.who = driver, f"c{number}"
        self.room = f"{driver.room_prefix}{number // 10}"
        self.has_tally = number % 10 == 0
        self.ledgers = {"room": Ledger(), "tally": Ledger()}
        self.signed = None              # newest signed state of Share
        self.mine = 0                   # what it knows of its own state
        self.state_lost = 0
        self.doubled = 0                # told twice on one connection
        self.waiting = {}
        self.count = 0
        self.is_up = False
        self.trying_since = time.monotonic()    # of what has not been answered well yet; None: nothing is asked
        self.errors = {}

    async def live(self):
        while not self.driver.is_over:
            self.wire = Wire()
            try:
                await self.wire.open(self.driver.port, 5)
                reading = asyncio.create_task(self.read())
                try:
                    await self.serve(reading)
                finally:
                    reading.cancel()
                    self.wire.close()
                    for future in self.waiting.values():
                        if not future.done():
                            future.set_exception(Lost())
                            future.exception()
                    self.waiting.clear()
            except (OSError, Lost, asyncio.IncompleteReadError, asyncio.TimeoutError, asyncio.LimitOverrunError) as error:
                self.note(error)
            self.is_up = False
            self.trying_since = self.trying_since or time.monotonic()
            await asyncio.sleep(random.uniform(0.05, 0.3))

    def is_served(self):
        """Whether it is up and waits for nothing that it has asked long ago."""
        return self.is_up and (self.trying_since is None or time.monotonic() - self.trying_since < 0.5)

    def note(self, error):
        text = f"{type(error).__name__} {error}"[:100]
        self.errors[text] = self.errors.get(text, 0) + 1

    async def read(self):
        self.heard = set()
        self.share = self.tally = None
        try:
            async for message in self.wire.messages():
                self.take(message)
        except (OSError, Lost, asyncio.IncompleteReadError):
            pass
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(Lost())

    def take(self, message):
        future = self.waiting.pop(message.get("requestId"), None)
        if future and not future.done():
            future.set_result(message)
        payload = message.get("payload")
        if message["type"] == "STATE_SIGNATURE" or isinstance(payload, dict) and payload.get("signedState"):
            signed = payload.get("signedState")
            if signed and '"Share"' in signed.get("data", "") or signed and signed.get("compressed"):
                self.signed = signed
                self.mine = json.loads(signed["data"])["mine"] if not signed.get("compressed") else self.mine
        if message.get("event") == "told":
            token = (message.get("data") or payload or {}).get("token")
            if token in self.heard:
                self.doubled += 1
            self.heard.add(token)
            self.driver.heard += 1

    async def ask(self, type, **fields):
        self.count += 1
        id = f"{self.who}-{self.count}"
        future = self.waiting[id] = asyncio.get_running_loop().create_future()
        try:
            self.wire.send(1, json.dumps({"type": type, "requestId": id, "expectResponse": True, **fields}).encode())
            return await asyncio.wait_for(future, self.TIMEOUT_S)
        finally:
            self.waiting.pop(id, None)

    async def act(self, id, action, **payload):
        return await self.ask("CALL_ACTION", componentId=id, action=action, payload=payload)

    async def come_back(self):
        """The components as before: Share by its signed state, if there is one, and in its room."""
        self.share = None
        if self.signed:
            before = self.mine
            reply = await self.ask("COMPONENT_REHYDRATE", componentId=self.signed["componentId"],
                                   payload={"component": "Share", "signedState": self.signed, "room": self.room})
            if reply.get("success"):
                self.share = reply["result"]["newComponentId"]
                if self.mine < before:
                    self.state_lost += 1
            else:
                self.note(Lost(reply.get("error")))
                self.state_lost += 1
        if not self.share:
            reply = await self.ask("COMPONENT_MOUNT", componentId="m", payload={
                "component": "Share", "room": self.room, "props": {}})
            if not reply.get("success"):
                raise Lost(reply.get("error"))
            self.share = reply["result"]["componentId"]
        if self.has_tally:
            reply = await self.ask("COMPONENT_MOUNT", componentId="t", payload={"component": "Tally", "props": {}})
            if not reply.get("success"):
                raise Lost(reply.get("error"))
            self.tally = reply["result"]["componentId"]

    async def add(self, which, id):
        ledger, token = self.ledgers[which], random.randrange(1, 1 << 24)
        # Until it is answered nobody knows; a failure may have been done, as the server says.
        ledger.unknown.append(token)
        reply = await self.act(id, "add", who=self.who, token=token)
        if not reply.get("success"):
            self.note(Lost(f"{which}: {reply.get('error')}"))
            return False
        ledger.unknown.remove(token)
        ledger.n += 1
        ledger.sum += token
        self.driver.acknowledged += 1
        return True

    async def serve(self, reading):
        await self.come_back()
        while not self.driver.is_over:
            if reading.done():
                raise Lost("ended")
            good = True
            self.trying_since = self.trying_since or time.monotonic()
            if self.driver.is_loaded:
                good = await self.add("room", self.share)
                if self.tally:
                    good = await self.add("tally", self.tally) and good
                if random.random() < 0.1:
                    await self.act(self.share, "tell", token=f"{self.who}.{self.count}")
            else:
                await self.act(self.share, "read")
            self.is_up = good
            if good:
                self.driver.recovered(time.monotonic() - self.trying_since)
                self.trying_since = None
            await asyncio.sleep(random.uniform(0.5, 1.5) * self.driver.pace_s if self.is_up else 0.1)


class Driver:
    def __init__(self, port, clients=300, pace_s=3.0, room_prefix="chaos-"):
        self.port, self.pace_s, self.room_prefix = port, pace_s, room_prefix
        self.acknowledged = self.heard = 0
        self.is_over, self.is_loaded = False, True
        self.recovery_ms = 0
        self.measures = False
        self.clients = [Client(self, number) for number in range(clients)]

    def recovered(self, seconds):
        if self.measures:
            self.recovery_ms = max(self.recovery_ms, int(seconds * 1000))

    async def start(self):
        self.tasks = [asyncio.create_task(client.live()) for client in self.clients]
        await self.all_up(60)

    async def all_up(self, seconds):
        """Waits until every client is served again; how many are not."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not all(client.is_served() for client in self.clients):
            await asyncio.sleep(0.05)
        return sum(not client.is_served() for client in self.clients)

    async def end(self):
        self.is_over = True
        done, pending = await asyncio.wait(self.tasks, timeout=20)
        for task in pending:
            task.cancel()
        for task in done:
            task.result()
