"""A cluster on one machine: Redis, nodes, a balancer. Behind deploy/cluster.sh, and what tests/chaos.sh torments.

All listen on 127.0.0.1 and keep their files in one temporary folder; close() ends them and removes it. The balancers run
with deploy/haproxy.cfg and deploy/nginx.conf, with other addresses put in.
"""

import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from guard import Trouble

DEPLOY = pathlib.Path(__file__).resolve().parent
START_S = 60
END_S = 10
RESERVED = []       # sockets whose names say that a port is ours


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def reserve_port():
    """A free port that stays ours while its server is down: below those that the system gives to connections, and named
    for others that do the same."""
    try:
        first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first = 32768
    for _ in range(1000):
        port = random.SystemRandom().randrange(10000, max(first, 11000))
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0liveshard-port-{port}")
        except OSError:
            name.close()
            continue
        if is_free(port):
            RESERVED.append(name)
            return port
        name.close()
    raise Trouble("no free port was found")


def wait_for(what, check, seconds=START_S, process=None, log=None):
    """Until check() is true; a process that ends before that is trouble at once."""
    end = time.monotonic() + seconds
    while not check():
        if process and process.poll() is not None:
            raise Trouble(f"{what} ended at once, with status {process.returncode}{tail(log)}")
        if time.monotonic() > end:
            raise Trouble(f"waited {seconds} s in vain for {what}{tail(log)}")
        time.sleep(0.02)


def tail(path, lines=5):
    if not path or not path.exists():
        return ""
    return ":\n" + "\n".join(path.read_text(errors="replace").strip().split("\n")[-lines:])


def spawn(words, log, **more):
    """In a session of its own, so that Ctrl-C at a terminal is only for who started it."""
    try:
        with open(log, "a") as out:
            return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                                    **more)
    except OSError as error:
        raise Trouble(f"{words[0]}: {error.strerror}") from error


def find(program):
    return shutil.which(program) or f"/usr/sbin/{program}"


