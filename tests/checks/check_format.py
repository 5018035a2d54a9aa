#!/usr/bin/env python3
"""clang-format has nothing to change in the project's C files. Version 14, since each version lays out a little differently."""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess

import source


def check(root):
    tool = shutil.which("clang-format-14")
    if not tool:
        yield "clang-format-14 is not installed"
        return
    paths = [str(path) for path in source.files(root, {".c", ".h"})]
    style = pathlib.Path(root) / ".clang-format"
    if not style.is_file():
        style = source.REPOSITORY / ".clang-format"
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
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
