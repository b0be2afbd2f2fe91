# SPDX-License-Identifier: GPL-2.0-only
"""Runs programs, and measures what they cost."""
import atexit
import contextlib
import glob
import os
import signal
import subprocess
import sys
import threading
import time

from . import emulator, paths

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
    """Starts CMD in a process group of its own. The caller reads its output, then calls ended()."""
    p = subprocess.Popen(cmd, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                         errors="replace", process_group=0, **kwargs)
    RUNNING.add(p)
    return p


def ended(p):
    """Waits for P's end. Returns the CPU seconds that it and its children took."""
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    RUNNING.discard(p)
    return usage.ru_utime + usage.ru_stime


class Guard:
    """Ends P and its children at a deadline, which may be moved: a host that sleeps and is not
    woken cannot end a test itself. Time during which a file WAITING.* exists does not count."""

    def __init__(self, p, waiting=None):
        self.p, self.waiting = p, waiting
        self.deadline, self.late = None, False
        self.seen = []           # what its emulators did when it was late
        threading.Thread(target=self.watch, daemon=True).start()

    def within(self, seconds):
        """Sets the deadline to SECONDS from now; None: no deadline."""
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
                if not self.late:
                    self.seen = emulator.states(self.p.pid)
                signal_group(self.p, signal.SIGKILL if self.late else signal.SIGTERM)
                self.late = True
                self.within(5)


def lines(cmd, result, limit, waiting=None, **kwargs):
    """Runs CMD for at most LIMIT seconds. RESULT takes its output, its status, and the CPU seconds
    that it and its children took."""
    p = start(cmd, **kwargs)
    guard = Guard(p, waiting)
    guard.within(limit)
    for line in p.stdout:
        result.line(line.rstrip())
    result.cpu = ended(p)
    for line in guard.seen:
        result.line(line)
    # A signal is reported as a shell does: 128 and its number.
    result.end(124 if guard.late else p.returncode if p.returncode >= 0 else 128 - p.returncode)
    for left in glob.glob(glob.escape(waiting) + ".*") if waiting else []:
        os.unlink(left)
    return result


def cpu_of(pidfile):
    """CPU seconds so far of the process whose number is in PIDFILE, or None."""
    try:
        with open(pidfile, encoding="ascii") as f:
            pid = int(f.read())
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            # The process's name, in brackets, may have blanks.
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK
    except (OSError, ValueError, IndexError):
        return None
