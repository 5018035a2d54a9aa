#!/usr/bin/env python3
"""Runs clang-tidy over the project's own sources, as .clang-tidy says. Exits 1 on any finding.

    tests/tidy.py BUILD-FOLDER [SOURCE]...

The folder holds the compile_commands.json that says how each source is compiled; without sources, all in it are checked
that make up the server and the examples. (Check's macros in the tests, and the load generator, are left out.)
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

FOLDERS = {"core", "shard", "pubsub", "redis", "server", "examples"}
ROOT = pathlib.Path(__file__).resolve().parents[1]


def sources(folder):
    """The sources that are compiled in folder, as paths from the root; the largest first, so that no core ends alone."""
    entries = json.loads((folder / "compile_commands.json").read_text())
    paths = {pathlib.Path(entry["file"]) for entry in entries}
    ours = {path.relative_to(ROOT) for path in paths if path.is_relative_to(ROOT) and path.exists()}
    ours = {path for path in ours if path.parts[0] in FOLDERS}
    return sorted(ours, key=lambda path: (ROOT / path).stat().st_size, reverse=True)


def tidy(folder, path):
    """What clang-tidy finds in one source; empty when nothing."""
    result = subprocess.run(["clang-tidy-14", "-p", folder, "--quiet", str(path)], cwd=ROOT, capture_output=True, text=True)
    if result.returncode == 0:
        return ""
    noise = re.compile(r"^\d+ warnings? (?:and \d+ errors? )?generated\.$|^Suppressed |^\d+ warnings? treated as errors$")
    return "\n".join(line for line in (result.stdout + result.stderr).split("\n") if line and not noise.match(line))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1]).resolve()
    paths = sys.argv[2:] or sources(folder)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = list(filter(None, pool.map(lambda path: tidy(folder, path), paths)))
    print("\n".join(findings))
    print(f"{len(paths)} sources, {len(findings)} with findings")
    sys.exit(1 if findings or not paths else 0)


if __name__ == "__main__":
    main()
