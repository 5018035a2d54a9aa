#!/usr/bin/env python3
"""shellcheck finds nothing in the project's shell scripts, and each script that has a #! line may be executed."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import source


def scripts(root):
    for path in source.files(root):
        text = source.read(root, path) if path.suffix in (".sh", "") else None
        if text is not None and (path.suffix == ".sh" or re.match(r"#!.*\b(?:ba|da)?sh\b", text)):
            yield path, text


def check(root):
    if not shutil.which("shellcheck"):
        yield "shellcheck is not installed"
        return
    names = []
    for path, text in scripts(root):
        names.append(str(path))
        if text.startswith("#!") and not os.access(pathlib.Path(root) / path, os.X_OK):
            yield f"{path}:1: has a #! line but may not be executed"
    if names:
        result = subprocess.run(["shellcheck", "--format=json", "--external-sources", "--source-path=SCRIPTDIR", *names],
                                cwd=root, capture_output=True, text=True)
        for found in json.loads(result.stdout or "[]"):
            yield f"{found['file']}:{found['line']}: SC{found['code']}: {found['message']}"


GOOD = {"lib.sh": "# shellcheck shell=bash\necho \"$HOME\"\n"}
BAD = [
    ({"a.sh": "#!/bin/sh\ncp $1 /tmp\n"}, "a.sh:2: SC2086"),
    ({"run": "#!/bin/sh\ntrue\n"}, "run:1: has a #! line but may not be executed"),
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
