# SPDX-License-Identifier: GPL-2.0-only
# A stock kernel on several kinds of machine: CPUs by name and number, the interrupt controller in
# the kernel or in QEMU, reset and power-off by PSCI.
. ./lib.sh

guest_initrd g <<'SCRIPT'
dmesg -n 1
say "cpus $(nproc)"
say "cpu $(sed -n 's/^CPU part[^:]*: //p' /proc/cpuinfo | sort -u)"
say "model $(tr '\0' '\n' </proc/device-tree/cpus/cpu@0/compatible)"
say "psci $(dmesg | sed -n 's/.*psci: \(PSCIv.*\) detected.*/\1/p')"
ticks() {
	awk '/arch_timer/ { n = 1; for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) if ($i < 5) n = 0; print n }' /proc/interrupts
}
# Try again if a CPU ran for too short a time to have ticks.
tries=0
while :; do
	for cpu in $(seq 0 $(($(nproc) - 1))); do
		taskset $((1 << cpu)) sh -c 'i=0; while [ $i -lt 500 ]; do i=$((i + 1)); done' || say "not ok CPU $cpu"
	done
	sleep 1
	tries=$((tries + 1))
	[ "$(ticks)" != 1 ] && [ $tries -lt 10 ] || break
done
say "ticks $(ticks)"
say end
SCRIPT

# boots NAME CPUS ARG...: a guest boots, sees CPUS working CPUs, and powers off with status 0.
boots() {
	_boot=$1 _cpus=$2
	shift 2
	cp "$work/g.initrd" "$work/$_boot.initrd"
	linux_qemu "$_boot" -smp "$_cpus" -m 128 "$@"
	guest_expect "$_boot" 200 '@@ end' || return 1
	guest_end "$_boot" 60
	tr -d '\r' <"$work/$_boot.out" | grep '^@@'
	[ "$status" = 0 ] && grep -q "^@@ cpus $_cpus" "$work/$_boot.out" &&
		grep -q '^@@ ticks 1' "$work/$_boot.out" && ! grep -q '@@ not ok' "$work/$_boot.out"
}

check 'a guest with one CPU boots and powers off' boots one 1
check '... the CPU is the host'"'"'s' grep -q "^@@ cpu $(sed -n 's/^CPU part[^:]*: //p' /proc/cpuinfo | sort -u)" "$work/one.out"
check '... and the device tree has its name' grep -q '^@@ model arm,cortex-a15' "$work/one.out"
check '... PSCI 1.1 is found' grep -q '^@@ psci PSCIv1.1' "$work/one.out"
check 'four CPUs of type cortex-a15' boots four 4 -cpu cortex-a15
check 'eight CPUs' boots eight 8
check 'the interrupt controller in QEMU, two CPUs' boots off 2 -machine kernel-irqchip=off

# Without -no-reboot the machine starts again, and QEMU loads its kernel again.
guest_initrd r <<'SCRIPT'
say up
cpu=/sys/devices/system/cpu
while read -r what; do
	case $what in
	reboot) reboot -f ;;
	hot)
		n=0
		while [ $n -lt 30 ] && echo 0 >$cpu/cpu1/online && echo 1 >$cpu/cpu1/online; do
			n=$((n + 1))
		done
		say "hot $n $(cat $cpu/online)"
		;;
	*)
		say "told $what"
		break
		;;
	esac
done
SCRIPT
linux_qemu r -smp 2 -m 128
check 'a guest that may reboot is up' guest_expect r 120 '@@ up'
: >"$work/r.out"
guest_type r 'reboot\n'
check '... reboots' guest_expect r 120 '@@ up'
: >"$work/r.out"
check '... is reset from outside' qmp r system_reset
check '... and comes up again' guest_expect r 120 '@@ up'
check 'info registers shows a CPU of the guest' says 'R15=[0-9a-f]{8}.*PSR=[0-9a-f]{8}' hmp r 'info registers'
# `info registers` of a CPU that is off must not undo the guest's CPU_ON.
guest_type r 'hot\n'
looks() {
	_end=$(($(date +%s) + 300))
	until grep -q '^@@ hot .*' "$work/r.out" || [ "$(date +%s)" -ge $_end ]; do
		hmp r 'info registers -a' >/dev/null || return 1
	done
	grep -a '^@@' "$work/r.out"
	grep -q '^@@ hot 30 0-1' "$work/r.out"
}
check 'it turns a CPU off and on while it is looked at' looks
guest_type r 'enough\n'
check '... and reads its console' guest_expect r 60 '@@ told enough'
guest_end r 60
check '... powers off: status 0' same "$status" 0
qemu_finish
