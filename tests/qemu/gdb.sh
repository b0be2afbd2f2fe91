# SPDX-License-Identifier: GPL-2.0-only
# gdbstub, by its protocol: breakpoints in memory, hardware breakpoints, watchpoints, steps and
# registers of a program of a few instructions, which the test writes into the guest's memory.
. ./lib.sh

# If the module lacks KVM_SET_GUEST_DEBUG, QEMU says so and does not start.
if [ "$(cat debug)" = 0 ]; then
	refused() {
		# shellcheck disable=SC2086
		timeout 60 qemu-system-arm $board $accel -S -gdb tcp:127.0.0.1:1234 </dev/null
		[ $? = 1 ]
	}
	check 'a debugger is refused' says "doesn't support guest debugging" refused
	qemu_finish
fi

qemu_start g -smp 1 -m 64 -S -gdb tcp:127.0.0.1:1234
mkfifo "$work/to"
./rsp 1234 <"$work/to" >"$work/from" 2>&1 &
guests="$guests $!"
exec 7>"$work/to"

# ask PACKET: prints the stub's answer.
ask() {
	_had=$(wc -l <"$work/from")
	echo "$1" >&7
	wait_for 30 eval "[ \$(wc -l <'$work/from') -gt $_had ]" || { echo 'no answer'; return 1; }
	tail -n 1 "$work/from"
}
is() { same "$(ask "$1")" "$2"; }
# stops REASON ADDRESS PACKET: after PACKET the guest stops at ADDRESS (bytes reversed), for REASON.
stops() {
	_why=$(ask "$3")
	_at=$(ask pf)
	echo "stop '$_why' at '$_at', not '$1' at '$2'"
	case $_why in
	$1) ;;
	*) return 1 ;;
	esac
	[ "$_at" = "$2" ]
}

check 'the stub tells why it stands' same "$(ask '?' | cut -c1-3)" T05
# mov r0, #0; ldr r1, =0x41000100; 1: add r0, r0, #1; str r0, [r1]; ldr r2, [r1]; nop; b 1b; nop
# QEMU answers packets for single registers only after the description of registers was read.
check 'the registers are described' says '<feature name="org.gnu.gdb.arm.core">|arm-core.xml' ask qXfer:features:read:target.xml:0,ffb
check 'a program is written' is \
	M41000000,24:0000a0e314109fe5010080e2000081e5002091e50000a0e1faffffea0000a0e100010041 OK
check '... and the PC' is Pf=00000041 OK
check 'a breakpoint in memory' is Z0,41000014,4 OK
check '... is hit' stops 'T05*' 14000041 c
check '... where the program has done its work' is p0 01000000
check '... and goes' is z0,41000014,4 OK
check '... as it was' is m41000014,4 0000a0e1
check 'a breakpoint of the CPU' is Z1,41000008,4 OK
check '... is hit' stops 'T05*' 08000041 c
check '... and goes' is z1,41000008,4 OK
check 'a watchpoint on writes' is Z2,41000100,4 OK
check '... is hit, by the store' stops 'T05*watch:41000100;*' 0c000041 c
check '... and goes' is z2,41000100,4 OK
# Two watchpoints side by side: the address, or the kind of access, tells which one was hit.
check 'a watchpoint beside it' is Z2,41000104,4 OK
check '... and it again' is Z2,41000100,4 OK
check '... the right one is hit' stops 'T05*watch:41000100;*' 0c000041 c
check '... the neighbour goes' is z2,41000104,4 OK
check '... it goes' is z2,41000100,4 OK
check '... one of another kind comes' is Z3,41000104,4 OK
check '... and it again' is Z2,41000100,4 OK
check '... the right one is hit' stops 'T05*;watch:41000100;*' 0c000041 c
check '... and both go' is z3,41000104,4 OK
check '... indeed' is z2,41000100,4 OK
check 'a watchpoint on reads' is Z3,41000100,1 OK
check '... is hit, by the load' stops 'T05*rwatch:41000100;*' 10000041 c
check '... and goes' is z3,41000100,1 OK
check 'a step' stops 'T05*' 14000041 s
check '... and another' stops 'T05*' 18000041 s
check '... over a branch' stops 'T05*' 08000041 s
# 1: adds r0, #1; nop; b 1b
check 'a program in T32' is M41000200,6:013000bffce7 OK
check '... the PC' is Pf=00020041 OK
check '... the state' is P19=f3010040 OK
check '... a breakpoint of two bytes' is Z0,41000202,2 OK
check '... is hit' stops 'T05*' 02020041 c
check '... and goes' is z0,41000202,2 OK
check '... one of the CPU' is Z1,41000204,2 OK
check '... is hit' stops 'T05*' 04020041 c
check '... and goes' is z1,41000204,2 OK
# ldr r3, =0x41000400; mcr p15, 0, r3, c12, c0, 0; bkpt #1; b .: its vector is b . at 0x4100040c.
check 'a program with a BKPT of its own' is \
	M41000300,14:08309fe5103f0cee710020e1feffffea00040041 OK
check '... its vectors' is M4100040c,4:feffffea OK
check '... the state' is P19=d3010040 OK
check '... the PC' is Pf=00030041 OK
check '... a breakpoint elsewhere' is Z0,41000010,4 OK
check '... and in its vector' is Z1,4100040c,4 OK
check '... gets its exception' stops 'T05*' 0c040041 c
check '... in Abort mode' says '^d7' ask p19
check '... and both go' is z1,4100040c,4 OK
check '... indeed' is z0,41000010,4 OK
check 'the debugger leaves' is D OK
check '... and the guest runs' says '"status": "running"' qmp g query-status
exec 7>&-
qmp g quit >/dev/null
guest_end g 20
check 'QEMU ends: status 0' same "$status" 0
qemu_finish
