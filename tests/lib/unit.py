# SPDX-License-Identifier: GPL-2.0-only
"""Tests that run on the build machine: tests/unit, tests/scripts and tests/fuzz."""
import glob
import os
import subprocess
import sys
import time

from . import command, paths
from .lanes import Job
from .result import Result
from .test import Test


# What rewrites or moves code.
VIPT = "kselftest/swap kselftest/debug kselftest/caches guest/memory guest/smp-2"
DAY = 24 * 3600                  # only a limit: each fuzz target and each test has one of its own
TIMEOUT = {"unit": 120, "scripts": 1800}


def every(area):
    """All tests of tests/unit or tests/scripts."""
    found = glob.glob("test_*", root_dir=paths.top("tests/scripts")) if area == "scripts" else \
        glob.glob("**/test_*.c", root_dir=paths.top("tests/unit"), recursive=True)
    files = sorted((os.path.basename(f).removesuffix(".c"), os.path.dirname(f)) for f in found)
    return [Test(area, name, TIMEOUT[area], "-", name, folder) for name, folder in files]


def wanted(area):
    return [t for t in every(area) if t.wanted(area)]


def unit(tally, lanes):
    """Builds the unit tests. Returns jobs that run them."""
    start = time.monotonic()
    folder = paths.top("tests/unit")
    tests = wanted("unit")
    if not tests:
        return []
    tally.say("# unit: building for the build machine, with sanitizers")
    picked = ["T=" + " ".join(t.name for t in tests)] if paths.TESTS else []
    if subprocess.run(["make", "--no-print-directory", "-k", f"-j{os.cpu_count()}", "-C", folder,
                       f"O={paths.BUILD}", *picked], stdout=sys.stderr,
                      check=False).returncode:
        tally.fail("unit", "not all unit tests could be built")
    tally.stage("unit: building", time.monotonic() - start)
    tests = [t for t in tests if os.path.exists(program(t))]
    # One job for each lane.
    return [Job("unit", 0, lambda some=tests[i::lanes]: run(tally, some, program))
            for i in range(min(lanes, len(tests)))]


def program(test):
    return paths.built("tests/unit", test.name)


def scripts(tally):
    """Returns jobs that run the tests of the scripts, programs that print KTAP."""
    return [Job("scripts", 60, lambda t=t: run(tally, [t], lambda test:
                                              paths.top("tests/scripts", test.name)),
                lane=False)
            for t in wanted("scripts")]


def run(tally, tests, file_of):
    for test in tests:
        result = tally.open(test.area, Result(test))
        # In the area's folder, as its own Makefile does: some need files beside their source.
        command.lines([file_of(test)], result, test.timeout, stderr=subprocess.STDOUT,
                      cwd=paths.top("tests", test.area))
        with tally.lock:
            tally.show(test.area, result)
            tally.add(test.area, result)


def fuzz(tally):
    tally.say("# fuzz: building for the build machine, with sanitizers")
    folder = paths.top("tests/fuzz")
    try:
        subprocess.run([paths.top("scripts/setup.sh"), "fuzz"], check=True)
        subprocess.run(["make", "--no-print-directory", f"-j{os.cpu_count()}", "-C", folder,
                        f"O={paths.BUILD}"], check=True, stdout=sys.stderr)
    except subprocess.CalledProcessError:
        tally.fail("fuzz", "the fuzz targets could not be built")
        return []

    def run():
        result = tally.open("fuzz", Result(Test("fuzz", "libfuzzer", 0, "-", "make run")))
        command.lines(["make", "--no-print-directory", "-s", "-C", folder,
                       f"O={paths.BUILD}", "run"], result, DAY)
        tally.show("fuzz", result)
        tally.add("fuzz", result)
    return [Job("fuzz", 0, run)]


def watched(tally, name, script, length, runs):
    """SCRIPT calls tests/run on a host of its own; its output says what that cost. RUNS are one
    after the other: their name, the host and what else is in the environment. What each leaves in
    the build folder has its name."""
    def run():
        for what, host, env in runs:
            result = tally.open(name, Result(Test(name, what, 0, "-", script)))
            command.lines([paths.top("tests", script), host], result, DAY,
                          env=dict(os.environ, ARMVMM_STAGE=f"{name}-{what}", **env))
            tally.show(name, result)
            tally.add(name, result)
    return [Job(name, length, run)]


def coherency(tally):
    host = os.environ.get("HOST")
    runs = [("rules", host or "6.1", {})]
    if not host and not paths.TESTS and not os.environ.get("COHERENCY_QUICK"):
        # Blocks of 2 MiB, which are split and joined, are for kernels with LPAE alone; memory is
        # pinned by those without MMU_NOTIFIER. A Cortex-A7's instruction cache is VIPT.
        runs += [("blocks", "6.1-lpae", {"TESTS": "kselftest/huge"}),
                 ("pinned", "6.12-armbian", {"TESTS": "kselftest/pin"}),
                 ("vipt", "6.1", {"TESTS": VIPT, "COHERENCY_CPU": "cortex-a7",
                                  "COHERENCY_ARGS": "vipt=0,vipt=1"})]
    return watched(tally, "coherency", "coherency/run", 3600, runs)


def hyp(tally):
    host = os.environ.get("HOST") or "6.1"
    return watched(tally, "hyp", "coverage-hyp", 900, [("instructions", host, {})])


def userspace(tally):
    host = os.environ.get("HOST") or "6.1"
    return watched(tally, "userspace", "coverage-user", 1800, [("lines", host, {})])
