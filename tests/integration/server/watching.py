"""What the server logs and raises of itself: categories, alerts, health, the watchdog."""

import os
import re
import subprocess
import time

from liveclient import DEADLINE, Mounted, Server, main


def wait_log(server, pattern):
    """The first line of the log that matches."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        for line in server.errors().split("\n"):
            if re.search(pattern, line):
                return line
        server.get_json("/healthz")
    raise AssertionError(f"no line matches {pattern}:\n{server.errors()}")


def use(server):
    """A client that does some of everything; all that is logged of it has been written when this returns."""
    client = server.client()
    mounted = client.mount("Watched", room="hall")
    mounted.act("add")
    mounted.act("fail")
    client.mount("Counter").act("increment")
    client.send_text("{")
    client.settle()
    client.close()
    server.until("the client to be gone", lambda stats: stats["connections"]["totalConnections"] == 0)
    return server.errors()


def categories(log):
    return {match.group(1) for match in re.finditer(r"\[([a-z]+)\]", log)}


def case_silent(program, components):
    """Unset: what a component asks for is logged, and nothing else."""
    for value in (None, "false", ""):
        env = {} if value is None else {"LIVE_LOGGING": value}
        with Server(program, components=components, env=env) as server:
            log = use(server)
            assert categories(log) == {"state", "messages"}, log
            lines = [line for line in log.split("\n") if "] " in line]
            assert all(re.search(r" Watched [\w-]{8}: \[", line) for line in lines), log
            assert '[state] proxy {"n":1}' in log and "[messages] action 'add' done" in log, log
            assert "[messages] n is 1 now" in log and "warn  " in log and "[messages] action 'fail' failed: no luck" in log
            assert "about to fail" not in log, "its category is not asked for"


def case_some(program, components):
    with Server(program, components=components, env={"LIVE_LOGGING": "websocket, lifecycle"}) as server:
        log = use(server)
        assert re.search(r"\[websocket\] client [\w-]{8} connected", log), log
        assert re.search(r"\[websocket\] client [\w-]{8} is gone, with 2 components", log), log
        assert "refused" not in log and "mounted" not in log, log


def case_all(program, components):
    with Server(program, components=components, env={"LIVE_LOGGING": "true"}) as server:
        log = use(server)
        assert "[websocket]" in log, log
        assert re.search(r"\[messages\] a message of client [\w-]{8} was refused: Invalid JSON", log), log


def case_setting(program, components):
    with Server(program, components=components, logging="messages") as server:
        log = use(server)
        assert "was refused" in log and "[websocket]" not in log, log


def case_unknown(program, components):
    done = subprocess.run([program, "--logging", "rooms,doors"], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 2 and "logging: 'doors' is none of lifecycle," in done.stderr, done


def case_alerts(program, components):
    """Slow mounts, slow actions and many errors raise alerts, with the reference's words."""
    with Server(program, "--debug", components=components, shards=2, action_slow_ms=5, mount_slow_ms=1,
                error_alert_count=3) as server:
        client = server.client()
        mounted = client.mount("Watched")
        mounted.act("hold", ms=20)
        for _ in range(4):
            mounted.act("fail")
        stats = server.stats()
        alerts = [alert for alert in stats["alerts"] if alert["type"] != "slow_render"]
        assert stats["performance"]["totalAlerts"] == len(stats["alerts"])
        slow = alerts[0]
        took = slow["value"]
        assert took >= 20 and slow == {
            "type": "slow_action", "componentId": mounted.id, "componentName": "Watched",
            "message": f"Slow action 'hold': {took}ms (threshold: 5ms)", "value": took, "threshold": 5,
            "timestamp": slow["timestamp"]}, slow
        errors = [alert for alert in alerts if alert["type"] == "high_error_rate"]
        assert [alert["message"] for alert in errors] == ["High error rate: 3 errors", "High error rate: 4 errors"]
        assert [(alert["value"], alert["threshold"]) for alert in errors] == [(3, 3), (4, 3)]
        assert stats["health"] == {"healthy": 0, "degraded": 1, "unhealthy": 0, "components": {mounted.id: "degraded"}}
        mounted.act("fail")
        mounted.act("fail")
        stats = server.stats()
        assert stats["health"]["components"] == {mounted.id: "unhealthy"}, stats["health"]
        one = stats["performance"]["components"][0]
        assert one.pop("avgRenderTime") >= 0
        assert one == {"id": mounted.id, "name": "Watched", "renderCount": 1, "actionCount": 7, "stateChanges": 0,
                       "errorCount": 6}, one


