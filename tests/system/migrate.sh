# SPDX-License-Identifier: GPL-2.0-only
# A guest that is busy on four CPUs moves between processes, there and back. Whoever fails, refuses,
# or changes his mind: it goes on where it was.
. ./common.sh
. ./busyguest.sh
. ./moving.sh

truncate -s 1M "$work/disk"
machine a
busy a

check 'a machine waits for it' waits b
check '... and has its disk open, which is in use' status_of 1 'in use by another virtual machine' \
	armvmm-run --kernel "$work/monitor" --disk "$work/disk"
check '... and refuses to be saved' status_of 3 'The guest has not come yet' ctl b snapshot "$work/snap"
check '... and has no button' status_of 3 'The guest has not come yet' ctl b powerdown
armvmm-ctl "$work/b.sock" events >"$work/b.events" &
armvmm-ctl "$work/a.sock" events >"$work/a.events" &
check 'the guest moves' status_of 0 'the guest stood still for' ctl a migrate "unix:$work/b.from"
cat "$work/said"
check '... and is gone here' away a
check 'events here' grep -F '"event":"MIGRATION","data":{"status":"completed"}' "$work/a.events"
check 'events there' grep -F '"event":"RESUME"' "$work/b.events"
goes_on() {
	clock b || return 1
	echo "before $before, now $clock"
	[ "$clock" -gt "$before" ] && [ $(((clock - before) * 1024 / 62500)) -lt 60000 ]
}
check 'its clock goes on' goes_on
check '... and it did not start anew' sh -c "! grep ready '$work/b.out'"
check '... and it is whole' whole b
check 'its disk is in use there' status_of 1 'in use by another virtual machine' \
	armvmm-run --kernel "$work/monitor" --disk "$work/disk"

# There and back, by each way.
ping_pong() {
	_here=b _there=a
	for _to in "unix:$work/a.from" tcp:127.0.0.1:7007 "unix:$work/a.from" tcp::7008 "unix:$work/b.from"; do
		case $_to in
		unix:*) _to=unix:$work/$_there.from ;;
		esac
		waits_at $_there "$_to" || return 1
		clock $_here || return 1
		_then=$clock
		usleep $((RANDOM * 20))
		ctl $_here migrate "$_to" || return 1
		away $_here || return 1
		clock $_there || return 1
		echo "to $_to: clock $_then, now $clock"
		[ "$clock" -gt "$_then" ] && whole $_there || return 1
		_swap=$_here _here=$_there _there=$_swap
	done
}
ip link set lo up 2>/dev/null || ifconfig lo 127.0.0.1
check 'five times there and back' ping_pong
# Now it is at a. Noise takes long to send.
asks a 'm30 ' filled

# Cancelled in the middle.
waits b
slowly a 2000000 >/dev/null
armvmm-ctl "$work/a.sock" migrate "unix:$work/b.from" >"$work/long" 2>&1 &
long=$!
going() { state a | grep -F '"status":"active"' && state a | grep -q '"normal":[1-9]'; }
check 'while it moves: it does' wait_for 20 going
check 'while it moves: it runs' same "$(ctl a status)" running
check 'while it moves: there it does not' same "$(ctl b status)" inmigrate
check 'while it moves: to another place' status_of 3 'in progress' ctl a migrate "unix:$work/b.from"
check 'while it moves: a snapshot' status_of 3 'being sent away' ctl a snapshot "$work/snap"
check 'while it moves: its clock' clock a
kill -TERM $long
wait $long
check 'a signal to armvmm-ctl ends it' same "$? $(cat "$work/long")" \
	"3 armvmm-ctl: unix:$work/b.from: the migration was cancelled"
guest_end b 60
check 'the other machine ends' same "$status" 1
check '... and says why' grep -F 'the connection ends in it' "$work/b.err"
check 'the guest goes on' whole a

