"""Every refusal that protocol.md 4 to 9 and behaviour.md 2 to 9 name, byte by byte, over a real WebSocket.

Tables of (what is sent, what comes): a case sends each row on one connection and compares all that comes until the answer to a
last question, so that nothing more comes either. What cannot be reached this way stands in ELSEWHERE, with the reason and the
test that holds the words.
"""

import base64
import contextlib
import hashlib
import json
import pathlib
import tempfile

from liveclient import BINARY, TEXT, Server, main

ROOT = pathlib.Path(__file__).resolve().parents[3]
LOST = "COMPONENT_REHYDRATION_REQUIRED:"

USERS = {"anybody": {"id": "anybody"}, "half": {"id": "half", "roles": ["clerk"], "permissions": ["read"]},
         "owner": {"id": "owner", "roles": ["owner"], "permissions": ["read", "write"]},
         "late": {"id": "late"}, "lost": {"id": "lost"}}


@contextlib.contextmanager
def server_of_all(program, components, *words, **settings):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"tokens": [{"sha256": hashlib.sha256(name.encode()).hexdigest(), **user}
                              for name, user in USERS.items()]}, file)
        file.flush()
        with Server(program, *words, components=components, tokens_file=file.name, rate_limit_tokens=0, **settings) as server:
            yield server


def client_of(server, user=None):
    client = server.client()
    if user:
        assert client.request("AUTH", payload={"token": user})["success"] is True
    return client


def exchange(client, sent):
    """All that comes for one message (an object, or text as it is)."""
    start = len(client.messages)
    if isinstance(sent, dict):
        client.send(**sent)
    else:
        client.send_text(sent)
    client.send(type="ROOM_STATE_GET", componentId="nobody", roomId="last", requestId=f"last-{start}")
    client.answer(f"last-{start}")
    came = client.messages[start:]
    assert came[-1]["requestId"] == f"last-{start}", "answers come in order"
    return came[:-1]


def without_time(message):
    return {name: value for name, value in message.items() if name != "timestamp"}


def check(client, rows):
    for sent, *expected in rows:
        came = [without_time(message) for message in exchange(client, sent)]
        assert came == expected, f"\nsent     {sent}\nexpected {expected}\ncame     {came}"


def error(text, **more):
    return {"type": "ERROR", **more, "success": False, "error": text}


def push(component, action, text):
    """The ERROR push of section 7.5, with the text in both places."""
    return {"type": "ERROR", "componentId": component, "error": text, "payload": {"action": action, "error": text}}


def refused(type, component, text, request="q"):
    return {"type": type, "componentId": component, "success": False, "error": text, "requestId": request}


# ---- protocol.md 4: what is no message ----

def case_no_message(program, components):
    deep = json.dumps({"type": "PING", "payload": 0})
    with server_of_all(program, components) as server:
        client = server.client()
        check(client, [
            ("{", error("Invalid JSON")),
            ("", error("Invalid JSON")),
            ("{'type':'PING'}", error("Invalid JSON")),
            ('{"type":"PING"} x', error("Invalid JSON")),
            ("null", error("Invalid message: expected object")),
            ("7", error("Invalid message: expected object")),
            ('"PING"', error("Invalid message: expected object")),
            ('[{"type":"PING"}]', error("Invalid message: expected object")),
            (deep.replace("0", "[" * 31 + "]" * 31),),
            (deep.replace("0", "[" * 32 + "]" * 32), error("JSON nesting too deep (max 32)")),
            (deep.replace("0", json.dumps("[" * 100)),),
            ('{"type":"PING"}',),
        ])


