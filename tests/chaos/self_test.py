"""The judge can fail: violations are planted, in the rules alone and in a real cluster, and each must be found by its name.

Of two clusters without any fault the first is left alone, and nothing may be found there.
"""

import asyncio
import copy
import json

from chaos import Session, report
from cluster import Node, reserve_port
from judge import Judge, ROOM
from ledger import Findings, History, Ledger
from owners import META, Owners, fence_of, words_of
from resp import Resp

CLIENTS, PACE_S, LOAD_S, PATIENCE_S = 60, 0.3, 2, 4


def ledger_of(unknown, *accounts):
    """(lost, doubled) of a ledger with unknown tokens and accounts of (n, sum)."""
    ledger = Ledger()
    for token in unknown:
        ledger.ask(token)
    for account in accounts:
        ledger.account(*account)
    return ledger.lost, ledger.doubled


def acknowledged(*answers):
    """The same for increments that were answered with (token, n, sum)."""
    ledger = Ledger()
    for token, n, total in answers:
        ledger.ask(token)
        ledger.acknowledge(token, n, total)
    return ledger.lost, ledger.doubled


def history_of(*acknowledged):
    history = History()
    for one in acknowledged:
        history.add(*one)
    return history.judge()


def owners_of(*events):
    """What is found when Redis takes writes (fence, owner) or a sample (before, views, after) is made."""
    findings = Findings()
    rules = Owners(findings)
    for time, event in enumerate(events):
        rules.wrote(*event) if len(event) == 2 else rules.sampled(*event, time)
    return {what for _, what in findings.counts}


LINE = f'1.5 [0 lua] "HSET" "{META}" "fence" "17" "id" "c" "owner" "p:c"'

RULES = {
    "an acknowledged increment": (acknowledged((5, 1, 5), (6, 2, 11)), (0, 0)),
    "one that was forgotten": (acknowledged((5, 1, 5), (6, 1, 6)), (1, 0)),
    "one that was counted twice": (acknowledged((5, 1, 5), (6, 3, 17)), (0, 1)),
    "another one in its place": (acknowledged((5, 1, 6)), (1, 1)),
    "unknown ones that came": (ledger_of([1, 2, 4], (2, 5)), (0, 0)),
    "unknown ones that came later": (ledger_of([1, 2, 4], (0, 0), (1, 4), (3, 7)), (0, 0)),
    "an unknown one that came twice": (ledger_of([4], (1, 4), (2, 8)), (0, 1)),
    "more than were asked": (ledger_of([1], (3, 3)), (0, 2)),
    "what was there and is not": (ledger_of([1], (1, 1), (0, 0)), (1, 0)),
    "places in order": (history_of((1, 0, 1), (2, 0.5, 2), (3, 2, 3)), (0, 0)),
    "one place twice": (history_of((1, 0, 1), (1, 0.5, 2)), (1, 0)),
    "a place before one that had ended": (history_of((2, 0, 1), (1, 2, 3)), (0, 1)),
    "an owner after the other": (owners_of((1, "a"), (1, "a"), (2, "b"), (2, {"n1": 1, "n2": 2}, 2), (3, "a")), set()),
    "an old owner that writes": (owners_of((1, "a"), (2, "b"), (1, "a")), {"written with an old fence"}),
    "one fence for two": (owners_of((1, "a"), (1, "b")), {"one fence, two owners"}),
    "two that hold one": (owners_of((1, {"n1": 1, "n2": 1}, 1)), {"two nodes hold one fence"}),
    "a fence from nowhere": (owners_of((1, {"n1": 2}, 1)), {"a fence that was not given"}),
    "a line of MONITOR": (fence_of(words_of(LINE)), (17, "p:c")),
    "a word with quotes": (words_of(r'"SET" "a \"b\" \\c"'), ["SET", r'a "b" \c']),
}


