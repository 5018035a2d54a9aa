"""Clients under load that survive: 300 of them on one asyncio loop, each in a room of ten, some with the singleton.

Each increment carries a token that is never used twice; ledger.py says what must be true of them. What a client sees that must
not be (an event twice, a state that is not the one it had) it tells to the driver's findings. Standard library only.
"""

import asyncio
import base64
import json
import os
import random
import struct
import time

from ledger import Findings, History, Ledger


class Lost(Exception):
    """The connection ended."""


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
        self.ledgers = {"room": Ledger(), **({"tally": Ledger()} if self.has_tally else {})}
        self.share = self.tally = self.last_share = None
        self.states = {}                # newest signed states of this connection, by component
        self.presented = None           # the one to come back with
        self.rehydrated = None          # what the server says it has made of it
        self.waiting = {}
        self.heard, self.answered = set(), set()        # on this connection
        self.count = 0
        self.is_connected = self.is_up = False
        self.trying_since = time.monotonic()    # of what has not been answered well yet; None: nothing is asked
        self.errors = {}

    async def live(self):
        while not self.driver.is_over:
            self.wire = Wire()
            try:
                await self.wire.open(self.driver.port, 5)
                self.begin()
                reading = asyncio.create_task(self.read())
                try:
                    await self.serve(reading)
                finally:
                    reading.cancel()
                    self.wire.close()
                    self.forsake()
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

    def begin(self):
        """A new connection: nothing was heard on it, and there is a state to come back with."""
        self.is_connected = True
        self.presented = self.states.get(self.last_share, self.presented)
        self.share = self.tally = self.rehydrated = None
        self.states, self.heard, self.answered = {}, set(), set()

    def forsake(self):
        """Nobody answers any more, nor what is asked from now on."""
        self.is_connected = False
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(Lost())
                future.exception()

    async def read(self):
        try:
            async for message in self.wire.messages():
                self.take(message)
        except (OSError, Lost, asyncio.IncompleteReadError):
            pass
        self.forsake()

    def take(self, message):
        request = message.get("requestId")
        if request is not None:
            if request in self.answered:
                self.driver.findings.add("doubled", "an answer came twice", f"{self.who}: {request}")
            self.answered.add(request)
            future = self.waiting.pop(request, None)
            if future and not future.done():
                future.set_result(message)
        for part in (message.get("payload"), message.get("result")):
            signed = part.get("signedState") if isinstance(part, dict) else None
            if signed:
                self.states[signed["componentId"]] = signed
        if message["type"] == "STATE_REHYDRATED":
            self.rehydrated = message["payload"]["state"]
        self.hear(message)

    def hear(self, message):
        """Events, and changes of counters by their place, each of which one connection may hear once."""
        once = None
        if message.get("event") == "told":
            once = (message.get("data") or message.get("payload"))["token"]
            self.driver.heard += 1
        elif message["type"] == "ROOM_STATE" and message.get("event") == "$state:update":
            once = message["data"]["state"].get("t")
        elif message["type"] == "STATE_DELTA" and message["componentId"] == self.tally:
            place = message["payload"]["delta"].get("t")
            once = place and ("tally", place)
        elif message["type"] == "STATE_UPDATE" and message["componentId"] == self.tally:
            # The whole state begins anew: what was told and then undone may be told again.
            self.heard = {one for one in self.heard if one[0] != "tally"} if self.heard else self.heard
        if once is not None:
            once = once if isinstance(once, tuple) else (message["type"], once)
            if once in self.heard:
                self.driver.findings.add("doubled", "one connection heard an event twice", f"{self.who}: {once}")
            self.heard.add(once)

    async def ask(self, type, **fields):
        if not self.is_connected:
            raise Lost("ended")
        self.count += 1
        id = f"{self.who}-{self.count}"
        future = self.waiting[id] = asyncio.get_running_loop().create_future()
        try:
            self.wire.send(1, json.dumps({"type": type, "requestId": id, "expectResponse": True, **fields}).encode())
            return await asyncio.wait_for(future, self.TIMEOUT_S)
        except asyncio.TimeoutError:
            what = f"{type} {fields.get('action') or fields.get('payload', {}).get('component', '')}"
            self.driver.silences.append(f"{what.strip()} of {self.who} was not answered in {self.TIMEOUT_S} s")
            raise
        finally:
            self.waiting.pop(id, None)

    async def act(self, id, action, **payload):
        return await self.ask("CALL_ACTION", componentId=id, action=action, payload=payload)

    async def mount(self, component, **payload):
        reply = await self.ask("COMPONENT_MOUNT", componentId=component, payload={"component": component, "props": {}, **payload})
        if not reply.get("success"):
            raise Lost(reply.get("error"))
        return reply["result"]["componentId"]

    async def rehydrate(self):
        """Share as it was, by its signed state, or None."""
        reply = await self.ask("COMPONENT_REHYDRATE", componentId=self.presented["componentId"],
                               payload={"component": "Share", "signedState": self.presented, "room": self.room})
        mine = json.loads(self.presented["data"])["mine"]
        if not reply.get("success"):
            self.driver.findings.add("diverged", "a client's state was refused", f"{self.who}: {reply.get('error')}")
            return None
        if (self.rehydrated or {}).get("mine") != mine:
            self.driver.findings.add("diverged", "a client's state came back as another one",
                                     f"{self.who}: {self.rehydrated}, not {mine}")
        return reply["result"]["newComponentId"]

    async def come_back(self):
        """The components as before: Share by its signed state, if there is one, and in its room."""
        share = await self.rehydrate() if self.presented else None
        self.share = self.last_share = share or await self.mount("Share", room=self.room)
        if self.has_tally:
            self.tally = await self.mount("Tally")

    async def add(self, which, id):
        ledger, token = self.ledgers[which], random.randrange(1, 1 << 40)
        began = time.monotonic()
        # Until it is answered nobody knows; a failure may have been done, as the server says.
        ledger.ask(token)
        reply = await self.act(id, "add", who=self.who, token=token)
        if not reply.get("success"):
            self.note(Lost(f"{which}: {reply.get('error')}"))
            return False
        result = reply["result"]
        ledger.acknowledge(token, result["n"], result["s"])
        history = self.driver.histories.setdefault(self.room if which == "room" else which, History())
        history.add(result["at"], began, time.monotonic())
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
                if good and self.tally:
                    good = await self.add("tally", self.tally)
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
        self.findings = Findings()
        self.silences = []              # requests that were never answered, on connections that lived
        self.histories = {}             # by counter: a room, or tally
        self.clients = [Client(self, number) for number in range(clients)]

    def recovered(self, seconds):
        if self.measures:
            self.recovery_ms = max(self.recovery_ms, int(seconds * 1000))

    async def start(self):
        """How many clients are not served after a minute."""
        self.tasks = [asyncio.create_task(client.live()) for client in self.clients]
        return await self.all_up(60)

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