def case_too_large(program, components):
    """Text is measured as JavaScript does, in UTF-16 code units. Far above the limit the connection is closed, before the
    message is read to its end, as the libraries below the reference do."""
    largest = '{"type":"PING","pad":"%s"}'
    with server_of_all(program, components, max_message_bytes=2048, max_payload_bytes=8192) as server:
        client = server.client()
        check(client, [
            (largest % ("x" * 2024),),
            (largest % ("x" * 2025), error("Message too large")),
            (largest % ("\u20ac" * 2024),),
            (largest % ("\u20ac" * 2025), error("Message too large")),
            (largest % ("\U0001f600" * 1012),),
            (largest % ("\U0001f600" * 1013), error("Message too large")),
            ("x" * 8192, error("Message too large")),
        ])
        for size, text in ((2048, "Binary messages are not supported"), (2049, "Message too large")):
            client.write_frame(BINARY, b"x" * size)
            assert without_time(client.wait(type="ERROR")) == error(text)
        for opcode in (TEXT, BINARY):
            client = server.client()
            client.write_frame(opcode, b"x" * 8193)
            assert client.wait_close() == (1009, "message too big")
    with server_of_all(program, components, max_message_bytes=4096, max_payload_bytes=1024) as server:
        check(server.client(), [(largest % ("x" * 4072),)])


def case_rate(program, components):
    with Server(program, components=components, rate_limit_tokens=3, rate_limit_refill=1) as server:
        client = server.client()
        ids = [client.ask("COMPONENT_UNMOUNT", componentId="x") for _ in range(6)]
        assert client.answer(ids[0])["success"] is True
        assert without_time(client.answer(ids[-1])) == {
            "type": "ERROR", "componentId": "x", "success": False, "error": "Rate limit exceeded", "requestId": ids[-1]}


# ---- protocol.md 4.1: the shape ----

SHAPES = [
    ({}, "missing type"),
    ({"type": 7}, "missing type"),
    ({"type": None}, "missing type"),
    ({"type": "PING", "responseId": 1},),
    ({"type": "CALL_ACTION", "componentId": 1, "action": "a"}, "componentId must be a string"),
    ({"type": "CALL_ACTION", "requestId": 1, "componentId": "x", "action": "a"}, "requestId must be a string"),
    ({"type": "CALL_ACTION", "responseId": 1, "componentId": "x", "action": "a"}, "responseId must be a string"),
    ({"type": "CALL_ACTION", "expectResponse": 1, "componentId": "x", "action": "a"}, "expectResponse must be a boolean"),
    ({"type": "CALL_ACTION", "timestamp": "1", "componentId": "x", "action": "a"}, "timestamp must be a number"),
    ({"type": "CALL_ACTION", "userId": 1, "componentId": "x", "action": "a"}, "userId must be a string"),
    ({"type": "CALL_ACTION", "room": {}, "componentId": "x", "action": "a"}, "room must be a string"),
    ({"type": "COMPONENT_MOUNT"}, "COMPONENT_MOUNT requires payload"),
    ({"type": "COMPONENT_MOUNT", "payload": []}, "COMPONENT_MOUNT requires payload"),
    ({"type": "COMPONENT_MOUNT", "payload": {}}, "payload.component must be a string"),
    ({"type": "COMPONENT_MOUNT", "payload": {"component": "Strict", "props": []}}, "payload.props must be an object"),
    ({"type": "COMPONENT_MOUNT", "payload": {"component": "Strict", "room": 1}}, "payload.room must be a string"),
    ({"type": "COMPONENT_MOUNT", "payload": {"component": "Strict", "userId": 1}}, "payload.userId must be a string"),
    ({"type": "COMPONENT_MOUNT", "payload": {"component": "Strict", "debugLabel": 1}}, "payload.debugLabel must be a string"),
    ({"type": "COMPONENT_UNMOUNT"}, "componentId is required"),
    ({"type": "COMPONENT_REHYDRATE", "payload": {}}, "componentId is required"),
    ({"type": "COMPONENT_REHYDRATE", "componentId": "x"}, "COMPONENT_REHYDRATE requires payload"),
    ({"type": "COMPONENT_REHYDRATE", "componentId": "x", "payload": {}}, "payload.component must be a string"),
    ({"type": "COMPONENT_REHYDRATE", "componentId": "x", "payload": {"component": "Strict"}},
     "payload.signedState is malformed"),
    ({"type": "COMPONENT_REHYDRATE", "componentId": "x", "payload": {"component": "Strict", "signedState": {"data": "{}"}}},
     "payload.signedState is malformed"),
    ({"type": "CALL_ACTION", "action": "a"}, "componentId is required"),
    ({"type": "CALL_ACTION", "componentId": "x"}, "action must be a string"),
    ({"type": "CALL_ACTION", "componentId": "x", "action": 1}, "action must be a string"),
    ({"type": "PROPERTY_UPDATE", "property": "a"}, "componentId is required"),
    ({"type": "PROPERTY_UPDATE", "componentId": "x"}, "property must be a string"),
    ({"type": "PROPERTY_UPDATE", "componentId": "x", "property": "a"}, "PROPERTY_UPDATE requires payload.value"),
    ({"type": "PROPERTY_UPDATE", "componentId": "x", "property": "a", "payload": 1}, "PROPERTY_UPDATE requires payload.value"),
    ({"type": "STATE_UPDATE"}, "componentId is required"),
    ({"type": "STATE_UPDATE", "componentId": "x"}, "payload.state must be an object"),
    ({"type": "STATE_UPDATE", "componentId": "x", "payload": {"state": []}}, "payload.state must be an object"),
    ({"type": "AUTH", "payload": "token"}, "AUTH payload must be an object"),
    ({"type": "ROOM_JOIN", "roomId": "r"}, "componentId is required"),
    ({"type": "ROOM_JOIN", "componentId": "x", "payload": []}, "room payload must be an object"),
    ({"type": "ROOM_JOIN", "componentId": "x"}, "roomId must be a non-empty string"),
    ({"type": "ROOM_LEAVE", "componentId": "x", "roomId": ""}, "roomId must be a non-empty string"),
    ({"type": "ROOM_JOIN", "componentId": "x", "payload": {"roomId": 1}}, "payload.roomId must be a string"),
    ({"type": "ROOM_EMIT", "componentId": "x", "roomId": "r", "payload": {}}, "payload.event must be a string"),
    ({"type": "ROOM_EMIT", "componentId": "x", "roomId": "r"}, "payload.event must be a string"),
    ({"type": "ROOM_STATE_SET", "componentId": "x", "roomId": "r", "payload": {"state": 1}}, "payload.state must be an object"),
    ({"type": "ROOM_STATE_SET", "componentId": "x", "roomId": "r"}, "payload.state must be an object"),
]


