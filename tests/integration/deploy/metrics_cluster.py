"""GET /metrics of nodes that share a Redis: each figure of the links, of the shared rooms and of the cluster's singletons
moves when that happens which it counts, and the last case finds those that no case moved."""

import contextlib
import json
import time

from cluster_support import Nodes, Redis
from exposition import total
from liveclient import Server, main
from metrics import scrape, scrape_until

ROOM = "fluxstack:room:"
SINGLETON = "fluxstack:cluster:"
FAST = {"redis_retry_ms": 100, "redis_timeout_ms": 500, "redis_ping_ms": 100, "rate_limit_tokens": 0,
        "cluster_rooms": "shared-*", "node_timeout_ms": 1500}

moved = set()   # (family, its labels but for the shard): what any case saw with another value than 0
known = set()


def note(families):
    for family in families.values():
        if not family.name.startswith(("liveshard_redis_", "liveshard_cluster_")):
            continue
        for (_, labels), value in family.values.items():
            series = (family.name, tuple(pair for pair in labels if pair[0] not in ("shard", "le")))
            known.add(series)
            if value:
                moved.add(series)
    return families


def figure(server, name, **labels):
    return total(note(scrape(server)), f"liveshard_{name}", **labels)


def until(server, name, check, **labels):
    """Waits until the figure, summed over the shards, is as check says."""
    families = scrape_until(server, f"{name} {labels}", lambda now: check(total(now, f"liveshard_{name}", **labels)))
    return total(note(families), f"liveshard_{name}", **labels)


def grows(server, name, since=0, **labels):
    return until(server, name, lambda value: value > since, **labels)


def until_state(server, state, shards):
    until(server, "redis_link_state", lambda count: count == shards, state=state)
    assert figure(server, "redis_link_state") == shards, "each link is in one state"


@contextlib.contextmanager
def node(program, components, redis, *flags, shards=2, **settings):
    with Server(program, *flags, components=components, shards=shards, redis_url=redis.url,
                **{**FAST, **settings}) as server:
        until_state(server, "up", shards)
        yield server


def join(mounted, room):
    reply = mounted.client.request("ROOM_JOIN", componentId=mounted.id, roomId=room, payload={})
    assert reply["success"], reply


def emit(mounted, room, event, data):
    mounted.client.tell("ROOM_EMIT", componentId=mounted.id, roomId=room, payload={"event": event, "data": data})


def set_state(mounted, room, **state):
    mounted.client.tell("ROOM_STATE_SET", componentId=mounted.id, roomId=room, payload={"state": state})


def member(server, room="lobby"):
    mounted = server.client().mount("Counter")
    join(mounted, room)
    return mounted


def case_alone(program, components):
    """A node without Redis has no figures of it."""
    with Server(program, components=components) as server:
        assert not [name for name in scrape(server) if name.startswith("liveshard_redis_")]
        assert server.stats()["redis"] is None


def case_connecting(program, components):
    """A Redis that hangs from the start."""
    with Redis() as redis:
        redis.pause(True)
        with Server(program, components=components, shards=2, redis_url=redis.url, redis_connect_ms=20000) as server:
            until_state(server, "connecting", 2)
            redis.pause(False)
            until_state(server, "up", 2)


def case_up(program, components):
    with Redis() as redis, node(program, components, redis) as server:
        ann = member(server)
        grows(server, "redis_connects_total", 3)
        until(server, "redis_rooms", lambda rooms: rooms == 1)
        until(server, "redis_channels_live", lambda channels: channels == figure(server, "redis_channels") > 0)
        set_state(ann, "lobby", topic="x")
        grows(server, "redis_room_commits_total")
        assert total(note(scrape(server)), "liveshard_redis_round_trip_seconds_count") > 10
        before = total(scrape(server), "liveshard_redis_round_trip_seconds_count")
        until(server, "redis_round_trip_seconds_count", lambda count: count > before)  # by pings, if by nothing else
        assert 0 < figure(server, "redis_round_trip_seconds_sum") < 60
        assert figure(server, "redis_bytes_total", direction="in") > 100 < figure(server, "redis_bytes_total", direction="out")
        assert figure(server, "redis_commands_total") >= figure(server, "redis_queue_commands")
        assert (figure(server, "redis_queue_commands_limit"), figure(server, "redis_queue_bytes_limit")) == (16384, 64 << 20)
        told = server.stats()["redis"]
        assert told["state"] == "up" and told["shards"] == ["up", "up"] and told["roundTripMs"] > 0, told
        assert told["link"]["commands"] > 10 and told["rooms"]["commits"] == 1 and told["rooms"]["rooms"] == 1, told


