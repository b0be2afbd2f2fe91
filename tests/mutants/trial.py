# SPDX-License-Identifier: GPL-2.0-only
"""What the tests named with a fault say of a copy of the tree, with it and without it."""
import fnmatch
import hashlib
import os
import re
import shutil
import subprocess

from faults import TOP


def known_files():
    """The files that git knows, as they are in the working tree."""
    files = subprocess.run(["git", "-C", TOP, "ls-files", "-z", "--cached", "--others",
                            "--exclude-standard"], check=True, stdout=subprocess.PIPE).stdout
    return [n for n in sorted(files.decode().split("\0"))
            if n and os.path.isfile(os.path.join(TOP, n))]


def tree_hash():
    """One hash over what copies of the tree are made of."""
    h = hashlib.sha256()
    for name in known_files():
        with open(os.path.join(TOP, name), "rb") as f:
            h.update(name.encode() + b"\0" + hashlib.sha256(f.read()).digest())
    return h.hexdigest()[:16]


def run_logged(log, *args, **kwargs):
    with open(log, "w", encoding="utf-8") as f:
        status = subprocess.run(args, stdout=f, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, check=False, **kwargs).returncode
    with open(log, encoding="utf-8", errors="replace") as f:
        text = f.read()
    if re.search(r"could not be built|building armvmm.ko .* failed|: error: ", text):
        return None, "did not build"
    return status, text


def first_bad(text):
    """The first case that failed, without its number."""
    m = re.search(r"^[\s#]*not ok \d+ (?:- )?(.*)$", text, re.M)
    return m[1][:100] if m else ""


class Tree:
    """A copy of the tree in which one fault at a time is tried."""

    def __init__(self, work, n):
        self.work, self.top = work, os.path.join(work, f"tree{n}")
        self.build = os.path.join(self.top, "build")
        shutil.rmtree(self.top, ignore_errors=True)
        for name in known_files():
            target = os.path.join(self.top, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(os.path.join(TOP, name), target)

    def log(self, name):
        return os.path.join(self.work, name + ".log")

    def env(self, **more):
        env = dict(os.environ, ARMVMM_BUILD=self.build, **more)
        env.pop("O", None)
        return env

    def run_unit(self, tests, log):
        """The unit tests named, built anew where their sources changed."""
        names = [n[:-2] for _, _, files in os.walk(os.path.join(self.top, "tests/unit"))
                 for n in sorted(files)
                 if n.endswith(".c") and any(fnmatch.fnmatch("unit/" + n[:-2], t)
                                             for t in tests.split())]
        status, text = run_logged(log, "make", "--no-print-directory", "-C",
                                  os.path.join(self.top, "tests/unit"), "O=" + self.build,
                                  "T=" + " ".join(names), "run")
        if status is None:
            return text, ""
        # One that aborts in its first case has run, and failed.
        if not names or not re.search(r"^(not )?ok |^# unit: .*: status 134$", text, re.M):
            return "ran nothing", ""
        return "failed" if status else "passed", first_bad(text)

    def run_host(self, host, tests, log):
        """(verdict, first case that failed, whether each test that ran has passed)"""
        status, text = run_logged(log, os.path.join(self.top, "tests/run"), host,
                                  env=self.env(TESTS=tests, SLOW="1", ARMVMM_ONCE="1"))
        if status is None:
            return text, "", {}
        m = re.findall(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", text, re.M)
        if not m:
            return "no tally", "", {}
        each = {name: state == "ok" for state, name in
                re.findall(rf"^(ok|not ok) \d+ {re.escape(host)}/(\S+)", text, re.M)}
        verdict = "failed" if int(m[-1][1]) else "passed" if int(m[-1][0]) else "ran nothing"
        return verdict, first_bad(text), each

    def run_coherency(self, fault, log):
        """'passed', or 'failed' where the fault's rule and no other has seen something."""
        env = self.env(TESTS=fault.tests)
        if fault.vipt:
            env.update(COHERENCY_CPU=fault.vipt, COHERENCY_ARGS="vipt=0,vipt=1")
        status, text = run_logged(log, os.path.join(self.top, "tests/coherency/run"), fault.host,
                                  env=env)
        if status is None:
            return text, ""
        cases = re.findall(r"^(ok|not ok) \d+ (R\d+|the tests)\b", text, re.M)
        bad = [name for state, name in cases if state != "ok"]
        if not cases or "the tests" in bad:
            return "did not run to its end", ""
        if not bad:
            return "passed", ""
        if bad != [fault.rule]:
            return "was seen by " + ", ".join(bad), ""
        if not fault.reported(text):
            return f"was reported with no '{fault.seen}'", ""
        return "failed", fault.rule

    def run_tests(self, fault, log):
        """('passed', 'failed' or what went wrong; the first case that failed)"""
        if fault.on == "coherency":
            return self.run_coherency(fault, log)
        if fault.on == "unit":
            return self.run_unit(fault.tests, log)
        verdict, first, _ = self.run_host(fault.on, fault.tests, log)
        if verdict != "failed" or not fault.seen:
            return verdict, first
        with open(log, encoding="utf-8", errors="replace") as f:
            reasons = re.findall(r"^# failed: (.*)$", f.read(), re.M)
        seen = next((r for r in reasons if fault.seen in r), None)
        return ("failed", seen) if seen else (f"failed otherwise: {first}", "")

    def try_fault(self, fault):
        path = os.path.join(self.top, fault.file)
        with open(path, encoding="utf-8") as f:
            whole = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(whole.replace(fault.old, fault.new))
        try:
            return self.run_tests(fault, self.log(fault.name))
        finally:
            with open(path, "w", encoding="utf-8") as f:
                f.write(whole)


class Bases:
    """What the tests say without a fault; those of a host run all in one go."""

    def __init__(self, faults):
        self.faults, self.known, self.running = faults, {}, set()

    @staticmethod
    def key(fault):
        if fault.on == "coherency":
            return fault.on, fault.host, fault.vipt, fault.tests
        return (fault.on, fault.tests) if fault.on == "unit" else (fault.on,)

    def busy(self, fault):
        return self.key(fault) in self.running

    def begin(self, fault):
        if self.key(fault) not in self.known:
            self.running.add(self.key(fault))

    def end(self, fault):
        self.running.discard(self.key(fault))

    def host(self, host, tree):
        """What each faults' tests came to on the host."""
        wanted = sorted({f.tests for f in self.faults if f.on == host})
        verdict, _, each = tree.run_host(host, " ".join(wanted), tree.log(f"base-{host}"))
        verdicts = {}
        for tests in wanted:
            ran = [ok for name, ok in each.items()
                   if any(fnmatch.fnmatch(name, t) for t in tests.split())]
            verdicts[tests] = (verdict if not each else "ran nothing" if not ran else
                               "passed" if all(ran) else "failed")
        return verdicts

    def of(self, fault, tree):
        key = self.key(fault)
        if key not in self.known:
            if fault.on in ("unit", "coherency"):
                self.known[key] = tree.run_tests(fault, tree.log("base-" + fault.name))[0]
            else:
                self.known[key] = self.host(fault.on, tree)
        known = self.known[key]
        return known if isinstance(known, str) else known[fault.tests]
