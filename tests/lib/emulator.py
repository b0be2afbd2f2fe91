# SPDX-License-Identifier: GPL-2.0-only
"""What the threads of an emulator do: whether the host in it hangs, or the emulator itself."""
import glob
import os
import time

TICK = os.sysconf("SC_CLK_TCK")
SAMPLE = 1.0                     # seconds
BUSY = 0.2                       # of the sample


def fields(path):
    """The name in a stat file of /proc, which may have blanks and brackets, and what follows it."""
    with open(path, encoding="ascii", errors="replace") as f:
        head, _, rest = f.read().rpartition(")")
    return head.partition("(")[2], rest.split()


def emulators(group):
    """The emulators in a process group."""
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            name, rest = fields(path)
        except OSError:
            continue             # it has ended
        if name.startswith("qemu-system") and int(rest[2]) == group:
            found.append(int(path.split("/")[2]))
    return sorted(found)


def threads(pid):
    """(name, state, seconds of CPU) of each thread, by its number."""
    found = {}
    for path in glob.glob(f"/proc/{pid}/task/*/stat"):
        try:
            name, rest = fields(path)
        except OSError:
            continue
        found[int(path.split("/")[4])] = (name, rest[0], (int(rest[11]) + int(rest[12])) / TICK)
    return found


def verdict(pid, shares):
    """SHARES: of a CPU, by the thread's number. The main thread, which has the process's number,
    runs the timers and devices."""
    main = shares.pop(pid, 0)
    if main > BUSY and not any(s > BUSY for s in shares.values()):
        return "its main thread spins and its CPUs wait: the emulator hangs, not the host in it"
    if any(s > BUSY for s in shares.values()):
        return "its CPUs execute something"
    return "all of it sleeps: its CPUs wait for an interrupt, or it waits for a lock"


def states(group):
    """Lines about each emulator of a process group. Takes a second if there is any."""
    pids = emulators(group)
    if not pids:
        return []
    before = {pid: threads(pid) for pid in pids}
    time.sleep(SAMPLE)
    lines = []
    for pid in pids:
        shares = {}
        for tid, (name, state, seconds) in sorted(threads(pid).items()):
            shares[tid] = (seconds - before[pid].get(tid, (None, None, seconds))[2]) / SAMPLE
            lines.append(f"# emulator {pid}: {'main thread' if tid == pid else 'thread ' + name}: "
                         f"{state}, {shares[tid] * 100:.0f} % of a CPU, {seconds:.1f} s so far")
        if shares:
            lines.append(f"# emulator {pid}: {verdict(pid, shares)}")
    return lines
