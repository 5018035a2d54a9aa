"""The words for authors: manifest, types, new and check, by the real program on real plugins."""

import json
import os
import subprocess
import tempfile

from liveclient import main


def run(program, *words, status=0):
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, (words, done.returncode, done.stdout, done.stderr)
    if status:
        assert done.stdout == "" and done.stderr.count("\n") == 1 and done.stderr.startswith("liveshard: "), done.stderr
        return done.stderr
    assert done.stderr == "", done.stderr
    return done.stdout


def case_manifest(program, components):
    listed = json.loads(run(program, "manifest", "--components", components))["components"]
    by_name = {one["name"]: one for one in listed}
    assert len(by_name) == len([file for file in os.listdir(components) if file.endswith(".so")])
    assert by_name["Counter"]["defaultState"] == {"count": 0} and by_name["Counter"]["singleton"] is False
    assert [action["name"] for action in by_name["Counter"]["actions"]] == ["increment", "decrement", "reset"]
    panel = by_name["AdminPanel"]
    assert panel["auth"] == {"required": True, "roles": ["admin"], "permissions": [], "authorize": False}
    assert panel["actions"][1]["auth"]["permissions"] == ["notices.wipe"] and "auth" not in panel["actions"][0]
    todo = {action["name"]: action for action in by_name["Todo"]["actions"]}
    assert todo["add"]["schema"]["properties"]["priority"]["default"] == "normal"
    assert todo["remove"]["schema"]["required"] == ["id"] and "schema" not in panel["actions"][0]
    assert by_name["Limited"]["rateLimit"] == {"maxCalls": 3, "windowMs": 60000, "perAction": True}


def case_types(program, components):
    text = run(program, "types", "--components", components)
    for part in ("class Counter", "componentName", "defaultState", "publicActions", "increment"):
        assert part in text, part
    assert 'export type TodoAddPayload = { title: string; priority?: "low" | "normal" | "high" };' in text
    assert "\tadd: (payload: TodoAddPayload) => Promise<unknown>;" in text


def case_new_and_check(program, components):
    with tempfile.TemporaryDirectory() as folder:
        into = os.path.join(folder, "weather")
        assert "Weather.c is a component" in run(program, "new", "Weather", "--into", into)
        assert "LIVE_COMPONENT" in open(os.path.join(into, "Weather.c"), encoding="utf-8").read()
        assert "Weather.c" in run(program, "new", "Weather", "--into", into, status=2), "nothing is overwritten"
    said = run(program, "check", os.path.join(components, "counter.so"))
    assert "Counter" in said and "increment" in said


def case_wrong_words(program, components):
    for words in (["manifest"], ["types"], ["new"], ["check"], ["check", "/nowhere.so"], ["new", "no name!"],
                  ["manifest", "--components", "/nowhere"], ["manifest", "--check", "--components", components]):
        run(program, *words, status=2)


if __name__ == "__main__":
    main(globals())
