#!/usr/bin/env python3
"""Each header says what it is, and each function in it which threads may call it.

A header opens with a paragraph `name - what it is`. A function carries a tag ([shard], [any], [start], [mail], or one with
a word more: [any but a shard]) in the comment above it or on its line, or takes it from the comment that opens its block of
lines, from the `/* ---- section [tag] ---- */` it is in, or from a `Threads:` or a tag in the header's opening paragraph.
"""
import re

import source

FOLDERS = ("core/", "shard/", "pubsub/", "redis/", "server/", "include/live/")
TAG = re.compile(r"\[(?:any|shard|start|mail|pool|home|main|acceptor)\b[^\]\n]*\]")
SECTION = re.compile(r"/\* ---- .*? ---- \*/", re.S)
COMMENT = re.compile(r"/\*.*?\*/", re.S)
OPENING = re.compile(r"\A/\*\n \* (\S+) - \S")


def statements(text):
    """(first line, last line, text) of each declaration or definition at file level of a header."""
    code = source.blank(text)
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda match: re.sub(r"[^\n]", " ", match.group()), code, flags=re.M)
    code = re.sub(r'extern "\s*" \{', lambda match: " " * len(match.group()), code)
    depth, start = 0, None
    for offset, character in enumerate(code):
        if start is None and not character.isspace():
            if character == "}":        # of extern "C"
                continue
            start = offset
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
        ended = depth == 0 and (character == ";" or (character == "}" and is_function(code[start:offset])))
        if start is not None and ended:
            yield source.line_of(code, start), source.line_of(code, offset), code[start:offset + 1]
            start = None


def is_function(statement):
    """Whether a file-level statement declares or defines a function."""
    head = statement.split("{", 1)[0]
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)(?=\s*(?:;|$|__|\w|\*))", "", head, flags=re.S)
    if re.match(r"\s*(?:typedef|struct\s+\w+\s*$|enum\b[^(]*$|union\b[^(]*$|_Static_assert|static_assert)", head):
        return False
    return re.search(r"\w\s*\((?!\s*\*)[^=]*\)", head) is not None and "=" not in head.split("(", 1)[0]


def tagged(text, first, last):
    """Whether the function on lines first..last (from 1) of a header has a tag."""
    lines = text.split("\n")
    if any(TAG.search(line) for line in lines[first - 1:last]):
        return True
    sections = [match for match in SECTION.finditer(text) if source.line_of(text, match.start()) <= first]
    if sections and TAG.search(sections[-1].group()):
        return True
    number, own = first - 2, True
    while number >= 0 and lines[number].strip():        # up to the blank line above its block
        if lines[number].rstrip().endswith("*/") and re.match(r"\s*(?:/\*|\*|\w)", lines[number]):
            top = number
            while "/*" not in lines[top]:
                top -= 1
            comment = "\n".join(lines[top:number + 1])
            if TAG.search(comment):
                return True
            if own and lines[top].lstrip().startswith("/*"):
                return False        # a comment of its own that has none
            number = top
        own = False
        number -= 1
    return False


def check(root):
    for path in source.files(root, {".h"}):
        if not str(path).startswith(FOLDERS):
            continue
        text = source.read(root, path)
        opening = OPENING.match(text)
        if not opening:
            yield f"{path}:1: opens with no paragraph '{path.stem} - what it is'"
        elif opening.group(1).rstrip(",:") not in (path.stem, f"live_{path.stem}"):
            yield f"{path}:2: is called {path.stem}, but says {opening.group(1)}"
        paragraph = COMMENT.match(text).group() if COMMENT.match(text) else ""
        if "Threads:" in paragraph or TAG.search(paragraph):
            continue
        for first, last, statement in statements(text):
            if is_function(statement) and not tagged(text, first, last):
                name = re.search(r"(\w+)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)", "", statement))
                yield f"{path}:{first}: {name.group(1) if name else statement[:40]} has no thread tag"


HEAD = "/*\n * a - what it is.\n */\n"
GOOD = {
    "core/a.h": HEAD + """
/* [any] Of its own. */
int a_one(int n) __attribute__((warn_unused_result));
int a_two(void);

struct a { int (*call)(int); /* [mail] not a function */ };
typedef void (*a_call)(int);

int a_three(void);   /* [shard] */

/* ---- making [start] ---- */

/* Makes. */
struct a *a_new(int (*back)(void));
static inline int a_four(void)
{
	return 4;
}
""",
    "core/b.h": "/*\n * b - is free. Threads: [any].\n */\nint b_one(void);\n",
    "core/c.h": "/*\n * c - is the shard's: all is [shard].\n */\nint c_one(void);\n",
    "include/live/d.h": "/*\n * live_d - is public. Threads: [any].\n */\nint live_d(void);\n",
    "tests/e.h": "int e(void);\n",
}
BAD = [
    ({"core/a.h": HEAD + "\n/* Does. */\nint a_do(void);\n"}, "core/a.h:6: a_do has no thread tag"),
    ({"core/a.h": HEAD + "\n/* [any] */\nint a_one(void);\n\nint a_two(void);\n"}, "a_two has no thread tag"),
    ({"core/a.h": HEAD + "\n/* [any] */\nint a_one(void);\n/* Does. */\nint a_two(void);\n"}, "a_two has no thread tag"),
    ({"core/a.h": HEAD + "\nstatic inline int a_in(void)\n{\n\treturn 1;\n}\n"}, "a_in has no thread tag"),
    ({"core/a.h": HEAD + "\nstruct a *a_new(int (*back)(void)) __attribute__((malloc));\n"}, "a_new has no thread tag"),
    ({"include/live/a.h": "int live_a(void);\n"}, "opens with no paragraph"),
    ({"core/a.h": "/*\n * b - what?\n */\n"}, "is called a, but says b"),
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
