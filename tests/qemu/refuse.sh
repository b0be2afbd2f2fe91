# SPDX-License-Identifier: GPL-2.0-only
# Wrong options, and hosts that cannot do what is asked: QEMU prints one line and ends with a
# status. This test loads the module itself (option noload).
. ./lib.sh

# refuses TEXT ARG...: QEMU ends with status 1, and prints one line, which has TEXT.
refuses() {
	_text=$1
	shift
	# shellcheck disable=SC2086
	timeout 60 qemu-system-arm -M virt -nodefaults -display none -S "$@" </dev/null >"$work/said" 2>&1
	_status=$?
	echo "status $_status:"
	cat "$work/said"
	[ $_status = 1 ] && [ "$(wc -l <"$work/said")" = 1 ] && grep -qF -- "$_text" "$work/said"
}

# falls TEXT ARG...: QEMU falls back to TCG, and prints one line, which has TEXT.
falls() {
	_text=$1
	shift
	board="-M virt -nodefaults -display none -S" accel=
	qemu_start fall "$@"
	qmp fall query-kvm || return 1
	qmp fall query-status || return 1
	qmp fall quit >/dev/null
	guest_end fall 20
	cat "$work/fall.err"
	[ "$status" = 0 ] && grep -qF '"enabled": false' "$work/fall.qmp" &&
		[ "$(wc -l <"$work/fall.err")" = 1 ] && grep -qF -- "$_text" "$work/fall.err"
}

check 'the list of accelerators has armvmm' sh -c 'qemu-system-arm -accel help | grep -qx armvmm'
check 'without the module: refused' refuses 'there is no /dev/armvmm: load the module' -accel armvmm
check '... or TCG takes over, after one line' falls 'falling back to tcg' -machine accel=armvmm:tcg -cpu cortex-a15
check '... by two options too' falls 'falling back to tcg' -accel armvmm -accel tcg -cpu cortex-a15

insmod /armvmm.ko || fail 'the module loads'
refuses_as_user() {
	chmod 666 "$work"
	echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
	chmod 755 "$work"
	chmod 660 /dev/armvmm
	# shellcheck disable=SC2016
	su nobody -c 'qemu-system-arm -M virt -nodefaults -display none -S -accel armvmm' \
		</dev/null >/tmp/said 2>&1
	echo "status $?"
	cat /tmp/said
	[ "$(wc -l </tmp/said)" = 1 ] && grep -qF '/dev/armvmm may not be opened: it takes root or the group kvm' /tmp/said
}
check 'without permission: refused' refuses_as_user
falls_as_user() {
	echo quit | su nobody -c 'qemu-system-arm -M virt,accel=armvmm:tcg -cpu cortex-a15 -nodefaults \
		-display none -S -monitor stdio 2>/tmp/said' >/dev/null || return 1
	cat /tmp/said
	[ "$(wc -l </tmp/said)" = 1 ] && grep -qF 'falling back to tcg' /tmp/said
}
rm -f /tmp/said
check '... or TCG takes over' falls_as_user
check 'a node that is none' refuses '/dev/null is not a node of the module armvmm' -accel armvmm,device=/dev/null
check 'a node that is not there' refuses 'there is no /dev/nothing' -accel armvmm,device=/dev/nothing
check '... and TCG takes over' falls 'there is no /dev/nothing' -accel armvmm,device=/dev/nothing -accel tcg -cpu cortex-a15
export LD_PRELOAD="$dir/shim.so" SHIM=version
check 'a node that speaks another ABI' refuses '/dev/armvmm speaks version 11 of the ABI, and not 12' -accel armvmm
check '... and TCG takes over' falls 'speaks version 11' -machine accel=armvmm:tcg -cpu cortex-a15
unset LD_PRELOAD SHIM
check 'a property that is none' refuses "Property 'armvmm-accel.nonsense' not found" -accel armvmm,nonsense=1
check 'another CPU than the host'"'"'s' sh -c "qemu-system-arm -M virt -nodefaults -display none -S -accel armvmm \
	-cpu cortex-a7 </dev/null 2>&1 | grep -q 'Invalid argument'"
check 'a PMU on a host that has none' refuses "'pmu' feature not supported by KVM on this host" \
	-accel armvmm -cpu host,pmu=on
check 'a 64-bit-only kind of interrupt controller' refuses 'GICv3 emulation' \
	-accel armvmm -cpu host -machine gic-version=3
check 'kernel-irqchip=split' refuses 'kernel_irqchip=split is not supported on ARM' \
	-accel armvmm -cpu host -machine kernel-irqchip=split
check 'nine CPUs' sh -c "qemu-system-arm -M virt -nodefaults -display none -S -accel armvmm -cpu host -smp 9 \
	</dev/null 2>&1 | grep -q 'exceeds the maximum cpus supported by KVM (8)'"
check 'TrustZone in the guest' refuses 'does not support providing Security extensions' \
	-accel armvmm -cpu host -machine secure=on
ln -s /dev/armvmm "$work/node"
named() {
	qemu_start named -S -accel armvmm,device="$work/node" -cpu max
	qmp named query-kvm | grep -F '"enabled": true' || return 1
	qmp named query-cpus-fast
	qmp named quit >/dev/null
	guest_end named 20
	[ "$status" = 0 ] && [ ! -s "$work/named.err" ]
}
board="-M virt -nodefaults -display none" accel=
check 'a node by another name, -cpu max' named
rmmod armvmm
qemu_finish
