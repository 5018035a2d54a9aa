"""Under a service manager: what it is told, the watchdog that follows the shards, and sockets that it gives."""

import os
import socket
import signal
import subprocess
import tempfile
import time

from deploy_support import Manager, wait_for
from liveclient import Server, main


class Activated(Server):
    """A server whose listening sockets are given: descriptors from 3 on, as systemd does it."""

    def __init__(self, program, sockets, *arguments, names=None, **options):
        script = "export LISTEN_PID=$$; exec \"$@\""
        # The descriptors are moved to 3, 4, ... by the shell, from where they cannot be in each other's way.
        high = [os.dup(sock.fileno()) for sock in sockets]
        moved = [os.fdopen(os.dup2(fd, 100 + at), closefd=False) and 100 + at for at, fd in enumerate(high)]
        redirects = " ".join(f"{3 + at}<&{fd} {fd}<&-" for at, fd in enumerate(moved))
        env = {"LISTEN_FDS": str(len(sockets)), **({"LISTEN_FDNAMES": names} if names else {}), **options.pop("env", {})}
        self.given = moved
        popen = subprocess.Popen

        def with_sockets(words, **more):
            return popen(["bash", "-c", f"exec {redirects}; {script}", "-", *words], pass_fds=moved, **more)
        subprocess.Popen = with_sockets
        try:
            super().__init__(program, *arguments, env=env, **options)
        finally:
            subprocess.Popen = popen
            for fd in high + moved:
                os.close(fd)


def listening(family=socket.AF_INET, address=("127.0.0.1", 0)):
    sock = socket.socket(family)
    sock.bind(address)
    sock.listen(64)
    return sock


def case_told(program, components):
    for abstract in (False, True):
        manager = Manager(abstract)
        with Server(program, components=components, env={"NOTIFY_SOCKET": manager.path}, drain_window_ms=100) as server:
            manager.wait(READY="1")
            server.process.send_signal(signal.SIGHUP)
            assert int(manager.wait(RELOADING="1")["MONOTONIC_USEC"]) > 0
            wait_for("it to be ready again", lambda: manager.count("READY") == 2)
            server.ask_to_end()
            assert int(manager.wait(STOPPING="1")["EXTEND_TIMEOUT_USEC"]) >= 300000
            server.wait()
        assert manager.count("WATCHDOG") == 0
        manager.close()


def case_nobody_listens(program, components):
    for where in ("/no/such/socket", "x", "@", "/" + "x" * 200):
        with Server(program, components=components, env={"NOTIFY_SOCKET": where}) as server:
            assert server.http("GET", "/healthz")[0] == 200


def case_watchdog(program, components):
    manager = Manager()
    env = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "600000"}
    with Server(program, components=components, shards=2, env=env) as server:
        wait_for("pings", lambda: manager.count("WATCHDOG") >= 3)
        stall = server.client().mount("Stall")
        stall.ask("hold", ms=3500)
        wait_for("it to notice", lambda: "a shard hangs" in server.errors())
        before = manager.count("WATCHDOG")
        server.errors()
        # Two more looks of the keeper, by its log: none of them pings.
        wait_for("it to notice again", lambda: server.errors().count("a shard hangs") >= 1)
        assert manager.count("WATCHDOG") == before
        stall.client.wait(lambda message: message.get("requestId"))
        wait_for("pings again", lambda: manager.count("WATCHDOG") > before)
    manager.close()


def case_watchdog_of_another(program, components):
    manager = Manager()
    env = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "2000", "WATCHDOG_PID": "1"}
    with Server(program, components=components, env=env) as server:
        manager.wait(READY="1")
        for _ in range(20):
            server.http("GET", "/healthz")
        assert manager.count("WATCHDOG") == 0
    manager.close()


def case_given_sockets(program, components):
    main_door, management = listening(), listening()
    queued = socket.create_connection(main_door.getsockname())   # before there is a server
    with Activated(program, [main_door, management], "--management-port", "0", names="main:management", components=components,
                   port=1, host="127.0.0.1") as server:
        assert server.port == main_door.getsockname()[1]
        queued.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert queued.recv(4096).startswith(b"HTTP/1.1 200")
        server.client().mount("Counter")
        assert server.http("GET", "/metrics")[0] == 404
        server.port = management.getsockname()[1]
        assert server.http("GET", "/metrics")[0] == 200
    # They are the manager's, and listen on: who comes now waits for the next server.
    queued = socket.create_connection(main_door.getsockname())
    with Activated(program, [main_door], components=components) as server:
        queued.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert queued.recv(4096).startswith(b"HTTP/1.1 200")
    for sock in (main_door, management, queued):
        sock.close()


def case_given_unix_socket(program, components):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/door"
        door = listening(socket.AF_UNIX, path)
        with Activated(program, [door], components=components) as server:
            assert server.unix == path
            server.client().mount("Counter")
        assert os.path.exists(path), "the manager's file was removed"
        door.close()


def case_wrong_gifts(program, components):
    def ends_with_2(env, **more):
        result = subprocess.run([program, "--components", components], env={**os.environ, **env}, capture_output=True,
                                text=True, timeout=60, **more)
        assert result.returncode == 2, result
        return result.stderr

    class Dummy:
        @staticmethod
        def fileno():
            return os.open("/dev/null", os.O_RDONLY)
    try:
        Activated(program, [Dummy], components=components)
        raise AssertionError("it took /dev/null for a door")
    except RuntimeError as error:
        assert "does not listen" in str(error), error
    assert "wrong" in ends_with_2({"LIVESHARD_SOCKETS": "main=x"})
    assert "wrong" in ends_with_2({"LIVESHARD_SOCKETS": "ready=999"})
    # For another process: not ours to take.
    with Server(program, components=components, env={"LISTEN_PID": "1", "LISTEN_FDS": "3"}) as server:
        assert server.http("GET", "/healthz")[0] == 200


if __name__ == "__main__":
    main(globals())
