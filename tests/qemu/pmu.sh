# SPDX-License-Identifier: GPL-2.0-only
# The PMU of QEMU's guests, on a host whose perf has one. It is there unless it is switched off. It
# counts and interrupts with either interrupt controller, and after a migration and a reset.
. ./lib.sh

guest_initrd g <<'SCRIPT'
dmesg -n 1
say "node '$(tr '\0' '\n' </proc/device-tree/pmu/compatible)'"
/bin/cycles &
say up
read -r what
say "line $(sed -n 's/.* 23 Level  *arm-pmu/found/p' /proc/interrupts)"
killall cycles
say end
SCRIPT
mkdir -p "$work/add/bin"
cp cycles "$work/add/bin/"
(cd "$work/add" && echo bin/cycles | cpio -o -H newc 2>/dev/null) >>"$work/g.initrd"
for side in off irqchip a b; do cp "$work/g.initrd" "$work/$side.initrd"; done

cr=$(printf '\r')
passes() { sed -n "s/^@@ pass \([0-9]*\) .*$cr\$/\1/p" "$work/$1.out" | tail -n 1; }
# counts NAME: three more passes end, and the last one counted cycles and was interrupted.
counts() {
	_before=$(passes "$1")
	wait_for 60 eval "[ \"\$(passes $1)0\" -ge \"\$((${_before:-0} + 3))0\" ]"
	tail -n 3 "$work/$1.out"
	[ "$(passes "$1")" -ge $((${_before:-0} + 3)) ] &&
		sed -n "s/^@@ pass \(.*\)$cr\$/\1/p" "$work/$1.out" | tail -n 1 |
		grep -qE 'cycles [1-9][0-9]{6,} samples [1-9]'
}
ends() {
	guest_type "$1" 'end\n'
	guest_expect "$1" 60 '@@ end' || return 1
	guest_end "$1" 60
	[ "$status" = 0 ]
}

linux_qemu a -smp 2 -m 96
check 'the guest is up' guest_expect a 120 '@@ up'
check '... its device tree names the PMU' grep -q "^@@ node 'arm,cortex-a15-pmu'" "$work/a.out"
check '... it counts and interrupts' counts a
moves() {
	# shellcheck disable=SC2086
	linux_qemu b -smp 2 -m 96 -incoming "unix:$work/sock" || return 1
	qmp a migrate "{\"uri\":\"unix:$work/sock\"}" && qmp_event b 60 RESUME || return 1
	qmp a quit >/dev/null
	guest_end a 30
}
check '... is moved to another process' moves
check '... where it counts on' counts b
: >"$work/b.out"
check '... is reset' qmp b system_reset
check '... comes up again' guest_expect b 120 '@@ up'
check '... counts again' counts b
check '... and ends' ends b
check '... its line is INTID 23' grep -q '^@@ line found' "$work/b.out"

linux_qemu off -cpu host,pmu=off -smp 1 -m 96
check 'pmu=off: the guest is up' guest_expect off 120 '@@ up'
check '... its device tree names none' grep -q "^@@ node ''" "$work/off.out"
check '... and it finds none' guest_expect off 60 '@@ no counter'
check '... and ends' ends off

linux_qemu irqchip -cpu host,pmu=on -smp 1 -m 96 -machine kernel-irqchip=off
check 'kernel-irqchip=off: the guest is up' guest_expect irqchip 120 '@@ up'
check '... it counts and interrupts' counts irqchip
check '... and ends' ends irqchip
qemu_finish
