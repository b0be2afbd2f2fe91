# SPDX-License-Identifier: GPL-2.0-only
# armvmm-stat: with and without a guest, once, as a log, on a terminal, and everything that it
# refuses.
. ./common.sh
debug=/sys/kernel/debug

# says STATUS TEXT ARG...: armvmm-stat ends with STATUS and prints TEXT.
says() {
	want=$1 text=$2
	shift 2
	armvmm-stat "$@" >"$work/says" 2>&1
	status=$?
	cat "$work/says"
	same "$status" "$want" && grep -qF -- "$text" "$work/says"
}

# value FILE NAME: the total of a counter in a table.
value() { awk -v n="$2" '$1 == n { print $2 }' "$1"; }
rate() { awk -v n="$2" '$1 == n { print $3 }' "$1"; }

check 'an option that is none' says 2 'there is no option --what' --what
check 'a value that is missing' says 2 'needs a value' -p
check 'a pid that is none' says 2 "'12x' is no process number" -p 12x
check 'an interval that is too short' says 2 'an interval is 0.1 to 3600 seconds' -i 0.01
check 'an interval that is no number' says 2 'an interval is' -i nan
check 'a filter that is no expression' says 2 'is no regular expression' -f '('
check 'what excludes each other' says 2 'exclude each other' -1 -l
check '--csv without a log' says 2 '--csv is for' --csv -1
check 'an argument too many' says 2 "'more' is no option" more
check '--help' says 0 'Usage: armvmm-stat' --help
check '--version' says 0 "armvmm-stat " --version
check 'no terminal' says 1 'use --once or --log'
check 'a process without a virtual machine' says 1 'process 1 has no virtual machine' -1 -p 1
check 'a guest that is none' says 1 'was started with -name nobody' -1 -g nobody
check 'debugfs that is not mounted' says 1 'debugfs is not mounted at /tmp' -1 --debugfs /tmp
check 'a log that cannot be written' says 1 '/nowhere/log: No such file' -L /nowhere/log -i 0.1

# Loading tells one line for CPUs that are all alike, and --host the same.
kind_told() {
	before=$(dmesg | grep -c 'armvmm: Cortex')
	rmmod armvmm && insmod /armvmm.ko || return 1
	dmesg | sed -n 's/.*armvmm: \(Cortex.*\)/\1/p' | tail -n +$((before + 1)) >"$work/told"
	armvmm-stat --host >"$work/host" || return 1
	cat "$work/told" "$work/host"
	same "$(wc -l <"$work/told")" 1 && same "$(grep -c Cortex "$work/host")" 1 &&
		grep -qF -- "$(cat "$work/told")" "$work/host"
}
check 'the kind of the CPUs is told once, and by --host' kind_told

unprivileged() {
	echo 'user:x:1000:1000::/:/bin/sh' >>/etc/passwd
	su user -c 'armvmm-stat -1' >"$work/says" 2>&1
	status=$?
	cat "$work/says"
	same "$status" 1 && grep -q 'permission denied.*sudo' "$work/says"
}
check 'a user who may not' unprivileged

once_idle() {
	armvmm-stat -1 -i 0.1 >"$work/table" || return 1
	cat "$work/table"
	same "$(value "$work/table" exits)" 0 && same "$(value "$work/table" hyp_hvc)" 0
}
check 'no guest: all is zero' once_idle

# The monitor echoes what it reads, each byte an exit and more.
guest_start g --kernel monitor --cpus 2
check 'a guest' guest_expect g 20 ready
guest_type g e
check '... that echoes' guest_expect g 20 echo
once_guest() {
	(
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			guest_type g 'abc'
			usleep 100000
		done
	) &
	typist=$!
	armvmm-stat -1 -i 1 "$@" >"$work/table"
	table=$?
	# The typist may outlast armvmm-stat: its keys must not mix with the next check's.
	wait $typist
	cat "$work/table"
	[ $table = 0 ] || return 1
	[ "$(value "$work/table" exits)" -gt 0 ]
}
check 'once, all' once_guest
check '... its totals are what debugfs holds' \
	sh -c "[ $(value "$work/table" page_faults) -le $(cat $debug/armvmm/page_faults) ]"
