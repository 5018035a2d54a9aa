"""Leaves nothing behind: work that starts processes is done in a process of its own, and watched.

However that one ends, by an error, Ctrl-C or SIGKILL, all processes below it are ended, also those whose parents have gone
(a server that took another one's place), and its temporary folder is removed. Only Linux has what this takes.
"""

import ctypes
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
END_S = 15
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Trouble(Exception):
    """What is told to who called, in one line, without a traceback; the exit status is 2."""


class Interrupted(SystemExit):
    """Somebody asked to end, by Ctrl-C or a signal."""


def guarded(work, name):
    """Calls work() with temporary files in a folder of their own, and ends this process with its status; name: ours, for
    the one line of a Trouble."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    folder = tempfile.mkdtemp(prefix="liveshard-")
    parent, child = os.getpid(), os.fork()
    if child == 0:
        # Ctrl-C at a terminal is for the guard, which passes it on once.
        os.setpgid(0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        os._exit(run(work, name, folder))
    sys.exit(watch(child, folder))


def run(work, name, folder):
    """In the child; its exit status."""
    for number in ENDINGS:
        signal.signal(number, interrupted)
    tempfile.tempdir = folder
    status = 1
    try:
        status = work() or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except Trouble as trouble:
        print(f"{name}: {trouble}", file=sys.stderr)
        status = 2
    except BaseException:
        traceback.print_exc()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                pass
    return status


def interrupted(number, _):
    for again in ENDINGS:
        signal.signal(again, signal.SIG_IGN)
    raise Interrupted(128 + number)


def watch(child, folder):
    """In the guard: its exit status."""
    asked = []

    def pass_on(number, _):
        # Who asks twice, or waits too long, does not want to wait for an orderly end.
        number = signal.SIGKILL if asked else number
        asked.append(number)
        signal.alarm(END_S)
        try:
            os.kill(child, number)
        except ProcessLookupError:
            pass

    for number in (*ENDINGS, signal.SIGALRM):
        signal.signal(number, pass_on)
    _, status = os.waitpid(child, 0)
    for number in (*ENDINGS, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    left = end_children()
    shutil.rmtree(folder, ignore_errors=True)
    if left:
        print(f"still there after {END_S} s: {left}", file=sys.stderr)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def children():
    """Our children; those whose parents ended are among them."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(path.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(path.parent.name))
        except (OSError, ValueError, IndexError):
            pass
    return found


def end_children():
    """Ends all that are left, and those that become ours by that; who could not be ended."""
    until = time.monotonic() + END_S
    while left := children():
        if time.monotonic() > until:
            return left
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
            except OSError:
                pass
        time.sleep(0.01)
    return []
