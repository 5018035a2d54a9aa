"""The end: nothing is asked any more, and everything must be the same for everybody, and in Redis."""

import asyncio
import json
import time

from driver import Client, Lost, Wire
from faults import SETTLE_S
from owners import CLAIM, META, stats
from resp import Resp

ROOM, SINGLETON = "fluxstack:room:", "fluxstack:cluster:"
LOOK_TROUBLE = (OSError, Lost, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError, KeyError)


def canonical(value):
    """Text that is the same byte by byte for the same value: keys in order, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Looker(Client):
    """A fresh client of one node, past the balancer, that looks and does nothing."""

    def __init__(self, driver, node):
        super().__init__(driver, 0)
        self.who, self.node = f"look{node.number}", node
        self.whole = {}

    async def __aenter__(self):
        self.wire = Wire()
        await self.wire.open(self.node.port, 10)
        self.begin()
        self.reading = asyncio.create_task(self.read())
        return self

    async def __aexit__(self, *_):
        self.reading.cancel()
        self.wire.close()
        self.forsake()

    def take(self, message):
        payload = message.get("payload")
        if message["type"] == "STATE_UPDATE":
            self.whole[message["componentId"]] = payload["state"]
        elif message["type"] == "STATE_DELTA" and message["componentId"] in self.whole:
            self.whole[message["componentId"]].update(payload["delta"])
        super().take(message)

    async def room_of(self, room):
        """The room as this node shows it, and how many are in it besides us."""
        id = await self.mount("Share", room=room)
        shown = (await self.act(id, "read"))["result"]
        await self.ask("COMPONENT_UNMOUNT", componentId=id)
        return shown["state"], shown["members"] - 1

    async def singleton(self):
        return self.whole.get(await self.mount("Tally"), {})


class Judge:
    """Looks until all is as it must be, or the time is up; then says what is not."""

    def __init__(self, cluster, driver, store, patience_s=SETTLE_S):
        self.cluster, self.driver, self.store, self.patience_s = cluster, driver, store, patience_s
        self.findings = driver.findings
        self.rooms = {}
        for client in driver.clients:
            self.rooms.setdefault(client.room, []).append(client)

    def looker(self, node):
        return Looker(self.driver, node)

    async def settle(self):
        """What differs at the last look, as a list of (what, detail); and what Redis holds: by room, and of the tally."""
        until = time.monotonic() + self.patience_s
        while True:
            try:
                wrong, held, tally = await self.look()
            except LOOK_TROUBLE as error:
                wrong, held, tally = [("cannot look", repr(error))], None, None
            if not wrong or time.monotonic() > until:
                return wrong, held, tally
            await asyncio.sleep(0.5)

    async def look(self):
        port = await asyncio.get_running_loop().run_in_executor(None, self.store.master_port)
        redis = await Resp.open(port)
        wrong, held = [], {}
        try:
            wrong += await self.members(redis)
            for room in self.rooms:
                held[room] = json.loads(await redis("GET", f"{ROOM}state:{room}") or b"{}")
            tally = json.loads(await redis("GET", f"{SINGLETON}singleton-state:Tally") or b'{"state":{}}')["state"]
            for node in self.cluster.nodes:
                wrong += await self.node(node, held, tally)
            wrong += await self.owner(redis)
        finally:
            redis.close()
        return wrong, held, tally

    async def members(self, redis):
        """The members that Redis knows are our clients' components, and their nodes live."""
        wrong = []
        seconds, micros = await redis("TIME")
        now = int(seconds) * 1000 + int(micros) // 1000
        alive = set(await redis("ZRANGEBYSCORE", f"{ROOM}nodes", now, "+inf"))
        for room, clients in self.rooms.items():
            flat = await redis("HGETALL", f"{ROOM}members:{room}")
            stored = dict(zip(flat[::2], flat[1::2]))
            ours = {str(client.share).encode() for client in clients}
            if set(stored) != ours:
                wrong.append(("members in Redis are not the clients", f"{room}: {len(set(stored) - ours)} too many, "
                              f"{len(ours - set(stored))} missing"))
            if set(stored.values()) - alive:
                wrong.append(("members in Redis are of a dead node", room))
        return wrong

    async def node(self, node, held, tally):
        """What the node shows to a fresh client is what Redis holds."""
        wrong = []
        async with self.looker(node) as looker:
            for room, clients in self.rooms.items():
                state, members = await looker.room_of(room)
                if canonical(state) != canonical(held[room]):
                    wrong.append(("a node shows another room than Redis holds",
                                  f"node {node.number}, {room}: {difference(state, held[room])}"))
                if members != len(clients):
                    wrong.append(("a node counts other members", f"node {node.number}, {room}: {members} of {len(clients)}"))
            shown = await looker.singleton()
            if canonical(shown) != canonical(tally):
                wrong.append(("a node shows another singleton than Redis holds",
                              f"node {node.number}: {difference(shown, tally)}"))
        return wrong

    async def owner(self, redis):
        """One node says that it owns the singleton, and it is the one that Redis knows."""
        claim, (owner, fence) = await redis("GET", CLAIM), await redis("HMGET", META, "owner", "fence")
        wrong, holders, believed = [], [], set()
        for node in self.cluster.nodes:
            components = (await stats(node.port, 10))["components"]
            if "Tally" in components["singletons"]:
                holders.append(components["singletons"]["Tally"].get("fence"))
            elif "Tally" in components["remoteSingletons"]:
                believed.add(components["remoteSingletons"]["Tally"]["ownerInstanceId"])
        if claim != owner or not claim:
            wrong.append(("Redis has two words of who owns it", f"{claim} and {owner}"))
        if holders != [int(fence or 0)]:
            wrong.append(("not one node owns it with the fence in Redis", f"{holders}, Redis: {fence}"))
        if believed - {(claim or b"").decode().split(":")[0]}:
            wrong.append(("a node takes another one for the owner", f"{believed}, Redis: {claim}"))
        return wrong

    async def roll_call(self):
        """Each client tells its room, and each other one hears it, once. Who does not is not in its room."""
        deaf = ["nobody could be asked"]
        for attempt in range(3):
            tokens = {client.who: f"roll{attempt}.{client.who}" for client in self.driver.clients}
            try:
                await asyncio.gather(*(client.act(client.share, "tell", token=tokens[client.who])
                                       for client in self.driver.clients))
            except LOOK_TROUBLE:
                await self.driver.all_up(self.patience_s)
                continue
            until = time.monotonic() + min(10, self.patience_s)
            while (deaf := self.deaf(tokens)) and time.monotonic() < until:
                await asyncio.sleep(0.05)
            if not deaf:
                return []
        return [("a client does not hear its room", who) for who in deaf]

    def deaf(self, tokens):
        return [client.who for clients in self.rooms.values() for client in clients
                if any(("ROOM_EVENT", tokens[other.who]) not in client.heard for other in clients if other is not client)]

    async def run(self):
        self.driver.is_loaded = False
        # Longer than anything that was asked may take to be done or to fail.
        await asyncio.sleep(2)
        self.findings.add("diverged", "a client is not served at the end", "", await self.driver.all_up(self.patience_s))
        wrong = await self.roll_call()
        differ, held, tally = await self.settle()
        for what, detail in wrong + differ:
            self.findings.add("diverged", what, detail)
        await self.driver.end()
        if held is not None:
            self.accounts(held, tally)
        self.histories()

    def accounts(self, held, tally):
        """What Redis holds against what was acknowledged."""
        for client in self.driver.clients:
            for which, ledger in client.ledgers.items():
                counts = held[client.room] if which == "room" else tally
                ledger.account(counts.get(f"n:{client.who}", 0), counts.get(f"s:{client.who}", 0))
                self.findings.add("lost", f"an increment of a {which}", client.who, ledger.lost)
                self.findings.add("doubled", f"an increment of a {which}", client.who, ledger.doubled)
        for name, counts in (*held.items(), ("the tally", tally)):
            if counts.get("t", 0) != sum(count for key, count in counts.items() if key.startswith("n:")):
                self.findings.add("diverged", "a counter is not the sum of its parts", name)

    def histories(self):
        for name, history in self.driver.histories.items():
            forks, turned = history.judge()
            self.findings.add("diverged", "one place for two increments: two owners counted", name, forks)
            self.findings.add("diverged", "an increment came before one that had ended when it began", name, turned)


def difference(shown, held):
    keys = sorted(key for key in {*shown, *held} if shown.get(key) != held.get(key))
    return f"{len(keys)} keys differ" + "".join(f", {key}: {shown.get(key)}, not {held.get(key)}" for key in keys[:3])
