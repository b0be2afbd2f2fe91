# SPDX-License-Identifier: GPL-2.0-only
# A network that another program has (--net stream), with Linux in the guest: megabytes in both
# directions, on both buses; a snapshot and its return to another such program; the program's end.
. ./common.sh
. ./netguest.sh
net=$work/net

# The program at the other end, in $peer; its interface goes with it.
peer_start() {
	rm -f "$net"
	: >"$work/peer.err"
	./streamtap "$net" tap0 2>"$work/peer.err" &
	peer=$!
	guests="$guests $peer"
	wait_text 20 "$work/peer.err" ready || cat "$work/peer.err"
	# A restored guest still has it in its ARP cache.
	ip link set tap0 address 02:00:00:00:77:01
	ip addr add 192.168.77.1/24 dev tap0
	ip link set tap0 up
}

guest_initrd g net <<'SCRIPT'
dmesg -n 1
modprobe -q virtio_pci
ip link set eth0 up
ip addr add 192.168.77.2/24 dev eth0
carrier_is() {
	i=0
	while [ "$(cat /sys/class/net/eth0/carrier)" != "$1" ] && [ $i -lt 100 ]; do
		usleep 50000
		i=$((i + 1))
	done
	[ "$(cat /sys/class/net/eth0/carrier)" = "$1" ]
}
net_test 192.168.77.1 8080
read -r _
net_test 192.168.77.1 8080
holds 'the link is up' carrier_is 1
say linked
read -r _
holds 'the link is down' carrier_is 0
holds 'nothing was wrong' sh -c '! dmesg | grep -iE "nobody cared|call trace|eth0.*(error|timed out)"'
say end
read -r _
SCRIPT

start() {
	linux_start g --memory 128M --control "unix:$sock" \
		--net "stream,addr.type=unix,server=off,addr.path=$net,bus=$bus" "$@"
}
leave() { ctl stop && ctl snapshot "$snap" && ctl quit && guest_end g 60; }
peer_ended() { wait_end 20 "$peer" && wait "$peer"; }

for bus in mmio pcie; do
	peer_start
	start
	carries 'at first'
	check "$bus: it is saved" leave
	# Status 0: the connection did not end within a frame.
	check "$bus: the other program ends with it" peer_ended
	cat "$work/g.out" >"$work/before"
	peer_start
	start --restore "$snap"
	wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = paused ]"
	check "$bus: it goes on" ctl cont
	: >"$work/g.out"
	guest_type g '\n'
	carries 'after a return, with another program'
	check "$bus: it has its link" guest_expect g 60 '@@ linked'
	kill -9 "$peer"
	check "$bus: the program's end is told" \
		wait_text 20 "$work/g.err" "addr.path=$net,bus=$bus: its peer has closed the connection: the guest's cable is pulled"
	guest_type g '\n'
	check "$bus: the guest runs on" guest_expect g 60 '@@ end'
	guest_type g '\n'
	guest_end g 60
	check "$bus: it powers off: status 0" same "$status" 0
	guest_all g "$work/before"
done
finish
