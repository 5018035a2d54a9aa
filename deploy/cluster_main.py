"""The command behind deploy/cluster.sh."""

import argparse
import os
import pathlib
import random
import time

from cluster import Cluster
from guard import Interrupted, Trouble, guarded

ROOT = pathlib.Path(__file__).resolve().parents[1]
KILL_EVERY_S = (3, 8)


def number(kind, least, most):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from {least} to {most}")
        return value
    return parse


def read_arguments():
    parser = argparse.ArgumentParser(prog="deploy/cluster.sh", usage="deploy/cluster.sh --help tells")
    parser.add_argument("--nodes", type=number(int, 1, 64), default=3)
    parser.add_argument("--port", type=number(int, 0, 65535), default=8080)
    parser.add_argument("--seconds", type=number(float, 0, 1e9), default=0)
    parser.add_argument("--balancer", choices=("haproxy", "nginx"), default="haproxy")
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/server/liveshard")
    parser.add_argument("--components", type=pathlib.Path, default=ROOT / "build/release/components")
    wanted = parser.parse_args()
    if not os.access(wanted.program, os.X_OK):
        parser.error(f"no server at {wanted.program}")
    if not wanted.components.is_dir():
        parser.error(f"no folder {wanted.components}")
    return wanted


def settings():
    script = ROOT / "build/release/public/live-client.js"
    return ["--public", str(ROOT / "examples/page"), *(["--client-script", str(script)] if script.exists() else []),
            "--cluster-lease-ms", "3000", "--cluster-heartbeat-ms", "1000"]


def torment(cluster):
    victim = random.choice(cluster.nodes)
    victim.kill()
    print(f"killed node {victim.number}", flush=True)
    victim.start()
    print(f"started node {victim.number}", flush=True)


def watch(cluster):
    """A process that ends without being asked is trouble."""
    for node in cluster.nodes:
        if not node.is_alive():
            raise Trouble(f"node {node.number} has ended, its log is:\n{node.log.read_text(errors='replace')[-2000:]}")
    for name, process in (("Redis", cluster.store.process), (cluster.balancer.kind, cluster.balancer.process)):
        if process.poll() is not None:
            raise Trouble(f"{name} has ended with status {process.returncode}")


def serve(wanted):
    cluster = Cluster(wanted.program, wanted.components, wanted.nodes, wanted.balancer, wanted.port, settings())
    try:
        print(f"listening on http://127.0.0.1:{cluster.port}")
        for node in cluster.nodes:
            print(f"node {node.number} on http://127.0.0.1:{node.port}")
        print(f"files in {cluster.folder}", flush=True)
        until = time.monotonic() + (wanted.seconds or 1e12)
        next_kill = time.monotonic() + random.uniform(*KILL_EVERY_S)
        while time.monotonic() < until:
            time.sleep(min(0.2, max(0, until - time.monotonic())))
            watch(cluster)
            if wanted.kill and time.monotonic() > next_kill and until - time.monotonic() > 1:
                torment(cluster)
                next_kill = time.monotonic() + random.uniform(*KILL_EVERY_S)
    except Interrupted:
        pass        # that is how it ends
    finally:
        cluster.close()


if __name__ == "__main__":
    arguments = read_arguments()
    guarded(lambda: serve(arguments), "deploy/cluster.sh")
