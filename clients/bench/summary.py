#!/usr/bin/env python3
"""Prints the table of a benchmark session: what was measured, the bar, and the distance from the floor.

usage: summary.py [--strict] FOLDER

Writes FOLDER/summary.json, too. Exit status 1 when there is nothing to tell, or with --strict when a bar is missed.
"""
import json
import pathlib
import sys

import results as session
from results import cpu

STEADY_OFFERED = 999_000  # deliveries a second: 1,000 senders, 999 others each

# name of the measurement -> [(what, unit, figure of one run, bar, is the bar an upper one)]
FIGURES = {
    "actions": [("CPU per action", "us", cpu, None, True)],
    "paced": [("CPU per delivery, paced", "us", cpu, None, True)],
    "flat": [("CPU per delivery, 64 in flight", "us", cpu, 0.6, True)],
    "everyone": [
        ("CPU per delivery, everyone", "us", cpu, 0.35, True),
        ("everyone, in all", "s", lambda result: result["seconds"], 0.6, True),
    ],
    "steady": [
        ("CPU per delivery, steady", "us", cpu, None, True),
        ("steady, of what was offered", "", lambda result: result["perSecond"] / STEADY_OFFERED, 0.98, False),
        ("steady, p50", "ms", lambda result: result["latencyMs"]["p50"], 12, True),
    ],
    "join": [
        ("1000 joins of one room", "s", lambda result: result["seconds"], 0.3, True),
        ("CPU per join", "us", cpu, None, True),
    ],
    "idle": [
        ("memory per connection", "KiB", lambda result: result["bytesPerClient"] / 1024, 1.5, True),
        ("memory grown while idle", "KiB", lambda result: result["growthBytes"] / 1024, 0, True),
    ],
}
# What is judged by its ratio to the floor.
RATIO_BARS = {"CPU per action": 1.25, "CPU per delivery, paced": 1.15}
# What grows -> as the table calls it.
GROWTH = {"paced": "members, paced", "flat": "members, 64 in flight", "rooms": "rooms", "clients": "connections"}
GROWTH_BAR = 1.3


def text(value):
    return "" if value is None else f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"


def row(what, unit, measured, bar, upper, floor=None, ratio=None, ratio_bar=None):
    met = None
    if bar is not None and measured is not None:
        met = measured <= bar if upper else measured >= bar
    if ratio_bar is not None and ratio is not None:
        met = ratio <= ratio_bar
    return {"what": what, "unit": unit, "measured": measured, "bar": bar, "upper": upper, "floor": floor, "ratio": ratio,
            "ratioBar": ratio_bar, "met": met}


def standard_rows(results):
    for name, figures in FIGURES.items():
        server, floor = results.get((name, "server"), []), results.get((name, "floor"), [])
        if not server and not floor:
            continue
        for what, unit, figure, bar, upper in figures:
            yield row(what, unit, session.median(server, figure), bar, upper, session.median(floor, figure),
                      session.pair_ratio(server, floor, figure), RATIO_BARS.get(what))


def shard_rows(results):
    for name, load in (("shards", "paced"), ("shardsflat", "flat out")):
        one, two = results.get((name, "server1"), []), results.get((name, "server2"), [])
        if one and two:
            yield row(f"CPU per delivery, {load}, one shard", "us", session.median(one, cpu), None, True)
            yield row(f"CPU per delivery, {load}, two shards", "us", session.median(two, cpu), None, True)
            yield row(f"two shards over one, {load}", "", session.pair_ratio(two, one, cpu), 1.15, True)
            yield row(f"less busy shard over busier, {load}", "", session.median(two, session.shard_shares), 0.8, False)


def growth_rows(results):
    """For each way to grow, the cost at each size, then that of the largest size over that of the smallest."""
    sizes = {}
    for name, who in results:
        if name.startswith("growth-") and who == "server":
            _, what, size = name.split("-")
            sizes.setdefault(what, []).append(int(size))
    for what, grown in sorted(sizes.items()):
        grown.sort()
        servers = [results[f"growth-{what}-{size}", "server"] for size in grown]
        floors = [results.get((f"growth-{what}-{size}", "floor"), []) for size in grown]
        for size, server, floor in zip(grown, servers, floors):
            yield row(f"{GROWTH[what]} {size}: CPU per unit", "us", session.median(server, cpu), None, True,
                      session.median(floor, cpu), session.pair_ratio(server, floor, cpu))
        if len(grown) > 1:
            yield row(f"{GROWTH[what]}: {grown[-1]} over {grown[0]}", "", session.pair_ratio(servers[-1], servers[0], cpu),
                      GROWTH_BAR, True, session.pair_ratio(floors[-1], floors[0], cpu))


def bar_text(entry):
    if entry["ratioBar"] is not None:
        return f"<= {entry['ratioBar']} x floor"
    if entry["bar"] is None:
        return ""
    return f"{'<=' if entry['upper'] else '>='} {entry['bar']:g} {entry['unit']}".rstrip()


def print_table(rows):
    header = ("measured", "", "server", "floor", "x floor", "bar", "")
    lines = [header] + [
        (entry["what"], entry["unit"], text(entry["measured"]), text(entry["floor"]), text(entry["ratio"]), bar_text(entry),
         "" if entry["met"] is None else "met" if entry["met"] else "MISSED")
        for entry in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        print("  ".join(cell.rjust(width) if 2 <= column <= 4 else cell.ljust(width)
                        for column, (cell, width) in enumerate(zip(line, widths))).rstrip())


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--strict"]
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.exit(__doc__)
    folder = pathlib.Path(arguments[0])
    results = session.read(folder)
    rows = [*standard_rows(results), *shard_rows(results), *growth_rows(results)]
    if not rows:
        sys.exit(f"no results in {folder}")
    print_table(rows)
    (folder / "summary.json").write_text(json.dumps(rows, indent=1) + "\n")
    if "--strict" in sys.argv and any(entry["met"] is False for entry in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
