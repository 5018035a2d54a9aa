"""A singleton across shards: one state, one order, and nobody left behind when clients come, go and vanish."""

from liveclient import Server, main


def case_one_state_for_all(program, components):
    with Server(program, components=components, shards=4, rate_limit_tokens=0) as server:
        boards = [client.mount("Board") for client in server.clients(10)]
        assert len({board.id for board in boards}) == 1
        asked = [(board, board.ask("add", by=1)) for _ in range(10) for board in boards]
        results = [board.client.answer(request)["result"] for board, request in asked]
        assert sorted(results) == list(range(1, 101)), "no increment is lost"
        for board in boards:
            board.wait_state(total=100, clients=10)
        # A reply never overtakes the delta of the action that made it.
        for board, request in asked:
            messages = board.client.messages
            at = next(i for i, m in enumerate(messages) if m.get("requestId") == request)
            seen = [m["payload"]["delta"]["total"] for m in messages[:at]
                    if m["type"] == "STATE_DELTA" and "total" in m["payload"]["delta"]]
            assert messages[at]["result"] in seen or max(seen) > messages[at]["result"]
        assert server.stats()["components"]["singletons"] == {"Board": {"componentId": boards[0].id, "connections": 10}}


def case_joins_and_leaves(program, components):
    with Server(program, components=components, shards=4) as server:
        first = server.client().mount("Board")
        assert first.first["clients"] == 1 and first.first["last"] == f"join {first.client.id}"
        second = server.client().mount("Board")
        assert second.id == first.id and second.first["clients"] == 2
        first.wait_state(clients=2, last=f"join {second.client.id}")
        second.client.request("COMPONENT_UNMOUNT", componentId=second.id)
        first.wait_state(clients=1, last=f"leave {second.client.id}")
        reply = second.act("add")
        assert reply["error"] == f"COMPONENT_REHYDRATION_REQUIRED:{second.id}"
        third = server.client().mount("Board")
        first.wait_state(clients=2)
        third.client.vanish()
        first.wait_state(clients=1, last=f"leave {third.client.id}")
        first.client.close()
        server.until("its end", lambda stats: stats["components"]["singletons"] == {})
        fresh = server.client().mount("Board")
        assert fresh.id != first.id and fresh.first["total"] == 0, "the last one gone, state is lost"


def case_refusals(program, components):
    with Server(program, components=components) as server:
        a, b = (server.client().mount("Board") for _ in range(2))
        reply = a.act("fail")
        assert reply["success"] is False and reply["error"] == "the board says no"
        assert b.client.wait(type="ERROR")["payload"] == {"action": "fail", "error": "the board says no"}
        assert a.act("add\0")["success"] is False
        update = a.client.request("PROPERTY_UPDATE", componentId=a.id, property="note", payload={"value": "hello"})
        assert update["success"] is True and update["type"] == "MESSAGE_RESPONSE"
        b.wait_state(note="hello")
        update = a.client.request("PROPERTY_UPDATE", componentId=a.id, property="other", payload={"value": 1})
        assert "is not an updatable field of 'Board'" in update["error"]


def case_state_update_of_a_client(program, components):
    with Server(program, components=components) as server:
        a, b = (server.client().mount("Board") for _ in range(2))
        reply = a.client.request("STATE_UPDATE", componentId=a.id, payload={"state": {"note": "x", "total": 3}})
        assert reply["success"] is True, reply
        b.wait_state(note="x", total=3)
        reply = a.client.request("STATE_UPDATE", componentId=a.id, payload={"state": {"note": "y", "other": 3}})
        assert reply["success"] is False and b.client.settle() and b.state["note"] == "x"


def case_mounted_twice_by_one(program, components):
    with Server(program, components=components) as server:
        client = server.client()
        one, two = client.mount("Board"), client.mount("Board")
        assert one.id == two.id and two.act("add")["result"] == 1
        client.settle()
        deltas = [push for push in one.pushes("STATE_DELTA") if "total" in push["payload"]["delta"]]
        assert len(deltas) == 1, "one connection hears once"
        client.request("COMPONENT_UNMOUNT", componentId=one.id)
        server.until("its end", lambda stats: stats["components"]["singletons"] == {})


