# SPDX-License-Identifier: GPL-2.0-only
# vsock by the host's kernel (vhost=on), with Linux in the guest: connections from both sides, with
# megabytes in both directions at once, on both buses; a snapshot with a connection open. Wrong input.
. ./common.sh
. ./vsockguest.sh
vsock=vhost=on connect='connect 42'
wrong() { status_of "$1" "$2" armvmm-run --kernel monitor --vsock "$3"; }

if ! [ -e /dev/vhost-vsock ]; then
	check 'a host without the module names it' wrong 1 \
		'/dev/vhost-vsock: No such file or directory: is the module loaded (modprobe vhost_vsock)?' \
		cid=42,vhost=on
fi
modprobe -q vhost_vsock
[ -e /dev/vhost-vsock ] || {
	skip 'vsock by the kernel' 'this host has no vhost_vsock'
	finish
}
# listen PORT [FILE]: a program of the host that listens for the guest.
listen() { listens "$1" "${2:-$work/data}" listen "$1"; }
# Until Linux 6.4 the kernel's thread is named after the process; then it is one of its threads.
has_worker() { cat /proc/[0-9]*/comm /proc/"$pid"/task/*/comm | grep -x "vhost-$pid"; }
confined() {
	grep -H Seccomp: /proc/"$pid"/status
	grep -q 'Seccomp:.2' /proc/"$pid"/status
}
try() {
	bus=$1
	listen 700
	listen_open 702
	start
	check "$bus: a guest starts" guest_expect g 120 '@@ listening'
	check "$bus: the kernel has a thread for it" has_worker
	check "$bus: it is confined" confined
	speaks
}
try mmio
check 'mmio: another guest of that number is refused' wrong 1 'the number 42 is taken on this host' cid=42,vhost=on
# What is under way stays when the guest stands still for a while.
pauses() { ctl stop && sleep 1 && ctl cont; }
check 'mmio: it stops and goes on' pauses
again 'it connects to the host after that'
guest_cases g
[ $failed = 0 ] || sed 's/^/# guest: /' "$work/g.out" | tr -d '\r' | tail -n 40

try pcie
check 'pcie: it cannot be sent while it runs' status_of 3 'keeps no log' armvmm-ctl "$sock" migrate "exec:cat >$work/sent"
check 'pcie: nor saved with a log' status_of 3 'only whole snapshots' armvmm-ctl "$sock" snapshot --track "$snap"
comes_back

# Until Linux 6.4 nobody could end a process whose page does not come.
case $(uname -r) in
[1-5].* | 6.[0-3].*)
	lazy() { status_of 1 "$1" armvmm-run --kernel monitor --vsock cid=42,vhost=on --restore "$snap" --lazy-restore; }
	check 'an old kernel: not with --lazy-restore' lazy 'lazy-restore: not with vhost=on here: until Linux 6.4'
	;;
esac
check 'vhost is on or off' wrong 2 'vhost must be on or off' cid=42,vhost=yes
check 'it is the kernel, or a socket' wrong 2 'with vhost=on there is no unix:PATH' "cid=42,vhost=on,unix:$work/v"
finish
