"""Rooms between clients on different shards: snapshots, order, membership, and what is refused."""

from liveclient import Server, main


def join(mounted, room, **payload):
    return mounted.client.request("ROOM_JOIN", componentId=mounted.id, roomId=room, payload=payload)


def emit(mounted, room, event, data):
    mounted.client.tell("ROOM_EMIT", componentId=mounted.id, roomId=room, payload={"event": event, "data": data})


def case_chat_between_shards(program, components):
    with Server(program, components=components, shards=4, rate_limit_tokens=0) as server:
        chats = [client.mount("ChatRoom") for client in server.clients(8)]
        for i, chat in enumerate(chats):
            assert chat.act("setUsername", username=f"user {i}")["success"]
            assert chat.act("joinRoom", roomId="tea")["success"]
        for chat in chats:
            while sorted(chat.state["users"]) != [f"user {i}" for i in range(8)]:
                chat.client.wait()
        sent = [(chat, chat.ask("sendMessage", text=f"{i}.{n}")) for n in range(5) for i, chat in enumerate(chats)]
        for chat, request in sent:
            assert chat.client.answer(request)["success"]
        for chat in chats:
            while len(chat.state["messages"]) < 40:
                chat.client.wait()
        texts = [[message["text"] for message in chat.state["messages"]] for chat in chats]
        assert all(text == texts[0] for text in texts), "all read them in one order"
        for i in range(8):
            assert [text for text in texts[0] if text.startswith(f"{i}.")] == [f"{i}.{n}" for n in range(5)]
        chats[0].client.vanish()
        assert chats[1].act("leaveRoom")["success"]
        assert chats[1].state["messages"] == [] and chats[1].state["currentRoom"] is None
        for chat in chats[2:]:
            while sorted(chat.state["users"]) != [f"user {i}" for i in range(2, 8)]:
                chat.client.wait()
        assert chats[1].act("sendMessage", text="anybody?")["error"] == "Join a room first"


def case_order_of_events(program, components):
    """Every member sees the same order, and each sender's own order."""
    with Server(program, components=components, shards=4, rate_limit_tokens=0) as server:
        members = [client.mount("Counter") for client in server.clients(12)]
        for member in members:
            assert join(member, "lobby")["success"]
        senders, listeners = members[:4], members[4:]
        for n in range(50):
            for i, sender in enumerate(senders):
                emit(sender, "lobby", "tick", {"from": i, "n": n})
        heard = []
        for listener in listeners:
            ticks = [listener.client.wait(type="ROOM_EVENT")["data"] for _ in range(200)]
            heard.append([(tick["from"], tick["n"]) for tick in ticks])
        assert all(ticks == heard[0] for ticks in heard)
        for i, sender in enumerate(senders):
            assert [n for who, n in heard[0] if who == i] == list(range(50))
            own = [sender.client.wait(type="ROOM_EVENT")["data"] for _ in range(150)]
            assert [(tick["from"], tick["n"]) for tick in own] == [tick for tick in heard[0] if tick[0] != i]


