# SPDX-License-Identifier: GPL-2.0-only
"""The operations that `make bench` measures, with what others need for them, and how the guest is
run: in an emulated host, and on the bare board."""
import base64
import os
import re
import struct
import subprocess
import sys

from lib import command, paths

OUT = paths.built("tests/bench")


class Failed(Exception):
    """A host or a board did not run to its end."""


class Row:
    """An operation: its name for `make profile`; the run that measures it and the test's id; its
    cost before it was improved; under KVM/arm on 5.4, and corrected for 6.1 (the limit); under Xen
    4.17; the goal; and the budget: the lowest result that was recorded. A new one is recorded by
    hand, and is over the budget from 3 % more on. None: that was not measured, or set."""

    def __init__(self, op, name, run, test, before, kvm, limit, xen, goal, budget, exits=None,
                 sleeps=False, native=True, twice=0):
        self.op, self.name, self.run, self.test, self.before = op, name, run, test, before
        self.kvm, self.limit, self.xen, self.goal, self.budget = kvm, limit, xen, goal, budget
        self.exits = exits		# so many, or something went wrong
        self.sleeps = sleeps		# so does the processor
        self.native = native		# the bare board's figure means the same
        self.twice = twice		# instructions that QEMU's clock counts twice, in the guest

    def runs(self):
        """The runs without which it is not measured."""
        return [self.run]

    def recorded(self):
        return [str(c) if c is not None else "-"
                for c in (self.goal, self.before, self.kvm, self.limit, self.xen)]


ROWS = [
    Row("hvc", "hvc, PSCI_VERSION", "cheap", 1, 54, 980, 980, 561, 54, 86),
    Row("cp15", "trapped cp15 read (ACTLR)", "cheap", 3, 65, 1130, 1130, 532, 65, 94),
    Row("iidr", "GICD_IIDR read", "cheap", 4, 1271, 1461, 1461, 718, 90, 110),
    Row("isenabler", "GICD_ISENABLER read", "cheap", 5, 1518, 2449, 2449, 780, 110, 118),
    Row("isenabler-host", "the same, answered by the host", "few", 5, 1518, 2449, 2449, 780, None,
        1106),
    Row("sgi", "SGI to self, taken, EOI", "cheap", 10, 1932, 2226, 2226, 1314, 220, 196),
    Row("timer", "virtual timer programmed, fired, EOI", "cheap", 12, 1480, 2007, 2007, 1258, 300,
        180, twice=3),
    Row("late-spin", "50 us timer, overshoot, spinning", "dear", 13, 1445, 1968, 1968, 1247, 900,
        160),
    Row("late-poll", "the same in WFI, halt polling", "dear", 14, 1315, 1635, 1635, None, 1200,
        1023),
    Row("late-sleep", "the same in WFI, no polling", "nopoll", 14, 1342, 5400, 5750, 15428, 4800,
        1032, sleeps=True),
    Row("mmio-read", "MMIO read emulated in user space", "cheap", 7, 1902, 2376, 2660, None, 1350,
        1693),
    Row("mmio-write", "MMIO write emulated in user space", "cheap", 8, 1901, 2479, 2760, None, 1350,
        1766),
    Row("ioeventfd", "ioeventfd write", "cheap", 9, 1339, 1362, 1362, None, 750, 1110),
    Row("mmio-read-2", "MMIO read emulated in user space, a VM of 2 vCPUs", "two", 7, None, None,
        None, None, None, 1791),
    Row("mmio-write-2", "MMIO write emulated in user space, the same", "two", 8, None, None, None,
        None, None, 1859),
    Row("ioeventfd-2", "ioeventfd write, the same", "two", 9, None, None, None, None, None, 1160),
    Row("spi", "SPI raised and lowered by the client, taken, EOI", "dear", 11, 3828, 4048, 4048,
        None, 3100, 3803),
    Row("spi-line", "SPI raised by KVM_IRQ_LINE alone, taken, EOI", "dear", 22, None, None, None,
        None, None, 3140),
    Row("spi-irqfd", "the same by a write to an irqfd", "dear", 23, None, None, None, None, None,
        3267),
    Row("touch-present", "first touch of a page, host page present, one after the other",
        "present", 16, 2647, 2655, 2655, None, 1250, 388, native=False),
    Row("touch-single", "the same, each by a fault of its own", "single", 16, 2647, 2655, 2655,
        None, 1250, 1488, native=False),
    Row("touch-absent", "first touch of a page, host page absent", "dear", 16, 7069, 5585, 7600,
        None, 5650, 5585, native=False),
    Row("ping-3", "SGI there and back, both in WFI, 2 vCPUs on 1 CPU, 3 exits", "ping3", 18, 11177,
        14300, 19700, 21050, 12000, 10942, 3),
    Row("ping-4", "the same with 4 exits", "ping4", 18, 14870, 14300, 19700, 21050, 12000, 14250,
        4),
]


