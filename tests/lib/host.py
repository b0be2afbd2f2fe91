# SPDX-License-Identifier: GPL-2.0-only
"""An emulated host, and the tests that run in it."""
import glob
import os
import re
import shlex
import shutil
import subprocess
import threading
import time

from . import command, paths
from .lanes import Job, deal
from .result import Result
from .test import Test, load_list

AREAS = ["kselftest", "guest", "system"]
COVERAGE = 85                    # percent of the lines of driver/ that have to run
GRACE = 60                       # seconds that a host has to end a test whose time is up
AFTER = 300                      # and, after a test, to begin the next one or to end
TIMING = re.compile(r"rcu:.*(stall|detected)|soft lockup|hung task|blocked for more than|"
                    r"hrtimer: interrupt took|RT throttling")


def patterns():
    with open(paths.top("tests/splat-patterns"), encoding="utf-8") as f:
        return [re.compile(p.rstrip("\n")) for p in f if p.strip() and p[0] != "#"]


def collect(areas):
    """Copies the built tests, without objects and the like, into a folder for the host."""
    root = paths.built("tests/root", paths.STAGE + "+".join(areas))
    shutil.rmtree(root, ignore_errors=True)
    for area in areas:
        shutil.copytree(paths.built("tests", area), os.path.join(root, area),
                        ignore=shutil.ignore_patterns("*.o", "*.d", "*.elf", "lib", ".*"))
    return root


