"""Torments a cluster and counts: see tests/chaos.sh."""

import argparse
import asyncio
import pathlib
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy"), str(ROOT / "tests/chaos")]
from cluster import Cluster  # noqa: E402
from driver import Client, Driver, Lost, Wire  # noqa: E402

LEASE_MS = 2000
SETTLE_S = 45


class Gate:
    """A TCP proxy before Redis that can be shut: who is connected is cut off, who comes is refused."""

    def __init__(self):
        self.to = None
        self.is_shut = False
        self.writers = set()
        self.server = None

    async def open(self):
        self.server = await asyncio.start_server(self.pass_on, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def pump(self, reader, writer):
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    async def pass_on(self, reader, writer):
        if self.is_shut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        self.writers |= {writer, far_writer}
        await asyncio.gather(self.pump(reader, far_writer), self.pump(far_reader, writer))
        self.writers -= {writer, far_writer}

    def shut(self):
        self.is_shut = True
        for writer in self.writers:
            writer.transport.abort()

    def unshut(self):
        self.is_shut = False


class Chaos:
    def __init__(self, cluster, driver, gate):
        self.cluster, self.driver, self.gate = cluster, driver, gate
        self.turn = 0

    async def off_loop(self, function, *arguments):
        return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)

    def victim(self):
        self.turn += 1
        return self.cluster.nodes[self.turn % len(self.cluster.nodes)]

    async def kill(self):
        node = self.victim()
        await self.off_loop(node.kill)
        await asyncio.sleep(LEASE_MS / 1000 + 0.5)
        await self.off_loop(node.start)

    async def pause(self):
        """Longer than its lease: whoever owned something there owns it no more when it wakes."""
        node = self.victim()
        node.signal(signal.SIGSTOP)
        await asyncio.sleep(LEASE_MS / 1000 * 2)
        node.signal(signal.SIGCONT)

    async def redis_restart(self):
        await self.off_loop(self.cluster.redis.restart)

    async def redis_cut(self):
        self.gate.shut()
        await asyncio.sleep(LEASE_MS / 1000 * 1.5)
        self.gate.unshut()

    async def balancer(self):
        await self.off_loop(self.cluster.balancer.reload)

    async def rolling_restart(self):
        for node in self.cluster.nodes:
            await self.off_loop(node.restart)
            await self.driver.all_up(SETTLE_S)

    async def rolling_upgrade(self):
        for node in self.cluster.nodes:
            await self.off_loop(node.upgrade)
            await asyncio.sleep(0.5)

    FAULTS = ("kill", "pause", "redis_restart", "redis_cut", "balancer", "rolling_restart", "rolling_upgrade")

    async def round(self, fault):
        before, started = self.driver.acknowledged, time.monotonic()
        self.driver.recovery_ms, self.driver.measures = 0, True
        await getattr(self, fault)()
        await asyncio.sleep(3)
        missing = await self.driver.all_up(SETTLE_S)
        self.driver.measures = False
        print(f"{self.cluster.balancer.kind:8} {fault:16} {self.driver.acknowledged - before:6} acknowledged, "
              f"recovered in {self.driver.recovery_ms} ms, {missing} clients missing, {time.monotonic() - started:.1f} s",
              flush=True)
        return missing, self.driver.recovery_ms


async def look(port, driver, room):
    """The room and the tally as one node shows them."""
    looker = Client(driver, 0)
    looker.room, looker.has_tally, looker.who = room, True, f"look{port}-{room}"
    looker.wire = Wire()
    await looker.wire.open(port, 10)
    states = {}
    take = looker.take

    def note(message):
        payload = message.get("payload")
        if message["type"] == "STATE_UPDATE" and isinstance(payload, dict):
            states[message["componentId"]] = payload["state"]
        elif message["type"] == "STATE_DELTA" and message.get("componentId") in states:
            states[message["componentId"]].update(payload["delta"])
        take(message)
    looker.take = note
    reading = asyncio.create_task(looker.read())
    try:
        await asyncio.sleep(0)
        await looker.come_back()
        reply = {}
        for _ in range(20):
            reply = await looker.act(looker.share, "read")
            if reply.get("result"):
                break
            await asyncio.sleep(0.05)
        return reply.get("result") or {}, states.get(looker.tally, {})
    finally:
        reading.cancel()
        looker.wire.close()


def counts(state):
    return {key: value for key, value in state.items() if key[:2] in ("n:", "s:")}


async def settle(cluster, driver, rooms):
    """Looks until all nodes show the same; the last look, and how many rooms (or the tally) differ."""
    until = time.monotonic() + SETTLE_S
    while True:
        differ, shown, tally = 0, {}, {}
        try:
            for room in rooms:
                looks = [await look(node.port, driver, room) for node in cluster.nodes]
                shown[room], tally = counts(looks[0][0]), counts(looks[0][1])
                differ += any(counts(one[0]) != shown[room] for one in looks)
                differ += any(counts(one[1]) != tally for one in looks)
        except (OSError, Lost, asyncio.TimeoutError) as error:
            differ = max(differ, 1)
            print(f"cannot look: {error}", flush=True)
        if not differ or time.monotonic() > until:
            return differ, shown, tally
        await asyncio.sleep(1)


