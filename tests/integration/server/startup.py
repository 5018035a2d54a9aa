"""Starting: what is printed, and what is wrong is told in one line with exit status 2."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from liveclient import DEADLINE, Server, main


def call(program, *arguments, env=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LIVE_")}
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=DEADLINE, env={**clean, **(env or {})},
                          check=False)


def expect_wrong(program, text, *arguments, env=None):
    done = call(program, *arguments, env=env)
    assert done.returncode == 2, (arguments, done)
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("liveshard: ") and text in lines[0], (arguments, done.stderr)
    assert not done.stdout, done.stdout


def case_options(program, _):
    expect_wrong(program, "there is no option '--colour'", "--colour", "red")
    expect_wrong(program, "there is no option '--colour'", "--colour=red")
    expect_wrong(program, "'red' is no option", "red")
    expect_wrong(program, "needs a value", "--port")
    expect_wrong(program, "port: 'x' is not a whole number", "--port", "x")
    expect_wrong(program, "port: '' is not a whole number", "--port", "")
    expect_wrong(program, "port: 65536 is out of range (0 to 65535)", "--port", "65536")
    expect_wrong(program, "port: -1 is out of range", "--port=-1")
    expect_wrong(program, "port:", "--port", "99999999999999999999")
    expect_wrong(program, "log_level: 'loud' is none of debug|info|warn|error", "--log-level", "loud")
    expect_wrong(program, "log_level: 'info|warn' is none of", "--log-level", "info|warn")
    expect_wrong(program, "debug: 'maybe' is neither true nor false", "--debug=maybe")
    expect_wrong(program, "port: 'x' is not a whole number", env={"LIVE_PORT": "x"})
    expect_wrong(program, "there is no option '--" + "x" * 40, "--" + "x" * 500)


def case_files(program, _):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "live.json")
        for text, error in {'{"port": }': "1:10: ", '{\n  "port": 1,\n  "x" 2\n}': "3:7: ", "": "1:1: ", "[1]": "one JSON object",
                            '{"port": "x"}': "port: 'x' is not a whole number", '{"prot": 1}': "no setting named 'prot'",
                            '{"port": 1.5}': "port: ", '{"port": null}': "port: ", '{"port": [1]}': "takes one value",
                            '{"port": 70000}': "out of range"}.items():
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            expect_wrong(program, error, "--config", path)
            expect_wrong(program, path, "--config", path)
        expect_wrong(program, "cannot read config file", "--config", os.path.join(folder, "none.json"))
        expect_wrong(program, "cannot read config file", "--config", folder)
        expect_wrong(program, "needs a value", "--config")


def case_components(program, components):
    with tempfile.TemporaryDirectory() as folder:
        expect_wrong(program, "cannot read the components folder", "--components", os.path.join(folder, "none"))
        bad = os.path.join(folder, "bad.so")
        with open(bad, "w", encoding="ascii") as file:
            file.write("not an ELF file")
        expect_wrong(program, "cannot load component", "--components", folder)
        os.remove(bad)
        shutil.copy("/proc/self/exe", bad)
        expect_wrong(program, "bad.so", "--components", folder)
        os.remove(bad)
        shutil.copy(os.path.join(components, "counter.so"), os.path.join(folder, "one.so"))
        shutil.copy(os.path.join(components, "counter.so"), os.path.join(folder, "two.so"))
        expect_wrong(program, "component 'Counter' is defined twice", "--components", folder)
    with tempfile.TemporaryDirectory() as folder:
        for name, why in (("abi", "built for another <live/component.h>"), ("nothing", "LIVE_COMPONENT is missing"),
                          ("state", "the default state of component 'Broken' is unusable"),
                          ("twice", "has two actions named 'a'"), ("nameless", "name must have 1 to 128 bytes")):
            shutil.copy(os.path.join(components, "broken", f"{name}.so"), folder)
            expect_wrong(program, why, "--components", folder)
            expect_wrong(program, why, "--check", "--components", folder)
            os.remove(os.path.join(folder, f"{name}.so"))
        with open(os.path.join(folder, "notes.txt"), "w", encoding="ascii") as file:
            file.write("not a plugin")
        assert call(program, "--check", "--components", folder).returncode == 0


def case_port_in_use(program, components):
    with Server(program, components=components) as server:
        expect_wrong(program, "cannot listen on http://127.0.0.1:", "--host", "127.0.0.1", "--port", str(server.port))
    expect_wrong(program, "cannot listen on", "--host", "no.such.host.invalid", "--port", "0")
    expect_wrong(program, "cannot listen on", "--host", "unix:/no/such/folder/live.sock")
    expect_wrong(program, "public", "--public", "/no/such/folder")
    expect_wrong(program, "client script", "--client-script", "/no/such/file.js")


def case_words(program, components):
    version = call(program, "--version")
    assert version.returncode == 0 and version.stdout.split()[0] == "liveshard" and len(version.stdout.split()) == 2
    check = call(program, "--check", "--components", components)
    assert check.returncode == 0 and check.stdout == "settings and components are good\n", check
    usage = call(program, "--help")
    assert usage.returncode == 0 and "--state-secret" in usage.stdout and "--config FILE" in usage.stdout


def case_print_config(program, _):
    done = call(program, "--print-config", "--port=1", "--allowed-origin", "a", "--allowed-origin", "b", "--debug",
                env={"LIVE_STATE_SECRET": "hush", "LIVE_PORT": "2", "LIVE_SHARDS": "7"})
    config = json.loads(done.stdout)
    assert done.returncode == 0 and config["port"] == 1 and config["shards"] == 7 and config["debug"] is True
    assert config["allowed_origin"] == ["a", "b"] and config["state_secret"] == "***" and "hush" not in done.stdout
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "live.json")
        with open(path, "w", encoding="ascii") as file:
            json.dump({name: value for name, value in config.items() if name != "state_secret"} | {"port": 3}, file)
        again = json.loads(call(program, "--print-config", "--config", path).stdout)
        assert again == config | {"port": 3, "state_secret": ""}, "what is printed can be read back"
        over = json.loads(call(program, "--config", path, "--print-config", env={"LIVE_PORT": "4"}).stdout)
        assert over["port"] == 4, "the environment wins over the file"


def case_docs(program, _):
    """docs/configuration.md holds the table that --print-docs prints."""
    root = os.path.dirname(os.path.abspath(sys.argv[0])) + "/../../.."
    table = call(program, "--print-docs").stdout
    with open(os.path.join(root, "docs/configuration.md"), encoding="utf-8") as file:
        assert table in file.read(), "docs/configuration.md is out of date: put in what --print-docs prints"


def case_hello(program, components):
    with Server(program, components=components, shards=3) as server:
        names = server.get_json("/api/live/components")["names"]
        assert server.hello[1:] == ["3 shards", "components: " + " ".join(names)], server.hello
    with Server(program, shards=1) as server:
        assert server.hello[2] == "components: none"
        assert server.get_json("/api/live/components") == {"names": []}


if __name__ == "__main__":
    main(globals())
