"""The files of deploy/: each is checked by the program that is to read it, if there is one here, and against the server."""

import configparser
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append("/usr/lib/python3/dist-packages")   # where Debian has PyYAML, whichever Python runs this
import yaml  # noqa: E402

from deploy_support import wait_for  # noqa: E402
from liveclient import Client, Closed, Server, main  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
sys.path.insert(0, str(DEPLOY))
import cluster  # noqa: E402


def settings_of(program):
    table = subprocess.run([program, "--print-docs"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"^\| `(\w+)` ", table, re.M))


def check_environment(program, names):
    unknown = {name for name in names if name.startswith("LIVE_")} - {f"LIVE_{name.upper()}" for name in settings_of(program)}
    assert not unknown, f"no such settings: {unknown}"


def case_containerfile(program, components):
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.split("\n") if line.strip() and not line.startswith("#")]
    known = {"FROM", "COPY", "RUN", "WORKDIR", "USER", "EXPOSE", "STOPSIGNAL", "ENV", "ENTRYPOINT", "HEALTHCHECK"}
    assert {word for word, _ in lines} <= known, lines
    assert [word for word, _ in lines].count("FROM") == 2
    last = lines[max(at for at, line in enumerate(lines) if line[0] == "FROM"):]
    users = [rest for word, rest in last if word == "USER"]
    assert users and not users[-1].startswith(("0", "root")), "it would run as root"
    for word, rest in lines:
        if word == "RUN":
            subprocess.run(["sh", "-n", "-c", rest], check=True)
        if word == "COPY" and "--from" not in rest:
            assert (ROOT / rest.split()[0]).exists(), rest
        if word == "ENTRYPOINT":
            json.loads(rest)
    check_environment(program, re.findall(r"\b(LIVE_\w+)=", "".join(rest for word, rest in last if word == "ENV")))


def container_steps():
    """The instructions of the Containerfile, a list for each stage."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    stages = []
    for line in text.split("\n"):
        if line.strip() and not line.startswith("#"):
            word, rest = line.split(None, 1)
            if word == "FROM":
                stages.append([])
            stages[-1].append((word, rest))
    return stages


def build_image(program, folder):
    """What the first stage installs, from this build instead of its own; the environment of the second."""
    built = pathlib.Path(program).parents[1]
    install, = [rest for word, rest in container_steps()[0] if word == "RUN" and "/image/" in rest]
    install = re.sub(r"(?<![\w/])/(build|image)\b", lambda match: str({"build": built, "image": folder}[match.group(1)]), install)
    subprocess.run(["sh", "-ec", install], check=True, cwd=ROOT)
    text = " ".join(rest for word, rest in container_steps()[1] if word == "ENV")
    return dict(pair.split("=", 1) for pair in text.split())


def case_container_in_spirit(program, components):
    """What would be in the image serves the page, its script and the examples, and its health check knows a server that is well."""
    with tempfile.TemporaryDirectory() as folder:
        image = pathlib.Path(folder) / "image"
        env = build_image(program, image)
        for name in ("LIVE_COMPONENTS", "LIVE_PUBLIC"):
            env[name] = f"{image}{env[name]}"
        ports = {"LIVE_PORT": env["LIVE_PORT"], "LIVE_MANAGEMENT_PORT": env["LIVE_MANAGEMENT_PORT"]}
        exposed, = [rest.split() for word, rest in container_steps()[1] if word == "EXPOSE"]
        assert set(ports.values()) == set(exposed)
        entry, = [json.loads(rest) for word, rest in container_steps()[1] if word == "ENTRYPOINT"]
        with Server(f"{image}{entry[0]}", shards=1, env={**env, "LIVE_DRAIN_DELAY_MS": "0", "LIVE_DRAIN_WINDOW_MS": "0"},
                    management_port=0) as server:
            assert server.http("GET", "/")[0] == 200
            page = server.http("GET", "/")[2].decode()
            for script in ("/live-client.js", "/live-client.mjs", *re.findall(r'src="(/[^"]+)"', page)):
                assert server.http("GET", script)[0] == 200, f"the image has no {script}"
            assert server.client().mount("Counter").act("increment")["success"]
            door, = [line for line in server.hello if line.endswith(" for management")]
            check, = [rest for word, rest in container_steps()[1] if word == "HEALTHCHECK"]
            check = json.loads(check[check.index("["):].replace(ports["LIVE_MANAGEMENT_PORT"], re.search(r":(\d+) ", door).group(1)))
            subprocess.run(check, check=True, timeout=30)
        assert subprocess.run(check, timeout=30, stderr=subprocess.DEVNULL).returncode == 1, "it says that nobody is well"


def case_container_packages_exist(program, components):
    """Debian has what the stages install, as far as this machine knows Debian's lists."""
    wanted = {word for word, rest in [pair for stage in container_steps() for pair in stage if pair[0] == "RUN"]
              for word in re.findall(r"(?<=\s)lib[\w.+-]+|ca-certificates", rest)}
    packages = (DEPLOY / "packages.sh").read_text()
    wanted |= set(re.search(r"PACKAGES_BUILD=\((.*?)\)", packages, re.S).group(1).split())
    assert len(wanted) > 15, wanted
    if not shutil.which("apt-cache"):
        return
    known = subprocess.run(["apt-cache", "policy", *sorted(wanted)], capture_output=True, text=True).stdout
    for name in wanted:
        assert re.search(rf"^{re.escape(name)}:\n(?!.*\(none\)\n  Candidate: \(none\))", known, re.M), f"Debian has no {name}"


