#!/usr/bin/env python3
"""Counts the instructions of the hot paths with callgrind and holds them against tests/guard/budget.json.

    guard.py GUARD-PROGRAM [--write]

A path that takes more than 5% over its budget fails: make it cheaper, or say so by changing the budget (--write). One that
takes 10% less fails too, so that what was won is kept. Counts hold for the release preset on Debian 12.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

BUDGET = pathlib.Path(__file__).with_name("budget.json")
COUNTS = {"decode": (2000, 6000), "route": (1000, 3000), "action": (1000, 3000), "fanout": (9900, 29700),
          "flush": (2000, 6000), "mount": (200, 600)}


def instructions(program, path, count):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, path, str(count)],
            capture_output=True, text=True, timeout=300, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"{path}: callgrind failed\n{done.stderr}")
    return int(found.group(1))


def measure(program):
    result = {}
    for path, (few, many) in COUNTS.items():
        result[path] = round((instructions(program, path, many) - instructions(program, path, few)) / (many - few))
    return result


def main():
    program = sys.argv[1]
    measured = measure(program)
    if "--write" in sys.argv[2:]:
        BUDGET.write_text(json.dumps(measured, indent=2) + "\n")
        print(f"{BUDGET.name} written: {measured}")
        return 0
    budget = json.loads(BUDGET.read_text())
    bad = 0
    for path, now in measured.items():
        ratio = now / budget[path]
        verdict = "over budget" if ratio > 1.05 else "well under budget: lower it" if ratio < 0.9 else "ok"
        bad += verdict != "ok"
        print(f"{path:8} {now:7} instructions, budget {budget[path]:7} ({ratio:5.1%}) {verdict}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
