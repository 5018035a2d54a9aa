"""What must be true of counters, whatever happens: each acknowledged increment is counted once, at a place of its own.

An increment whose answer was lost with a connection, or was a failure, is *unknown*: it may be counted, now or later, but not
twice. Nothing here waits or speaks to anybody.
"""

import itertools

SEARCH = 2_000_000      # subsets that are looked at before the counts alone must do


class Findings:
    """What was found wrong, by verdict (lost, doubled, diverged) and by what it is."""

    VERDICTS = ("lost", "doubled", "diverged")

    def __init__(self):
        self.counts = {}
        self.details = []

    def add(self, verdict, what, detail="", count=1):
        assert verdict in self.VERDICTS
        if count:
            self.counts[verdict, what] = self.counts.get((verdict, what), 0) + count
            self.details.append(f"{verdict}: {what}: {detail}")

    def total(self, verdict):
        return sum(count for (which, _), count in self.counts.items() if which == verdict)

    def any(self):
        return bool(self.counts)

    def merge(self, other):
        for (verdict, what), count in other.counts.items():
            self.counts[verdict, what] = self.counts.get((verdict, what), 0) + count
        self.details += other.details


def subset(tokens, size, total):
    """Some of tokens, so many, that add up to total; None: there are none; (): too many to look at them all."""
    if not 0 <= size <= len(tokens) or total < 0:
        return None
    ways = 1
    for i in range(size):
        ways = ways * (len(tokens) - i) // (i + 1)
        if ways > SEARCH:
            return ()
    return next((some for some in itertools.combinations(tokens, size) if sum(some) == total), None)


class Ledger:
    """What one client asked of one counter, and what that counter was seen to hold for it."""

    def __init__(self):
        self.n = self.sum = 0       # accounted for
        self.unknown = []           # tokens that may have been counted
        self.lost = self.doubled = 0

    def ask(self, token):
        self.unknown.append(token)

    def acknowledge(self, token, n, total):
        """The answer to ask(token): with it, n are counted and their tokens make total."""
        self.unknown.remove(token)
        self.account(n, total, 1, token)

    def account(self, n, total, new=0, tokens=0):
        """The counter holds n and total; since the last account, new increments with these tokens were acknowledged."""
        extra, more = n - self.n - new, total - self.sum - tokens
        came = subset(self.unknown, extra, more) if extra or more else ()
        if came is None:
            self.judge(extra, more)
        elif came:
            self.unknown = [token for token in self.unknown if token not in came]
        self.n, self.sum = n, total

    def judge(self, extra, more):
        """What is wrong: more or fewer than were asked for, or others."""
        if extra < 0:
            self.lost -= extra
        elif extra > len(self.unknown):
            self.doubled += extra - len(self.unknown)
        elif more < 0:
            self.lost += 1
        else:
            self.doubled += 1
            self.lost += extra == 0


class History:
    """The places that acknowledged increments of one counter were given, and when: one order for all, as if it had been
    counted in one place. Two owners that both count give a place twice."""

    def __init__(self):
        self.acknowledged = []      # (place, began, ended)

    def add(self, place, began, ended):
        self.acknowledged.append((place, began, ended))

    def judge(self):
        """(places given more than once, increments that came before one that had ended when they began)."""
        places = [place for place, _, _ in self.acknowledged]
        turned, soonest = 0, float("inf")
        for _, began, ended in sorted(self.acknowledged, reverse=True):
            turned += began > soonest
            soonest = min(soonest, ended)
        return len(places) - len(set(places)), turned