def case_container_context(program, components):
    """What is built by hand, and the history, do not go into the image's context; what the build needs does."""
    ignored = [line for line in (ROOT / ".dockerignore").read_text().split("\n") if line and not line.startswith("#")]
    assert {".git", "build", "**/node_modules", "**/__pycache__"} <= set(ignored), ignored
    assert not {"deploy", "examples", "clients", "cmake", "server"} & set(ignored)
    for name in ignored:
        assert "!" not in name


def case_container_has_its_libraries(program, components):
    """Each library that the program asks for is in the image, by the package that it comes from here."""
    text = (DEPLOY / "Containerfile").read_text()
    needed = re.findall(r"=> (/\S+)", subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout)
    for path in needed:
        if re.search(r"lib(c|m|asan|ubsan|tsan|stdc\+\+|gcc_s|crypto)\.so", path):
            continue
        owner = subprocess.run(["dpkg", "-S", path.removeprefix("/usr") if not path.startswith("/usr") else path],
                               capture_output=True, text=True).stdout.split(":")[0]
        owner = owner or subprocess.run(["dpkg", "-S", pathlib.Path(path).resolve()], capture_output=True,
                                        text=True).stdout.split(":")[0]
        assert owner and owner in text, f"{path}, of {owner or 'no package'}, is not in the image"


def case_compose(program, components):
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    assert {"redis", "node1", "node2", "node3", "haproxy", "prometheus"} <= set(services)
    for name, service in services.items():
        for other in service.get("depends_on", []):
            assert other in services, (name, other)
            needs = dict(service["depends_on"]).get(other, {}) if isinstance(service["depends_on"], dict) else {}
            assert needs.get("condition") != "service_healthy" or "healthcheck" in services[other], f"{other} has no health"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).exists(), volume
        check_environment(program, service.get("environment", {}))
    for name in re.findall(r"server (\S+) \1:3000", (DEPLOY / "haproxy.cfg").read_text()):
        assert name in services


def case_prometheus(program, components):
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    assert config["scrape_configs"][0]["job_name"] == "liveshard"
    for name in config["rule_files"]:
        assert (DEPLOY / "prometheus" / name).exists(), name
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for target in config["scrape_configs"][0]["static_configs"][0]["targets"]:
        assert target.split(":")[0] in compose, target


# What may stand where, of the objects that we use: a misspelled key is dropped by a cluster without a word.
KEYS = {
    "Deployment": {"replicas", "selector", "strategy", "template"},
    "Service": {"selector", "sessionAffinity", "ports"},
    "PodDisruptionBudget": {"maxUnavailable", "selector"},
    "HorizontalPodAutoscaler": {"scaleTargetRef", "minReplicas", "maxReplicas", "metrics", "behavior"},
    "pod": {"terminationGracePeriodSeconds", "securityContext", "topologySpreadConstraints", "containers",
            "automountServiceAccountToken", "enableServiceLinks"},
    "container": {"name", "image", "ports", "env", "lifecycle", "startupProbe", "readinessProbe", "livenessProbe", "resources",
                  "securityContext"},
    "probe": {"httpGet", "periodSeconds", "timeoutSeconds", "failureThreshold"},
    "env": {"name", "value", "valueFrom"},
    "podSecurity": {"runAsNonRoot", "runAsUser", "seccompProfile"},
    "security": {"allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"},
    "spread": {"maxSkew", "topologyKey", "whenUnsatisfiable", "labelSelector"},
    "port": {"name", "containerPort", "port", "targetPort"},
}
VERSIONS = {"Deployment": "apps/v1", "Service": "v1", "PodDisruptionBudget": "policy/v1",
            "HorizontalPodAutoscaler": "autoscaling/v2"}


