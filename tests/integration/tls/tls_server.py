"""The whole server by TLS: its doors, its certificate and a new one while it runs, the live protocol end to end."""

import json
import signal
import socket
import ssl
import subprocess

from liveclient import DEADLINE, Client, Closed, Server, main
from tls_support import Files, TlsServer, client_hello, ended, s_client, trusting, until


def expect_wrong(program, text, *arguments):
    for more in ((), ("--check",)):
        done = subprocess.run([program, "--port", "0", *arguments, *more], capture_output=True, text=True, timeout=DEADLINE,
                              check=False)
        lines = done.stderr.splitlines()
        assert done.returncode == 2 and len(lines) == 1, done
        assert lines[0].startswith("liveshard: ") and text in lines[0], done.stderr
        assert not done.stdout, done.stdout


# ---- doors and files ----

def case_wrong_files(program, _):
    with Files() as files:
        cert, key = files.make("one")
        _, other = files.make("two")
        sealed = files.path("sealed.key")
        subprocess.run(["openssl", "pkey", "-in", key, "-aes128", "-passout", "pass:x", "-out", sealed], check=True,
                       timeout=DEADLINE)
        expect_wrong(program, f"cannot read tls_cert {files.path('none')}: No such file", "--tls-cert", files.path("none"),
                     "--tls-key", key)
        expect_wrong(program, f"cannot read tls_key {files.path('none')}: No such file", "--tls-cert", cert, "--tls-key",
                     files.path("none"))
        expect_wrong(program, f"tls_key {other} does not belong to tls_cert {cert}", "--tls-cert", cert, "--tls-key", other)
        expect_wrong(program, "is no certificate in PEM form", "--tls-cert", key, "--tls-key", key)
        expect_wrong(program, "is no private key in PEM form", "--tls-cert", cert, "--tls-key", cert)
        expect_wrong(program, "without a passphrase", "--tls-cert", cert, "--tls-key", sealed)
        expect_wrong(program, "both needed, and there is only tls_cert", "--tls-cert", cert)
        expect_wrong(program, "both needed, and there is only tls_key", "--tls-key", key)
        expect_wrong(program, "tls_port needs tls_cert", "--tls-port", "0")
        expect_wrong(program, "tls_ciphers 'ROT13'", "--tls-cert", cert, "--tls-key", key, "--tls-ciphers", "ROT13")
    expect_wrong(program, "trusted_proxies: '10.0.0.0/99' is no network", "--trusted-proxies", "10.0.0.0/99")


def case_the_port_itself(program, _):
    """With a certificate and no tls_port, there is no plain door."""
    with Files() as files, TlsServer(program, *files.make("one")) as server:
        assert server.plain_port is None and server.management_port is None, server.hello
        assert server.get_json("/healthz") == {"status": "ok"}
        assert server.stats()
        with server.by(server.tls_port), server.socket() as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                answer = sock.recv(1000)
            except ConnectionResetError:  # closed with some of the request unread
                answer = b""
            assert b"HTTP" not in answer


def case_side_by_side(program, components):
    """A plain client and one by TLS meet in the same room."""
    with Files() as files, TlsServer(program, *files.make("one"), tls_port=0, components=components) as server:
        safe = server.client()
        with server.by(server.plain_port):
            assert server.get_json("/healthz") == {"status": "ok"}
            plain = server.client()
        ours, theirs = safe.mount("SharedCounter"), plain.mount("SharedCounter")
        for count, counter in enumerate((ours, theirs), 1):
            assert counter.act("increment")["success"]
            ours.wait_state(count=count)
            theirs.wait_state(count=count)
        safe.close(), plain.close()


def case_management(program, components):
    """With a door of its own, management is served nowhere else, and clients are not served there."""
    with Files() as files:
        cert, key = files.make("one")
        with TlsServer(program, cert, key, components=components, tls_port=0, management_port=0) as server:
            routes = [("GET", "/api/live/stats", None), ("GET", "/api/live/components", None),
                      ("POST", "/api/live/rooms/r/messages", {"text": "x"}),
                      ("POST", "/api/live/rooms/r/emit", {"event": "e", "data": 1})]
            for method, path, body in routes:
                assert server.http(method, path, body)[0] == 404, path
                with server.by(server.plain_port):
                    assert server.http(method, path, body)[0] == 404, path
                with server.by(server.management_port):
                    assert server.http(method, path, body)[0] == 200, path
            client = server.client()
            client.mount("Counter")
            with server.by(server.management_port):
                assert server.stats()["connections"]["totalConnections"] == 1
                assert server.http("GET", "/api/live/ws")[0] == 404
                assert server.get_json("/readyz") == {"status": "ready"}
            client.settle()
            assert server.get_json("/readyz") == {"status": "ready"}
        with Server(program, management_host=f"unix:{files.path('management')}") as server:
            assert server.hello[1] == f"listening on unix:{files.path('management')} for management", server.hello
            assert server.http("GET", "/api/live/stats")[0] == 404
            server.unix = files.path("management")
            assert server.stats()


