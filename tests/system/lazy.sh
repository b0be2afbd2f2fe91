# SPDX-License-Identifier: GPL-2.0-only
# A guest whose memory is read from its snapshots while it runs: it starts when little of them was
# read, and is whole, whatever is done with it before all is there. What is wrong with the files ends
# it, before it sees any of that.
. ./common.sh
. ./busyguest.sh
grep -q ^nobody: /etc/passwd || echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>/etc/passwd
cp monitor "$work/monitor"
sock=$work/sock
snap=$work/snap
# Processes of another user open it all.
chmod 755 "$work"

ctl() { armvmm-ctl "$sock" "$@"; }
# restore NAME FILE ARG...: the same machine, from the snapshot FILE.
restore() {
	_n=$1 _from=$2
	shift 2
	guest_start "$_n" --kernel "$work/monitor" --disk "$work/disk" --cpus 4 --memory 64M --restore "$_from" \
		--control "unix:$sock" --verbose "$@"
}
# began NAME: it has said how much was read by then; all of the files is in $all.
began() {
	wait_line 60 "$work/$1.err" 'the guest goes on when' || return 1
	set -- $(sed -n 's/.*goes on when \([0-9]*\) of \([0-9]*\) bytes.*/\1 \2/p' "$work/$1.err")
	echo "$1 of $2 bytes"
	read=$1 all=$2
}
complete() { wait_line 120 "$work/$1.err" "all of the guest's memory is here"; }
loads() { ! grep -q "all of the guest's memory is here" "$work/$1.err"; }
leave() {
	ctl quit
	guest_end "$1" 60
}

truncate -s 1M "$work/disk"
guest_start a --kernel "$work/monitor" --disk "$work/disk" --cpus 4 --memory 64M --control "unix:$sock"
busy a
# 46 MiB that cannot be compressed. CPUs that work have theirs below.
filled=2e
check 'most of its memory is filled' asks a "m$filled " filled
check 'a complete snapshot' ctl snapshot --track "$snap"
check 'and one that adds to it' ctl snapshot --incremental "$snap.1"
leave a
ls -l "$snap" "$snap.1"

check 'without --restore it is refused' status_of 2 'lazy-restore: needs --restore FILE' \
	armvmm-run --kernel "$work/monitor" --lazy-restore </dev/null

little() {
	began b || return 1
	[ $((read * 20)) -lt "$all" ]
}
# answers NAME: it says what time it is, before all of its memory is there.
answers() {
	clock "$1" && loads "$1"
}
restore b "$snap" --restore "$snap.1" --lazy-restore
check 'a guest goes on when less than a twentieth was read' little
sed -n 's/^[0-9]/# &/p' "$work/check"
check '... and answers while the rest is read' answers b
check '... by a thread' sh -c "cat /proc/$pid_b/task/*/comm | grep -x lazy-restore"
check '... and is whole' whole b
check 'all of it is read' complete b
sed -n 's/^armvmm-run: \(all of.*\)/# \1/p' "$work/b.err"
check '... and the thread ends' wait_for 20 sh -c "! cat /proc/$pid_b/task/*/comm | grep -x lazy-restore"
check '... and the files are closed' sh -c "! ls -l /proc/$pid_b/fd | grep '$snap'"
check 'it is still whole' whole b

# What reads all of memory while it is not there. The guest stands still, so that all are the same.
check 'it stands still' ctl stop
check 'a snapshot of it' ctl snapshot "$snap.2"
check 'its memory, to compare' ctl dump "$work/core"
leave b
dumps() {
	restore c "$snap.2" --lazy-restore
	began c && loads c && ctl dump "$work/core.c" && cmp "$work/core" "$work/core.c"
}
check 'a dump at once has all of it' dumps
rm -f "$work/core.c"
leave c
# The same file: armvmm-ctl puts the new one in its place, and the old one stays as it is for us.
saves() {
	restore d "$snap.2" --lazy-restore
	began d && loads d && ctl snapshot "$snap.2" && complete d
}
check 'a snapshot at once, to the same file' saves
leave d
same_memory() {
	restore e "$snap.2"
	wait_for 60 ctl dump "$work/core.e" && cmp "$work/core" "$work/core.e"
}
check '... is the same guest' same_memory
rm -f "$work/core" "$work/core.e"
leave e

# While it runs: snapshots of both kinds at once, a migration, a reset, an end.
adds() {
	restore f "$snap" --restore "$snap.1" --lazy-restore
	began f && loads f && ctl snapshot --track "$work/g" && clock f && ctl snapshot --incremental "$work/g.1"
}
check 'a chain of snapshots at once' adds
leave f
restore g "$work/g" --restore "$work/g.1"
check '... from which it goes on' whole g
leave g
rm -f "$work/g" "$work/g.1"
moves() {
	guest_start i --kernel "$work/monitor" --disk "$work/disk" --cpus 4 --memory 64M \
		--control "unix:$work/there" --incoming "unix:$work/way"
	wait_for 60 [ -S "$work/way" ] || return 1
	restore h "$snap" --restore "$snap.1" --lazy-restore
	began h && loads h && ctl migrate "unix:$work/way"
}
check 'it moves to another process at once' moves
guest_end h 60
check '... and is whole there' whole i
armvmm-ctl "$work/there" quit
guest_end i 60
resets() {
	restore j "$snap" --restore "$snap.1" --lazy-restore
	began j && loads j && ctl reset && guest_expect j 60 ready && complete j
}
check 'a reset at once starts it from its software' resets
zeroes() {
	asks j 't42000000 ' touched || return 1
	[ "$answer" = 00000000 ]
}
check '... with memory of zeroes' zeroes
leave j
restore k "$snap" --restore "$snap.1" --lazy-restore
check 'it begins again' began k
ctl quit
guest_end k 20
check '... and can be ended at once' same "$status" 4

