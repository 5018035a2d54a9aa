"""Random sessions of clients of all five generations at once, against a model of what each of them should hold.

Some hundred clients share one server of several shards, a singleton and a few rooms: they mount, write, join, leave, send
what is no message, vanish and come back with what was signed. Where several write one thing each has a key of its own in it, so
that the outcome is known whatever order the server finds. At quiet points, and at the end, the state that the server shows, the
model and what the client made of its pushes are compared byte by byte.

	sessions.py PROGRAM COMPONENTS [case...]

TEST_SEED repeats a run as far as the clients go (the threads of the server find an order of their own); TEST_CLIENTS (240) and
TEST_ROUNDS (2) make it longer.
"""

import json
import os
import random
import time

from liveclient import Client, Server, main, merge

CLIENTS = int(os.environ.get("TEST_CLIENTS", "240"))
ROUNDS = int(os.environ.get("TEST_ROUNDS", "2"))
STEPS = 6                 # of each client in a round
FIXED = (1, 2)
DEFAULT = {"a": {"b": {"c": 1}}, "d": []}
ROOMS = ("lobby", "attic", "cellar")


# ---- the rules, a second time ----

def replaced(old, new):
    """An object written where another one is: complete, but a null says nothing of what was not null."""
    result = {}
    for key, value in new.items():
        if value is None and not (key in old and old[key] is None):
            continue
        both = isinstance(value, dict) and isinstance(old.get(key), dict)
        result[key] = replaced(old[key], value) if both else value
    return result


def patched(state, patch):
    """A state under a patch: partial at the top, complete below."""
    result = dict(state)
    for key, value in patch.items():
        both = isinstance(value, dict) and isinstance(state.get(key), dict)
        result[key] = replaced(state[key], value) if both else value
    return result


def without_nulls(value, top=True):
    """Older clients hold the nulls of what was removed, or lose those that were not (section 19, row 11)."""
    if not isinstance(value, dict):
        return value
    return {key: without_nulls(inner, False) for key, inner in value.items() if top or inner is not None}


