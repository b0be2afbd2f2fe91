# SPDX-License-Identifier: GPL-2.0-only
# Snapshots of a guest that is busy on four CPUs: it goes on here, and elsewhere from where it was, at
# any moment. What is wrong with a snapshot, or with the file that it is written to, is told, and does
# the guest no harm.
. ./common.sh
. ./busyguest.sh
cp monitor "$work/monitor"
sock=$work/sock
snap=$work/snap

ctl() { armvmm-ctl "$sock" "$@"; }
# restore NAME ARG...: the same machine, from the snapshot.
restore() {
	_n=$1
	shift
	guest_start "$_n" --kernel "$work/monitor" --disk "$work/disk" --cpus 4 --memory 64M --restore "$snap" \
		--control "unix:$sock" "$@"
}

truncate -s 1M "$work/disk"
guest_start a --kernel "$work/monitor" --disk "$work/disk" --cpus 4 --memory 64M --control "unix:$sock"
busy a
check 'a snapshot' status_of 0 "$snap: " ctl snapshot "$snap"
cat "$work/said"
check 'its file is for its user alone' same "$(stat -c %a "$snap")" 600
# 64 MiB of memory, of which the guest has touched few.
check '... and has no pages of zeroes' test "$(stat -c %s "$snap")" -lt 20000000
check 'the guest goes on' whole a
check 'query-migrate tells of it' sh -c "armvmm-ctl $sock qmp '{\"execute\":\"query-migrate\"}' |
	grep -F '\"status\":\"completed\"'"

# Wrong files to write to. The guest goes on, and what was there stays.
keep=$(sum <"$snap")
wrong_files snapshot 128k snap
check 'no file is sent' status_of 3 'No file descriptor supplied' \
	ctl qmp '{"execute":"getfd","arguments":{"fdname":"a"}}'
check 'to nowhere' status_of 3 'unknown migration protocol' \
	ctl qmp '{"execute":"migrate","arguments":{"uri":"file:/a"}}'
check 'the guest has not noticed' whole a

# While one is made. Noise takes long to compress.
check 'more of its memory is filled' asks a 'm30 ' filled
armvmm-ctl "$sock" snapshot "$snap.long" >"$work/long" 2>&1 &
long=$!
check 'while one is made: it is' wait_for 20 sh -c \
	"armvmm-ctl $sock qmp '{\"execute\":\"query-migrate\"}' | grep -F '\"status\":\"active\"'"
check 'while one is made: status' same "$(ctl status)" finish-migrate
check 'while one is made: another' status_of 3 'in progress' ctl snapshot "$work/other"
check 'while one is made: reset' status_of 3 'The guest is being saved' ctl reset
check 'while one is made: powerdown' status_of 3 'The guest is being saved' ctl powerdown
# A shell's background has SIGINT ignored.
kill -TERM $long
wait $long
check 'a signal to armvmm-ctl ends it' same "$? $(cat "$work/long")" \
	"3 armvmm-ctl: $snap.long: the snapshot was cancelled"
check '... and nothing is left' no_rest "$work" snap
check 'the guest goes on' clock a
armvmm-ctl "$sock" snapshot "$snap.long" >"$work/long" 2>&1 &
long=$!
wait_for 20 sh -c "armvmm-ctl $sock qmp '{\"execute\":\"query-migrate\"}' | grep -F '\"status\":\"active\"'"
ctl quit
guest_end a 60
wait $long
check 'quit in the middle: the snapshot fails' same "$?" 1
check '... and nothing is left' no_rest "$work" snap
check 'the first snapshot is as it was' same "$(sum <"$snap")" "$keep"

restore b
goes_on() {
	clock b || return 1
	echo "before $before, restored $clock"
	[ "$clock" -gt "$before" ] && [ $(((clock - before) * 1024 / 62500)) -lt 30000 ]
}
check 'in another process: its clock goes on' goes_on
check '... and it did not start anew' sh -c "! grep ready '$work/b.out'"
check '... and is whole' whole b
# Time passes since the snapshot; with --time follow, for the guest, too.
catches_up() {
	clock b && ctl snapshot "$snap" && ctl quit || return 1
	_then=$clock
	guest_end b 60
	sleep 5
	restore b "$@"
	clock b || return 1
	_ms=$(((clock - _then) * 1024 / 62500))
	echo "$_ms ms for the guest"
}
follows() { catches_up --time follow && [ $_ms -ge 5000 ] && [ $_ms -lt 100000 ]; }
stops() { catches_up && [ $_ms -lt 5000 ]; }
check 'with --time follow, it is ahead by the time since then' follows
check '... and is whole' whole b
check 'without, it is not' stops
at_random() {
	for _i in 1 2 3 4 5; do
		clock b || return 1
		_then=$clock
		usleep $((RANDOM * 30))
		ctl snapshot "$snap" || return 1
		ctl quit || return 1
		guest_end b 60
		restore b
		clock b || return 1
		echo "round $_i: clock $_then, restored $clock"
		[ "$clock" -gt "$_then" ] && whole b || return 1
	done
}
check 'saved and restored at five random moments' at_random

