# SPDX-License-Identifier: GPL-2.0-only
# A guest that is busy on four CPUs moves before all of its memory has gone, there and back. If the
# connection breaks then, it goes on nowhere, and both machines say so.
. ./common.sh
. ./busyguest.sh
. ./moving.sh

moves() {
	_m=$1
	shift
	ctl "$_m" migrate --postcopy "$@"
}
# Pre-copy does not get there by itself.
never() { ctl "$1" qmp '{"execute":"migrate-set-parameters","arguments":{"downtime-limit":0}}'; }
switches() { ctl "$1" qmp '{"execute":"migrate-start-postcopy"}'; }
follows() { state "$1" | grep -F '"status":"postcopy-active"'; }
complete() { wait_line 120 "$work/$1.err" "all of the guest's memory is here"; }

truncate -s 1M "$work/disk"
# In MiB: most of its memory, which cannot be compressed. CPUs that work have theirs below.
filled=2e
machine a
busy a
never a >/dev/null

check 'who was not told before does not switch' status_of 3 'Enable postcopy with' switches a
check 'a machine waits for it' waits b --verbose
armvmm-ctl "$work/b.sock" events >"$work/b.events" &
armvmm-ctl "$work/a.sock" events >"$work/a.events" &
check 'the guest moves' status_of 0 'the guest stood still for' moves a "unix:$work/b.from"
cat "$work/said"
check '... and is gone here' away a
check 'events here' grep -F '"event":"MIGRATION","data":{"status":"postcopy-active"}' "$work/a.events"
check 'events there' grep -F '"event":"MIGRATION","data":{"status":"postcopy-active"}' "$work/b.events"
check 'its memory is complete' complete b
check '... which is told' wait_line 20 "$work/b.events" '"event":"MIGRATION","data":{"status":"completed"}'
check '... by a thread that has ended' wait_for 20 sh -c "! cat /proc/$pid_b/task/*/comm | grep -x postcopy"
check '... without what it needed for that' sh -c "! ls -l /proc/$pid_b/fd | grep userfaultfd"
check 'it is whole' whole b
check '... and did not start anew' sh -c "! grep ready '$work/b.out'"

# Back, as early as it can be: nearly all of its memory is missing when it runs there.
ip link set lo up 2>/dev/null || ifconfig lo 127.0.0.1
check 'a machine waits for it, by TCP' waits_at a tcp:127.0.0.1:7007 --verbose
early() {
	_from=$1 _to=$2
	slowly "$_from" 500000 >/dev/null
	moves "$_from" "$_to" >"$work/long" 2>&1 &
	long=$!
	wait_for 20 switches "$_from"
}
# The guest of a runs at b, and its memory follows.
goes_early() {
	check 'a machine waits for it' waits b --verbose
	check 'it is switched at once' early a "unix:$work/b.from"
	check 'its memory follows' wait_for 20 follows a
}
check 'it is switched at once' early b tcp:127.0.0.1:7007
# What it looks at comes while it looks.
check 'it is whole there at once' whole a
wait $long
check 'the guest has moved' same $? 0
cat "$work/long"
check '... and is gone here' away b
check 'its memory is complete' complete a
sed -n 's/^armvmm-run: \(all of.*\)/# \1/p' "$work/a.err"
waited() { ! grep -q 'is here; 0 times somebody has waited' "$work/a.err"; }
check '... and somebody has waited for some of it' waited
check 'its clock goes on' clock a

# Its far end dies while memory follows: it has run there, and does not go on here.
goes_early
kill -9 "$pid_b"
wait $long
check 'the far end is killed: the migration fails' same $? 3
cat "$work/long"
check '... and says that it may have run there' grep -q 'may have run at the far end: .* and not here' "$work/long"
guest_end b 60
check 'the guest stays stopped here' same "$(ctl a status)" postmigrate
check '... whatever anybody wants' status_of 3 'The guest may have run elsewhere since' ctl a cont
check '... and is not sent again' status_of 3 'The guest may have run elsewhere since' ctl a migrate exec:cat
ctl a quit
guest_end a 60

# Where it came from dies.
machine a
busy a
never a >/dev/null
goes_early
kill -9 "$pid_a"
wait $long
guest_end a 60
guest_end b 60
cat "$work/b.err"
check 'where it came from is killed: the new machine ends' same "$status" 5
check '... and says why' grep -q 'the guest, which runs already, cannot go on' "$work/b.err"

# A guest that ends before all is here: both machines end as after any migration.
machine a
busy a
never a >/dev/null
goes_early
guest_type b p
guest_end b 60
check 'it powers off there' same "$status" 0
wait $long
check '... and has moved, for who sent it' same $? 0
check '... and is gone here' away a

# It is told to end while memory follows: it does when all has followed.
machine a
busy a
never a >/dev/null
goes_early
kill "$pid_a"
lacks() { grep -q 'the guest runs elsewhere, and still lacks .* KiB of memory that only this process has' "$work/a.err"; }
check 'who has its memory is told to end: it says what it waits for' wait_for 20 lacks
check '... and refuses to quit' status_of 3 'its memory follows' ctl a quit
check 'its memory is complete there' complete b
guest_end a 60
check '... and then it has ended' same "$status" 4
wait $long
check '... and the guest has moved' grep -q 'the guest stood still for' "$work/long"
check 'it is whole' whole b
guest_type b p
guest_end b 60
check '... and powers off' same "$status" 0

# Told again, it ends at once, and the guest with it.
machine a
busy a
never a >/dev/null
goes_early
kill "$pid_a"
check 'who has its memory is told to end' wait_for 20 lacks
kill "$pid_a"
guest_end a 60
check '... and again: it ends at once' grep -q 'ends at once, and with it the guest' "$work/a.err"
wait $long
guest_end b 60
check '... and the guest with it' same "$status" 5

# Who may not has the kernel wait for no page: the guest goes on where it is.
grep -q ^nobody: /etc/passwd || echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>/etc/passwd
echo 0 >/proc/sys/vm/unprivileged_userfaultfd
[ ! -e /dev/userfaultfd ] || chmod 600 /dev/userfaultfd
chmod 755 "$work"
chmod 666 /dev/armvmm "$work/disk"
ulimit -l unlimited
cp /usr/bin/armvmm-run "$work/armvmm-run"
machine a
busy a
start-stop-daemon -S -q -c nobody -x "$work/armvmm-run" -- --kernel "$work/monitor" --disk "$work/disk" \
	--cpus 4 --memory 64M --incoming tcp:127.0.0.1:7008 </dev/null &
user=$!
guests="$guests $user"
refuses() {
	status_of 3 'part migration: post-copy: this user may not use userfaultfd' \
		moves a tcp:127.0.0.1:7008
}
check 'a far end that cannot refuses' wait_for 60 refuses
check '... and the guest goes on here' whole a
check '... and moves there as ever' status_of 0 'the guest stood still for' ctl a migrate tcp:127.0.0.1:7008
check '... and is gone here' away a
check '... and runs there' kill -9 $user
wait $user
finish
