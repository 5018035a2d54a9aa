"""A replica takes over, by Sentinel, while three servers count in a cluster room and in a singleton: also a replica that
has not heard of the last changes, though they were answered."""

import os
import socket
import subprocess
import tempfile

from cluster_support import Counter, Redis, Resp, check_sums, until
from liveclient import DEADLINE, main
from shared_rooms import Clicker, Together, check_sum, count_on

PATIENT = {"cluster_room_ms": 60000, "cluster_timeout_ms": 5000, "cluster_lease_ms": 30000}
UNKNOWN = {"Cluster action timeout after 5000ms"}     # the message to the owner, or its answer, went with the old master


class Sentinel:
    """Watches one master, and leads to it."""

    def __init__(self, master):
        self.folder = tempfile.TemporaryDirectory()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis-sentinel://127.0.0.1:{self.port}/main"
        path = os.path.join(self.folder.name, "sentinel.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"sentinel monitor main 127.0.0.1 {master.port} 1\n"
                       "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 5000\n")
        self.process = subprocess.Popen(
            ["redis-server", path, "--sentinel", "--port", str(self.port), "--bind", "127.0.0.1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder.name)

    def knows_replica(self):
        try:
            with Resp(self.port) as ask:
                found = ask("SENTINEL", "REPLICAS", "main")
        except OSError:
            return False
        return len(found) == 1 and b"slave" in found[0]

    def master_port(self):
        with Resp(self.port) as ask:
            return int(ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()


def has_caught_up(replica):
    with replica.client() as ask:
        return b"master_link_status:up" in ask("INFO", "replication")


def take_over(program, components, is_behind):
    with Redis() as master, Redis() as replica:
        with master.client() as ask:
            ask("CONFIG", "SET", "repl-diskless-sync-delay", "0")
        with replica.client() as ask:
            ask("REPLICAOF", "127.0.0.1", master.port)
        until("the replica", lambda: has_caught_up(replica))
        with Sentinel(master) as sentinel:
            until("the sentinel", sentinel.knows_replica)
            with Together(program, components, sentinel, **PATIENT) as nodes:
                play(nodes, master, replica, sentinel, is_behind)


def play(nodes, master, replica, sentinel, is_behind):
    clickers = [Clicker(nodes[n % 3]) for n in range(6)]
    counters = [Counter(nodes[n % 3]) for n in range(6)]
    count_on(clickers, 100)
    if is_behind:
        with replica.client() as ask:       # from now on it hears nothing
            ask("REPLICAOF", "127.0.0.1", 1)
    lone = sum(counter.acknowledged for counter in counters)
    count_on(clickers, 60)
    until("changes that one Redis has", lambda: sum(c.acknowledged for c in counters) > lone + 30)
    master.kill()
    until("the replica to be the master", lambda: sentinel.master_port() == replica.port, 3 * DEADLINE)
    count_on(clickers, 200)
    lone = sum(counter.acknowledged for counter in counters)
    until("the singleton to go on", lambda: sum(c.acknowledged for c in counters) > lone + 50)
    assert check_sum(nodes, replica, clickers)[1] == 0
    for counter in counters:
        counter.end()
        assert counter.failure is None and set(counter.errors) <= UNKNOWN, counter.errors
    last = nodes[0].client().mount("Board")
    check_sums(counters, last.act("add")["result"] - 1)


def case_a_replica_takes_over(program, components):
    take_over(program, components, False)


def case_a_replica_that_is_behind_takes_over(program, components):
    take_over(program, components, True)


if __name__ == "__main__":
    main(globals())
