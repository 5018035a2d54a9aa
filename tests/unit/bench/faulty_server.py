"""A small server of the protocol that does one thing wrong, to prove that the load generator notices."""
import asyncio
import base64
import hashlib
import json

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FAULT_AT = 200  # which delivery is spoilt


def frame(text):
    payload = text.encode()
    length = len(payload)
    head = bytes([length]) if length < 126 else b"\x7e" + length.to_bytes(2, "big")
    return b"\x81" + head + payload


class Server:
    """One room is a dict of component id -> session; all of one event loop."""

    def __init__(self, fault):
        self.fault = fault
        self.rooms = {}
        self.deliveries = 0
        self.made = 0
        self.held = None

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return self.server.sockets[0].getsockname()[1]

    def stop(self):
        self.server.close()

    async def serve(self, reader, writer):
        try:
            await self.upgrade(reader, writer)
            self.send(writer, {"type": "CONNECTION_ESTABLISHED", "connectionId": "q7Zt_0Lm"})
            while (text := await self.read_text(reader)) is not None:
                self.take(writer, json.loads(text))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def upgrade(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line.split(b": ", 1)[1] for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
        digest = hashlib.sha1(key + (b"wrong" if self.fault == "accept" else MAGIC)).digest()
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n")

    async def read_text(self, reader):
        first, second = await reader.readexactly(2)
        length = second & 127
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        mask = await reader.readexactly(4)
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(await reader.readexactly(length)))
        return payload.decode() if first & 15 == 1 else None

    def send(self, writer, message):
        if not writer.is_closing():
            writer.write(frame(json.dumps(message, separators=(",", ":"))))

    def take(self, writer, message):
        getattr(self, "take_" + message["type"].lower())(writer, message)

    def take_component_mount(self, writer, message):
        self.made += 1
        writer.count = 0
        self.send(writer, {"type": "MESSAGE_RESPONSE", "success": True, "result": {"componentId": f"C{self.made:07}"},
                           "requestId": message["requestId"]})

    def take_call_action(self, writer, message):
        if self.fault == "limit":
            self.send(writer, {"type": "ERROR", "error": "Rate limit exceeded"})
            return
        writer.count += 2 if self.fault == "delta" and writer.count == 5 else 1
        self.send(writer, [{"type": "STATE_DELTA", "componentId": message["componentId"],
                            "payload": {"delta": {"count": writer.count}}}])
        self.send(writer, {"type": "ACTION_RESPONSE", "success": True, "requestId": message["requestId"]})

    def take_room_join(self, writer, message):
        room = self.rooms.setdefault(message["roomId"], {})
        for component, member in room.items():
            self.send(member, {"componentId": component, "type": "ROOM_SYSTEM", "roomId": message["roomId"], "event": "$sub:join",
                               "data": {"subscriberId": message["componentId"], "count": len(room) + 1}, "timestamp": 1})
        room[message["componentId"]] = writer
        self.send(writer, {"type": "ROOM_JOINED", "payload": {"roomId": message["roomId"], "state": {}},
                           "requestId": message["requestId"]})

    def take_room_emit(self, _, message):
        for component, member in self.rooms[message["roomId"]].items():
            if component != message["componentId"]:
                self.deliver(member, {"componentId": component, "type": "ROOM_EVENT", "roomId": message["roomId"],
                                      "event": "b", "data": message["payload"]["data"], "timestamp": 1})

    def deliver(self, member, event):
        self.deliveries += 1
        spoilt = self.deliveries == FAULT_AT
        if spoilt and self.fault == "missing":
            return
        if spoilt and self.fault == "reordered":
            self.held = member, event
            return
        if spoilt and self.fault == "foreign":
            event = {**event, "componentId": "somebody"}
        if spoilt and self.fault == "text":
            member.write(frame('{"type":"ROOM_EVENT",'))
        if spoilt and self.fault == "masked":
            member.write(b"\x81\x80abcd")
        if spoilt and self.fault == "closed":
            member.close()
            return
        self.send(member, event)
        if spoilt and self.fault == "doubled":
            self.send(member, event)
        if self.held and self.held[0] is member:
            self.send(*self.held)
            self.held = None