def shape_refusal(sent, text):
    """componentId and requestId are echoed when they are strings."""
    echoed = {name: sent[name] for name in ("componentId", "requestId") if isinstance(sent.get(name), str)}
    return error(f"Invalid message: {text}", **echoed)


def case_shapes(program, components):
    with server_of_all(program, components) as server:
        client = server.client()
        for sent, *text in SHAPES:
            check(client, [(sent, *(shape_refusal(sent, one) for one in text))])
            if text and "requestId" not in sent:
                sent = {**sent, "requestId": "q"}
                check(client, [(sent, shape_refusal(sent, text[0]))])


def case_unknown_types(program, components):
    unknown = {"type": "MESSAGE_RESPONSE", "success": False, "error": "Unknown message type"}
    with server_of_all(program, components) as server:
        check(server.client(), [
            ({"type": "WHAT"}, unknown),
            ({"type": ""}, unknown),
            ({"type": "ROOM_EVENT", "componentId": "x", "requestId": "q"},
             {**unknown, "componentId": "x", "requestId": "q"}),
            ({"type": "WHAT", "userId": 1}, error("Invalid message: userId must be a string")),
        ])


# ---- protocol.md 6, behaviour.md 2 and 8: mounting ----

MOUNTS = [  # user, component, reason
    (None, "Nowhere", "Component 'Nowhere' not found"),
    (None, "", "Component '' not found"),
    (None, "AdminPanel", "AUTH_DENIED: Authentication required"),
    (None, "LockedByRoles", "AUTH_DENIED: Authentication required. Roles needed: chief, owner"),
    ("half", "LockedByRoles", "AUTH_DENIED: Insufficient roles. Required one of: chief, owner"),
    (None, "LockedByPermissions", "AUTH_DENIED: Authentication required. Permissions needed: read, write"),
    ("half", "LockedByPermissions", "AUTH_DENIED: Insufficient permissions. Required all: read, write"),
    (None, "LockedByFunction", "AUTH_DENIED: Denied by custom authorize"),
    ("late", "LockedByFunction", "AUTH_DENIED: come back tomorrow"),
    ("lost", "LockedByFunction", "AUTH_DENIED: Authorization error: the list is lost"),
]