def case_stopped_and_empty_again(program, components):
    with Redis() as redis, node(program, components, redis) as server:
        ann = member(server)
        set_state(ann, "lobby", topic="kept")
        grows(server, "redis_room_commits_total")
        redis.kill()
        until_state(server, "down", 2)
        assert server.stats()["redis"]["state"] == "down"
        assert figure(server, "redis_channels_live") == 0 < figure(server, "redis_channels")
        emit(ann, "lobby", "unheard", 1)
        grows(server, "redis_room_events_dropped_total")
        set_state(ann, "lobby", topic="newer")
        grows(server, "redis_room_changes_waiting")
        grows(server, "redis_commands_refused_total", cause="disconnected")
        grows(server, "redis_connection_failures_total", 4)
        redis.start()
        until_state(server, "up", 2)
        grows(server, "redis_connects_total", 5)
        grows(server, "redis_resubscriptions_total")
        grows(server, "redis_room_restores_total")
        until(server, "redis_room_changes_waiting", lambda waiting: waiting == 0)


def case_paused(program, components):
    """Commands wait, then are given up; a queue that is full takes no more."""
    with Redis() as redis, node(program, components, redis, shards=1, redis_queue_commands=16, redis_ping_ms=1000,
                                redis_timeout_ms=2000) as server:
        ann = member(server)
        redis.pause(True)
        for n in range(40):
            emit(ann, "lobby", "tick", n)
        families = note(scrape_until(server, "a full queue", lambda now: total(
            now, "liveshard_redis_commands_refused_total", cause="queue_full") > 0))
        assert total(families, "liveshard_redis_queue_commands") >= 10, "what waits is told"
        assert total(families, "liveshard_redis_queue_bytes") > 1000
        grows(server, "redis_commands_unanswered_total", cause="timeout")
        until_state(server, "down", 1)
        redis.pause(False)
        until_state(server, "up", 1)
        until(server, "redis_queue_commands", lambda waiting: waiting == 0)


def case_reset(program, components):
    """A connection that is cut takes the answers with it that were due."""
    with Redis() as redis, node(program, components, redis, shards=1, redis_timeout_ms=20000) as server:
        with redis.client() as client:
            client("CLIENT", "PAUSE", 20000, "ALL")
            member_of = server.client()
            mounted = member_of.mount("Counter")
            member_of.tell("ROOM_JOIN", componentId=mounted.id, roomId="lobby", payload={})
            grows(server, "redis_queue_commands", 1)
            redis.kill()
        grows(server, "redis_commands_unanswered_total", cause="connection_lost")
        redis.start()
        until_state(server, "up", 1)


def case_full(program, components):
    with Redis() as redis, node(program, components, redis, shards=1) as server, redis.client() as client:
        ann = member(server)
        client("CONFIG", "SET", "maxmemory-policy", "noeviction")
        client("CONFIG", "SET", "maxmemory", "1")
        set_state(ann, "lobby", topic="too much")
        until_state(server, "full", 1)
        grows(server, "redis_errors_total")
        assert server.stats()["redis"]["shards"] == ["full"]
        client("CONFIG", "SET", "maxmemory", "0")
        until_state(server, "up", 1)
        grows(server, "redis_room_commits_total")


def case_conflicts(program, components):
    """Two nodes change one room of the cluster at a time; when Redis is gone a change is given up."""
    with Redis() as redis, node(program, components, redis, cluster_room_ms=700) as one, \
            node(program, components, redis, cluster_room_ms=700) as two:
        counters = [server.client().mount("SharedCounter") for server in (one, two)]

        def both():
            for counter in counters:
                counter.ask("increment")
            return figure(one, "redis_room_conflicts_total") + figure(two, "redis_room_conflicts_total")
        end = time.monotonic() + 30
        while not both():
            assert time.monotonic() < end, "no conflict ever"
        for direction in ("in", "out"):
            grows(one, "redis_room_messages_total", direction=direction)
        grows(one, "redis_messages_total")
        grows(one, "redis_room_reads_total")
        redis.pause(True)
        end = time.monotonic() + 30
        while not figure(one, "redis_room_commits_expired_total"):
            counters[0].ask("increment")    # once one is sent whose answer does not come
            assert time.monotonic() < end, "nothing was given up"
            time.sleep(0.1)
        redis.pause(False)


