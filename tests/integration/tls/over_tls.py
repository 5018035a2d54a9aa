"""The edge's own suites, with TLS under every connection: what they prove must hold there, too.

    over_tls.py SUITE.py EDGE-SERVER [case]
"""

import os
import runpy
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "..", "edge"), os.path.join(here, "..")]

import edge
from tls_support import Files, trusting


class TlsServer(edge.Server):
    """The edge-server with TLS on its port; but for the PROXY protocol, whose bytes come before the handshake."""

    def __init__(self, program, **options):
        self.is_plain = "proxy" in options
        super().__init__(program, **({} if self.is_plain else {"tls_cert": cert, "tls_key": key}), **options)

    def connect(self, receive_buffer=None):
        sock = super().connect(receive_buffer)
        return sock if self.is_plain else context.wrap_socket(sock, server_hostname="localhost")


class Suite(edge.Suite):
    """Without the cases that ask whether the way is encrypted and expect that it is not, and without those that close a
    half: Python's ssl reads while it does so, and loses what came. (test_tls.c has such a case.)"""

    def add(self, name, *arguments, **options):
        if not name.startswith(("somebody says", "half-closed")):
            super().add(name, *arguments, **options)


if __name__ == "__main__":
    with Files() as files:
        cert, key = files.make("one")
        context = trusting(cert)
        edge.Server, edge.Suite = TlsServer, Suite
        suite = sys.argv.pop(1)
        sys.argv[0] = suite
        runpy.run_path(suite, run_name="__main__")