def case_mounts(program, components):
    with server_of_all(program, components, components_per_client=2) as server:
        for user, component, reason in MOUNTS:
            check(client_of(server, user), [
                ({"type": "COMPONENT_MOUNT", "componentId": "m", "payload": {"component": component}, "requestId": "q"},
                 refused("MESSAGE_RESPONSE", "m", reason))])
        owner = client_of(server, "owner")
        for component in ("LockedByRoles", "LockedByPermissions"):
            owner.mount(component)
        check(owner, [({"type": "COMPONENT_MOUNT", "componentId": "m", "payload": {"component": "Strict"}, "requestId": "q"},
                       refused("MESSAGE_RESPONSE", "m", "Component limit exceeded"))])


def case_mount_that_fails(program, components):
    """It still succeeds, and the client is told what failed."""
    with server_of_all(program, components) as server:
        client = server.client()
        bare = client.mount("Bare", fails=True)
        assert [without_time(one) for one in bare.pushes("ERROR")] == [
            push(bare.id, "onMount", "Mount initialization failed: no disk")]
        reply = client.request("COMPONENT_MOUNT", componentId="m", payload={"component": "Strict", "room": "no such name!"})
        assert reply["success"] is False and reply["error"].startswith("Invalid room name. Must be 1-64 alphanumeric")


def case_unmount_of_others(program, components):
    """Answered as a success, and nothing is done."""
    with server_of_all(program, components) as server:
        mine = server.client().mount("Strict")
        done = {"type": "MESSAGE_RESPONSE", "componentId": mine.id, "success": True, "requestId": "q"}
        check(server.client(), [({"type": "COMPONENT_UNMOUNT", "componentId": mine.id, "requestId": "q"}, done),
                                ({"type": "COMPONENT_UNMOUNT", "componentId": "x"},
                                 {"type": "MESSAGE_RESPONSE", "componentId": "x", "success": True})])
        assert mine.act("echo")["success"] is True


# ---- behaviour.md 4: actions ----

def blocked(name):
    return f"Action '{name}' is not callable"


def unlisted(name):
    return (f"Action '{name}' exists on 'Strict' but is not listed in publicActions. "
            f"Add it to: static publicActions = [..., '{name}']")


BLOCKED = """constructor destroy executeAction getSerializableState onMount onDestroy onConnect onDisconnect onStateChange onRoomJoin
onRoomLeave onRehydrate onAction onClientJoin onClientLeave setState sendBinaryDelta emit broadcast broadcastToRoom createStateProxy
createDirectStateAccessors generateId setAuthContext _resetAuthContext $auth $private _privateState $persistent _inStateChange $room
$rooms subscribeToRoom unsubscribeFromRoom emitRoomEvent onRoomEvent emitRoomEventWithState""".split()

FAILING = [  # action, payload, pushes, text of the reply
    *((name, {}, 1, blocked(name)) for name in BLOCKED),
    ("_hidden", {}, 1, blocked("_hidden")),
    ("#private", {}, 1, blocked("#private")),
    ("toString", {}, 1, blocked("toString")),
    ("valueOf", {}, 1, blocked("valueOf")),
    ("nothing", {}, 1, blocked("nothing")),
    ("", {}, 1, blocked("")),
    ("setValue", {"key": "a", "value": 2}, 1, unlisted("setValue")),
    ("missing", {}, 1, "Action 'missing' not found on component"),
    ("fail", {}, 1, "disk full"),
    ("failSilently", {}, 1, "Action failed"),
    ("echo", {"cancel": True}, 0, "Action 'echo' was cancelled"),
    ("typed", {}, 1, "Action 'typed' payload validation failed: payload.n: is required"),
    ("typed", {"n": "1"}, 1, "Action 'typed' payload validation failed: payload.n: must be an integer"),
    ("typed", {"n": 0}, 1, "Action 'typed' payload validation failed: payload.n: must be at least 1"),
    ("typed", [], 1, "Action 'typed' payload validation failed: payload: must be an object"),
    ("typed", {"n": 0, "veto": True}, 1, "Action 'typed' payload validation failed: payload.n: must be at least 1"),
]


