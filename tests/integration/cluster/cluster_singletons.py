"""One board for three servers: who has it, who hears what, and servers of another kind beside ours."""

import json
import time

from cluster_support import PREFIX, Listener, Nodes, Redis, until
from liveclient import main


def case_one_for_all(program, components):
    with Redis() as redis, Nodes(program, components, redis) as nodes:
        boards = [server.client().mount("Board") for server in nodes]
        assert len({board.id for board in boards}) == 1
        assert nodes.instances() == [0]
        asked = [(board, board.ask("add")) for _ in range(20) for board in boards]
        assert sorted(board.client.answer(id)["result"] for board, id in asked) == list(range(1, 61))
        for board in boards:
            board.wait_state(total=60)
        port, component = redis.owner()
        assert component == boards[0].id
        stats = nodes[1].stats()["components"]
        assert stats["singletons"] == {}
        assert stats["remoteSingletons"] == {"Board": {"componentId": component, "ownerInstanceId": port,
                                                       "connections": 1}}, stats["remoteSingletons"]
        with redis.client() as client:
            fence = int(client("HGET", f"{PREFIX}singleton-meta:Board", "fence"))
        assert nodes[0].stats()["components"]["singletons"] == {"Board": {"componentId": component, "connections": 1,
                                                                          "fence": fence}}
        # The first mount has a signature; a mount on another node has none, as the reference has it.
        update = boards[1].pushes("STATE_UPDATE")[0]
        assert "signedState" not in update["payload"]
        with redis.client() as client:
            saved = json.loads(client("GET", f"{PREFIX}singleton-state:Board"))
            own = json.loads(client("GET", f"{PREFIX}state:{component}"))
        assert saved["state"]["total"] == 60 and saved["updatedAt"] > 1e12
        assert own["componentName"] == "Board" and own["instanceId"] == port and own["state"] == saved["state"]


def case_words_of_others(program, components):
    with Redis() as redis, Nodes(program, components, redis, count=2) as nodes:
        owner, other = (server.client().mount("Board") for server in nodes)
        assert other.act("fail")["error"] == "the board says no"
        assert owner.client.wait(type="ERROR")["payload"] == {"action": "fail", "error": "the board says no"}
        assert [m["payload"] for m in other.pushes("ERROR")] == [{"action": "fail", "error": "the board says no"}]
        update = other.client.request("PROPERTY_UPDATE", componentId=other.id, property="note",
                                      payload={"value": "hello"})
        assert update["success"] is True and update["type"] == "MESSAGE_RESPONSE", update
        owner.wait_state(note="hello")
        update = other.client.request("PROPERTY_UPDATE", componentId=other.id, property="no", payload={"value": 1})
        assert "is not an updatable field of 'Board'" in update["error"]
        other.client.tell("CALL_ACTION", componentId=other.id, action="add", payload={"by": 3})
        owner.wait_state(total=3)


def case_rehydrate_elsewhere(program, components):
    with Redis() as redis, Nodes(program, components, redis, count=2, state_secret="the same") as nodes:
        first = nodes[0].client().mount("Board")
        first.act("add", by=5)
        signed = first.client.wait(type="STATE_SIGNATURE")["payload"]["signedState"]
        other = nodes[1].client()
        reply = other.request("COMPONENT_REHYDRATE", componentId=first.id,
                              payload={"component": "Board", "signedState": signed})
        assert reply["success"] is True and reply["result"] == {"newComponentId": first.id}, reply
        assert other.act(first.id, "add", {"by": 1})["result"] == 6


def case_the_last_leaves(program, components):
    with Redis() as redis, Nodes(program, components, redis, count=2) as nodes:
        board = nodes[0].client().mount("Board")
        board.act("add", by=7)
        board.client.close()
        until("the claim to go", lambda: redis.owner() is None)
        again = nodes[1].client().mount("Board")
        assert again.first["total"] == 7 and nodes.instances() == [1]


def case_the_owner_leaves(program, components):
    """SIGTERM: whoever has clients of it goes on, at once."""
    with Redis() as redis, Nodes(program, components, redis, count=2) as nodes:
        owner, other = (server.client().mount("Board") for server in nodes)
        owner.act("add", by=2)
        nodes[0].stop()
        assert other.act("add")["result"] == 3
        assert nodes.instances() == [1]


def case_secrets(program, components):
    with Redis() as redis, Nodes(program, components, redis, count=2, cluster_secret="hush") as nodes:
        owner, other = (server.client().mount("Board") for server in nodes)
        port, component = redis.owner()
        request = {"sourceInstanceId": "forger_1", "componentId": component, "componentName": "Board", "action": "add",
                   "payload": {}, "requestId": "r1"}
        with redis.client() as client:
            message = json.dumps({"type": "action_request", "origin": "forger_1", "request": request})
            assert client("PUBLISH", f"{PREFIX}actions:{port}", message) == 1
        assert other.act("add")["result"] == 1
        owner.wait_state(total=1)