def check_keys(kind, thing):
    assert set(thing) <= KEYS[kind], f"a {kind} has no {set(thing) - KEYS[kind]}"


def check_pod(pod):
    check_keys("pod", pod)
    check_keys("podSecurity", pod["securityContext"])
    for spread in pod["topologySpreadConstraints"]:
        check_keys("spread", spread)
    for container in pod["containers"]:
        check_keys("container", container)
        check_keys("security", container["securityContext"])
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            check_keys("probe", container[probe])
        for kind in ("env", "ports"):
            for one in container[kind]:
                check_keys(kind.removesuffix("s"), one)
        for amounts in container["resources"].values():
            for name, amount in amounts.items():
                assert name in ("cpu", "memory") and re.fullmatch(r"\d+(m|[KMG]i)?", amount), amounts


def case_kubernetes(program, components):
    found = {}
    for document in yaml.safe_load_all((DEPLOY / "kubernetes/liveshard.yaml").read_text()):
        assert document["apiVersion"] == VERSIONS[document["kind"]] and document["metadata"]["name"] == "liveshard"
        check_keys(document["kind"], document["spec"])
        found[document["kind"]] = document["spec"]
    assert set(found) == {"Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"}
    labels = found["Deployment"]["template"]["metadata"]["labels"]
    for selector in (found["Deployment"]["selector"]["matchLabels"], found["Service"]["selector"],
                     found["PodDisruptionBudget"]["selector"]["matchLabels"]):
        assert selector.items() <= labels.items()
    pod = found["Deployment"]["template"]["spec"]
    check_pod(pod)
    container, = pod["containers"]
    ports = {port["name"] for port in container["ports"]}
    for probe, path in (("readinessProbe", "/readyz"), ("livenessProbe", "/healthz"), ("startupProbe", "/readyz")):
        assert container[probe]["httpGet"]["path"] == path and container[probe]["httpGet"]["port"] in ports
    assert found["Service"]["ports"][0]["targetPort"] in ports
    assert pod["securityContext"]["runAsNonRoot"] and container["lifecycle"]["preStop"]
    scaled = found["HorizontalPodAutoscaler"]
    assert scaled["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "liveshard"}
    assert scaled["minReplicas"] <= found["Deployment"]["replicas"] <= scaled["maxReplicas"]
    assert "cpu" in container["resources"]["requests"], "without it there is no utilization to scale by"
    user, = [rest for word, rest in container_steps()[1] if word == "USER"]
    assert user.startswith(f"{pod['securityContext']['runAsUser']}:"), "another user than the image's"
    env = {entry["name"]: entry.get("value") for entry in container["env"]}
    check_environment(program, env)
    leaving = int(env["LIVE_DRAIN_DELAY_MS"]) + int(env["LIVE_DRAIN_WINDOW_MS"]) + 5000 + 5000
    assert pod["terminationGracePeriodSeconds"] * 1000 > leaving, "it would be killed while it leaves"


def case_systemd(program, components):
    for name in ("liveshard.service", "liveshard.socket"):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read(DEPLOY / "systemd" / name)
        assert unit.has_section("Unit") and unit.has_section("Install")
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in ("liveshard.service", "liveshard.socket"):
            text = (DEPLOY / "systemd" / name).read_text().replace("/usr/local/bin/liveshard", program)
            (pathlib.Path(folder) / name).write_text(text)
        result = subprocess.run([analyze, "verify", "--man=no", f"{folder}/liveshard.service", f"{folder}/liveshard.socket"],
                                capture_output=True, text=True)
        said = [line for line in (result.stdout + result.stderr).split("\n") if "liveshard" in line and folder in line]
        assert not said, said
        result = subprocess.run([analyze, "security", "--no-pager", "--offline=true", f"{folder}/liveshard.service"],
                                capture_output=True, text=True)
        exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)
        assert exposure and float(exposure.group(1)) < 2, result.stdout + result.stderr