class Plants:
    """Each makes something wrong in a session that is quiet, and returns what must be found."""

    def __init__(self, session):
        self.session, self.clients = session, session.driver.clients

    async def a_lost_increment(self):
        """The room forgets one of c1, on all nodes and in Redis."""
        client = self.clients[1]
        n, total = client.ledgers["room"].n, client.ledgers["room"].sum
        # It is not answered when it is done.
        client.wire.send(1, json.dumps({"type": "ROOM_STATE_SET", "componentId": client.share, "roomId": client.room,
                                        "payload": {"state": {"n:c1": n - 1, "s:c1": total - 1}}}).encode())
        return "lost", "an increment of a room"

    async def a_doubled_increment(self):
        """c11 counts once more than it knows."""
        client = self.clients[11]
        await client.act(client.share, "add", who="c11", token=77)
        return "doubled", "an increment of a room"

    async def a_doubled_event(self):
        client = self.clients[21]
        for _ in range(2):
            await client.act(client.share, "tell", token="twice")
        return "doubled", "one connection heard an event twice"

    async def a_doubled_answer(self):
        client = self.clients[22]
        client.take({"type": "ACTION_RESPONSE", "requestId": next(iter(client.answered))})
        return "doubled", "an answer came twice"

    async def a_node_that_differs(self):
        """Redis is told something that no node hears of."""
        port, room = self.session.store.master_port(), self.clients[31].room
        text = await Resp.once(port, "GET", f"{ROOM}state:{room}")
        await Resp.once(port, "SET", f"{ROOM}state:{room}", text[:-1] + b',"planted":1}')
        return "diverged", "a node shows another room than Redis holds"

    async def a_client_out_of_its_room(self):
        client = self.clients[41]
        await client.ask("ROOM_LEAVE", componentId=client.share, roomId=client.room, payload={"roomId": client.room})
        return "diverged", "a client does not hear its room"

    async def a_state_that_is_another(self):
        """c51 is told another state than the one that it had signed."""
        client = self.clients[51]
        take = client.take

        def bend(message):
            if message["type"] == "STATE_REHYDRATED":
                message = copy.deepcopy(message)
                message["payload"]["state"]["mine"] += 1
            take(message)
        client.take = bend
        client.wire.close()
        return "diverged", "a client's state came back as another one"

    async def an_old_owner_that_writes(self):
        """Redis takes a write with an old fence, and again what was there."""
        script = ("local m = redis.call('HMGET', KEYS[1], 'owner', 'fence')\n"
                  "redis.call('HSET', KEYS[1], 'owner', 'old:one', 'fence', '1')\n"
                  "redis.call('HSET', KEYS[1], 'owner', m[1], 'fence', m[2])\n")
        await Resp.once(self.session.store.master_port(), "EVAL", script, 1, META)
        return "diverged", "written with an old fence"

    async def two_owners(self):
        """A node of the same Redis under other names owns the singleton, too; c0 counts there, as it did here."""
        cluster, client = self.session.cluster, self.clients[0]
        node = Node(cluster, 4, reserve_port())
        before, cluster.settings = cluster.settings, [*cluster.settings, "--redis-prefix", "rogue:"]
        try:
            await asyncio.get_running_loop().run_in_executor(None, node.start)
        finally:
            cluster.settings = before
        there = Judge(cluster, self.session.driver, self.session.store).looker(node)
        async with there:
            result = (await there.act(await there.mount("Tally"), "add", who="c0", token=1))["result"]
        self.session.driver.histories["tally"].add(result["at"], 0, float("inf"))
        node.kill()
        return "diverged", "one place for two increments: two owners counted"


async def session_of(wanted, plants):
    """What was found, and what was planted."""
    async with Session(wanted, "haproxy") as session:
        await asyncio.sleep(LOAD_S)
        session.driver.is_loaded = False
        await asyncio.sleep(PACE_S * 2)
        planted = [await getattr(Plants(session), name)() for name in plants]
        await session.driver.all_up(PATIENCE_S)
        await session.judge(PATIENCE_S)
        if not plants or wanted.verbose:
            report(session, wanted.verbose)
        return session.driver.findings, planted


def self_test(wanted):
    bad = [f"{name}: {got}, not {right}" for name, (got, right) in RULES.items() if got != right]
    wanted.faults, wanted.clients, wanted.pace = [], CLIENTS, PACE_S
    findings, _ = asyncio.run(session_of(wanted, ()))
    bad += [f"nothing was planted, and this was found: {what}" for what in findings.counts]
    names = [name for name in vars(Plants) if name[0] != "_"]
    findings, planted = asyncio.run(session_of(wanted, names))
    for name, (verdict, what) in zip(names, planted):
        is_found = (verdict, what) in findings.counts
        print(f"{'found' if is_found else 'MISSED':8} {name.replace('_', ' ')}: {verdict}: {what}")
        bad += [] if is_found else [f"missed: {name}"]
    bad += [] if all(findings.total(verdict) for verdict in Findings.VERDICTS) else ["a verdict did not count"]
    for line in bad:
        print(f"FAILED   {line}")
    print(f"{len(RULES)} rules, {len(names)} planted violations, {len(bad)} failures", flush=True)
    return 1 if bad else 0
