# SPDX-License-Identifier: GPL-2.0-only
# What the serial port and virtio consoles are joined to: sockets, a pseudo-terminal, files. Readers
# come and go, and read nothing; a Linux guest has several ports, one for its programs, and is saved
# with them. Wrong input.
. ./common.sh
sock=$work/sock snap=$work/snap
ctl() { armvmm-ctl "$sock" "$@"; }

# joined NAME ID: armvmm-ctl at the console ID; what it gets is in $work/NAME.out, and its input can be
# written with guest_type.
joined() {
	# The program itself, which is killed later: a function would be a process of its own.
	rm -f "$work/$1.in"
	mkfifo "$work/$1.in"
	: >"$work/$1.out"
	armvmm-ctl "$sock" console "$2" <"$work/$1.in" >"$work/$1.out" 2>"$work/$1.err" &
	eval "join_$1=$!"
	guests="$guests $!"
	sleep 10000 >"$work/$1.in" &
	eval "hold_$1=$!"
	guests="$guests $!"
}
# typed NAME TEXT: at a console that somebody has left, nothing can be typed, and nobody waits.
typed() { eval "kill -0 \$join_$1" && guest_type "$@"; }
left() {
	eval "kill \$join_$1 \$hold_$1; wait \$join_$1"
}
switches() { awk '/voluntary_ctxt/ { n += $2 } END { print n }' /proc/"$1"/status; }

# A bare guest, whose serial port is a socket.
guest_start m --kernel monitor --serial "unix:$work/s" --control "unix:$sock"
check 'a guest whose serial port is a socket starts' wait_for 20 test -S "$work/s"
wait_for 20 test -S "$sock"
joined a serial
check 'what it printed before somebody came is not lost' guest_expect a 60 ready
typed a e
check 'what is typed is for the guest' guest_expect a 20 echo
second() { ctl console serial </dev/null >"$work/second" && grep 'somebody else has this console' "$work/second"; }
check 'a second person is told of the first' second
check 'its consoles are told' sh -c "armvmm-ctl '$sock' consoles | tee '$work/list' | grep -x 'serial	unix:$work/s,server=on'"
check 'a console that there is not is named' status_of 3 'x: there is no such console' armvmm-ctl "$sock" console x
left a
joined b serial
typed b z
check 'who comes next goes on' guest_expect b 20 '<0000007a>'
typed b q
check 'this terminal was left alone' sh -c "! [ -s '$work/m.out' ]"
left b
check 'a person leaves by Ctrl-]' ./ptydrive armvmm-ctl "$sock" console serial <<'STEPS'
	expect Ctrl-] leaves
	raw
	send e
	expect echo
	send \x03
	expect <00000003>
	send q
	send \x1d
	exit 0
	cooked
STEPS
joined c serial
typed c p
guest_end m 20
check 'it powers off: status 0' same "$status" 0
check 'the socket goes with it' wait_for 20 sh -c "! [ -e '$work/s' ]"
left c

