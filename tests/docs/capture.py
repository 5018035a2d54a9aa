#!/usr/bin/env python3
"""The traces of docs/, taken from the running server: `capture.py PROGRAM COMPONENTS --check`, `--write` or `--all`.

In a page `<!-- trace: name -->` stands before a block; the block is what the scenario of that name (scenarios.py) makes
the wire carry: `C>` is a text frame of the client, `S>` one of the server, as it came but for what tap.py replaces.
--check compares the pages with the server, --write brings them up to date, --all prints every trace.
"""

import os
import pathlib
import re
import sys
import tempfile

from scenarios import SCENARIOS
from tap import Trace

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPEN = "<!-- trace: "
MARK = re.compile(rf"^{OPEN}(\S+) -->\n```\n(.*?)^```$", re.M | re.S)


def take(name, program, components):
    trace = Trace(program, components)
    try:
        SCENARIOS[name](trace)
    finally:
        trace.end()
    return "".join(line + "\n" for line in trace.lines)


def take_all(program, components):
    """Where the scenarios may leave files."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            return {name: take(name, program, components) for name in SCENARIOS}
        finally:
            os.chdir(ROOT)


def check(pages, traces):
    shown = set()
    for page, text in pages.items():
        found = MARK.findall(text)
        if text.count(OPEN) != len(found):
            yield f"{page}: a mark of a trace without its block"
        for name, block in found:
            shown.add(name)
            if block != traces.get(name):
                yield f"{page}: the trace {name} is now\n{traces.get(name)}"
    for name in traces.keys() - shown:
        yield f"no page shows the trace {name}"


def write(pages, traces):
    for page, text in pages.items():
        new = MARK.sub(lambda match: f"{OPEN}{match[1]} -->\n```\n{traces[match[1]]}```", text)
        if new != text:
            (ROOT / page).write_text(new, encoding="utf-8")


def main():
    program, components = (os.path.abspath(path) for path in sys.argv[1:3])
    pages = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))}
    traces = take_all(program, components)
    if sys.argv[3] == "--write":
        write(pages, traces)
    elif sys.argv[3] == "--all":
        print("\n".join(f"== {name}\n{text}" for name, text in traces.items()))
    else:
        wrong = list(check(pages, traces))
        print("\n".join(wrong) if wrong else f"{len(traces)} traces hold")
        sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
