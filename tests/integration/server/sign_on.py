"""Sign-on: by AUTH, by a token in the address, and what an anonymous, a wrong and a right client may do."""

import contextlib
import hashlib
import json
import signal
import tempfile
import time

from liveclient import DEADLINE, Client, Server, main

WIPE = "notices.wipe"
USERS = [("secret-admin", "ann", ["admin"], [WIPE]), ("secret-helper", "eve", ["admin"], []),
         ("secret-user", "bob", ["user"], [])]


@contextlib.contextmanager
def server_with_tokens(program, components, **settings):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"tokens": [{"sha256": hashlib.sha256(token.encode()).hexdigest(), "id": id, "roles": roles,
                               "permissions": permissions} for token, id, roles, permissions in USERS]}, file)
        file.flush()
        with Server(program, components=components, tokens_file=file.name, **settings) as server:
            yield server


def sign_on(client, **credentials):
    return client.request("AUTH", payload=credentials)


def mount(client, name="AdminPanel"):
    return client.request("COMPONENT_MOUNT", payload={"component": name})


def case_auth_message(program, components):
    with server_with_tokens(program, components) as server:
        client = server.client()
        assert mount(client)["error"] == "AUTH_DENIED: Authentication required"
        for wrong in ({"token": "nope"}, {"token": 7}, {"token": ""}, {}, {"user": "ann"}):
            reply = sign_on(client, **wrong)
            assert reply["success"] is False and reply["authenticated"] is False
            assert reply["payload"] == {"authenticated": False, "error": "Authentication failed"}
        reply = sign_on(client, token="secret-user")
        assert reply["success"] is True and reply["authenticated"] is True
        assert reply["payload"]["session"] == {"id": "bob", "roles": ["user"], "permissions": []}
        assert mount(client)["error"] == "AUTH_DENIED: Insufficient roles. Required one of: admin"
        assert sign_on(client, token="secret-admin")["payload"]["userId"] == "ann"
        assert mount(client)["success"] is True


def case_token_in_the_address(program, components):
    """Clients of the first generations: nothing that they send overtakes their sign-on."""
    with server_with_tokens(program, components) as server:
        client = Client(server, path="/api/live/ws?token=secret-admin")
        assert client.messages[0]["type"] == "CONNECTION_ESTABLISHED" and client.messages[0]["authenticated"] is True
        assert mount(client)["success"] is True
        stranger = Client(server, path="/api/live/ws?token=nope")
        assert stranger.messages[0]["authenticated"] is False
        assert mount(stranger)["error"] == "AUTH_DENIED: Authentication required"


def case_rules_of_actions(program, components):
    with server_with_tokens(program, components) as server:
        helper, admin = server.client(), server.client()
        sign_on(helper, token="secret-helper")
        sign_on(admin, token="secret-admin")
        board = helper.mount("AdminPanel")
        assert board.act("announce", text="hello")["success"] is True
        refused = board.act("wipe")
        assert refused["error"] == (f"AUTH_DENIED: Insufficient permissions for action 'wipe'. Required all: {WIPE}")
        assert not board.pushes("ERROR"), "a denial is told by the reply alone"
        assert admin.mount("AdminPanel").act("wipe")["success"] is True
        board.wait_state(notices=[])


def case_signing_on_again(program, components):
    """The connection becomes somebody else; what it mounted stays, but its rules ask the caller of now."""
    with server_with_tokens(program, components) as server:
        client = server.client()
        sign_on(client, token="secret-admin")
        panel = client.mount("AdminPanel")
        sign_on(client, token="secret-user")
        assert panel.act("announce", text="still mounted")["success"] is True
        assert panel.act("wipe")["error"].startswith("AUTH_DENIED: Insufficient permissions")
        assert mount(client)["error"].startswith("AUTH_DENIED: Insufficient roles")


def case_order_around_a_sign_on(program, components):
    """What is sent behind AUTH is handled after it, in order."""
    with server_with_tokens(program, components) as server:
        client = server.client()
        ids = [client.ask("AUTH", payload={"token": "secret-admin"})]
        ids += [client.ask("COMPONENT_MOUNT", payload={"component": "AdminPanel"}) for _ in range(3)]
        assert all(client.answer(id)["success"] for id in ids)
        assert [m["requestId"] for m in client.messages if m.get("requestId") in ids] == ids


def case_file_is_read_again(program, components):
    """On SIGHUP: who is signed on stays so; a file that is no good changes nothing."""
    def write(path, *tokens):
        users = [{"sha256": hashlib.sha256(token.encode()).hexdigest(), "id": token} for token in tokens]
        with open(path, "w", encoding="ascii") as file:
            json.dump({"tokens": users}, file)

    def reload(server, line):
        before = server.errors().count(line)
        server.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + DEADLINE
        while server.errors().count(line) == before:
            assert time.monotonic() < end, server.errors()
            time.sleep(0.01)

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/tokens.json"
        write(path, "old")
        with Server(program, components=components, tokens_file=path) as server:
            client = server.client()
            assert sign_on(client, token="new")["success"] is False and sign_on(client, token="old")["success"] is True
            write(path, "new")
            reload(server, "main reloaded")
            assert mount(client, "Counter")["success"] is True
            other = server.client()
            assert sign_on(other, token="old")["success"] is False and sign_on(other, token="new")["success"] is True
            with open(path, "w", encoding="ascii") as file:
                file.write("{")
            reload(server, "main not reloaded")
            assert path in server.errors()
            assert sign_on(server.client(), token="new")["success"] is True


def case_nobody_without_a_file(program, components):
    with Server(program, components=components) as server:
        client = server.client()
        assert sign_on(client, token="secret-admin")["success"] is False
        assert mount(client)["error"] == "AUTH_DENIED: Authentication required"
        assert mount(client, "Counter")["success"] is True


if __name__ == "__main__":
    main(globals())
