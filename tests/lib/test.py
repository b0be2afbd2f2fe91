# SPDX-License-Identifier: GPL-2.0-only
"""A test: one line of an area's list, or that test with parameters (tests/params)."""
import fnmatch
import os
import re
import sys

from . import paths


WHEN = ("slow", "all")


class Test:
    """LIKE is the id of the test that this one repeats with parameters, or None."""

    def __init__(self, area, name, timeout, opts, cmd, folder="", like=None):
        self.area, self.name, self.timeout, self.cmd = area, name, int(timeout), cmd
        self.opts = {}
        for o in [] if opts == "-" else opts.split(","):
            key, _, value = o.partition("=")
            self.opts[key] = value
        self.optline = opts
        self.id = f"{area}/{name}"
        self.like = like
        # Where its source lies. The id does not say: a test may move to another folder.
        self.path = "/".join(filter(None, (area, folder, name)))

    def again(self, suffix, opts, params):
        """The same test on a module with PARAMS. OPTS say when and where else it runs."""
        new = dict(self.opts)
        for key, value in Test("", "", 0, opts, "").opts.items():
            if key in WHEN:
                for when in WHEN:
                    new.pop(when, None)
            if key == "hosts" and "hosts" in new:
                value = f"(?=(?:{new['hosts']})$)(?:{value})"
            new[key] = value
        new["params"] = params
        optline = ",".join(f"{k}={v}" if v else k for k, v in new.items())
        return Test(self.area, f"{self.name}-{suffix}", self.timeout, optline, self.cmd,
                    like=self.id)

    def picked_by(self, pattern):
        # With one slash, or none, a pattern says nothing of folders.
        return fnmatch.fnmatch(self.id, pattern) or fnmatch.fnmatch(self.name, pattern) or \
            pattern.count("/") > 1 and fnmatch.fnmatch(self.path, pattern)

    def picked(self):
        """Does TESTS= name it?"""
        return any(self.picked_by(p) for p in paths.TESTS)

    def wanted(self, host):
        if paths.TESTS and not self.picked():
            return False
        flavour = host.split("-")[-1]
        debug, gcov, thumb = flavour == "debug", flavour == "gcov", flavour in ("armbian", "thumb")
        # Only the system tests that exercise the driver most; the others would show nothing new.
        short = debug or thumb or flavour in ("odd", "openwrt", "up", "race")
        if "hosts" in self.opts and not re.fullmatch(self.opts["hosts"], host):
            return False
        if short and self.area == "system":
            return "debug" in self.opts or \
                thumb and "thumb" in self.opts and bool(os.environ.get("SLOW") or paths.TESTS)
        # A whole system soon has its caches on, and then the module is the same as elsewhere.
        if host.endswith("-shadow") and self.area == "system":
            return False
        # A test that boots hosts of its own leaves no coverage data.
        if gcov and "outside" in self.opts:
            return False
        if not paths.TESTS:
            # A Thumb-2 module is another program than all others: it runs all guests.
            slow = os.environ.get("SLOW") and not gcov and (thumb or not short) or \
                self.id in os.environ.get("ALSO", "").split() and host == "6.1"
            if "all" in self.opts and not slow:
                return False
            if "slow" in self.opts and not slow and host not in ("6.1", "6.1-gcov"):
                return False
        return True

    def boot(self):
        """The options that tests must agree on to share a boot."""
        return tuple((k, self.opts[k]) for k in ("cpus", "mem", "board", "cpu", "opts", "user",
                                                           "qemu")
                     if k in self.opts)


def load_list(area):
    """The tests of an area, and those of them that tests/params runs once more."""
    path = paths.top("tests", area, "list")
    tests = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                words = line.split("#", 1)[0].split(None, 3) if line[:1] == "#" else \
                    line.split(None, 3)
                if len(words) == 4:
                    tests.append(Test(area, words[0], words[1], words[2], words[3].strip()))
                elif words:
                    sys.exit(f"{path}:{number}: not understood: {line}")
    return tests + with_params(area, tests, paths.top("tests/params"))


def with_params(area, tests, path):
    """What the lines of PATH make of TESTS: SUFFIX OPTIONS PARAMETERS TEST..."""
    found, ids = [], {t.id for t in tests}
    with open(path, encoding="utf-8") as f:
        lines = [line.split("#", 1)[0].split() for line in f]
    for number, words in enumerate(lines, 1):
        if 0 < len(words) < 4:
            sys.exit(f"{path}:{number}: not understood: {' '.join(words)}")
        patterns = [w for w in words[3:] if w.lstrip("!").startswith(area + "/")]
        for pattern in patterns:
            these = [t for t in tests if fnmatch.fnmatch(t.id, pattern.lstrip("!"))]
            if not these:
                sys.exit(f"{path}:{number}: there is no test {pattern}")
        for t in tests:
            # The last pattern that matches decides.
            last = next((p for p in reversed(patterns) if fnmatch.fnmatch(t.id, p.lstrip("!"))),
                        "!")
            if last[0] == "!" or "outside" in t.opts:
                continue
            new = t.again(*words[:3])
            if new.id in ids:
                sys.exit(f"{path}:{number}: there are two tests {new.id}")
            ids.add(new.id)
            found.append(new)
    return found
