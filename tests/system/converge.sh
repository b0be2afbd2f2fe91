# SPDX-License-Identifier: GPL-2.0-only
# A guest that writes to its memory faster than the line takes it: without auto-converge it does not move,
# with it, it is slowed down until it does, and then it runs as fast as before.
. ./common.sh
. ./moving.sh
# What the guest writes again and again takes the line seconds, and the guest less than one.
line=6000000
guest_initrd g <<'SCRIPT'
dmesg -n 1
head -c 1048576 /dev/urandom >/tmp/part
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do cat /tmp/part; done >/tmp/from
n=0
while :; do
	dd if=/tmp/from of=/tmp/to bs=1M conv=notrunc 2>/dev/null
	n=$((n + 1))
	[ $((n % 4)) != 0 ] || say "wrote $n"
done &
read -r _
kill $!
wait
holds 'its memory is right' cmp /tmp/from /tmp/to
say end
SCRIPT
machine() {
	_m=$1
	shift
	ln -f "$work/g.initrd" "$work/$_m.initrd"
	linux_start "$_m" --cpus 1 --memory 80M --control "unix:$work/$_m.sock" "$@"
}
wrote() { sed -n 's/^@@ wrote \([0-9]*\).*/\1/p' "$work/$1.out" | tail -n 1; }
# pace NAME: how often the guest writes all of that in 10 s, in $pace.
pace() {
	_from=$(wrote "$1")
	sleep 10
	pace=$(($(wrote "$1") - _from))
	echo "$pace times in 10 s"
	[ $pace -gt 0 ]
}
# told KEY: the number that query-migrate of a told last, and its whole answer in $work/told.
told() {
	state a >"$work/told"
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$work/told"
}

machine a
check 'a guest writes to its memory' guest_expect a 120 '@@ wrote'
check 'its pace' pace a
before=$pace
slowly a $line >/dev/null
check 'a machine waits for it' waits b

# By a QMP client that does not ask for auto-converge.
without() {
	printf '%s\n' '{"execute":"qmp_capabilities"}{"execute":"getfd","arguments":{"fdname":"to"}}' \
		'{"execute":"migrate","arguments":{"uri":"fd:to"}}' | ./talk "$work/a.sock" "$work/b.from"
}
rounds() {
	[ "$(told dirty-sync-count)" -ge "$1" ]
}
check 'it is sent without auto-converge' without
check '... for eight rounds' wait_for 200 rounds 8
stays() {
	cat "$work/told"
	grep -q '"status":"active"' "$work/told" && ! grep -q throttle "$work/told" &&
		[ "$(told expected-downtime)" -gt 600 ]
}
check '... which bring it no nearer' stays
ctl a qmp '{"execute":"migrate_cancel"}' >/dev/null
guest_end b 60
check '... until that is given up' wait_for 60 sh -c "armvmm-ctl '$work/a.sock' qmp '{\"execute\":\"query-migrate\"}' | grep -q cancelled"
check 'it runs here' same "$(ctl a status)" running

# armvmm-ctl asks for it. More at a time than by default, so that it takes fewer rounds.
ctl a qmp '{"execute":"migrate-set-parameters","arguments":{"cpu-throttle-initial":50,"cpu-throttle-increment":24}}' >/dev/null
check 'a machine waits for it' waits b
armvmm-ctl "$work/a.sock" migrate "unix:$work/b.from" >"$work/long" 2>&1 &
long=$!
slowed() { [ "$(told cpu-throttle-percentage)" -ge "$1" ]; }
check 'with auto-converge it is slowed down' wait_for 120 slowed 50
wait_end 200 $long
wait $long
check '... until it moves' same $? 0
sed 's/^/# /' "$work/long"
check '... and is gone here' away a
check 'it goes on there' guest_expect b 60 '@@ wrote'
check '... at its pace' pace b
echo "# before $before times in 10 s, afterwards $pace"
check '... and nobody slows it down there' test $((pace * 2)) -gt "$before"
guest_type b '\n'
check 'it ends' guest_expect b 60 '@@ end'
guest_end b 60
check '... with status 0' same "$status" 0
guest_cases b
finish