def failure_rows(id, action, payload, pushes, text):
    """With and without an answer asked for: a failure is told in any case."""
    call = {"type": "CALL_ACTION", "componentId": id, "action": action, "payload": payload}
    told = [push(id, action, text)] * pushes
    yield ({**call, "requestId": "q", "expectResponse": True}, *told, refused("ACTION_RESPONSE", id, text))
    yield (call, *told, {"type": "ACTION_RESPONSE", "componentId": id, "success": False, "error": text})


def case_actions(program, components):
    with server_of_all(program, components) as server:
        client = server.client()
        strict = client.mount("Strict")
        for row in FAILING:
            check(client, failure_rows(strict.id, *row))
        veto = {"type": "CALL_ACTION", "componentId": strict.id, "action": "echo", "payload": {"veto": True}, "requestId": "q"}
        check(client, [(veto, push(strict.id, "echo", "Action 'echo' failed pre-validation"),
                        push(strict.id, "echo", "not on a Sunday"),
                        refused("ACTION_RESPONSE", strict.id, "not on a Sunday"))])
        bare = client.mount("Bare")
        check(client, failure_rows(bare.id, "echo", {}, 1,
                                   "Action 'echo' is not callable - component has no publicActions defined"))


def case_defaults_reach_the_action(program, components):
    with server_of_all(program, components) as server:
        strict = server.client().mount("Strict")
        assert strict.act("typed", n=1)["result"] == {"n": 1, "by": "me"}
        assert strict.act("typed", n=1, by="you")["result"] == {"n": 1, "by": "you"}


def case_lost_components(program, components):
    """One that is not there and one of somebody else: the same words."""
    with server_of_all(program, components) as server:
        others = server.client().mount("Strict")
        client = server.client()
        for id in ("nobody", others.id):
            lost = LOST + id
            check(client, [
                ({"type": "CALL_ACTION", "componentId": id, "action": "echo", "requestId": "q"},
                 refused("ACTION_RESPONSE", id, lost)),
                ({"type": "PROPERTY_UPDATE", "componentId": id, "property": "a", "payload": {"value": 1}, "requestId": "q"},
                 refused("MESSAGE_RESPONSE", id, lost)),
                ({"type": "STATE_UPDATE", "componentId": id, "payload": {"state": {"a": 1}}, "requestId": "q"},
                 refused("MESSAGE_RESPONSE", id, lost)),
                ({"type": "ROOM_JOIN", "componentId": id, "roomId": "r", "requestId": "q"},
                 error("Component not found", componentId=id, requestId="q")),
            ])


ACTION_AUTH = [  # user, action, payload, reason
    (None, "roles", {}, "Authentication required for action 'roles'"),
    ("half", "roles", {}, "Insufficient roles for action 'roles'. Required one of: chief, owner"),
    (None, "permissions", {}, "Authentication required for action 'permissions'"),
    ("half", "permissions", {}, "Insufficient permissions for action 'permissions'. Required all: read, write"),
    ("owner", "function", {}, "Action 'function' denied by custom authorize"),
    ("owner", "function", {"reason": "not today"}, "not today"),
    ("owner", "function", {"failure": "the list is lost"}, "Action 'function' authorization error: the list is lost"),
]


def case_action_auth(program, components):
    """The reply alone tells, no push."""
    with server_of_all(program, components) as server:
        for user, action, payload, reason in ACTION_AUTH:
            client = client_of(server, user)
            strict = client.mount("Strict")
            check(client, failure_rows(strict.id, action, payload, 0, f"AUTH_DENIED: {reason}"))
        owner = client_of(server, "owner").mount("Strict")
        for action, payload in (("roles", {}), ("permissions", {}), ("function", {"allow": True})):
            assert owner.act(action, **payload)["success"] is True


def case_action_rate_and_time(program, components):
    with server_of_all(program, components, action_timeout_ms=50) as server:
        client = server.client()
        limited = client.mount("Limited")
        for _ in range(3):
            assert limited.act("idle")["success"] is True
        check(client, failure_rows(limited.id, "idle", {}, 1, "Action rate limit exceeded (max 3 calls per 60000ms)"))
        strict = client.mount("Strict")
        text = "Action 'never' timed out after 50ms"
        reply = client.act(strict.id, "never")
        assert (reply["success"], reply["error"]) == (False, text)
        assert [without_time(one) for one in strict.pushes("ERROR")] == [push(strict.id, "never", text)]