def case_refused(program, components):
    """What others write into Redis is believed only as far as it is signed, and makes sense."""
    with Redis() as redis, node(program, components, redis) as trusting, redis.client() as client, \
            node(program, components, redis, "--redis-signatures", redis_prefix="signed:", cluster_secret="s") as careful:
        members = [member(trusting), member(careful)]
        boards = [server.client().mount("Board") for server in (trusting, careful)]     # whose owners listen
        client("PUBLISH", ROOM + "ch:lobby", "no message")
        grows(trusting, "redis_room_messages_refused_total", cause="malformed")
        client("PUBLISH", ROOM + "ch:lobby", '{"type":"event","roomId":"other","event":"e","origin":"nodeA_01"}')
        grows(trusting, "redis_room_messages_refused_total", cause="other_room")
        assert figure(trusting, "redis_room_messages_refused_total", cause="signature") == 0
        client("PUBLISH", "signed:room:ch:lobby", '{"type":"event","roomId":"lobby","event":"e","origin":"nodeA_01"}')
        grows(careful, "redis_room_messages_refused_total", cause="signature")
        client("PUBLISH", f"{SINGLETON}actions:{redis.owner()[0]}", "no message")
        grows(trusting, "cluster_messages_refused_total", cause="malformed")
        port = client("GET", "signed:cluster:singleton:Board").decode().split(":")[0]
        client("PUBLISH", f"signed:cluster:actions:{port}", "{}")
        grows(careful, "cluster_messages_refused_total", cause="signature")
        client("SET", ROOM + "state:odd", "no state")
        member(trusting, "odd")
        grows(trusting, "redis_room_states_refused_total", cause="malformed")
        client("SET", "signed:room:state:odd", '{"n":1}')
        member(careful, "odd")
        grows(careful, "redis_room_states_refused_total", cause="signature")
        assert len(members) == len(boards) == 2


def case_singletons(program, components):
    with Redis() as redis, Nodes(program, components, redis, count=2, cluster_lease_ms=6000) as nodes:
        owner, other = nodes[0], nodes[1]
        here, there = [server.client(timeout=60).mount("Board") for server in (owner, other)]
        assert figure(owner, "cluster_singletons_owned") == 1 == figure(other, "cluster_singletons_mirrored")
        assert figure(owner, "cluster_claims_total") == 1
        assert there.act("add")["success"]
        grows(other, "cluster_forwards_total")
        grows(owner, "cluster_visits_total")
        grows(owner, "cluster_saves_total")
        grows(other, "cluster_deltas_total")
        board = redis.owner()
        with redis.client() as client:
            lost = {"type": "delta", "origin": board[0], "componentId": board[1], "componentName": "Board",
                    "delta": {"note": "x"}, "seq": 1000, "fence": 1}
            client("PUBLISH", SINGLETON + "delta", json.dumps(lost))
        grows(other, "cluster_gaps_total")
        nodes.pause(0, True)
        there.ask("add")
        grows(other, "cluster_timeouts_total")
        grows(other, "cluster_takeovers_total")
        nodes.pause(0, False)
        grows(owner, "cluster_losses_total")
        redis.pause(True)
        there.ask("add")
        grows(other, "cluster_timeouts_total", figure(other, "cluster_timeouts_total"))
        grows(other, "cluster_unknown_total")
        redis.pause(False)
        assert here


def case_repeats(program, components):
    """A request that is heard twice is done once."""
    with Redis() as redis, Nodes(program, components, redis, count=1) as nodes, redis.client() as client:
        board = nodes[0].client().mount("Board")
        port, component = redis.owner()
        request = {"sourceInstanceId": "nodeB_01", "targetInstanceId": port, "componentId": component,
                   "componentName": "Board", "action": "add", "payload": {}, "requestId": "r1"}
        for _ in range(2):
            client("PUBLISH", f"{SINGLETON}actions:{port}",
                   json.dumps({"type": "action_request", "origin": "nodeB_01", "request": request}))
        grows(nodes[0], "cluster_repeats_total")
        board.wait_state(total=1)


def case_every_figure_was_moved(program, components):
    """Of those that the cases before have seen; run with them all."""
    if known:
        assert not known - moved, f"no case moves {sorted(known - moved)}"


if __name__ == "__main__":
    main(globals())
