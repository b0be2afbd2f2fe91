#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A guest that does its worst on two vCPUs takes no more than its share from one that computes on the
# same CPU: that one gets on at 80 % at least of what it does beside two vCPUs that only compute. For
# a host with one CPU and deterministic time.
#   share.sh [KIND...]
# Counters, which are none of those that it does by itself, need a host with a PMU.
MS=300
all="calls exits distributor sgis sleeps timers pending walks pages maintenance pulses traps counters"
kinds=${*:-${all% counters}}
set -- $kinds
echo "TAP version 13"
echo "1..$(($# + 1))"

# number KIND: its place in worst.c, where 0 only computes.
number() {
	number=1
	for k in $all; do
		[ "$k" != "$1" ] || return
		number=$((number + 1))
	done
}

# beside NUMBER [OPTION]: how far the computing guest gets, in rounds.
beside() {
	rm -f /tmp/worst
	./guestrun -n 2 $2 -t 120 worst.bin "$1" 60000 >/tmp/worst 2>&1 &
	i=0
	until grep -qs '^# begins' /tmp/worst; do
		i=$((i + 1))
		[ $i -lt 200 ] || break
		usleep 20000
	done
	echo "# beside $(sed -n 's/^# begins: //p' /tmp/worst)" >&2
	./guestrun -t 120 work.bin $MS >/tmp/work 2>&1
	kill $! 2>/dev/null
	wait $! 2>/dev/null
	sed -n 's/^ok 1 \([0-9]*\) rounds.*/\1/p' /tmp/work
}

fair=$(beside 0)
if [ "${fair:-0}" -ge 100 ]; then
	echo "ok 1 beside one that computes: $fair rounds in $MS ms"
else
	echo "not ok 1 beside one that computes: '$fair' rounds in $MS ms"
	sed 's/^/# /' /tmp/work /tmp/worst
	exit 1
fi
n=1
for kind in $kinds; do
	number "$kind"
	pmu=
	[ "$kind" != counters ] || pmu=-p
	got=$(beside $number $pmu)
	n=$((n + 1))
	percent=$((${got:-0} * 100 / fair))
	if [ $percent -ge 80 ] && grep -q "^# begins: $kind\$" /tmp/worst; then
		echo "ok $n $kind: $percent %"
	else
		echo "not ok $n $kind: $percent %"
		sed 's/^/# /' /tmp/work /tmp/worst
	fi
done