class Host:
    """STAGE names the logs and the times: it is the host's name, or qemu."""

    def __init__(self, host, stage, tally, root):
        self.host, self.stage, self.tally, self.root = host, stage, tally, root
        self.lock = threading.Lock()
        self.results = {}        # by the test's id
        self.boots = 0
        self.boot_cpu = 0        # seconds of CPU until the first test, of all boots
        self.factor = int(os.environ.get("ARMVMM_SLOWDOWN") or
                          (5 if host.endswith("-debug") else 2 if host.endswith("-race") else 1))
        # tests/coverage-user has programs of its own, and takes what they counted.
        self.programs = os.environ.get("ARMVMM_PROGRAMS") or paths.built("userspace")
        self.counters = os.environ.get("ARMVMM_COUNTERS")
        self.coverage = paths.built("coverage")
        if host.endswith("-gcov"):
            shutil.rmtree(self.coverage, ignore_errors=True)

    def environment(self, alone):
        env = dict(os.environ)
        # The module was built just now: no boot has to check that it is up to date.
        env.setdefault("ARMVMM_KO", paths.built("module", self.host, "armvmm.ko"))
        if alone:
            env["ARMVMM_ALONE"] = "1"
        return env

    def testhost(self, tests):
        """Returns the command that runs TESTS in one boot, and its log's path without .log."""
        with self.lock:
            self.boots += 1
            number = self.boots
        name = f"{self.stage}-tests-{number}"
        boot = dict(tests[0].boot())
        plan = paths.built("tests", f"plan-{name}")
        total = 60 * self.factor
        with open(plan, "w", encoding="utf-8") as f:
            for t in tests:
                limit = t.timeout * self.factor
                total += limit + 5
                f.write(f"{t.area} {t.name} {limit} {t.optline} {t.cmd}\n")
        cmd = [paths.top("scripts/testhost"), "-H", self.host, "--no-load", "--name", name,
               "-c", boot.get("cpus", "2"), "-m", boot.get("mem", "1024"),
               "-M", boot.get("board", "virt"), "-C", boot.get("cpu", "cortex-a15"),
               "-f", self.root + ":/tests", "-f", plan + ":/tests/plan",
               "-f", paths.top("tests/host/runner") + ":/runner",
               "--timeout", str(total)] + shlex.split(boot.get("opts", "").replace("+", " "))
        for module in glob.glob(paths.built(f"module/{self.host}-test", "*.ko")):
            cmd += ["-f", module + ":/" + os.path.basename(module)]
        if "user" in boot:
            for program in ("armvmm-run", "armvmm-ctl", "armvmm-stat", "armvmm-exits"):
                cmd += ["-f", os.path.join(self.programs, program) + ":/usr/bin/" + program]
        if "qemu" in boot:
            cmd += ["-f", os.path.join(os.environ["ARMVMM_QEMU"], "qemu-system-arm") +
                    ":/usr/bin/qemu-system-arm"]
        if self.host.endswith("-debug"):
            cmd.append("--leaks")
        if self.host.endswith("-gcov"):
            counts = os.path.join(self.coverage, str(number))
            os.makedirs(counts)
            cmd += ["--share", counts]
        elif self.counters:
            counts = os.path.join(self.counters, str(number))
            os.makedirs(counts)
            cmd += ["--share", counts]
        fuzz = os.environ.get("FUZZ_SECONDS") or (
            4 if not os.environ.get("SLOW") else 300 if self.host.endswith("-debug") else 60)
        return (cmd + ["--", f"SLOWDOWN={self.factor} FUZZ_SECONDS={fuzz} "
                f"COUNTERS={'1' if self.counters else ''} sh /runner"],
                paths.built("log", name))

    def splats(self, log):
        """Returns the first splat in the log of each test during which there was one."""
        splat, found, current = patterns(), {}, "boot"
        if os.path.exists(log):
            with open(log, encoding="utf-8", errors="replace") as f:
                for line in f:
                    m = re.search(r"armvmm-test: (\S+)", line)
                    if m:
                        current = m.group(1)
                    elif any(p.search(line) for p in splat):
                        found.setdefault(current, line.strip())
        return found

    def boot(self, tests, alone=False):
        """Runs TESTS in one boot. Returns the results, and the tests that did not run."""
        cmd, log = self.testhost(tests)
        results, current = [], None
        by_id = {t.id: t for t in tests}
        extra = []
        p = command.start(cmd, env=self.environment(alone))
        guard = command.Guard(p)
        for line in p.stdout:
            line = line.rstrip("\r\n")
            if line.startswith("@@ start "):
                current = Result(by_id[line.split()[2]], lambda: command.cpu_of(log + ".pid"))
                guard.within(current.test.timeout * self.factor + GRACE)
                results.append(current)
                self.tally.open(self.host, current)
                if len(results) == 1:
                    with self.lock:
                        self.boot_cpu += current.began or 0
            elif line.startswith("@@ end ") and current:
                guard.within(AFTER * self.factor)
                current.end(int(line.split()[3]))
                self.tally.show(self.host, current)
                current = None
            elif line and current:
                current.line(line)
            elif line:
                self.tally.say("    " + line)
                extra.append(line)
        command.ended(p)
        status = 124 if guard.late else p.returncode
        splats = self.splats(log + ".log")
        for r in results:
            if r.test.id in splats:
                r.problem = "the kernel's log: " + splats[r.test.id]
                r.timing = TIMING.search(r.problem) is not None
        if current:
            for line in guard.seen:
                current.line(line)
            self.tally.show(self.host, current)
            current.problem = current.problem or {
                124: "the host hung", 121: "the host died"}.get(status, f"testhost gave {status}")
        done = {r.test.id for r in results}
        rest = [t for t in tests if t.id not in done]
        if not results:
            self.tally.fail(f"{self.host}/boot", f"the host ran no test (status {status}): "
                            + (splats.get("boot") or " ".join(extra[-3:])))
            rest = []
        elif "boot" in splats or "end" in splats:
            self.tally.fail(f"{self.host}/boot", splats.get("boot") or splats.get("end"))
        elif guard.late and not current:
            for line in guard.seen:
                self.tally.say("    " + line)
            self.tally.fail(f"{self.host}/boot", "the host did not end after its tests")
        elif status == 125:
            self.tally.fail(f"{self.host}/leaks", "kmemleak: " + " ".join(extra[:12]))
        return results, rest

    def outside(self, test, alone=False):
        env = dict(self.environment(alone), HOST=self.host, TESTHOST=paths.top("scripts/testhost"),
                   ARMVMM_TOP=paths.TOP, ARMVMM_BUILD=paths.BUILD)
        result = self.tally.open(self.host, Result(test))
        # The time that it waits for a lane does not count.
        env["ARMVMM_WAITING"] = paths.built("tests", f"waiting-{self.stage}-{test.name}")
        command.lines(["sh", "-c", test.cmd], result, test.timeout * self.factor,
                      env["ARMVMM_WAITING"], cwd=paths.top("tests", test.area), env=env)
        self.tally.show(self.host, result)
        return result

    def settle(self, results):
        for r in results:
            if r.failed() and r.timing and not os.environ.get("ARMVMM_ONCE"):
                self.tally.say(f"# {self.host}: {r.test.id} failed by its timing: once more, alone")
                again = [self.outside(r.test, True)] if "outside" in r.test.opts \
                    else self.boot([r.test], True)[0]
                r = again[0] if again else r
            self.tally.add(self.host, r)
            with self.lock:
                self.results[r.test.id] = r

    def run(self, tests):
        while tests:
            results, tests = self.boot(tests)
            self.settle(results)

    def jobs(self, tests, lanes):
        """Returns jobs that run TESTS, in as many boots as can run at once."""
        groups, jobs = {}, []
        for t in tests:
            if "outside" in t.opts:
                jobs.append(Job(self.stage, t.timeout,
                                lambda t=t: self.settle([self.outside(t)])))
            else:
                groups.setdefault(t.boot(), []).append(t)
        for group in groups.values():
            for hand in deal(group, lanes):
                jobs.append(Job(self.stage, sum(t.timeout for t in hand),
                                lambda hand=hand: self.run(hand)))
        for job in jobs:
            job.length *= self.factor
        return jobs

    def compare(self):
        """Each test that ran with parameters shows what it shows without them."""
        for r in self.results.values():
            name, other = f"{self.host}/{r.test.id}", self.results.get(r.test.like)
            if not r.test.like or r.failed() or other and other.failed():
                continue
            if not other:
                self.tally.say(f"# {name}: not compared, as {r.test.like} did not run")
                continue
            unlike = r.unlike(other)
            if unlike:
                self.tally.fail(name, f"does not show what {r.test.like} does: {unlike}")
            else:
                self.tally.ok(f"{name} shows what {r.test.like} does")

    def say_boots(self):
        self.tally.say(f"# {self.stage}: {self.boots} boots for the tests of the lists, "
                       f"{self.boot_cpu:.1f} s of CPU")

    def say_coverage(self):
        """Says which lines of the module ran. There is a minimum only for the whole suite."""
        cmd = [paths.top("tests/coverage"), paths.built("module", self.host),
               self.coverage] + ([] if paths.TESTS else [str(COVERAGE)])
        result = self.tally.open(self.host, Result(Test("coverage", "lines", 0, "-", "")))
        command.lines(cmd, result, 600)
        self.tally.show(self.host, result)
        self.tally.add(self.host, result)