def case_ended_by_itself(program, components):
    with Server(program, components=components, shards=4) as server:
        boards = [client.mount("Board") for client in server.clients(6)]
        assert boards[0].act("end")["result"] == "ended"
        for board in boards:
            board.client.settle()
        server.until("its end", lambda stats: stats["components"]["singletons"] == {})
        fresh = boards[3].client.mount("Board")
        assert fresh.id != boards[0].id and fresh.first == {"total": 0, "clients": 1,
                                                            "last": f"join {boards[3].client.id}", "note": ""}
        assert boards[0].act("add")["error"].startswith("COMPONENT_REHYDRATION_REQUIRED:")
        assert fresh.act("add")["result"] == 1


def case_rehydrated(program, components):
    """With nobody there the signed state seeds it; with somebody the client is attached."""
    with Server(program, components=components) as server:
        old = server.client().mount("Board")
        old.act("add", by=5)
        signed = old.client.wait(type="STATE_SIGNATURE", check=lambda m: '"total":5' in m["payload"]["signedState"]["data"])
        old.client.vanish()
        server.until("its end", lambda stats: stats["components"]["singletons"] == {})
        for n, client in enumerate(server.clients(2)):
            reply = client.request("COMPONENT_REHYDRATE", componentId=old.id, payload={
                "component": "Board", "signedState": signed["payload"]["signedState"]})
            assert reply["type"] == "COMPONENT_REHYDRATED" and reply["success"] is True, reply
            new = reply["result"]["newComponentId"]
            assert new != old.id and reply["result"] == {"newComponentId": new}
            assert client.act(new, "add", {"by": 1})["result"] == 6 + n


def case_come_and_go(program, components):
    """Clients that mount and vanish at every moment: at the end it is gone, and nothing hangs."""
    with Server(program, components=components, shards=4, rate_limit_tokens=0) as server:
        for n in range(100):
            client = server.client()
            mount = client.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "Board"})
            if n % 4 == 1:
                client.send(type="COMPONENT_PING", componentId="x")
            elif n % 4 == 2:
                id = client.answer(mount)["result"]["componentId"]
                client.ask("CALL_ACTION", componentId=id, action="add", payload={})
                client.ask("COMPONENT_UNMOUNT", componentId=id)
                client.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "Board"})
            elif n % 4 == 3:
                id = client.answer(mount)["result"]["componentId"]
                client.ask("CALL_ACTION", componentId=id, action="end", payload={})
            client.vanish()
        server.until("the end of all", lambda stats: stats["connections"]["totalConnections"] == 0
                     and stats["components"]["components"] == 0 and stats["components"]["singletons"] == {})
        assert server.client().mount("Board").act("add")["result"] == 1


def case_rooms_of_a_singleton(program, components):
    """Its clients may join rooms in its name, each for itself."""
    with Server(program, components=components, shards=4) as server:
        a, b = (server.client().mount("Board") for _ in range(2))
        for one in (a, b):
            assert one.client.request("ROOM_JOIN", componentId=one.id, roomId="lobby", payload={})["success"]
        a.client.tell("ROOM_EMIT", componentId=a.id, roomId="lobby", payload={"event": "e", "data": 1})
        assert b.client.wait(type="ROOM_EVENT")["componentId"] == b.id
        assert a.act("end")["success"]
        server.until("the room to be empty", lambda stats: not stats["components"]["roomDetails"].get("lobby"))


def case_deltas_collapse(program, components):
    """Who falls behind gets the whole state in place of the changes that passed it by; the others notice nothing."""
    with Server(program, components=components, shards=4, rate_limit_tokens=0, outbox_soft_bytes=65536,
                outbox_hard_bytes=1 << 30, outbox_soft_ms=60000, outbox_hard_ms=120000) as server:
        slow, quick = server.client().mount("Board"), server.client().mount("Board")
        for n in range(300):
            quick.client.request("PROPERTY_UPDATE", componentId=quick.id, property="note",
                                 payload={"value": f"{n} " + "x" * 20000})
        end = quick.state["note"]
        assert end.startswith("299 ")
        slow.client.wait(type="STATE_DELTA", check=lambda m: m["payload"]["delta"].get("note"))
        slow.client.wait(type="STATE_UPDATE", check=lambda m: m["payload"]["state"]["note"] == end)
        assert slow.state == quick.state
        updates, deltas = (sum(m["type"] == kind for m in slow.pushes()) for kind in ("STATE_UPDATE", "STATE_DELTA"))
        assert updates == 2 and deltas < 300, f"{updates} full states, {deltas} deltas"
        quick.client.request("PROPERTY_UPDATE", componentId=quick.id, property="note", payload={"value": "short"})
        slow.client.wait(type="STATE_DELTA", check=lambda m: m["payload"]["delta"].get("note") == "short")


if __name__ == "__main__":
    main(globals())