def case_last_alerts(program, components):
    """Only the last 50 are told, however many there were; above 1000 the last 500 stay."""
    with Server(program, components=components, shards=1, error_alert_count=1, rate_limit_tokens=0) as server:
        mounted = server.client().mount("Watched")
        for _ in range(10):
            for asked in [mounted.ask("fail") for _ in range(101)]:
                assert mounted.client.answer(asked)["success"] is False
        stats = server.stats()
        assert stats["performance"]["totalAlerts"] == 509, stats["performance"]["totalAlerts"]
        assert [alert["value"] for alert in stats["alerts"]] == list(range(961, 1011))


def case_connections(program, components):
    """What the server knows of each client."""
    with Server(program, components=components, shards=2) as server:
        busy, idle = server.clients(2)
        mounted = busy.mount("Watched")
        mounted.act("add")
        busy.send_text("{")
        busy.settle()
        known = {one.pop("id"): one for one in server.stats()["connectionMetrics"]}
        assert set(known) == {busy.id, idle.id}
        for one in known.values():
            assert 0 <= one.pop("lastActivity") - one.pop("connectedAt") < 1000 * DEADLINE
            assert one.pop("bytesTransferred") > 200 and one.pop("latency") > 0
        assert known[idle.id] == {"messagesSent": 1, "messagesReceived": 0, "status": "connected", "errorCount": 0,
                                  "reconnectCount": 0}, known
        assert known[busy.id]["messagesReceived"] == 4 and known[busy.id]["errorCount"] == 1
        assert known[busy.id]["messagesSent"] == len(busy.messages), (known, busy.messages)


def case_reconnects(program, components):
    """How often a client came back with what it had, on whichever shard; who starts over has not."""
    def count_of(stats, client):
        return next(one["reconnectCount"] for one in stats["connectionMetrics"] if one["id"] == client.id)

    with Server(program, components=components, shards=4) as server:
        mounted = server.client().mount("Counter", count=1)
        client, component = mounted.client, mounted.id
        assert count_of(server.stats(), client) == 0
        for times in range(1, 6):
            mounted.act("increment")
            signed = client.wait(type="STATE_SIGNATURE", check=lambda m: f'"count":{times + 1},' in
                                 m["payload"]["signedState"]["data"])["payload"]["signedState"]
            client.vanish()
            server.until("its end", lambda stats: stats["connections"]["totalConnections"] == 0)
            client = server.client()
            reply = client.request("COMPONENT_REHYDRATE", componentId=component, payload={
                "component": "Counter", "signedState": signed})
            assert reply["success"] is True, reply
            component = reply["result"]["newComponentId"]
            mounted = Mounted(client, "Counter", component, {})
            server.until(f"{times} times", lambda stats: count_of(stats, client) == times)
        # Without a state, or with one that is none of ours, it is somebody new.
        stranger = server.client()
        refused = stranger.request("COMPONENT_REHYDRATE", componentId=component, payload={
            "component": "Counter", "signedState": {**signed, "data": signed["data"].replace("6", "7")}})
        assert refused["success"] is False, refused
        stranger.mount("Counter")
        assert count_of(server.stats(), stranger) == 0


def case_leaving(program, components):
    """A client that was told to go, and does not go at once."""
    with Server(program, components=components, shards=1) as server:
        client = server.client()
        client.write_frame(3, b"")  # an opcode that is none; the close frame that comes for it is left unread
        server.until("it to be told", lambda stats: [one["status"] for one in stats["connectionMetrics"]]
                     == ["disconnecting"])


def case_watchdog(program, components):
    """A shard that an action holds is named, while it is held, and again when it turns."""
    with Server(program, "--debug", components=components, shards=1, watchdog_ms=50) as server:
        mounted = server.client().mount("Watched")
        mounted.act("hold", ms=400)
        line = wait_log(server, "has been held for")
        assert re.search(r"warn .* shard 0 has been held for \d+ ms: 'hold' of Watched runs", line), line
        line = wait_log(server, "turns again after")
        held = int(re.search(r"shard 0 turns again after (\d+) ms", line).group(1))
        assert held >= 400, line


def case_watchdog_off(program, components):
    with Server(program, components=components, shards=1, watchdog_ms=0) as server:
        mounted = server.client().mount("Watched")
        mounted.act("hold", ms=100)
        assert "has been held" not in server.errors()
        assert "watchdog" not in [open(f"/proc/{server.pid}/task/{task}/comm").read().strip()
                                  for task in os.listdir(f"/proc/{server.pid}/task")]


if __name__ == "__main__":
    main(globals())
