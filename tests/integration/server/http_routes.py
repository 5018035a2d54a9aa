"""The routes of protocol section 17 and the ones beside them, with the bodies that inspectors read."""

import json
import os
import tempfile
import time

from liveclient import Server, main


def case_stats(program, components):
    with Server(program, components=components) as server:
        empty = server.stats()
        assert list(empty) == ["components", "rooms", "connections", "uploads", "performance", "connectionMetrics",
                               "alerts", "health", "debug", "redis", "net"]
        now = time.time() * 1000
        clients = server.clients(3)
        counters = [client.mount("Counter") for client in clients]
        board = clients[0].mount("Board")
        for counter in counters:
            counter.client.request("ROOM_JOIN", componentId=counter.id, roomId="lobby", payload={})
        counters[0].act("increment")
        counters[0].act("none")
        stats = server.stats()
        components = stats["components"]
        assert components["components"] == 4 and components["connections"] == 3 and components["remoteSingletons"] == {}
        assert components["singletons"] == {"Board": {"componentId": board.id, "connections": 1}}
        assert components["roomDetails"] == {"lobby": 3} and components["rooms"] == 1
        room = stats["rooms"]["rooms"]["lobby"]
        assert stats["rooms"]["totalRooms"] == 1 and room["members"] == 3
        assert now - 5000 <= room["createdAt"] <= room["lastActivity"] <= time.time() * 1000 + 5000
        connections = stats["connections"]
        assert connections["totalConnections"] == connections["activeConnections"] == 3
        assert connections["maxConnections"] == 10000 and abs(connections["connectionUtilization"] - 0.03) < 1e-9
        assert set(stats["uploads"]) == {"activeUploads", "maxUploadSize", "allowedTypes"}
        performance = stats["performance"]
        assert performance["totalComponents"] == 4 and performance["totalAlerts"] == 0
        listed = {one["id"]: one for one in performance["components"]}
        assert listed[counters[0].id].pop("avgRenderTime") >= 0
        assert listed[counters[0].id] == {"id": counters[0].id, "name": "Counter", "renderCount": 1, "actionCount": 2,
                                          "stateChanges": 1, "errorCount": 1}
        net = stats["net"]
        assert net["ws_opened"] == 3 and net["ws_messages_in"] >= 9 and net["http_requests"] >= 1
        assert net["closes_backlog_bytes"] == net["closes_backlog_total"] == net["ws_closes_protocol"] == 0


def case_components(program, components):
    with Server(program, components=components) as server:
        names = server.get_json("/api/live/components")
        files = [file for file in os.listdir(components) if file.endswith(".so")]
        assert list(names) == ["names"] and len(names["names"]) == len(files), names
        assert {"Board", "ChatRoom", "Counter", "Probe", "SharedCounter"} <= set(names["names"]), names


def case_rooms(program, components):
    with Server(program, components=components) as server:
        members = [client.mount("Counter") for client in server.clients(5)]
        for member in members:
            member.client.request("ROOM_JOIN", componentId=member.id, roomId="lobby", payload={})
        status, headers, body = server.http("POST", "/api/live/rooms/lobby/messages", {"text": "hi", "constructor": 1})
        assert status == 200 and headers["content-type"].startswith("application/json")
        assert json.loads(body) == {"success": True, "roomId": "lobby"}
        # Each request has a connection of its own, perhaps on another shard: their order is nobody's promise.
        for member in members:
            assert member.client.wait(type="ROOM_EVENT", event="message:new")["data"] == {"text": "hi"}
        status, _, body = server.http("POST", "/api/live/rooms/lobby/emit", {"event": "tick", "data": {"n": 1, "__proto__": 2}})
        assert status == 200 and json.loads(body) == {"success": True, "roomId": "lobby", "event": "tick"}
        for member in members:
            assert member.client.wait(type="ROOM_EVENT", event="tick")["data"] == {"n": 1}
        for body in ({"event": 5}, {}, [], b"null", "text"):
            status, _, reply = server.http("POST", "/api/live/rooms/lobby/emit", body)
            assert status == 400 and json.loads(reply) == {"success": False, "error": "event must be a string"}, (body, reply)
        for body in (b"", b"{", b"no json", b"[" * 1000):
            for route in ("messages", "emit"):
                status, _, reply = server.http("POST", f"/api/live/rooms/lobby/{route}", body)
                assert status == 400, (route, body, reply)
        for room, name in (("nobody", "nobody"), ("a%20b", "a b"), ("x" * 100, "x" * 100), ("%F0%9F%98%80", "\U0001f600"),
                           ("%ff%22", '\ufffd"')):
            status, _, reply = server.http("POST", f"/api/live/rooms/{room}/messages", {"a": 1})
            assert status == 200 and json.loads(reply.decode("utf-8", "strict"))["roomId"] == name, (room, status, reply)
        status, _, reply = server.http("POST", "/api/live/rooms/%00/messages", {"a": 1})
        assert status in (200, 400), (status, reply)
        assert server.stats()["rooms"]["totalRooms"] == 1, "nothing is made by an emit"
        status, _, _ = server.http("POST", "/api/live/rooms/lobby/messages", b'"' + b"x" * 2000000 + b'"')
        assert status == 413
        assert members[0].client.settle()


