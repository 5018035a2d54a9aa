"""The reference trace (protocol section 20), frame by frame, and what else one component does with one client."""

import json

from liveclient import Server, main


def fields(message, *names):
    return {name: message[name] for name in names if name in message}


def case_reference_trace(program, components):
    with Server(program, components=components) as server:
        client = server.client()
        assert list(client.messages[0])[:2] == ["type", "connectionId"] and len(client.id) == 8, client.messages
        mount = client.ask("COMPONENT_MOUNT", componentId="mount-Counter",
                           payload={"component": "Counter", "props": {}})
        reply = client.answer(mount)
        hello, update, answer = client.messages
        assert hello["type"] == "CONNECTION_ESTABLISHED" and answer is reply
        id = reply["result"]["componentId"]
        assert update["type"] == "STATE_UPDATE" and update["componentId"] == id and "requestId" not in update
        assert update["payload"]["state"] == {"count": 0}
        signed = update["payload"]["signedState"]
        assert reply == {"type": "MESSAGE_RESPONSE", "componentId": "mount-Counter", "success": True,
                         "result": {"componentId": id, "initialState": {"count": 0}, "signedState": signed},
                         "requestId": mount}
        assert list(signed) == ["data", "signature", "timestamp", "version", "componentId", "compressed", "encrypted"]
        assert signed["version"] == 1 and signed["componentId"] == id and len(signed["signature"]) == 64
        assert json.loads(signed["data"]) == {"count": 0, "__componentName": "Counter"}

        action = client.ask("CALL_ACTION", componentId=id, action="increment", payload={})
        client.answer(action)
        assert client.messages[3:] == [
            {"type": "STATE_DELTA", "componentId": id, "payload": {"delta": {"count": 1}}},
            {"type": "ACTION_RESPONSE", "componentId": id, "success": True, "requestId": action}]
        assert set(client.batches) == {0}, "single messages are plain objects"
        signature = client.wait(type="STATE_SIGNATURE", componentId=id)["payload"]["signedState"]
        assert signature["version"] == 2 and json.loads(signature["data"])["count"] == 1
        client.send(type="PING")
        client.settle()
        assert client.messages[-1]["type"] == "COMPONENT_PONG" and client.messages[-2]["type"] == "STATE_SIGNATURE"

        client.vanish()
        again = server.client()
        assert again.id != client.id
        rehydrate = again.ask("COMPONENT_REHYDRATE", componentId=id,
                              payload={"component": "Counter", "signedState": signature})
        again.answer(rehydrate)
        push, reply = again.messages[1:]
        new = push["componentId"]
        third = push["payload"].pop("signedState")
        assert push == {"type": "STATE_REHYDRATED", "componentId": new, "payload": {
            "state": {"count": 1}, "oldComponentId": id, "newComponentId": new}}
        assert third["version"] == 3 and third["componentId"] == new != id
        assert reply == {"type": "COMPONENT_REHYDRATED", "componentId": id, "success": True,
                         "result": {"newComponentId": new}, "requestId": rehydrate}
        assert again.act(new, "increment")["success"]
        assert again.messages[-2]["payload"] == {"delta": {"count": 2}}


def case_fire_and_forget(program, components):
    with Server(program, components=components) as server:
        counter = server.client().mount("Counter")
        client = counter.client
        for expect in (False, None):
            fields = {} if expect is None else {"expectResponse": expect}
            client.tell("CALL_ACTION", componentId=counter.id, action="increment", payload={}, requestId="silent", **fields)
        client.settle()
        assert counter.state == {"count": 2}
        assert not [message for message in client.messages if message.get("requestId") == "silent"]
        client.tell("CALL_ACTION", componentId=counter.id, action="none", payload={})
        client.settle()
        push, reply = client.messages[-3:-1]
        assert push["type"] == "ERROR" and push["error"] == push["payload"]["error"] == "Action 'none' is not callable"
        assert reply == {"type": "ACTION_RESPONSE", "componentId": counter.id, "success": False,
                         "error": "Action 'none' is not callable"}


