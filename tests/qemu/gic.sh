# SPDX-License-Identifier: GPL-2.0-only
# Interrupts that are being handled while the guest is moved, by a CPU that is not their target, and
# from a CPU that is not their handler: gicstate.c. KVM's GICv2 does not show whose they are.
. ./lib.sh
machine="-smp 2 -m 64 -kernel gicstate"
# shellcheck disable=SC2086
qemu_start a $machine
check 'a CPU handles an SPI that is another'"'"'s, and an SGI of another' guest_expect a 60 '@@ holds 00000028 00000403'
by_file() {
	qmp a stop >/dev/null
	qmp a migrate "{\"uri\":\"exec:cat >$work/state\"}" || return 1
	wait_for 60 eval "qmp a query-migrate | grep -q '\"status\": \"completed\"'" || return 1
	qmp a quit >/dev/null
	guest_end a 30
	# shellcheck disable=SC2086
	qemu_start b $machine -incoming "exec:cat $work/state" || return 1
	wait_for 60 eval "qmp b query-status | grep -qF '\"status\": \"paused\"'" || return 1
	qmp b cont
}
check 'it moves to another process' by_file
guest_type b x
check '... where it ends them: none is left active' guest_expect b 60 '@@ left 00000000 00000000'
guest_end b 30
check '... and powers off: status 0' same "$status" 0
qemu_finish
