"""Authors' code that misbehaves: what its clients are told, what the log and the counters say, and that others are served.

Each case runs a server of one shard, on which a bystander has a counter of its own that must go on counting rightly while
the rogue (components/misbehaving.c and unruly.c) does what it should not; and the server must end well, without a leak.
"""

import json
import math
import os
import re
import shutil
import signal
import tempfile
import time

from liveclient import DEADLINE, Closed, Server, log_of, main, until

BAD = "\ufffd"


def exact(message):
    """A message as the bytes that came: it had no spaces, and its keys keep their order."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)


class Bystander:
    """An innocent client on the rogue's shard."""

    def __init__(self, server):
        self.client = server.client()
        self.counter = self.client.mount("Counter")
        self.count = 0

    def check(self, times=3):
        """It is answered, and its state is right."""
        for _ in range(times):
            self.count += 1
            assert self.counter.act("increment") == {
                "type": "ACTION_RESPONSE", "componentId": self.counter.id, "success": True,
                "requestId": f"r-{self.client.count:06d}"}
            assert self.counter.state == {"count": self.count}, self.counter.state


class Scene:
    """A server, a bystander and a client of the rogue; all well again at the end."""

    def __init__(self, program, components, name="Rogue", **settings):
        self.server = Server(program, components=components, shards=1, **{"rate_limit_tokens": 0, **settings})
        self.name = name

    def __enter__(self):
        try:
            self.bystander = Bystander(self.server)
            self.client = self.server.client()
            self.before = self.figures()
            return self
        except BaseException:
            self.server.__exit__(None)
            raise

    def __exit__(self, kind, *rest):
        try:
            if kind is None:
                self.bystander.check()
                self.bystander.client.close()
                self.client.close()
                self.lives(0)
        finally:
            self.server.__exit__(kind, *rest)

    def mount(self, way="", **options):
        return self.client.mount(self.name, way=way, **options)

    def figures(self):
        """What its counters say, by their names."""
        figures = {}
        for line in self.server.http("GET", "/metrics")[2].decode().splitlines():
            found = re.fullmatch(r"liveshard_(\w+)(?:\{.*\})? (\S+)", line)
            if found:
                figures[found[1]] = figures.get(found[1], 0) + float(found[2])
        return figures

    def lives(self, count):
        """Waits until so many components live."""
        until(lambda: self.figures()["components"] == count, f"{count} components")

    def counted(self, **expected):
        """These figures have grown by so much since the scene began."""
        now = self.figures()
        grown = {name: now[name] - self.before[name] for name in expected}
        assert grown == expected, (grown, expected)

    def errors_of(self, mounted):
        """How many errors the statistics count of it."""
        return [one["errorCount"] for one in self.server.stats()["performance"]["components"] if one["id"] == mounted.id]

    def log(self):
        return log_of(self.server)

    def logs(self, pattern):
        """Waits until a line of the log matches."""
        until(lambda: re.search(pattern, self.log()), pattern)


def refused(mounted, action, error):
    """The bytes of the answer to the client's last request, which failed."""
    return (f'{{"type":"ACTION_RESPONSE","componentId":"{mounted.id}","success":false,"error":"{error}",'
            f'"requestId":"r-{mounted.client.count:06d}"}}')


def pushed_error(mounted, action, error):
    return (f'{{"type":"ERROR","componentId":"{mounted.id}","error":"{error}",'
            f'"payload":{{"action":"{action}","error":"{error}"}}}}')


def pushes(mounted, type):
    return [exact(message) for message in mounted.pushes(type)]


# ---- what fails ----

def case_action_fails(program, components):
    """By any number there is, with a text or without."""
    with Scene(program, components) as scene:
        rogue = scene.mount()
        codes = [-1, 1, 7, -2**31, 2**31 - 1]
        for code in codes:
            assert exact(rogue.act("fail", code=code)) == refused(rogue, "fail", "Action failed")
        assert exact(rogue.act("fail", code=-2**31, text="no \xe9")) == refused(rogue, "fail", "no \xe9")
        assert exact(rogue.act("fail", code=0, text="zero")) == refused(rogue, "fail", "zero")
        assert pushes(rogue, "ERROR") == [pushed_error(rogue, "fail", text)
                                          for text in ["Action failed"] * 5 + ["no \xe9", "zero"]]
        assert scene.errors_of(rogue) == [7]
        scene.counted(actions_total=7, action_errors_total=7)


