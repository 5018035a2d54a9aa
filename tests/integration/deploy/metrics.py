"""GET /metrics of one node: well formed and true. What nodes share is in metrics_cluster.py, who reads it in dashboards.py."""

import concurrent.futures
import re
import signal
import subprocess
import tempfile
import time

import exposition
from exposition import total
from liveclient import DEADLINE, Server, main


def scrape(server):
    status, headers, body = server.http("GET", "/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), (status, headers)
    return exposition.read(body.decode())


def scrape_until(server, what, check):
    end = time.monotonic() + DEADLINE
    while True:
        families = scrape(server)
        if check(families):
            return families
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


def refused(text):
    try:
        exposition.read(text)
    except exposition.Bad:
        return True
    return False


def case_lint_can_fail(program, components):
    head = "# HELP a_total x\n# TYPE a_total counter\n"
    exposition.read(head + 'a_total{x="1\\"\\\\"} 2\n')
    for bad in (head, head + "a_total 1", head + "a_total -1\n", head + "a_total 1\na_total 2\n", "a_total 1\n",
                head + "b_total 1\n", "# HELP a x\n# TYPE a counter\na 1\n", head + 'a_total{x="1} 1\n',
                head + 'a_total{x="1",x="2"} 1\n', head + "a_total x\n", head + "a_total 1\n" + head + "a_total 1\n",
                '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
                '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n'):
        try:
            assert refused(bad), bad
        except ValueError:
            pass


def case_counts(program, components):
    with Server(program, components=components, shards=3, node='a "node"\\', rate_limit_tokens=0) as server:
        clients = server.clients(7)
        counters = [client.mount("Counter", room="lobby") for client in clients]
        for counter in counters:
            for _ in range(5):
                assert counter.act("increment")["success"]
            assert not counter.act("no such")["success"]
        families = scrape(server)
        info = dict(next(iter(families["liveshard_build_info"].values))[1])
        assert info["node"] == 'a "node"\\' and info["version"], info
        for name, value in {"clients": 7, "clients_opened_total": 7, "components": 7, "mounts_total": 7,
                            "actions_total": 42, "action_errors_total": 7, "ready": 1, "ws_opened_total": 7,
                            "connections_limit": 10000, "pool_running": 0}.items():
            assert total(families, f"liveshard_{name}") == value, (name, total(families, f"liveshard_{name}"))
        shards = {dict(labels)["shard"] for _, labels in families["liveshard_clients"].values}
        assert shards == {"0", "1", "2"}, shards
        assert total(families, "liveshard_ws_messages_total", direction="in") >= 49
        assert total(families, "liveshard_tick_seconds_count") > 10 and total(families, "liveshard_tick_seconds_sum") > 0
        assert total(families, "liveshard_connections") == 8, "seven clients, and who asks"
        assert 1e6 < total(families, "process_resident_memory_bytes") < 1e11
        assert abs(total(families, "process_start_time_seconds") - time.time()) < 600
        for client in clients[:3]:
            client.close()
        gone = scrape_until(server, "three to go", lambda now: total(now, "liveshard_clients") == 4)
        assert total(gone, "liveshard_clients_opened_total") == 7
        assert total(gone, "liveshard_ws_closes_total", by="peer") == 3


def case_states(program, components):
    with Server(program, components=components, signature_renew_ms=1) as server:
        client = server.client()
        counter = client.mount("Counter")
        signed = counter.signed
        for good in (True, False):
            client.request("COMPONENT_REHYDRATE", componentId="back", payload={
                "component": "Counter", "signedState": {**signed, "signature": signed["signature"] if good else "0" * 64}})
        families = scrape(server)
        assert total(families, "liveshard_states_signed_total") >= 1
        assert total(families, "liveshard_states_accepted_total") == 1
        assert total(families, "liveshard_states_refused_total") == 1


def told_shards(families):
    return {dict(labels)["shard"] for _, labels in families["liveshard_clients"].values}


def case_held_shard(program, components):
    """A shard that a component holds is told by its age; the others do not wait for it."""
    with Server(program, components=components, shards=2) as server:
        stall = server.client().mount("Stall")
        scrape(server)
        stall.ask("hold", ms=4000)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            pages = []      # those that come to the held shard wait; the others are answered
            while not any(page.done() and len(told_shards(page.result())) == 1 for page in pages):
                assert len(pages) < 200, "it was never told"
                pages.append(pool.submit(scrape, server))
                concurrent.futures.wait(pages[-1:], timeout=0.1)
            families = next(page.result() for page in pages if page.done() and len(told_shards(page.result())) == 1)
        ages = {dict(labels)["shard"]: value for (_, labels), value in families["liveshard_tick_age_seconds"].values.items()}
        held, = set(ages) - told_shards(families)
        assert len(ages) == 2 and ages[held] > 0.5, ages
        stall.client.wait(lambda message: message.get("requestId"))
        after = scrape_until(server, "both shards", lambda now: len(told_shards(now)) == 2)
        slow = total(after, "liveshard_tick_seconds_count") - total(after, "liveshard_tick_seconds_bucket", le="1.07374182")
        assert slow == 1, slow


def case_certificate(program, components):
    with tempfile.TemporaryDirectory() as folder:
        cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"

        def make(days):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                            str(days), "-keyout", key, "-out", cert, "-subj", "/CN=localhost"], check=True, capture_output=True)

        def left(families):
            return (total(families, "liveshard_tls_certificate_expiry_timestamp_seconds") - time.time()) / 86400
        make(3)
        with Server(program, "--tls-port", "0", components=components, tls_cert=cert, tls_key=key) as server:
            assert 2.9 < left(scrape(server)) < 3.1
            make(30)
            server.process.send_signal(signal.SIGHUP)
            scrape_until(server, "the new certificate", lambda now: 29.9 < left(now) < 30.1)


def case_where(program, components):
    with Server(program, "--management-port", "0", "--http-prefix", "off", components=components) as server:
        assert server.http("GET", "/metrics")[0] == 404
        door = next(line for line in server.hello if line.endswith(" for management"))
        server.port = int(re.search(r":(\d+) ", door).group(1))
        scrape(server)
    with Server(program, "--http-prefix", "off", components=components) as server:
        assert server.http("GET", "/metrics")[0] == 404


def case_asked_by_many_while_it_works(program, components):
    with Server(program, components=components, rate_limit_tokens=0) as server:
        counter = server.client().mount("Counter")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            pages = [pool.submit(scrape, server) for _ in range(100)]
            for _ in range(200):
                counter.act("increment")
            for page in pages:
                page.result()


if __name__ == "__main__":
    main(globals())