# A complete snapshot, and three that add to it, while it is busy.
check 'nothing to add to' status_of 3 'There is no snapshot to add to: ' ctl snapshot --incremental "$snap.1"
adds() {
	ctl snapshot --track "$snap" || return 1
	_size=$(stat -c %s "$snap")
	for _i in 1 2 3; do
		clock b || return 1
		_then=$clock
		usleep $((RANDOM * 30))
		# What looks at memory takes nothing from the log.
		ctl dump "$work/core" || return 1
		ctl snapshot --incremental "$snap.$_i" && [ "$(stat -c %s "$snap.$_i")" -lt $((_size / 2)) ] || {
			stat -c '%n %s' "$snap" "$snap.$_i"
			return 1
		}
	done
	rm "$work/core"
	ctl quit || return 1
	guest_end b 60
}
check 'snapshots that add to another have less than half' adds
added() {
	restore b --restore "$snap.1" --restore "$snap.2" --restore "$snap.3"
	clock b || return 1
	echo "clock $_then, restored $clock"
	[ "$clock" -gt "$_then" ] && whole b
}
check '... and the guest goes on from all of them' added
cp "$work/disk" "$work/free"
check '... and not from what does not fit' sh -c "! armvmm-run --kernel '$work/monitor' --disk '$work/free' \
	--cpus 4 --memory 64M --restore '$snap' --restore '$snap.2' </dev/null 2>'$work/err' &&
	grep -q '$snap.2: part header: it adds to another snapshot than the one before it' '$work/err'"
check 'a new process has no log yet' status_of 3 'There is no snapshot to add to: ' \
	ctl snapshot --incremental "$snap.4"
rm "$snap".[123]

ctl stop
check 'a snapshot of a stopped guest' status_of 0 "$snap: " ctl snapshot "$snap"
check '... which stays stopped' same "$(ctl status)" paused
# Its four vCPUs wait, and wake nobody.
ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }
takes_no_time() {
	_then=$(ticks "$1")
	sleep 5
	_now=$(ticks "$1")
	echo "$((_now - _then)) ticks of a processor"
	[ $((_now - _then)) -lt 50 ]
}
check '... and takes no processor' takes_no_time "$pid_b"
ctl quit
guest_end b 60
restore c
check 'it is restored stopped' wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = paused ]"
sleep 2
check 'and goes on' ctl cont
check '... and is whole' whole c
guest_type c r
check 'a reset starts it from its software' guest_expect c 60 ready
guest_type c p
guest_end c 60
check 'it powers off' same $status 0

# Snapshots that are wrong: armvmm-run ends before the guest has said a word.
size=$(stat -c %s "$snap")
wrong() {
	_text=$1
	shift
	armvmm-run --kernel "$work/monitor" --disk "$work/disk" --cpus 4 --memory 64M --restore "$work/bad" "$@" \
		</dev/null >"$work/out" 2>"$work/err"
	_is=$?
	cat "$work/err" "$work/out"
	[ $_is = 1 ] && [ ! -s "$work/out" ] && grep -q "$work/bad: $_text" "$work/err"
}
cut() {
	head -c "$1" "$snap" >"$work/bad"
	wrong 'part .*: the file ends in it'
}
check 'cut within its header' cut 10
check 'cut behind its header' cut 64
check 'cut in the middle' cut $((size / 2))
check 'cut by a byte' cut $((size - 1))
# changed OFFSET: one bit is another one.
changed() {
	cp "$snap" "$work/bad"
	_byte=$(dd if="$snap" bs=1 skip="$1" count=1 2>/dev/null | od -An -tu1)
	printf "\\$(printf %o $((_byte ^ 1 << $1 % 8)))" |
		dd of="$work/bad" bs=1 seek="$1" conv=notrunc 2>/dev/null
	cmp "$snap" "$work/bad" && return 1
	wrong 'part .*: is \(damaged\|out of its place\)'
}
changes() {
	for _i in 1 2 3 4 5 6; do
		changed $((64 + (RANDOM * 32768 + RANDOM) % (size - 64))) || return 1
	done
}
check 'a bit of a part is another' changed 100
check 'a bit of its end is another' changed $((size - 1))
check 'any bit is another' changes
more() {
	cp "$snap" "$work/bad"
	echo >>"$work/bad"
	wrong 'part end: more follows it'
}
check 'more at its end' more
cp "$work/monitor" "$work/bad"
check 'no snapshot' wrong 'part header: this is no snapshot of armvmm-run'
: >"$work/bad"
check 'an empty file' wrong 'part header: the file ends in it'
rm "$work/bad"
check 'no file' wrong 'No such file or directory'
mkdir "$work/bad"
check 'a folder' wrong 'part header: Is a directory'
rmdir "$work/bad"
cp "$snap" "$work/bad"
check 'another memory' wrong 'part machine: the guest had 64 MiB of memory, and has 128 here' --memory 128M
check 'other CPUs' wrong 'part machine: the guest had 4 CPUs, and has 3 here' --cpus 3
check 'another transport' wrong 'part virtio-blk@a000000: its virtio-mmio was of the legacy version (--virtio)' --virtio modern
check 'another device' wrong 'part virtio-rng@a000200: in its place is the part console' --rng
truncate -s 2M "$work/disk"
check 'another disk' wrong 'part virtio-blk@a000000: the disk had 1048576 bytes'
finish