def case_on_action_fails(program, components):
    with Scene(program, components) as scene:
        rogue = scene.mount()
        before = 'Action \'count\' failed pre-validation'
        assert exact(rogue.act("count", veto="not now")) == refused(rogue, "count", "not now")
        assert exact(rogue.act("count", hook=-2**31)) == refused(rogue, "count", "Action failed")
        assert exact(rogue.act("count", hook=1)) == refused(rogue, "count", "Action 'count' was cancelled")
        assert pushes(rogue, "ERROR") == [pushed_error(rogue, "count", before), pushed_error(rogue, "count", "not now"),
                                          pushed_error(rogue, "count", before),
                                          pushed_error(rogue, "count", "Action failed")]
        assert rogue.state["count"] == 0, "it did not run"
        scene.counted(actions_total=3, action_errors_total=3)


def case_on_mount_fails(program, components):
    """The mount succeeds, the client is told, the component goes on."""
    with Scene(program, components) as scene:
        for way, text in (("mount error", f"no {BAD} good"), ("mount code", "Action failed")):
            rogue = scene.mount(way)
            assert pushes(rogue, "ERROR") == [pushed_error(rogue, "onMount", f"Mount initialization failed: {text}")]
            assert rogue.act("count")["success"] is True and rogue.state == {"way": way, "count": 1}
            assert scene.errors_of(rogue) == [1]
            scene.bystander.check()


def case_mount_ends_itself(program, components):
    with Scene(program, components) as scene:
        reply = scene.client.request("COMPONENT_MOUNT", componentId="mine",
                                     payload={"component": "Rogue", "props": {"way": "mount end"}})
        assert exact(reply) == ('{"type":"MESSAGE_RESPONSE","componentId":"mine","success":false,'
                                '"error":"The component ended while it was mounted","requestId":"r-000001"}')
        scene.counted(components=0, mounts_total=1)


def case_breaks_its_schema(program, components):
    """A payload that does not fit never reaches the action; one that fits may still be what the action cannot take."""
    with Scene(program, components) as scene:
        rogue = scene.mount()
        text = "Action 'typed' payload validation failed: payload.size: must be an integer"
        assert exact(rogue.act("typed", size="many")) == refused(rogue, "typed", text)
        assert pushes(rogue, "ERROR") == [pushed_error(rogue, "typed", text)]
        assert rogue.act("typed", size=-1)["success"] is True
        scene.counted(actions_total=2, action_errors_total=1)


def case_definitions_that_are_unusable(program, components):
    """None of it is loaded, with the reason; a server that is up goes on with what it has."""
    told = {
        "abi": "built for another <live/component.h> ",
        "lasting": "the persistent data of component 'Broken' is unusable: it is not an object",
        "nameless": "a component's name must have 1 to 128 bytes",
        "nothing": "no component in it (LIVE_COMPONENT is missing)",
        "ruleless": "component 'Broken' has a rule for 'wipe', which is none of its actions",
        "schema": "the schema of component 'Broken', action 'set' is unusable: #/properties/n: its own default does not fit: "
                  "default: must be an integer",
        "state": "the default state of component 'Broken' is unusable: ",
        "twice": "component 'Broken' has two actions named 'a'",
    }
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(components, "counter.so"), folder)
        with Server(program, components=folder, shards=1) as server:
            bystander = Bystander(server)
            for name, text in told.items():
                path = os.path.join(folder, f"{name}.so")
                shutil.copy(os.path.join(components, "broken", f"{name}.so"), path)
                os.kill(server.pid, signal.SIGHUP)
                until(lambda: f"components: {path}: {text}" in log_of(server), f"{name}: {log_of(server)}")
                bystander.check()
                os.remove(path)
            assert server.get_json("/api/live/components") == {"names": ["Counter"]}
            bystander.client.close()


# ---- replies ----

def case_returns_nothing(program, components):
    with Scene(program, components) as scene:
        rogue = scene.mount()
        assert exact(rogue.act("silent")) == (f'{{"type":"ACTION_RESPONSE","componentId":"{rogue.id}","success":true,'
                                              '"requestId":"r-000002"}')
        scene.counted(actions_total=1, action_errors_total=0)


def case_never_replies(program, components):
    for name in ("Rogue", "RogueShared"):
        with Scene(program, components, name, action_timeout_ms=200) as scene:
            rogue = scene.mount()
            text = "Action 'never' timed out after 200ms"
            assert exact(rogue.act("never")) == refused(rogue, "never", text)
            assert pushes(rogue, "ERROR") == [pushed_error(rogue, "never", text)]
            assert rogue.act("count")["success"] is True
            scene.counted(actions_total=2, action_errors_total=1)