# Linux, with four ports.
dd if=/dev/urandom of="$work/data" bs=64k count=24 2>/dev/null
data_sum=$(sum <"$work/data")
guest_initrd g <<'SCRIPT'
dmesg -n 1
dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null
say "sum guest-sends $(sum </tmp/data)"
lines() { awk "BEGIN { for (i = $1; i <= $2; i++) print i }"; }
# All is written from files: awk would write line by line, and each write makes the guest leave.
for i in 100 2000 3000; do lines 1 $i >/tmp/to$i; done
holds 'there are three consoles' sh -c 'ls /dev/hvc0 /dev/hvc1 /dev/hvc2'
port=$(grep -lx org.test.data /sys/class/virtio-ports/*/name)
holds 'and a port of that name' [ -n "$port" ]
port=/dev/$(basename "${port%/name}")
exec 6<>/dev/hvc0 7<>/dev/hvc1 8<>/dev/hvc2
for fd in 6 7 8; do stty raw -echo <&$fd; done
cat /tmp/to2000 >&6
cat /tmp/to100 >&7
cat /tmp/to3000 >&8
say written
head -n 1 <&6 >/tmp/line
say "typed $(cat /tmp/line)"
say "size $(stty size <&6)"
head -n 1 <&7 >/tmp/line
say "terminal $(cat /tmp/line)"
# 1,280,592 bytes, and how many seconds that takes.
twelve() { cat $1 $1 $1 $1 $1 $1 $1 $1 $1 $1 $1 $1; }
twelve /tmp/to2000 >/tmp/dozen
twelve /tmp/dozen >/tmp/much
writes() {
	read -r begun _ </proc/uptime
	cat /tmp/much >&6
	read -r ended _ </proc/uptime
	say "$1 took $(awk "BEGIN { print int($ended - $begun) }")"
}
read -r _
writes nobody
read -r _
writes idler
# The port for programs: both directions at once. While nobody is at its other end, reads end at once.
takes() {
	: >/tmp/got
	while _have=$(wc -c </tmp/got) && [ "$_have" -lt 1572864 ]; do
		head -c $((1572864 - _have)) <&5 >>/tmp/got
		usleep 20000
	done
}
exec 5<>"$port"
(cat /tmp/data >&5; say sent) &
say waiting
takes
say "sum host-sent $(sum </tmp/got)"
read -r _
say saved
lines 1 10 >&6
takes
say "sum again $(sum </tmp/got)"
holds 'nothing was wrong' sh -c '! dmesg | grep -iE "nobody cared|call trace|virtio.*(error|fail)"'
say end
read -r _
SCRIPT
# Its ports, on the bus $1.
ports() {
	echo "--console unix:$work/c,bus=$1 --console unix:$work/d,name=org.test.data"
	echo "--console pty,link=$work/pty --console file:$work/f"
}
check 'Linux starts' true
linux_start g --memory 128M --control "unix:$sock" $(ports mmio)
check '... with four ports' guest_expect g 120 '@@ written'
check 'the terminal has a name' sh -c "[ -c \$(readlink '$work/pty') ]"
lines() { awk "BEGIN { for (i = $1; i <= $2; i++) print i }"; }
lines 1 3000 >"$work/want"
check 'a file has all that was printed' wait_for 20 cmp "$work/f" "$work/want"
joined c console0
lines 1 2000 >"$work/want"
check 'who comes to a console gets what was printed before' wait_for 20 cmp "$work/c.out" "$work/want"
check 'a window has a size' ctl qmp '{"execute":"chardev-resize","arguments":{"id":"console0","cols":101,"rows":37}}'
usleep 500000
typed c 'hello\n'
check 'what is typed there reaches it' guest_expect g 20 '@@ typed hello'
check 'it knows the size of the window' guest_expect g 20 '@@ size 37 101'
cat "$work/pty" >"$work/tty" &
reader=$!
guests="$guests $reader"
lines 1 100 >"$work/want"
check 'what was printed waits at the terminal' wait_for 20 cmp "$work/tty" "$work/want"
echo there >"$work/pty"
check 'and what is typed there is for the guest' guest_expect g 20 '@@ terminal there'
kill $reader
left c

# Nobody is there, and 1,280,592 bytes come.
twelve() { cat $1 $1 $1 $1 $1 $1 $1 $1 $1 $1 $1 $1; }
lines 1 2000 >"$work/lines"
twelve "$work/lines" >"$work/dozen"
twelve "$work/dozen" >"$work/much"
took() { tr -d '\r' <"$work/g.out" | sed -n "s/^@@ $1 took //p"; }
guest_type g '\n'
check 'a guest that prints to nobody goes on' guest_expect g 120 '@@ nobody took'
joined c console0
check 'who comes is told what is lost' guest_expect c 20 'bytes were lost]'
lost=$(sed -n 's/^\[armvmm-run: \([0-9]*\) bytes were lost\]\r$/\1/p' "$work/c.out")
tail -c +$((${lost:-0} + 1)) "$work/much" >"$work/want"
kept() { sed '1,/bytes were lost/d' "$work/c.out" | cmp - "$work/want"; }
check 'and gets the rest' wait_for 20 kept
check 'which is 64 KiB' sh -c "[ $(wc -c <"$work/want") -ge 65536 ]"
left c
# Somebody is there, and reads nothing.
joined i console0
# The socket that listens, and the one of the connection.
is_there() { [ "$(grep -c " $work/c\$" /proc/net/unix)" = 2 ]; }
check 'another reader comes' wait_for 20 is_there
eval "kill -STOP \$join_i"
guest_type g '\n'
check 'a guest that prints to one who reads nothing goes on, too' guest_expect g 120 '@@ idler took'
# It waits for 0.1 s once. If each KiB had to wait for that, it would be 128 s.
check 'and waits no longer than that' sh -c \
	"echo nobody: $(took nobody) s, idler: $(took idler) s; [ $(took idler) -le $(($(took nobody) + 20)) ]"
# When it reads again, it gets what came first, how much it has missed, and what came last.
missed() {
	_lost=$(sed -n 's/^\[armvmm-run: \([0-9]*\) bytes were lost\]\r$/\1/p' "$work/i.out")
	printf '\r\n[armvmm-run: %s bytes were lost]\r\n' "$_lost" >"$work/notice"
	_first=$(($(sed '/bytes were lost/q' "$work/i.out" | wc -c) - $(wc -c <"$work/notice")))
	_last=$(($(wc -c <"$work/much") - _first - ${_lost:-0}))
	echo "$_first bytes, $_lost lost, $_last bytes"
	{
		head -c $_first "$work/much"
		cat "$work/notice"
		tail -c $_last "$work/much"
	} | cmp - "$work/i.out"
}
eval "kill -CONT \$join_i"
check 'it is told what it has missed' wait_for 60 missed
left i
check 'a program waits for its reader' guest_expect g 60 '@@ waiting'
sleep 1
eval "_p=\$pid_g"
before=$(switches "$_p")
sleep 3
after=$(switches "$_p")
check 'and nobody is busy meanwhile' sh -c "echo $before $after; [ $((after - before)) -lt 40 ]"
check 'nothing was sent yet' sh -c "! grep -q '@@ sent' '$work/g.out'"

# data NAME: the host's program sends all, and gets what the guest sends.
data() {
	armvmm-ctl "$sock" console org.test.data <"$work/data" >"$work/$1" 2>/dev/null &
	program=$!
	guests="$guests $program"
}
data got
check 'then all of it comes' guest_expect g 120 '@@ sum host-sent'
check '... as it was sent' same "$(guest_sum g host-sent)" "$data_sum"
got() { [ "$(wc -c <"$work/got")" = 1048576 ]; }
check 'and all that it sends' wait_for 60 got
check '... as it is' same "$(sum <"$work/got")" "$(guest_sum g guest-sends)"
check 'so its program goes on' guest_expect g 20 '@@ sent'
kill $program
check 'the terminal'"'"'s reader has left no work' kill -0 "$_p"

# It is saved, and goes on elsewhere with the same ports.
check 'it is saved' ctl snapshot "$snap"
check 'it is ended' ctl quit
guest_end g 20
cp "$work/g.out" "$work/before"
lost=$(cat "$work/f" | sum)
check 'with other ports it is refused' status_of 1 'its port 1 was org.test.data, and is org.other' \
	armvmm-run --kernel zImage --initrd "$work/g.initrd" --memory 128M --restore "$snap" \
	--control "unix:$sock" --console null --console null,name=org.other --console null --console null
linux_start g --memory 128M --control "unix:$sock" --restore "$snap" $(ports mmio)
wait_for 20 test -S "$sock"
guest_type g '\n'
check 'it goes on' guest_expect g 60 '@@ saved'
data got
check 'its program has its port still' guest_expect g 120 '@@ sum again'
check '... and all comes' same "$(guest_sum g again)" "$data_sum"
joined c console0
lines 1 10 >"$work/want"
check 'and its console' wait_for 20 cmp "$work/c.out" "$work/want"
check 'it is at its end' guest_expect g 20 '@@ end'
left c
kill $program
guest_type g '\n'
guest_end g 60
check 'it powers off: status 0' same "$status" 0
check 'the link goes with it' wait_for 20 sh -c "! [ -h '$work/pty' ]"
guest_all g "$work/before"

# The same ports on PCI.
initrd=initrd.pci
guest_initrd p <<'SCRIPT'
dmesg -n 1
port=$(grep -lx org.test.data /sys/class/virtio-ports/*/name)
echo over-pci >/dev/hvc2
exec 5<>"/dev/$(basename "${port%/name}")"
# While nobody is there, this reads nothing.
until [ -s /tmp/got ]; do
	head -n 1 <&5 >/tmp/got
	usleep 20000