def case_action_texts(program, components):
    with Server(program, components=components) as server:
        probe = server.client().mount("Probe")
        counter = probe.client.mount("Counter")
        own = {"who": None,
               "none": "Action 'none' is not callable",
               "": "Action '' is not callable",
               "destroy": "Action 'destroy' is not callable",
               "_hidden": "Action '_hidden' is not callable",
               "#hidden": "Action '#hidden' is not callable",
               "toString": "Action 'toString' is not callable",
               "missing": "Action 'missing' not found on component"}
        for action, error in own.items():
            reply = probe.act(action)
            assert reply.get("error") == error and reply["success"] == (error is None), reply
            if error:
                push = probe.pushes()[-1]
                assert push["type"] == "ERROR" and push["payload"]["error"] == error, push
                assert push["payload"].get("action", "") == action, push
        reply = counter.act("setValue", key="count", value=3)
        assert reply["error"] == ("Action 'setValue' exists on 'Counter' but is not listed in publicActions. "
                                  "Add it to: static publicActions = [..., 'setValue']")
        assert probe.act("setValue", key="value", value="Zoe")["result"] == {
            "success": True, "key": "value", "value": "Zoe"}
        assert probe.state["value"] == "Zoe"
        assert probe.act("setValue")["success"] is False
        pushes = len(probe.pushes())
        assert probe.act("who", refuse="cancel")["error"] == "Action 'who' was cancelled"
        assert len(probe.pushes()) == pushes, "a cancelled action pushes nothing"
        assert probe.act("who", refuse="no way")["error"] == "no way"
        assert [push["payload"]["error"] for push in probe.pushes()[pushes:]] == [
            "Action 'who' failed pre-validation", "no way"]


def case_names_with_nul(program, components):
    """A name that goes on behind a NUL is another name."""
    with Server(program, components=components) as server:
        counter = server.client().mount("Counter")
        for action in ("increment\0", "increment\0" + "x" * 40, "\0", "\0increment"):
            reply = counter.client.act(counter.id, action)
            assert reply["success"] is False, reply
        reply = counter.client.request("PROPERTY_UPDATE", componentId=counter.id, property="count\0", payload={"value": 9})
        assert reply["success"] is False
        assert counter.state == {"count": 0}


def case_ids_of_others(program, components):
    with Server(program, components=components) as server:
        mine, theirs = (server.client().mount("Counter") for _ in range(2))
        for id in (theirs.id, "Ab3dEf9_", "", "x" * 300, "\0", "\ud800"):
            reply = mine.client.act(id, "increment")
            assert reply["error"] == f"COMPONENT_REHYDRATION_REQUIRED:{id}".split("\0")[0] and not reply["success"], reply
            reply = mine.client.request("PROPERTY_UPDATE", componentId=id, property="count", payload={"value": 9})
            assert reply["success"] is False and reply["error"].startswith("COMPONENT_REHYDRATION_REQUIRED:")
            assert mine.client.request("ROOM_JOIN", componentId=id, roomId="lobby")["error"] == "Component not found"
            assert mine.client.request("COMPONENT_UNMOUNT", componentId=id)["success"] is True
        theirs.client.settle()
        assert theirs.state == {"count": 0} and theirs.act("increment")["success"]


def case_mount_lookup(program, components):
    with Server(program, components=components) as server:
        client = server.client()
        for name in ("Counter", "counter"):
            assert client.mount(name).first == {"count": 0}
        for name in ("Nobody", "", "COUNTER", "x" * 5000, "Counter\0", "../counter", "C\"ou\n"):
            reply = client.request("COMPONENT_MOUNT", componentId="m", payload={"component": name})
            assert reply["success"] is False and reply["type"] == "MESSAGE_RESPONSE", reply
            assert reply["error"] == f"Component '{name.split(chr(0))[0]}' not found" or "\0" in name, reply
        # Any key of props is taken, but for prototype names.
        mounted = client.mount("Counter", count=3, extra={"deep": [1, None]}, constructor=1, __proto__={"x": 1})
        assert mounted.first == {"count": 3, "extra": {"deep": [1, None]}} == mounted.state