def case_proxy_then_tls(program, _):
    """The PROXY header comes in front of the handshake, and only from whom it may."""
    hello = b"PROXY TCP4 192.0.2.7 192.0.2.1 4000 443\r\n"
    with Files() as files:
        cert, key = files.make("one")
        with TlsServer(program, cert, key, "--proxy-protocol", trusted_proxies="127.0.0.0/8", management_port=0) as server:
            with server.tcp() as tcp:
                tcp.sendall(hello)
                with server.trust.wrap_socket(tcp, server_hostname="localhost") as sock:
                    sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert sock.recv(1000).startswith(b"HTTP/1.1 200")
            with server.by(server.management_port):
                assert server.get_json("/healthz")
        with TlsServer(program, cert, key, "--proxy-protocol", trusted_proxies="10.0.0.0/8") as server:
            with server.tcp() as tcp:
                tcp.sendall(hello)
                assert not ended(tcp)


# ---- handshakes ----

def case_what_is_negotiated(program, _):
    with Files() as files, TlsServer(program, *files.make("one")) as server:
        both = trusting(server.settings["tls_cert"])
        both.set_alpn_protocols(["h2", "http/1.1"])
        with both.wrap_socket(server.tcp(), server_hostname="localhost") as sock:
            assert sock.selected_alpn_protocol() == "http/1.1" and sock.version() == "TLSv1.3"
        said = s_client(server.tls_port, "-alpn", "h2")
        assert "alert no application protocol" in said, said
        said = s_client(server.tls_port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        assert "alert protocol version" in said, said
        said = s_client(server.tls_port, "-tls1_2")
        assert "Secure Renegotiation IS supported" in said and "Compression: NONE" in said, said
        assert "Cipher is ECDHE-" in said, said
        said = s_client(server.tls_port, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384")
        assert "alert handshake failure" in said, said
        said = s_client(server.tls_port, "-tls1_3", "-groups", "ffdhe8192")
        assert "alert handshake failure" in said, said


def case_tickets_on_all_shards(program, _):
    """Whichever shard a client comes back to takes its ticket."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with Files() as files, TlsServer(program, *files.make("one"), "--load-balancing", "round-robin", shards=4) as server:
            context = trusting(server.settings["tls_cert"], maximum_version=version)
            session = None
            for visit in range(9):
                with context.wrap_socket(server.tcp(), server_hostname="localhost", session=session) as sock:
                    sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                    assert sock.recv(1000).startswith(b"HTTP/1.1 200")
                    assert sock.session_reused == (visit > 0), (version, visit)
                    session = sock.session


def case_slow_handshake(program, _):
    """A byte now and then does not keep a handshake alive."""
    hello = client_hello()
    with Files() as files, TlsServer(program, *files.make("one"), tls_handshake_ms=300) as server:
        friend = server.client()
        with server.tcp() as tcp:
            tcp.settimeout(0.02)
            sent = 0
            for byte in hello[:-1]:
                try:
                    tcp.sendall(bytes([byte]))
                    sent += 1
                    if tcp.recv(1) == b"":
                        break
                except socket.timeout:
                    continue
                except ConnectionError:
                    break
            else:
                raise AssertionError("it went on for ever")
            assert sent < len(hello) - 1
        friend.settle()


def case_flood(program, components):
    """Hundreds of handshakes at once: who is connected is answered, and all of them come to their end, too."""
    hello = client_hello()
    with Files() as files, TlsServer(program, *files.make("one"), components=components, shards=1, tls_handshakes_per_tick=1,
                                     tls_handshake_ms=600000) as server:
        counter = server.client().mount("Counter")
        crowd = [server.tcp() for _ in range(300)]
        for sock in crowd:
            sock.sendall(hello)
        for _ in range(20):
            assert counter.act("increment")["success"]
        for sock in crowd:
            assert sock.recv(1) == b"\x16"
        late = server.client()
        late.settle()
        for sock in crowd:
            sock.close()
        counter.act("increment")
        assert counter.wait_state(count=21)


# ---- the certificate and a new one ----

def name_of(server, trust):
    with trusting(trust, check_hostname=False).wrap_socket(server.tcp()) as sock:
        return dict(pair for entry in sock.getpeercert()["subject"] for pair in entry)["commonName"]


def case_reload(program, components):
    with Files() as files:
        cert, key = files.make("one", "first")
        new_cert, new_key = files.make("two", "second")
        with TlsServer(program, cert, key, components=components, shards=3) as server:
            old = [server.client().mount("Counter") for _ in range(6)]
            assert name_of(server, cert) == "first"

            # A file that will not do changes nothing.
            keep = open(key, encoding="ascii").read()
            with open(key, "w", encoding="ascii") as file:
                file.write(open(new_key, encoding="ascii").read())
            server.process.send_signal(signal.SIGHUP)
            server.await_log("not reloaded: tls_key")
            assert name_of(server, cert) == "first"
            with open(key, "w", encoding="ascii") as file:
                file.write(keep)

            for source, target in ((new_cert, cert), (new_key, key)):
                with open(target, "w", encoding="ascii") as file:
                    file.write(open(source, encoding="ascii").read())
            server.process.send_signal(signal.SIGHUP)
            server.await_log("main reloaded")
            until(lambda: all(offers(server, new_cert, "second") for _ in range(6)), "the new certificate on all shards")
            for counter in old:
                assert counter.act("increment")["success"]
                counter.wait_state(count=1)
            server.trust = trusting(new_cert)
            assert server.client().mount("Counter").act("increment")["success"]
            log = [line for line in server.errors().splitlines() if "reloaded" in line]
            assert len(log) == 2, log


def offers(server, trust, name):
    try:
        return name_of(server, trust) == name
    except ssl.SSLCertVerificationError:
        return False


def write(path, **settings):
    with open(path, "w", encoding="ascii") as file:
        json.dump(settings, file)


def case_reload_of_the_log_level(program, _):
    """The settings are read again from their file; a file that is wrong changes nothing."""
    with Files() as files:
        path = files.path("live.json")
        write(path, log_level="info")
        with TlsServer(program, *files.make("one"), "--config", path) as server:
            client = server.client()

            def fail_a_handshake():
                with server.tcp() as sock:
                    sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
                    ended(sock)

            fail_a_handshake()
            write(path, log_level="loud")
            server.process.send_signal(signal.SIGHUP)
            server.await_log("not reloaded: ")
            assert "'loud' is none of" in server.errors() and "handshake failed" not in server.errors()
            write(path, log_level="debug")
            server.process.send_signal(signal.SIGHUP)
            server.await_log("main reloaded")
            fail_a_handshake()
            server.await_log("a handshake failed")
            client.settle()


def case_reload_without_tls(program, _):
    """A plain server stays one until it is started anew."""
    with Files() as files:
        path = files.path("live.json")
        write(path, log_level="info")
        with Server(program, "--config", path) as server:
            client = server.client()
            cert, key = files.make("one")
            for settings, told in (({"tls_cert": cert}, "only tls_cert"),
                                   ({"tls_cert": cert, "tls_key": key}, "TLS can be neither begun nor ended"),
                                   ({}, "main reloaded")):
                write(path, **settings)
                server.process.send_signal(signal.SIGHUP)
                until(lambda: told in server.errors(), told)
            client.settle()


# ---- the live protocol ----

def case_live_protocol(program, components):
    """Mount, act, deltas and large messages by wss, on several shards."""
    with Files() as files, TlsServer(program, *files.make("one"), components=components, shards=3,
                                     rate_limit_tokens=0) as server:
        clients = server.clients(12)
        counters = [client.mount("Counter") for client in clients]
        for _ in range(5):
            for counter in counters:
                counter.ask("increment")
        for counter in counters:
            counter.client.settle()
            assert counter.state == {"count": 5}, counter.state
        large = "x" * (1 << 20)
        for client in clients[:3]:
            reply = client.request("CALL_ACTION", componentId=counters[clients.index(client)].id, action="increment",
                                   payload={"note": large})
            assert reply["success"], reply
            client.settle()
        assert server.stats()["connections"]["totalConnections"] == 12


def case_goodbye(program, _):
    """When the server ends, clients get their close frame, and the stream an end in order."""
    with Files() as files, TlsServer(program, *files.make("one")) as server:
        clients = server.clients(5)
        server.ask_to_end()
        for client in clients:
            try:
                while True:
                    client.receive()
            except Closed as closed:
                assert closed.code == 1001, closed
            assert ended(client.sock) == b"", "no close_notify"


def case_refused_after_the_handshake(program, _):
    """Errors of HTTP come by TLS as they do without."""
    with Files() as files, TlsServer(program, *files.make("one")) as server:
        with server.socket() as sock:
            sock.sendall(b"NONSENSE\r\n\r\n")
            assert sock.recv(1000).startswith(b"HTTP/1.1 400")
            assert ended(sock) == b""
        try:
            Client(server, path="/nowhere")
            raise AssertionError("upgraded at /nowhere")
        except AssertionError as error:
            assert b"404" in error.args[0], error


if __name__ == "__main__":
    main(globals())
