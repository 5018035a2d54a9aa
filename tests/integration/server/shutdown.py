"""SIGTERM with clients connected: they are told, it ends in time, and (under ASan) nothing is left."""

import threading
import time

from liveclient import Server, main


def case_with_clients(program, components):
    with Server(program, components=components, shards=4, rate_limit_tokens=0) as server:
        clients = server.clients(40)
        for n, client in enumerate(clients):
            client.mount(("Counter", "SharedCounter", "ChatRoom", "Board", "Probe")[n % 5], room="lobby")
        server.ask_to_end()
        for client in clients:
            assert client.wait_close() == (1001, "Server shutting down")
            client.sock.close()
        server.wait()


def case_with_work_under_way(program, components):
    """Deferred replies, blocking work, joins, mounts, stats: all in the midst of it."""
    with Server(program, components=components, shards=4, rate_limit_tokens=0, shutdown_ms=3000) as server:
        clients = server.clients(20)
        for client in clients:
            probe = client.mount("Probe", room="lobby")
            probe.ask("slow", ms=300)
            probe.ask("join", room="tea")
            for room in ("a", "b", "c"):
                client.ask("ROOM_JOIN", componentId=probe.id, roomId=room, payload={})
            client.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "Board"})
        sockets = [server.socket() for _ in range(20)]
        for sock in sockets:
            sock.sendall(b"GET /api/live/stats HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        server.ask_to_end()
        for client in clients:
            assert client.wait_close()[0] == 1001
            client.sock.close()
        for sock in sockets:
            sock.close()
        server.wait()


def case_clients_that_do_not_go(program, components):
    """Who neither reads nor closes holds it up no longer than shutdown_ms."""
    with Server(program, components=components, shutdown_ms=1000) as server:
        clients = server.clients(10)
        for client in clients:
            client.mount("Counter")
        half = server.socket()
        half.sendall(b"GET /healthz HTT")
        started = time.monotonic()
        server.ask_to_end()
        server.wait()
        assert time.monotonic() - started < 20
        for client in clients:
            client.sock.close()
        half.close()


def case_while_clients_come(program, components):
    with Server(program, components=components, shards=4) as server:
        stop = threading.Event()

        def come():
            while not stop.is_set():
                try:
                    client = server.client(timeout=5)
                    client.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "Board"})
                    client.ask("COMPONENT_MOUNT", componentId="m", payload={"component": "SharedCounter"})
                    client.sock.close()
                except Exception:
                    return

        threads = [threading.Thread(target=come) for _ in range(4)]
        for thread in threads:
            thread.start()
        server.until("some to be there", lambda stats: stats["rooms"]["totalRooms"] > 0)
        server.ask_to_end()
        server.wait()
        stop.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(globals())