def case_a_reference_node_asks(program, components):
    with Redis() as redis, Nodes(program, components, redis, count=1) as nodes:
        board = nodes[0].client().mount("Board")
        port, component = redis.owner()
        with Listener(redis, f"{PREFIX}delta") as deltas, Listener(redis, f"{PREFIX}actions:nodeB_02") as answers, \
                redis.client() as client:
            request = {"sourceInstanceId": "nodeB_02", "targetInstanceId": port, "componentId": component,
                       "componentName": "Board", "action": "add", "payload": {"by": 5}, "requestId": "r1_r1_r1",
                       "callerConnectionId": "q7Zt_0Lm", "callerSession": {"id": "u1"}}
            client("PUBLISH", f"{PREFIX}actions:{port}",
                   json.dumps({"type": "action_request", "origin": "nodeB_02", "request": request}))
            assert answers.message() == {"type": "action_response", "origin": port, "response": {
                "success": True, "result": 5, "requestId": "r1_r1_r1"}}
            delta = deltas.message(lambda m: m["type"] == "delta" and "total" in m["delta"])
            assert {name: delta[name] for name in ("type", "origin", "componentId", "componentName", "delta")} == {
                "type": "delta", "origin": port, "componentId": component, "componentName": "Board",
                "delta": {"total": 5}} and delta["seq"] > 1, delta
            request |= {"action": "fail", "requestId": "r2_r2_r2"}
            client("PUBLISH", f"{PREFIX}actions:{port}",
                   json.dumps({"type": "action_request", "origin": "nodeB_02", "request": request}))
            assert answers.message()["response"] == {
                "success": False, "error": "the board says no", "requestId": "r2_r2_r2"}
        board.wait_state(total=5)


def case_a_reference_node_owns(program, components):
    with Redis() as redis, redis.client() as client:
        state = {"total": 4, "clients": 1, "last": "", "note": "theirs"}
        client("SET", f"{PREFIX}singleton:Board", "nodeA_01:Ab3dEf9_", "PX", 60000)
        client("SET", f"{PREFIX}state:Ab3dEf9_", json.dumps({
            "componentName": "Board", "state": state, "instanceId": "nodeA_01", "updatedAt": 1700000000000}))
        client("SET", f"{PREFIX}singleton-state:Board", json.dumps({"state": state, "updatedAt": 1700000000000}))
        with Nodes(program, components, redis, count=1) as nodes, Listener(redis, f"{PREFIX}actions:nodeA_01") as asked:
            board = nodes[0].client().mount("Board")
            assert board.id == "Ab3dEf9_" and board.first == state
            until("its ear", lambda: client("PUBSUB", "NUMSUB", f"{PREFIX}delta")[1] == 1)
            client("PUBLISH", f"{PREFIX}delta", json.dumps({
                "type": "delta", "origin": "nodeA_01", "componentId": "Ab3dEf9_", "componentName": "Board",
                "delta": {"total": 5}, "seq": 12}))
            board.wait_state(total=5)
            id = board.ask("add", by=1)
            message = asked.message()
            request = message["request"]
            assert message == {"type": "action_request", "origin": request["sourceInstanceId"], "request": {
                "sourceInstanceId": request["sourceInstanceId"], "targetInstanceId": "nodeA_01",
                "componentId": "Ab3dEf9_", "componentName": "Board", "action": "add", "payload": {"by": 1},
                "requestId": request["requestId"], "callerConnectionId": board.client.id}}, message

            def answer(response):
                client("PUBLISH", f"{PREFIX}actions:{message['origin']}", json.dumps({
                    "type": "action_response", "origin": "nodeA_01",
                    "response": {**response, "requestId": request["requestId"]}}))

            answer({"success": True, "result": 6})
            assert board.client.answer(id)["result"] == 6
            id = board.ask("add")
            request = asked.message()["request"]
            answer({"success": False})
            assert board.client.answer(id)["error"] == "Remote action failed"
            began = time.monotonic()
            assert board.act("add")["error"] == "Cluster action timeout after 1000ms"
            assert time.monotonic() - began > 0.9
            # It is gone: what it stored goes on here, under the same id.
            client("DEL", f"{PREFIX}singleton:Board")
            until("the claim", lambda: redis.owner() and redis.owner()[0] == message["origin"])
            assert board.act("add")["result"] == 5


if __name__ == "__main__":
    main(globals())
