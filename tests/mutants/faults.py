# SPDX-License-Identifier: GPL-2.0-only
"""The lists of faults, and the tree that they are faults of."""
import os
import re

LISTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(LISTS))


class Fault:
    def __init__(self, area, name):
        self.area = area
        self.name, self.file, self.on, self.tests, self.old, self.new = name, "", "", "", "", ""
        self.why, self.rule, self.host, self.seen = "", "", "6.1", ""
        self.vipt = ""

    def check(self):
        if not os.path.isfile(os.path.join(TOP, self.file)):
            return f"there is no {self.file or 'file'}"
        with open(os.path.join(TOP, self.file), encoding="utf-8") as f:
            n = f.read().count(self.old)
        if n != 1:
            return f"{self.file} has its text {n} times, not once"
        if self.on == "coherency" and not re.search(r"\w \([\w./-]+\.[chS]:$", self.seen):
            return "what is seen is no function and file: 'FUNCTION (FILE:'"
        return None

    def reported(self, text):
        """Does a report of the checker say what is seen, with its line?"""
        return re.search(re.escape(self.seen) + r"\d+\)", text) is not None


def read_list(area):
    faults, silicon, fault = [], [], None
    with open(os.path.join(LISTS, area), encoding="utf-8") as f:
        for line in f:
            line = line.rstrip("\n")
            if line.startswith("#") or not line.strip():
                continue
            m = re.match(r"\[(.+)\]$", line)
            if m:
                fault = Fault(area.removesuffix(".list"), m.group(1))
                faults.append(fault)
            elif line.startswith("silicon "):
                silicon.append(line[8:])
            elif line[0] in "-+":
                key = "old" if line[0] == "-" else "new"
                setattr(fault, key, getattr(fault, key) + line[1:] + "\n")
            else:
                key, _, value = line.partition(" ")
                setattr(fault, key, value.strip())
    return faults, silicon


def twice(faults):
    """Names the faults whose name another one has too, or whose change is tried twice alike."""
    seen, said = {}, []
    for f in faults:
        for key in (f.name, (f.file, f.old, f.new, f.on, f.seen)):
            if key in seen:
                said.append(f"{f.area}.list: {f.name}: is there already, as {seen[key]}")
                break
            seen[key] = f.name
    return said


def unseen_rules(faults):
    """Each rule of the checker has a fault that it alone sees."""
    seen = {f.rule for f in faults if f.on == "coherency"}
    return [f"no fault is for the checker's R{n}" for n in range(1, 11) if f"R{n}" not in seen]


def unlike_table(faults):
    """docs/silicon.md has a table of rules: each has faults of the lists, whose tests it names."""
    known, wrong, rows = {f.name: f for f in faults}, [], 0
    with open(os.path.join(TOP, "docs/silicon.md"), encoding="utf-8") as f:
        for line in f:
            cells = [c.strip() for c in line.split("|")]
            if not re.match(r"[CS]\d+$", cells[1] if len(cells) == 7 else ""):
                continue
            rows += 1
            tests, names = (set(re.findall("`([^`]+)`", c)) for c in cells[4:6])
            if not names:
                wrong.append(f"docs/silicon.md: {cells[1]} has no fault")
            for name in sorted(names):
                if name not in known:
                    wrong.append(f"docs/silicon.md: {cells[1]}: no fault is called {name}")
                elif not set(known[name].tests.split()) <= tests:
                    wrong.append(f"docs/silicon.md: {cells[1]} lacks a test of {name}")
    if rows != 19:
        wrong.append(f"docs/silicon.md: {rows} rules are understood, not 19")
    return wrong


def read_lists():
    faults, silicon = [], []
    for area in sorted(os.listdir(LISTS)):
        if area.endswith(".list"):
            more, only = read_list(area)
            faults += more
            silicon += only
    return faults, silicon
