"""What older clients send and expect (protocol section 19): each row that the server has an answer to."""

from liveclient import Server, main


def without_nulls(value):
    """What an older client sees of a value: a null entry stands where something was removed."""
    return {key: without_nulls(item) for key, item in value.items() if item is not None} if isinstance(value, dict) else value


def case_rooms_of_older_clients(program, components):
    with Server(program, components=components) as server:
        old, new = server.client(generation="G1").mount("Counter"), server.client().mount("Counter")
        joined = old.client.request("ROOM_JOIN", componentId=old.id, roomId="lobby", data={"initialState": {"topic": "hi"}})
        assert joined["type"] == "ROOM_JOINED" and joined["success"] is True and joined["roomId"] == "lobby"
        assert joined["state"] == joined["payload"]["state"] == {"topic": "hi"} and joined["payload"]["roomId"] == "lobby"
        other = new.client.request("ROOM_JOIN", componentId=new.id, roomId="lobby", payload={"initialState": {"topic": "no"}})
        assert other["state"] == {"topic": "hi"}, "only the join that makes the room sets its state"
        push = old.client.wait(type="ROOM_SYSTEM", event="$sub:join")
        assert push["data"] == {"subscriberId": new.id, "count": 2} and push["componentId"] == old.id
        assert isinstance(push["timestamp"], int)

        # Row 7: event and data at the top level.
        old.client.tell("ROOM_EMIT", componentId=old.id, roomId="lobby", event="msg:new", data={"text": "yo"})
        heard = new.client.wait(type="ROOM_EVENT")
        assert heard.pop("timestamp") and heard == {"componentId": new.id, "type": "ROOM_EVENT", "roomId": "lobby",
                                                    "event": "msg:new", "data": {"text": "yo"}}
        new.client.tell("ROOM_EMIT", componentId=new.id, roomId="lobby", payload={"event": "msg:new", "data": [1, 2]})
        assert old.client.wait(type="ROOM_EVENT")["data"] == [1, 2]

        # Rows 8 and 10: state at the top level in, flat and nested out.
        old.client.tell("ROOM_STATE_SET", componentId=old.id, roomId="lobby", data={"topic": "a"})
        assert new.client.wait(type="ROOM_STATE")["data"] == {"state": {"topic": "a"}}
        new.client.tell("ROOM_STATE_SET", componentId=new.id, roomId="lobby", payload={"state": {"topic": "b"}})
        assert old.client.wait(type="ROOM_STATE")["data"] == {"topic": "b", "state": {"topic": "b"}}

        # Below the top level as in row 11: whoever merges only the top level of data has the room's state all the same.
        held = {"topic": "b"}
        for value in ({"x": {"y": 1}, "z": 2}, {"x": {"y": 3}, "z": 2}, {"x": {}, "z": 2}, {"z": 2}):
            new.client.tell("ROOM_STATE_SET", componentId=new.id, roomId="lobby", payload={"state": {"nested": value}})
            data = old.client.wait(type="ROOM_STATE")["data"]
            assert data["state"] == {"nested": data["nested"]}
            held.update(data)
            assert without_nulls(held["nested"]) == value, data

        # Row 6, and payload.roomId.
        left = old.client.request("ROOM_LEAVE", componentId=old.id, roomId="lobby")
        assert left["type"] == "ROOM_LEFT" and left["success"] is True and left["payload"] == {"roomId": "lobby"}
        assert new.client.wait(type="ROOM_SYSTEM", event="$sub:leave")["data"] == {"subscriberId": old.id, "count": 1}
        assert new.client.request("ROOM_LEAVE", componentId=new.id, payload={"roomId": "lobby"})["type"] == "ROOM_LEFT"
        new.client.settle()
        for client in (old.client, new.client):
            assert not [message for message in client.messages if message["type"] == "ERROR"], client.messages


def case_deltas_of_older_clients(program, components):
    """Row 11: each changed top-level key whole, with null for what was removed below."""
    with Server(program, components=components) as server:
        old, new = server.client(generation="G1").mount("Probe"), server.client().mount("Probe")
        for probe in (old, new):
            probe.act("set", patch={"nested": {"a": {"c": 2}, "d": 3}})
        assert new.pushes("STATE_DELTA")[-1]["payload"]["delta"] == {"nested": {"a": {"c": 2, "b": None}, "d": 3}}
        assert old.pushes("STATE_DELTA")[-1]["payload"]["delta"] == {"nested": {"a": {"c": 2, "b": None}, "d": 3}}
        for probe in (old, new):
            probe.act("set", patch={"nested": {"a": {"c": 2}, "d": 4}})
        assert new.pushes("STATE_DELTA")[-1]["payload"]["delta"] == {"nested": {"d": 4}}
        assert old.pushes("STATE_DELTA")[-1]["payload"]["delta"] == {"nested": {"a": {"c": 2}, "d": 4}}


def case_rehydrate_of_older_clients(program, components):
    """Row 14: componentName instead of component is refused, so that the client mounts afresh."""
    with Server(program, components=components) as server:
        counter = server.client(generation="G1").mount("Counter")
        reply = counter.client.request("COMPONENT_REHYDRATE", componentId=counter.id,
                                       payload={"componentName": "Counter", "signedState": counter.signed})
        assert reply["type"] == "COMPONENT_REHYDRATED" and reply["success"] is False, reply
        assert reply["error"] == "Component 'undefined' not found"


def case_heartbeats(program, components):
    """Row 16: COMPONENT_PING of G1 to G3 is answered, PING is not."""
    with Server(program, components=components) as server:
        client = server.client(generation="G1")
        reply = client.request("COMPONENT_PING", componentId="Ab3dEf9_")
        assert reply["type"] == "COMPONENT_PONG" and reply["success"] is True and isinstance(reply["timestamp"], int)
        client.tell("COMPONENT_PING", componentId="Ab3dEf9_")
        assert "requestId" not in client.wait(type="COMPONENT_PONG", check=lambda pong: "requestId" not in pong)
        client.send(type="PING", timestamp=1)
        client.settle()
        assert len(client.messages) == 4


def case_authentication(program, components):
    """Row 2: one reply that all read; credentials that nobody takes are refused."""
    with Server(program, components=components) as server:
        for generation in ("G1", "G5"):
            client = server.client(generation=generation, path="/api/live/ws?token=abc%20d")
            id = client.ask("AUTH", payload={"token": "abc"})
            assert client.answer(id) == {
                "type": "AUTH_RESPONSE", "success": False, "authenticated": False, "error": "Authentication failed",
                "payload": {"authenticated": False, "error": "Authentication failed"}, "requestId": id}
            assert client.mount("Counter").act("increment")["success"]


def case_failures_say_so(program, components):
    """Row 3: an ERROR that answers a request has success false, in every generation."""
    with Server(program, components=components) as server:
        for generation in ("G1", "G5"):
            client = server.client(generation=generation)
            reply = client.request("ROOM_JOIN", componentId="nobody", roomId="lobby")
            assert reply["type"] == "ERROR" and reply["success"] is False and reply["error"] == "Component not found"
            reply = client.request("WHAT", componentId="nobody")
            assert reply["type"] == "MESSAGE_RESPONSE" and reply["success"] is False
            assert reply["error"] == "Unknown message type" and reply["componentId"] == "nobody"


if __name__ == "__main__":
    main(globals())
