#!/usr/bin/env python3
"""A sample that a page shows is the file that is built: `<!-- sample: path -->` stands before a block with its text.

Each sample in tests/docs must be shown by some page, or it has no reader.
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "checks"))
import source  # noqa: E402

MARK = re.compile(r"^<!-- sample: (\S+) -->\n```\w*\n(.*?)^```$", re.M | re.S)
SAMPLES = "tests/docs/"


def check(root):
    root = pathlib.Path(root)
    shown = set()
    for page in source.files(root, {".md"}):
        text = source.read(root, page)
        for match in MARK.finditer(text):
            name, line = match.group(1), source.line_of(text, match.start())
            shown.add(name)
            if not (root / name).is_file():
                yield f"{page}:{line}: the sample {name} is not there"
            elif source.read(root, name) != match.group(2):
                yield f"{page}:{line}: the sample is not the text of {name}"
        marks = text.count("<!-- sample: ")
        if marks != len(MARK.findall(text)):
            yield f"{page}: a mark of a sample without its block"
    for path in source.files(root, {".c"}):
        if str(path).startswith(SAMPLES) and str(path) not in shown:
            yield f"{path}: no page shows it"


TEXT = "#include <live/live.h>\n"
PAGE = "# One\n\n<!-- sample: tests/docs/a.c -->\n```c\n" + TEXT + "```\n"
GOOD = {"docs/one.md": PAGE, "tests/docs/a.c": TEXT}
BAD = [
    ({"docs/one.md": PAGE}, "docs/one.md:3: the sample tests/docs/a.c is not there"),
    ({"docs/one.md": PAGE, "tests/docs/a.c": "\n" + TEXT}, "is not the text of tests/docs/a.c"),
    ({"docs/one.md": "# One\n", "tests/docs/a.c": TEXT}, "tests/docs/a.c: no page shows it"),
    ({"docs/one.md": PAGE + "<!-- sample: tests/docs/a.c -->\n", "tests/docs/a.c": TEXT}, "without its block"),
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
