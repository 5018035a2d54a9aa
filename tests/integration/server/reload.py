"""New code for components while clients are there: by SIGHUP, and by the folder that is watched."""

import os
import shutil
import signal
import tempfile

from liveclient import Client, Mounted, Server, log_of, main, until


def put(components, version, folder, in_place=False, name="versioned.so", kind="own"):
    """Makes a version the plugin of a folder, as a linker (in place) or an installer (by a move) would."""
    source = os.path.join(components, "versions", f"{kind}_{version}.so")
    target = os.path.join(folder, name)
    if in_place:
        shutil.copyfile(source, target)
    else:
        shutil.copyfile(source, target + ".part")
        os.rename(target + ".part", target)


def which(mounted):
    return mounted.act("which")["result"]


def wait_log(server, text):
    until(lambda: text in log_of(server), text)


def wait_version(client, version):
    """New mounts run that code."""
    def is_there():
        mounted = client.mount("Versioned")
        found = which(mounted)
        client.request("COMPONENT_UNMOUNT", componentId=mounted.id)
        return found == version
    until(is_there, f"version {version}")


def copies(server):
    """How many copies of the plugin the process has open."""
    with open(f"/proc/{server.pid}/maps", encoding="ascii") as maps:
        return len({line.split()[4] for line in maps if "versioned.so" in line})


def case_sighup(program, components):
    with tempfile.TemporaryDirectory() as folder:
        put(components, 1, folder)
        with Server(program, components=folder, auth_timeout_ms=100, rate_limit_tokens=0) as server:
            client = Client(server)
            old = client.mount("Versioned")
            assert which(old) == 1
            put(components, 2, folder, in_place=True)
            os.kill(server.pid, signal.SIGHUP)
            wait_version(client, 2)
            new = client.mount("Versioned")
            assert which(old) == 1 and which(new) == 2 and new.first["made"] == 2
            assert old.act("count")["result"] == 1 and copies(server) == 2
            client.request("COMPONENT_UNMOUNT", componentId=old.id)
            until(lambda: copies(server) == 1, "the old code is closed")
            assert which(new) == 2
            client.close()


def case_moved(program, components):
    """Version 3 takes over those that are there: id, state, rooms and clients stay."""
    with tempfile.TemporaryDirectory() as folder:
        put(components, 1, folder)
        with Server(program, components=folder, auth_timeout_ms=100, rate_limit_tokens=0) as server:
            clients = [Client(server) for _ in range(6)]
            all_old = [client.mount("Versioned", count=index) for index, client in enumerate(clients)]
            for old in all_old:
                old.act("count")
                old.ask("offload")
            put(components, 3, folder)
            os.kill(server.pid, signal.SIGHUP)
            for index, old in enumerate(all_old):
                state = old.wait_state(to=3)
                assert state["from"] == 1 and state["made"] == 1 and state["count"] == index + 1, state
                assert state["new1"] is True and state["new3"] is True, state
                assert which(old) == 3
                assert old.act("count")["result"] == 1, "private memory begins anew"
            clients[0].tell("ROOM_EMIT", componentId=all_old[0].id, roomId="versions", payload={"event": "x", "data": 1})
            for old in all_old[1:]:
                assert old.wait_state(heard=3)
            until(lambda: copies(server) == 1, "the old code is closed")
            for client in clients:
                client.close()


def case_bad_files(program, components):
    with tempfile.TemporaryDirectory() as folder:
        put(components, 1, folder)
        with Server(program, components=folder, rate_limit_tokens=0) as server:
            client = Client(server)
            mounted = client.mount("Versioned")
            path = os.path.join(folder, "versioned.so")
            shutil.copyfile(os.path.join(components, "counter.so"), os.path.join(folder, "counter.so"))
            bad = [("abi", "built for another <live/component.h>"), ("state", "is unusable"), ("nothing", "LIVE_COMPONENT")]
            for name, why in bad:
                shutil.copyfile(os.path.join(components, "broken", f"{name}.so"), path)
                os.kill(server.pid, signal.SIGHUP)
                wait_log(server, why)
            with open(path, "wb") as file:
                file.write(b"\x7fELF and then nothing")
            os.kill(server.pid, signal.SIGHUP)
            wait_log(server, "cannot load component")
            assert log_of(server).count("what was loaded of it stays") == 4, log_of(server)
            assert which(mounted) == 1 and which(client.mount("Versioned")) == 1
            assert client.mount("Counter").act("increment")["success"] is True
            os.remove(path)
            os.kill(server.pid, signal.SIGHUP)
            wait_log(server, "is gone; what is mounted of it lives on")
            refused = client.request("COMPONENT_MOUNT", payload={"component": "Versioned"})
            assert refused["error"] == "Component 'Versioned' not found", refused
            assert which(mounted) == 1 and server.get_json("/api/live/components") == {"names": ["Counter"]}
            client.close()


def case_watch(program, components):
    with tempfile.TemporaryDirectory() as folder:
        put(components, 1, folder)
        with Server(program, "--watch", components=folder, auth_timeout_ms=100, rate_limit_tokens=0) as server:
            client = Client(server)
            wait_version(client, 1)
            for version in (2, 1, 2):
                put(components, version, folder, in_place=version == 1)
                wait_version(client, version)
            until(lambda: copies(server) == 1, "the old code is closed")
            client.close()


