#!/usr/bin/env python3
"""embedded.py PROGRAM: runs the example that embeds a server, and asks it what clients would."""
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import liveclient  # noqa: E402


class Embedded(liveclient.Server):
    """The example on a free port; it ends well when its input does."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, "--port", "0", "--shards", "2", "--log-level", "error"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().strip()
        assert line.startswith("http://localhost:"), line
        self.unix, self.port = None, int(line.rsplit(":", 1)[1])

    def stop(self):
        self.process.stdin.close()
        status = self.process.wait(liveclient.DEADLINE)
        self.process.stdout.close()
        assert status == 0, status

    def __exit__(self, *_):
        self.stop()


def main(program):
    with Embedded(program) as server:
        status, _, body = server.http("GET", "/hello")
        assert (status, body) == (200, b"hello\n"), (status, body)
        assert server.http("POST", "/hello")[0] == 405
        assert server.get_json("/api/live/components") == {"names": ["Counter"]}
        client = liveclient.Client(server)
        counter = client.mount("Counter")
        assert counter.act("increment")["success"]
        counter.wait_state(count=1)
        for token, known in (("sesame", True), ("barley", False)):
            reply = client.request("AUTH", payload={"token": token})
            assert reply["authenticated"] is known, reply
        shown = server.stats()
        assert shown["connections"]["totalConnections"] == 1, json.dumps(shown)
        client.close()


if __name__ == "__main__":
    main(sys.argv[1])
    print("the embedded server does its work")
