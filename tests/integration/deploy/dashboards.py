"""Who reads /metrics: the dashboard, the alerts and the table in the docs ask for what there is, by its right name, type and
labels. promtool says so, too, where it is installed."""

import functools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append("/usr/lib/python3/dist-packages")   # where Debian has PyYAML, whichever Python runs this
import yaml  # noqa: E402

import exposition  # noqa: E402
from cluster_support import Redis  # noqa: E402
from liveclient import Server, main  # noqa: E402
from metrics import scrape_until  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEPLOY, OPERATIONS = ROOT / "deploy", ROOT / "docs" / "operations.md"
TEST = pathlib.Path(__file__).with_name("alerts_test.yml")
NAME = re.compile(r"\b(?:liveshard|process)_\w+|\bup\b")
SELECTOR = re.compile(r"(\b(?:liveshard|process)_\w+|\bup\b)(?:\{([^}]*)\})?(\[[^\]]*\])?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
FROM_SCRAPE = {"job", "instance"}       # labels that Prometheus adds
TABLE = re.compile(r"<!-- metrics: from GET /metrics -->\n((?:\|.*\n)+)")

@functools.cache
def page_of(program, components):
    """What a node tells which has everything: TLS, and a Redis."""
    with Redis() as redis, tempfile.TemporaryDirectory() as folder:
        cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3",
                        "-keyout", key, "-out", cert, "-subj", "/CN=localhost"], check=True, capture_output=True)
        with Server(program, "--tls-port", "0", components=components, tls_cert=cert, tls_key=key, redis_url=redis.url) as server:
            scrape_until(server, "Redis", lambda now: exposition.total(now, "liveshard_redis_link_state", state="up") == 4)
            return server.http("GET", "/metrics")[2].decode()


@functools.cache
def families_of(program, components):
    return exposition.read(page_of(program, components))


def series_of(families, name):
    """[labels] of the samples called name, or None when there is no such metric."""
    if name == "up":
        return [{}]
    family = families.get(exposition.family_name(name, families))
    found = [dict(labels) for sample, labels in family.values if sample == name] if family else []
    return found or None


def check_selector(families, expression, name, matchers, window):
    series = series_of(families, name)
    assert series, f"there is no {name}: {expression}"
    for label, operator, value in MATCHER.findall(matchers or ""):
        if label in FROM_SCRAPE:
            continue
        assert all(label in labels for labels in series), f"{name} has no label {label}: {expression}"
        if operator in ("=", "=~"):
            pattern = re.compile(value if operator == "=~" else re.escape(value))
            assert any(pattern.fullmatch(labels[label]) for labels in series), f"no {name} has {label}={value}: {expression}"
    # What only grows is asked for its growth, and nothing else is.
    kind = families[exposition.family_name(name, families)].type if name != "up" else "gauge"
    assert bool(window) == (kind != "gauge"), f"{name} is a {kind}: {expression}"


def check_expression(families, expression):
    assert NAME.search(expression), f"it asks for nothing: {expression}"
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing), expression
    for name, matchers, window in SELECTOR.findall(expression):
        check_selector(families, expression, name, matchers, window)
    names = [name for name, _, _ in SELECTOR.findall(expression)]
    for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
        for label in re.split(r",\s*", group):
            assert label in FROM_SCRAPE or any(label in labels for name in names for labels in series_of(families, name)), \
                f"none has a label {label}: {expression}"
    for start in re.finditer(r"(\w+)\((?=(?:liveshard|process)_\w+(?:\{[^}]*\})?\[)", expression):
        assert start.group(1) in ("rate", "increase"), expression
    if "histogram_quantile" in expression:
        assert all(name.endswith("_bucket") for name in names) and re.search(r"by \([^)]*\ble\b", expression), expression


def refused(families, expression):
    try:
        check_expression(families, expression)
    except AssertionError:
        return True
    return False


