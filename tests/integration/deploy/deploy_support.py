"""What the suites of this folder share: processes that are not our children but our wards, and a service manager's socket."""

import ctypes
import os
import signal
import socket
import tempfile
import threading
import time

from liveclient import DEADLINE

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """A server that takes the place of another becomes our child when that one ends, so that we can wait for it."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wait_for(what, check, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while True:
        result = check()
        if result:
            return result
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.005)


def read_pid(path):
    try:
        with open(path) as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def successor(path, old):
    """The number that the file holds once it is not old any more."""
    return wait_for("a successor", lambda: (read_pid(path) or old) != old and read_pid(path))


def end_ward(pid):
    """Ends a server that is our ward; its exit status."""
    os.kill(pid, signal.SIGTERM)
    return wait_ward(pid)


def wait_ward(pid):
    done, status = wait_for(f"process {pid} to end", lambda: (lambda pair: pair if pair[0] else None)(os.waitpid(pid, os.WNOHANG)))
    assert done == pid
    return os.waitstatus_to_exitcode(status)


class Manager:
    """The socket of a service manager: keeps what it was told."""

    def __init__(self, abstract=False):
        self.folder = tempfile.TemporaryDirectory()
        self.path = f"@{self.folder.name}/notify" if abstract else f"{self.folder.name}/notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path.replace("@", "\0", 1))
        self.told = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                message = self.socket.recv(4096).decode()
            except OSError:
                return
            self.told.append(dict(line.split("=", 1) for line in message.split("\n")))

    def wait(self, **fields):
        """The first message that has these fields; None as a value: whatever it is."""
        def find():
            for message in list(self.told):
                if all(name in message and value in (None, message[name]) for name, value in fields.items()):
                    return message
            return None
        return wait_for(f"{fields} among {self.told}", find)

    def count(self, name):
        return sum(name in message for message in list(self.told))

    def close(self):
        self.socket.close()
        self.folder.cleanup()
