# SPDX-License-Identifier: GPL-2.0-only
# The control socket of armvmm-run, in its sandbox: armvmm-ctl, the guest's time while it is
# stopped, its end and the events about it, disks, and clients that are wrong, deaf or too many.
. ./common.sh
cp monitor "$work/monitor"
sock=$work/sock

# ctl ARG...: calls armvmm-ctl for the guest at $sock.
ctl() { armvmm-ctl "$sock" "$@"; }
# says TEXT ARG...: armvmm-ctl prints TEXT.
says() {
	_text=$1
	shift
	same "$(ctl "$@" 2>&1)" "$_text"
}
# event TEXT: an event with TEXT comes within a while.
event() { wait_text 60 "$work/events" "$1" || { cat "$work/events" && false; }; }
# events_start: collects the events of $sock from now on, in $work/events.
events_start() {
	: >"$work/events"
	ctl events >"$work/events" &
	guests="$guests $!"
	# It listens once it is told of what happens.
	wait_for 60 sh -c "armvmm-ctl $sock stop && armvmm-ctl $sock cont &&
		grep -q RESUME $work/events"
}
# clock NAME: reads the guest's clock, in 1,024 ticks, into $clock.
clock() {
	_nr=$(grep -c clock "$work/$1.out")
	guest_type "$1" c
	wait_for 60 sh -c "[ \$(grep -c 'clock ........' '$work/$1.out') -gt $_nr ]" || return 1
	clock=$((0x$(sed -n 's/^clock \([0-9a-f]*\).*/\1/p' "$work/$1.out" | tail -n 1)))
}

truncate -s 1M "$work/disk"
guest_start a --kernel "$work/monitor" --disk "$work/disk" --cpus 4 --name web \
	--control "unix:$sock"
check 'a guest starts' guest_expect a 60 ready
check 'the socket is for its user alone' same "$(stat -c %a "$sock")" 600
check 'status: running' says running status
check 'name and console' sh -c "armvmm-ctl $sock qmp '{\"execute\":\"query-name\"}' |
	grep -F '{\"return\":{\"name\":\"web\"}}' && armvmm-ctl $sock console | grep ready"
check 'the console is told once' test -z "$(ctl console)"
cpus() {
	ctl cpus | tee "$work/cpus"
	[ "$(wc -l <"$work/cpus")" = 4 ] && while read -r nr _ tid; do
		[ "$(cat "/proc/$pid/task/$tid/comm")" = "vcpu$nr" ] || return 1
	done <"$work/cpus"
}
check 'cpus: the numbers of their threads' cpus

# The guest's time: at most the host's, less the time that the guest was stopped.
stands_still() {
	clock a || return 1
	_begin=$clock
	ctl stop || return 1
	ctl stop || return 1
	[ "$(ctl status)" = paused ] || return 1
	guest_type a c
	uptime_s
	_stopped=$_uptime
	sleep 4
	_lines=$(grep -c clock "$work/a.out")
	ctl cont || return 1
	wait_for 60 sh -c "[ \$(grep -c 'clock ........' '$work/a.out') -gt $_lines ]" || return 1
	clock=$((0x$(sed -n 's/^clock \([0-9a-f]*\).*/\1/p' "$work/a.out" | tail -n 1)))
	# 62.5 MHz.
	echo "while it was stopped for 4 s: $(((clock - _begin) * 1024 / 62500)) ms for the guest"
	[ $(((clock - _begin) * 1024 / 62500)) -lt 3000 ]
}
check 'stop: the guest and its clock stand still, and go on' stands_still
check 'status: running again' says running status

# The same by the terminal's key, as a shell does it, which stops the whole process.
suspends() {
	clock a || return 1
	_begin=$clock
	kill -TSTP "$pid" && wait_for 20 grep -q '^State:.T' "/proc/$pid/status" || return 1
	sleep 4
	kill -CONT "$pid" && clock a || return 1
	echo "while it was stopped for 4 s: $(((clock - _begin) * 1024 / 62500)) ms for the guest"
	[ $(((clock - _begin) * 1024 / 62500)) -lt 3000 ]
}
check 'SIGTSTP: so they do, until SIGCONT' suspends
check '... and it runs' says running status

# With --time follow, nothing of it is missing. Another guest, whose time runs elsewhere.
follows() {
	guest_start f --kernel "$work/monitor" --control "unix:$work/sock.f" --time follow || return 1
	guest_expect f 60 ready && clock f || return 1
	_begin=$clock
	armvmm-ctl "$work/sock.f" stop || return 1
	sleep 4
	armvmm-ctl "$work/sock.f" cont || return 1
	clock f || return 1
	echo "while it was stopped for 4 s: $(((clock - _begin) * 1024 / 62500)) ms for the guest"
	armvmm-ctl "$work/sock.f" quit
	guest_end f 60
	[ $(((clock - _begin) * 1024 / 62500)) -ge 4000 ] &&
		[ $(((clock - _begin) * 1024 / 62500)) -lt 60000 ]
}
check 'stop with --time follow: it catches up' follows

guest_type a 's3 '
storm() {
	for _i in 1 2 3 4 5 6 7 8 9 10; do
		ctl stop && ctl cont || return 1
	done
	clock a
}
check 'a busy guest is stopped and goes on' storm

# Disks. The first word of a disk's configuration is its capacity, in sectors.
check 'disks' says "virtio0	1048576	rw	$work/disk" disks
resized() {
	ctl resize virtio0 2M || return 1
	ctl disks
	guest_type a 'ta000100 '
	guest_expect a 60 'touched 00001000' && [ "$(stat -c %s "$work/disk")" = 2097152 ]
}
check 'resize: the file and the guest have it' resized
check 'resize of no disk' status_of 3 "Cannot find device='virtio7'" ctl resize virtio7 1M
check 'resize to a part of a sector' status_of 3 'must be a multiple of 512' ctl resize virtio0 1000
check 'resize to no size' status_of 3 'x: is no size' ctl resize virtio0 x

