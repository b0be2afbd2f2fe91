# SPDX-License-Identifier: GPL-2.0-only
# vsock, with Linux in the guest and Unix sockets on its host: connections from both sides, with
# megabytes in both directions at once, on both buses; refusals; a snapshot. Wrong input.
. ./common.sh
sock=$work/sock snap=$work/snap v=$work/v
initrd=initrd.vsock
ctl() { armvmm-ctl "$sock" "$@"; }
dd if=/dev/urandom of="$work/data" bs=64k count=24 2>/dev/null
data_sum=$(sum <"$work/data")

guest_initrd g <<'SCRIPT'
dmesg -n 1
dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
say "sum guest-sends $(sum </tmp/data)"
holds 'it has its address' sh -c '[ "$(vsocat cid)" = 42 ]'
# The host connects.
vsocat listen 5000 </tmp/data >/tmp/got 2>/tmp/ready &
while ! grep -q ready /tmp/ready; do usleep 10000; done
say listening
wait $!
say "sum host-sent $(sum </tmp/got)"
# It connects to the host, while another connection is open.
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
holds 'it has its address, still' sh -c '[ "$(vsocat cid)" = 42 ]'
holds 'nothing was wrong' sh -c '! dmesg | grep -iE "nobody cared|call trace|vsock.*(error|fail)"'
say end
read -r _
SCRIPT

start() {
	linux_start g --memory 128M --control "unix:$sock" --vsock "cid=42,unix:$v,bus=$bus" "$@"
}

# listen PORT: a program of the host that listens for the guest.
listen() {
	./vsocat unix-listen "$v"_"$1" <"${2:-$work/data}" >"$work/got$1" 2>"$work/ready$1" &
	guests="$guests $!"
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
	timeout $_seconds ./vsocat via "$v" 5000 <"$work/data" >"$work/got"
}
refuses() {
	scaled 60
	timeout $_seconds ./vsocat via "$v" "$1" </dev/null
	[ $? = 2 ]
}
try() {
	bus=$1
	rm -f "$v"_*
	listen 700
	listen_open 702
	start
	check "$bus: a guest starts" guest_expect g 120 '@@ listening'
	sends=$(guest_sum g guest-sends)
	check "$bus: the host connects to it" fetch
	check "$bus: ... and gets what it sends" same "$(sum <"$work/got")" "$sends"
	check "$bus: the guest gets all that the host sends" guest_expect g 60 "@@ sum host-sent $data_sum"
	check "$bus: a port where nobody listens refuses" refuses 5001
	check "$bus: the guest connects to the host" guest_expect g 60 "@@ answer 0 $data_sum"
	check "$bus: ... which gets what it sends" gets 700
	check "$bus: a socket that is not there refuses the guest" guest_expect g 60 '@@ refused 2'
	check "$bus: a connection stays open" guest_expect g 60 "@@ open $data_sum"
}
# gets PORT: the program there writes all that the guest sends, perhaps later than that comes to its end.
got() { same "$(sum <"$work/got$1")" "$sends"; }
gets() { wait_for 20 got "$1" || got "$1"; }

try mmio
rm -f "$v"_703
listen 703
guest_type g '\n'
check 'mmio: it connects while another connection is open' guest_expect g 60 "@@ again 0 $data_sum"
check 'mmio: it came to its end' guest_expect g 60 '@@ end'
guest_type g '\n'
guest_end g 60
check 'mmio: it powers off: status 0' same "$status" 0
guest_cases g
gone() { ! [ -e "$v" ]; }
check 'mmio: the socket has gone with it' wait_for 20 gone
[ $failed = 0 ] || sed 's/^/# guest: /' "$work/g.out" | tr -d '\r' | tail -n 40

try pcie
cat "$work/g.out" >"$work/before"
leave() { ctl stop && ctl snapshot "$snap" && ctl quit && guest_end g 60; }
check 'pcie: it is saved with a connection open' leave
rm -f "$v"_703
listen 703
start --restore "$snap"
wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = paused ]"
check 'pcie: it goes on' ctl cont
check 'pcie: the connection is reset' guest_expect g 60 '@@ ended 3'
guest_type g '\n'
check 'pcie: it connects to the host again' guest_expect g 60 "@@ again 0 $data_sum"
check 'pcie: ... which gets what it sends' gets 703
check 'pcie: it came to its end' guest_expect g 60 '@@ end'
guest_type g '\n'
guest_end g 60
check 'pcie: it powers off: status 0' same "$status" 0
guest_all g "$work/before"

# Wrong input.
wrong() { status_of "$1" "$2" armvmm-run --kernel monitor --vsock "$3"; }
check 'the host has no guest number 2' wrong 2 'cid must be 3 to 4294967294' "cid=2,unix:$v"
check 'a guest needs a number' wrong 2 'needs cid=N' "unix:$v"
check 'its host needs a socket' wrong 2 'needs unix:PATH' cid=3
check 'a word that it does not know is refused' wrong 2 'unknown word "vhots=on"' "cid=3,unix:$v,vhots=on"
check 'a folder that is not there is named' wrong 1 '/nowhere: No such file' 'cid=3,unix:/nowhere/v'
echo >"$work/file"
check 'a file is not overwritten' wrong 1 'is no socket' "cid=3,unix:$work/file"
guest_start m --kernel monitor --vsock "cid=3,unix:$v"
check 'a guest without a driver' guest_expect m 60 ready
check 'refuses' refuses 5000
check 'a path in use is refused' wrong 1 'is in use by a running process' "cid=3,unix:$v"
guest_type m p
guest_end m 20
check 'it powers off: status 0' same "$status" 0
finish
