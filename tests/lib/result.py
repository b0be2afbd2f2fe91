# SPDX-License-Identifier: GPL-2.0-only
"""The result of one test: its output, its cases, and how long it took."""
import re
import time

CASE = re.compile(r"^(not ok|ok)\b *(\d*) *-? *([^#]*?)\s*(?:#\s*(.*))?$")
PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*SKIP\s*(.*))?", re.I)


def since(before, after):
    return after - before if before is not None and after is not None else None


class Result:
    """METER, if given, returns the CPU seconds that the test's host has taken so far."""

    def __init__(self, test, meter=lambda: None):
        self.test, self.meter = test, meter
        self.lines = []
        self.echo = None         # prints a line at once, if set
        self.cases = []          # (state, name, reason)
        self.planned = None
        self.skip_all = None
        self.timing = False
        self.problem = None
        self.times = []          # (case, seconds, seconds of CPU or None)
        self.start = self.mark = time.monotonic()
        self.began = self.metered = meter()
        self.took = None
        self.cpu = None          # CPU seconds, of the emulator if the test runs in a host
        self.ended = False

    def line(self, line):
        self.lines.append(line)
        if self.echo:
            self.echo("    " + line)
        m = PLAN.match(line)
        if m:
            # A test may run several programs, each with a plan of its own.
            self.planned = (self.planned or 0) + int(m.group(1))
            if m.group(2):
                self.skip_all = m.group(2)
            return
        m = CASE.match(line)
        if m:
            state = "pass" if m.group(1) == "ok" else "fail"
            directive = m.group(4) or ""
            if directive.upper().startswith("SKIP"):
                state = "skip"
            if directive.upper().startswith("XFAIL"):
                state = "pass"
            case = m.group(3).strip() or m.group(2)
            self.cases.append((state, case, directive))
            self.time_case(case)
        elif line.startswith("# timing:"):
            self.timing = True

    def time_case(self, case):
        now, metered = time.monotonic(), self.meter()
        self.times.append((case, now - self.mark, since(self.metered, metered)))
        self.mark, self.metered = now, metered

    def end(self, status):
        self.ended = True
        self.took = time.monotonic() - self.start
        if self.cpu is None:
            self.cpu = since(self.began, self.meter())
        failed = any(c[0] == "fail" for c in self.cases)
        if status == 4 or (self.skip_all is not None and not self.cases):
            if not any(c[0] == "skip" for c in self.cases):
                self.cases.append(("skip", self.test.name, self.skip_all or "status 4"))
        elif status in (124, 137, 143):
            self.problem = f"did not end within {self.test.timeout} s"
            self.timing = True
        elif status == 99:
            self.problem = "armvmm.ko could not be unloaded after it"
        elif status != 0 and not failed:
            self.problem = f"ended with status {status}"
        elif self.planned is not None and self.planned > len(self.cases) and status == 0:
            self.problem = f"planned {self.planned} cases and reported {len(self.cases)}"
        elif not self.cases and status == 0:
            self.problem = "reported no case at all"

    def visible(self):
        """What the test shows of what guests and clients see: its cases, and what it says is such;
        in no order, as CPUs report in none. What depends on time is in brackets."""
        return sorted([re.sub(r" *\[[^]]*\]", "", " ".join(filter(None, case)))
                       for case in self.cases] +
                      [line for line in self.lines if line.startswith("# visible: ")])

    def unlike(self, other):
        """The first line that this test shows and OTHER does not, or the other way round; None if
        they show the same."""
        mine, others = self.visible(), other.visible()
        for line in sorted(set(mine + others)):
            if mine.count(line) != others.count(line):
                return f"{mine.count(line)} times, not {others.count(line)}: {line}"
        return None

    def failed(self):
        return self.problem is not None or any(c[0] == "fail" for c in self.cases)

    def time(self):
        took = self.took if self.took is not None else time.monotonic() - self.start
        return f"{took:.1f} s" + (f", {self.cpu:.1f} s of CPU" if self.cpu is not None else "")
