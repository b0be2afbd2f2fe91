# SPDX-License-Identifier: GPL-2.0-only
# migrate.sh ROUNDS: a guest whose two CPUs keep writing memory, and check what they wrote, is moved
# between QEMU processes: by socket ROUNDS times there and ROUNDS times back, over a slow line, and
# by a file. Nothing may be lost, and no clock may go back.
. ./lib.sh
rounds=$1

guest_initrd g <<'SCRIPT'
dmesg -n 1
memcheck 24 2 &
watchcheck &
say up
while read -r what; do
	say "told $what"
	[ "$what" != end ] || break
done
killall memcheck watchcheck
say end
SCRIPT
for side in a b c d; do cp "$work/g.initrd" "$work/$side.initrd"; done

cr=$(printf '\r')
# last SIDE KEY: prints the last number that the guest on this side reported for KEY: its passes
# over memory ("pass"), or the hits of its debugger's watchpoint ("hits").
last() { sed -n "s/^@@ $2 \([0-9]*\)$cr\$/\1/p" "$work/$1.out" | tail -n 1; }
more() { _now=$(last "$1" "$2"); [ "${_now:-0}" -gt "${3:-0}" ]; }
# goes_on SIDE [SECONDS]: the guest makes progress, and reports no error.
goes_on() {
	_pass=$(last "$1" pass) _hits=$(last "$1" hits)
	wait_for "${2:-60}" eval "more $1 pass $_pass && more $1 hits $_hits" || {
		echo "guest $1 stands still at pass '$_pass', hit '$_hits'"
		tail -n 5 "$work/$1.out" "$work/$1.err"
		return 1
	}
	! grep -h '@@ wrong' "$work/$1.out"
}

machine="-smp 2 -m 96"
move() {
	_from=$1 _to=$2
	rm -f "$work/mig.sock"
	# shellcheck disable=SC2086
	linux_qemu "$_to" $machine -incoming "unix:$work/mig.sock" || return 1
	qmp "$_from" migrate-set-parameters '{"max-bandwidth":200000000,"downtime-limit":2000}' &&
		qmp "$_from" migrate "{\"uri\":\"unix:$work/mig.sock\"}" && migrated "$_from" &&
		qmp_event "$_to" 30 RESUME && goes_on "$_to" && quits "$_from"
}

# shellcheck disable=SC2086
linux_qemu a $machine
check 'the guest is up' guest_expect a 120 '@@ up'
check 'its CPUs are at work' goes_on a
n=0 from=a to=b
while [ $n -lt $((2 * rounds)) ]; do
	n=$((n + 1))
	check "move $n, by socket" move $from $to
	other=$from from=$to to=$other
done
# At this speed the guest writes memory faster than it is sent.
throttled_or_over() {
	seen=$(qmp $from query-migrate)
	echo "$seen" | grep -qE '"cpu-throttle-percentage": [1-9]|"status": "(completed|failed)"'
}
converges() {
	# shellcheck disable=SC2086
	linux_qemu $to $machine -incoming "unix:$work/slow.sock" || return 1
	qmp $from migrate-set-capabilities '{"capabilities":[{"capability":"auto-converge","state":true}]}' &&
		qmp $from migrate-set-parameters '{"max-bandwidth":6000000,"downtime-limit":200,
			"cpu-throttle-initial":50,"cpu-throttle-increment":45}' &&
		qmp $from migrate "{\"uri\":\"unix:$work/slow.sock\"}" || return 1
	wait_for 120 throttled_or_over
	# Check the answer from that time: the migration may be over by now.
	echo "$seen"
	echo "$seen" | grep -qE '"cpu-throttle-percentage": [1-9]' || return 1
	migrated $from 200 && qmp_event $to 30 RESUME && goes_on $to && quits $from
}
check 'a slow line: its CPUs are slowed down until it moves' converges
from=$to
guest_type $from 'hello\n'
check 'it hears its console after all that' guest_expect $from 60 '@@ told hello'

by_file() {
	to_file $from "$work/state" || return 1
	[ "$(wc -c <"$work/state")" -gt 10000000 ] || return 1
	# shellcheck disable=SC2086
	linux_qemu c $machine -incoming "exec:cat $work/state" || return 1
	loaded c && goes_on c
}
check 'by a file, stopped' by_file
rm -f "$work/state"
guest_type c 'end\n'
check 'it ends by itself' guest_expect c 60 '@@ end'
guest_end c 60
check '... with status 0' same "$status" 0
qemu_finish
