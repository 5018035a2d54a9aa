#!/usr/bin/env python3
"""Runs the load generator: all scenarios against the floor must be well, and each fault of a faulty server must be noticed.

usage: test_bench.py LIVESHARD-BENCH LIVESHARD-FLOOR
"""
import asyncio
import json
import subprocess
import sys
import unittest

from faulty_server import Server

BENCH, FLOOR = sys.argv[1:3]
SHORT = ["--duration", "0.2", "--warmup", "0.05", "--quiet", "--json", "-"]
ROOM = ["room", "--members", "20", "--rate", "100", "--drain", "0.5"]
SCENARIOS = [
    ["connect", "--clients", "50"], ["mount", "--clients", "50"], ["actions", "--clients", "10"],
    ["actions", "--clients", "10", "--rate", "500"], ["actions", "--clients", "10", "--in-flight", "8"],
    ["actions", "--clients", "10", "--members", "2"], ["room", "--members", "20"], ["room", "--members", "20", "--in-flight", "16", "--threads", "2"],
    ["everyone", "--members", "30", "--rounds", "3"], ["everyone", "--members", "30", "--threads", "3"],
    ["steady", "--members", "20", "--rate", "20"], ["rooms", "--clients", "33", "--members", "5", "--rate", "50"],
    ["join", "--members", "40"], ["idle", "--clients", "40", "--members", "10"], ["churn", "--clients", "20"],
    ["slow", "--members", "20", "--slow", "5"], ["room", "--members", "5", "--data", "70000", "--rate", "50"],
]
FAULTS = {  # fault -> scenario, what the one line must say
    "missing": (ROOM, "missing deliveries: 1, for example client"),
    "doubled": (ROOM, "doubled delivery: client"),
    "reordered": (ROOM, "reordered delivery: client"),
    "foreign": (ROOM, "received an event for component somebody"),
    "text": (ROOM, "received what is no message"),
    "masked": (ROOM, "received what is no WebSocket"),
    "closed": (ROOM, "lost its connection"),
    "accept": (["connect", "--clients", "1"], "received what is no WebSocket"),
    "limit": (["actions", "--clients", "2"], "Rate limit exceeded. The server allows too few messages"),
    "delta": (["actions", "--clients", "2"], "count went from 5 to 7"),
}


class Floor(unittest.TestCase):
    def check_mode(self, mode):
        with subprocess.Popen([FLOOR, mode], stdout=subprocess.PIPE, text=True) as floor:
            url = floor.stdout.readline().rpartition("http://")[2].strip()
            try:
                for scenario in SCENARIOS:
                    with self.subTest(scenario=scenario):
                        self.check_scenario(scenario, ["--raw", "--url", f"ws://{url}", "--server-pid", str(floor.pid)])
            finally:
                floor.terminate()
            self.assertEqual(floor.wait(), 0)

    def check_scenario(self, scenario, options):
        run = subprocess.run([BENCH, *scenario, *SHORT, *options], capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        result = json.loads(run.stdout)
        self.assertTrue(result["ok"])
        self.assertGreater(result["units"], 0)
        self.assertGreater(result["servers"][0]["residentTo"], 0)

    def test_each(self):
        self.check_mode("--each")

    def test_batch(self):
        self.check_mode("--batch")


class Faults(unittest.IsolatedAsyncioTestCase):
    async def bench(self, fault, scenario):
        server = Server(fault)
        port = await server.start()
        process = await asyncio.create_subprocess_exec(
            BENCH, *scenario, *SHORT, "--url", f"ws://127.0.0.1:{port}", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, error = await process.communicate()
        server.stop()
        return process.returncode, json.loads(out), error.decode()

    async def test_a_good_server_is_well(self):
        for scenario in (ROOM, ["actions", "--clients", "2"], ["join", "--members", "10"], ["everyone", "--members", "10"]):
            with self.subTest(scenario=scenario):
                status, result, error = await self.bench(None, scenario)
                self.assertEqual((status, result["ok"], error), (0, True, ""))

    async def test_each_fault_is_noticed(self):
        for fault, (scenario, line) in FAULTS.items():
            with self.subTest(fault=fault):
                status, result, error = await self.bench(fault, scenario)
                self.assertEqual((status, result["ok"]), (1, False))
                self.assertIn(line, error)
                self.assertEqual(result["failure"], error.partition("FAILED: ")[2].strip())


class Usage(unittest.TestCase):
    def test_wrong_use_is_told(self):
        for arguments in ([], ["nothing"], ["room"], ["room", "--url"], ["room", "--url", "x", "--members", "1"],
                          ["room", "--url", "http://127.0.0.1:1"], ["room", "--rate", "x", "--url", "ws://127.0.0.1:1"]):
            with self.subTest(arguments=arguments):
                run = subprocess.run([BENCH, *arguments], capture_output=True, text=True)
                self.assertEqual((run.returncode, run.stdout), (2, ""))
                self.assertTrue(run.stderr.startswith("liveshard-bench: "))

    def test_nobody_there_fails(self):
        run = subprocess.run([BENCH, "connect", "--clients", "1", "--url", "ws://127.0.0.1:1"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("cannot connect to 127.0.0.1:1: Connection refused", run.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
