"""The debugger over real sockets: what a page that looks is shown, in which order, and how little it may harm."""

import json

from liveclient import TEXT, Client, Closed, Server, main

PATH = "/api/live/debug/ws"


def debug_client(server, **options):
    client = Client(server, path=PATH, greeted=False, **options)
    return client, client.wait(type="DEBUG_WELCOME")


def events(client, until):
    """The events that came, LOG apart, up to the first that until says so of."""
    found = []
    while not found or not until(found[-1]):
        event = client.wait(type="DEBUG_EVENT")["event"]
        if event["type"] != "LOG" or until(event):
            found.append(event)
    return found


def of_type(name):
    return lambda event: event["type"] == name


def case_sequence(program, components):
    """Connect, mount, act, fail, a room, unmount, disconnect: each event with its data, numbered without a gap."""
    with Server(program, "--debug", components=components) as server:
        looker, welcome = debug_client(server)
        assert welcome["enabled"] is True and isinstance(welcome["timestamp"], int)
        snapshot = welcome["snapshot"]
        assert snapshot == {"components": [], "connections": 1, "uptime": snapshot["uptime"], "totalEvents": 0}, snapshot
        client = server.client()
        payload = {"component": "Watched", "props": {"n": 1}, "room": "hall", "debugLabel": "left"}
        mounted = client.request("COMPONENT_MOUNT", componentId="m", payload=payload)["result"]["componentId"]
        assert client.act(mounted, "add", {"by": 2})["result"] == 3
        assert client.act(mounted, "fail")["success"] is False
        client.act(mounted, "patch", {"x": {"y": 1}})
        client.act(mounted, "listen")
        client.request("ROOM_JOIN", componentId=mounted, roomId="lobby")
        client.tell("ROOM_EMIT", componentId=mounted, roomId="lobby", payload={"event": "hi", "data": {"a": [1]}})
        client.request("ROOM_LEAVE", componentId=mounted, roomId="lobby")
        client.request("COMPONENT_UNMOUNT", componentId=mounted)
        connection = client.id
        client.close()
        seen = events(looker, of_type("WS_DISCONNECT"))
        assert all(event["timestamp"] > 1600000000000 for event in seen)
        about = [event for event in seen if event["componentId"] is not None]
        assert all(event["componentId"] == mounted and event["componentName"] == "Watched" for event in about)
        durations = [event["data"].pop("duration") for event in seen if "duration" in event["data"]]
        assert len(durations) == 4 and all(0 <= duration < 30000 for duration in durations), durations
        lifetime = [event["data"].pop("lifetime") for event in seen if event["type"] == "COMPONENT_UNMOUNT"]
        assert len(lifetime) == 1 and 0 <= lifetime[0] < 30000
        expected = [
            ("WS_CONNECT", {"connectionId": connection}),
            ("COMPONENT_MOUNT", {"initialState": {"n": 1}, "room": "hall", "debugLabel": "left"}),
            ("ROOM_JOIN", {"roomId": "hall"}),
            ("ACTION_CALL", {"action": "add", "payload": {"by": 2}}),
            ("STATE_CHANGE", {"delta": {"n": 3}, "fullState": {"n": 3}, "source": "proxy"}),
            ("ACTION_RESULT", {"action": "add", "result": 3}),
            ("ACTION_CALL", {"action": "fail", "payload": {}}),
            ("ACTION_ERROR", {"action": "fail", "error": "no luck"}),
            ("ACTION_CALL", {"action": "patch", "payload": {"x": {"y": 1}}}),
            ("STATE_CHANGE", {"delta": {"x": {"y": 1}}, "fullState": {"n": 3, "x": {"y": 1}}, "source": "setState"}),
            ("ACTION_RESULT", {"action": "patch", "result": None}),
            ("ACTION_CALL", {"action": "listen", "payload": {}}),
            ("ACTION_RESULT", {"action": "listen", "result": None}),
            ("ROOM_JOIN", {"roomId": "lobby"}),
            ("ROOM_EMIT", {"roomId": "lobby", "event": "hi", "data": {"a": [1]}}),
            ("ROOM_LEAVE", {"roomId": "lobby"}),
            ("ROOM_LEAVE", {"roomId": "hall"}),
            ("COMPONENT_UNMOUNT", {"totalActions": 4, "totalStateChanges": 2, "totalErrors": 1}),
            ("WS_DISCONNECT", {"connectionId": connection, "componentCount": 0}),
        ]
        got = [(event["type"], event["data"]) for event in seen]
        leaving = got.index(("ROOM_LEAVE", {"roomId": "hall"}))
        ending = next(i for i, (type, _) in enumerate(got) if type == "COMPONENT_UNMOUNT")
        assert abs(leaving - ending) == 1, got
        got[min(leaving, ending)], got[max(leaving, ending)] = got[leaving], got[ending]
        assert got == expected, "\n".join(f"{a}\n{b}" for a, b in zip(got, expected) if a != b)
        numbers = [message["event"]["id"] for message in looker.messages if message["type"] == "DEBUG_EVENT"]
        assert numbers == [f"dbg-{n}" for n in range(1, len(numbers) + 1)], numbers