def case_others(program, components):
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "client.js")
        with open(script, "w", encoding="ascii") as file:
            file.write("window.FluxstackLive = {};")
        with open(os.path.join(folder, "index.html"), "w", encoding="ascii") as file:
            file.write("<h1>hello</h1>")
        with Server(program, components=components, public=folder, client_script=script) as server:
            assert server.http("GET", "/healthz")[2] == b'{"status":"ok"}'
            assert server.http("GET", "/readyz")[0] == 200
            status, headers, body = server.http("GET", "/live-client.js")
            assert status == 200 and body == b"window.FluxstackLive = {};"
            assert headers["content-type"].startswith("application/javascript")
            assert headers["cache-control"] == "public, max-age=86400"
            status, headers, body = server.http("GET", "/")
            assert status == 200 and body == b"<h1>hello</h1>" and headers["content-type"].startswith("text/html")
            assert server.http("GET", "/nothing")[0] == 404
            assert server.http("GET", "/../../etc/passwd")[0] in (400, 404)
            assert server.http("POST", "/api/live/stats", {})[0] in (404, 405)
            assert server.http("GET", "/api/live/ws")[0] in (400, 426)
            assert server.client(path="/api/live/ws?token=a%20b&x=y").mount("Counter")


def case_client_files(program, components):
    """The module and the source maps are served beside the script, as far as they are there; a folder has no say in them."""
    types = {"js": "application/javascript", "mjs": "application/javascript", "js.map": "application/json", "mjs.map": "application/json"}
    for there in (["js"], ["js", "mjs"], list(types)):
        with tempfile.TemporaryDirectory() as folder:
            for ending in there:
                with open(os.path.join(folder, f"client.{ending}"), "w", encoding="ascii") as file:
                    file.write(f"the {ending}")
            with Server(program, components=components, client_script=os.path.join(folder, "client.js")) as server:
                for ending, kind in types.items():
                    status, headers, body = server.http("GET", f"/live-client.{ending}")
                    assert status == (200 if ending in there else 404), (there, ending, status)
                    if status == 200:
                        assert body.decode() == f"the {ending}" and headers["content-type"].startswith(kind)
                        assert headers["cache-control"] == "public, max-age=86400" and "etag" in headers
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "client")
        with open(script, "w", encoding="ascii") as file:
            file.write("no ending")
        with Server(program, components=components, client_script=script) as server:
            assert server.http("GET", "/live-client.js")[2] == b"no ending"
            assert server.http("GET", "/live-client.mjs")[0] == 404
    with Server(program, components=components) as server:
        for ending in types:  # those that are built with the program
            status, _, body = server.http("GET", f"/live-client.{ending}")
            assert status == 200 and body, ending
        assert b"sourceMappingURL=live-client.mjs.map" in server.http("GET", "/live-client.mjs")[2]


def case_prefixes(program, components):
    with Server(program, components=components, http_prefix="/monitor", ws_path="/socket") as server:
        assert server.http("GET", "/monitor/stats")[0] == 200 and server.http("GET", "/api/live/stats")[0] == 404
        assert server.client(path="/socket").mount("Counter").act("increment")["success"]
    with Server(program, components=components, http_prefix="off") as server:
        assert server.http("GET", "/api/live/stats")[0] == 404
        assert server.client().mount("Counter")


def case_unix_socket(program, components):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "live.sock")
        with Server(program, components=components, host=f"unix:{path}") as server:
            assert server.hello[0] == f"listening on unix:{path}"
            counters = [client.mount("SharedCounter") for client in server.clients(4)]
            for counter in counters:
                assert counter.act("increment")["success"]
            for counter in counters:
                counter.wait_state(count=4)
            assert server.stats()["connections"]["totalConnections"] == 4


if __name__ == "__main__":
    main(globals())