BOOT = 32		# the ids of linuxbench.c


class Linux:
    """What a Linux guest does. The figure is in microseconds, or thousands of instructions: "all"
    of it, what is "beyond" the bare board's, the hypervisor's "share" without the guest, or a
    "ratio" to the bare board. Host 6.1 has a budget for it."""

    twice = 0

    def __init__(self, op, name, run, test, figure, before, goal, budget, sleeps=False):
        self.op, self.name, self.run, self.test, self.figure = op, name, run, test, figure
        self.before, self.goal, self.budget, self.sleeps = before, goal, budget, sleeps

    def runs(self):
        """The bare board gets the device tree of the run that boots without devices."""
        return [self.run] + (["boot"] if self.figure == "ratio" else [])

    def value(self, got, bare, share):
        """The figure, or None if what it needs was not measured."""
        if self.figure == "all":
            return got.net / 1000
        if self.figure == "share":
            return share / 1000 if share is not None else None
        if bare is None:
            return None
        return got.net / bare.net if self.figure == "ratio" else (got.net - bare.net) / 1000


LINUX = [
    Linux("boot", "boot to init, beyond the bare board", "boot", BOOT, "beyond", 91800, 50000,
          80931),
    Linux("pl011", "2050 characters by PL011", "linux", 33, "all", 15200, 6000, 1299),
    Linux("hvc0", "2050 characters by hvc0", "linux", 34, "all", 4000, 3000, 1789),
    Linux("disk", "virtio-blk, 4 KiB read from the host's cache", "linux", 35, "all", 36.4, None,
          29.7),
    Linux("disk-share", "... the hypervisor's share", "linux", 35, "share", 20.6, 14, 14.1),
    Linux("disk-pcie", "the same by virtio on PCI, with MSI-X", "pcie", 35, "all", 27.1, None,
          25.4),
    Linux("process", "fork, exec and exit, ratio to the bare board", "linux", 36, "ratio", 1, 1, 1,
          sleeps=True),
]


class Growth:
    """An operation with none and with many objects of a kind: how much more it may cost at most."""

    sleeps, twice = False, 0

    def __init__(self, op, name, run, test, few, before, more):
        self.op, self.name, self.run, self.test, self.few = op, name, run, test, few
        self.before, self.more = before, more

    def runs(self):
        return [self.few, self.run]


