"""Origins, rates, sizes and depths: what is refused, in which words, and that nobody else suffers."""

import json

from liveclient import Client, Closed, Server, main


def case_origins(program, components):
    with Server(program, "--allowed-origin", "https://good.example", "--allowed-origin", "http://localhost:3000",
                components=components) as server:
        for origin in (None, "https://bad.example", "null", "", "https://good.example.evil", "https://good.example/",
                       "HTTPS://good.example", "http://good.example", "https://good.example:443", "http://localhost", "http://localhost:30000"):
            client = Client(server, origin=origin, greeted=False)
            client.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "Counter"})
            assert client.wait_close() == (4003, "Origin not allowed"), origin
            assert client.messages == []
        for origin in ("https://good.example", "http://localhost:3000"):
            assert server.client(origin=origin).mount("Counter").act("increment")["success"]
        assert server.stats()["components"]["components"] <= 2


def case_same_origin(program, components):
    """Pages of the server itself, by whatever name it was called."""
    with Server(program, "--allowed-origin", "same-origin", "--allowed-origin", "https://good.example", components=components,
                trusted_proxies="127.0.0.1") as server:
        def verdict(*lines, origin):
            with server.socket() as sock:
                sock.sendall("\r\n".join([
                    "GET /api/live/ws HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Origin: {origin}", *lines, "", ""]).encode())
                reply = b""
                while not (b"Origin not allowed" in reply or b"CONNECTION_ESTABLISHED" in reply):
                    part = sock.recv(1 << 16)
                    assert part, reply
                    reply += part
                return b"CONNECTION_ESTABLISHED" in reply

        for host in ("live.example", "live.example:8080", "127.0.0.1:3000", "[::1]:3000"):
            assert verdict(f"Host: {host}", origin=f"http://{host}"), host
            assert verdict(f"Host: {host}", "X-Forwarded-Proto: https", origin=f"https://{host}"), host
            for origin in (f"https://{host}", f"http://{host}0", f"http://{host}/", f"http://x{host}", host, "null", "http://", "same-origin"):
                assert not verdict(f"Host: {host}", origin=origin), (host, origin)
        assert not verdict("Host: live.example", "X-Forwarded-Proto: https", origin="http://live.example")
        assert not verdict("Host:", origin="http://")
        assert verdict("Host: live.example", origin="https://good.example")


def case_the_log_tells_true_addresses(program, components):
    with Server(program, components=components, log_level="debug", trusted_proxies="127.0.0.1") as server:
        client = server.client(headers=["X-Forwarded-For: 9.9.9.9, 192.0.2.77"])
        client.close()
        server.until("the client to be gone", lambda stats: stats["connections"]["totalConnections"] == 0)
        lines = [line for line in server.errors().split("\n") if "192.0.2.77: websocket" in line]
        assert len(lines) == 2 and lines[0].endswith("opened") and lines[1].endswith("closed: 1000"), server.errors()
        assert "9.9.9.9" not in server.errors(), "what the client says of itself is not believed"


def case_rate_limit(program, components):
    """The refusal names its request and comes in its turn."""
    with Server(program, components=components, rate_limit_tokens=20, rate_limit_refill=1) as server:
        counter = server.client().mount("Counter")
        ids = [counter.ask("increment") for _ in range(60)]
        replies = [counter.client.answer(id) for id in ids]
        refused = [reply for reply in replies if reply["type"] == "ERROR"]
        assert 35 <= len(refused) <= 41 and replies[-1]["type"] == "ERROR"
        assert all(reply["error"] == "Rate limit exceeded" and reply["success"] is False for reply in refused)
        order = [message["requestId"] for message in counter.client.messages if message.get("requestId") in ids]
        assert order == ids, "in the order of the requests"
        counter.client.send_text("no json")
        assert counter.client.wait(type="ERROR", error="Rate limit exceeded", check=lambda m: "requestId" not in m)
        assert server.client().mount("Counter").act("increment")["success"], "others are not limited"


def case_rate_limit_behind_a_singleton(program, components):
    """A refusal waits for the reply to an earlier frame, also when that comes from another shard."""
    with Server(program, components=components, shards=4, rate_limit_tokens=20, rate_limit_refill=1) as server:
        for _ in range(6):
            board = server.client().mount("Board")
            ids = [board.ask("add") for _ in range(40)]
            for id in ids:
                board.client.answer(id)
            order = [message["requestId"] for message in board.client.messages if message.get("requestId") in ids]
            assert order == ids, "in the order of the requests"