done
say "got $(cat /tmp/got)"
cat <&5
say left
SCRIPT
linux_start p --memory 128M --control "unix:$sock" $(ports pcie)
check 'on PCI, too' wait_text 120 "$work/f" over-pci
echo bytes >"$work/bytes"
armvmm-ctl "$sock" console org.test.data <"$work/bytes" >/dev/null 2>&1 &
program=$!
check 'a program reads what comes' guest_expect p 60 '@@ got bytes'
kill $program
check 'until its other end leaves' guest_expect p 60 '@@ left'
guest_end p 60
check 'it powers off: status 0' same "$status" 0

# A disk that is full.
mkdir "$work/small"
if mount -t tmpfs -o size=64k none "$work/small" 2>/dev/null; then
	guest_start k --kernel monitor --serial "file:$work/small/f" --control "unix:$sock"
	check 'a guest whose file is on a small disk' wait_for 20 grep -q ready "$work/small/f"
	dd if=/dev/zero of="$work/small/full" bs=4k count=32 2>/dev/null
	check '... which is full' sh -c "! echo x >'$work/small/x' 2>/dev/null"
	check 'can be powered off' ctl quit
	guest_end k 20
	check '... status 4' same "$status" 4
	umount "$work/small"
else
	fail 'a small disk'
fi

# Wrong input.
wrong() { status_of "$1" "$2" armvmm-run --kernel monitor "$3" "$4"; }
check 'a back end that it does not know' wrong 2 'must begin with stdio, null, pty, file:PATH or unix:PATH' --serial tty
check 'a folder that is not there is named' wrong 1 '/nowhere/s: No such file' --serial unix:/nowhere/s
check 'a name with a slash' wrong 2 'without blanks or slashes' --console null,name=a/b
echo >"$work/file"
check 'a file is no socket' wrong 1 'is there already, and is no socket' --serial "unix:$work/file"
check 'a device is no file' wrong 1 '/dev/null is no regular file' --serial file:/dev/null
finish
