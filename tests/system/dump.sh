# SPDX-License-Identifier: GPL-2.0-only
# A guest's memory and registers in an ELF core, by armvmm-ctl, from armvmm-run in its sandbox. GDB
# reads one in unit/test_dump; here the guest is a real one. What is wrong does it no harm.
. ./common.sh
. ./busyguest.sh
cp monitor "$work/monitor"
sock=$work/sock
core=$work/core

ctl() { armvmm-ctl "$sock" "$@"; }
# word OFFSET: prints the word there in the dump.
word() { dd if="$core" bs=4 skip=$(($1 / 4)) count=1 2>/dev/null | od -An -tx4 | tr -d ' '; }
# number OFFSET: sets $number to it.
number() { number=$((0x$(word "$1"))); }
# begin: a dump to $work/pipe, by $client, which waits for its end.
begin() {
	./talk "$sock" "$work/pipe" <"$work/hold" >"$work/talk" &
	client=$!
	guests="$guests $client"
	echo '{"execute":"qmp_capabilities"}{"execute":"getfd","arguments":{"fdname":"a"}}' >&7
	echo '{"execute":"dump-guest-memory","arguments":{"paging":false,"protocol":"fd:a"}}' >&7
}

guest_start a --kernel "$work/monitor" --cpus 4 --memory 64M --control "unix:$sock"
busy a
check 'a dump' status_of 0 "$core: " ctl dump "$core"
cat "$work/said"
check 'its file is for its user alone' same "$(stat -c %a "$core")" 600
check 'the guest goes on' whole a
check 'status: running' same "$(ctl status)" running

# ELF's header has 52 bytes; the segments follow, of 32 bytes: notes, memory.
check 'it is an ELF core for 32-bit Arm' same "$(word 0) $(word 16)" '464c457f 00280004'
head_is() {
	number 88
	at=$number
	number 100
	echo "memory at $at, $number bytes; the file has $(stat -c %s "$core")"
	[ "$(word 84) $(word 96)" = '00000001 40000000' ] && [ $number = $((64 << 20)) ] &&
		[ "$(stat -c %s "$core")" = $((at + number)) ]
}
check 'its memory is the guest RAM' head_is
# The monitor is at its load address, as in its file.
check 'the guest is in it' sh -c "dd if='$core' bs=4096 skip=$((at / 4096)) 2>/dev/null | grep -q ready"
check 'zero pages take no room' test "$(($(stat -c %b "$core") * 512))" -lt 30000000
# Four times NT_PRSTATUS: the PC, at 72 + 60 of 148 bytes, is in RAM; the last vCPU was never turned on.
pcs() {
	number 56
	_note=$number
	for _i in 1 2 3 4; do
		number $((_note + 20 + 24))
		[ $number = $_i ] || return 1
		number $((_note + 20 + 72 + 60))
		printf 'vCPU %d is at %x\n' $_i $number
		[ $_i = 4 ] || [ $((number >> 26)) = 16 ] || return 1
		_note=$((_note + 20 + 148 + 20 + 260))
	done
}
check 'four vCPUs, those that are on in their code' pcs

# Wrong files, which leave what was there.
wrong_files dump 256k core
check 'by a path' status_of 3 'opens no file' ctl qmp \
	'{"execute":"dump-guest-memory","arguments":{"paging":false,"protocol":"file:/a"}}'
check 'the guest has not noticed' whole a

# A pipe that nobody reads: the guest stands, all else goes on, until the client leaves.
mkfifo "$work/pipe" "$work/hold"
exec 7<>"$work/hold"
sleep 1000 <>"$work/pipe" &
guests="$guests $!"
begin
check 'to a pipe that nobody reads: it is under way' wait_for 20 sh -c \
	"armvmm-ctl $sock qmp '{\"execute\":\"query-dump\"}' | grep -F '\"status\":\"active\"'"
check '... the guest stands' same "$(ctl status)" save-vm
check '... another one' status_of 3 'There is a dump in process' ctl dump "$work/other"
check '... cont' status_of 3 'There is a dump in process' ctl cont
check '... reset' status_of 3 'The guest is being dumped' ctl reset
check '... a snapshot' status_of 3 'dump-guest-memory in progress' ctl snapshot "$work/other"
kill $client
check '... until its client leaves' wait_for 20 sh -c "[ \"\$(armvmm-ctl $sock status)\" = running ]"
check '... and query-dump says so' sh -c \
	"armvmm-ctl $sock qmp '{\"execute\":\"query-dump\"}' | grep -F '\"status\":\"failed\"'"
check 'the guest goes on' whole a

# One for which no client waits ends by a command.
{
	echo '{"execute":"qmp_capabilities"}{"execute":"getfd","arguments":{"fdname":"a"}}'
	echo '{"execute":"dump-guest-memory","arguments":{"paging":false,"protocol":"fd:a","detach":true}}'
	sleep 2
} | ./talk "$sock" "$work/pipe" >"$work/talk"
check 'a dump that goes on without its client' same "$(ctl status)" save-vm
check '... is cancelled' status_of 0 '' ctl qmp '{"execute":"migrate_cancel"}'
check '... and the guest goes on' wait_for 20 sh -c "[ \"\$(armvmm-ctl $sock status)\" = running ]"
check '... as before' whole a

ctl stop
check 'a dump of a stopped guest' status_of 0 "$core: " ctl dump "$core"
check '... which stays stopped' same "$(ctl status)" paused
ctl cont
begin
wait_for 20 sh -c "[ \"\$(armvmm-ctl $sock status)\" = save-vm ]"
ctl quit
guest_end a 60
check 'quit in the middle' same $status 4
finish
