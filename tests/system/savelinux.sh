# SPDX-License-Identifier: GPL-2.0-only
# A stock kernel on two CPUs, which writes to its disk, reads it back, and looks at its clock, is saved
# at random moments, with requests in hand, and goes on in a new process each time. With the argument
# "migrate" it moves from process to process while it runs.
. ./common.sh
. ./busylinux.sh
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

# start ARG...: the machine. Its disk is slow, so that requests are always in hand.
start() {
	linux_start $g --cpus 2 --memory 96M --disk "$work/disk,bps=2M" --control "unix:$sock" "$@"
}
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
	remember
	start --restore "$snap"
	wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = paused ]" || return 1
	# However long it lay there.
	sleep "$1"
	ctl cont || return 1
	further
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
	remember
	further
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
	remember
	further
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
