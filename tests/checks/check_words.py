#!/usr/bin/env python3
"""Words that have no place in the project: notes to finish later, functions that are banned, and where."""
import re

import source

# Put together so that this file does not find itself.
LATER = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
TEXTS = {".c", ".h", ".py", ".sh", ".ts", ".js", ".mjs", ".md", ".cmake", ".html", ".css", ".yml", ".yaml", ".txt", ""}

UNBOUNDED = "writes without knowing the room"
BANNED = {  # function -> why
    "strcpy": UNBOUNDED, "strcat": UNBOUNDED, "sprintf": UNBOUNDED, "vsprintf": UNBOUNDED, "gets": UNBOUNDED,
    "stpcpy": UNBOUNDED, "strncpy": "leaves strings without an end", "strncat": "counts the wrong thing",
    "strtok": "keeps hidden state", "asctime": "keeps hidden state", "ctime": "keeps hidden state",
    "gmtime": "keeps hidden state", "localtime": "keeps hidden state",
    "atoi": "cannot tell an error", "atol": "cannot tell an error", "atoll": "cannot tell an error",
    "atof": "cannot tell an error", "rand": "is predictable: core/id.h", "srand": "is predictable: core/id.h",
    "random": "is predictable: core/id.h", "tmpnam": "races: mkstemp", "mktemp": "races: mkstemp",
    "alloca": "has no limit", "setjmp": "skips cleanup", "longjmp": "skips cleanup", "system": "runs a shell",
}
LOCKS = re.compile(r"\b(pthread_(?:mutex|rwlock|spin|cond|create|join)\w*|mtx_\w+|cnd_\w+|sem_\w+|atomic_thread_fence)\s*\(")
ALLOCATORS = re.compile(r"(?<![\w.>])(malloc|calloc|realloc|strdup|strndup)\s*\(")
SLEEPS = re.compile(r"\b(sleep|usleep|nanosleep)\s*\(")
LOOP = re.compile(r"\b(?:while|for) \([^\n]*\n[^\n]*\Z")    # the line above: it looks again and again, until a deadline
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
INSIDE = ("core/", "shard/", "pubsub/", "redis/", "server/")


def rules(path):
    """(pattern, why) of each call that is banned in the file."""
    name = str(path)
    yield CALL, lambda function: BANNED[function]
    if name.startswith(INSIDE) and not name.startswith("shard/"):
        yield LOCKS, lambda function: "threads, locks and fences stay in shard/: send mail instead"
    if name.startswith(INSIDE) and not name.startswith("core/"):
        yield ALLOCATORS, lambda function: "memory comes from core/mem.h"
    if name.startswith(("tests/", *INSIDE)) and "/components/" not in name:     # those play slow authors
        yield SLEEPS, lambda function: "waits for luck: wait for the event, with a deadline"


def check(root):
    for path in source.files(root):
        if path.suffix not in TEXTS or str(path).startswith("tests/fuzz/corpus/"):
            continue
        text = source.read(root, path)
        if text is None:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if LATER.search(line):
                yield f"{path}:{number}: {LATER.search(line).group()}: finish it, or write an issue"
        if path.suffix in (".c", ".h"):
            code = source.blank(text)
            for pattern, why in rules(path):
                for match in pattern.finditer(code):
                    function = match.group(1)
                    if pattern is SLEEPS and LOOP.search(code, 0, match.start()):
                        continue
                    yield f"{path}:{source.line_of(code, match.start())}: {function}() {why(function)}"


GOOD = {
    "core/a.c": 'int f(void)\n{\n\treturn snprintf(b, 2, "strcpy(");   /* strcpy( is not called */\n}\n',
    "shard/a.c": "void f(void)\n{\n\tpthread_mutex_lock(&m);\n}\n",
    "tests/b.c": "\twhile (!done() && now() < deadline)\n\t\tusleep(100);\n",
    "tests/a.c": "void f(struct s *s)\n{\n\ts->rand(1);\n\tlive_rand(2);\n}\n",
}
BAD = [({"docs/a.md": "one\n" + word + ": later\n"}, f"docs/a.md:2: {word}")
       for word in ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]]
BAD += [({"core/a.c": f"int x = {function}(1);\n"}, f"core/a.c:1: {function}()") for function in BANNED]
BAD += [
    ({"pubsub/a.c": "void f(void)\n{\n\tpthread_mutex_lock(&m);\n}\n"}, "pubsub/a.c:3: pthread_mutex_lock()"),
    ({"core/a.h": "atomic_thread_fence(1);\n"}, "core/a.h:1: atomic_thread_fence()"),
    ({"tests/unit/a.c": "\n\tusleep(10);\n"}, "tests/unit/a.c:2: usleep()"),
    ({"server/a.c": "char *p = malloc(1);\n"}, "server/a.c:1: malloc()"),
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
