"""Coming back with signed state: to the same process, to a restarted one, and with states that were tampered with."""

import base64
import gzip
import hashlib
import hmac
import json
import time

from liveclient import Server, main

SECRET = "a secret for tests, longer than one block of SHA-256 so that it is hashed before it is used as a key"


def rehydrate(client, id, signed, component="Counter", **payload):
    return client.request("COMPONENT_REHYDRATE", componentId=id,
                          payload={"component": component, "signedState": signed, **payload})


def sign(data, id="Ab3dEf9_", version=1, timestamp=None, secret=SECRET, nonce=None, **more):
    timestamp = int(time.time() * 1000) if timestamp is None else timestamp
    text = f"{id}:{version}:{timestamp}:{data}" + (f":{nonce}" if nonce else "")
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    signed = {"data": data, "signature": signature, "timestamp": timestamp, "version": version, "componentId": id,
              "compressed": False, "encrypted": False, **more}
    return {**signed, "nonce": nonce} if nonce else signed


def case_same_process(program, components):
    with Server(program, components=components) as server:
        counter = server.client().mount("Counter", count=4)
        counter.act("increment")
        signed = counter.client.wait(type="STATE_SIGNATURE")["payload"]["signedState"]
        counter.client.vanish()
        client = server.client()
        reply = rehydrate(client, counter.id, signed)
        assert reply["success"], reply
        assert client.messages[-2]["payload"]["state"] == {"count": 5}


def case_restarted_process(program, components):
    with Server(program, components=components, env={"LIVE_STATE_SECRET": SECRET}) as server:
        probe = server.client().mount("Probe")
        probe.act("set", patch={"value": "ä😀\u2028\"\\", "list": [1.5, None, {"x": -0.25}], "$mine": True})
        signed = probe.client.wait(type="STATE_SIGNATURE")["payload"]["signedState"]
    expected = signed["data"]
    with Server(program, components=components, env={"LIVE_STATE_SECRET": SECRET}) as server:
        client = server.client()
        reply = rehydrate(client, probe.id, signed, component="Probe")
        assert reply["success"] is True, reply
        push = client.messages[-2]
        assert push["payload"]["state"] == {key: value for key, value in json.loads(expected).items()
                                            if key != "__componentName"}
        assert push["payload"]["signedState"]["version"] == signed["version"] + 1
    with Server(program, components=components) as server:
        assert rehydrate(server.client(), probe.id, signed, component="Probe")["error"] == "Invalid signature"


def case_our_own_signatures(program, components):
    """Signed by this test from the text of the protocol: the two agree, also about nonces and compression."""
    data = '{"count":7,"__componentName":"Counter"}'
    long = json.dumps({"count": 1, "text": "abc " * 1000, "__componentName": "Counter"})
    packed = base64.b64encode(gzip.compress(long.encode())).decode()
    with Server(program, components=components, env={"LIVE_STATE_SECRET": SECRET}) as server:
        client = server.client()
        for signed in (sign(data), sign(data, nonce="1700000000000:00112233aabbccdd:10c1c3dc2d4ba221"),
                       sign(data, version=2**40), sign(packed, compressed=True)):
            reply = rehydrate(client, "Ab3dEf9_", signed)
            assert reply["success"] is True, reply


def case_tampering(program, components):
    data = '{"count":7,"__componentName":"Counter"}'
    good = sign(data)
    bomb = base64.b64encode(gzip.compress(b'{"a":"' + b"x" * (64 << 20) + b'"}', 9)).decode()
    changes = [
        {"data": data.replace("7", "8")}, {"data": ""}, {"componentId": "Ab3dEf9-"}, {"version": 2}, {"version": -1},
        {"version": 1.5}, {"timestamp": good["timestamp"] + 1}, {"timestamp": good["timestamp"] - 1},
        {"timestamp": 1e300}, {"timestamp": -5}, {"signature": good["signature"].upper()},
        {"signature": "0" * 64}, {"signature": ""}, {"signature": good["signature"][:-1]},
        {"signature": good["signature"] + "0"}, {"nonce": ""}, {"nonce": "x"}, {"compressed": True}, {"encrypted": True},
    ]
    with Server(program, components=components, env={"LIVE_STATE_SECRET": SECRET}, rate_limit_tokens=0) as server:
        client = server.client()
        for change in changes:
            reply = rehydrate(client, "Ab3dEf9_", {**good, **change})
            assert reply["success"] is False and reply["type"] == "COMPONENT_REHYDRATED", (change, reply)
            assert reply["error"] in ("Invalid signature", "Invalid state signature", "State expired"), (change, reply)
        hour = 3600 * 1000
        assert rehydrate(client, "x", sign(data, timestamp=good["timestamp"] - hour))["error"] == "State expired"
        for text in ("[]", "null", '"Counter"', "{", "", "\0", bomb):
            reply = rehydrate(client, "x", sign(text, compressed=text == bomb))
            assert reply["error"] == "Invalid state signature", (text[:40], reply)
        for text in ("", "!!!!", "AAAA", base64.b64encode(b"\x1f\x8b").decode()):
            assert rehydrate(client, "x", sign(text, compressed=True))["error"] == "Invalid state signature", text
        for name in ('"Probe"', '""', "1", "null", '["C","o","u","n","t","e","r"]'):
            reply = rehydrate(client, "x", sign('{"count":1,"__componentName":%s}' % name))
            assert reply["error"] == "Component class mismatch - state tampering detected", name
        for text in ("{}", '{"count":1}'):
            assert rehydrate(client, "x", sign(text))["error"] == "Component class mismatch - state tampering detected"
        assert rehydrate(client, "x", good, component="Nobody")["error"] == "Component 'Nobody' not found"
        # A prototype name in a state, and a second name in front of the real one.
        text = '{"__componentName":"Probe","count":1,"__proto__":{"x":1},"__componentName":"Counter"}'
        assert rehydrate(client, "x", sign(text))["success"] is True
        assert client.messages[-2]["payload"]["state"] == {"count": 1}
        assert client.mount("Counter", __componentName="Probe").signed["data"].endswith('"__componentName":"Counter"}')


def case_large_states(program, components):
    """Above 1024 characters states are compressed; above the limit they are not signed at all, and nothing else breaks."""
    with Server(program, components=components, state_max_bytes=65536) as server:
        probe = server.client().mount("Probe")
        probe.act("huge", bytes=20000)
        signed = probe.client.wait(type="STATE_SIGNATURE")["payload"]["signedState"]
        assert signed["compressed"] is True and len(signed["data"]) < 2000
        assert json.loads(gzip.decompress(base64.b64decode(signed["data"])))["huge"] == "x" * 20000
        reply = rehydrate(server.client(), probe.id, signed, component="Probe")
        assert reply["success"] is True
        assert probe.act("huge", bytes=200000)["success"]
        assert probe.act("who")["success"]
        large = server.client().mount("Probe", text="y" * 100000)
        assert "signedState" not in large.pushes("STATE_UPDATE")[0]["payload"]
        assert large.act("set", patch={"text": "small"})["success"]
        assert large.client.wait(type="STATE_SIGNATURE")["payload"]["signedState"]["version"] >= 2


if __name__ == "__main__":
    main(globals())