def case_logs(program, components):
    """Every log line is an event, whatever the log itself shows; an author's text is made UTF-8."""
    with Server(program, "--debug", components=components) as server:
        looker, _ = debug_client(server)
        mounted = server.client().mount("Watched")
        mounted.act("add")
        mounted.act("fail")
        lines = []
        while not any("about to fail" in line["message"] for line in lines):
            lines.append(looker.wait(check=lambda m: m["event"]["type"] == "LOG")["event"]["data"])
        assert {"category": "messages", "level": "info", "message": "n is 1 now"} in lines, lines
        assert {"category": "lifecycle", "level": "warn", "message": "about to fail: \ufffd"} in lines, lines
        assert {"category": "state", "level": "info", "message": 'proxy {"n":1}'} in lines, lines
        assert any(line["category"] == "performance" and "action 'add' took" in line["message"] for line in lines)
        assert any(line["category"] == "websocket" for line in lines) and any(
            line["category"] == "lifecycle" and line["message"] == "mounted" for line in lines), lines


def case_deferred(program, components):
    """A deferred reply is a result when it comes, with the time that it took; slow ones are alerts."""
    with Server(program, "--debug", components=components, action_slow_ms=20) as server:
        looker, _ = debug_client(server)
        mounted = server.client().mount("Watched")
        asked = mounted.ask("later", ms=50)
        mounted.act("add")
        mounted.client.answer(asked)
        found = [events(looker, of_type("ACTION_RESULT"))[-1]["data"] for _ in range(2)]
        assert [event["action"] for event in found] == ["add", "later"] and found[1]["result"] == "late", found
        assert found[1]["duration"] >= 40, found
        alert = server.stats()["alerts"][0]
        assert alert["type"] == "slow_action" and alert["value"] >= 40, alert
        line = looker.wait(check=lambda m: "Slow action" in m["event"]["data"].get("message", ""))["event"]["data"]
        assert line["level"] == "warn" and line["category"] == "performance" and line["details"] == alert, line


def case_says(program, components):
    """Pushes, room events and changes of a room's state by the component itself."""
    with Server(program, "--debug", components=components) as server:
        looker, _ = debug_client(server)
        mounted = server.client().mount("Watched", room="hall")
        mounted.act("say", word="hi")
        seen = [(event["type"], event["data"]) for event in events(looker, of_type("ROOM_EVENT_RECEIVED"))]
        seen += [(event["type"], event["data"]) for event in events(looker, of_type("STATE_CHANGE"))]
        for type, name in (("ROOM_EMIT", "bus"), ("ROOM_EMIT", "talk"), ("ROOM_EVENT_RECEIVED", "bus")):
            assert (type, {"roomId": "hall", "event": name, "data": {"word": "hi"}}) in seen, seen
        assert seen[-1][1]["delta"] == {"heard": {"word": "hi"}}
        lines = [message["event"]["data"]["message"] for message in looker.messages
                 if message["type"] == "DEBUG_EVENT" and message["event"]["type"] == "LOG"]
        assert "pushed NOTE" in lines and "pushed CAST" in lines and "changed the state of room 'hall'" in lines, lines
        assert "to room 'hall': event 'talk'" in lines, lines


def case_singleton(program, components):
    """A singleton is one component, wherever its clients are; their parts are in rooms by themselves."""
    with Server(program, "--debug", components=components, shards=4) as server:
        looker, _ = debug_client(server)
        boards = [client.mount("Board") for client in server.clients(6)]
        assert boards[5].act("add")["success"] is True
        seen = events(looker, of_type("ACTION_RESULT"))
        mounts = [event for event in seen if event["type"] == "COMPONENT_MOUNT"]
        assert len(mounts) == 1 and mounts[0]["componentId"] == boards[0].id, mounts
        assert any(event["type"] == "STATE_CHANGE" and event["componentId"] == boards[0].id for event in seen)
        boards[3].client.request("ROOM_JOIN", componentId=boards[3].id, roomId="lobby")
        event = events(looker, of_type("ROOM_JOIN"))[-1]
        assert event["componentId"] == boards[0].id and event["componentName"] == "Board", event
        for board in boards:
            board.client.close()
        ended = events(looker, of_type("COMPONENT_UNMOUNT"))[-1]
        assert ended["componentId"] == boards[0].id


