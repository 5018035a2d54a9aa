"""Clients that mean no good, or just go: the server lives, others are served, and nothing is left behind."""

import json
import os
import random
import socket
import struct
import threading

from liveclient import Client, Closed, Server, main


def gone(server, connections=0):
    return server.until("the connections to be gone",
                        lambda stats: stats["connections"]["totalConnections"] == connections)


def case_flood(program, components):
    """Some send as fast as they can and never read: the others are answered all the while."""
    with Server(program, components=components, shards=2) as server:
        stop = threading.Event()

        def flood(text):
            try:
                client = server.client()
                frame = []
                client.write_frame(1, text.encode(), sock=type("Sink", (), {"sendall": lambda _, data: frame.append(data)})())
                client.sock.settimeout(0.2)
                while not stop.is_set():
                    try:
                        client.sock.sendall(b"".join(frame) * 500)
                    except TimeoutError:
                        pass
            except (OSError, Closed):
                pass

        texts = ['{"type":"PING"}', "nonsense", '{"type":"COMPONENT_PING","componentId":"x","requestId":"' + "y" * 500 + '"}',
                 '{"type":"COMPONENT_MOUNT","payload":{"component":"Counter"}}']
        threads = [threading.Thread(target=flood, args=(text,)) for text in texts]
        for thread in threads:
            thread.start()
        try:
            counter = server.client().mount("Counter")
            for _ in range(60):
                assert counter.act("increment")["success"]
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def case_vanish_mid_frame(program, components):
    with Server(program, components=components) as server:
        text = json.dumps({"type": "COMPONENT_MOUNT", "payload": {"component": "Counter", "props": {"x": "y" * 70000}}}).encode()
        for cut in (1, 2, 5, 10, 100, 70000):
            client = server.client()
            parts = []
            client.write_frame(1, text, sock=type("Sink", (), {"sendall": lambda _, data: parts.append(data)})())
            client.sock.sendall(parts[0][:cut])
            client.vanish() if cut % 2 else client.sock.close()
        client = server.client()
        client.write_frame(1, b'{"type":', fin=False)
        client.vanish()
        gone(server)
        assert server.client().mount("Counter").act("increment")["success"]


def case_two_thousand(program, components):
    """So many connections, each with a component in one room, all gone at once."""
    with Server(program, components=components, shards=4, max_connections=5000, room_empty_ms=0) as server:
        clients = [Client(server, timeout=120) for _ in range(2000)]
        ids = [client.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "Board"}) for client in clients]
        ones = []
        for client, id in zip(clients, ids):
            reply = client.answer(id)
            assert reply["success"], reply
            ones.append(reply["result"]["componentId"])
            client.messages.clear()
            client.seen = 0
        assert len(set(ones)) == 1
        stats = server.stats()
        assert stats["connections"]["totalConnections"] == 2000
        assert stats["components"]["singletons"]["Board"]["connections"] == 2000
        for client in clients:
            client.sock.close()
        server.until("all to be gone", lambda stats: stats["connections"]["totalConnections"] == 0
                     and stats["components"]["singletons"] == {})


def case_requests_behind_a_held_one(program, components):
    """What is written behind a request that waits is done in order when that is answered, or dropped when the client goes."""
    with Server(program, components=components, shards=4, rate_limit_tokens=0) as server:
        first = server.client()
        mount = first.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "SharedCounter", "room": "lobby"})
        pings = [first.ask("COMPONENT_PING", componentId="x") for _ in range(20)]
        for ping in pings:
            first.answer(ping)
        order = [message["requestId"] for message in first.messages if "requestId" in message]
        assert order == [mount, *pings]
        for n in range(50):
            client = server.client()
            for _ in range(n % 7 + 1):
                client.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "SharedCounter", "room": "lobby"})
                client.ask("ROOM_JOIN", componentId="m", roomId="lobby", payload={})
            client.vanish() if n % 2 else client.close()
        gone(server, 1)


def case_random_messages(program, components):
    """Messages made by chance from the words of the protocol, to a real component: always an answer, never an end."""
    seed = int(os.environ.get("TEST_SEED") or random.randrange(1 << 32))
    print(f"TEST_SEED={seed}", flush=True)
    chance = random.Random(seed)
    words = ["type", "componentId", "payload", "requestId", "action", "property", "roomId", "room", "data", "event", "state",
             "initialState", "signedState", "component", "props", "timestamp", "expectResponse", "userId", "value", "token",
             "__proto__", "constructor", "componentName", "", "\ud800", "\0", "é" * 3]
    types = ["COMPONENT_MOUNT", "COMPONENT_UNMOUNT", "COMPONENT_REHYDRATE", "CALL_ACTION", "PROPERTY_UPDATE", "STATE_UPDATE",
             "AUTH", "ROOM_JOIN", "ROOM_LEAVE", "ROOM_EMIT", "ROOM_STATE_SET", "ROOM_STATE_GET", "PING", "COMPONENT_PING",
             "FILE_UPLOAD_START", "NONSENSE"]

    with Server(program, components=components, shards=2, rate_limit_tokens=0, components_per_client=8) as server:
        client = server.client()
        ids = []

        def thing(depth=3):
            kind = chance.randrange(9 if depth else 6)
            if kind < 6:
                return chance.choice([None, True, 0, -1, 1.5, 2**53, 1e300, "lobby", "", "x" * 300, "Counter", "Board", "Probe",
                                      "increment", "set", "join", "leave", "huge\0", "\ud800", "count", "*", *ids[-3:]])
            if kind == 6:
                return [thing(depth - 1) for _ in range(chance.randrange(4))]
            return {chance.choice(words): thing(depth - 1) for _ in range(chance.randrange(6))}

        for n in range(3000):
            message = {chance.choice(words): thing() for _ in range(chance.randrange(4))}
            if chance.randrange(5):
                message["type"] = chance.choice(types)
            if ids and chance.randrange(3):
                message["componentId"] = chance.choice(ids)
            if chance.randrange(3) == 0:
                message["roomId"] = chance.choice(["lobby", "tea", "a b"])
            if chance.randrange(2):
                message["payload"] = {chance.choice(words): thing() for _ in range(chance.randrange(6))}
                if message.get("type") == "COMPONENT_MOUNT":
                    message["payload"]["component"] = chance.choice(["Counter", "Board", "Probe", "SharedCounter"])
            items = list(message.items())
            chance.shuffle(items)
            message = dict(items)
            message.pop("requestId", None) if chance.randrange(2) else None
            client.send(**message)
            if n % 50 == 49:
                client.settle()
                ids = [m["result"]["componentId"] for m in client.messages if isinstance(m.get("result"), dict)
                       and "componentId" in m["result"]][-8:] or ids
                client.messages.clear()
                client.seen = 0
        client.settle()


def case_reset_while_answered(program, components):
    """Connections that are reset while large answers are on their way."""
    with Server(program, components=components, rate_limit_tokens=0) as server:
        for n in range(20):
            probe = server.client().mount("Probe")
            for _ in range(5):
                probe.ask("huge", bytes=200000 + n)
            probe.client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            probe.client.sock.close()
        gone(server)


if __name__ == "__main__":
    main(globals())
