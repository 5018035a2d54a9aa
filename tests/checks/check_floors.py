#!/usr/bin/env python3
"""Includes point down: include/live -> core -> shard -> pubsub -> redis -> server -> stage, and never in a circle.

Also held: a source includes its own header first; a quoted include is a path from the root that exists; each floor keeps
clear of what docs/architecture.md says it knows nothing of; authors' code (examples, the C client) sees <live/...> only.
"""
import pathlib
import re

import source

FLOORS = ["include", "core", "shard", "pubsub", "redis", "server", "stage"]
AUTHORS = ("examples/", "clients/c/")
SOCKETS = r"sys/socket\.h|netinet/.*|arpa/.*|netdb\.h|sys/un\.h|event2/.*"
UNKNOWN = {  # floor -> what it knows nothing of
    "include": SOCKETS + r"|pthread\.h|hiredis/.*|msgpack.*|openssl/.*",
    "core": SOCKETS + r"|threads\.h|hiredis/.*|openssl/.*",
    "shard": r"core/json\.h|core/diff\.h|live/.*|msgpack.*|hiredis/.*|openssl/.*|llhttp.*",
    "pubsub": SOCKETS + r"|hiredis/.*|llhttp.*",
    "redis": r"llhttp.*",
}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">\n]+)[">]', re.M)


def includes(text):
    """(line, quote, target) of each include that is not in a comment."""
    visible = source.blank(text, strings=False)
    for match in INCLUDE.finditer(visible):
        yield source.line_of(visible, match.start()), match.group(1), match.group(2)


def judge(root, path, line, quote, target):
    """What is wrong with one include, or None."""
    floor, folder = path.parts[0], target.split("/")[0]
    known = any((root / name).is_file() for name in (target, f"{target}.in", f"include/{target}"))
    if quote == '"' and floor != "tests" and not known:
        return f'"{target}" is no path from the root'
    if quote == '"' and str(path).startswith(AUTHORS) and not target.startswith(tuple(AUTHORS)):
        return f'"{target}": authors\' code includes <live/...> only'
    if floor in FLOORS and quote == '"':
        if folder == "live":
            return f'"{target}" is public: write <{target}>'
        if folder not in FLOORS:
            return f'"{target}" is on no floor'
        if FLOORS.index(folder) > FLOORS.index(floor):
            return f'"{target}" points up from {floor}/'
    if floor in UNKNOWN and re.fullmatch(UNKNOWN[floor], target):
        return f"{floor}/ knows nothing of {target}"
    return None


def circles(edges):
    """The circles in a graph (node -> set of nodes), each as a list that starts and ends with the same node."""
    done, found = set(), []

    def visit(node, way):
        if node in way:
            found.append(way[way.index(node):] + [node])
        elif node not in done:
            for other in sorted(edges.get(node, ())):
                visit(other, way + [node])
            done.add(node)

    for node in sorted(edges):
        visit(node, [])
    return found


def check(root):
    root = pathlib.Path(root)
    headers, rooms = {}, {}
    for path in source.files(root, {".c", ".h"}):
        targets = list(includes(source.read(root, path)))
        for line, quote, target in targets:
            wrong = judge(root, path, line, quote, target)
            if wrong:
                yield f"{path}:{line}: {wrong}"
            if path.suffix == ".h":
                full = target if quote == '"' else f"include/{target}"
                headers.setdefault(str(path), set()).add(full)
            if path.parts[0] == "server" and target.startswith("server/") and path.suffix == ".h":
                here, there = str(path.parent), str(pathlib.Path(target).parent)
                if here != there:
                    rooms.setdefault(here, set()).add(there)
        own = path.with_suffix(".h")
        if path.suffix == ".c" and path.parts[0] in FLOORS and (root / own).is_file():
            private = str(path.with_name(path.stem + "_private.h"))     # it begins with the own header
            if not targets or targets[0][2] not in (str(own), private):
                yield f'{path}:{targets[0][0] if targets else 1}: "{own}" must be the first include'
    for circle in circles(headers) + circles(rooms):
        yield f"{circle[0]}:1: includes go round: {' -> '.join(circle)}"


GOOD = {
    "include/live/value.h": "#include <stddef.h>\n",
    "core/str.h": "#include <live/value.h>\n",
    "core/str.c": '#include "core/str.h"\n#include <string.h>\n/* #include "server/main.h" */\n',
    "server/main.c": '#include "core/str.h"\n#include <event2/event.h>\n',
    "examples/counter.c": "#include <live/value.h>\n",
}
BAD = [
    ({"core/a.c": '#include "shard/b.h"\n', "shard/b.h": ""}, "core/a.c:1: \"shard/b.h\" points up"),
    ({"include/live/a.h": '#include "core/b.h"\n', "core/b.h": ""}, "points up from include/"),
    ({"core/a.c": "#include <sys/socket.h>\n"}, "core/ knows nothing of sys/socket.h"),
    ({"shard/a.c": '#include "core/json.h"\n', "core/json.h": ""}, "shard/ knows nothing of core/json.h"),
    ({"core/a.c": '#include <stdio.h>\n#include "core/a.h"\n', "core/a.h": ""}, "must be the first include"),
    ({"core/a.c": '#include "b.h"\n', "core/b.h": ""}, "is no path from the root"),
    ({"examples/a.c": '#include "core/b.h"\n', "core/b.h": ""}, "authors' code"),
    ({"core/a.h": '#include "core/b.h"\n', "core/b.h": '#include "core/a.h"\n'}, "includes go round: core/a.h"),
    ({"server/x/a.h": '#include "server/y/a.h"\n', "server/y/a.h": "",
      "server/y/b.h": '#include "server/x/b.h"\n', "server/x/b.h": ""}, "includes go round: server/x -> server/y"),
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
