"""A new process takes the place of the old one, and nobody who connects meanwhile notices."""

import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

from deploy_support import Manager, adopt_orphans, end_ward, read_pid, successor, wait_for, wait_ward
from liveclient import Client, Closed, Server, main

HELLO = (b"GET /api/live/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


class Place:
    """A server that may be replaced: its place is known by a file; ends whoever has it."""

    def __init__(self, program, components, **settings):
        adopt_orphans()
        self.folder = tempfile.TemporaryDirectory()
        self.pid_file = f"{self.folder.name}/pid"
        self.server = Server(program, components=components, pid_file=self.pid_file, **settings)
        wait_for("the file", lambda: read_pid(self.pid_file) == self.server.pid)
        self.pid = self.server.pid

    def upgrade(self):
        """Returns the number of the process that had the place."""
        old = self.pid
        os.kill(old, signal.SIGUSR2)
        self.pid = successor(self.pid_file, old)
        return old

    def wait_old(self, pid):
        if pid == self.server.pid:
            self.server.wait()
        else:
            assert wait_ward(pid) == 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if self.pid == self.server.pid:
                self.server.stop()
            else:
                assert end_ward(self.pid) == 0, "the new one did not end well"
        finally:
            if kind:
                print(self.server.errors()[-3000:])
            self.folder.cleanup()


def case_takes_over(program, components):
    with Place(program, components, env={"LIVE_STATE_SECRET": "x" * 40}, shutdown_ms=5000, signature_renew_ms=1) as place:
        server = place.server
        client = server.client()
        counter = client.mount("Counter")
        counter.act("increment")
        signed = client.wait(type="STATE_SIGNATURE")["payload"]["signedState"]
        old = place.upgrade()
        assert client.wait_close() == (1001, "Server shutting down")
        client.sock.close()
        place.wait_old(old)
        back = server.client()
        reply = back.request("COMPONENT_REHYDRATE", componentId=counter.id,
                             payload={"component": "Counter", "signedState": signed})
        assert reply["success"], reply
        assert next(message for message in back.messages if message["type"] == "STATE_REHYDRATED"
                    or message.get("payload", {}).get("state") == {"count": 1})
        assert server.http("GET", "/readyz")[0] == 200
        assert "serves: leaving" in server.errors()


class Storm:
    """Clients that connect, shake hands and go, one after the other, and count what goes wrong before the handshake is done."""

    def __init__(self, server, threads):
        self.server, self.done, self.bad = server, 0, []
        self.stop, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self.blow) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def once(self):
        with self.server.socket(20) as sock:
            sock.sendall(HELLO)
            answer = b""
            while b"CONNECTION_ESTABLISHED" not in answer:
                part = sock.recv(4096)
                if not part:
                    raise ConnectionError(f"cut after {answer!r}")
                answer += part

    def blow(self):
        while not self.stop.is_set():
            try:
                self.once()
                with self.lock:
                    self.done += 1
            except OSError as error:
                with self.lock:
                    self.bad.append(repr(error))

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def case_storm(program, components):
    """Zero connection attempts are refused or reset across three upgrades."""
    with Place(program, components, shards=2, max_connections=100000) as place:
        storm = Storm(place.server, 6)
        try:
            for _ in range(3):
                before = storm.done
                wait_for("some to come", lambda: storm.done > before + 50)
                place.wait_old(place.upgrade())
            before = storm.done
            wait_for("some to come", lambda: storm.done > before + 50)
        finally:
            storm.end()
        assert not storm.bad, (len(storm.bad), storm.bad[:5])
        print(f"        {storm.done} connections across three upgrades, none refused or reset")


def case_the_queue_survives(program, components):
    """Connections that wait in the kernel's queue, because the old process is full, are the new one's."""
    with Place(program, components, max_connections=2, shutdown_ms=3000) as place:
        server = place.server
        held = server.clients(2)
        waiting = [socket.create_connection(("127.0.0.1", server.port), 30) for _ in range(2)]
        for sock in waiting:
            sock.sendall(HELLO)
        old = place.upgrade()
        for client in held:
            assert client.wait_close()[0] == 1001
            client.sock.close()
        for sock in waiting:
            answer = b""
            while b"CONNECTION_ESTABLISHED" not in answer:
                part = sock.recv(4096)
                assert part, answer
                answer += part
            sock.close()
        place.wait_old(old)


def case_all_doors(program, components):
    with tempfile.TemporaryDirectory() as folder, \
            Place(program, components, host=f"unix:{folder}/door", management_host=f"unix:{folder}/management") as place:
        place.wait_old(place.upgrade())
        assert os.path.exists(f"{folder}/door"), "the old one removed the file"
        place.server.client().mount("Counter")
        place.server.unix = f"{folder}/management"
        assert place.server.http("GET", "/metrics")[0] == 200
        os.kill(place.pid, signal.SIGTERM)
        assert wait_ward(place.pid) == 0
        assert not os.listdir(folder), "the last one leaves nothing"
        place.pid = place.server.pid


def case_by_the_command(program, components):
    with Place(program, components) as place:
        old = place.pid
        result = subprocess.run([program, "upgrade", "--pid-file", place.pid_file], capture_output=True, text=True, timeout=60)
        place.pid = read_pid(place.pid_file)
        assert result.returncode == 0 and result.stdout == f"{place.pid} took the place of {old}\n", result
        place.wait_old(old)
    for words, error in ((["--pid-file", "/no/such/file"], "no server by /no/such/file"), ([], "say by --pid-file")):
        result = subprocess.run([program, "upgrade", *words], capture_output=True, text=True, timeout=60)
        assert result.returncode == 2 and error in result.stderr, result


def case_a_new_one_that_fails(program, components):
    """Nothing happens to the old one, whether the new one ends or is silent."""
    with tempfile.TemporaryDirectory() as folder:
        config = f"{folder}/config"
        with open(config, "w") as file:
            file.write("{}")
        with Place(program, components, config=config, upgrade_ms=500) as place:
            client = place.server.client()
            with open(config, "w") as file:
                file.write('{"port": "nonsense"}')
            os.kill(place.pid, signal.SIGUSR2)
            wait_for("the log to say so", lambda: "ended before it served" in place.server.errors())
            result = subprocess.run([program, "upgrade", "--pid-file", place.pid_file, "--upgrade-ms", "100"],
                                    capture_output=True, text=True, timeout=60)
            assert result.returncode == 2 and "nobody took the place" in result.stderr, result
            assert client.request("COMPONENT_PING", componentId="x")["success"]
            assert place.server.http("GET", "/readyz")[0] == 200
            assert read_pid(place.pid_file) == place.server.pid


def case_told_to_the_manager(program, components):
    manager = Manager()
    with Place(program, components, env={"NOTIFY_SOCKET": manager.path}) as place:
        old = place.upgrade()
        assert manager.wait(MAINPID=None)["MAINPID"] == str(place.pid)
        place.wait_old(old)
        assert manager.count("STOPPING") == 0
    manager.wait(STOPPING="1")
    manager.close()


if __name__ == "__main__":
    main(globals())
