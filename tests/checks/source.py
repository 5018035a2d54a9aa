"""What the checks share: the project's files, C text without its comments, and the two ways a check is run.

A check is a module with

    check(root)   yields findings: "path:line: what is wrong"
    GOOD          a small tree (path -> text) in which it must find nothing
    BAD           a list of (tree, part of the finding that must come out)

and ends with source.main(check, GOOD, BAD). `check_x.py [ROOT]` then checks the project, and `check_x.py --self-test`
proves on the bad trees that the check can fail.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

SKIPPED_FOLDERS = {".git", "build", "node_modules", "dist"}
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def files(root, suffixes=None):
    """The project's files, as paths relative to root: what git tracks or would track, or all when this is no clone."""
    root = pathlib.Path(root)
    if (root / ".git").exists():
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                check=True, capture_output=True, text=True).stdout
        paths = [pathlib.Path(name) for name in listed.split("\0") if name]
    else:
        paths = [path.relative_to(root) for path in root.rglob("*")]
        paths = [path for path in paths if not SKIPPED_FOLDERS & set(path.parts)]
    return sorted({path for path in paths
                   if (root / path).is_file() and (suffixes is None or path.suffix in suffixes)})


def read(root, path):
    """The text of a file; None when it is no text."""
    try:
        return (pathlib.Path(root) / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


# A comment, a string, a character constant, or one other character.
_TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|.""", re.S)


def blank(text, strings=True):
    """The text with comments (and what is inside strings) replaced by spaces: offsets and lines stay as they were."""
    def hide(match):
        token = match.group()
        if token.startswith("/*") or token.startswith("//"):
            return re.sub(r"[^\n]", " ", token)
        if strings and len(token) > 1:
            return token[0] + " " * (len(token) - 2) + token[-1]
        return token
    return _TOKEN.sub(hide, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def functions(text):
    """(name, first line, last line) of each function that C text defines; the style puts both its braces in column 0."""
    lines = blank(text).split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line.rstrip() == "{":
            start = number
        elif line.startswith("}") and start is not None:
            head = " ".join(lines[max(0, start - 6):start - 1])
            names = re.findall(r"(\w+)\s*\(", head.rsplit(";", 1)[-1].rsplit("}", 1)[-1])
            named = re.search(r"START_TEST\s*\(\s*(\w+)", head)
            yield (named.group(1) if named else names[0] if names else "?", start, number)
            start = None


def plant(tree, root):
    for path, text in tree.items():
        path = pathlib.Path(root) / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _self_test(check, good, bad):
    wrong = []
    with tempfile.TemporaryDirectory() as root:
        plant(good, root)
        wrong += [f"the good tree: {finding}" for finding in check(root)]
    for tree, expected in bad:
        with tempfile.TemporaryDirectory() as root:
            plant(tree, root)
            findings = list(check(root))
            if not any(expected in finding for finding in findings):
                wrong.append(f"did not find '{expected}', but {findings or 'nothing'}")
    return wrong


def main(check, good, bad):
    arguments = sys.argv[1:]
    if arguments[:1] == ["--self-test"]:
        found = _self_test(check, good, bad)
        print("\n".join(found) if found else f"finds all {len(bad)} bad examples, and nothing in the good one")
    else:
        found = list(check(arguments[0] if arguments else REPOSITORY))
        print("\n".join(found) if found else "nothing found")
    sys.exit(1 if found else 0)