def case_rate_limit_behind_a_room(program, components):
    with Server(program, components=components, shards=4, rate_limit_tokens=20, rate_limit_refill=1) as server:
        for n in range(6):
            counter = server.client().mount("Counter")
            ids = [counter.client.ask("ROOM_JOIN", componentId=counter.id, roomId=f"room-{n}", payload={})]
            ids += [counter.client.ask("ROOM_STATE_GET", componentId=counter.id, roomId=f"room-{n}") for _ in range(40)]
            for id in ids:
                counter.client.answer(id)
            order = [message["requestId"] for message in counter.client.messages if message.get("requestId") in ids]
            assert order == ids, "in the order of the requests"


def case_every_frame_costs(program, components):
    """PING, nonsense and binary frames take from the same bucket."""
    for frame in ((1, b'{"type":"PING"}'), (1, b"nonsense"), (2, b"\x01\x02")):
        with Server(program, components=components, rate_limit_tokens=20, rate_limit_refill=1) as server:
            client = server.client()
            for _ in range(20):
                client.write_frame(*frame)
            assert client.request("COMPONENT_PING", componentId="x")["error"] == "Rate limit exceeded", frame


def case_broken_messages(program, components):
    deep = "[" * 32 + "]" * 32
    texts = {
        "": "Invalid JSON", "{": "Invalid JSON", "nul": "Invalid JSON", '{"type":"PING"} x': "Invalid JSON",
        "{'type':1}": "Invalid JSON", '{"type":"PING",}': "Invalid JSON", "\ufeff{}": "Invalid JSON",
        "null": "Invalid message: expected object", "[]": "Invalid message: expected object",
        '"x"': "Invalid message: expected object", "1": "Invalid message: expected object",
        '[{"type":"PING"}]': "Invalid message: expected object",
        f'{{"type":"PING","x":{deep}}}': "JSON nesting too deep (max 32)",
        f'{{"payload":{deep},"type":"CALL_ACTION"}}': "JSON nesting too deep (max 32)",
        f'{{"type":"CALL_ACTION","payload":{deep}}}': "JSON nesting too deep (max 32)",
        "[" * 100000: "JSON nesting too deep (max 32)",
        "{}": "Invalid message: missing type", '{"type":null}': "Invalid message: missing type",
    }
    with Server(program, components=components, rate_limit_tokens=0) as server:
        client = server.client()
        for text, error in texts.items():
            before = len(client.messages)
            client.send_text(text)
            client.settle()
            assert client.messages[before:-1] == [{"type": "ERROR", "success": False, "error": error}], (
                text[:60], client.messages[before:])
        fits = "[" * 31 + "]" * 31
        client.send_text(f'{{"type":"PING","payload":{fits},"x":"{"[" * 99}"}}')
        before = len(client.messages)
        client.settle()
        assert len(client.messages) == before + 1


def case_sizes(program, components):
    with Server(program, components=components, max_message_bytes=65536) as server:
        client = server.client()
        text = json.dumps({"type": "PING", "pad": ""})
        client.send_text(text.replace('""', '"' + "x" * (65536 - len(text)) + '"'))
        client.settle()
        client.send_text("x" * 65537)
        assert client.wait(type="ERROR")["error"] == "Message too large"
        client.send_text("x" * (10 * 1024 * 1024 + 1))
        assert client.wait_close()[0] == 1009
        assert server.client().mount("Counter").act("increment")["success"]


def case_component_limit(program, components):
    with Server(program, components=components, components_per_client=5) as server:
        client = server.client()
        mounted = [client.mount("Counter") for _ in range(4)] + [client.mount("Board")]
        for name in ("Counter", "Board"):
            reply = client.request("COMPONENT_MOUNT", componentId="m", payload={"component": name})
            assert reply["error"] == "Component limit exceeded", reply
        client.request("COMPONENT_UNMOUNT", componentId=mounted[0].id)
        client.mount("Counter")


