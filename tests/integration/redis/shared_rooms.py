"""Rooms that three servers share: chat, raw events, and a counter that everybody counts on, while Redis is killed,
paused or gone."""

import json
import threading
import time

from cluster_support import Nodes, Redis, until
from liveclient import Server, main

COUNTER = "shared-counter"
# A deadline of its own for each part, shorter than the one above it: an answer that is lost is found out in time.
SETTINGS = {"cluster_rooms": COUNTER, "redis_timeout_ms": 500, "redis_retry_ms": 200, "node_timeout_ms": 1500,
            "cluster_room_ms": 20000}


def join(mounted, room, **payload):
    return mounted.client.request("ROOM_JOIN", componentId=mounted.id, roomId=room, payload=payload)


def emit(mounted, room, event, data):
    mounted.client.tell("ROOM_EMIT", componentId=mounted.id, roomId=room, payload={"event": event, "data": data})


def set_state(mounted, room, **state):
    mounted.client.tell("ROOM_STATE_SET", componentId=mounted.id, roomId=room, payload={"state": state})


def ready(server):
    status, _, body = server.http("GET", "/readyz")
    return status, json.loads(body)


def until_redis(server, state):
    until(f"redis to be {state}", lambda: ready(server)[1]["redis"] == state)


class Together(Nodes):
    """Nodes that have found each other."""

    def __init__(self, program, components, redis, **settings):
        super().__init__(program, components, redis, **{**SETTINGS, **settings})
        for server in self.all:
            until_redis(server, "up")