def case_property_update(program, components):
    with Server(program, components=components) as server:
        counter = server.client().mount("Counter")

        def update(name, value):
            return counter.client.request("PROPERTY_UPDATE", componentId=counter.id, property=name, payload={"value": value})

        assert fields(update("count", 41), "type", "success") == {"type": "MESSAGE_RESPONSE", "success": True}
        assert counter.client.messages[-2]["payload"] == {"delta": {"count": 41}}
        assert counter.act("increment")["success"] and counter.state == {"count": 42}
        for name in ("__proto__", "constructor", "prototype"):
            assert update(name, 1)["error"] == f"PROPERTY_UPDATE rejected: '{name}' is a reserved key"
        assert update("$x", 1)["error"] == (
            "PROPERTY_UPDATE rejected: '$x' is server-only ($-prefixed fields cannot be written by the client). "
            "Use a server action to mutate it.")
        assert update("other", 1)["error"] == (
            "PROPERTY_UPDATE rejected: 'other' is not an updatable field of 'Counter'. Allowed: [count]. Declare it in "
            "'static defaultState' or 'static updatableFields' to allow client writes.")
        reply = counter.client.request("STATE_UPDATE", componentId=counter.id, payload={"state": {"count": 7, "other": 1}})
        assert reply["success"] is False and counter.state == {"count": 42}
        assert counter.client.request("STATE_UPDATE", componentId=counter.id, payload={"state": {"count": 7}})["success"]
        assert counter.state == {"count": 7}


def case_deltas_of_one_tick(program, components):
    """What a client makes of its deltas is the server's state, whatever happened within one tick."""
    runs = [
        [{"value": 1}, {"value": 2}, {"other": 3}],
        [{"nested": {"a": {"b": 2}}}, {"nested": {"a": {"c": 3}}}],
        [{"nested": 5}, {"nested": {"y": 2}}],
        [{"nested": None}, {"nested": {"a": {"z": 1}}}],
        [{"nested": {"a": 1}}, {"nested": {"a": {"q": 1}}}],
        [{"nested": {}}, {"nested": {"a": {"x": 1}}}],
        [{"value": 1}, {"value": 0}],
        [{"list": [1]}, {"list": [1, 2]}, {"list": {"is": "object"}}],
    ]
    with Server(program, components=components, rate_limit_tokens=0) as server:
        for generation in ("G5", "G1"):
            client = server.client(generation=generation)
            for patches in runs:
                probe = client.mount("Probe")
                assert probe.act("setAll", patches=patches)["success"]
                deltas = probe.pushes("STATE_DELTA")
                assert len(deltas) <= 1, deltas
                client.ask("COMPONENT_UNMOUNT", componentId=probe.id)
                if generation == "G1":
                    continue
                other = client.mount("Probe")
                for patch in patches:
                    other.act("set", patch=patch)
                assert probe.state == other.state, (patches, probe.state, other.state)


def case_order_in_one_tick(program, components):
    """Pushes, replies and deltas of many requests in one write come in their order."""
    with Server(program, components=components, rate_limit_tokens=0) as server:
        client = server.client()
        counter, probe = client.mount("Counter"), client.mount("Probe")
        client.messages.clear()
        client.seen = 0
        ids = []
        for i in range(50):
            ids.append(counter.ask("increment"))
            ids.append(probe.ask("push", type="NOTE", data={"n": i}))
        client.answer(ids[-1])
        messages = [message for message in client.messages if message["type"] != "STATE_SIGNATURE"]
        assert [message["requestId"] for message in messages if "requestId" in message] == ids
        types = [message["type"] for message in messages]
        assert types == ["STATE_DELTA", "ACTION_RESPONSE", "NOTE", "ACTION_RESPONSE"] * 50, types
        assert counter.state["count"] == 50 or counter.pushes()[-1]["payload"]["delta"]["count"] == 50


def case_destroyed_by_itself(program, components):
    with Server(program, components=components) as server:
        probe = server.client().mount("Probe", "lobby")
        assert probe.act("end")["success"] is True
        assert probe.act("who")["error"] == f"COMPONENT_REHYDRATION_REQUIRED:{probe.id}"
        assert probe.client.request("COMPONENT_UNMOUNT", componentId=probe.id)["success"]
        server.until("its end", lambda stats: stats["components"]["components"] == 0)


def case_deferred_and_gone(program, components):
    """Replies that come later, to clients that are there, that let go, and that are gone."""
    with Server(program, components=components, shards=2) as server:
        probe = server.client().mount("Probe")
        assert probe.act("slow", ms=1)["success"] is True
        late = probe.ask("slow", ms=50)
        assert probe.act("who")["success"], "others are answered meanwhile"
        assert probe.client.answer(late)["success"]
        for i in range(20):
            other = server.client().mount("Probe")
            other.ask("slow", ms=20 + i)
            other.client.send(type="COMPONENT_UNMOUNT", componentId=other.id) if i % 2 else other.client.vanish()
        server.until("the end of the others", lambda stats: stats["components"]["components"] == 1)
        assert probe.act("who")["success"]


if __name__ == "__main__":
    main(globals())