check 'once, one process' once_guest -p "$pid"
check '... with the numbers of its folder' \
	same "$(value "$work/table" remote_tlb_flush)" "$(cat $debug/armvmm/$pid-*/remote_tlb_flush)"
filtered() {
	armvmm-stat -1 -i 0.1 -f '^hvc|^smc' >"$work/table" && cat "$work/table" &&
		same "$(sed 1d "$work/table" | cut -d' ' -f1 | sort | xargs)" 'hvc_exit_stat smc_exit_stat'
}
check 'a filter' filtered
skipped() {
	armvmm-stat -1 -z -i 0.1 >"$work/table" && cat "$work/table" &&
		! grep -q '^wfe_exit_stat' "$work/table" && grep -q '^exits' "$work/table"
}
check 'without zeroes' skipped
per_vcpu() {
	armvmm-stat -1 -c -i 0.1 -p "$pid" >"$work/table" && cat "$work/table" &&
		same "$(head -n 1 "$work/table" | xargs)" 'Event vcpu0 vcpu1' &&
		grep -Eq '^exits +[0-9]+ +[0-9]+$' "$work/table"
}
check 'a column for each vCPU' per_vcpu

logged() {
	armvmm-stat -L "$work/log" --csv -i 0.1 -f '^exits$|^blocking$' &
	log=$!
	wait_for 20 sh -c "[ \$(wc -l <$work/log) -ge 4 ]" || return 1
	mv "$work/log" "$work/log.1"
	kill -HUP $log
	wait_for 20 test -s "$work/log" || return 1
	kill $log
	wait $log || return 1
	cat "$work/log.1" "$work/log"
	same "$(head -n 1 "$work/log.1")" timestamp,blocking,exits || return 1
	same "$(head -n 1 "$work/log")" timestamp,blocking,exits || return 1
	! sed 1d "$work/log.1" | grep -Evq '^[0-9-]+T[0-9:]+[+-][0-9]+,[0-9]+,[0-9]+$'
}
check 'a log, opened anew at SIGHUP' logged

lines() {
	armvmm-stat -l -i 0.1 -f exits >"$work/log" &
	log=$!
	wait_for 20 sh -c "[ \$(wc -l <$work/log) -ge 3 ]" || return 1
	kill -INT $log
	wait $log || return 1
	cat "$work/log"
	head -n 1 "$work/log" | grep -Eq '^time .* exits' &&
		sed -n 2p "$work/log" | grep -Eq '^[0-9:]{8} +[0-9]+'
}
check 'a log for people' lines

check 'on a terminal: tables, questions, keys' ./ptydrive armvmm-stat -i 0.2 <<STEPS
	expect armvmm-stat: all virtual machines, every 0.2 s
	expect Event
	expect irq_exits
	send h
	expect a column for each vCPU
	send x
	expect Event
	send c
	expect vcpu0       vcpu1
	send c
	send p
	expect Process (empty: all)
	expect $pid
	send 99\x7f\x7f$pid\n
	expect armvmm-stat: process $pid
	expect Event
	send p1\n
	expect process 1 has no virtual machine
	send p\n
	expect all virtual machines
	send f(\n
	expect is no regular expression
	send f^wfi\n
	expect counters /^wfi/
	expect wfi_exit_stat
	absent irq_exits
	send f\x1b
	send s0.5\n
	expect every 0.5 s
	send o
	expect by total
	send q
	exit 0
	cooked
STEPS
check 'Ctrl-C restores the terminal' ./ptydrive armvmm-stat <<'STEPS'
	expect Event
	send \x03
	exit 0
	cooked
STEPS
check 'Ctrl-Z gives the terminal back, and takes it again' ./ptydrive armvmm-stat <<'STEPS'
	expect Event
	send \x1a
	stopped
	cooked
	continue
	expect Event
	send q
	exit 0
	cooked
STEPS

guest_type g q
guest_type g p
guest_end g 20
check 'the guest ends' same "$status" 0
check '... and its folder is gone' sh -c "! ls -d $debug/armvmm/*-*"

unmounted() {
	umount $debug || return 1
	says 1 'debugfs is not mounted'
	ret=$?
	mount -t debugfs debugfs $debug
	return $ret
}
check 'no debugfs' unmounted
check 'the module can go' rmmod armvmm
check 'no module' says 1 'the armvmm module is not loaded: modprobe armvmm'
finish
