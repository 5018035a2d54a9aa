"""What authors declare and use: rate limits, deferred replies that never come, slow actions, the event bus."""

from liveclient import Server, main

LIMIT = "Action rate limit exceeded (max 3 calls per 60000ms)"


def case_rate_limit_of_actions(program, components):
    with Server(program, components=components) as server:
        one, other = server.client().mount("Limited"), server.client().mount("Limited")
        assert [one.act("touch")["success"] for _ in range(3)] == [True] * 3
        refused = one.act("touch")
        assert refused["success"] is False and refused["error"] == LIMIT
        assert one.pushes("ERROR")[-1]["payload"] == {"action": "touch", "error": LIMIT}
        assert one.act("idle")["success"], "each action has its own count"
        assert other.act("touch")["success"], "each client has its own count"
        assert one.state["touched"] == 3


def case_replies_that_never_come(program, components):
    with Server(program, components=components, action_timeout_ms=200) as server:
        limited = server.client().mount("Limited")
        reply = limited.act("never")
        assert reply["success"] is False and reply["error"] == "Action 'never' timed out after 200ms"
        gone = server.client().mount("Limited")
        gone.ask("never")
        gone.client.settle()
        gone.client.vanish()
        assert limited.act("touch")["success"]
        assert limited.act("both")["result"] == "deferred"


def case_slow_actions_are_named(program, components):
    with Server(program, components=components, action_slow_ms=20, shards=1) as server:
        limited = server.client().mount("Limited")
        assert limited.act("hog", ms=60)["success"]
        server.stop()
        assert "action 'hog' held its shard for" in server.errors()


def case_event_bus(program, components):
    """It reaches components of the room on all shards, no others, and no client; oneself only if wanted."""
    with Server(program, components=components, shards=4) as server:
        inside = [client.mount("Limited", room="den") for client in server.clients(6)]
        outside = server.client().mount("Limited", room="yard")
        nowhere = server.client().mount("Limited")
        assert nowhere.act("tell", data=1)["error"] == "no room"
        inside[0].act("tell", data={"n": 1})
        for member in inside[1:]:
            member.wait_state(heard={"n": 1}, event="told")
        assert inside[0].state["heard"] is None and outside.state["heard"] is None
        inside[0].act("tell", data=2, too=True)
        for member in inside:
            member.wait_state(heard=2)
        inside[1].act("tellWithState", data="both")
        inside[0].wait_state(heard="both")
        assert inside[1].state["mine"] == "both" and inside[1].state["heard"] == 2
        assert not any(message["type"] == "ROOM_EVENT" for message in inside[0].client.messages)


def case_state_by_function(program, components):
    with Server(program, components=components) as server:
        limited = server.client().mount("Limited", touched=7)
        assert limited.act("multiply", by=6)["success"]
        assert limited.state["touched"] == 42


def case_persistent_data(program, components):
    """No count is lost or told twice, whatever the shard; who was told one reads it; and it outlives all who counted."""
    with Server(program, components=components, shards=4, rate_limit_tokens=0) as server:
        counting = [client.mount("Strict") for client in server.clients(8)]
        asked = [(one, one.ask("tally")) for _ in range(50) for one in counting]
        told = [one.client.answer(id)["result"] for one, id in asked]
        assert sorted(told) == list(range(1, 401))
        for n, one in enumerate(counting):
            assert one.act("tally", look=True)["result"] >= max(told[n::8])
            one.client.close()
        server.until("all are gone", lambda stats: stats["components"]["components"] == 0)
        for client in server.clients(8):
            strict = client.mount("Strict")
            assert strict.act("tally")["result"] > 400


if __name__ == "__main__":
    main(globals())
