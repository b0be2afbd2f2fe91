# SPDX-License-Identifier: GPL-2.0-only
# A Linux guest with vsock, number 42, that speaks to its host, and is saved with a connection open:
# for the tests of both ways that its packets take. Sourced, after common.sh.
sock=$work/sock snap=$work/snap
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

# start ARG...: the guest is on $bus; $vsock is its device.
start() {
	linux_start g --memory 128M --control "unix:$sock" --vsock "cid=42,$vsock,bus=$bus" "$@"
}
# listens PORT FILE COMMAND...: the program listens for the guest, sends it FILE, and has what it gets
# in $work/gotPORT.
listens() {
	_port=$1 _file=$2
	shift 2
	rm -f "$work/ready$_port"
	./vsocat "$@" <"$_file" >"$work/got$_port" 2>"$work/ready$_port" &
	guests="$guests $!"
	wait_text 10 "$work/ready$_port" ready
}
# One that sends as much, and does not come to an end.
listen_open() {
	rm -f "$work/open"
	mkfifo "$work/open"
	{ cat "$work/data" && sleep 10000; } >"$work/open" &
	guests="$guests $!"
	listen "$1" "$work/open"
}
# connects PORT: a program of the host connects to the guest ($connect is how), and sends it its input.
connects() {
	scaled 60
	timeout $_seconds ./vsocat $connect "$1"
}
fetch() { connects 5000 <"$work/data" >"$work/got"; }
refuses() {
	connects "$1" </dev/null
	[ $? = 2 ]
}
# gets PORT: the program there writes all that the guest sends, perhaps later than that comes to its end.
got() { same "$(sum <"$work/got$1")" "$sends"; }
gets() { wait_for 20 got "$1" || got "$1"; }

# The guest has started, and says all that it has to.
speaks() {
	sends=$(guest_sum g guest-sends)
	check "$bus: the host connects to it" fetch
	check "$bus: ... and gets what it sends" same "$(sum <"$work/got")" "$sends"
	check "$bus: the guest gets all that the host sends" guest_expect g 60 "@@ sum host-sent $data_sum"
	check "$bus: a port where nobody listens refuses" refuses 5001
	check "$bus: the guest connects to the host" guest_expect g 60 "@@ answer 0 $data_sum"
	check "$bus: ... which gets what it sends" gets 700
	check "$bus: a port of the host where nobody listens refuses it" guest_expect g 60 '@@ refused 2'
	check "$bus: a connection stays open" guest_expect g 60 "@@ open $data_sum"
}
# again HOW: it connects once more, and powers off.
again() {
	listen 703
	guest_type g '\n'
	check "$bus: $1" guest_expect g 60 "@@ again 0 $data_sum"
	check "$bus: ... which gets what it sends" gets 703
	check "$bus: it came to its end" guest_expect g 60 '@@ end'
	guest_type g '\n'
	guest_end g 60
	check "$bus: it powers off: status 0" same "$status" 0
}
# It is saved, and goes on in another process.
leave() { ctl stop && ctl snapshot "$snap" && ctl quit && guest_end g 60; }
comes_back() {
	cat "$work/g.out" >"$work/before"
	check "$bus: it is saved with a connection open" leave
	start --restore "$snap"
	wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = paused ]"
	check "$bus: it goes on" ctl cont
	check "$bus: the connection is reset" guest_expect g 60 '@@ ended 3'
	again 'it connects to the host again'
	guest_all g "$work/before"
}
