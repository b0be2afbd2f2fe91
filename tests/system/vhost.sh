# SPDX-License-Identifier: GPL-2.0-only
# vsock by the host's kernel (vhost=on), with Linux in the guest: connections from both sides, with
# megabytes in both directions at once, on both buses; a snapshot with a connection open. Wrong input.
. ./common.sh
sock=$work/sock snap=$work/snap
initrd=initrd.vsock
ctl() { armvmm-ctl "$sock" "$@"; }
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
dd if=/dev/urandom of="$work/data" bs=64k count=24 2>/dev/null
data_sum=$(sum <"$work/data")

guest_initrd g <<'SCRIPT'
dmesg -n 1
dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
say "sum guest-sends $(sum </tmp/data)"
holds 'it has its address' sh -c '[ "$(vsocat cid)" = 42 ]'
vsocat listen 5000 </tmp/data >/tmp/got 2>/tmp/ready &
while ! grep -q ready /tmp/ready; do usleep 10000; done
say listening
wait $!
say "sum host-sent $(sum </tmp/got)"
vsocat connect 2 700 </tmp/data >/tmp/got
say "answer $? $(sum </tmp/got)"
vsocat connect 2 701 </dev/null 2>/tmp/err
say "refused $?"
# A connection that stays open, as its input has no end.
mkfifo /tmp/hold
: >/tmp/open
(vsocat connect 2 702 <>/tmp/hold >/tmp/open; say "ended $?") &
while [ "$(wc -c </tmp/open)" -lt 1572864 ]; do usleep 50000; done
say "open $(sum </tmp/open)"
read -r _
vsocat connect 2 703 </tmp/data >/tmp/got
say "again $? $(sum </tmp/got)"
holds 'nothing was wrong' sh -c '! dmesg | grep -iE "nobody cared|call trace|vsock.*(error|fail)"'
say end
read -r _
SCRIPT

start() {
	linux_start g --memory 128M --control "unix:$sock" --vsock "cid=42,vhost=on,bus=$bus" "$@"
}
# listen PORT [FILE]: a program of the host that listens for the guest; its process is $listener.
listen() {
	rm -f "$work/ready$1"
	./vsocat listen "$1" <"${2:-$work/data}" >"$work/got$1" 2>"$work/ready$1" &
	listener=$!
	guests="$guests $listener"
	wait_text 10 "$work/ready$1" ready
}
# One that sends as much, and does not come to an end.
listen_open() {
	rm -f "$work/open"
	mkfifo "$work/open"
	{ cat "$work/data" && sleep 10000; } >"$work/open" &
	guests="$guests $!"
	listen "$1" "$work/open"
}
fetch() {
	scaled 60
	timeout $_seconds ./vsocat connect 42 5000 <"$work/data" >"$work/got"
}
refuses() {
	scaled 60
	timeout $_seconds ./vsocat connect 42 "$1" </dev/null
	[ $? = 2 ]
}
# gets PORT PID: the program there has written all that the guest sent.
gets() {
	wait_end 60 "$2"
	same "$(sum <"$work/got$1")" "$sends"
}
# Until Linux 6.4 the kernel's thread is named after the process; then it is one of its threads.
has_worker() { cat /proc/[0-9]*/comm /proc/"$pid"/task/*/comm | grep -x "vhost-$pid"; }
confined() {
	grep -H Seccomp: /proc/"$pid"/status
	grep -q 'Seccomp:.2' /proc/"$pid"/status
}
try() {
	bus=$1
	listen 700
	listener700=$listener
	listen_open 702
	start
	check "$bus: a guest starts" guest_expect g 120 '@@ listening'
	check "$bus: the kernel has a thread for it" has_worker
	check "$bus: it is confined" confined
	sends=$(guest_sum g guest-sends)
	check "$bus: the host connects to it" fetch
	check "$bus: ... and gets what it sends" same "$(sum <"$work/got")" "$sends"
	check "$bus: the guest gets all that the host sends" guest_expect g 60 "@@ sum host-sent $data_sum"
	check "$bus: a port where nobody listens refuses" refuses 5001
	check "$bus: the guest connects to the host" guest_expect g 60 "@@ answer 0 $data_sum"
	check "$bus: ... which gets what it sends" gets 700 $listener700
	check "$bus: a port of the host where nobody listens refuses it" guest_expect g 60 '@@ refused 2'
	check "$bus: a connection stays open" guest_expect g 60 "@@ open $data_sum"
}
again() {
	listen 703
	guest_type g '\n'
	check "$bus: $1" guest_expect g 60 "@@ again 0 $data_sum"
	check "$bus: ... which gets what it sends" gets 703 $listener
	check "$bus: it came to its end" guest_expect g 60 '@@ end'
	guest_type g '\n'
	guest_end g 60
	check "$bus: it powers off: status 0" same "$status" 0
}
logs() {
	if [ $failed = 0 ]; then
		return
	fi
	sed 's/^/# guest: /' "$work/g.out" | tr -d '\r' | tail -n 40
	cat "$work/g.err"
}

try mmio
check 'mmio: another guest of that number is refused' wrong 1 'the number 42 is taken on this host' cid=42,vhost=on
# What is under way stays when the guest stands still for a while.
pauses() { ctl stop && sleep 1 && ctl cont; }
check 'mmio: it stops and goes on' pauses
again 'it connects to the host after that'
guest_cases g
logs

try pcie
cat "$work/g.out" >"$work/before"
check 'pcie: it cannot be sent while it runs' status_of 3 'keeps no log' armvmm-ctl "$sock" migrate "exec:cat >$work/sent"
check 'pcie: nor saved with a log' status_of 3 'only whole snapshots' armvmm-ctl "$sock" snapshot --track "$snap"
leave() { ctl stop && ctl snapshot "$snap" && ctl quit && guest_end g 60; }
check 'pcie: it is saved with a connection open' leave
start --restore "$snap"
wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = paused ]"
check 'pcie: it goes on' ctl cont
check 'pcie: the connection is reset' guest_expect g 60 '@@ ended 3'
again 'it connects to the host again'
cat "$work/before" "$work/g.out" >"$work/all"
mv "$work/all" "$work/g.out"
guest_cases g
logs

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