async def torment(wanted, balancer, totals):
    gate = Gate()
    await gate.open()

    def by_gate(port):
        gate.to = port
        return f"redis://127.0.0.1:{gate.port}/0"
    settings = ["--cluster-lease-ms", str(LEASE_MS), "--cluster-heartbeat-ms", str(LEASE_MS // 4), "--shards", "1",
                "--cluster-timeout-ms", "4000", "--signature-renew-ms", "200", "--drain-window-ms", "500",
                "--drain-delay-ms", "700", "--shutdown-ms", "2000", "--rate-limit-tokens", "0", *wanted.setting]
    cluster = await asyncio.get_running_loop().run_in_executor(
        None, lambda: Cluster(wanted.program, wanted.components, 3, balancer, 0, settings, by_gate))
    try:
        driver = Driver(cluster.port, wanted.clients, wanted.pace)
        await driver.start()
        chaos = Chaos(cluster, driver, gate)
        for _ in range(wanted.rounds):
            for fault in wanted.faults:
                missing, recovery = await chaos.round(fault)
                totals["rounds"] += 1
                totals["diverged"] += missing
                totals["recovery"] = max(totals["recovery"], recovery)
        await judge(cluster, driver, totals)
        if wanted.verbose or totals["lost"] + totals["doubled"] + totals["diverged"]:
            cluster.logs()
    finally:
        await asyncio.get_running_loop().run_in_executor(None, cluster.close)


async def judge(cluster, driver, totals):
    driver.is_loaded = False
    await asyncio.sleep(2)
    rooms = sorted({client.room for client in driver.clients})
    differ, shown, tally = await settle(cluster, driver, rooms)
    await driver.end()
    errors = {}
    bad = {"room": [0, 0], "tally": [0, 0]}
    for client in driver.clients:
        for which, held in (("room", shown.get(client.room, {})), ("tally", tally)):
            if which == "tally" and not client.has_tally:
                continue
            lost, doubled = client.ledgers[which].judge(held.get(f"n:{client.who}", 0), held.get(f"s:{client.who}", 0))
            bad[which][0] += lost
            bad[which][1] += doubled
        totals["doubled"] += client.doubled
        totals["diverged"] += client.state_lost
        for text, count in client.errors.items():
            errors[text] = errors.get(text, 0) + count
    totals["acknowledged"] += driver.acknowledged
    totals["lost"] += bad["room"][0] + bad["tally"][0]
    totals["doubled"] += bad["room"][1] + bad["tally"][1]
    totals["diverged"] += differ
    told = sum(client.doubled for client in driver.clients)
    states = sum(client.state_lost for client in driver.clients)
    print(f"{cluster.balancer.kind:8} at the end: rooms {bad['room'][0]} lost {bad['room'][1]} doubled, tally {bad['tally'][0]} "
          f"lost {bad['tally'][1]} doubled, {differ} differ, {states} states not brought back, {driver.heard} events heard, "
          f"{told} twice", flush=True)
    for text, count in sorted(errors.items(), key=lambda pair: -pair[1])[:8]:
        print(f"         {count:6} {text}")


def main():
    parser = argparse.ArgumentParser(prog="tests/chaos.sh")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--clients", type=int, default=300)
    parser.add_argument("--pace", type=float, default=3.0, help="seconds between a client's increments")
    parser.add_argument("--balancers", type=lambda text: text.split(","), default=["haproxy", "nginx"])
    parser.add_argument("--faults", type=lambda text: text.split(","), default=list(Chaos.FAULTS))
    parser.add_argument("--program", default=ROOT / "build/release/server/liveshard")
    parser.add_argument("--components", default=ROOT / "build/release/tests/components")
    parser.add_argument("--setting", action="append", default=["--cluster-rooms", "chaos-*"])
    parser.add_argument("--verbose", action="store_true")
    wanted = parser.parse_args()
    totals = dict.fromkeys(("rounds", "acknowledged", "lost", "doubled", "diverged", "recovery"), 0)
    for balancer in wanted.balancers:
        asyncio.run(torment(wanted, balancer, totals))
    print(f"rounds {totals['rounds']} acknowledged {totals['acknowledged']} lost {totals['lost']} "
          f"doubled {totals['doubled']} diverged {totals['diverged']} recovery_ms_max {totals['recovery']}")
    sys.exit(1 if totals["lost"] or totals["doubled"] or totals["diverged"] else 0)


if __name__ == "__main__":
    main()
