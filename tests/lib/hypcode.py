# SPDX-License-Identifier: GPL-2.0-only
"""The module's code for HYP mode, instruction by instruction, and which of it ran: that is written
by tests/coherency/coverage.c, a file for each emulator."""
import glob
import os
import re
import subprocess

CROSS = os.environ.get("CROSS_COMPILE") or "arm-linux-gnueabihf-"
SECTIONS = (".hyp.text", ".hyp.entry")


def output(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True).stdout


def instructions(binary, section):
    """Offset, function and text of each instruction, without literals, and without the padding up
    to where the next vectors are aligned."""
    found, function, last, start = [], "", "", None
    for line in output(CROSS + "objdump", "-d", "-j", section, binary).splitlines():
        m = re.match(r"([0-9a-f]+) <(\S+)>:$", line)
        if m:
            function = m.group(2)
            start = int(m.group(1), 16) if start is None else start
            continue
        m = re.match(r" *([0-9a-f]+):\t[0-9a-f ]+\t(.*)", line)
        if not m or m.group(2).startswith("."):
            continue
        text = m.group(2).replace("\t", " ")
        if text.startswith("nop") and re.match("b |bx |eret", last):
            continue
        last = text
        found.append((int(m.group(1), 16) - start, function, text))
    return found


def ran(folder):
    """Section and offset of what ran in any of the boots that left a file in FOLDER."""
    places = set()
    for path in glob.glob(os.path.join(folder, "ran-*")):
        with open(path, encoding="ascii") as f:
            for line in f:
                section, offset = line.split()
                places.add((section, int(offset, 16)))
    return places


class Count:
    """How much of MODULE's code for HYP mode is in PLACES."""

    def __init__(self, module, places):
        self.module, self.total, self.missed, self.functions = module, 0, [], {}
        for section in SECTIONS:
            for offset, function, text in instructions(module, section):
                hit = (section, offset) in places
                self.total += 1
                self.functions.setdefault(function, []).append(hit)
                if not hit:
                    self.missed.append((section, offset, function, text))
        self.hits = self.total - len(self.missed)
        self.percent = 100 * self.hits / max(self.total, 1)

    def summary(self):
        yield (f"{self.hits} of {self.total} instructions of driver/hyp ran, "
               f"{self.percent:.1f} %")
        for name, hits in self.functions.items():
            if not all(hits):
                yield f"  {name}: {len(hits) - sum(hits)} of {len(hits)} did not"

    def lines(self):
        """What did not run: where it is in the source, the function, and the instruction."""
        for section in SECTIONS:
            some = [m for m in self.missed if m[0] == section]
            places = output(CROSS + "addr2line", "-e", self.module, "-j", section,
                            *[hex(m[1]) for m in some]).splitlines() if some else []
            for (_, offset, function, text), place in zip(some, places):
                place = re.sub(r"^.*/(driver/)", r"\1", place.split(" ")[0])
                yield f"{place}: {function} {section}+{offset:#x}: {text}"
