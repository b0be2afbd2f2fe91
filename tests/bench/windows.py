# SPDX-License-Identifier: GPL-2.0-only
"""What the emulator's plugin (tests/coherency/profile.c) says of the guest's tests: how many
instructions of which function ran, how many of each kind that silicon charges more for, and
accesses to the GIC."""
import bisect
import collections
import importlib.machinery
import importlib.util
import os
import re
import subprocess

from lib import paths

CROSS = os.environ.get("CROSS_COMPILE") or "arm-linux-gnueabihf-"
# Where the host keeps what (a 32-bit kernel with 3 GiB for user space).
MODULES, KERNEL, VECTORS = 0xbf000000, 0xc0000000, 0xffff0000
# Where the host loads a program that may be anywhere, if it does not choose at random.
PROGRAM, PROGRAM_END = 0x400000, 0x1000000
# The ids of linuxbench.c begin here.
LINUX = 32
GROUPS = ("guest", "HYP", "module", "kernel", "user")
FRAMES = ("GICD", "GICC", "GICH", "GICV")
KINDS = ("cp15-read", "cp15-write", "cp14", "banked", "barrier", "tlb", "cache", "eret")


class BadWindow(Exception):
    """The plugin's file is not as it should be."""


class Place:
    """An instruction: where it is, how often it ran, and what it accessed."""

    def __init__(self, words):
        self.world, self.kind = words[0], words[3]
        self.pc, self.count, self.held = (int(words[i], 16) for i in (1, 2, 4))
        self.gic = [int(w, 16) for w in words[5:9]]


class Window:
    """A test."""

    def __init__(self, words):
        self.test, self.module, self.entry = (int(w, 16) for w in words[1:4])
        self.places = []

    def total(self):
        return sum(p.count for p in self.places)

    def kinds(self, places=None):
        found = collections.Counter()
        for p in self.places if places is None else places:
            if p.kind != "-":
                found[p.kind] += p.held
        return found

    def all_kinds(self, places=None):
        """Also of the instructions that silicon charges nothing more for: the sum is the total. Of
        those that it does, some ran under a condition, and in vain."""
        places = self.places if places is None else places
        found = self.kinds(places)
        found["other"] = sum(p.count for p in places if p.kind == "-")
        found["in vain"] = sum(p.count - p.held for p in places if p.kind != "-")
        return +found

    def share(self):
        """Instructions that are not the guest's."""
        return sum(p.count for p in self.places if p.world not in ("guest", "guestuser"))

    def gic(self):
        return [sum(p.gic[i] for p in self.places) for i in range(len(FRAMES))]


def parse(lines):
    """The windows of a plugin's file, in their order."""
    found, window = [], None
    for number, line in enumerate(lines, 1):
        words = line.split()
        try:
            if words[0] == "window" and window is None:
                window = Window(words)
            elif words[0] == "end" and window is not None:
                found.append(window)
                window = None
            elif words[0] in ("guest", "guestuser", "hyp", "user", "host") and len(words) == 9 \
                    and window is not None:
                window.places.append(Place(words))
                if words[3] != "-" and words[3] not in KINDS:
                    raise ValueError
            else:
                raise ValueError
        except (IndexError, ValueError) as e:
            raise BadWindow(f"line {number} of the plugin's file: {line.strip()!r}") from e
    if window is not None:
        raise BadWindow(f"the plugin's file ends within test {window.test}")
    return found


def pair(windows, results):
    """Each result of the guest with its window: the order is the same."""
    if [w.test for w in windows] != [r.test for r in results]:
        raise BadWindow(f"the plugin saw the tests {[w.test for w in windows]}, "
                        f"the guest ran {[r.test for r in results]}")
    return list(zip(results, windows))


def differs(window, result, twice=0):
    """What the guest measured, if it is over 1 % from what the plugin counted, or else None. An
    operation that slept took longer than what ran since it woke up. TWICE instructions of one
    operation are known to count twice in the guest's clock."""
    each = window.total() / result.count
    if abs(each + twice - result.each) <= result.each / 100:
        return None
    return (f"{each:.1f} instructions each by the functions' sum, but {result.each:.1f} by the "
            "guest's clock: over 1 % apart")


def output(*args, **kwargs):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True, **kwargs).stdout


