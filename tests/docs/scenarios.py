"""What the traces in docs/ show: each function is one, by its name; for capture.py."""

import json
import re
import pathlib

from tap import TIME

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


# ---- the connection ----


@scenario
def upgrade(trace):
    request = ("GET /api/live/ws HTTP/1.1\r\nHost: localhost:3000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
    with trace.server().socket() as sock:
        sock.sendall(request.encode())
        reply = b""
        while b"\r\n\r\n" not in reply:
            reply += sock.recv(4096)
    trace.lines += request.strip().split("\r\n") + [""] + reply.split(b"\r\n\r\n")[0].decode().split("\r\n")


@scenario
def greeting(trace):
    trace.connect(greeting=False).hear()


@scenario
def origin(trace):
    server = trace.server(allowed_origin="https://live.example.com")
    trace.connect(server, greeting=False, origin="https://other.example.com").hear_close()


@scenario
def ping(trace):
    client = trace.connect()
    client.say("PING")
    client.ask("COMPONENT_PING", componentId="cmp-0001", timestamp=TIME, requestId="r0000001")


def with_tokens(trace):
    """A server that knows the token of docs/security.md, "abc"."""
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs/security.md").read_text()
    (text,) = re.findall(r"^```json\n(\{\"salt\".*?)^```$", page, re.M | re.S)
    pathlib.Path("tokens.json").write_text(text)
    return trace.server(tokens_file="tokens.json")


@scenario
def auth(trace):
    client = trace.connect(with_tokens(trace))
    for number, token in enumerate(("abc", "guess"), 1):
        client.ask("AUTH", payload={"token": token}, requestId=f"r000000{number}", expectResponse=True)


@scenario
def auth_by_address(trace):
    server = with_tokens(trace)
    trace.note("the client connects to /api/live/ws?token=abc")
    trace.connect(server, greeting=False, path="/api/live/ws?token=abc").hear()


@scenario
def shutdown(trace):
    client = trace.connect()
    trace.servers[0].ask_to_end()
    client.hear_close()
    client.wire.sock.close()


# ---- components ----


@scenario
def mount(trace):
    trace.connect().mount("Counter", props={"count": 3})


@scenario
def mount_refused(trace):
    trace.connect().ask("COMPONENT_MOUNT", componentId="mount-Nothing", payload={"component": "Nothing"},
                        requestId="r0000001", expectResponse=True)


@scenario
def unmount(trace):
    client = trace.connect()
    client.mount("Counter", quietly=True)
    client.ask("COMPONENT_UNMOUNT", componentId=client.component)


@scenario
def schema(trace):
    client = trace.connect()
    client.mount("GuestBook", quietly=True)
    client.act("write", {"text": "lovely"})
    client.act("turnTo", {"place": 1})


@scenario
def schema_fails(trace):
    client = trace.connect()
    client.mount("GuestBook", quietly=True)
    client.act("write", {"text": ""})
    client.act("write", {"text": "so so", "stars": 3})


@scenario
def action(trace):
    client = trace.connect()
    client.mount("Notes", quietly=True)
    client.act("add", {"text": "milk"})


@scenario
def action_told(trace):
    client = trace.connect()
    client.mount("Notes", quietly=True)
    client.say("CALL_ACTION", componentId=client.component, action="add", payload={"text": "milk"})
    client.hear()


@scenario
def action_fails(trace):
    client = trace.connect()
    client.mount("Notes", quietly=True)
    client.act("add", {"text": 7})


@scenario
def action_refused(trace):
    client = trace.connect()
    client.mount("Notes", quietly=True)
    client.act("wipe")
    client.act("lock", request="r0000003")
    client.act("add", {"text": "milk"}, request="r0000004")


@scenario
def action_lost(trace):
    client = trace.connect()
    client.component = "not-mounted"
    client.act("add")


@scenario
def set_value(trace):
    client = trace.connect()
    client.mount("Profile", quietly=True)
    client.act("setValue", {"key": "name", "value": "Zoe"})


@scenario
def property_update(trace):
    client = trace.connect()
    client.mount("Profile", quietly=True)
    for number, (name, value) in enumerate((("name", "Zoe"), ("visits", 9)), 2):
        client.ask("PROPERTY_UPDATE", componentId=client.component, property=name, payload={"value": value},
                   requestId=f"r000000{number}", expectResponse=True)


@scenario
def state_update(trace):
    client = trace.connect()
    client.mount("Profile", quietly=True)
    client.ask("STATE_UPDATE", componentId=client.component, payload={"state": {"name": "Zoe", "colour": "red"}},
               requestId="r0000002", expectResponse=True)


@scenario
def batch(trace):
    client = trace.connect()
    client.mount("Life", quietly=True)
    client.act("step")


@scenario
def signature(trace):
    client = trace.connect(trace.server(signature_renew_ms=100))
    client.mount("Counter", quietly=True)
    client.act("increment")
    client.hear()


def bring_back(client, signed, component="Counter", key="component"):
    client.ask("COMPONENT_REHYDRATE", componentId=signed["componentId"],
               payload={key: component, "signedState": signed}, requestId="r0000002", expectResponse=True)


@scenario
def rehydrate(trace):
    signed = trace.connect().mount("Counter", quietly=True, props={"count": 7})["signedState"]
    bring_back(trace.connect(), signed)


@scenario
def rehydrate_refused(trace):
    signed = trace.connect().mount("Counter", quietly=True, props={"count": 7})["signedState"]
    client = trace.connect()
    bring_back(client, {**signed, "data": signed["data"].replace("7", "8")})
    bring_back(client, signed, component="Notes")
    bring_back(client, signed, key="componentName")


@scenario
def singleton(trace):
    one, two = trace.connect(mark="1"), trace.connect(mark="2")
    one.mount("Board")
    two.mount("Board")
    one.hear()
    two.hear()


# ---- rooms ----


def pair(trace, room=None, component="Counter", **more):
    """Two clients with a component each; more is said by the second one, whose first frame tells its generation."""
    one, two = trace.connect(mark="1"), trace.connect(mark="2")
    one.mount(component, quietly=True, room=room)
    two.mount(component, quietly=True, room=room, **more)
    return one, two


def join_both(trace, **more):
    one, two = pair(trace, **more)
    one.room("ROOM_JOIN", request="r0000002", quietly=True)
    two.room("ROOM_JOIN", request="r0000002", quietly=True)
    one.hear(quietly=True)
    return one, two


@scenario
def room_join(trace):
    one, two = pair(trace)
    one.room("ROOM_JOIN", request="r0000002", initialState={"topic": "hi"})
    two.room("ROOM_JOIN", request="r0000002")
    one.hear()


@scenario
def room_emit(trace):
    one, two = join_both(trace)
    one.room("ROOM_EMIT", event="said", data={"text": "hello"})
    two.hear()


@scenario
def room_state(trace):
    one, two = join_both(trace)
    one.room("ROOM_STATE_SET", state={"topic": "new"})
    two.hear()
    two.room("ROOM_STATE_GET", request="r0000003")


@scenario
def room_leave(trace):
    one, two = join_both(trace)
    two.room("ROOM_LEAVE", request="r0000003")
    one.hear()


@scenario
def room_refused(trace):
    client = trace.connect()
    client.mount("Counter", quietly=True)
    client.room("ROOM_JOIN", room="no spaces", request="r0000002")
    client.room("ROOM_EMIT", event="said", request="r0000003")
    client.component = "not-mounted"
    client.room("ROOM_JOIN", request="r0000004")


@scenario
def room_older(trace):
    one, two = join_both(trace, requestId="req-1700000000000-k3x9a2b1c", timestamp=TIME)
    two.say("ROOM_EMIT", componentId=two.component, roomId="lobby", event="said", data={"text": "hello"}, timestamp=TIME)
    one.hear()
    one.room("ROOM_STATE_SET", state={"topic": "new"})
    two.hear()


@scenario
def broadcast(trace):
    one, two = pair(trace, room="street", component="Horn")
    one.hear(quietly=True)
    one.act("honk")
    one.hear()
    two.hear()


# ---- what goes wrong ----


@scenario
def bad_frames(trace):
    client = trace.connect()
    for text in ('{"type":', '[{"type":"PING"}]', '{"kind":"PING"}', '{"type":"NOTHING","requestId":"r0000001"}',
                 '{"type":"CALL_ACTION","componentId":"cmp-0001","requestId":"r0000002"}',
                 '{"type":"AUTH","payload":' + "[" * 32 + "]" * 32 + "}"):
        client.say_text(text)
        client.hear()
    client.say_binary(b"\x01\x02\x03")
    client.hear()


@scenario
def rate(trace):
    client = trace.connect(trace.server(rate_limit_tokens=2, rate_limit_refill=1))
    for number in range(1, 4):
        client.ask("COMPONENT_PING", componentId="cmp-0001", requestId=f"r000000{number}")


@scenario
def too_big(trace):
    client = trace.connect(trace.server(max_message_bytes=1024, max_payload_bytes=2048))
    for size in (1024, 2048):
        text = '{"type":"PING","payload":"' + "x" * size + '"}'
        client.wire.write_frame(1, text.encode())
        trace.note(f"max_message_bytes is 1024, max_payload_bytes is 2048, and the client sends {len(text)} bytes")
        if size == 1024:
            client.hear()
    client.hear_close()


# ---- HTTP ----


def fetch(trace, method, path, body=None):
    server = trace.servers[0] if trace.servers else trace.server()
    status, _, reply = server.http(method, path, body)
    trace.lines.append(" ".join([method, path] + ([json.dumps(body, separators=(",", ":"))] if body is not None else [])))
    # What the edge counted depends on the moment; its names stand in a table of their own.
    text = re.sub(r'"net":\{[^}]*\}', '"net":{…}', trace.replace(reply.decode()))
    trace.lines.append(f"{status} {text}")


@scenario
def health(trace):
    fetch(trace, "GET", "/healthz")
    fetch(trace, "GET", "/readyz")


@scenario
def room_by_http(trace):
    client = trace.connect()
    client.mount("Counter", quietly=True, room="lobby")
    fetch(trace, "POST", "/api/live/rooms/lobby/messages", {"text": "hello"})
    client.hear()
    fetch(trace, "POST", "/api/live/rooms/lobby/emit", {"event": "tick", "data": {"n": 1}})
    client.hear()
    fetch(trace, "POST", "/api/live/rooms/lobby/emit", {"event": 7})


@scenario
def names(trace):
    fetch(trace, "GET", "/api/live/components")


@scenario
def stats(trace):
    client = trace.connect()
    client.mount("Counter", quietly=True, room="lobby")
    client.ask("CALL_ACTION", quietly=True, componentId=client.component, action="increment", payload={},
               requestId="r0000002", expectResponse=True)
    trace.connect().mount("Board", quietly=True)
    fetch(trace, "GET", "/api/live/stats")


# ---- docs/debugging.md ----


def look(trace, **options):
    return trace.connect(greeting=False, path="/api/live/debug/ws", **options)


def hear_until(looker, last):
    """All events but LOG, up to the first of that type."""
    while True:
        lines = len(looker.trace.lines)
        event = looker.hear()["event"]
        if event["type"] == "LOG" and last != "LOG":
            del looker.trace.lines[lines:]
        if event["type"] == last:
            return


@scenario
def debugger(trace):
    client = trace.connect(trace.server(env={"LIVE_DEBUG": "true"}))
    looker = look(trace)
    looker.hear()
    hear_until(looker, "WS_CONNECT")
    payload = {"component": "Counter", "room": "lobby", "debugLabel": "left"}
    reply = client.ask("COMPONENT_MOUNT", quietly=True, componentId="mount-Counter", payload=payload, requestId="r0000001")
    client.component = reply["result"]["componentId"]
    lines = len(trace.lines)
    client.act("increment")
    client.say("COMPONENT_UNMOUNT", componentId=client.component)
    del trace.lines[lines:]
    hear_until(looker, "COMPONENT_UNMOUNT")


@scenario
def debug_disabled(trace):
    trace.server()
    looker = look(trace)
    looker.hear()
    looker.hear_close()


# ---- docs/components.md ----


@scenario
def increment(trace):
    client = trace.connect()
    client.mount("Counter", quietly=True)
    client.act("increment")


@scenario
def life_mount(trace):
    trace.connect().mount("Life")


@scenario
def life_action(trace):
    client = trace.connect()
    client.mount("Life", quietly=True)
    client.act("step")


@scenario
def life_leave(trace):
    client = trace.connect()
    client.mount("Life", quietly=True)
    client.act("leave")


@scenario
def life_unmount(trace):
    client = trace.connect()
    client.mount("Life", quietly=True)
    client.ask("COMPONENT_UNMOUNT", componentId=client.component, requestId="r0000002")


@scenario
def life_rehydrate(trace):
    signed = trace.connect().mount("Life", quietly=True)["signedState"]
    client = trace.connect()
    bring_back(client, signed, component="Life")


@scenario
def tickets(trace):
    client = trace.connect()
    client.mount("Tickets")
    client.act("take")


@scenario
def word_count(trace):
    pathlib.Path("words.txt").write_text("three words here\n", encoding="utf-8")
    client = trace.connect()
    client.mount("WordCount", quietly=True)
    client.act("count")


@scenario
def kitchen(trace):
    one, two = pair(trace, room="today", component="Kitchen")
    one.hear(quietly=True)
    one.act("order", {"dish": "soup"})
    one.hear()
    two.hear()
