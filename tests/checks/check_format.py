#!/usr/bin/env python3
"""clang-format has nothing to change in the project's C files. Version 14, since each version lays out a little differently.

Also held: a line of a comment begins with " * ". (clang-format joins what is behind the star when it breaks a long line of a
comment that has lines with a tab there.)
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess

import source


COMMENT = re.compile(r"^[ \t]*/\*.*?\*/", re.S | re.M)
JOINED = re.compile(r"^[ \t]*\*[^\s*/]", re.M)


def joined_lines(root, paths):
    """Lines of comments whose words touch the star."""
    for path in paths:
        text = source.read(root, path)
        for comment in COMMENT.finditer(text):
            for match in JOINED.finditer(text, comment.start(), comment.end()):
                yield f"{path}:{source.line_of(text, match.start())}: a comment's line whose words touch the star"


def check(root):
    tool = shutil.which("clang-format-14")
    if not tool:
        yield "clang-format-14 is not installed"
        return
    paths = [str(path) for path in source.files(root, {".c", ".h"})]
    style = pathlib.Path(root) / ".clang-format"
    if not style.is_file():
        style = source.REPOSITORY / ".clang-format"
    yield from joined_lines(root, paths)
    command = [tool, f"--style=file:{style.resolve()}", "--dry-run", "-Werror"]

    def layout(some):
        return subprocess.run(command + some, cwd=root, capture_output=True, text=True).stderr if some else ""

    slices = [paths[part::os.cpu_count()] for part in range(os.cpu_count())]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        complaints = "".join(pool.map(layout, slices))
    for path, line in sorted(set(re.findall(r"^([^\s:]+):(\d+):\d+: (?:error|warning)", complaints, re.M))):
        yield f"{path}:{line}: is not laid out as .clang-format says (clang-format-14 -i {path})"


GOOD = {"core/a.c": "int f(int n)\n{\n\tif (n)\n\t\treturn 1;\n\treturn 0;\n}\n"}
BAD = [
    ({"core/a.c": "int f(int n) {\n\treturn n;\n}\n"}, "core/a.c:1: is not laid out"),
    ({"core/a.h": "int f(void);\nint  g(void);\n"}, "core/a.h:2: is not laid out"),
    ({"core/a.h": "/*\n * one\n *two\n */\n"}, "core/a.h:3: a comment's line"),
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