def case_mount_never_answered(program, components):
    with Scene(program, components, action_timeout_ms=200) as scene:
        asked = scene.client.ask("COMPONENT_MOUNT", componentId="slow",
                                 payload={"component": "Rogue", "props": {"way": "mount never"}})
        scene.bystander.check()
        id = scene.client.answer(asked)["result"]["componentId"]
        errors = [exact(message) for message in scene.client.messages if message["type"] == "ERROR"]
        text = "Mount initialization failed: Action 'onMount' timed out after 200ms"
        assert errors == [f'{{"type":"ERROR","componentId":"{id}","error":"{text}",'
                          f'"payload":{{"action":"onMount","error":"{text}"}}}}'], errors


def case_replies_twice(program, components):
    """The first one counts; the others are named in the log and do nothing, also long after."""
    for name in ("Rogue", "RogueShared"):
        with Scene(program, components, name) as scene:
            rogue = scene.mount()
            assert rogue.act("twice")["result"] == "first"
            rogue.wait_state(again=True)
            scene.client.settle()
            assert sum(message["type"] == "ACTION_RESPONSE" for message in scene.client.messages) == 1
            assert pushes(rogue, "ERROR") == []
            scene.logs(rf"warn .*{name}: the reply to 'twice' was ended before: that one counts")
            scene.counted(actions_total=1, action_errors_total=0)


def case_defers_and_fails(program, components):
    with Scene(program, components) as scene:
        rogue = scene.mount()
        assert rogue.act("both")["result"] == "deferred"
        scene.logs("warn .*Rogue: both deferred its reply and failed as well: the deferred reply counts")


def case_replies_after_its_end(program, components):
    for name in ("Rogue", "RogueShared"):
        with Scene(program, components, name) as scene:
            rogue = scene.mount()
            reply = rogue.act("end")
            assert "late" not in json.dumps(scene.client.messages).lower(), scene.client.messages
            scene.bystander.check()
            gone = rogue.act("count")
            assert exact(gone) == refused(rogue, "count", f"COMPONENT_REHYDRATION_REQUIRED:{rogue.id}"), (reply, gone)
            rogue = scene.mount()
            reply = rogue.act("endThenAnswer")
            assert exact(reply) == refused(rogue, "endThenAnswer", f"COMPONENT_REHYDRATION_REQUIRED:{rogue.id}")


def case_thread_answers_late(program, components):
    """From a thread of its own, to a client that is there, one that is gone, and a server that ends meanwhile."""
    for name in ("Rogue", "RogueShared"):
        with Scene(program, components, name) as scene:
            rogue = scene.mount()
            assert rogue.act("elsewhere", ms=20)["result"] == "late"
            for how in ("vanish", "close"):
                other = scene.server.client()
                mounted = other.mount(name)
                mounted.ask("elsewhere", ms=200)
                other.settle()
                getattr(other, how)()
            unmounted = scene.mount()
            unmounted.ask("elsewhere", ms=100)
            scene.client.request("COMPONENT_UNMOUNT", componentId=unmounted.id)
            scene.bystander.check()
            time.sleep(0.3)
            scene.bystander.check()
            # What comes when the server has ended: its thread is joined when its code goes.
            last = scene.mount()
            last.ask("elsewhere", ms=1500)


# ---- values ----

def case_odd_values(program, components):
    """What JSON cannot say, and what UTF-8 is not."""
    with Scene(program, components) as scene:
        rogue = scene.mount()
        for what, value in (("nan", [None, None, None, 0]), ("utf8", f"a{BAD}{BAD}({BAD}{BAD}{BAD}z"), ("binary", "AP8B"),
                            ("nothing", None)):
            rogue.act("put", what=what)
            assert rogue.state["odd"] == value, (what, rogue.state)
            assert rogue.act("give", what=what).get("result") == value
            rogue.act("tell", what=what)
            assert rogue.pushes("ODD")[-1].get("payload") == value, rogue.pushes("ODD")
        assert math.copysign(1, rogue.act("give", what="nan")["result"][3]) == 1, "JSON.stringify(-0) is 0"
        scene.counted(action_errors_total=0)