# The far end dies in the middle, and is no far end at all.
waits b
armvmm-ctl "$work/a.sock" migrate "unix:$work/b.from" >"$work/long" 2>&1 &
long=$!
check 'it moves again' wait_for 20 going
kill -9 "$pid_b"
wait $long
check 'the far end is killed: the migration fails' same $? 3
cat "$work/long"
guest_end b 60
check 'the guest goes on' whole a
check '... and runs' same "$(ctl a status)" running
slowly a 0 >/dev/null
check 'nobody there' status_of 3 'o such file or directory' ctl a migrate "unix:$work/none"
check 'nobody there, by TCP' status_of 3 'Connection refused' ctl a migrate tcp:127.0.0.1:7009
check 'nowhere' status_of 3 'must be tcp:' ctl a migrate nowhere
check 'a program that says nothing of it' status_of 3 'exec:echo hello: the ' \
	ctl a migrate 'exec:echo hello'
check 'a program that is not there' status_of 3 'exec:' ctl a migrate 'exec:/no/such/program'
check 'by a QMP client without a connection' status_of 3 'connects to nobody' \
	ctl a qmp '{"execute":"migrate","arguments":{"uri":"tcp:127.0.0.1:7009"}}'

# Machines that it does not fit into: both say why. One that sees it at once waits on.
refuses() {
	_part="unix:$work/b.from: part $1"
	status_of 3 "the far end refuses: $_part" ctl a migrate "unix:$work/b.from" || return 1
	cat "$work/b.err"
	grep -qF "$_part" "$work/b.err"
}
unlike() {
	_why=$1
	shift
	waits b "$@" && refuses "$_why" || return 1
	[ "$(ctl b status)" = inmigrate ] || return 1
	kill -TERM "$pid_b"
	guest_end b 20
	[ "$status" = 4 ]
}
check 'other CPUs' unlike 'migration: the guest had 4 CPUs, and has 3 here (--cpus)' --cpus 3
check 'another memory' unlike 'migration: the guest had 64 MiB of memory, and has 128 here' --memory 128M
waits b --rng
check 'another device' refuses 'virtio-rng@a000200: in its place is the part console'
guest_end b 60
check '... which shows too late for the machine to wait on' same "$status" 1
check 'the guest has not noticed' whole a

# Wrong ways to wait.
waits b
check 'a socket that is in use' status_of 1 'is in use by a running process' \
	armvmm-run --kernel "$work/monitor" --incoming "unix:$work/b.from"
check 'standard input that is no pipe' status_of 1 '--incoming -: Socket operation on non-socket' \
	sh -c "armvmm-run --kernel '$work/monitor' --incoming - </dev/null"
check 'no connection' status_of 1 '--incoming fd:7: Bad file descriptor' \
	armvmm-run --kernel "$work/monitor" --incoming fd:7
check 'nothing' status_of 2 '--incoming x: must be' armvmm-run --kernel "$work/monitor" --incoming x
check 'with a snapshot' status_of 2 'cannot be used with --restore' \
	armvmm-run --kernel "$work/monitor" --incoming - --restore "$work/snap"
kill -TERM "$pid_b"
guest_end b 20
check 'one that waits ends at once' same "$status" 4

# A stopped one stays so. Through a program, as by ssh.
ctl a stop
check 'a stopped guest moves through a program' status_of 0 'the guest stood still for' \
	ctl a migrate "exec:exec armvmm-run --kernel $work/monitor --disk $work/disk --cpus 4 --memory 64M \
--incoming - --control unix:$work/c.sock 2>$work/c.err"
check '... and is gone here' away a
check '... and is stopped there' same "$(ctl c status)" paused
waits a
check '... and back, where it goes on' status_of 0 'the guest stood still for' \
	ctl c migrate "unix:$work/a.from"
cat "$work/c.err"
check '... after cont' ctl a cont
check '... and is whole' whole a
guest_type a r
check 'a reset starts it from its software' guest_expect a 60 ready
guest_type a p
guest_end a 60
check 'it powers off' same $status 0
finish