def case_snapshot_then_events(program, components):
    """Who joins amid changes gets a snapshot, then exactly what came after it."""
    with Server(program, components=components, shards=4, rate_limit_tokens=0) as server:
        writer = server.client().mount("Counter")
        assert join(writer, "lobby")["state"] == {}
        late = [client.mount("Counter") for client in server.clients(12)]
        requests = []
        for n in range(120):
            writer.client.tell("ROOM_STATE_SET", componentId=writer.id, roomId="lobby", payload={"state": {"n": n}})
            if n % 10 == 0:
                one = late[n // 10]
                requests.append((one, one.client.ask("ROOM_JOIN", componentId=one.id, roomId="lobby", payload={})))
        for one, request in requests:
            expected = one.client.answer(request)["state"].get("n", -1) + 1
            while expected < 120:
                push = one.client.wait(type="ROOM_STATE")
                assert push["data"] == {"state": {"n": expected}}, (push, expected)
                expected += 1
        state = writer.client.request("ROOM_STATE_GET", componentId=writer.id, roomId="lobby")
        assert state["type"] == "ROOM_STATE" and state["payload"] == {"roomId": "lobby", "state": {"n": 119}}


def case_refusals(program, components):
    with Server(program, components=components, rate_limit_tokens=0) as server:
        counter = server.client().mount("Counter")
        client = counter.client

        def error(type, **fields):
            reply = client.request(type, componentId=counter.id, **fields)
            assert reply["type"] == "ERROR" and reply["success"] is False and reply["componentId"] == counter.id, reply
            return reply["error"]

        invalid = "Invalid room name. Must be 1-64 alphanumeric characters, hyphens, underscores, dots, or colons."
        for name in ("a b", "x" * 65, "ä", "a/b", "a\0b"):
            assert error("ROOM_JOIN", roomId=name) == invalid
        assert error("ROOM_JOIN", roomId="") == "Invalid message: roomId must be a non-empty string"
        assert error("ROOM_EMIT", roomId="lobby", payload={"event": "x"}) == "Not a member of this room"
        assert error("ROOM_STATE_SET", roomId="lobby", payload={"state": {}}) == "Not a member of this room"
        assert error("ROOM_STATE_GET", roomId="lobby") == "Not a member of this room"
        assert client.request("ROOM_LEAVE", componentId=counter.id, roomId="nowhere")["type"] == "ROOM_LEFT"
        for n in range(50):
            assert join(counter, f"room-{n}")["success"]
        assert error("ROOM_JOIN", roomId="room-50") == "Room limit exceeded"
        assert join(counter, "room-7")["success"], "again, where it is"
        assert client.request("ROOM_LEAVE", componentId=counter.id, roomId="room-7")["success"]
        assert join(counter, "room-50")["success"]
        client.settle()
        assert len([message for message in client.messages if message["type"] == "ERROR"]) == 10


def case_state_of_the_server(program, components):
    with Server(program, components=components, shards=2) as server:
        sealed, counter = server.client().mount("Sealed"), server.client().mount("Counter")

        def set_state(component, room):
            reply = component.client.request("ROOM_STATE_SET", componentId=component.id, roomId=room,
                                             payload={"state": {"by": "client"}})
            return reply["type"], reply.get("error")

        for first, second, room in ((sealed, counter, "closed"), (counter, sealed, "open")):
            assert join(first, room)["success"]
            assert join(second, room)["success"]
        for component in (sealed, counter):
            assert set_state(component, "closed") == ("ERROR", "Room state is server-only")
        reply = sealed.client.request("ROOM_STATE_GET", componentId=sealed.id, roomId="closed")
        assert reply["payload"]["state"] == {}, reply
        sealed.client.send(type="ROOM_STATE_SET", componentId=sealed.id, roomId="open",
                           payload={"state": {"by": "client"}})
        push = counter.client.wait(type="ROOM_STATE", roomId="open")
        assert push["data"] == {"state": {"by": "client"}}, push


def case_leave_after_join(program, components):
    """A room that was joined and left again: no error, and what follows is handled as before."""
    with Server(program, components=components) as server:
        a, b = (server.client().mount("Counter") for _ in range(2))
        for n in range(5):
            for one in (a, b):
                assert join(one, "lobby")["success"]
            a.client.wait(type="ROOM_SYSTEM", event="$sub:join")
            before = len(a.client.messages)
            assert a.client.request("ROOM_LEAVE", componentId=a.id, roomId="lobby")["type"] == "ROOM_LEFT"
            assert len(a.client.messages) == before + 1, a.client.messages[before:]
            b.client.wait(type="ROOM_SYSTEM", event="$sub:leave")
            b.client.request("ROOM_LEAVE", componentId=b.id, roomId="lobby")
        # Requests that hold the client back still do.
        ids = [a.client.ask("ROOM_JOIN", componentId=a.id, roomId=f"r{n}", payload={}) for n in range(10)]
        replies = [message["requestId"] for message in map(a.client.answer, ids)]
        assert replies == ids and [m["requestId"] for m in a.client.messages if m.get("requestId") in ids] == ids


def case_same_connection(program, components):
    """Two components of one connection are two members: only the one that emits is left out."""
    with Server(program, components=components) as server:
        client = server.client()
        a, b = client.mount("Counter"), client.mount("Counter")
        join(a, "lobby"), join(b, "lobby")
        emit(a, "lobby", "hi", 1)
        emit(b, "lobby", "hi", 2)
        heard = [client.wait(type="ROOM_EVENT") for _ in range(2)]
        assert [(message["componentId"], message["data"]) for message in heard] == [(b.id, 1), (a.id, 2)]
        client.request("COMPONENT_UNMOUNT", componentId=b.id)
        assert a.client.wait(type="ROOM_SYSTEM", event="$sub:leave")["data"] == {"subscriberId": b.id, "count": 1}


def case_prototype_names(program, components):
    """Names that reach into prototypes travel nowhere, however they are written."""
    with Server(program, components=components) as server:
        a, b = (server.client().mount("Counter") for _ in range(2))
        join(a, "lobby"), join(b, "lobby")
        names = ['"__proto__"', '"constructor"', '"prototype"', r'"__pro\u0074o__"', r'"\u0063onstructor"']
        for name in names:
            data = f'{{"ok":1,{name}:{{"x":1}},"deep":[{{{name}:2,"y":3}}]}}'
            for text in (f'"payload":{{"event":"e","data":{data}}}', f'"event":"e","data":{data}'):
                a.client.send_text(f'{{"type":"ROOM_EMIT","componentId":"{a.id}","roomId":"lobby",{text}}}')
                assert b.client.wait(type="ROOM_EVENT")["data"] == {"ok": 1, "deep": [{"y": 3}]}
            a.client.send_text(f'{{"type":"ROOM_STATE_SET","componentId":"{a.id}","roomId":"lobby",'
                               f'"payload":{{"state":{{"v":{names.index(name)},{name}:1,"$server":1}}}}}}')
            assert b.client.wait(type="ROOM_STATE")["data"] == {"state": {"v": names.index(name)}}


def case_broadcast(program, components):
    """Everybody mounted with the same room hears it, also on other shards; ROOM_JOIN makes no listener."""
    with Server(program, components=components, shards=4) as server:
        probes = [client.mount("Probe", room="lobby") for client in server.clients(8)]
        other = server.client().mount("Probe", room="other")
        joiner = server.client().mount("Probe")
        join(joiner, "lobby")
        assert probes[0].act("say", data={"level": 2})["success"]
        for probe in probes:
            message = probe.client.wait(type="BROADCAST")
            assert message == {"type": "BROADCAST", "componentId": probes[0].id, "room": "lobby",
                               "payload": {"type": "note", "data": {"level": 2}}}
        assert joiner.act("say", data=1)["error"].startswith("broadcast:")
        for one in (other, joiner):
            one.client.settle()
            assert not [message for message in one.client.messages if message["type"] == "BROADCAST"]


def case_broadcast_compressed(program, components):
    """What many get is compressed once on each shard, also a broadcast; who agreed to no compression gets it as it is."""
    with Server(program, "--deflate", components=components, shards=1) as server:
        probes = [client.mount("Probe", room="lobby") for client in server.clients(6, inflates=True)]
        probes.append(server.client().mount("Probe", room="lobby"))
        for data in ({"text": "all the same " * 100}, "short", {"text": "another " * 90}):
            before = shared_deflates(server)
            assert probes[0].act("say", data=data)["success"]
            for probe in probes:
                assert probe.client.wait(type="BROADCAST")["payload"] == {"type": "note", "data": data}
            assert shared_deflates(server) - before == (0 if data == "short" else 5)


def shared_deflates(server):
    _, _, text = server.http("GET", "/metrics")
    return sum(float(line.split()[-1]) for line in text.decode().splitlines()
               if line.startswith("liveshard_ws_deflates_shared_total"))


def case_join_and_vanish(program, components):
    """Clients that go while a join or a mount with a room is on its way leave nothing behind."""
    with Server(program, components=components, shards=4, rate_limit_tokens=0) as server:
        stays = server.client().mount("Probe", room="lobby")
        for n in range(60):
            client = server.client()
            if n % 3 == 0:
                client.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "SharedCounter", "room": "lobby"})
            else:
                probe = client.mount("Probe")
                client.ask("ROOM_JOIN", componentId=probe.id, roomId="lobby", payload={})
                client.ask("ROOM_STATE_GET", componentId=probe.id, roomId="lobby")
                client.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "Board"})
            client.vanish()
        stats = server.until("them to be gone", lambda stats: stats["connections"]["totalConnections"] == 1
                             and stats["components"]["components"] == 1
                             and stats["components"]["roomDetails"].get("lobby") == 1)
        assert stats["components"]["roomDetails"]["lobby"] == 1
        assert stays.act("who")["success"]


if __name__ == "__main__":
    main(globals())
