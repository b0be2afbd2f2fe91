# SPDX-License-Identifier: GPL-2.0-only
"""Programs that are run, and what they cost."""
import atexit
import contextlib
import glob
import os
import signal
import subprocess
import sys
import threading
import time

from . import paths

TICK = os.sysconf("SC_CLK_TCK")


def make(*args, check=True):
    return subprocess.run(["make", "--no-print-directory", "-C", paths.TOP, *args], check=check,
                          stdout=sys.stderr, stdin=subprocess.DEVNULL).returncode


def output(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


RUNNING = set()


def signal_group(p, sig):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(p.pid, sig)


@atexit.register
def end_all():
    """No emulator outlives a run that is interrupted."""
    for p in list(RUNNING):
        signal_group(p, signal.SIGTERM)


def start(cmd, **kwargs):
    """CMD, in a process group of its own; its output is to be read, then it is to be waited for by
    ended()."""
    p = subprocess.Popen(cmd, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                         errors="replace", process_group=0, **kwargs)
    RUNNING.add(p)
    return p


def ended(p):
    """Waits for it. Returns what it cost, its own and its children's, in seconds of CPU."""
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    RUNNING.discard(p)
    return usage.ru_utime + usage.ru_stime


class Guard:
    """Ends P and its children at a time that may be put off: a host that sleeps and is not woken
    ends no test itself. Seconds in which a file called WAITING and more is there do not count."""

    def __init__(self, p, waiting=None):
        self.p, self.waiting = p, waiting
        self.deadline, self.late = None, False
        threading.Thread(target=self.watch, daemon=True).start()

    def within(self, seconds):
        """From now on P has SECONDS, or any time (None)."""
        self.deadline = None if seconds is None else time.monotonic() + seconds

    def watch(self):
        while self.p.returncode is None:
            time.sleep(1)
            deadline = self.deadline
            if deadline is None:
                continue
            if self.waiting and glob.glob(glob.escape(self.waiting) + ".*"):
                self.deadline = deadline + 1
            elif time.monotonic() > deadline and self.p.returncode is None:
                signal_group(self.p, signal.SIGKILL if self.late else signal.SIGTERM)
                self.late = True
                self.within(5)


def lines(cmd, result, limit, waiting=None, **kwargs):
    """Runs CMD, for whose output RESULT is, for LIMIT seconds at most. What it cost is its own and
    its children's."""
    p = start(cmd, **kwargs)
    guard = Guard(p, waiting)
    guard.within(limit)
    for line in p.stdout:
        result.line(line.rstrip())
    result.cpu = ended(p)
    # As a shell says it.
    result.end(124 if guard.late else p.returncode if p.returncode >= 0 else 128 - p.returncode)
    for left in glob.glob(glob.escape(waiting) + ".*") if waiting else []:
        os.unlink(left)
    return result


def cpu_of(pidfile):
    """Seconds that the process whose number the file holds has computed so far, or None."""
    try:
        with open(pidfile, encoding="ascii") as f:
            pid = int(f.read())
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            # The name, in brackets, may hold blanks.
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK
    except (OSError, ValueError, IndexError):
        return None
