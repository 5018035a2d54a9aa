"""One owner at a time, watched while it happens.

Who owns a singleton is decided in Redis: each claim has a *fence*, a number larger than all before. Two nodes may believe that
they own it, since one that was paused cannot know. Only one may change anything. So a violation is

- a fence that two owners write with;
- a write that Redis takes with a fence, after it has taken one with a larger fence (in Redis's own order, by MONITOR);
- two nodes that say at once that they hold the same fence, or one that says a fence that Redis has not given yet;
- two acknowledged increments with the same place (ledger.History), whatever Redis says.

A node with an old fence, whose writes Redis refuses, is none; how long it believed is told, and at the end nobody may.
"""

import asyncio
import json
import re
import time

from resp import Resp

CLAIM, META = "fluxstack:cluster:singleton:Tally", "fluxstack:cluster:singleton-meta:Tally"
SAMPLE_S = 0.1
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Owners:
    """The rules. Nothing here waits or speaks to anybody."""

    def __init__(self, findings):
        self.findings = findings
        self.owners = {}            # by fence: who wrote with it
        self.newest = 0
        self.writes = self.samples = 0
        self.stale_since = {}       # by node
        self.stale_s = 0
        self.told = set()

    def violation(self, what, detail, key):
        """Once for each key: what is sampled ten times is one violation."""
        if key not in self.told:
            self.told.add(key)
            self.findings.add("diverged", what, detail)

    def wrote(self, fence, owner):
        """Redis took a claim or a write with that fence."""
        self.writes += 1
        if self.owners.setdefault(fence, owner) != owner:
            self.violation("one fence, two owners", f"{fence}: {self.owners[fence]} and {owner}", ("same", fence, owner))
        if fence < self.newest:
            self.violation("written with an old fence", f"{owner} with {fence} after {self.newest}", ("old", fence))
        self.newest = max(self.newest, fence)

    def sampled(self, before, views, after, now):
        """The fence in Redis before and after the nodes were asked (None: not known), and theirs, by node."""
        self.samples += 1
        by_fence = {}
        for node, fence in views.items():
            if fence in by_fence:
                self.violation("two nodes hold one fence", f"{fence}: {by_fence[fence]} and {node}", ("both", fence))
            by_fence[fence] = node
            if after is not None and fence > after:
                self.violation("a fence that was not given", f"{node}: {fence}, Redis: {after}", ("ahead", fence))
            if before is not None and fence < before:
                self.stale_s = max(self.stale_s, now - self.stale_since.setdefault(node, now))
            else:
                self.stale_since.pop(node, None)
        for node in set(self.stale_since) - set(views):
            del self.stale_since[node]


def words_of(line):
    """The words of a line of MONITOR."""
    return [re.sub(r'\\(["\\])', r"\1", word) for word in WORD.findall(line)]


def fence_of(words):
    """(fence, owner) if the words write who owns the singleton, else None."""
    if len(words) < 4 or words[0].upper() != "HSET" or words[1] != META:
        return None
    fields = dict(zip(words[2::2], words[3::2]))
    return (int(fields["fence"]), fields["owner"]) if "fence" in fields and "owner" in fields else None


class Watch:
    """Hears all that Redis takes, and samples the nodes, until it is cancelled."""

    def __init__(self, rules, store, nodes):
        self.rules, self.store, self.nodes = rules, store, nodes

    async def run(self):
        await asyncio.gather(self.monitor(), self.sample())

    async def master_port(self):
        return await asyncio.get_running_loop().run_in_executor(None, self.store.master_port)

    async def monitor(self):
        while True:
            one = None
            try:
                one = await Resp.open(await self.master_port())
                await one("MONITOR")
                while True:
                    line = await one.read()
                    if META.encode() in line and b"lua] \"HSET\"" in line and (wrote := fence_of(words_of(line.decode()))):
                        self.rules.wrote(*wrote)
            except (OSError, asyncio.TimeoutError, ValueError, RuntimeError):
                await asyncio.sleep(SAMPLE_S)
            finally:
                if one:
                    one.close()

    async def sample(self):
        while True:
            before = await self.fence()
            views = await asyncio.gather(*(self.view(node) for node in self.nodes))
            after = await self.fence()
            held = {f"node {node.number}": view["fence"] for node, view in zip(self.nodes, views) if view and "fence" in view}
            self.rules.sampled(before, held, after, time.monotonic())
            await asyncio.sleep(SAMPLE_S)

    async def fence(self):
        try:
            text = await Resp.once(await self.master_port(), "HGET", META, "fence")
            return int(text) if text else None
        except (OSError, asyncio.TimeoutError, ValueError, RuntimeError):
            return None

    async def view(self, node):
        """What the node says of the singleton, if it owns it."""
        try:
            return (await stats(node.port))["components"]["singletons"].get("Tally")
        except (OSError, asyncio.TimeoutError, ValueError, asyncio.IncompleteReadError):
            return None


async def stats(port, timeout=1):
    """GET /api/live/stats."""
    async def ask():
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        try:
            writer.write(b"GET /api/live/stats HTTP/1.1\r\nHost: chaos\r\nConnection: close\r\n\r\n")
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            return json.loads(body)
        finally:
            writer.close()
    return await asyncio.wait_for(ask(), timeout)
