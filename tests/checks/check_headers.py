#!/usr/bin/env python3
"""Each header stands alone: included first, and twice, it compiles as C17; the public ones also strictly, and as C++17."""
import concurrent.futures
import os
import pathlib
import shlex
import subprocess

import source

FOLDERS = ("include", "core", "shard", "pubsub", "redis", "server", "clients/c", "tests")
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wstrict-prototypes"]


def library_flags():
    """-I for what headers may include from outside; a library that is not there shows as an error of its header."""
    names = ["libevent_core", "openssl", "zlib", "msgpack", "hiredis", "check"]
    found = [name for name in names if subprocess.run(["pkg-config", "--exists", name]).returncode == 0]
    flags = subprocess.run(["pkg-config", "--cflags", *found], capture_output=True, text=True).stdout
    return shlex.split(flags) + ["-I/usr/share/include", "-I/usr/share/include/llhttp"]


def compile_alone(root, path, compiler, options):
    """The compiler's first complaint about a file that includes just this header, twice; None when it has none."""
    public = str(path).startswith("include/")
    name = f"<{path.relative_to('include')}>" if public else f'"{path}"'
    text = f"#include {name}\n#include {name}\nextern int not_empty;\n"
    command = [compiler, *options, "-fsyntax-only", f"-I{root}/include", "-"]
    if not public:
        command[1:1] = [f"-I{root}", f"-I{root}/tests", "-D_GNU_SOURCE"]
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    if result.returncode == 0:
        return None
    lines = [line for line in result.stderr.splitlines() if "error" in line] or result.stderr.splitlines()
    return f"{path}:1: not alone ({' '.join(options[:2])}): {lines[0] if lines else 'the compiler failed'}"


def check(root):
    root = pathlib.Path(root).resolve()
    cc, cxx = os.environ.get("CC", "cc"), os.environ.get("CXX", "c++")
    library = library_flags()
    jobs = []
    for path in source.files(root, {".h"}):
        if not str(path).startswith(tuple(folder + "/" for folder in FOLDERS)):
            continue
        if str(path).startswith("include/"):
            jobs.append((path, cc, ["-std=c17", "-xc", "-pedantic", *WARNINGS]))
            jobs.append((path, cxx, ["-std=c++17", "-xc++", "-Wall", "-Wextra", "-Werror"]))
        else:
            jobs.append((path, cc, ["-std=gnu17", "-xc", *WARNINGS, *library]))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from filter(None, pool.map(lambda job: compile_alone(root, *job), jobs))


GOOD = {
    "include/live/a.h": "#ifndef A\n#define A\n#include <stddef.h>\ntypedef struct a { size_t n; } a;\n#endif\n",
    "core/b.h": '#ifndef B\n#define B\n#include <live/a.h>\nstruct b { a in; };\n#endif\n',
}
BAD = [
    ({"core/b.h": "size_t b(void);\n"}, "core/b.h:1: not alone"),
    ({"core/b.h": "struct b { int n; };\n"}, "redefinition"),
    ({"include/live/a.h": "#ifndef A\n#define A\nint a(int class);\n#endif\n"}, "not alone (-std=c++17"),
    ({"include/live/a.h": "#ifndef A\n#define A\ntypedef struct a {} a;\n#endif\n"}, "not alone (-std=c17"),
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
