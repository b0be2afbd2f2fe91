# SPDX-License-Identifier: GPL-2.0-only
# A guest is moved while it handles an SPI on a CPU that is not its target any more, and an SGI from
# another CPU (gicstate.c). KVM's GICv2 does not show either CPU. It also handles the interrupt of a
# device whose line is high. Tested with the module's own node and with /dev/kvm, as libvirt uses it.
# This test loads the module itself (option noload).
. ./lib.sh
machine="-smp 2 -m 64 -kernel gicstate"
from_file() {
	# shellcheck disable=SC2086
	qemu_start "$1" $machine -incoming "exec:cat $work/state" && loaded "$1"
}
by_file() { to_file a "$work/state" && from_file b; }

insmod /armvmm.ko kvm=1 || fail 'the module loads'
for name in armvmm kvm; do
	accel="-accel $name"
	# shellcheck disable=SC2086
	qemu_start a $machine
	check "$name: a CPU handles an SPI that is another's, and an SGI of another" \
		guest_expect a 60 '@@ holds 00000028 00000403'
	check "$name: ... and a PL011's, which is a level" guest_expect a 60 '@@ handles 00000021'
	check "$name: it moves to another process" by_file
	guest_type b x
	check "$name: ... where the PL011's comes again as long as its line is high" \
		guest_expect b 60 '@@ taken 00000002'
	check "$name: ... where it ends them: none is left active" guest_expect b 60 '@@ left 00000000 00000000'
	guest_end b 30
	check "$name: ... and powers off: status 0" same "$status" 0
	check "$name: it moves once more" from_file c
	guest_type c y
	check "$name: ... where the PL011's line falls before it ends: it does not come again" \
		guest_expect c 60 '@@ taken 00000000'
	guest_end c 30
done
rmmod armvmm
qemu_finish