def prepare(host, tally, areas=None, stage=None, wanted=lambda test: True):
    """Gets the host's kernel, and builds the module and the tests. Returns the host and its tests,
    or None."""
    tests = [t for a in areas or AREAS for t in load_list(a) if t.wanted(host) and wanted(t)]
    if not tests:
        return None
    kernel = subprocess.run([paths.top("scripts/host-kernel.sh"), host],
                            stdout=subprocess.DEVNULL, check=False).returncode
    if kernel == 4:
        tally.skip(host, "no mirror offers this host's kernel")
        return None
    if kernel:
        tally.fail(host, "the host's kernel could not be fetched or built")
        return None
    tally.say(f"# {host}: building the module and the tests")
    start = time.monotonic()
    jobs = f"-j{os.cpu_count()}"
    try:
        command.make("module", f"HOST={host}")
        command.output(paths.top("scripts/test-module.sh"), host)
        # The programs come first: the tests link their objects and library.
        command.make(jobs, "user")
        command.make(jobs, "tests", *(["AREAS=system " + " ".join(areas)] if areas else []))
    except subprocess.CalledProcessError:
        tally.fail(host, "the module or the tests could not be built")
        return None
    root = collect(sorted({t.area for t in tests if os.path.isdir(paths.built("tests", t.area))}))
    tally.stage(f"{stage or host}: building", time.monotonic() - start)
    return Host(host, stage or paths.STAGE or host, tally, root), tests


def prepare_qemu(tally):
    """Builds QEMU. Returns what prepare() does, for each host of the area qemu."""
    tally.say("# qemu: building QEMU, unless it is built already")
    try:
        os.environ["ARMVMM_QEMU"] = command.output(paths.top("userspace/qemu/build"))
    except subprocess.CalledProcessError:
        tally.fail("qemu", "QEMU could not be built")
        return []
    # Continuous integration leaves out the slow tests if it had to build QEMU first.
    quick = os.environ.get("QEMU_QUICK") and not paths.TESTS
    only = os.environ.get("HOST")
    ready = [prepare(only or "6.1", tally, ["qemu"], "qemu",
                     lambda test: not (quick and "slow" in test.opts))]
    if os.environ.get("SLOW") and not only:
        ready.append(prepare("6.12-armbian", tally, ["qemu"], "qemu-pinned",
                             lambda test: "pinned" in test.opts))
    return [r for r in ready if r]