GROWTH = [
    Growth("one-pending", "GICD_ISENABLER read, one SPI pending and never taken", "one", 5, "few",
           1898, 500),
    Growth("pending", "GICD_ISENABLER read, 987 SPIs pending and never taken", "pending", 5, "few",
           87500, 500),
    Growth("pending-sgi", "SGI to self, the same", "pending", 10, "few", None, 500),
    Growth("pending-ctlr", "GICD_CTLR switched off and on, the same", "pending", 24, "few", None,
           1750),
    Growth("groups", "GICD_ISENABLER read, 987 SPIs pending in two groups", "groups", 5, "few",
           None, 500),
    Growth("groups-sgi", "SGI to self, 987 SPIs pending in two groups", "groups", 10, "few", None,
           500),
    Growth("events", "GICD_ISENABLER read, 4090 ioeventfds", "events", 5, "few", 54700, 100),
    Growth("events-write", "ioeventfd write, 4090 others", "events", 9, "few", None, 300),
    Growth("zones", "GICD_ISENABLER read, 990 coalesced zones", "zones", 5, "few", None, 100),
    Growth("zones-write", "ioeventfd write, 990 coalesced zones", "zones", 9, "few", None, 250),
    Growth("slots", "a page given back to the host, 500 slots", "slots", 21, "few", None, 500),
    Growth("resamplers", "level SPI by an irqfd with a resampler, 900 others", "resamplers", 20,
           "few", None, 250),
]


# What make bench watches: what runs while the guest starts belongs to no operation.
WATCHED = ROWS + [r for r in LINUX if r.test != BOOT and r.figure != "share"]
# What make profile can show.
PROFILED = WATCHED + GROWTH


class Most:
    """What one of many costs the host: what the client calls it, the run, and the limit."""

    def __init__(self, what, name, run, limit):
        self.what, self.name, self.run, self.limit = what, name, run, limit

    def runs(self):
        return [self.run]


# In instructions, if there are so many.
REGISTER = [
    Most("ioeventfd", "to register one ioeventfd of 4090", "events", 4000),
    Most("zone", "to register one zone of 990", "zones", 4000),
]

# What the host pays for each page that a guest has written, in instructions.
TAKEN = [
    Most("harvest_on", "read from the dirty log, the guest's caches on", "taken", 55),
    Most("harvest_off", "the same, its caches off", "taken", 580),
    Most("teardown", "taken back with its memory slot, caches on or off", "taken", 565),
    Most("swap_client", "a page of the client's, swapped out to zram", "swap", 19960),
    Most("swap_guest", "a page that the guest wrote, swapped out to zram", "swap", 21350),
]

RUNS = {
    # Before the others: the plugin watches from the first test on, not while Linux starts.
    "linux": "guest --disk disk --console virtio",
    "boot": "guest",
    "pcie": "guest --disk disk,bus=pcie",
    "cheap": "-n {n} -m 0x17ba",
    "two": "-n {few} -c 2 -m 0x380",
    "dear": "-n {few} -m 0xc16800",
    "ping3": "-n {few} -w soon -c 2 -m 0x40000",
    "ping4": "-n {few} -w later -c 2 -m 0x40000",
    "present": "-n {few} -p -m 0x10000",
    "taken": "-n {few} -p -l -m 0x30000",
    "swap": "-n {few} -o -m 0x10000",
    "single": "-n {few} -p -m 0x10000",
    "nopoll": "-n {few} -m 0x4000",
    "few": "-n {few} -m 0x1300620",
    "one": "-n {few} -m 0x420 -i 1",
    "pending": "-n {few} -m 0x1000420 -i 987",
    "groups": "-n {few} -m 0x420 -i 987 -g",
    "events": "-n {few} -m 0x220 -e 4090",
    "zones": "-n {few} -m 0x220 -z 990",
    "slots": "-n {few} -m 0x200000 -s 500",
    "resamplers": "-n {few} -m 0x100000 -a 900",
}

