"""The faults, one at a time or two at once, and how long clients waited for an answer meanwhile."""

import asyncio
import random
import signal
import time

LEASE_MS = 2000
SETTLE_S = 60


class Faults:
    """Each is a method that returns once what it broke is whole again. A node, the store, and the balancer have one fault
    at a time, so that two faults may be at work together."""

    EACH = ("kill", "pause", "redis_restart", "redis_kill", "redis_cut", "balancer", "rolling_restart", "rolling_upgrade")
    OPTIONAL = ("failover", "redis_empty")

    def __init__(self, cluster, driver, store, chance):
        self.cluster, self.driver, self.store, self.chance = cluster, driver, store, chance
        self.locks = {place: asyncio.Lock() for place in (*cluster.nodes, store, cluster.balancer)}
        self.findings = driver.findings

    async def off_loop(self, function, *arguments):
        return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)

    def victim(self):
        """A node that has no fault now, if there is one."""
        whole = [node for node in self.cluster.nodes if not self.locks[node].locked()]
        return self.chance.choice(whole or self.cluster.nodes)

    async def kill(self):
        node = self.victim()
        async with self.locks[node]:
            await self.off_loop(node.kill)
            await asyncio.sleep(LEASE_MS / 1000 + 0.5)
            await self.off_loop(node.start)

    async def pause(self):
        """Longer than its lease: whoever owned something there owns it no more when it wakes."""
        node = self.victim()
        async with self.locks[node]:
            node.signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(LEASE_MS / 1000 * 2)
            finally:
                node.signal(signal.SIGCONT)

    async def redis_restart(self):
        async with self.locks[self.store]:
            await self.off_loop(self.store.restart)

    async def redis_kill(self):
        """By SIGKILL; it comes back with what it has written to its file."""
        async with self.locks[self.store]:
            await self.off_loop(self.store.crash, False)

    async def redis_empty(self):
        """As one without a file: the nodes must give it back what they hold."""
        async with self.locks[self.store]:
            await self.off_loop(self.store.crash, True)

    async def redis_cut(self):
        async with self.locks[self.store]:
            self.store.shut()
            try:
                await asyncio.sleep(LEASE_MS / 1000 * 1.5)
            finally:
                self.store.unshut()

    async def failover(self):
        async with self.locks[self.store]:
            await self.off_loop(self.store.fail_over)

    async def balancer(self):
        async with self.locks[self.cluster.balancer]:
            await self.off_loop(self.cluster.balancer.reload)

    async def rolling_restart(self):
        for node in self.cluster.nodes:
            async with self.locks[node]:
                await self.off_loop(node.restart)
            await self.driver.all_up(SETTLE_S)

    async def rolling_upgrade(self):
        for node in self.cluster.nodes:
            async with self.locks[node]:
                await self.off_loop(node.upgrade)
            await asyncio.sleep(0.5)

    async def begin(self, fault, number):
        """The second of two begins while the first is at work."""
        if number:
            await asyncio.sleep(self.chance.uniform(0.1, 1.5))
        await getattr(self, fault)()

    async def round(self, name):
        """name: a fault, or several with + between them, at once. Returns ms of the longest wait of any client."""
        before, started = self.driver.acknowledged, time.monotonic()
        self.driver.recovery_ms, self.driver.measures = 0, True
        await asyncio.gather(*(self.begin(fault, i) for i, fault in enumerate(name.split("+"))))
        await asyncio.sleep(3)
        missing = await self.driver.all_up(SETTLE_S)
        self.driver.measures = False
        self.findings.add("diverged", "a client is not served again", f"after {name}", missing)
        print(f"{self.cluster.balancer.kind:8} {name:32} {self.driver.acknowledged - before:6} acknowledged, "
              f"recovered in {self.driver.recovery_ms} ms{f', {missing} CLIENTS MISSING' if missing else ''}, "
              f"{time.monotonic() - started:.1f} s", flush=True)
        return self.driver.recovery_ms


def schedule(faults, rounds, overlaps, chance):
    """The names of all rounds: each fault so many times, shuffled, and overlaps more of two at once in each pass."""
    names = []
    singles = [name for name in faults if "+" not in name]
    for _ in range(rounds):
        once = list(faults)
        if len(singles) > 1:
            once += ["+".join(chance.sample(singles, 2)) for _ in range(overlaps)]
        chance.shuffle(once)
        names += once
    return names


def dice(seed, balancer):
    """The chance of one run, the same for the same seed."""
    return random.Random(f"{seed} {balancer}")