# Files that are wrong. One bit of the last block, to which the guest does not come by itself.
size=$(stat -c %s "$snap")
changed() {
	cp "$snap" "$work/bad"
	_byte=$(dd if="$snap" bs=1 skip="$1" count=1 2>/dev/null | od -An -tu1)
	printf "\\$(printf %o $((_byte ^ 1)))" | dd of="$work/bad" bs=1 seek="$1" conv=notrunc 2>/dev/null
	! cmp -s "$snap" "$work/bad"
}
broken() {
	cat "$work/$1.err"
	echo "status $status"
	[ "$status" = 5 ] &&
		grep -q "armvmm-run: $work/bad: part memory: $2: the guest, which runs already, cannot go on" "$work/$1.err"
}
late() {
	changed $((size - 5000)) || return 1
	restore l "$work/bad" --lazy-restore
	began l && clock l || return 1
	guest_end l 120
	broken l 'is damaged'
}
check 'a bit that is found while it runs ends it' late
# It asks for that block itself, and never gets it: it would say what it found.
touched() {
	restore m "$work/bad" --lazy-restore
	began m || return 1
	guest_type m 'v2e '
	guest_end m 120
	broken m 'is damaged' && ! grep wrong "$work/m.out"
}
check '... and nobody sees any of its block' touched
# refused TEXT: the file is, and nothing of the guest runs.
refused() {
	armvmm-run --kernel "$work/monitor" --disk "$work/disk" --cpus 4 --memory 64M --restore "$work/bad" \
		--lazy-restore </dev/null >"$work/out" 2>"$work/err"
	_is=$?
	cat "$work/out" "$work/err"
	[ $_is = 1 ] && [ ! -s "$work/out" ] && grep -q "$1" "$work/err"
}
# What tells which pages the first part of memory has: its name is 8 bytes behind where it begins.
early() {
	_part=$(head -c 100000 "$snap" | tr '\0' '\n' | grep -abo '^memory$' | sed 's/:.*//' | head -n 1)
	changed $((_part - 8 + 64 + 16)) && refused 'is damaged'
}
check 'a bit of what tells where memory is: nothing runs' early
cut_late() {
	cp "$snap" "$work/bad"
	restore n "$work/bad" --lazy-restore
	began n || return 1
	truncate -s $((size / 2)) "$work/bad"
	guest_end n 120
	broken n 'the file ends in it'
}
check 'a file that becomes shorter while it runs ends it' cut_late
cut_before() {
	head -c $((size - 1)) "$snap" >"$work/bad"
	refused 'part end: the file ends in it'
}
check 'one that was cut before: nothing runs' cut_before
rm "$work/bad"

# Who may not. Since 5.11 a user may not have the kernel wait, unless that is allowed.
chmod 666 /dev/armvmm "$work/disk"
chmod 644 "$snap"
# Where the host pins guest memory, a user needs this, too.
ulimit -l unlimited
setting=/proc/sys/vm/unprivileged_userfaultfd
cp /usr/bin/armvmm-run "$work/armvmm-run"
as_user() {
	start-stop-daemon -S -q -c nobody -x "$work/armvmm-run" -- --kernel "$work/monitor" --disk "$work/disk" \
		--cpus 4 --memory 64M --restore "$snap" --lazy-restore "$@"
}
user_refused() {
	as_user </dev/null >"$work/out" 2>"$work/err"
	_is=$?
	cat "$work/out" "$work/err"
	[ $_is = 1 ] && [ ! -s "$work/out" ] && grep -q 'lazy-restore: this user may not use userfaultfd: ' "$work/err"
}
user_may() {
	printf 'v2e p' | as_user >"$work/out" 2>"$work/err"
	_is=$?
	cat "$work/out" "$work/err"
	[ $_is = 0 ] && grep -q 'wrong 00000000' "$work/out"
}
echo 0 >$setting
[ ! -e /dev/userfaultfd ] || chmod 600 /dev/userfaultfd
check 'a user who may not is refused, and nothing runs' user_refused
if [ -e /dev/userfaultfd ]; then
	chmod 666 /dev/userfaultfd
	check 'one who may open its node is not' user_may
	chmod 600 /dev/userfaultfd
fi
echo 1 >$setting
check 'nor is any, where the host allows it' user_may
echo 0 >$setting
finish