class Table:
    """Functions by their addresses."""

    def __init__(self, entries):
        self.entries = sorted(entries)
        self.starts = [a for a, _ in self.entries]

    def name(self, address):
        i = bisect.bisect_right(self.starts, address) - 1
        return self.entries[i][1] if i >= 0 else None


def table_of(binary, base=0):
    """Of a program: where Thumb code begins, bit 0 is clear here."""
    found = []
    for line in output(CROSS + "nm", binary).splitlines():
        m = re.match(r"([0-9a-f]+) [tTwW] ([^$]\S*)$", line)
        if m:
            found.append(((int(m.group(1), 16) & ~1) + base, m.group(2)))
    return Table(found)


def kernel_table(kallsyms):
    with open(kallsyms, encoding="utf-8") as f:
        return Table((int(w[0], 16), w[1]) for w in map(str.split, f))


class Names:
    """Names the functions of guest, HYP mode, module, kernel and client."""

    def __init__(self, kallsyms, module, guest, client, guest_kernel, program):
        path = paths.top("tests/coherency/symbols")
        loader = importlib.machinery.SourceFileLoader("symbols", path)
        symbols = importlib.util.module_from_spec(
            importlib.util.spec_from_loader("symbols", loader))
        loader.exec_module(symbols)
        self.symbols = symbols.Symbols(kallsyms, module)
        self.kernel = Table(zip(self.symbols.addresses, self.symbols.names))
        self.guest, self.client = table_of(guest), table_of(client)
        self.guest_kernel, self.program = kernel_table(guest_kernel), table_of(program, PROGRAM)
        self.frames = {}	# section, offset: function and those it was inlined in

    def ask(self, window):
        """Asks for all of the module's functions at once."""
        wanted = collections.defaultdict(set)
        for p in window.places:
            at = self.at(p, window)
            if at and at not in self.frames:
                wanted[at[0]].add(at[1])
        for section, offsets in wanted.items():
            text = output(CROSS + "addr2line", "-e", self.symbols.module, "-j", section, "-afi",
                          input="".join(f"{o:#x}\n" for o in sorted(offsets)))
            at = None
            for line in text.splitlines():
                if line.startswith("0x"):
                    at, odd = (section, int(line, 16)), True
                    self.frames[at] = []
                    continue
                if odd:
                    self.frames[at].append(line)
                odd = not odd

    def at(self, place, window):
        """Section and offset of what is the module's, or None."""
        if place.world == "hyp" and place.pc < MODULES:
            found = place.pc - window.entry
            return (".hyp.entry", found) if 0 <= found < self.size(".hyp.entry") else None
        if place.world in ("hyp", "host") and MODULES <= place.pc < KERNEL:
            return self.symbols.in_module(place.pc - window.module)
        return None

    def size(self, section):
        return next((s[2] for s in self.symbols.sections if s[0] == section), 0)

    def name(self, place, window):
        """The group and the function of a place."""
        at = self.at(place, window)
        if place.world in ("guest", "guestuser"):
            return "guest", self.guest_name(place, window)
        if place.world == "user":
            return "user", self.user_name(place, window)
        if at:
            frames = self.frames.get(at) or ["?"]
            if place.world == "hyp":
                inlined = f":{frames[0]}" if len(frames) > 1 else ""
                return "HYP", frames[-1] + inlined
            return "module", frames[-1]
        if place.world == "hyp":
            return "HYP", "the kernel's stub"
        return "kernel", kernel_name(self.kernel, place.pc)

    def guest_name(self, place, window):
        if window.test < LINUX:
            return self.guest.name(place.pc) or "?"
        return "user space" if place.world == "guestuser" else \
            kernel_name(self.guest_kernel, place.pc)

    def user_name(self, place, window):
        if place.pc >= MODULES:
            return "a kernel helper"
        if window.test < LINUX:
            return self.client.name(place.pc) or "?"
        if PROGRAM <= place.pc < PROGRAM_END:
            return self.program.name(place.pc) or "?"
        return "libraries and other programs"


def kernel_name(table, pc):
    if pc >= VECTORS:
        return "vectors"
    if pc < KERNEL:
        return "a module" if pc >= MODULES else "before the kernel's memory"
    return table.name(pc) or "?"


def functions(window, names):
    """{(group, function): count}"""
    names.ask(window)
    found = collections.Counter()
    for p in window.places:
        found[names.name(p, window)] += p.count
    return found
