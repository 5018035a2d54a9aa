"""How a server leaves: the balancer hears of it first, clients go one after the other, and a second signal ends it all."""

import os
import signal
import tempfile
import threading
import time

from deploy_support import read_pid, wait_for
from liveclient import Closed, Server, main


def closing_time(client, times):
    assert client.wait_close() == (1001, "Server shutting down")
    times.append(time.monotonic())
    client.sock.close()


def case_the_balancer_hears_first(program, components):
    with Server(program, components=components, drain_delay_ms=1500) as server:
        old = server.client()
        old.mount("Counter")
        started = time.monotonic()
        server.ask_to_end()
        wait_for("/readyz to say so", lambda: server.http("GET", "/readyz")[0] == 503)
        assert server.http("GET", "/healthz")[0] == 200
        late = server.client()
        assert late.mount("Counter").act("increment")["success"], "it still serves"
        assert old.request("COMPONENT_PING", componentId="x")["success"]
        for client in (old, late):
            assert client.wait_close() == (1001, "Server shutting down")
            client.sock.close()
        assert time.monotonic() - started >= 1.4
        server.wait()


def case_clients_go_over_a_window(program, components):
    with Server(program, components=components, drain_window_ms=2000, shutdown_ms=5000) as server:
        clients = server.clients(60)
        for client in clients:
            client.mount("Counter", room="lobby")
        times, started = [], time.monotonic()
        threads = [threading.Thread(target=closing_time, args=(client, times)) for client in clients]
        for thread in threads:
            thread.start()
        server.ask_to_end()
        for thread in threads:
            thread.join()
        server.wait()
        times = sorted(at - started for at in times)
        assert len(times) == 60, "all were told"
        assert times[29] > 0.5 and times[-1] > 1.2, times
        most = max(sum(1 for at in times if begin <= at < begin + 0.2) for begin in times)
        assert most <= 40, f"{most} of 60 went within a tenth of the window: {times}"


def case_who_works_during_the_window_loses_nothing(program, components):
    with Server(program, components=components, drain_window_ms=1000, rate_limit_tokens=0, shards=2) as server:
        client = server.client()
        counter = client.mount("Counter")
        for _ in range(20):
            server.client().mount("Counter")
        server.ask_to_end()
        done = 0
        try:
            while True:
                assert counter.act("increment")["success"]
                done += 1
        except Closed as closed:
            assert (closed.code, closed.reason) == (1001, "Server shutting down")
        assert counter.state["count"] >= done
        client.sock.close()


def case_a_second_signal_ends_it(program, components):
    with Server(program, components=components, drain_delay_ms=60000, drain_window_ms=60000, shutdown_ms=60000) as server:
        clients = server.clients(5)
        server.ask_to_end()
        wait_for("/readyz to say so", lambda: server.http("GET", "/readyz")[0] == 503)
        started = time.monotonic()
        server.ask_to_end()
        server.wait()
        assert time.monotonic() - started < 10
        for client in clients:
            client.sock.close()


def case_a_deadline_ends_it(program, components):
    """Who answers nothing holds it up for delay, window and shutdown_ms, and no longer."""
    with Server(program, components=components, drain_delay_ms=200, drain_window_ms=300, shutdown_ms=500) as server:
        clients = server.clients(5)
        started = time.monotonic()
        server.ask_to_end()
        server.wait()
        assert 0.9 < time.monotonic() - started < 20
        for client in clients:
            client.sock.close()


def case_who_was_accepted_is_answered(program, components):
    """A connection without a request, when the server ends, is not cut: its request may be on the way."""
    with Server(program, components=components, shutdown_ms=5000, shards=2) as server:
        plain, upgrade = server.socket(), server.socket()
        server.until("both to be there", lambda stats: stats["net"]["opened"] >= 3)
        server.ask_to_end()
        wait_for("the door to close", lambda: not accepts(server))
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: plain.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b'{"status":"ok"}'), answer
        upgrade.sendall(b"GET /api/live/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        answer = b""
        while b"Server shutting down" not in answer:
            part = upgrade.recv(4096)
            assert part, answer
            answer += part
        assert answer.startswith(b"HTTP/1.1 101") and b"CONNECTION_ESTABLISHED" in answer, answer
        plain.close()
        upgrade.close()
        server.wait()


def accepts(server):
    try:
        server.socket(1).close()
        return True
    except OSError:
        return False


def case_pid_file(program, components):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/pid"
        with Server(program, components=components, pid_file=path) as server:
            wait_for("the file", lambda: read_pid(path) == server.pid)
        assert not os.path.exists(path), "it was left behind"
        with Server(program, components=components, pid_file=f"{folder}/no/such/pid") as server:
            assert server.http("GET", "/healthz")[0] == 200, "it serves without"
            wait_for("a word about it", lambda: "cannot write" in server.errors())


def case_reload_goes_on(program, components):
    with Server(program, components=components) as server:
        client = server.client()
        for _ in range(3):
            server.process.send_signal(signal.SIGHUP)
        wait_for("the log to say so", lambda: "reloaded" in server.errors())
        assert client.request("COMPONENT_PING", componentId="x")["success"]


if __name__ == "__main__":
    main(globals())