def case_balancers_read_their_files(program, components):
    with tempfile.TemporaryDirectory() as folder:
        for kind, words in (("haproxy", ["-c", "-q", "-f"]), ("nginx", ["-t", "-q", "-p", folder, "-c"])):
            path = pathlib.Path(folder) / kind
            path.write_text(cluster.render(kind, 1, [2, 3, 4], folder))
            where = shutil.which(kind) or f"/usr/sbin/{kind}"
            result = subprocess.run([where, *words, str(path)], capture_output=True, text=True)
            assert result.returncode == 0, result.stderr


def balanced(program, components, kind):
    """Clients come to all nodes, without stickiness; one that leaves gets no new ones, and nobody sees an error."""
    settings = ["--drain-delay-ms", "1500", "--shutdown-ms", "500", "--shards", "1"]
    one = cluster.Cluster(program, components, 3, kind, settings=settings)
    try:
        class Door:
            @staticmethod
            def socket(timeout):
                return cluster.socket.create_connection(("127.0.0.1", one.port), timeout)
        clients = [Client(Door) for _ in range(12)]
        counts = [clients[at].mount("Counter").act("increment") for at in range(12)]
        assert all(reply["success"] for reply in counts)
        took = [cluster.urllib.request.urlopen(f"http://127.0.0.1:{node.port}/api/live/stats").read() for node in one.nodes]
        took = [json.loads(body)["connections"]["totalConnections"] for body in took]
        assert sum(took) == 12 and min(took) >= 1, took
        leaver = one.nodes[0]
        leaver.signal(signal.SIGTERM)
        end = time.monotonic() + 4
        while time.monotonic() < end and leaver.is_alive():
            late = Client(Door)
            try:
                assert late.mount("Counter").act("increment")["success"]
                late.close()
            except Closed as closed:    # it came to the leaver at the last moment, and is told to come again
                assert (closed.code, closed.reason) == (1001, "Server shutting down"), closed
        wait_for("it to leave", lambda: not leaver.is_alive())
        Client(Door).mount("Counter")
        for client in clients:
            client.sock.close()
    finally:
        one.close()


def case_behind_haproxy(program, components):
    balanced(program, components, "haproxy")


def case_behind_nginx(program, components):
    balanced(program, components, "nginx")


class Script:
    """deploy/cluster.sh as somebody calls it at a terminal."""

    def __init__(self, program, components, *more):
        self.process = subprocess.Popen([DEPLOY / "cluster.sh", "--program", program, "--components", components, *more],
                                        stdout=subprocess.PIPE, text=True)
        self.output = []
        for line in self.process.stdout:
            self.output.append(line)
            if line.startswith("files in"):
                break
        self.where = self.output[0].split()[-1]
        self.folder = pathlib.Path(self.output[-1].split()[-1])

    def get(self, path):
        return cluster.urllib.request.urlopen(f"{self.where}{path}").read()

    def worker(self):
        """The process that does it, below the one that watches over it."""
        return int(subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()[0])

    def wait(self):
        """Its exit status; it has left nothing."""
        try:
            self.output.append(self.process.stdout.read())
            status = self.process.wait(60)
        finally:
            if self.process.poll() is None:
                self.process.kill()
        assert not self.folder.parent.exists(), "it left its files"
        left = subprocess.run(["pgrep", "-f", str(self.folder)], capture_output=True, text=True).stdout
        assert not left, f"it left processes: {left}"
        return status


def case_cluster_script(program, components):
    script = Script(program, components, "--nodes", "2", "--port", "0", "--seconds", "2", "--balancer", "nginx")
    assert b"live-client.js" in script.get("/"), "that is not the page"
    assert script.wait() == 0, script.output
    script = Script(program, components, "--nodes", "2", "--port", "0", "--kill", "--balancer", "nginx")
    assert "killed node" in script.process.stdout.readline()
    os.kill(script.worker(), signal.SIGTERM)
    assert script.wait() == 0, script.output
    script = Script(program, components, "--nodes", "5", "--port", "0")
    script.get("/healthz")
    assert sum(line.startswith("node ") for line in script.output) == 5
    # Beside it: the port is taken.
    port = script.where.rpartition(":")[2]
    result = subprocess.run([DEPLOY / "cluster.sh", "--program", program, "--components", components, "--port", port],
                            capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (2, f"deploy/cluster.sh: port {port} is taken\n"), result
    script.process.send_signal(signal.SIGINT)
    assert script.wait() == 0


def case_cluster_script_that_crashes(program, components):
    script = Script(program, components, "--nodes", "2", "--port", "0")
    os.kill(script.worker(), signal.SIGKILL)
    assert script.wait() == 128 + signal.SIGKILL


if __name__ == "__main__":
    main(globals())