def case_received(program, components):
    """A handler that hears a room's event is an event too."""
    with Server(program, "--debug", components=components) as server:
        looker, _ = debug_client(server)
        first, second = (client.mount("Watched", room="hall") for client in server.clients(2))
        first.act("listen")
        second.client.tell("ROOM_EMIT", componentId=second.id, roomId="hall", payload={"event": "talk", "data": "ho"})
        event = events(looker, of_type("ROOM_EVENT_RECEIVED"))[-1]
        assert event["componentId"] == first.id
        assert event["data"] == {"roomId": "hall", "event": "talk", "data": "ho"}, event


def case_errors(program, components):
    """What fails outside of an action is an ERROR: a hook, a mount, a message."""
    with Server(program, "--debug", components=components) as server:
        looker, _ = debug_client(server)
        client = server.client()
        client.request("COMPONENT_MOUNT", componentId="m", payload={"component": "Nothing"})
        client.send_text("{")
        client.wait(type="ERROR")
        mounted = client.mount("Watched", refuse=True)
        found = [events(looker, of_type("ERROR"))[-1] for _ in range(3)]
        assert [event["data"] for event in found] == [
            {"error": "Component 'Nothing' not found", "component": "Nothing"},
            {"error": "Invalid JSON", "connectionId": client.id},
            {"error": "not today", "action": "onMount"},
        ], found
        assert found[2]["componentId"] == mounted.id


def case_rehydrate(program, components):
    """Who comes back is mounted, with the state that it had."""
    with Server(program, "--debug", components=components) as server:
        mounted = server.client().mount("Watched")
        mounted.act("add")
        mounted.client.settle()
        signed = mounted.signed
        mounted.client.close()
        looker, _ = debug_client(server)
        client = server.client()
        client.request("COMPONENT_REHYDRATE", componentId=mounted.id,
                       payload={"component": "Watched", "signedState": signed})
        seen = events(looker, of_type("COMPONENT_REHYDRATE"))
        assert seen[-2]["type"] == "COMPONENT_MOUNT" and seen[-1]["componentId"] == seen[-2]["componentId"]
        assert seen[-1]["data"]["previousState"]["n"] == 0, seen[-1]


def case_snapshot_and_replay(program, components):
    """Who comes later gets all components as they are, and the last 100 events."""
    with Server(program, "--debug", components=components, rate_limit_tokens=0) as server:
        client = server.client()
        payload = {"component": "Watched", "room": "hall", "debugLabel": "one"}
        first = client.request("COMPONENT_MOUNT", componentId="m", payload=payload)["result"]["componentId"]
        kept = [other.mount("Watched") for other in server.clients(5)]
        others = [other.id for other in kept]
        for _ in range(60):
            client.act(first, "add")
        client.act(first, "fail")
        server.until("the events", lambda stats: stats["debug"]["events"] > 300)
        earlier, _ = debug_client(server)
        looker, welcome = debug_client(server)
        shown = {component["componentId"]: component for component in welcome["snapshot"]["components"]}
        assert set(shown) == {first, *others}, shown
        one = shown[first]
        assert one.pop("mountedAt") <= one.pop("lastActivity")
        assert one == {"componentId": first, "componentName": "Watched", "debugLabel": "one", "state": {"n": 60},
                       "rooms": ["hall"], "actionCount": 61, "stateChangeCount": 60, "errorCount": 1}, one
        assert "debugLabel" not in shown[others[0]] and welcome["snapshot"]["connections"] == 2
        total = welcome["snapshot"]["totalEvents"]
        replay = [looker.wait(type="DEBUG_EVENT")["event"]["id"] for _ in range(100)]
        assert replay == [f"dbg-{total - 99 + i}" for i in range(100)], (total, replay)
        earlier.close()
        server.until("the first to be gone", lambda stats: stats["debug"]["clients"] == 1)


def case_truncation(program, components):
    """Data over 50000 characters is cut: of states to their size, of the rest to a preview; characters as browsers count."""
    with Server(program, "--debug", components=components) as server:
        looker, _ = debug_client(server)
        mounted = server.client().mount("Watched")
        text = "\U0001f600" * 30000
        mounted.act("patch", text=text)
        call = events(looker, of_type("ACTION_CALL"))[-1]["data"]
        size = len('{"action":"patch","payload":{"text":""}}') + 60000
        assert call["_truncated"] is True and call["_size"] == size, call
        preview = '{"action":"patch","payload":{"text":"' + "\U0001f600" * 231 + "..."
        assert call["_preview"] == preview, call["_preview"]
        change = events(looker, of_type("STATE_CHANGE"))[-1]["data"]
        assert change["_truncated"] is True and change["_preview"].startswith('{"delta":{"text":'), change
        mounted.act("add")
        change = events(looker, of_type("STATE_CHANGE"))[-1]["data"]
        state = {"_truncated": True, "_size": len('{"n":1,"text":""}') + 60000}
        assert change == {"delta": {"n": 1}, "fullState": state, "source": "proxy"}, change
        _, welcome = debug_client(server)
        assert welcome["snapshot"]["components"][0]["state"] == state