def case_fifty_reloads(program, components):
    """Under load, on several shards; nothing is lost, and no old code stays."""
    with tempfile.TemporaryDirectory() as folder:
        put(components, 1, folder)
        with Server(program, components=folder, auth_timeout_ms=100, rate_limit_tokens=0) as server:
            clients = [Client(server) for _ in range(8)]
            mounted = [client.mount("Versioned") for client in clients]
            for turn in range(50):
                put(components, turn % 3 + 1, folder, in_place=turn % 2 == 0)
                os.kill(server.pid, signal.SIGHUP)
                for one in mounted:
                    one.ask("count")
                    one.ask("offload")
                    one.client.tell("ROOM_EMIT", componentId=one.id, roomId="versions", payload={"event": "x", "data": turn})
                client = clients[turn % 8]
                client.request("COMPONENT_UNMOUNT", componentId=mounted[turn % 8].id)
                mounted[turn % 8] = client.mount("Versioned")
            for one in mounted:
                assert one.act("count")["success"] is True
            for client in clients:
                client.close()
            until(lambda: copies(server) <= 1, "the old code is closed")


def shared(components, version, server, folder):
    """Makes a version of the singleton the one that is served."""
    put(components, version, folder, in_place=version == 2, kind="shared")
    os.kill(server.pid, signal.SIGHUP)


def case_singleton_stays(program, components):
    """Version 2 takes nobody over: whoever comes joins the old one, until all have left it."""
    with tempfile.TemporaryDirectory() as folder:
        put(components, 1, folder, kind="shared")
        with Server(program, components=folder, rate_limit_tokens=0) as server:
            clients = server.clients(6)
            joined = [client.mount("VersionedShared") for client in clients[:4]]
            joined[0].act("count")
            shared(components, 2, server, folder)
            until(lambda: copies(server) == 2, "the new code is open")
            joined += [client.mount("VersionedShared") for client in clients[4:]]
            for one in joined:
                assert one.id == joined[0].id and which(one) == 1
                assert one.act("count")["success"] is True
            assert joined[5].wait_state(count=7)["made"] == 1
            for client in clients[:5]:
                client.close()
            assert which(joined[5]) == 1 and copies(server) == 2
            clients[5].request("COMPONENT_UNMOUNT", componentId=joined[5].id)
            until(lambda: copies(server) == 1, "the old code is closed")
            again = clients[5].mount("VersionedShared")
            assert which(again) == 2 and again.first["made"] == 2 and again.id != joined[5].id
            clients[5].close()


def case_singleton_moved(program, components):
    """Version 3 takes it over with all who joined: they keep id, state and room, and the new code hears of each."""
    with tempfile.TemporaryDirectory() as folder:
        put(components, 1, folder, kind="shared")
        with Server(program, components=folder, rate_limit_tokens=0) as server:
            clients = server.clients(6)
            joined = [client.mount("VersionedShared") for client in clients]
            for one in joined:
                one.act("count")
                one.ask("offload")
            shared(components, 3, server, folder)
            for one in joined:
                state = one.wait_state(to=3)
                assert state["from"] == 1 and state["made"] == 1 and state["count"] == 6, state
                assert state["new1"] is True and state["new3"] is True, state
                assert one.wait_state(joined={"clients": 6, "by": 3})
                assert which(one) == 3
            assert [one.act("count")["result"] for one in joined] == [1, 2, 3, 4, 5, 6], "private memory begins anew"
            until(lambda: copies(server) == 1, "the old code is closed")
            late = server.client()
            other = late.mount("VersionedShared")
            assert other.id == joined[0].id and other.first["count"] == 12 and other.first["joined"] == {"clients": 7, "by": 3}
            late.tell("ROOM_JOIN", componentId=other.id, roomId="versions", payload={})
            late.tell("ROOM_EMIT", componentId=other.id, roomId="versions", payload={"event": "x", "data": 1})
            for one in joined:
                assert one.wait_state(heard=3)
            for client in clients + [late]:
                client.close()


def case_singleton_thirty_reloads(program, components):
    """While clients come, call, and go: nothing is lost, and no old code stays."""
    with tempfile.TemporaryDirectory() as folder:
        put(components, 3, folder, kind="shared")
        with Server(program, components=folder, rate_limit_tokens=0) as server:
            clients = server.clients(5)
            joined = [client.mount("VersionedShared") for client in clients]
            asked = []
            for turn in range(30):
                shared(components, 3, server, folder)
                asked += [(one.client, one.ask("count")) for one in joined]
                joined[turn % 5].ask("offload")
                guest = server.client()
                assert guest.mount("VersionedShared").id == joined[0].id
                (guest.vanish if turn % 2 else guest.close)()
            for client, id in asked:
                assert client.answer(id)["success"] is True
            for one in joined:
                assert one.wait_state(count=150)
            for client in clients:
                client.close()
            until(lambda: copies(server) <= 1, "the old code is closed")


def case_mount_not_answered(program, components):
    """It is answered by the code that it was mounted by, and moved then; one that never ends is not needed for ever."""
    for kind, name in (("own", "Versioned"), ("shared", "VersionedShared")):
        with tempfile.TemporaryDirectory() as folder:
            put(components, 1, folder, kind=kind)
            with Server(program, components=folder, rate_limit_tokens=0) as server:
                client, gone = server.clients(2)
                mount = {"componentId": "m", "payload": {"component": name, "props": {"slow": True}}}
                asked = client.ask("COMPONENT_MOUNT", **mount)
                gone.ask("COMPONENT_MOUNT", **mount)
                client.wait(type="STATE_UPDATE")
                put(components, 3, folder, kind=kind)
                os.kill(server.pid, signal.SIGHUP)
                wait_log(server, "is loaded again")
                gone.vanish()
                reply = client.answer(asked)
                assert reply["success"] is True and reply["result"]["initialState"]["made"] == 1, reply
                mounted = Mounted(client, name, reply["result"]["componentId"], None)
                assert mounted.wait_state(to=3)["from"] == 1
                assert which(mounted) == 3
                until(lambda: copies(server) == 1, "the old code is closed")
                client.close()


if __name__ == "__main__":
    main(globals())