def answers(port, path="/readyz"):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as reply:
            return reply.status == 200
    except OSError:
        return False


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def end(process, number=signal.SIGTERM, seconds=20):
    """Ends it in the orderly way, or in the other one."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Redis:
    """One that keeps what it has answered for, also when it is killed."""

    def __init__(self, folder, port=None, name="redis", words=()):
        self.folder, self.name, self.port, self.words = folder, name, port or reserve_port(), list(words)
        self.process = None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, words=()):
        (self.folder / self.name).mkdir(exist_ok=True)
        log = self.folder / f"{self.name}.log"
        self.process = spawn([find("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--dir",
                              str(self.folder / self.name), "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                              *self.words, *words], log)
        wait_for(self.name, lambda: accepts(self.port), process=self.process, log=log)

    def restart(self):
        end(self.process)
        self.start()

    def crash(self, forgets=False):
        """Ends at once, and comes back with what is in its file, or with nothing."""
        self.process.kill()
        self.process.wait()
        if forgets:
            shutil.rmtree(self.folder / self.name)
        self.start()

    def close(self):
        if self.process:
            end(self.process)


class Node:
    """One server; after an upgrade its process is another one than the first, known by the pid file."""

    def __init__(self, cluster, number, port):
        self.cluster, self.number, self.port = cluster, number, port
        self.pid_file = cluster.folder / f"node{number}.pid"
        self.process = None

    def start(self):
        self.pid_file.unlink(missing_ok=True)
        words = [str(self.cluster.program), "--host", "127.0.0.1", "--port", str(self.port), "--node", f"node{self.number}",
                 "--components", str(self.cluster.components), "--pid-file", str(self.pid_file), *self.cluster.settings]
        env = {**os.environ, "LIVE_STATE_SECRET": self.cluster.secret, "LIVE_REDIS_URL": self.cluster.redis_url}
        self.log = self.cluster.folder / f"node{self.number}.log"
        self.process = spawn(words, self.log, env=env)
        wait_for(f"node {self.number}", lambda: answers(self.port), process=self.process, log=self.log)

    def pid(self):
        try:
            return int(self.pid_file.read_text())
        except (OSError, ValueError):
            return self.process.pid

    def signal(self, number):
        os.kill(self.pid(), number)

    def is_alive(self):
        self.process.poll()
        try:
            os.kill(self.pid(), 0)
            return "\nState:\tZ" not in pathlib.Path(f"/proc/{self.pid()}/status").read_text()
        except OSError:
            return False

    def kill(self):
        self.signal(signal.SIGKILL)
        wait_for("the dead", lambda: not self.is_alive())

    def stop(self):
        if self.process is None or not self.is_alive():
            return
        self.signal(signal.SIGTERM)
        wait_for(f"node {self.number} to leave", lambda: not self.is_alive())

    def restart(self):
        self.stop()
        self.start()

    def upgrade(self):
        old = self.pid()
        done = subprocess.run([str(self.cluster.program), "upgrade", "--pid-file", str(self.pid_file)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise Trouble(f"node {self.number} could not be upgraded: {done.stdout.strip()}{tail(self.log)}")
        wait_for("the old one to leave", lambda: self.process.poll() is not None or old != self.process.pid)


class Balancer:
    def __init__(self, cluster, kind, port):
        self.cluster, self.kind, self.port = cluster, kind, port
        self.config = cluster.folder / ("haproxy.cfg" if kind == "haproxy" else "nginx.conf")
        self.config.write_text(render(kind, port, [node.port for node in cluster.nodes], cluster.folder))
        self.log = cluster.folder / "balancer.log"
        program = find(kind)
        if kind == "haproxy":
            self.pid_file = cluster.folder / "haproxy.pid"
            self.words = [program, "-W", "-q", "-f", str(self.config), "-p", str(self.pid_file)]
        else:
            self.words = [program, "-p", str(cluster.folder), "-c", str(self.config), "-g", "daemon off;"]
        # A balancer would share the port with another one of its kind.
        if not is_free(port):
            raise Trouble(f"port {port} is taken")
        self.process = spawn(self.words, self.log)
        wait_for(kind, lambda: answers(port), process=self.process, log=self.log)

    def reload(self):
        """Takes its configuration anew, as after a change; connections that are there stay with the old workers."""
        self.process.send_signal(signal.SIGUSR2 if self.kind == "haproxy" else signal.SIGHUP)
        wait_for(self.kind, lambda: answers(self.port), process=self.process, log=self.log)


def render(kind, port, nodes, folder):
    """The balancer's configuration with our addresses."""
    if kind == "haproxy":
        text = (DEPLOY / "haproxy.cfg").read_text()
        text = re.sub(r"bind :\d+", f"bind 127.0.0.1:{port}", text).replace("maxconn 100000", "maxconn 4000")
        servers = "\n".join(f"\tserver node{i} 127.0.0.1:{node}" for i, node in enumerate(nodes, 1))
        return re.sub(r"(\tserver node\d+ \S+\n?)+", lambda _: servers + "\n", text)
    text = (DEPLOY / "nginx.conf").read_text()
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("pid nginx.pid", f"pid {folder}/nginx.pid")
    text = text.replace("worker_processes auto", "worker_processes 1").replace("16384", "4000")
    paths = "".join(f"\t{name}_temp_path {folder}/nginx-{name};\n"
                    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = text.replace("http {\n", "http {\n" + paths)
    servers = "\n".join(f"\t\tserver 127.0.0.1:{node} max_fails=0;" for node in nodes)
    return re.sub(r"(\t\tserver node\d+\S* [^\n]*\n)+", lambda _: servers + "\n", text)


class Cluster:
    """store(folder): what the nodes share, by default a Redis; it has a url and close()."""

    def __init__(self, program, components, nodes=3, balancer="haproxy", port=0, settings=(), store=Redis):
        if port and not is_free(port):
            raise Trouble(f"port {port} is taken")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="liveshard-cluster-"))
        self.program, self.components, self.settings = program, components, list(settings)
        self.secret = os.urandom(24).hex()
        self.store = self.balancer = None
        self.nodes = []
        try:
            self.store = store(self.folder)
            self.redis_url = self.store.url
            self.nodes = [Node(self, number, reserve_port()) for number in range(1, nodes + 1)]
            for node in self.nodes:
                node.start()
            self.balancer = Balancer(self, balancer, port or reserve_port())
            self.port = self.balancer.port
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.balancer:
            end(self.balancer.process)
        started = [node for node in self.nodes if node.process]
        for node in started:
            for number in (signal.SIGCONT, signal.SIGTERM):
                if node.is_alive():
                    node.signal(number)
        until = time.monotonic() + END_S
        while any(node.is_alive() for node in started) and time.monotonic() < until:
            time.sleep(0.02)
        for node in started:
            if node.is_alive():
                node.kill()
            end(node.process, signal.SIGKILL)
        if self.store:
            self.store.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self, lines=15):
        for path in sorted(self.folder.glob("*.log")):
            print(f"---- {path.name}\n" + "\n".join(path.read_text(errors="replace").split("\n")[-lines:]))