# A host that has just booted is busy for a while, and writes back what it wrote 30 seconds before;
# and for a moment where a Linux guest has ended. The sleep costs almost no time here. What grows is
# measured by accesses to the distributor that the host answers, as each of them is an exit.
MEMORY, APPEND = 128, "console=ttyAMA0 quiet panic=-1"
COMMANDS = """
sleep 45
echo 0 >/proc/sys/kernel/randomize_va_space
params=/sys/module/armvmm/parameters
poll=$(cat $params/halt_poll_ns)
around=$(cat $params/fault_around)
run() {{
	echo "@@ $1"
	case $1 in
	nopoll) echo 0 >$params/halt_poll_ns ;;
	few | one | pending | groups | events | zones) echo 0 >$params/hyp_dist ;;
	single) echo 0 >$params/fault_around ;;
	swap)
		modprobe zram num_devices=1 && echo 256M >/sys/block/zram0/disksize &&
			mkswap /dev/zram0 >/dev/null && swapon /dev/zram0 || exit 1
		;;
	esac
	case $2 in
	guest*) $2 || exit 1; sleep 10 ;;
	*) ./armvmm-bench $2 bench.bin || exit 1 ;;
	esac
	echo $poll >$params/halt_poll_ns
	[ $1 != swap ] || swapoff /dev/zram0 || exit 1
	echo 1 >$params/hyp_dist
	echo $around >$params/fault_around
}}
# The same tree, for the bare board; and what the guest reads is in the page cache.
guest() {{
	armvmm-run --memory {memory}M --dump-dtb dtb && base64 dtb | sed 's/^/DTB /'
	truncate -s 8M disk
	initrd=linux.initrd
	case $* in *bus=pcie*) initrd=pcie.initrd ;; esac
	cat zImage $initrd disk >/dev/null
	armvmm-run --kernel zImage --initrd $initrd --memory {memory}M \
		--append '{append}' "$@" </dev/null >out || cat out
	grep -a BENCH out
	grep -q BENCH-END out || return 1
	# A worker of the kernel now takes its network namespace apart.
	sleep 5
}}
{runs}
"""


def count(text):
    """A number of operations (for argparse)."""
    n = int(text)
    if n < 1:
        raise ValueError
    return n


def build():
    if not os.path.exists(paths.built("uapi/linux/kvm.h")):
        subprocess.run([paths.top("scripts/uapi-headers.sh")], check=True, stdout=sys.stderr)
    command.make("user")
    cross = os.environ.get("CROSS_COMPILE") or "arm-linux-gnueabihf-"
    subprocess.run(["make", "-s", "-C", paths.top("tests/bench"), f"O={OUT}",
                    f"uapi={paths.built('uapi')}", f"CROSS_COMPILE={cross}"], check=True,
                   stdout=sys.stderr)


class Result:
    """What the guest printed after a test."""

    def __init__(self, run, test, count, each, net, exits):
        self.run, self.test, self.count = run, test, count
        self.each, self.net, self.exits = each, net, exits


class Found:
    """The results of one boot, in their order."""

    def __init__(self, text):
        self.results, self.runs = [], set()
        self.register = {}	# what: instructions each
        self.taken = {}		# likewise
        self.dtb = b""		# the tree of the Linux guest without devices
        run, exits = "", {}
        for line in text.splitlines():
            if run == "boot" and line.startswith("DTB "):
                self.dtb += base64.b64decode(line[4:])
            m = re.match(r"@@ (\w+)", line)
            if m:
                run = m.group(1)
                self.runs.add(run)
            m = re.match(r"EXITS (\d+) (\d+)", line)
            if m:
                exits[int(m.group(1))] = int(m.group(2))
            m = re.match(r"BENCH (\d+) \S+ n=(\d+) ticks=\d+ ns/op=([\d.]+) net=([\d.]+)", line)
            if m:
                test, count = int(m.group(1)), int(m.group(2))
                self.results.append(Result(run, test, count, float(m.group(3)), float(m.group(4)),
                                           exits.get(test, 0) / count))
            m = re.match(r"REGISTER (\w+) n=\d+ each=(\d+)", line)
            if m:
                self.register[m.group(1)] = int(m.group(2))
            m = re.match(r"TAKEN (\w+) n=\d+ each=(\d+)", line)
            if m:
                self.taken[m.group(1)] = int(m.group(2))

    def get(self, run, test):
        return next((r for r in self.results if (r.run, r.test) == (run, test)), None)