# ---- behaviour.md 6: rooms ----

def case_rooms(program, components):
    name = "Invalid room name. Must be 1-64 alphanumeric characters, hyphens, underscores, dots, or colons."
    with server_of_all(program, components, rooms_per_client=1, room_state_bytes=1024) as server:
        client = server.client()
        strict = client.mount("Strict")
        ask = {"componentId": strict.id, "roomId": "r", "requestId": "q"}
        outside = error("Not a member of this room", componentId=strict.id, requestId="q")
        check(client, [
            ({"type": "ROOM_EMIT", **ask, "payload": {"event": "e"}}, outside),
            ({"type": "ROOM_STATE_SET", **ask, "payload": {"state": {}}}, outside),
            ({"type": "ROOM_STATE_GET", **ask}, outside),
            *(({"type": "ROOM_JOIN", **ask, "roomId": room}, error(name, componentId=strict.id, requestId="q"))
              for room in ("a b", "x" * 65, "\u00e9", "$x", "a/b")),
        ])
        assert client.request("ROOM_JOIN", componentId=strict.id, roomId="r")["success"] is True
        check(client, [
            ({"type": "ROOM_JOIN", **ask, "roomId": "other"},
             error("Room limit exceeded", componentId=strict.id, requestId="q")),
            ({"type": "ROOM_STATE_SET", **ask, "payload": {"state": {"x": "y" * 1024}}},
             error("Room state exceeds maximum size limit", componentId=strict.id, requestId="q")),
        ])
        state = client.request("ROOM_STATE_GET", componentId=strict.id, roomId="r")
        assert state["payload"]["state"] == {}, "what was refused was not applied"


# ---- protocol.md 9: properties ----

def property_refusals(name, keys):
    rejected = "PROPERTY_UPDATE rejected: "
    for key in ("__proto__", "constructor", "prototype"):
        yield key, f"{rejected}'{key}' is a reserved key"
    for key in ("$auth", "$"):
        yield key, (f"{rejected}'{key}' is server-only ($-prefixed fields cannot be written by the client). "
                    "Use a server action to mutate it.")
    for key in ("c", "nothing", ""):
        yield key, (f"{rejected}'{key}' is not an updatable field of '{name}'. Allowed: [{keys}]. Declare it in "
                    "'static defaultState' or 'static updatableFields' to allow client writes.")


def case_properties(program, components):
    with server_of_all(program, components) as server:
        client = server.client()
        strict = client.mount("Strict")
        for key, text in property_refusals("Strict", "a, b"):
            whole = {"type": "STATE_UPDATE", "componentId": strict.id, "payload": {"state": {"a": 5, key: 1}}, "requestId": "q"}
            check(client, [
                ({"type": "PROPERTY_UPDATE", "componentId": strict.id, "property": key, "payload": {"value": 1},
                  "requestId": "q"}, refused("MESSAGE_RESPONSE", strict.id, text))])
            if key not in ("__proto__", "constructor", "prototype"):    # those leave every payload before it is looked at
                check(client, [(whole, refused("MESSAGE_RESPONSE", strict.id, text))])
        assert strict.state == {"a": 1, "b": 2, "c": 3}, "all or nothing"
        client.request("PROPERTY_UPDATE", componentId=strict.id, property="a", payload={"value": 7})
        assert strict.state["a"] == 7


# ---- protocol.md 6.3 and 11: signed states ----

def rehydrate(client, signed, component="Strict"):
    reply = client.request("COMPONENT_REHYDRATE", componentId=signed["componentId"],
                           payload={"component": component, "signedState": signed})
    assert reply["type"] == "COMPONENT_REHYDRATED" and reply["componentId"] == signed["componentId"]
    return reply["success"], reply.get("error")


