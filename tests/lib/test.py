# SPDX-License-Identifier: GPL-2.0-only
"""A test: one line of an area's list."""
import fnmatch
import os
import re
import sys

from . import paths


class Test:
    def __init__(self, area, name, timeout, opts, cmd, folder=""):
        self.area, self.name, self.timeout, self.cmd = area, name, int(timeout), cmd
        self.opts = {}
        for o in [] if opts == "-" else opts.split(","):
            key, _, value = o.partition("=")
            self.opts[key] = value
        self.optline = opts
        self.id = f"{area}/{name}"
        # Where its source lies. The id does not say: a test may move to another folder.
        self.path = "/".join(filter(None, (area, folder, name)))

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
    return tests
