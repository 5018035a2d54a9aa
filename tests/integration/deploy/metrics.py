"""GET /metrics: well formed, true, and all that the dashboard asks for."""

import concurrent.futures
import json
import pathlib
import re
import time

import exposition
from exposition import total
from liveclient import DEADLINE, Server, main

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy"


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


def case_dashboard(program, components):
    """Each metric that the dashboard names is one that the server has."""
    with Server(program, components=components) as server:
        families = scrape(server)
    known = set(families) | {"up"}
    known |= {name + suffix for name, family in families.items() if family.type == "histogram"
              for suffix in exposition.SUFFIXES}
    dashboard = json.loads((DEPLOY / "grafana" / "liveshard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(asked) >= 20, asked
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)), "a panel's id twice"
    for expression in asked:
        names = set(re.findall(r"\b(?:liveshard|process|go)_\w+|\bup\b", expression))
        assert names, expression
        optional = {name for name in names if name.startswith(("liveshard_redis_", "liveshard_cluster_"))}
        assert names - optional <= known, (expression, names - known)


if __name__ == "__main__":
    main(globals())
