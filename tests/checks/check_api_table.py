#!/usr/bin/env python3
"""docs/api.md tells the truth: each C name in its tables is declared, each setting exists, each test it names is there.

A row is `| item | in C | proof |`. In C, in backticks: a name of include/live (`live_set`, `LIVE_AUTH`), a member of one of
its structs (`live_definition.auth`), or, after the word setting or message, a setting of the server or a message of the
protocol; or a dash and why it is not there. The proof, in backticks: `file: test`, a test program and a test in it, or a
dash for what is not there.
"""
import pathlib
import re

import source

PAGE = "docs/api.md"
ROW = re.compile(r"^\| (.*) \|$", re.M)
NAME = re.compile(r"(setting |message )?`([^`]+)`")
STRUCT = re.compile(r"typedef struct (\w+) \{[^\n]*\n(.*?)^\} \w+;", re.S | re.M)
TEST = r"START_TEST\({0}\)|^def {0}\(|^{0}\(\) *\{{|^test\(\"{0}\"|add_test\(NAME {0}\b"


def public_names(root):
    """(all words of the public headers, struct -> words of its members)."""
    words, members = set(), {}
    for path in source.files(root, {".h"}):
        if not str(path).startswith("include/live/"):
            continue
        code = source.blank(source.read(root, path))
        words.update(re.findall(r"\b(?:live_|LIVE_)\w+", code))
        for match in STRUCT.finditer(code):
            members[match.group(1)] = set(re.findall(r"\w+", match.group(2)))
    return words, members


def texts(root, folder, suffixes):
    return "\n".join(source.read(root, path) or "" for path in source.files(root, suffixes) if str(path).startswith(folder))


def judge_name(kind, name, known):
    """What is wrong with one name, or None."""
    words, members, settings, protocol = known
    if kind == "setting ":
        return None if name in settings else f"there is no setting {name}"
    if kind == "message ":
        return None if re.search(rf'"{re.escape(name)}"', protocol) else f"the protocol has no message {name}"
    if "." in name:
        struct, _, member = name.partition(".")
        return None if member in members.get(struct, ()) else f"{struct} has no member {member}"
    return None if name in words else f"{name} is not declared in include/live"


def judge_test(root, proof):
    path, _, name = proof.partition(": ")
    if not path.startswith("tests/") or not (root / path).is_file():
        return f"the test {path} is not there"
    if not name:
        return f"{path}: which test of it?"
    text = source.read(root, pathlib.Path(path))
    return None if re.search(TEST.format(re.escape(name)), text, re.M) else f"{path} has no test {name}"


def check(root):
    root = pathlib.Path(root)
    text = source.read(root, pathlib.Path(PAGE)) if (root / PAGE).is_file() else None
    if text is None:
        yield f"{PAGE}:1: it is not there"
        return
    words, members = public_names(root)
    settings = set(re.findall(r"^SETTING_\w+\((\w+)", texts(root, "server/config/", {".def"}), re.M))
    known = words, members, settings, texts(root, "server/", {".c", ".h"})
    rows = 0
    for match in ROW.finditer(text):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", match.group(1))]
        line = source.line_of(text, match.start())
        if cells[-1] in ("proof", "---"):
            continue
        rows += 1
        if len(cells) != 3:
            yield f"{PAGE}:{line}: a row has three cells, not {len(cells)}"
            continue
        names, proofs = NAME.findall(cells[1]), re.findall(r"`([^`]+)`", cells[2])
        if cells[1].startswith("—"):
            if len(cells[1]) < 10:
                yield f"{PAGE}:{line}: why is it not there?"
            continue
        if not names:
            yield f"{PAGE}:{line}: no name in C"
        if not proofs:
            yield f"{PAGE}:{line}: no test proves it"
        for wrong in [judge_name(kind, name, known) for kind, name in names] + [judge_test(root, proof) for proof in proofs]:
            if wrong:
                yield f"{PAGE}:{line}: {wrong}"
    if not rows:
        yield f"{PAGE}:1: no table"


HEAD = "| seed | in C | proof |\n| --- | --- | --- |\n"
TREE = {
    "include/live/a.h": "typedef struct live_a {\n\tint size; /* ghost */\n} live_a;\nLIVE_API void live_go(live_a *a);\n",
    "server/config/settings.def": 'SETTING_FLAG(debug, false, "why")\n',
    "server/protocol/decode.c": 'static const char type[] = "AUTH";\n',
    "tests/unit/test_a.c": "START_TEST(goes)\n{\n}\nEND_TEST\n",
}


def page(*rows):
    return {**TREE, PAGE: HEAD + "".join(row + "\n" for row in rows)}


PROOF = "`tests/unit/test_a.c: goes`"
GOOD = page(f"| go | `live_go`, `live_a.size` | {PROOF} |", f"| debug | setting `debug` | {PROOF} |",
            f"| auth | message `AUTH` | {PROOF} |", "| fly | — there is no air here | — |")
BAD = [
    (page(f"| go | `live_gone` | {PROOF} |"), "docs/api.md:3: live_gone is not declared"),
    (page(f"| go | `live_a.ghost` | {PROOF} |"), "live_a has no member ghost"),
    (page(f"| go | setting `speed` | {PROOF} |"), "there is no setting speed"),
    (page(f"| go | message `FLY` | {PROOF} |"), "the protocol has no message FLY"),
    (page("| go | `live_go` | `tests/unit/test_b.c: goes` |"), "the test tests/unit/test_b.c is not there"),
    (page("| go | `live_go` | `tests/unit/test_a.c: flies` |"), "has no test flies"),
    (page("| go | `live_go` | `tests/unit/test_a.c` |"), "which test of it?"),
    (page("| go | `live_go` | |"), "docs/api.md:3: "),
    (page(f"| go | it goes | {PROOF} |"), "no name in C"),
    (page("| go | `live_go` | surely |"), "no test proves it"),
    (page("| go | — | — |"), "why is it not there?"),
    (page(f"| go | `live_go` | {PROOF} | more |"), "a row has three cells, not 4"),
    (page(), "docs/api.md:1: no table"),
    (TREE, "docs/api.md:1: it is not there"),
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
