"""The edge alone by TLS: every way that a handshake or a stream fails, counted by its cause, with a friend beside it."""

import os
import socket
import ssl
import sys

sys.path[:0] = [os.path.join(os.path.dirname(__file__), "..", "edge"), os.path.join(os.path.dirname(__file__), "..")]

import edge
from liveclient import run
from tls_support import Files, client_hello, ended, s_client, trusting, until


class TlsEdge(edge.Server):
    """An edge-server with TLS; connect() speaks it, tcp() does not."""

    def __init__(self, program, **options):
        self.files = Files().__enter__()
        cert, key = self.files.make("one")
        self.trust = trusting(cert)
        super().__init__(program, tls_cert=cert, tls_key=key, **options)

    def tcp(self, receive_buffer=None):
        return super().connect(receive_buffer)

    def connect(self, receive_buffer=None):
        return self.trust.wrap_socket(self.tcp(receive_buffer), server_hostname="localhost")

    def await_counter(self, name, value=1):
        until(lambda: self.counters()[name] >= value, f"{name} to be {value}")
        assert self.counters()[name] == value, (name, self.counters())

    def __enter__(self):
        self.friend, self.reader = edge.open_ws(self)
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.check_friend()
        self.friend.close()
        self.stop()
        self.files.__exit__()

    def check_friend(self):
        """A client that was there before still gets its answers."""
        self.friend.sendall(edge.frame(edge.TEXT, "still there?"))
        opcode, payload, _, _ = self.reader.frame()
        assert (opcode, payload) == (edge.TEXT, b"still there?")


def case_failures_by_cause(program):
    with TlsEdge(program) as server:
        s_client(server.port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        server.await_counter("tls_failed_version")
        s_client(server.port, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384")
        server.await_counter("tls_failed_cipher")
        s_client(server.port, "-alpn", "h2,spdy/3")
        server.await_counter("tls_failed_protocol")
        try:
            ssl.create_default_context().wrap_socket(server.tcp(), server_hostname="localhost")
            raise AssertionError("trusted without reason")
        except ssl.SSLCertVerificationError:
            server.await_counter("tls_failed_alert")
        with server.tcp() as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            ended(sock)
        server.await_counter("tls_failed_bytes")
        with server.tcp() as sock:
            sock.sendall(client_hello())
            assert sock.recv(1) == b"\x16"
        server.await_counter("tls_failed_ended")


def case_late_handshakes(program):
    """Neither nothing, nor half a hello, nor everything but the last flight outlives the deadline."""
    hello = client_hello()
    with TlsEdge(program, tls_handshake_ms=300) as server:
        socks = [server.tcp() for _ in range(3)]
        socks[1].sendall(hello[:50])
        socks[2].sendall(hello)
        for sock in socks:
            ended(sock)
            sock.close()
        server.await_counter("tls_failed_late", 3)
        assert server.counters()["closes_deadline"] == 3


def case_flood(program):
    """One handshake a tick: the crowd waits, all of it is served, and the friend in between."""
    hello = client_hello()
    with TlsEdge(program, tls_handshakes_per_tick=1) as server:
        crowd = [server.tcp() for _ in range(200)]
        for sock in crowd:
            sock.sendall(hello)
        for _ in range(10):
            server.check_friend()
        for sock in crowd:
            assert sock.recv(1) == b"\x16"
            sock.close()
        assert server.counters()["tls_waits"] > 0


def case_truncation(program):
    """A stream that is cut off is answered no more, and counted; one that ends in order is neither."""
    with TlsEdge(program) as server:
        cut = server.connect()
        cut.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
        cut.suppress_ragged_eofs = False
        with socket.socket(fileno=os.dup(cut.fileno())) as raw:
            raw.shutdown(socket.SHUT_WR)
        assert ended(cut) is None
        server.await_counter("tls_truncated")
        whole = server.connect()
        whole.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        assert whole.recv(1000).startswith(b"HTTP/1.1 200")
        whole.unwrap().close()
        assert server.counters()["tls_truncated"] == 1


def case_mebibytes(program):
    """Large messages both ways, with a reader that takes its time and small socket buffers."""
    size = 1 << 20
    with TlsEdge(program, max_message=16 << 20, hard_bytes=64 << 20) as server:
        sock, reader = edge.open_ws(server)
        for fill in (b"a", b"b"):
            sock.sendall(edge.frame(edge.BINARY, fill * size))
            assert reader.frame()[:2] == (edge.BINARY, fill * size)
        sock.close()
        sock = server.trust.wrap_socket(server.tcp(4096), server_hostname="localhost")
        sock.sendall(edge.upgrade("/ws-flood"))
        reader = edge.Reader(sock)
        reader.until(b"\r\n\r\n")
        sock.sendall(edge.frame(edge.TEXT, "4096"))
        for _ in range(4096):
            assert reader.frame()[:2] == (edge.TEXT, b"x" * 1024)
        sock.close()


def case_requests_in_one_record_and_in_many(program):
    """However records and requests overlap."""
    request = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
    with TlsEdge(program) as server, server.connect() as sock:
        sock.sendall(request * 100)
        for byte in request:
            sock.sendall(bytes([byte]))
        data = b""
        while data.count(b"hello\n") < 101:
            data += sock.recv(1 << 16)
        assert data.count(b"HTTP/1.1 200") == 101


def case_resets(program):
    """Handshakes and connections that are reset in whatever state harm nobody."""
    hello = client_hello()
    linger = edge.struct.pack("ii", 1, 0)
    with TlsEdge(program, tls_handshakes_per_tick=2) as server:
        for round_number in range(100):
            sock = server.tcp()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            if round_number % 3 == 0:
                sock.sendall(hello)
            elif round_number % 3 == 1:
                sock = server.trust.wrap_socket(sock, server_hostname="localhost")
                sock.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            sock.close()
        server.check_friend()
        until(lambda: server.counters()["opened"] - server.counters()["closed"] <= 2, "all but the friend and us to be gone")


if __name__ == "__main__":
    cases = [value for name, value in list(globals().items()) if name.startswith("case_")]
    run([case for case in cases if not sys.argv[2:] or case.__name__.removeprefix("case_") in sys.argv[2:]], sys.argv[1])