def measure(host, number, runs, name="bench", env=None, params=""):
    """Boots HOST, loads the module with PARAMS, and runs RUNS there."""
    few = max(number // 5, 100)
    lines = "\n".join(f"run {r} '" + RUNS[r].format(n=number, few=few) + "'" for r in runs)
    cmd = [paths.top("scripts/testhost"), "-H", host, "--icount", "--name", f"{host}-{name}",
           "-f", f"{OUT}/armvmm-bench:/bench/armvmm-bench",
           "-f", f"{OUT}/bench.bin:/bench/bench.bin",
           "-f", f"{OUT}/linux.initrd:/bench/linux.initrd",
           "-f", f"{OUT}/pcie.initrd:/bench/pcie.initrd", "-f", f"{OUT}/zImage:/bench/zImage",
           "-f", f"{paths.built('userspace/armvmm-run')}:/usr/bin/armvmm-run",
           "--load-opts", params, "--timeout", "1800", "--",
           "cd /bench\n" + COMMANDS.format(runs=lines, memory=MEMORY, append=APPEND)]
    p = subprocess.run(cmd, stdout=subprocess.PIPE, text=True, errors="replace", check=False,
                       env=env)
    if p.returncode:
        sys.stderr.write(p.stdout)
        raise Failed(f"the run in the host ended with status {p.returncode}")
    return Found(p.stdout)


# struct bench_args, which the guest's image begins with, after a branch.
ARGS = struct.Struct("<8x8I")
MAGIC = 0x50424d41


def board(*args):
    """Runs a guest on the bare board. Returns what it printed."""
    p = subprocess.run(
        ["qemu-system-arm", "-M", "virt,gic-version=2,highmem=off", "-cpu", "cortex-a15",
         "-nodefaults", "-icount", "shift=0,sleep=off", "-display", "none", "-monitor", "none",
         "-serial", "stdio", "-no-reboot", *args],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
        errors="replace", timeout=900, check=False)
    if p.returncode or "BENCH-END" not in p.stdout:
        sys.stderr.write(p.stdout + p.stderr)
        raise Failed(f"the bare board ended with status {p.returncode}")
    return p.stdout


def native_linux(dtb):
    """The Linux guest on the bare board, with armvmm-run's tree."""
    with open(f"{OUT}/dtb", "wb") as f:
        f.write(dtb)
    return Found(board("-m", str(MEMORY), "-kernel", f"{OUT}/zImage", "-initrd",
                       f"{OUT}/linux.initrd", "-append", APPEND, "-dtb", f"{OUT}/dtb"))


def native(number):
    """The guest on the bare board: tests that need no client; with two CPUs that of two vCPUs."""
    with open(f"{OUT}/bench.bin", "rb") as f:
        image = bytearray(f.read())
    if ARGS.unpack_from(image)[0] != MAGIC:
        raise Failed("bench.bin does not begin with its arguments")
    text = ""
    for cpus, tests, n in ((1, 0x1743a, number), (2, 0x40000, max(number // 50, 100))):
        struct.pack_into("<8I", image, 8, MAGIC, n, tests, cpus, 0, 128, 0, 1)
        with open(f"{OUT}/native.bin", "wb") as f:
            f.write(image)
        text += board("-smp", str(cpus), "-m", "256", "-kernel", f"{OUT}/native.bin")
    return Found(text)


def plugin():
    """Builds the emulator's plugin. Returns its path and the emulator's folder."""
    qemu = command.output(paths.top("tests/coherency/fetch-qemu"))
    subprocess.run(["make", "-s", "-C", paths.top("tests/coherency"), f"O={paths.BUILD}",
                    f"plugin={qemu}/include"], check=True, stdout=sys.stderr)
    return paths.built("tests/coherency/profile.so"), qemu