def case_disabled(program, components):
    """Off, as it is by default: told so, and closed."""
    with Server(program, components=components) as server:
        looker = Client(server, path=PATH, greeted=False)
        message = looker.wait(type="DEBUG_DISABLED")
        assert message["enabled"] is False and isinstance(message["timestamp"], int) and len(message) == 3
        assert looker.wait_close()[0] == 1000
        server.client().mount("Watched").act("add")
        stats = server.stats()
        assert stats["debug"] == {"enabled": False, "clients": 0, "events": 0, "dropped": 0, "skipped": 0}


def case_environment(program, components):
    """LIVE_DEBUG turns it on as well."""
    with Server(program, components=components, env={"LIVE_DEBUG": "true"}) as server:
        debug_client(server)


def case_origins(program, components):
    with Server(program, "--debug", components=components, allowed_origin="https://a.example") as server:
        looker = Client(server, path=PATH, greeted=False, origin="https://b.example")
        assert looker.wait_close() == (4003, "Origin not allowed")
        debug_client(server, origin="https://a.example")


def case_without_routes(program, components):
    with Server(program, "--debug", components=components, http_prefix="off") as server:
        status, _, _ = server.http("GET", PATH)
        assert status == 404, status


def case_management(program, components):
    """With an address for management, the debugger is there and nowhere else."""
    with Server(program, "--debug", components=components, management_port=0) as server:
        status, _, _ = server.http("GET", PATH)
        assert status == 404, status
        line = next(line for line in server.hello if line.endswith(" for management"))
        server.port = int(line.removesuffix(" for management").rsplit(":", 1)[1])
        debug_client(server)


def case_flood(program, components):
    """A debug client that reads nothing, while clients do a lot: no client notices, memory stays bounded, and the one
    that reads again is shown how things are."""
    with Server(program, "--debug", components=components, rate_limit_tokens=0, shards=2, outbox_soft_bytes=65536,
                outbox_hard_bytes=1073741824, outbox_hard_ms=600000, outbox_soft_ms=600000) as server:
        asleep, _ = debug_client(server)
        awake, _ = debug_client(server)
        awake.close()
        clients = [client.mount("Watched") for client in server.clients(8)]
        text = "x" * 2000
        number = 0
        while not server.stats()["debug"]["events"] > 20000:
            asked = [mounted.ask("patch", text=text, number=number + i) for i in range(50) for mounted in clients]
            number += 50
            for i, request in enumerate(asked):
                assert clients[i % len(clients)].client.answer(request)["success"] is True
            for mounted in clients:
                mounted.client.messages.clear()
                mounted.client.seen = 0
        for mounted in clients:
            mounted.act("add")
        size = int(open(f"/proc/{server.pid}/statm").read().split()[1]) * 4096
        assert size < 1 << 30, f"{size >> 20} MiB"
        snapshot = asleep.wait(type="DEBUG_SNAPSHOT")["snapshot"]
        assert len(snapshot["components"]) == 8
        clients[0].act("fail")
        assert events(asleep, of_type("ACTION_ERROR"))[-1]["componentId"] == clients[0].id


def case_deaf(program, components):
    """What a page says to the debugger is ignored."""
    with Server(program, "--debug", components=components) as server:
        looker, _ = debug_client(server)
        looker.send_text("{")
        looker.write_frame(TEXT, json.dumps({"type": "COMPONENT_MOUNT"}).encode())
        server.client().mount("Watched")
        assert events(looker, of_type("COMPONENT_MOUNT"))
        looker.close()


def case_vanishing(program, components):
    """Debug clients that come and go at once, while things happen; then the server ends well."""
    with Server(program, "--debug", components=components, rate_limit_tokens=0) as server:
        mounted = server.client().mount("Watched")
        for i in range(40):
            looker = Client(server, path=PATH, greeted=False)
            asked = mounted.ask("add")
            looker.vanish() if i % 2 else looker.close()
            mounted.client.answer(asked)
        server.until("them to be gone", lambda stats: stats["debug"]["clients"] == 0)
        Client(server, path=PATH, greeted=False)


if __name__ == "__main__":
    assert Closed
    main(globals())