def case_check_can_fail(program, components):
    families = families_of(program, components)
    check_expression(families, 'sum by (instance, shard) (rate(liveshard_redis_commands_refused_total{cause="queue_full"}[5m]))')
    for bad in ("sum(liveshard_client)", "sum(1)", "sum(liveshard_clients", "sum by (shrad) (liveshard_clients)",
                'liveshard_redis_link_state{state="gone"}', 'liveshard_clients{state="up"}', "rate(liveshard_clients[5m])",
                "liveshard_actions_total", "delta(liveshard_actions_total[5m])", "rate(liveshard_tick_seconds[5m])",
                "histogram_quantile(0.9, sum by (shard) (rate(liveshard_tick_seconds_bucket[5m])))"):
        assert refused(families, bad), bad


def case_dashboard(program, components):
    families = families_of(program, components)
    panels = json.loads((DEPLOY / "grafana" / "liveshard.json").read_text())["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(ids) == len(set(ids)), "a panel's id twice"
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        spots = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not spots & taken and max(x for x, _ in spots) < 24, f"{panel['title']} lies upon another"
        taken |= spots
        if panel["type"] != "row":
            assert panel["targets"] and panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$__rate_interval", "1m")
            check_expression(families, expression)
            assert 'job=~"$job"' in expression, expression
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert label in FROM_SCRAPE or re.search(rf"by \([^)]*\b{label}\b", expression), (label, expression)


def case_dashboard_shows_the_cluster(program, components):
    """Whatever a cluster counts has its place there."""
    text = (DEPLOY / "grafana" / "liveshard.json").read_text()
    for name in families_of(program, components):
        if name.startswith(("liveshard_redis_", "liveshard_cluster_")):
            assert name in text, f"the dashboard has no {name}"


def rules():
    return [rule for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"] for rule in group["rules"]]


def case_alerts(program, components):
    """Each asks for what there is, says what it is about, and has a section that says what to do."""
    families = families_of(program, components)
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)), "an alert twice"
    sections = re.findall(r"^### (\w+)$", OPERATIONS.read_text().split("\n## Alerts\n")[1].split("\n## ")[0], re.M)
    assert names == sections, set(names) ^ set(sections)
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule
        check_expression(families, rule["expr"])
        assert rule["labels"]["severity"] in ("warning", "critical"), rule
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}", rule
        for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
            assert label == "instance" or label in rule["expr"], rule
        assert re.fullmatch(r"\d+[sm]", rule.get("for", "1m")), rule


def case_each_alert_is_tested(program, components):
    tested = {alert["alertname"] for test in yaml.safe_load(TEST.read_text())["tests"] for alert in test["alert_rule_test"]
              if alert["exp_alerts"]}
    assert tested == {rule["alert"] for rule in rules()}, tested ^ {rule["alert"] for rule in rules()}


def case_promtool(program, components):
    tool = shutil.which("promtool")
    if not tool:
        print("no promtool here: only our own reading was done")
        return
    for words in (["check", "config", DEPLOY / "prometheus/prometheus.yml"], ["check", "rules", DEPLOY / "prometheus/alerts.yml"],
                  ["test", "rules", TEST]):
        subprocess.run([tool, *words], check=True)
    subprocess.run([tool, "check", "metrics"], input=page_of(program, components), text=True, check=True)


def labels_told(family):
    """The labels of a family; those that are not the shard's number or a bound with their values."""
    values = {}
    for _, labels in family.values:
        for label, value in labels:
            values.setdefault(label, []).append(value)
    values.pop("le", None)
    told = []
    for label, having in values.items():
        free = label in ("shard", "version", "node")
        told.append(f"`{label}`" + ("" if free else ": " + ", ".join(f"`{value}`" for value in dict.fromkeys(having))))
    return "; ".join(told)


def table(families):
    rows = [f"| `{family.name}` | {family.type} | {labels_told(family)} | {family.help} |" for family in families.values()]
    return "\n".join(["| metric | type | labels | meaning |", "| --- | --- | --- | --- |", *rows])


def case_docs(program, components):
    """The table of all metrics is that of the server. "dashboards.py --table PROGRAM COMPONENTS" prints it."""
    written = TABLE.search(OPERATIONS.read_text()).group(1).rstrip("\n")
    assert written == table(families_of(program, components)), "docs/operations.md: the table is not what dashboards.py --table prints"


if __name__ == "__main__":
    if sys.argv[1] == "--table":
        print(table(families_of(*sys.argv[2:])))
    else:
        main(globals())
