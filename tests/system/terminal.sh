# SPDX-License-Identifier: GPL-2.0-only
# A person's terminal: raw while the guest has it, restored in every case, and the keys that leave.
. ./common.sh

# drive NAME ARG...: a case, whose steps are on stdin.
drive() {
	_n=$1
	shift
	check "$_n" ./ptydrive armvmm-run --kernel monitor "$@"
}

drive 'Ctrl-C goes to the guest, Ctrl-A x leaves, the terminal is as before' <<'STEPS'
	expect ready
	raw
	send e
	expect echo
	send \x03\x1a\x1c\x11\x13\x04
	expect <00000003><0000001a><0000001c><00000011><00000013><00000004>
	send \x01\x01
	expect <00000001>
	send \xc3\xa4\x7f
	expect <000000c3><000000a4><0000007f>
	send q
	send \x01x
	exit 4
	cooked
STEPS
drive 'Ctrl-A p presses the power button' <<'STEPS'
	expect ready
	send w
	expect waiting
	send \x01p
	expect button
	exit 0
	cooked
STEPS
# Its first instruction is a branch to itself.
printf '\376\377\377\352' >"$work/loop"
check 'Ctrl-A p on a machine without a power button says so' ./ptydrive armvmm-run --machine vexpress-a15 \
	--verbose --kernel "$work/loop" --format raw <<'STEPS'
	raw
	send \x01p
	expect the machine has no power button (Ctrl-A x leaves)
	send \x01x
	exit 4
	cooked
STEPS
drive 'Ctrl-A h tells the keys, and the guest does not see them' <<'STEPS'
	expect ready
	send e
	expect echo
	send \x01h
	expect Ctrl-A x
	send z
	expect <0000007a>
	send qp
	exit 0
	cooked
STEPS
drive 'a power-off restores the terminal' <<'STEPS'
	expect ready
	raw
	send p
	exit 0
	cooked
STEPS
drive 'SIGTERM restores the terminal' --grace 1 <<'STEPS'
	expect ready
	raw
	send h
	expect hanging
	signal 15
	expect the guest has not powered off within 1 s and is ended
	exit 4
	cooked
STEPS
drive 'a crash of the program restores the terminal' <<'STEPS'
	expect ready
	raw
	signal 11
	exit 139
	cooked
STEPS
drive 'SIGTSTP gives the terminal back, SIGCONT takes it again' <<'STEPS'
	expect ready
	raw
	signal 20
	stopped
	cooked
	continue
	raw
	send p
	exit 0
	cooked
STEPS
drive 'a terminal that goes away leaves the guest running; SIGTERM ends it' <<'STEPS'
	expect ready
	send w
	expect waiting
	hangup
	alive
	signal 15
	exit 0
STEPS
drive 'an error message finds the terminal as it was' --disk /missing <<'STEPS'
	expect armvmm-run: /missing: No such file or directory
	exit 1
	cooked
STEPS
finish
