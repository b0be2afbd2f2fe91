# SPDX-License-Identifier: GPL-2.0-only
# The serial port with and without exits: the guest reads the same, and its terminal gets the same.
. ./common.sh
param=/sys/module/armvmm/parameters/mirrors
debug=/sys/kernel/debug
[ -d $debug/armvmm ] || mount -t debugfs debugfs $debug
have=$(cat $param)
trap 'echo "$have" >$param; cleanup' EXIT

exits() { cat $debug/armvmm/"$pid"-*/mmio_exit_user; }

# play Y|N: what the guest is told to do, with or without. Its exits to user space, for 8,192
# characters, are in $exits.
play() {
	echo "$1" >$param
	guest_start "$1" --kernel monitor --cpus 2
	guest_expect "$1" 20 'ready' || return 1
	guest_type "$1" 'u1 400 '
	guest_expect "$1" 60 'serial ' || return 1
	guest_type "$1" 'u7 400 '
	wait_for 60 sh -c "[ \$(grep -ac serial '$work/$1.out') = 2 ]" || return 1
	before=$(exits)
	guest_type "$1" 'o2000 '
	guest_expect "$1" 60 'hash ' || return 1
	exits=$(($(exits) - before))
	echo "$exits exits"
	# What it prints last comes before its end.
	guest_type "$1" 'e'
	guest_expect "$1" 20 'echo' || return 1
	guest_type "$1" '0123456789q'
	guest_type "$1" 'p'
	guest_end "$1" 20
	same "$status" 0
}

# The guest is idle: nobody looks after its port any more.
quiet() {
	echo Y >$param
	guest_start q --kernel monitor
	guest_expect q 20 'ready' || return 1
	guest_type q 'o400 h'
	guest_expect q 20 'hanging' || return 1
	sleep 1
	eval "_p=\$pid_q"
	before=$(awk '/voluntary_ctxt/ { n += $2 } END { print n }' /proc/"$_p"/status)
	sleep 3
	after=$(awk '/voluntary_ctxt/ { n += $2 } END { print n }' /proc/"$_p"/status)
	echo "$before $after"
	# The look at disks and such, not the 8 ms of a timer.
	[ $((after - before)) -lt 30 ]
}

check 'without' play N
slow=$exits
check 'with' play Y
fast=$exits
check 'the same is read and printed' cmp "$work/Y.out" "$work/N.out"
echo "# $slow exits to user space without, $fast with"
# Two for each character; a full ring is one for each 169. If the host stands still, it begins anew.
echo "# visible: $(sum <"$work/Y.out")"
check 'few exits' sh -c "[ $slow -gt 16000 ] && [ $((fast * 4)) -lt $slow ]"
check 'an idle guest wakes nobody' quiet
finish
