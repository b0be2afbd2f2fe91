# SPDX-License-Identifier: GPL-2.0-only
# A stock kernel on two CPUs, which writes to its disk, reads it back, and looks at its clock, is saved
# at random moments, with requests in hand, and goes on in a new process each time. With the argument
# "migrate" it moves from process to process while it runs.
. ./common.sh
cd "$dir" || exit 1
sock=$work/sock
snap=$work/snap
in=$work/in
rounds=5
how=${1:-save}
# The process that has the guest.
g=g
truncate -s 16M "$work/disk"
ctl() { armvmm-ctl "$sock" "$@"; }

guest_initrd g disk <<'SCRIPT'
dmesg -n 1
wait_disk /dev/vda
# Each second of work in the guest is seen in its uptime: a jump of it is a jump of its clock.
watch_clock() {
	last=0 n=0
	while :; do
		read -r now _ </proc/uptime
		now=${now%.*}
		[ "$now" -ge "$last" ] && [ $((now - last)) -le 20 ] || say "not ok clock from $last to $now"
		last=$now n=$((n + 1))
		[ $((n % 20)) != 0 ] || say "tick $n"
		usleep 50000
	done
}
# Writes a block, has the disk keep it, and reads an older one from the disk: what it was is known.
check_disk() {
	n=0
	while :; do
		at=$((n % 64))
		head -c 65536 /dev/urandom >/tmp/block
		dd if=/tmp/block of=/dev/vda bs=64k seek=$at conv=fsync,notrunc 2>/dev/null ||
			say "not ok write $n"
		sum </tmp/block >/tmp/sum.$at
		echo 3 >/proc/sys/vm/drop_caches
		old=$((n * 7 % (at + 1)))
		[ "$(dd if=/dev/vda bs=64k skip=$old count=1 2>/dev/null | sum)" = "$(cat /tmp/sum.$old)" ] ||
			say "not ok read $old in round $n"
		n=$((n + 1))
		[ $((n % 4)) != 0 ] || say "block $n"
	done
}
# Has a file in memory wander through all of its pages.
churn() {
	head -c 2097152 /dev/urandom >/tmp/here
	want=$(cksum </tmp/here)
	while :; do
		cat /tmp/here >/tmp/there
		rm /tmp/here
		mv /tmp/there /tmp/here
		[ "$(cksum </tmp/here)" = "$want" ] || say "not ok memory"
		usleep 100000
	done
}
watch_clock &
pids=$!
check_disk &
pids="$pids $!"
churn &
pids="$pids $!"
say busy
read -r line
kill $pids
say "lockups $(dmesg | grep -ciE 'soft lockup|rcu.*detected|blocked for more|call trace')"
say done
sync
poweroff -f
SCRIPT

# start ARG...: the machine. Its disk is slow, so that requests are always in hand.
start() {
	linux_start $g --cpus 2 --memory 96M --disk "$work/disk,bps=2M" --control "unix:$sock" "$@"
}
# further: what it does goes on: a block and a tick that are later ones.
last() { sed -n "s/^@@ $1 \([0-9]*\).*/\1/p" "$work/g.all" "$work/$g.out" | tail -n 1; }
more() { [ "$(sed -n "s/^@@ $1 \([0-9]*\).*/\1/p" "$work/$g.out" | tail -n 1)" -gt "$2" ]; }
: >"$work/g.all"
start
check 'the guest boots' guest_expect $g 120 '@@ busy'
check 'it is busy' guest_expect $g 120 '@@ block '
# stuck BLOCK TICK: a guest that does nothing has come back by a restore once. Says where it and its
# process stand, and what brings it back, in at most 60 lines.
stuck() {
	echo "stuck: $(ctl status), block and tick were $1 and $2, are $(last block) and $(last tick)"
	guest_stands $g
	guest_type $g '\n'
	! wait_for 10 more block "$1" || echo "it goes on after a line on its terminal"
	ctl stop
	ctl cont
	! wait_for 10 more block "$1" || echo "it goes on after stop and cont"
	return 1
}
moment() {
	usleep $((RANDOM * 60))
	ctl stop || return 1
	ctl snapshot "$snap" || return 1
	ctl quit || return 1
	guest_end $g 60
	cat "$work/$g.out" >>"$work/g.all"
	_block=$(last block) _tick=$(last tick)
	start --restore "$snap"
	wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = paused ]" || return 1
	# However long it lay there.
	sleep "$1"
	ctl cont || return 1
	wait_for 120 more block "$_block" && wait_for 120 more tick "$_tick" || {
		stuck "$_block" "$_tick"
		return
	}
	echo "block $_block, tick $_tick"
	! grep -a '@@ not ok' "$work/g.all" "$work/$g.out"
}
# It moves, and nothing of what it does is lost. Each machine has its own socket, and its own output.
moves() {
	_from=$sock _old=$g
	g=g$1 sock=$work/sock.$1
	ln -f "$work/g.initrd" "$work/$g.initrd"
	start --incoming "unix:$in"
	wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = inmigrate ]" || return 1
	usleep $((RANDOM * 60))
	armvmm-ctl "$_from" migrate "unix:$in" || return 1
	guest_end "$_old" 60
	[ "$status" = 4 ] || return 1
	cat "$work/$_old.out" >>"$work/g.all"
	_block=$(last block) _tick=$(last tick)
	wait_for 120 more block "$_block" && wait_for 120 more tick "$_tick" || {
		stuck "$_block" "$_tick"
		return
	}
	echo "block $_block, tick $_tick"
	! grep -a '@@ not ok' "$work/g.all" "$work/$g.out"
}
for i in $(seq $rounds); do
	case $how in
	migrate) check "moved while it runs, $i" moves "$i" ;;
	*) check "saved and restored, moment $i" moment $((i == 1 ? 25 : 0)) ;;
	esac
done
# It goes on here, too, when it is not stopped before.
going() {
	ctl snapshot "$snap" || return 1
	_block=$(last block)
	wait_for 120 more block "$_block" && ! grep -a '@@ not ok' "$work/g.all" "$work/$g.out"
}
check 'saved without a stop, it goes on' going
guest_type $g 'end\n'
check 'it ends' guest_expect $g 120 '@@ done'
guest_end $g 60
cat "$work/$g.out" >>"$work/g.all"
check 'nothing was wrong' sh -c "! grep -a '@@ not ok' '$work/g.all'"
check 'it saw no lockup' grep -qa '@@ lockups 0' "$work/g.all"
cat "$work/$g.err"
finish
