# SPDX-License-Identifier: GPL-2.0-only
# A host whose CPU has no HYP mode: the module says so and does not load. QEMU says where to look,
# and falls back to TCG if the user allowed it.
. ./lib.sh

loads() {
	insmod /armvmm.ko 2>"$work/insmod"
	_status=$?
	cat "$work/insmod"
	dmesg | tail -n 3
	[ $_status != 0 ] && dmesg | grep -q 'armvmm: this CPU .* has no Virtualization Extensions'
}
check 'the module does not load, and says why' loads
refuses() {
	qemu-system-arm -M virt -nodefaults -display none -S -accel armvmm </dev/null >"$work/said" 2>&1
	echo "status $?"
	cat "$work/said"
	[ "$(wc -l <"$work/said")" = 1 ] && grep -qF "the kernel's log says why" "$work/said"
}
check 'QEMU is refused, and says where to look' refuses
falls() {
	echo quit | timeout 60 qemu-system-arm -M virt,accel=armvmm:tcg -cpu cortex-a15 -nodefaults \
		-display none -S -monitor stdio >"$work/out" 2>"$work/said" || return 1
	cat "$work/said"
	[ "$(wc -l <"$work/said")" = 1 ] && grep -qF 'falling back to tcg' "$work/said"
}
check 'or goes on by TCG' falls
qemu_finish
