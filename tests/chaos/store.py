"""What the nodes share, as the chaos has it: a Redis behind a gate; or a master and a replica behind one each, and a sentinel.

The judge looks past the gates, at the Redis that is the master.
"""

import asyncio
import time

from cluster import Redis, accepts, end, find, reserve_port, spawn, wait_for
from gate import Gate
from resp import Resp

MASTER = "chaos"
DOWN_AFTER_MS = 4000        # longer than Redis is cut off, or takes to start
PROMOTED_S = 60


class Store:
    """One Redis. The gate is opened on the loop; the rest may block, and is called off it."""

    gates = ()

    async def open(self):
        self.port = reserve_port()
        self.gates = [await Gate(self.port).open()]
        return self

    def __call__(self, folder):
        self.redis = Redis(folder, self.port)
        self.url = f"redis://127.0.0.1:{self.gates[0].port}/0"
        return self

    def master_port(self):
        return self.redis.port

    def restart(self):
        self.redis.restart()

    def crash(self, forgets):
        self.redis.crash(forgets)

    def shut(self):
        for gate in self.gates:
            gate.shut()

    def unshut(self):
        for gate in self.gates:
            gate.unshut()

    def close(self):
        self.redis.close()


class Watched(Store):
    """A master, a replica that takes over when the sentinel says so, and that sentinel."""

    async def open(self):
        self.ports = [reserve_port(), reserve_port()]
        self.gates = [await Gate(port).open() for port in self.ports]
        self.sentinel_port = reserve_port()
        self.loop = asyncio.get_running_loop()
        return self

    def __call__(self, folder):
        # All know one another by the gates, so that who is sent from one to the other can be cut off there, too.
        self.all = [Redis(folder, port, f"redis{i}", ["--replica-announce-ip", "127.0.0.1", "--replica-announce-port",
                                                      str(self.gates[i].port), "--repl-diskless-sync-delay", "0"])
                    for i, port in enumerate(self.ports)]
        self.replicate(self.all[1], self.gates[0])
        config = folder / "sentinel.conf"
        config.write_text(f"port {self.sentinel_port}\nbind 127.0.0.1\ndir {folder}\n"
                          f"sentinel monitor {MASTER} 127.0.0.1 {self.gates[0].port} 1\n"
                          f"sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}\n"
                          f"sentinel failover-timeout {MASTER} 4000\n")
        self.log = folder / "sentinel.log"
        self.sentinel = spawn([find("redis-server"), str(config), "--sentinel"], self.log)
        wait_for("the sentinel", lambda: accepts(self.sentinel_port), process=self.sentinel, log=self.log)
        self.wait("the sentinel to know the replica", lambda: self.sentinel_ask("REPLICAS", MASTER))
        self.wait("the replica", lambda: self.is_followed(self.all[0]))
        self.url = f"redis-sentinel://127.0.0.1:{self.sentinel_port}/{MASTER}"
        return self

    def wait(self, what, check):
        """As wait_for, for what is asked of a server that may not answer."""
        def ask():
            try:
                return check()
            except OSError:
                return False
        wait_for(what, ask, PROMOTED_S, self.sentinel, self.log)

    def ask(self, port, *words):
        return asyncio.run_coroutine_threadsafe(Resp.once(port, *words), self.loop).result(10)

    def sentinel_ask(self, *words):
        return self.ask(self.sentinel_port, "SENTINEL", *words)

    def replicate(self, redis, gate):
        self.ask(redis.port, "REPLICAOF", "127.0.0.1", str(gate.port))

    def is_followed(self, redis):
        return b"state=online" in self.ask(redis.port, "INFO", "replication")

    def master(self):
        gate = int(self.sentinel_ask("GET-MASTER-ADDR-BY-NAME", MASTER)[1])
        return next(one for one, own in zip(self.all, self.gates) if own.port == gate)

    def master_port(self):
        return self.master().port

    def restart(self):
        self.master().restart()

    def crash(self, forgets):
        self.master().crash(forgets)

    def fail_over(self):
        """The master dies for good, the replica takes over; then the dead comes back as its replica."""
        dead = self.master()
        dead.process.kill()
        dead.process.wait()
        began = time.monotonic()
        self.wait("the replica to be promoted", lambda: self.master() is not dead
                  and b"role:master" in self.ask(self.master().port, "INFO", "replication"))
        took = time.monotonic() - began
        dead.start(["--replicaof", "127.0.0.1", str(self.gates[self.all.index(self.master())].port)])
        self.wait("the old master to follow", lambda: self.is_followed(self.master()))
        return took

    def close(self):
        end(self.sentinel)
        for redis in self.all:
            redis.close()
