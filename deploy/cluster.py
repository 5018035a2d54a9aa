"""A cluster on one machine: Redis, nodes, a balancer. Behind deploy/cluster.sh, and what tests/chaos.sh torments.

All listen on 127.0.0.1 and keep their files in one temporary folder; close() ends them and removes it. The balancers run
with deploy/haproxy.cfg and deploy/nginx.conf, with other addresses put in.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

DEPLOY = pathlib.Path(__file__).resolve().parent
START_S = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, check, seconds=START_S):
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            raise RuntimeError(f"waited in vain for {what}")
        time.sleep(0.02)


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
    def __init__(self, folder, port):
        self.folder, self.port, self.process = folder, port, None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [shutil.which("redis-server") or "/usr/bin/redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
             "--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "always", "--save", ""],
            stdout=open(self.folder / "redis.log", "a"), stderr=subprocess.STDOUT)
        wait_for("Redis", lambda: accepts(self.port))

    def restart(self):
        end(self.process)
        self.start()


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
        self.process = subprocess.Popen(words, stdout=open(self.log, "a"), stderr=subprocess.STDOUT, env=env)
        wait_for(f"node {self.number}", lambda: answers(self.port))

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
        wait_for(f"node {self.number} to leave", lambda: not self.is_alive(), 60)

    def restart(self):
        self.stop()
        self.start()

    def upgrade(self):
        old = self.pid()
        subprocess.run([str(self.cluster.program), "upgrade", "--pid-file", str(self.pid_file)], check=True,
                       stdout=subprocess.DEVNULL)
        wait_for("the old one to leave", lambda: self.process.poll() is not None or old != self.process.pid)


class Balancer:
    def __init__(self, cluster, kind, port):
        self.cluster, self.kind, self.port = cluster, kind, port
        self.config = cluster.folder / ("haproxy.cfg" if kind == "haproxy" else "nginx.conf")
        self.config.write_text(render(kind, port, [node.port for node in cluster.nodes], cluster.folder))
        program = shutil.which(kind) or f"/usr/sbin/{kind}"
        if kind == "haproxy":
            self.pid_file = cluster.folder / "haproxy.pid"
            self.words = [program, "-W", "-q", "-f", str(self.config), "-p", str(self.pid_file)]
        else:
            self.words = [program, "-p", str(cluster.folder), "-c", str(self.config), "-g", "daemon off;"]
        self.process = subprocess.Popen(self.words, stdout=open(cluster.folder / "balancer.log", "a"),
                                        stderr=subprocess.STDOUT)
        wait_for(kind, lambda: answers(port))

    def reload(self):
        """Takes its configuration anew, as after a change; connections that are there stay with the old workers."""
        self.process.send_signal(signal.SIGUSR2 if self.kind == "haproxy" else signal.SIGHUP)
        wait_for(self.kind, lambda: answers(self.port))


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
    def __init__(self, program, components, nodes=3, balancer="haproxy", port=0, settings=(), redis_url=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="liveshard-cluster-"))
        self.program, self.components, self.settings = program, components, list(settings)
        self.secret = os.urandom(24).hex()
        self.redis = self.balancer = None
        self.nodes = []
        try:
            self.redis = Redis(self.folder, free_port())
            self.redis_url = redis_url(self.redis.port) if redis_url else f"redis://127.0.0.1:{self.redis.port}/0"
            self.nodes = [Node(self, number, free_port()) for number in range(1, nodes + 1)]
            for node in self.nodes:
                node.start()
            self.balancer = Balancer(self, balancer, port or free_port())
            self.port = self.balancer.port
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.balancer:
            end(self.balancer.process)
        for node in self.nodes:
            try:
                node.signal(signal.SIGCONT)
                node.stop()
            except (OSError, AttributeError, RuntimeError):
                pass
            if node.process:
                end(node.process)
        if self.redis:
            end(self.redis.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self, lines=15):
        for path in sorted(self.folder.glob("*.log")):
            print(f"---- {path.name}\n" + "\n".join(path.read_text(errors="replace").split("\n")[-lines:]))
