#!/usr/bin/env python3
"""Files name no place of one machine and no host that the project does not mean to name.

Addresses may be of hosts on the list below; a lock file of npm holds none at all (npm finds its registry by itself).
"""
import re

import source

HOSTS = {
    "localhost", "127.0.0.1", "0.0.0.0", "[::1]",
    "www.rfc-editor.org", "datatracker.ietf.org", "www.w3.org", "html.spec.whatwg.org", "websockets.spec.whatwg.org",
    "json-schema.org", "prometheus.io", "opentelemetry.io",
    "keepachangelog.com", "semver.org", "spdx.org",
}
RESERVED = re.compile(r"(?:^|\.)(?:example|test|invalid|localhost)(?:\.|$)")   # RFC 2606, and what looks alike in tests
URL = re.compile(r"\b(?:https?|wss?|git\+https?|ftp)://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)")
REGISTRY = re.compile(r"\b(?:registry|mirrors?|deb|proxy|packages)\.[a-z0-9-]+\.(?:org|com|io|net|dev)\b", re.I)
MACHINE = re.compile(r"(?<![\w.$}~-])/(?:work|home/\w+|root|Users/\w+)/")
# A service that runs by these names on a network of its own.
SERVICES = re.compile(r"^[a-z][a-z0-9-]*$")
CORPUS = "tests/fuzz/"     # bytes for parsers; what they name is never reached


def check(root):
    for path in source.files(root):
        text = source.read(root, path)
        if text is None or str(path).startswith(CORPUS):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            for host in URL.findall(line):
                host = host.rstrip(".").lower()
                if host and host not in HOSTS and not RESERVED.search(host) and not SERVICES.match(host):
                    yield f"{path}:{number}: names the host {host}"
            for pattern, what in ((REGISTRY, "a package registry"), (MACHINE, "a place of one machine")):
                if pattern.search(line):
                    yield f"{path}:{number}: names {what}: {pattern.search(line).group()}"
            if path.name == "package-lock.json" and '"resolved"' in line:
                yield f"{path}:{number}: the lock file names where packages come from (omit-lockfile-registry-resolved)"


WEB = "https:" + "//"
GOOD = {"a.md": f"{WEB}www.rfc-editor.org/rfc/rfc6455 http://localhost:3000/ wss://live.example.com ./work/x $HOME/root/"}
BAD = [
    ({"a.md": f"see\n{WEB}" + "some.where.net/x"}, "a.md:2: names the host some.where.net"),
    ({"Dockerfile": "FROM registry" + ".where.io/debian"}, "names a package registry"),
    ({"a.sh": "cd /wo" + "rk/main"}, "a.sh:1: names a place of one machine"),
    ({"a.json": '"/ho' + 'me/someone/x"'}, "names a place of one machine"),
    ({"package-lock.json": '{\n"resolved": ""}'}, "package-lock.json:2: the lock file names"),
]

if __name__ == "__main__":
    source.main(check, GOOD, BAD)