def case_signed_states(program, components):
    with server_of_all(program, components) as server:
        client = server.client()
        strict, probe = client.mount("Strict"), client.mount("Probe")
        signed = strict.signed
        flipped = signed["signature"][:-1] + ("0" if signed["signature"][-1] != "0" else "1")
        client = server.client()
        assert rehydrate(client, {**signed, "signature": flipped}) == (False, "Invalid signature")
        assert rehydrate(client, {**signed, "signature": "x"}) == (False, "Invalid signature")
        assert rehydrate(client, {**signed, "version": signed["version"] + 1}) == (False, "Invalid signature")
        assert rehydrate(client, {**signed, "timestamp": signed["timestamp"] - 1}) == (False, "Invalid signature")
        assert rehydrate(client, {**signed, "timestamp": 0}) == (False, "State expired")
        assert rehydrate(client, signed, "Nowhere") == (False, "Component 'Nowhere' not found")
        assert rehydrate(client, probe.signed) == (False, "Component class mismatch - state tampering detected")
        assert rehydrate(client, signed, "LockedByRoles") == (
            False, "AUTH_DENIED: Authentication required. Roles needed: chief, owner")
        forged = {**signed, "signature": flipped}
        for name in ("Nowhere", "Probe", "LockedByRoles"):    # the signature is looked at before who asks for what
            assert rehydrate(client, forged, name) == (False, "Invalid signature")
        assert rehydrate(client, signed) == (True, None)
        reply = client.request("COMPONENT_REHYDRATE", componentId="x", payload={"componentName": "Strict", "signedState": signed})
        assert (reply["success"], reply["error"]) == (False, "Component 'undefined' not found")


def case_states_of_another_server(program, components):
    """Sealed by a key that this one does not have: as good as tampered with."""
    with server_of_all(program, components, "--state-encryption") as server:
        signed = server.client().mount("Strict").signed
        assert signed["encrypted"] is True and base64.b64decode(signed["data"])
    with server_of_all(program, components, "--state-encryption") as server:
        assert rehydrate(server.client(), signed) == (False, "Invalid signature")


# ---- what is not reached from here ----

NEVER = {  # words that this server has no use for: why
    "Auth context is immutable after initial set": "no function sets it a second time",
    "replay attempt": "of older servers; these days: Nonce already used",
    "too many concurrent states": "of older servers: a full store forgets, and stays closed to what it forgot",
    "Room requires server-side join": "rooms that are classes come with typed rooms, and so do the next three",
    "Room is full": "as above",
    "Room initialization failed": "as above",
    "Join rejected by room": "as above",
    "No default room set": "in C that is -EINVAL from the function",
}
ELSEWHERE = [  # words, where they are held, why not here
    ("denied by auth provider 'doorman'", "tests/unit/server/auth/test_check.c", "the server's own provider lets all pass"),
    ("Access to room 'lobby' denied by auth provider", "tests/unit/server/auth/test_check.c", "as above"),
    ("Room state is server-only", "tests/integration/server/rooms.py", "wants rooms that a component of that kind creates"),
    ("Room authorization error: ", "tests/unit/server/auth/test_check.c", "as above"),
    ("Room access denied", "server/component/membership.c", "stands in where a provider gives no reason, and ours all do"),
    ("Invalid state signature", "tests/unit/server/security/test_signature.c", "wants the key to sign what is no state"),
    ("Malformed nonce", "tests/unit/server/security/test_nonce.c", "a client that comes back is not asked for its nonce"),
    ("Malformed nonce timestamp", "tests/unit/server/security/test_nonce.c", "as above"),
    ("Nonce expired", "tests/unit/server/security/test_signature.c", "as above"),
    ("Nonce timestamp in the future", "tests/unit/server/security/test_nonce.c", "as above"),
    ("Nonce predates replay-protection window", "tests/unit/server/security/test_nonce.c", "as above"),
    ("Invalid nonce signature", "tests/unit/server/security/test_nonce.c", "as above"),
    ("Nonce already used", "tests/unit/server/security/test_nonce.c", "as above"),
]


def case_elsewhere(program, components):
    for words, path, _ in ELSEWHERE:
        assert words in (ROOT / path).read_text(encoding="utf-8"), f"{words!r} is not in {path} any more"


def case_never(program, components):
    """Whoever gives one of them a use gives it a row here, too."""
    sources = [path.read_text(encoding="utf-8") for folder in ("server", "pubsub") for path in (ROOT / folder).rglob("*.c")]
    for words, why in NEVER.items():
        assert not any(words in source for source in sources), f"{words!r} has a use now: {why}"


if __name__ == "__main__":
    main(globals())
