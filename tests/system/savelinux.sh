# SPDX-License-Identifier: GPL-2.0-only
# savelinux.sh [save|migrate [ROUNDS]]: a stock kernel on two CPUs, which writes to its disk, reads it back,
# and looks at its clock, is saved at random moments, with requests in hand, and goes on in a new process
# each time. Or it moves from process to process while it runs, and keeps a connection that it has had since
# its start.
. ./common.sh
. ./busylinux.sh
cd "$dir" || exit 1
sock=$work/sock
snap=$work/snap
in=$work/in
how=${1:-save} rounds=${2:-5}
# The process that has the guest.
g=g
truncate -s 16M "$work/disk"
ctl() { armvmm-ctl "$sock" "$@"; }

# start ARG...: the machine. Its disk is slow, so that requests are always in hand.
start() {
	linux_start $g --cpus 2 --memory 96M --disk "$work/disk,bps=2M" --control "unix:$sock" "$@"
}
# A bridge with taps for two processes, which need one each while the guest moves, and a program that sends
# back what it gets.
net_start() {
	modprobe -q -a tun bridge
	brctl addbr br0 || return 1
	for _tap in tap0 tap1; do
		tunctl -t $_tap && brctl addif br0 $_tap && ip link set $_tap up || return 1
	done
	ip addr add 192.168.77.1/24 dev br0 && ip link set br0 up || return 1
	nc -l -p 7000 -e cat &
	guests="$guests $!"
}
card=
[ "$how" = save ] || {
	check 'a network' net_start
	keys="$keys net" card=--net=tap=tap0,mac=52:54:00:77:00:02
}
start $card
check 'the guest boots' guest_expect $g 120 '@@ busy'
for key in $keys; do
	check "it is busy: $key" guest_expect $g 120 "@@ $key "
done
# stuck KEY NUMBER: a guest that does nothing has come back by a restore once. Says where it and its
# process stand, and what brings it back, in at most 60 lines.
stuck() {
	echo "stuck: $(ctl status), $1 was $2, is $(last "$1")"
	guest_stands $g
	guest_type $g '\n'
	! wait_for 10 more "$1" "$2" || echo "it goes on after a line on its terminal"
	ctl stop
	ctl cont
	! wait_for 10 more "$1" "$2" || echo "it goes on after stop and cont"
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
	on_disk "$work/disk" 4 || return 1
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
	start "${card%tap?,*}tap$(($1 % 2)),${card#*,}" --incoming "unix:$in"
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
check 'nothing was wrong' nothing_wrong
check 'it saw no lockup' grep -qa '@@ lockups 0' "$work/g.all"
check 'the disk has what it wrote' on_disk "$work/disk" 63
cat "$work/$g.err"
finish
