#!/usr/bin/env python3
"""A file holds one idea and a function fits a screen: C files end by line 600, functions by line 80.

Files over 500 lines are named, since they likely hold two ideas, but pass.
"""
import sys

import source

FILE_LIMIT, FILE_NOTICE, FUNCTION_LIMIT = 600, 500, 80


def check(root):
    for path in source.files(root, {".c", ".h"}):
        text = source.read(root, path)
        length = text.count("\n")
        if length > FILE_LIMIT:
            yield f"{path}:{FILE_LIMIT + 1}: the file has {length} lines, {FILE_LIMIT} are allowed: split it by idea"
        elif length > FILE_NOTICE:
            print(f"note: {path} has {length} lines; does it hold two ideas?", file=sys.stderr)
        for name, first, last in source.functions(text):
            if last - first + 1 > FUNCTION_LIMIT:
                yield f"{path}:{first}: {name} has {last - first + 1} lines, {FUNCTION_LIMIT} are allowed"


def function_of(lines):
    return "int f(void)\n{\n" + "\tg(\"}\");\n" * (lines - 2) + "}\n"


GOOD = {"core/a.c": function_of(80) + "\n" + "/* } */\n" * 518}
BAD = [
    ({"core/a.c": "int f(void);\n" * 601}, "core/a.c:601: the file has 601 lines"),
    ({"core/a.c": function_of(81)}, "core/a.c:2: f has 81 lines"),
    ({"tests/a.c": "START_TEST(long_one)\n{\n" + "\n" * 80 + "}\nEND_TEST\n"}, "long_one has 82 lines"),
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
