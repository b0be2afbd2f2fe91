# SPDX-License-Identifier: GPL-2.0-only
"""Programs that are run, and what they cost."""
import os
import subprocess
import sys

from . import paths

TICK = os.sysconf("SC_CLK_TCK")


def make(*args, check=True):
    return subprocess.run(["make", "--no-print-directory", "-C", paths.TOP, *args], check=check,
                          stdout=sys.stderr, stdin=subprocess.DEVNULL).returncode


def output(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def lines(cmd, result, **kwargs):
    """Runs CMD, for whose output RESULT is. What it cost is its own and its children's."""
    p = subprocess.Popen(cmd, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                         errors="replace", **kwargs)
    for line in p.stdout:
        result.line(line.rstrip())
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    result.cpu = usage.ru_utime + usage.ru_stime
    # As a shell says it.
    result.end(p.returncode if p.returncode >= 0 else 128 - p.returncode)
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
