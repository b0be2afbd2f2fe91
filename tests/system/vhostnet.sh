# SPDX-License-Identifier: GPL-2.0-only
# A tap whose frames the host's kernel carries (vhost=on), with Linux in the guest, on both buses:
# megabytes in both directions; a stop; a snapshot and its return; the tap is deleted. Wrong input.
. ./common.sh
. ./netguest.sh
wrong() { status_of "$1" "$2" armvmm-run --kernel monitor --net "$3"; }

if ! [ -e /dev/vhost-net ]; then
	check 'a host without the module names it' wrong 1 \
		'/dev/vhost-net: No such file or directory: is the module loaded (modprobe vhost_net)?' \
		tap=tap9,vhost=on
fi
modprobe -q vhost_net
[ -e /dev/vhost-net ] || {
	skip 'a tap by the kernel' 'this host has no vhost_net'
	finish
}
tunctl -t tap0 >/dev/null
ip addr add 192.168.77.1/24 dev tap0
ip link set tap0 up

guest_initrd g net <<'SCRIPT'
dmesg -n 1
modprobe -q virtio_pci
ip link set eth0 up
ip addr add 192.168.77.2/24 dev eth0
net_test 192.168.77.1 8080
read -r _
is_down() { [ "$(cat /sys/class/net/eth0/carrier)" = 0 ]; }
net_test 192.168.77.1 8080
holds 'nothing was wrong' sh -c '! dmesg | grep -iE "nobody cared|call trace|eth0.*(error|timed out)"'
say end
read -r _word
if [ "$_word" = out ]; then
	i=0
	while ! is_down && [ $i -lt 400 ]; do
		usleep 50000
		i=$((i + 1))
	done
	holds 'the link goes down' is_down
	say down
	read -r _
	cd /sys/bus/virtio/drivers/virtio_net
	card=$(ls -d virtio*)
	echo "$card" >unbind
	echo "$card" >bind
	ip link set eth0 up
	sleep 1
	holds 'a new start of its driver finds it down' is_down
	# VIRTIO_CONFIG_S_NEEDS_RESET is 0x40, and the driver that runs has 0xf at least.
	holds 'and the card needs no reset' sh -c "grep -q '0x0000000f' /sys/bus/virtio/devices/$card/status"
fi
SCRIPT

start() {
	linux_start g --memory 128M --control "unix:$sock" --net "tap=tap0,vhost=on,bus=$bus" "$@"
}
has_worker() { cat /proc/[0-9]*/comm /proc/"$pid"/task/*/comm | grep -x "vhost-$pid"; }
gone() { ip link del tap0; }
told() { grep -q "$1" "$work/g.err"; }
# The tap is deleted, and the guest is stopped and goes on.
taken_out() {
	guest_type g 'out\n'
	check "$bus: its tap is deleted" gone
	check "$bus: the guest sees its link down" guest_expect g 60 '@@ down'
	check "$bus: its user is told" told 'tap tap0: the interface is gone'
	check "$bus: it stops and goes on" pauses
}
pauses() { ctl stop && sleep 1 && ctl cont; }
again() {
	cat "$work/g.out" >>"$work/before"
	: >"$work/g.out"
	guest_type g '\n'
	carries "$1"
	check "$bus: it came to its end" guest_expect g 60 '@@ end'
	[ $# = 1 ] || "$2"
	guest_type g '\n'
	guest_end g 60
	# A stop leaves the queues where they are: the tap is looked at when the driver starts anew.
	[ $# = 1 ] || check "$bus: the kernel refuses the tap" \
		told 'the host.s kernel refuses its tap, and its link is down'
	check "$bus: it powers off: status 0" same "$status" 0
	cat "$work/before" "$work/g.out" >"$work/all"
	mv "$work/all" "$work/g.out"
	guest_cases g
	[ $failed = 0 ] || {
		sed 's/^/# guest: /' "$work/g.out" | tr -d '\r' | tail -n 40
		cat "$work/g.err"
	}
}

bus=mmio
: >"$work/before"
start
carries 'at first'
check 'mmio: the kernel has a thread for it' has_worker
check 'mmio: it stops and goes on' pauses
again 'after a stop'

bus=pcie
: >"$work/before"
start
carries 'at first'
check 'pcie: it cannot be sent while it runs' status_of 3 'keeps no log' armvmm-ctl "$sock" migrate "exec:cat >$work/sent"
leave() { ctl stop && ctl snapshot "$snap" && ctl quit && guest_end g 60; }
check 'pcie: it is saved' leave
cat "$work/g.out" >"$work/before"
start --restore "$snap"
wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = paused ]"
check 'pcie: it goes on' ctl cont
again 'after a return' taken_out

check 'vhost is on or off' wrong 2 'vhost must be on or off' tap=tap0,vhost=yes
check 'the kernel has no rates' wrong 2 'with vhost=on there are no rates' tap=tap0,vhost=on,bps=1M
check 'libslirp has no vhost' wrong 2 'unknown word "vhost=on"' user,vhost=on
finish
