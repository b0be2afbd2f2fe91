# SPDX-License-Identifier: GPL-2.0-only
"""Which lines ran, from the counts of gcov."""
import collections
import json
import os
import subprocess

# The command line of gcov holds so many files at once.
FILES = 200


class Lines:
    """The lines of source files below TOP, and how often each ran."""

    def __init__(self, top, wanted):
        self.top, self.wanted = os.path.abspath(top), wanted
        self.counts = collections.defaultdict(dict)
        self.hit = self.total = 0

    def add(self, gcov, folder, below):
        """Adds the counts (.gcda) in FOLDER, where each has the path at which its object was built.
        Objects that were not built below BELOW do not count. Returns the number of files."""
        files = []
        for at, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(at, name)
                built = path[len(folder):]
                if not name.endswith(".gcda") or not built.startswith(below + "/"):
                    continue
                link = path[:-len("gcda")] + "gcno"
                if not os.path.lexists(link):
                    os.symlink(built[:-len("gcda")] + "gcno", link)
                files.append(path)
        self.read(gcov, files)
        return len(files)

    def add_built(self, gcov, folder):
        """Adds all lines of the objects (.gcno) built in FOLDER: they are lines, even if no program
        that ran has them."""
        self.read(gcov, [os.path.join(at, name) for at, _, names in os.walk(folder)
                         for name in names if name.endswith(".gcno")], stderr=subprocess.DEVNULL)

    def read(self, gcov, files, **kwargs):
        files = sorted(files)
        for i in range(0, len(files), FILES):
            self.read_some(gcov, files[i:i + FILES], **kwargs)

    def read_some(self, gcov, files, **kwargs):
        out = subprocess.run([gcov, "--json-format", "--stdout", *files], check=True,
                             stdout=subprocess.PIPE, text=True, **kwargs).stdout
        for doc in map(json.loads, filter(str.strip, out.splitlines())):
            for f in doc["files"]:
                path = os.path.normpath(os.path.join(doc["current_working_directory"], f["file"]))
                source = path[len(self.top) + 1:] if path.startswith(self.top + "/") else ""
                if not source or not self.wanted(source):
                    continue
                counts = self.counts[source]
                for line in f["lines"]:
                    number = line["line_number"]
                    counts[number] = counts.get(number, 0) + line["count"]

    def report(self, missed):
        """Prints a table by file, and writes the lines that never ran to the file MISSED. Returns
        their share in percent."""
        self.hit = self.total = 0
        with open(missed, "w", encoding="utf-8") as out:
            for source, counts in sorted(self.counts.items()):
                hit = sum(1 for n in counts.values() if n)
                self.hit, self.total = self.hit + hit, self.total + len(counts)
                print(f"# {source:40} {hit:5} of {len(counts):5} lines"
                      f" {100 * hit / len(counts):6.1f} %")
                with open(os.path.join(self.top, source), encoding="utf-8") as f:
                    text = f.read().splitlines()
                for number in sorted(n for n, count in counts.items() if not count):
                    out.write(f"{source}:{number}: {text[number - 1]}\n")
        return 100 * self.hit / self.total if self.total else 0
