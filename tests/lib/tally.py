# SPDX-License-Identifier: GPL-2.0-only
"""What a run prints: KTAP, the numbers of cases, how long everything took.

Lanes run side by side, but the lines of one call of say() stay together, as a test's output."""
import fnmatch
import sys
import threading

from . import paths

SLOWEST = 10


class Tally:
    def __init__(self):
        self.lock = threading.RLock()
        self.live = False        # there is only one job: print its output as it comes
        self.number = self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.skips = []
        self.allowed = []
        self.times = []          # (seconds, name, result) of each test
        self.stages = []         # (name, seconds) of everything else, such as building
        path = paths.top("tests/must-run")
        with open(path, encoding="utf-8") as f:
            for line in f:
                words = line.split("#", 1)[0].split()
                if len(words) == 3:
                    self.allowed.append(words)
                elif words:
                    sys.exit(f"{path}: not understood: {line}")

    def say(self, *lines):
        with self.lock:
            for line in lines:
                print(line)
            sys.stdout.flush()

    def open(self, host, result):
        """Called when a test begins."""
        if self.live:
            self.say(f"# {host}: {result.test.id}")
            result.echo = self.say
        return result

    def show(self, host, result):
        """Prints all that a test printed, unless that was done as it came."""
        if not result.echo:
            self.say(f"# {host}: {result.test.id}",
                     *("    " + line for line in result.lines))

    def stage(self, name, seconds):
        with self.lock:
            self.stages.append((name, seconds))
            self.say(f"# time: {name}: {seconds:.1f} s")

    def may_skip(self, host, test, case):
        return any(fnmatch.fnmatch(host, h) and fnmatch.fnmatch(test.like or test.id, t) and
                   fnmatch.fnmatch(case.replace(" ", "_"), c) for h, t, c in self.allowed)

    def add(self, host, result):
        name = f"{host}/{result.test.id}"
        with self.lock:
            self.number += 1
            failed = self.failed
            for state, case, reason in result.cases:
                if state == "skip" and not self.may_skip(host, result.test, case):
                    state = "fail"
                    reason = "must not be skipped here, but was: " + reason
                if state == "pass":
                    self.passed += 1
                elif state == "skip":
                    self.skipped += 1
                    self.skips.append(f"{name}: {case}: {reason}")
                else:
                    self.failed += 1
                    self.failures.append(f"{name}: {case} {reason}".rstrip())
            if result.problem:
                self.failed += 1
                self.failures.append(f"{name}: {result.problem}")
            if result.took is not None:
                self.times.append((result.took, name, result))
            self.say(f"{'not ok' if self.failed > failed else 'ok'} {self.number} {name} "
                     f"# {result.time()}" + (f"; {result.problem}" if result.problem else ""))

    def fail(self, name, why):
        with self.lock:
            self.number += 1
            self.failed += 1
            self.failures.append(f"{name}: {why}")
            self.say(f"not ok {self.number} {name} # {why}")

    def ok(self, name):
        with self.lock:
            self.number += 1
            self.passed += 1
            self.say(f"ok {self.number} {name}")

    def skip(self, name, why):
        with self.lock:
            self.number += 1
            self.skipped += 1
            self.skips.append(f"{name}: {why}")
            self.say(f"ok {self.number} {name} # SKIP {why}")

    def write_times(self):
        """Writes the times of all tests and cases: seconds, CPU seconds, name."""
        with open(paths.built("times" + (f"-{paths.STAGE}" if paths.STAGE else "")), "w", encoding="utf-8") as f:
            for took, name, result in self.times:
                f.write(f"{took:.2f} {result.cpu or 0:.2f} {name}\n")
                for case, seconds, cpu in result.times:
                    f.write(f"{seconds:.2f} {cpu or 0:.2f} {name}: {case}\n")

    def finish(self, seconds):
        self.say(f"1..{self.number}")
        self.say(*(f"# skipped: {s}" for s in self.skips))
        self.say(*(f"# failed: {f}" for f in self.failures))
        self.say(*(f"# time: {name}: {s:.1f} s" for name, s in self.stages))
        slowest = sorted(self.times, key=lambda t: t[0], reverse=True)[:SLOWEST]
        self.say(*(f"# slowest: {result.time()}: {name}" for _, name, result in slowest))
        self.write_times()
        self.say(f"# {int(seconds)} s in all")
        self.say(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed or not self.passed else 0