class Clicker(threading.Thread):
    """A client that counts again and again, and knows what was acknowledged."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.counter = server.client(timeout=60).mount("SharedCounter")
        self.acknowledged, self.errors, self.ends = 0, [], threading.Event()
        self.start()

    def run(self):
        while not self.ends.is_set():
            reply = self.counter.act("increment")
            if reply["success"]:
                self.acknowledged += 1
            else:
                self.errors.append(reply["error"])

    def end(self):
        self.ends.set()
        self.join(60)
        assert not self.is_alive()


def count_on(clickers, more):
    goal = sum(one.acknowledged for one in clickers) + more
    until(f"{more} more increments", lambda: sum(one.acknowledged for one in clickers) >= goal)


def check_sum(nodes, redis, clickers):
    """Every acknowledged increment is in the sum, once, and all see it."""
    for one in clickers:
        one.end()
    acknowledged = sum(one.acknowledged for one in clickers)
    unknown = sum(len(one.errors) for one in clickers)
    for server in nodes.all:
        until_redis(server, "up")
    with redis.client() as client:
        total = json.loads(client("GET", f"fluxstack:room:state:{COUNTER}"))["count"]
    assert acknowledged <= total <= acknowledged + unknown, (acknowledged, total, unknown)
    for server in nodes.all:
        late = server.client().mount("SharedCounter")
        late.wait_state(count=total)
    for one in clickers:
        one.counter.wait_state(count=total)
    return acknowledged, unknown


def case_chat_between_nodes(program, components):
    with Redis() as redis, Together(program, components, redis) as nodes:
        chats = [nodes[n % 3].client().mount("ChatRoom") for n in range(6)]
        for i, chat in enumerate(chats):
            assert chat.act("setUsername", username=f"user {i}")["success"]
            assert chat.act("joinRoom", roomId="tea")["success"]
        for chat in chats:
            while sorted(chat.state["users"]) != [f"user {i}" for i in range(6)]:
                chat.client.wait()
        for i, chat in enumerate(chats):        # one after the other: a room that is not the cluster's merges lists whole
            assert chat.act("sendMessage", text=f"{i}")["success"]
            for other in chats:
                while len(other.state["messages"]) < i + 1:
                    other.client.wait()
        texts = [[message["text"] for message in chat.state["messages"]] for chat in chats]
        assert all(text == [str(i) for i in range(6)] for text in texts), texts


def case_events_in_order(program, components):
    with Redis() as redis, Together(program, components, redis) as nodes:
        members = [nodes[n].client().mount("Counter") for n in range(3)]
        for i, member in enumerate(members):
            assert join(member, "lobby")["success"]
            for other in members[:i]:
                joined = other.client.wait(type="ROOM_SYSTEM")
                assert joined["data"] == {"subscriberId": member.id, "count": i + 1}, joined
        for n in range(100):
            emit(members[0], "lobby", "tick", {"n": n})
        for member in members[1:]:
            assert [member.client.wait(type="ROOM_EVENT")["data"]["n"] for _ in range(100)] == list(range(100))
        set_state(members[1], "lobby", topic="new", deep={"list": [], "no": None})
        for member in (members[0], members[2]):
            assert member.client.wait(type="ROOM_STATE")["data"] == {
                "state": {"topic": "new", "deep": {"list": [], "no": None}}}
        late = nodes[2].client().mount("Counter")
        assert join(late, "lobby")["state"] == {"topic": "new", "deep": {"list": [], "no": None}}


def case_a_node_is_killed(program, components):
    """Its members leave by themselves."""
    with Redis() as redis, Together(program, components, redis) as nodes:
        members = [nodes[n].client().mount("Counter") for n in range(3)]
        for member in members:
            assert join(member, "lobby")["success"]
        for member in members[:2]: # what nobody has heard of cannot leave
            member.client.wait(lambda m: m["type"] == "ROOM_SYSTEM" and m["event"] == "$sub:join" and
                               m["data"] == {"subscriberId": members[2].id, "count": 3})
        nodes.kill(2)
        for member in members[:2]:
            left = member.client.wait(lambda m: m["type"] == "ROOM_SYSTEM" and m["event"] == "$sub:leave")
            assert left["data"] == {"subscriberId": members[2].id, "count": 2}, left


def case_counting(program, components):
    with Redis() as redis, Together(program, components, redis) as nodes:
        clickers = [Clicker(nodes[n % 3]) for n in range(9)]
        count_on(clickers, 1500)
        assert check_sum(nodes, redis, clickers)[1] == 0


def case_redis_killed(program, components):
    """With patience for commits in doubt, nothing is lost, doubled or refused."""
    with Redis() as redis, Together(program, components, redis, cluster_room_ms=30000) as nodes:
        clickers = [Clicker(nodes[n % 3]) for n in range(6)]
        for _ in range(2):
            count_on(clickers, 200)
            redis.kill()
            until_redis(nodes[0], "down")
            redis.start()
        count_on(clickers, 200)
        assert check_sum(nodes, redis, clickers)[1] == 0


def case_redis_paused(program, components):
    with Redis() as redis, Together(program, components, redis, cluster_room_ms=30000) as nodes:
        clickers = [Clicker(nodes[n % 3]) for n in range(6)]
        count_on(clickers, 200)
        redis.pause(True)
        until_redis(nodes[0], "down")
        redis.pause(False)
        count_on(clickers, 200)
        assert check_sum(nodes, redis, clickers)[1] == 0


def case_redis_gone(program, components):
    """A room goes on within the node, a cluster room fails in time, and /readyz says why."""
    with Redis() as redis, Together(program, components, redis, count=2, cluster_room_ms=300) as nodes:
        assert ready(nodes[0]) == (200, {"status": "ready", "redis": "up"})
        a, b = [nodes[0].client().mount("Counter") for _ in range(2)]
        far = nodes[1].client().mount("Counter")
        counter = nodes[0].client().mount("SharedCounter")
        for member in (a, b, far):
            assert join(member, "lobby")["success"]
        redis.kill()
        until_redis(nodes[0], "down")
        assert ready(nodes[0]) == (200, {"status": "degraded", "redis": "down"})
        emit(a, "lobby", "still", 1)
        assert b.client.wait(type="ROOM_EVENT")["data"] == 1
        set_state(a, "lobby", topic="meanwhile")
        assert b.client.wait(type="ROOM_STATE")["data"] == {"state": {"topic": "meanwhile"}}
        began = time.monotonic()
        assert counter.act("increment")["error"] == "Room update failed: it could not be committed in time"
        assert time.monotonic() - began < 5
        redis.start()
        until_redis(nodes[0], "up")
        assert far.client.wait(type="ROOM_STATE")["data"] == {"state": {"topic": "meanwhile"}}
        until("its rooms again", lambda: counter.act("increment")["success"])


def case_redis_required(program, components):
    with Redis() as redis, Server(program, "--redis-required", components=components, redis_url=redis.url) as server:
        until_redis(server, "up")
        redis.kill()
        until_redis(server, "down")
        assert ready(server) == (503, {"status": "not ready", "redis": "down"})


if __name__ == "__main__":
    main(globals())
