#!/usr/bin/env python3
"""Each link in the docs leads somewhere: relative links to a file, and `#part` to a heading of it.

Paths that docs name in `code` are held too when they look like ones of the project: `core/str.h` must exist.
"""
import pathlib
import re

import source

LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
FOLDERS = "include|core|shard|pubsub|redis|server|clients|examples|tests|deploy|docs|cmake"
NAMED = re.compile(rf"`((?:{FOLDERS})/[\w./-]+\.\w+|\./(?:{FOLDERS})/[\w./-]+\.sh)[^`\n]*`")
FENCE = re.compile(r"^```.*?^```", re.S | re.M)


def without_fences(text):
    return FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def anchors(text):
    """The names that headings of a page can be linked by."""
    for heading in re.findall(r"^#+ +(.*?) *#*$", without_fences(text), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        yield re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def check(root):
    root = pathlib.Path(root)
    pages = source.files(root, {".md"})
    for page in pages:
        text = without_fences(source.read(root, page))
        for match in LINK.finditer(text):
            target, line = match.group(1) or match.group(2), source.line_of(text, match.start())
            if re.match(r"[a-z]+:", target):
                continue
            name, _, part = target.partition("#")
            there = (root / page).parent / name if name else root / page
            if not there.exists():
                yield f"{page}:{line}: {target} leads nowhere"
            elif part and there.suffix == ".md" and part not in anchors(there.read_text(encoding="utf-8")):
                yield f"{page}:{line}: {target}: no heading makes #{part}"
        for match in NAMED.finditer(text):
            if not (root / match.group(1)).exists():
                yield f"{page}:{source.line_of(text, match.start())}: {match.group(1)} is not there"


GOOD = {
    "README.md": "# One\n[two](docs/two.md#a-second-part) [one](#one) `core/a.c` `core/a.c 5`\n```\n[x](nowhere)\n```\n",
    "docs/two.md": "## A `second` part\n[up](../README.md) [web](https://example.org/)\n",
    "core/a.c": "",
}
BAD = [
    ({"README.md": "# One\n\n[two](two.md)\n"}, "README.md:3: two.md leads nowhere"),
    ({"README.md": "# One\n[two](#two)\n"}, "no heading makes #two"),
    ({"README.md": "![picture](docs/a.png)\n"}, "docs/a.png leads nowhere"),
    ({"README.md": "See `core/b.c`.\n"}, "README.md:1: core/b.c is not there"),
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
