"""The command behind deploy/cluster.sh."""

import argparse
import pathlib
import random
import signal
import sys
import time

from cluster import Cluster

ROOT = pathlib.Path(__file__).resolve().parents[1]
KILL_EVERY_S = (3, 8)


def read_arguments():
    parser = argparse.ArgumentParser(prog="deploy/cluster.sh")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--balancer", choices=("haproxy", "nginx"), default="haproxy")
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--program", default=ROOT / "build/release/server/liveshard")
    parser.add_argument("--components", default=ROOT / "build/release/components")
    return parser.parse_args()


def settings():
    script = ROOT / "build/release/public/live-client.js"
    return ["--public", str(ROOT / "examples/page"), *(["--client-script", str(script)] if script.exists() else []),
            "--cluster-lease-ms", "3000", "--cluster-heartbeat-ms", "1000"]


def main():
    wanted = read_arguments()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
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
            if wanted.kill and time.monotonic() > next_kill and until - time.monotonic() > 1:
                victim = random.choice(cluster.nodes)
                victim.kill()
                print(f"killed node {victim.number}", flush=True)
                victim.start()
                print(f"started node {victim.number}", flush=True)
                next_kill = time.monotonic() + random.uniform(*KILL_EVERY_S)
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