def case_deep_values(program, components):
    with Scene(program, components) as scene:
        rogue = scene.mount()
        for depth in (100, 1000, 100000):
            raw = rogue.ask("put", what="deep", size=depth)
            reply = wait_raw(scene.client, raw)
            assert reply.endswith(f'"success":true,"requestId":"{raw}"}}'), reply[-200:]
            scene.bystander.check()


def wait_raw(client, id):
    """The text of the reply to a request: what is nested too deep for Python's parser is not parsed."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        fin, opcode, payload = client.read_frame()
        assert fin and opcode == 1, (fin, opcode)
        text = payload.decode()
        if f'"requestId":"{id}"' in text:
            return text
    raise AssertionError("no reply")


def case_too_large_to_send(program, components):
    """A result, a push and a state beyond what the server writes: the client is told so, and goes on."""
    size, text = 65 << 20, "Result is too large to send"
    for name in ("Rogue", "RogueShared"):
        with Scene(program, components, name) as scene:
            rogue = scene.mount()
            assert exact(rogue.act("give", what="huge", size=size)) == refused(rogue, "give", text)
            assert pushes(rogue, "ERROR") == [pushed_error(rogue, "give", text)]
            scene.bystander.check()
            assert rogue.act("tell", what="huge", size=size)["success"] is True
            assert pushes(rogue, "ODD") == []
            scene.bystander.check()
            rogue.act("put", what="huge", size=size)
            scene.bystander.check()
            rogue.act("put", what="nan")
            assert rogue.act("count")["success"] is True and rogue.state["count"] == 1
            assert rogue.state["odd"] == [None, None, None, 0]
            scene.logs("warn .*a message over 67108864 bytes was dropped")


def case_endless_value(program, components):
    """A value that is small in memory and endless when it is written: what a cycle would be."""
    with Scene(program, components) as scene:
        rogue = scene.mount()
        assert exact(rogue.act("give", what="bomb", size=64)) == refused(rogue, "give", "Result is too large to send")


def case_state_too_large_to_mount(program, components):
    for name in ("Rogue", "RogueShared"):
        with Scene(program, components, name) as scene:
            reply = scene.client.request("COMPONENT_MOUNT", componentId="mine",
                                         payload={"component": name, "props": {"way": "mount huge"}})
            assert exact(reply) == ('{"type":"MESSAGE_RESPONSE","componentId":"mine","success":false,'
                                    '"error":"State is too large to send","requestId":"r-000001"}')
            scene.lives(1)


# ---- ends ----

def case_farewell(program, components):
    """What it sends in on_destroy is sent; what it does to itself has no effect."""
    for name in ("Rogue", "RogueShared"):
        with Scene(program, components, name) as scene:
            rogue = scene.mount("farewell")
            reply = scene.client.request("COMPONENT_UNMOUNT", componentId=rogue.id)
            assert reply["success"] is True
            scene.client.settle()
            told = [exact(message) for message in rogue.pushes() if message["type"] != "STATE_UPDATE"]
            assert told == [] or told[0].startswith('{"type":"FAREWELL"'), told
            assert "late" not in json.dumps(rogue.pushes("STATE_DELTA")), told
            gone = rogue.act("count")
            assert exact(gone) == refused(rogue, "count", f"COMPONENT_REHYDRATION_REQUIRED:{rogue.id}")


def case_ends_in_on_state_change(program, components):
    with Scene(program, components) as scene:
        rogue = scene.mount("end in change")
        reply = rogue.act("count")
        gone = rogue.act("count")
        assert exact(gone) == refused(rogue, "count", f"COMPONENT_REHYDRATION_REQUIRED:{rogue.id}"), (reply, gone)
        scene.lives(1)


def case_endless_state_change(program, components):
    """on_state_change is not called for its own changes, so it ends."""
    with Scene(program, components) as scene:
        rogue = scene.mount("recurse")
        for turn in range(1, 11):
            assert rogue.act("count")["success"] is True
            assert rogue.state["count"] == 2 * turn
        assert len(rogue.pushes("STATE_DELTA")) == 10, "one delta for both changes"
        scene.counted(state_changes_total=20)


def case_state_in_every_hook(program, components):
    for name in ("Rogue", "RogueShared"):
        with Scene(program, components, name) as scene:
            rogue = scene.mount("set everywhere")
            rogue.act("count")
            rogue.act("leave")
            state = rogue.wait_state(onRoomLeave=True)
            hooks = ["onConnect", "onMount", "onStateChange", "onAction", "onRoomJoin", "onRoomLeave"]
            expected = {"way": "set everywhere", "count": 1, **{hook: True for hook in hooks}}
            if name == "RogueShared":
                other = scene.server.client()
                other.mount(name)
                other.close()
                state = rogue.wait_state(onClientLeave=True)
                expected |= {"onClientJoin": True, "onClientLeave": True}
            assert state == expected, state
            scene.client.request("COMPONENT_UNMOUNT", componentId=rogue.id)
            scene.client.settle()
            assert "onDestroy" not in rogue.state, "its state is gone by then"


# ---- time ----

def case_holds_the_shard(program, components):
    """The watchdog names the action while it runs, and how long it held the shard; then all goes on."""
    with Scene(program, components, "Unruly", watchdog_ms=50, action_slow_ms=100) as scene:
        rogue = scene.mount()
        asked = rogue.ask("hold", ms=600)
        scene.bystander.check(1)
        assert scene.client.answer(asked)["success"] is True
        scene.logs("turns again after")
        log = scene.log()
        assert re.search(r"warn .* shard 0 has been held for \d+ ms: 'hold' of Unruly runs", log), log
        assert int(re.search(r"shard 0 turns again after (\d+) ms", log)[1]) >= 600, log
        assert int(re.search(r"Unruly: action 'hold' held its shard for (\d+) ms", log)[1]) >= 600, log
        alert = [alert for alert in scene.server.stats()["alerts"] if alert["type"] == "slow_action"][0]
        assert alert["componentId"] == rogue.id and re.fullmatch(
            r"Slow action 'hold': \d+ms \(threshold: 100ms\)", alert["message"]), alert
        scene.counted(alerts_total=1)


def case_timers(program, components):
    """One that stops itself twice, and one that stops another that is due."""
    with Scene(program, components, "Unruly") as scene:
        rogue = scene.mount()
        rogue.act("timers")
        rogue.wait_state(stopped=True)
        scene.bystander.check()
        assert rogue.state == {"ticks": 2, "way": "", "stopped": True}, rogue.state


def case_timers_that_end_it(program, components):
    """Eight that are due together, the first of which ends their component."""
    with Scene(program, components) as scene:
        rogue = scene.mount()
        rogue.act("endSoon")
        scene.lives(1)
        scene.client.settle()
        assert "late" not in json.dumps(rogue.pushes()).lower()


def case_timer_storm(program, components):
    with Scene(program, components, "Unruly") as scene:
        rogue = scene.mount()
        assert rogue.act("storm", count=2000)["success"] is True
        while rogue.state.get("ticks", 0) < 20000:
            scene.bystander.check(1)
            scene.client.settle()
        scene.client.request("COMPONENT_UNMOUNT", componentId=rogue.id)
        scene.lives(1)


def case_work_outlives_it(program, components):
    with Scene(program, components, "Unruly", pool_threads=2, pool_depth=4) as scene:
        rogue = scene.mount()
        assert rogue.act("work", ms=10)["success"] is True
        rogue.wait_state(worked=True)
        doomed = scene.mount()
        asked = [doomed.ask("work", ms=300) for _ in range(12)]
        replies = [scene.client.answer(id) for id in asked]
        failed = [exact(reply) for reply in replies if not reply["success"]]
        assert 6 <= len(failed) <= 10, failed
        assert all('"error":"Action failed"' in reply for reply in failed), "the pool is full"
        scene.client.request("COMPONENT_UNMOUNT", componentId=doomed.id)
        scene.bystander.check()
        time.sleep(0.8)
        assert doomed.pushes("STATE_DELTA") == []


# ---- events ----

def case_flood(program, components):
    """A hundred thousand events in one action: all come, in order, and the reply after them."""
    with Scene(program, components, "Unruly", outbox_hard_bytes=256 << 20, outbox_soft_bytes=128 << 20) as scene:
        rogue = scene.mount()
        asked = rogue.ask("flood", count=100000)
        assert scene.client.answer(asked)["success"] is True
        scene.bystander.check()
        assert [message["payload"] for message in rogue.pushes("FLOOD")] == list(range(100000))


def closed_for_backlog(server):
    metrics = server.http("GET", "/metrics")[2].decode()
    return re.search(r'liveshard_connection_closes_total\{.*cause="backlog_.*"\} [1-9]', metrics)


def case_flood_unread(program, components):
    """A client that reads none of it is closed, and nobody else notices."""
    with Scene(program, components, "Unruly") as scene:
        deaf = scene.server.client()
        mounted = deaf.mount("Unruly")
        for _ in range(40):
            mounted.ask("flood", count=20000)
        scene.bystander.check(20)
        until(lambda: closed_for_backlog(scene.server), "the deaf one to be closed")
        # Who reads too late finds the connection reset.
        assert deaf.wait_close() in [(1008, "WebSocket backpressure: client too slow"), (None, "")]


def case_thousands_of_rooms(program, components):
    with Scene(program, components, "Unruly") as scene:
        rogue = scene.mount()
        asked = rogue.ask("join", count=3000)
        assert scene.client.answer(asked)["success"] is True
        scene.bystander.check()
        scene.server.until("the rooms", lambda stats: stats["rooms"]["totalRooms"] == 3000)
        scene.client.request("COMPONENT_UNMOUNT", componentId=rogue.id)
        scene.bystander.check()


def case_rooms_that_are_none(program, components):
    with Scene(program, components, "Unruly") as scene:
        rogue = scene.mount()
        inval, notconn = -22, -107
        assert rogue.act("joinOdd")["result"] == [inval, inval, inval, notconn, notconn, notconn]


def case_names_that_are_none(program, components):
    """NULL where a name should be, or a patch, or a text."""
    for room in (None, "hall"):
        with Scene(program, components) as scene:
            rogue = scene.mount(room=room)
            if room:
                scene.client.tell("ROOM_JOIN", componentId=rogue.id, roomId="hall", payload={})
            reply = rogue.act("nothing")
            assert reply["success"] is False and reply["error"] == "Action failed", reply
            scene.client.settle()
            assert rogue.act("count")["success"] is True and rogue.state["count"] == 1


def case_handlers_that_come_and_go(program, components):
    """A handler that leaves its room, comes back and listens again, all inside itself."""
    with Scene(program, components, "Unruly") as scene:
        rogue = scene.mount()
        assert rogue.act("toggle")["success"] is True
        other = scene.server.client()
        caller = other.mount("Counter")
        reply = other.request("ROOM_JOIN", componentId=caller.id, roomId="toggled", payload={})
        assert reply.get("error") is None, reply
        for turn in range(5):
            other.tell("ROOM_EMIT", componentId=caller.id, roomId="toggled", payload={"event": "toggle", "data": turn})
            until(lambda: (scene.client.settle(), rogue.state.get("toggled", 0) > turn)[1], "the handler")
            scene.bystander.check(1)
        other.close()


def case_event_loop(program, components):
    """Two that say again what they hear from each other keep the shard busy, but never to themselves; their client hears as
    much as it can read, or is closed as one that is too slow."""
    with Scene(program, components, "Unruly") as scene:
        rogues = [scene.mount(), scene.mount()]
        for rogue in rogues:
            assert rogue.act("echo")["success"] is True
        scene.client.tell("CALL_ACTION", componentId=rogues[0].id, action="say", payload={})
        scene.bystander.check(10)
        until(lambda: scene.figures()["room_events_total"] > 1000, "the loop")
        try:
            for rogue in rogues:
                assert rogue.act("hush")["success"] is True
        except Closed as closed:
            assert (closed.code, closed.reason) in [(1008, "WebSocket backpressure: client too slow"), (None, "")], closed


def case_bus_loop(program, components):
    with Scene(program, components, "Unruly") as scene:
        rogue = scene.mount(room="hall")
        assert rogue.act("echoOnBus")["success"] is True
        for _ in range(30):
            scene.bystander.check(1)
            scene.client.settle()
        assert rogue.state["heard"] > 10
        assert rogue.act("hush")["success"] is True


# ---- who may ----

def case_authorize(program, components):
    """It fails, says what is no text, or never says."""
    with Scene(program, components, auth_timeout_ms=200) as scene:
        rogue = scene.mount()
        assert rogue.act("asked", how="allow")["success"] is True
        prefix = "AUTH_DENIED: "
        told = [("fail", f"{prefix}Action 'asked' authorization error: the directory is down {BAD}"),
                ("fail without text", f"{prefix}Action 'asked' authorization error: failed"),
                ("deny", f"{prefix}{BAD}"),
                ("silence", f"{prefix}Action 'asked' authorization error: timed out")]
        for how, text in told:
            asked = rogue.ask("asked", how=how)
            scene.bystander.check(1)
            assert exact(scene.client.answer(asked)) == refused(rogue, "asked", text)
        assert rogue.state["count"] == 1
        assert pushes(rogue, "ERROR") == []


if __name__ == "__main__":
    main(globals())
