"""Listening on the wire between a client and the server, and writing down what goes by; for capture.py.

Only what differs from run to run is replaced: ids by con-0001 and cmp-0001 in order of appearance, times by 1700000000000,
how long something took by 0, and signatures by those of the replaced text, made with the same secret, after the server's own have been verified with it.
"""

import hashlib
import hmac
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from liveclient import BINARY, CLOSE, TEXT, Client, Closed, Server  # noqa: E402

SECRET = "demo-secret"
TIME = 1700000000000
SIGNED = re.compile(r'"signedState":(?=\{)')


def sign(state):
    text = f'{state["componentId"]}:{state["version"]}:{state["timestamp"]}:{state["data"]}'
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


class Trace:
    """The lines of one scenario, its servers and its clients."""

    def __init__(self, program, components):
        self.program, self.components = program, components
        self.lines, self.names, self.signatures = [], {}, {}
        self.servers, self.clients = [], []

    def server(self, **settings):
        """One shard, so that what happens in one tick does not depend on chance."""
        settings = {"signature_renew_ms": 0, **settings}
        server = Server(self.program, components=self.components, shards=1, state_secret=SECRET, **settings)
        self.servers.append(server)
        return server

    def connect(self, server=None, mark="", greeting=True, **options):
        """A client, which has heard its greeting unless the trace shows it."""
        server = server or (self.servers[0] if self.servers else self.server())
        client = Tap(self, server, mark, options)
        self.clients.append(client)
        if greeting:
            client.hear(quietly=True)
        return client

    def end(self):
        for client in self.clients:
            client.wire.sock.close()
        for server in self.servers:
            server.stop()

    # ---- what is written ----

    def name_ids(self, value):
        """Gives the ids in a message of the server their names."""
        for key, item in value.items() if isinstance(value, dict) else ():
            if key in ("connectionId", "componentId", "newComponentId") and re.fullmatch(r"[\w-]{8}", str(item)):
                kind = "con" if key == "connectionId" else "cmp"
                number = sum(name.startswith(kind) for name in self.names.values()) + 1
                self.names.setdefault(item, f"{kind}-{number:04d}")
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self.name_ids(item)

    def replace(self, text):
        for id, name in self.names.items():
            text = text.replace(id, name)
        text = re.sub(r"\b1[6-9]\d{11}\b", str(TIME), text)
        text = re.sub(r'("(?:duration|uptime|lifetime|avgRenderTime|latency|bytesTransferred)":)[\d.e-]+', r"\g<1>0", text)
        for old, new in self.signatures.items():
            text = text.replace(old, new)
        return text

    def learn(self, text):
        """Takes in what is new in a frame of the server; its signatures must hold."""
        self.name_ids(json.loads(text))
        for match in SIGNED.finditer(text):
            state, _ = json.JSONDecoder().raw_decode(text, match.end())
            assert state["signature"] == sign(state), state
            again, _ = json.JSONDecoder().raw_decode(self.replace(text[match.end():]))
            self.signatures[state["signature"]] = sign(again)

    def write(self, side, text):
        self.lines.append(f"{side}> {self.replace(text)}")

    def note(self, text):
        self.lines.append(f"({text})")


class Tap:
    """A client all of whose frames are written down; mark tells several apart."""

    def __init__(self, trace, server, mark, options):
        self.trace, self.mark = trace, mark
        self.wire = Client(server, greeted=False, **options)
        self.component = None

    def say(self, type, **fields):
        self.say_text(json.dumps({"type": type, **fields}, separators=(",", ":")))

    def say_text(self, text):
        self.trace.write(f"C{self.mark}", text)
        self.wire.write_frame(TEXT, text.encode())

    def say_binary(self, data):
        self.trace.note(f"the client sends the binary frame {data.hex(' ')}")
        self.wire.write_frame(BINARY, data)

    def hear(self, quietly=False):
        """The next frame: a message, or the list of a batch."""
        _, opcode, payload = self.wire.read_frame()
        if opcode == CLOSE:
            raise Closed(int.from_bytes(payload[:2], "big"), payload[2:].decode())
        assert opcode == TEXT, f"a frame of opcode {opcode} came instead of a message"
        text = payload.decode()
        self.trace.learn(text)
        if not quietly:
            self.trace.write(f"S{self.mark}", text)
        return json.loads(text)

    def hear_reply(self, quietly=False):
        """The frames up to the next reply, and that one."""
        while True:
            message = self.hear(quietly)
            if isinstance(message, dict) and ("requestId" in message or message["type"] == "MESSAGE_RESPONSE"):
                return message

    def hear_close(self):
        try:
            self.hear()
        except Closed as closed:
            self.trace.note(f'the server closes with {closed.code} "{closed.reason}"')
            return
        raise AssertionError("the connection was not closed")

    def ask(self, type, quietly=False, **fields):
        """Sends a request and waits for its reply; quietly leaves both out of the trace."""
        lines = len(self.trace.lines)
        self.say(type, **fields)
        reply = self.hear_reply()
        if quietly:
            del self.trace.lines[lines:]
        return reply

    # ---- what many scenarios begin with ----

    def mount(self, component, quietly=False, room=None, props=None, **more):
        payload = {"component": component, **({"props": props} if props else {}), **({"room": room} if room else {})}
        reply = self.ask("COMPONENT_MOUNT", quietly, componentId=f"mount-{component}", payload=payload,
                         **{"requestId": "r0000001", "expectResponse": True, **more})
        self.component = reply["result"]["componentId"]
        return reply["result"]

    def act(self, action, payload=None, request="r0000002"):
        return self.ask("CALL_ACTION", componentId=self.component, action=action, payload=payload or {},
                        requestId=request, expectResponse=True)

    def room(self, type, room="lobby", request=None, quietly=False, **payload):
        """Says something to a room, and waits for the reply when it asks for one."""
        fields = {"componentId": self.component, "roomId": room, **({"payload": payload} if payload else {}),
                  "timestamp": TIME}
        if request:
            return self.ask(type, quietly, **fields, requestId=request, expectResponse=True)
        return self.say(type, **fields)