def canonical(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


# ---- chance ----

def any_value(chance, depth=3):
    kind = chance.randrange(12 if depth else 7)
    if kind == 0:
        return None
    if kind < 4:
        return chance.randrange(-3, 4)
    if kind == 4:
        return chance.choice((True, False, 0.5, -1e-7, 2**53 - 1, 1e300))
    if kind < 7:
        return chance.choice(("", "s", "é\"\\\n\u0001 😀", "\u2028"))
    if kind < 8:
        return [any_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    return {f"k{chance.randrange(4)}": any_value(chance, depth - 1) for _ in range(chance.randrange(5))}


def near(chance, value):
    """Most of the time something close to value, so that deltas are small."""
    if not isinstance(value, dict) or chance.randrange(3) == 0:
        return any_value(chance)
    key = f"k{chance.randrange(4)}"
    if chance.randrange(4) == 0:
        return {name: inner for name, inner in value.items() if name != key}
    return {**value, key: near(chance, value.get(key))}


# ---- a client ----

class Member(Client):
    """A client of one of the five generations, with the envelope that its kind has."""

    def __init__(self, server, kind):
        self.kind = kind
        super().__init__(server, generation="G1" if kind < 4 else "G5")

    def apply(self, state, delta):
        return {**state, **delta} if self.kind < 3 else merge(state, delta)

    def room_frame(self, id, room, old, new, value):
        if self.kind == 5:
            return {"componentId": id, "roomId": room, "payload": {new: value}}
        return {"componentId": id, "roomId": room, old: value}

    def is_exact(self):
        return self.kind >= 4


class Part:
    """A component of a player: what the server should have, and what the client makes of its pushes."""

    def __init__(self, player, name, id, first):
        self.player, self.name, self.id = player, name, id
        self.model, self.replica = first, first
        self.rooms = {}         # name: the state as the client has it
        self.signed = None

    def hear(self, message):
        kind, payload = message["type"], message.get("payload")
        if kind in ("STATE_UPDATE", "STATE_REHYDRATED"):
            self.replica = payload["state"]
            self.signed = payload["signedState"]
        elif kind == "STATE_DELTA":
            self.replica = self.player.client.apply(self.replica, payload["delta"])
        elif kind == "STATE_SIGNATURE":
            self.signed = payload["signedState"]
        elif kind == "ROOM_STATE" and message["roomId"] in self.rooms and "requestId" not in message:
            self.hear_room(message["roomId"], message["data"])

    def hear_room(self, room, data):
        client = self.player.client
        changes = data["state"] if client.kind >= 3 else {key: data[key] for key in data if key != "state"}
        self.rooms[room] = client.apply(self.rooms[room], changes)


class Player:
    def __init__(self, world, number):
        self.world, self.number = world, number
        self.chance = random.Random(f"{world.seed} {number}")
        self.key = f"p{number}"
        self.kind = number % 5 + 1
        self.parts, self.kept = [], []
        self.expected = []      # (request, whether it succeeds)
        self.come()

    def come(self):
        self.client = Member(self.world.server, self.kind)
        self.looked = len(self.client.messages)
        self.parts, self.expected = [], []
        self.mount("Page")

    # ---- what it does ----

    def expect(self, good, type, **fields):
        self.expected.append((self.client.ask(type, **fields), good))

    def mount(self, name):
        props = {"a": any_value(self.chance)} if name == "Page" and self.chance.randrange(2) else {}
        reply = self.client.request("COMPONENT_MOUNT", componentId="tmp", payload={"component": name, "props": props})
        assert reply["success"] is True, reply
        self.appear(name, reply["result"]["componentId"], reply["result"]["initialState"],
                    {**DEFAULT, **props} if name == "Page" else None)

    def appear(self, name, id, first, model):
        """What came before the reply was taken in by it, or (G5) is taken in after it: the outcome is the same."""
        part = Part(self, name, id, first)
        part.model = model
        early = [message for message in self.client.messages[self.looked:] if message.get("componentId") == id]
        self.listen()
        self.parts.append(part)
        for message in early:
            if message["type"] in ("STATE_UPDATE", "STATE_REHYDRATED") or self.kind == 5:
                part.hear(message)
        if first is not None and self.kind < 5:
            part.replica = first

    def come_back(self):
        signed = self.kept.pop()
        field = "component" if self.kind == 5 else "componentName"
        reply = self.client.request("COMPONENT_REHYDRATE", componentId=signed["componentId"],
                                    payload={field: "Page", "signedState": signed})
        assert reply["success"] is (self.kind == 5), reply
        if self.kind == 5:
            state = json.loads(signed["data"])
            del state["__componentName"]
            self.appear("Page", reply["result"]["newComponentId"], None, state)

    def vanish(self):
        """What was on its way of a change that all see is lost or not: so this player waits for it."""
        self.quiet()
        self.kept += [part.signed for part in self.parts if part.name == "Page" and part.signed][:3]
        self.client.vanish()
        self.come()
        if self.kept and self.chance.randrange(2):
            self.come_back()

    def write(self, part):
        if part.name == "Wall":
            model = self.world.wall
            patches = [{self.key: near(self.chance, model.get(self.key))}]
        else:
            model = part.model
            patches = [{key: near(self.chance, model.get(key)) for key in self.chance.sample("abde", 2)}
                       for _ in range(self.chance.randrange(1, 4))]
        how = self.chance.randrange(4)
        key, value = next(iter(patches[0].items()))
        if how < 2:
            self.expect(True, "CALL_ACTION", componentId=part.id, action="set",
                        payload={f"p{i}": patch for i, patch in enumerate(patches)})
        elif how == 2 or key not in DEFAULT:
            patches = [{key: value}]
            self.expect(True, "CALL_ACTION", componentId=part.id, action="setValue", payload={"key": key, "value": value})
        else:
            patches = [{key: value}]
            self.expect(True, "PROPERTY_UPDATE", componentId=part.id, property=key, payload={"value": value})
        for patch in patches:
            model = patched(model, patch)
        if part.name == "Wall":
            self.world.wall = model
        else:
            part.model = model

    def go(self, part):
        room = self.chance.choice(ROOMS)
        if room not in part.rooms:
            reply = self.client.request("ROOM_JOIN", **self.client.room_frame(part.id, room, "data", "initialState", {}))
            self.listen()
            part.rooms[room] = reply["payload"]["state"] if self.kind == 5 else reply["state"]
        elif self.chance.randrange(5) == 0:
            del part.rooms[room]
            self.client.request("ROOM_LEAVE", componentId=part.id, roomId=room)
        else:
            model = self.world.rooms[room]
            value = near(self.chance, model.get(self.key))
            self.world.rooms[room] = patched(model, {self.key: value})
            self.client.tell("ROOM_STATE_SET", **self.client.room_frame(part.id, room, "data", "state", {self.key: value}))

    def nonsense(self):
        choice = self.chance.randrange(4)
        if choice == 0:
            self.client.send_text('{"type":"CALL_ACTION","componentId":"' + "x" * self.chance.randrange(40))
        elif choice == 1:
            self.client.send_text(json.dumps(["CALL_ACTION", None]))
        elif choice == 2:
            self.expect(False, "CALL_ACTION", componentId=self.world.players[0].parts[0].id + "!", action="set", payload={})
        else:
            self.expect(False, "PROPERTY_UPDATE", componentId=self.parts[0].id, property="__proto__", payload={"value": 1})

    def step(self):
        what = self.chance.randrange(20)
        part = self.chance.choice(self.parts)
        if what < 2 and len(self.parts) < 4:
            self.mount("Page" if any(other.name == "Wall" for other in self.parts) else "Wall")
        elif what == 2 and self.number:
            self.vanish()
        elif what == 3:
            self.nonsense()
        elif what < 13:
            self.write(part)
        else:
            self.go(part)

    # ---- what it hears ----

    def listen(self):
        """Every push goes to its component, in order."""
        parts = {part.id: part for part in self.parts}
        for message in self.client.messages[self.looked:]:
            part = parts.get(message.get("componentId"))
            if part and "requestId" not in message:
                part.hear(message)
        self.looked = len(self.client.messages)

    def quiet(self):
        """All that this player asked for is answered, as it should be."""
        self.client.settle()
        for id, good in self.expected:
            reply = self.client.answer(id)
            assert reply.get("success") is good, (self.number, reply)
        self.expected = []
        self.listen()

    def look(self):
        """Asks every home for what it has: what it said before has come by then."""
        asked = []
        for part in self.parts:
            asked.append((part, None, self.client.ask("CALL_ACTION", componentId=part.id, action="show", payload={})))
            asked += [(part, room, self.client.ask("ROOM_STATE_GET", componentId=part.id, roomId=room)) for room in part.rooms]
        for part, room, id in asked:
            reply = self.client.answer(id)
            self.listen()
            self.compare(part, room, reply["payload"]["state"] if room else reply["result"])

    def compare(self, part, room, shown):
        model = self.world.rooms[room] if room else self.world.wall if part.name == "Wall" else part.model
        held = part.rooms[room] if room else part.replica
        where = f"seed {self.world.seed}, round {self.world.round}, player {self.number} (G{self.kind}), {room or part.name}"
        assert canonical(shown) == canonical(model), f"{where}: the server has\n{canonical(shown)}\nnot\n{canonical(model)}"
        if room:            # its own changes do not come back to it
            held, shown = ({key: value for key, value in state.items() if key != self.key} for state in (held, shown))
        if not self.client.is_exact():
            held, shown = without_nulls(held), without_nulls(shown)
        assert canonical(held) == canonical(shown), f"{where}: the client has\n{canonical(held)}\nnot\n{canonical(shown)}"


class World:
    def __init__(self, server, seed, clients):
        self.server, self.seed, self.round = server, seed, 0
        self.chance = random.Random(seed)
        self.wall, self.rooms = dict(DEFAULT), {room: {} for room in ROOMS}
        self.players = []
        for number in range(clients):
            self.players.append(Player(self, number))
        # The first one keeps the wall and the rooms there are.
        keeper = self.players[0]
        keeper.mount("Wall")
        for room in ROOMS:
            keeper.client.request("ROOM_JOIN", componentId=keeper.parts[0].id, roomId=room)

    def play(self, rounds):
        for self.round in range(rounds):
            for _ in range(STEPS):
                for player in self.chance.sample(self.players, len(self.players)):
                    player.step()
            # All that was asked is done; then each home is asked, behind what it said of that.
            for player in self.players:
                player.quiet()
            for player in self.players:
                player.look()
        for player in self.players:
            player.client.close()
        self.server.until("all to have gone", lambda stats: stats["components"]["components"] == 0)


def play(program, components, seed, clients, rounds):
    started = time.monotonic()
    print(f"TEST_SEED={seed}: {clients} clients, {rounds} rounds", flush=True)
    with Server(program, components=components, shards=3, rate_limit_tokens=0) as server:
        World(server, seed, clients).play(rounds)
    print(f"  {time.monotonic() - started:.1f} s", flush=True)


def case_fixed(program, components):
    for seed in FIXED:
        play(program, components, seed, 25, 4)


def case_many(program, components):
    play(program, components, int(os.environ.get("TEST_SEED") or random.randrange(2**32)), CLIENTS, ROUNDS)


if __name__ == "__main__":
    main(globals())
