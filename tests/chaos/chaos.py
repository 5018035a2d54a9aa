"""Torments a cluster and counts: see tests/chaos.sh."""

import argparse
import asyncio
import os
import pathlib
import random
import shutil
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy"), str(ROOT / "tests/chaos")]
from cluster import Cluster, find  # noqa: E402
from driver import Driver  # noqa: E402
from faults import LEASE_MS, SETTLE_S, Faults, dice, schedule  # noqa: E402
from guard import Trouble, guarded  # noqa: E402
from judge import Judge  # noqa: E402
from ledger import Findings  # noqa: E402
from owners import Owners, Watch  # noqa: E402
from store import Store, Watched  # noqa: E402

BALANCERS = ("haproxy", "nginx")
SETTINGS = ["--cluster-rooms", "chaos-*", "--cluster-lease-ms", str(LEASE_MS), "--cluster-heartbeat-ms", str(LEASE_MS // 4),
            "--shards", "1", "--cluster-timeout-ms", "4000", "--signature-renew-ms", "200", "--drain-window-ms", "500",
            "--drain-delay-ms", "700", "--shutdown-ms", "2000", "--rate-limit-tokens", "0", "--node-timeout-ms", "4000"]
DETAILS = 12
NAME = "tests/chaos.sh"


class Totals:
    def __init__(self):
        self.rounds = self.acknowledged = 0
        self.recoveries = {}        # by (balancer, fault), ms
        self.findings = Findings()

    def recovered(self, balancer, fault, ms):
        self.rounds += 1
        self.recoveries.setdefault((balancer, fault), []).append(ms)

    def table(self):
        print("recovery in ms, median and longest of all rounds:")
        for (balancer, fault), all in self.recoveries.items():
            print(f"{balancer:8} {fault:32} {int(statistics.median(all)):6} {max(all):6}   {len(all)} rounds")

    def last_line(self):
        lost, doubled, diverged = (self.findings.total(verdict) for verdict in Findings.VERDICTS)
        longest = max((max(all) for all in self.recoveries.values()), default=0)
        print(f"rounds {self.rounds} acknowledged {self.acknowledged} lost {lost} doubled {doubled} diverged {diverged} "
              f"recovery_ms_max {longest}", flush=True)


class Session:
    """A cluster, its clients and who watches it."""

    def __init__(self, wanted, balancer):
        self.wanted, self.balancer = wanted, balancer
        self.cluster = self.watching = None

    async def __aenter__(self):
        wanted = self.wanted
        self.loop = asyncio.get_running_loop()
        self.store = await (Watched if any("failover" in name for name in wanted.faults) else Store)().open()
        self.cluster = await self.loop.run_in_executor(
            None, lambda: Cluster(wanted.program, wanted.components, 3, self.balancer, 0, [*SETTINGS, *wanted.setting], self.store))
        try:
            self.driver = Driver(self.cluster.port, wanted.clients, wanted.pace)
            self.owners = Owners(self.driver.findings)
            self.watching = asyncio.create_task(Watch(self.owners, self.store, self.cluster.nodes).run())
            if missing := await self.driver.start():
                raise Trouble(f"{missing} of {wanted.clients} clients are not served, before any fault")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def judge(self, patience_s=SETTLE_S):
        """After that nothing is asked any more."""
        await Judge(self.cluster, self.driver, self.store, patience_s).run()
        if self.watching.done():
            self.watching.result()
        self.watching.cancel()

    async def __aexit__(self, *_):
        if self.watching:
            self.watching.cancel()
        for gate in self.store.gates:
            gate.close()
        await self.loop.run_in_executor(None, self.cluster.close)


async def torment(wanted, balancer, totals):
    chance = dice(wanted.seed, balancer)
    async with Session(wanted, balancer) as session:
        driver = session.driver
        faults = Faults(session.cluster, driver, session.store, chance)
        for name in schedule(wanted.faults, wanted.rounds, wanted.overlaps, chance):
            totals.recovered(balancer, name, await faults.round(name))
        await session.judge()
        report(session, wanted.verbose)
        totals.acknowledged += driver.acknowledged
        totals.findings.merge(driver.findings)


def report(session, is_verbose):
    driver, owners, findings = session.driver, session.owners, session.driver.findings
    print(f"{session.balancer:8} at the end: {driver.acknowledged} acknowledged, {driver.heard} events heard, "
          f"{len(owners.owners)} owners and {owners.writes} writes of the singleton, {owners.samples} samples, "
          f"an old owner believed for {int(owners.stale_s * 1000)} ms at most", flush=True)
    for (verdict, what), count in sorted(findings.counts.items()):
        print(f"         {verdict.upper()} {count}: {what}")
    for detail in (findings.details[:DETAILS] + driver.silences)[:DETAILS]:
        print(f"         {detail}")
    if findings.any() or is_verbose:
        errors = {}
        for client in driver.clients:
            for text, count in client.errors.items():
                errors[text] = errors.get(text, 0) + count
        for text, count in sorted(errors.items(), key=lambda pair: -pair[1])[:8]:
            print(f"         {count:6} {text}")
        session.cluster.logs()


def names_of(known, joined=False):
    """For an argument: names with commas between them."""
    def parse(text):
        for name in text.split(","):
            for part in name.split("+") if joined else [name]:
                if part not in known:
                    raise argparse.ArgumentTypeError(f"'{part}' is none of {', '.join(known)}")
        return text.split(",")
    return parse


def at_least(least, kind=int):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from {least}")
        return value
    return parse


def read_arguments():
    parser = argparse.ArgumentParser(prog=NAME, usage=f"{NAME} --help tells")
    parser.add_argument("--rounds", type=at_least(1), default=1)
    parser.add_argument("--overlaps", type=at_least(0))
    parser.add_argument("--seed", type=at_least(0))
    parser.add_argument("--clients", type=at_least(1), default=300)
    parser.add_argument("--pace", type=at_least(0.01, float), default=3.0)
    parser.add_argument("--balancers", type=names_of(BALANCERS), default=list(BALANCERS))
    parser.add_argument("--faults", type=names_of((*Faults.EACH, *Faults.OPTIONAL), True), default=list(Faults.EACH))
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/server/liveshard")
    parser.add_argument("--components", type=pathlib.Path, default=ROOT / "build/release/tests/components")
    parser.add_argument("--setting", action="append", default=[])
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    wanted = parser.parse_args()
    if wanted.overlaps is None:
        wanted.overlaps = 3 if wanted.rounds > 1 else 0
    if wanted.seed is None:
        wanted.seed = random.SystemRandom().randrange(1 << 32)
    if not os.access(wanted.program, os.X_OK):
        parser.error(f"no server at {wanted.program}")
    if not (wanted.components / "share.so").exists():
        parser.error(f"no share.so in {wanted.components}")
    for program in ("redis-server", *wanted.balancers):
        if not shutil.which(find(program)):
            parser.error(f"{program} is not installed")
    return wanted


def work(wanted):
    totals = Totals()
    print(f"seed {wanted.seed}", flush=True)
    for balancer in wanted.balancers:
        asyncio.run(torment(wanted, balancer, totals))
    totals.table()
    totals.last_line()
    return 1 if totals.findings.any() else 0


def main():
    wanted = read_arguments()
    if wanted.self_test:
        from self_test import self_test
        guarded(lambda: self_test(wanted), NAME)
    guarded(lambda: work(wanted), NAME)


if __name__ == "__main__":
    main()