# Clients that do not speak QMP.
check 'a command that is none' status_of 3 '"class":"CommandNotFound"' ctl qmp '{"execute":"fly"}'
check 'no JSON' status_of 3 'invalid JSON syntax' ctl qmp '{"execute'
deep() {
	{
		echo '{"execute":"qmp_capabilities"}'
		head -c 100000 /dev/zero | tr '\0' '['
		echo
		echo '{"execute":"query-status","id":"after"}'
	} | ./talk "$sock" >"$work/deep"
	cut -c1-200 "$work/deep"
	grep -q 'nesting depth limit exceeded' "$work/deep" && grep -q '"id":"after"' "$work/deep"
}
check '100,000 brackets are refused, and what follows is heard' deep
random() {
	head -c 300000 /dev/urandom | ./talk "$sock" >"$work/random"
	says running status
}
check 'noise does no harm' random

# A client that takes no events, while they come, delays nothing (unit/test_control: it is dropped).
echo '{"execute":"qmp_capabilities"}' | ./talk "$sock" deaf &
deaf=$!
guests="$guests $deaf"
flood() {
	{
		echo '{"execute":"qmp_capabilities"}'
		awk 'BEGIN { for (i = 0; i < 100; i++) print "{\"execute\":\"stop\"}{\"execute\":\"cont\"}" }'
	} | ./talk "$sock" >"$work/flood"
	[ "$(grep -c RESUME "$work/flood")" = 100 ] && [ "$(grep -c '"return"' "$work/flood")" = 201 ]
}
check 'a deaf client holds up nothing' flood
check 'and the guest runs on' clock a
kill $deaf 2>/dev/null
check 'a second machine does not get the socket' status_of 1 \
	"--control $sock: is in use by a running process" \
	armvmm-run --kernel "$work/monitor" --control "unix:$sock"

# The guest's end, and a new start.
check 'events are told' events_start
reset() {
	ctl stop && ctl reset || return 1
	event '"event":"RESET","data":{"guest":false,"reason":"host-qmp-system-reset"}' || return 1
	[ "$(ctl status)" = paused ] && [ "$(grep -c ready "$work/a.out")" = 1 ] && ctl cont &&
		wait_for 60 sh -c "[ \$(grep -c ready '$work/a.out') = 2 ]"
}
check 'reset: it starts over, stopped as it was, and goes on' reset
guest_type a r
check 'a guest that resets is told of' event '"event":"RESET","data":{"guest":true,"reason":"guest-reset"}'
check 'it is up again' wait_for 60 sh -c "[ \$(grep -c ready '$work/a.out') = 3 ]"
guest_type a w
check 'the guest waits for its button' guest_expect a 60 waiting
check 'powerdown' ctl powerdown
check 'the guest sees it' guest_expect a 60 button
check 'POWERDOWN is told' event '"event":"POWERDOWN"}'
guest_end a 60
check 'it powers off' same $status 0
check 'which is told' event '"event":"SHUTDOWN","data":{"guest":true,"reason":"guest-shutdown"}'
check 'the socket has gone' test ! -e "$sock"
check 'there is no machine' status_of 1 'no virtual machine has this socket now' ctl status

# Events and statistics as JSON lines: to a file, and to a pipe that nobody reads.
guest_start m --kernel "$work/monitor" --control "unix:$sock" --metrics "$work/metrics,interval=1"
check 'metrics: a guest starts' guest_expect m 60 ready
line() { grep "$1" "$work/metrics" && grep -qE "$1" "$work/metrics"; }
check 'metrics: statistics' wait_for 60 grep -qE \
	'"statistics":\{"running":true,"cpu-ns":[1-9][0-9]*,"vcpus":\[\{"thread-id":[1-9][0-9]*,"cpu-ns":[1-9]' "$work/metrics"
ctl stop
check 'metrics: an event' wait_for 60 grep -q '"event":"STOP"}' "$work/metrics"
check 'metrics: of a stopped guest' wait_for 60 grep -q '"running":false' "$work/metrics"
ctl quit
guest_end m 60
check 'metrics: the end is in them' grep -q '"event":"SHUTDOWN"' "$work/metrics"
check 'metrics: the file is for its user alone' same "$(stat -c %a "$work/metrics")" 600
check 'metrics: no file' status_of 1 '--metrics /no/x: No such file or directory' \
	armvmm-run --kernel "$work/monitor" --metrics /no/x
mkfifo "$work/deaf"
guest_start m --kernel "$work/monitor" --control "unix:$sock" --metrics "$work/deaf,interval=1"
check 'metrics: a pipe that nobody reads' guest_expect m 60 ready
deaf_metrics() {
	for _i in 1 2 3 4 5 6; do
		flood || return 1
	done
	clock m && ctl quit && guest_end m 60
	[ "$status" = 4 ]
}
check 'metrics: ... holds up nothing' deaf_metrics

guest_start b --kernel "$work/monitor" --control name:b-1
check 'by a name: a guest starts' guest_expect b 60 ready
guest_type b h
guest_expect b 60 hanging
sock=b-1
check 'by a name: a guest that sleeps is stopped' ctl stop
check 'by a name: it is' says paused status
check 'by a name: quit, while it is stopped' ctl quit
guest_end b 60
check 'it has ended' same $status 4
sock=$work/sock
guest_start c --kernel "$work/monitor" --control "unix:$sock"
check 'another guest starts' guest_expect c 60 ready
kill -9 "$pid"
guest_end c 60
check 'after kill -9 the socket goes as well' wait_for 60 test ! -e "$sock"
finish
