"""What the TLS suites share: certificates made by the openssl command, a liveshard with TLS, and sockets that speak it."""

import contextlib
import os
import socket
import ssl
import subprocess
import tempfile

from liveclient import DEADLINE, Server, until


class Files:
    """A folder with certificates and keys, by name: made when asked for, all gone with the with block."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def make(self, name, common_name="localhost"):
        """Paths of a new self-signed certificate and its key."""
        cert, key = self.path(f"{name}.pem"), self.path(f"{name}.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-keyout", key, "-out", cert, "-subj", f"/CN={common_name}",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, capture_output=True, timeout=DEADLINE)
        return cert, key


def trusting(cert, **options):
    """A client's context that trusts this certificate alone."""
    context = ssl.create_default_context(cafile=cert)
    for name, value in options.items():
        setattr(context, name, value)
    return context


class TlsServer(Server):
    """A liveshard whose clients come by TLS; plain() and management() are its other doors, where it has them."""

    def __init__(self, program, cert, key, *arguments, trust=None, **settings):
        super().__init__(program, *arguments, tls_cert=cert, tls_key=key, **settings)
        self.trust = trusting(trust or cert)
        doors = [line.split()[2:] for line in self.hello if line.startswith("listening on ")]
        ports = {" ".join([where.split(":", 1)[0], *purpose]): int(where.rsplit(":", 1)[1]) for where, *purpose in doors}
        self.plain_port, self.tls_port = ports.get("http"), ports["https"]
        self.management_port = ports.get("http for management")

    def socket(self, timeout=DEADLINE):
        return self.trust.wrap_socket(self.tcp(timeout), server_hostname="localhost")

    def tcp(self, timeout=DEADLINE):
        sock = socket.create_connection(("127.0.0.1", self.tls_port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    @contextlib.contextmanager
    def by(self, port):
        """Inside, requests and clients go to this port, without TLS."""
        def plain(timeout=DEADLINE):
            return socket.create_connection(("127.0.0.1", port), timeout)
        self.socket = plain
        try:
            yield self
        finally:
            del self.socket

    def await_log(self, text):
        until(lambda: text in self.errors(), f"{text!r} in the log")


def client_hello(**options):
    """The bytes of a ClientHello."""
    context = ssl.create_default_context()
    for name, value in options.items():
        setattr(context, name, value)
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def s_client(port, *arguments, text=""):
    """Everything that openssl s_client says."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *arguments], input=text, text=True,
                          capture_output=True, timeout=DEADLINE, check=False)
    return done.stdout + done.stderr


def ended(sock):
    """Whether the stream ends: b"" for an orderly end, None for any other."""
    try:
        while part := sock.recv(1 << 16):
            del part
        return b""
    except (ssl.SSLError, ConnectionError):
        return None