def case_connection_limit(program, components):
    """At the limit nobody is refused, but waits; when one goes, the next comes in."""
    with Server(program, components=components, max_connections=5) as server:
        clients = server.clients(5)
        waiting = server.socket()
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        waiting.settimeout(0.2)
        try:
            assert not waiting.recv(1), "a sixth connection was served"
        except TimeoutError:
            pass
        clients[0].close()
        waiting.settimeout(30)
        assert waiting.recv(100).startswith(b"HTTP/1.1 200")


def case_deltas_collapse(program, components):
    """Who falls behind gets one full state in place of the deltas that it did not take, and then holds what the others hold."""
    with Server(program, components=components, shards=2, rate_limit_tokens=0, outbox_soft_bytes=65536,
                outbox_hard_bytes=1 << 30, outbox_soft_ms=60000, outbox_hard_ms=120000) as server:
        slow, quick = server.client().mount("ChatRoom"), server.client().mount("ChatRoom")
        for one in (slow, quick):
            assert one.act("joinRoom", roomId="tea")["success"]
        for n in range(160):
            assert quick.act("sendMessage", text=f"{n} " + "x" * 1990)["success"]
        slow.client.wait(type="STATE_DELTA", check=lambda m: m["payload"]["delta"].get("messages"))
        end = quick.state["messages"][-1]["text"]
        slow.client.wait(type="STATE_UPDATE", check=lambda m: m["payload"]["state"]["messages"][-1:] and
                         m["payload"]["state"]["messages"][-1]["text"] == end)
        assert slow.state["messages"] == quick.state["messages"]
        updates, deltas = (sum(m["type"] == kind for m in slow.pushes()) for kind in ("STATE_UPDATE", "STATE_DELTA"))
        assert updates == 2 and deltas < 160, f"{updates} full states, {deltas} deltas"


def case_too_many_for_too_long(program, components):
    """A client that does not read is closed, and its fellow members get on."""
    with Server(program, components=components, shards=2, rate_limit_tokens=0, outbox_soft_bytes=65536,
                outbox_hard_bytes=1048576) as server:
        slow, quick, sender = (server.client().mount("Counter") for _ in range(3))
        for one in (slow, quick, sender):
            one.client.request("ROOM_JOIN", componentId=one.id, roomId="lobby", payload={})
        for n in range(400):
            sender.client.tell("ROOM_EMIT", componentId=sender.id, roomId="lobby",
                               payload={"event": "e", "data": {"n": n, "pad": "x" * 50000}})
            assert quick.client.wait(type="ROOM_EVENT")["data"]["n"] == n
        server.until("the slow one to be given up", lambda stats: stats["net"]["closes_backlog_bytes"] == 1)
        try:
            while True:
                slow.client.receive()
        except Closed as closed:
            assert (closed.code, closed.reason) == (1008, "WebSocket backpressure: client too slow"), closed
        causes = {name: count for name, count in server.stats()["net"].items() if name.startswith("closes_") and count}
        assert causes["closes_backlog_bytes"] == 1 and not {"closes_linger", "closes_backlog_age"} & set(causes), causes


def case_total_of_backlogs(program, components):
    """Each may have a large backlog, all together may not: the slow ones go, long before their own mark."""
    with Server(program, components=components, shards=1, outbox_soft_bytes=65536, outbox_hard_bytes=1 << 30,
                outbox_total_bytes=4 << 20, rate_limit_tokens=0) as server:
        quick, sender = server.client().mount("Counter"), server.client().mount("Counter")
        slow = [client.mount("Counter") for client in server.clients(6)]
        for member in (quick, sender, *slow):
            member.client.request("ROOM_JOIN", componentId=member.id, roomId="flood", payload={})
        for n in range(400):
            sender.client.tell("ROOM_EMIT", componentId=sender.id, roomId="flood",
                               payload={"event": "e", "data": {"n": n, "pad": "x" * 50000}})
            assert quick.client.wait(type="ROOM_EVENT", check=lambda m: m["data"]["n"] == n)
            if n % 20 == 19 and server.stats()["connections"]["totalConnections"] == 2:
                break
        server.until("the slow ones to be closed", lambda stats: stats["connections"]["totalConnections"] == 2)
        assert quick.act("increment")["success"]


if __name__ == "__main__":
    main(globals())
