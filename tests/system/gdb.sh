# SPDX-License-Identifier: GPL-2.0-only
# armvmm-run --gdb by its protocol: a guest with its MMU on, two CPUs and a timer.
. ./common.sh
. ./gdbguest.sym
port=1234

# The bytes of a word in reverse, as in packets.
turn() { echo "$1" | sed 's/^\(..\)\(..\)\(..\)\(..\)$/\4\3\2\1/'; }
# The address of a label once the guest's MMU is on.
high() { printf %x $((0x$1 + 0x80000000)); }

start() {
	guest_start g --kernel gdbguest --memory 64M "$@"
	wait_for 20 listens
}
listens() { grep -q ':04D2 00000000:0000 0A' /proc/net/tcp; }
debugger() {
	rm -f "$work/to"
	mkfifo "$work/to"
	./rsp "${1:-$port}" <"$work/to" >"$work/from" 2>&1 &
	rsp=$!
	guests="$guests $rsp"
	exec 7>"$work/to"
}
answered() { [ "$(wc -l <"$work/from")" -gt "$had" ]; }
# ask PACKET: prints the answer.
ask() {
	had=$(wc -l <"$work/from")
	echo "$1" >&7
	wait_for 30 answered || { echo 'no answer'; return 1; }
	tail -n 1 "$work/from"
}
tell() { echo "$1" >&7; }
is() { same "$(ask "$1")" "$2"; }
# stops REASON LABEL-ADDRESS PACKET: the packet leads to a stop for REASON, with the thread's PC at
# that address.
stops() {
	why=$(ask "$3")
	at=$(ask pf)
	echo "stop '$why' at '$at', not '$1' at '$2'"
	case $why in
	$1) [ "$at" = "$(turn "$2")" ] ;;
	*) return 1 ;;
	esac
}

start --cpus 2 --gdb tcp:127.0.0.1:$port,wait
debugger
check 'it answers' is 'qSupported:swbreak+;hwbreak+' \
	'PacketSize=1000;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+'
check 'the guest has not begun' is pf "$(turn "$sym__start")"
check '... and stands' is '?' 'T05thread:01;'
check 'a step from the first instruction' stops 'T05thread:01;' "$sym_first" s
check '... which was done' is p0 00000000
check 'two threads' is qfThreadInfo m1,2
check '... of which one is off' is qThreadExtraInfo,2 "$(printf 'vCPU 1, off' | od -An -tx1 | tr -d ' \n')"
below=$(ask "m$sym_mapped,4")
check 'a breakpoint in memory' is "Z0,$sym_mapped,4" OK
check '... is hidden' is "m$sym_mapped,4" "$below"
check '... and hit, at another address' stops 'T05swbreak:;thread:01;' "$(high "$sym_mapped")" c
check '... it goes' is "z0,$sym_mapped,4" OK
check 'memory by the guest'"'"'s tables' is "m$(high "$sym__start"),4" 0000a0e3
check '... and nothing where they have none' is m50000000,4 E0e
check '... nor a device, which they have' is m08000000,4 E0e

check 'a breakpoint of the CPU' is "Z1,$(high "$sym_pending"),4" OK
check '... is hit' stops 'T05hwbreak:;thread:01;' "$(high "$sym_pending")" c
check '... and goes' is "z1,$(high "$sym_pending"),4" OK
next() { printf %x $((0x$(high "$sym_pending") + $1)); }
check 'steps past a pending interrupt' stops 'T05thread:01;' "$(next 4)" vCont\;s:1
check '... past what lets it in' stops 'T05thread:01;' "$(next 8)" vCont\;s:1
check '... and on' stops 'T05thread:01;' "$(next 12)" vCont\;s:1
check 'a breakpoint in the vector' is "Z1,$(high "$sym_irq"),4" OK
check '... it comes when the guest runs' stops 'T05hwbreak:;thread:01;' "$(high "$sym_irq")" vCont\;c:1
check '... and goes' is "z1,$(high "$sym_irq"),4" OK
check 'a step through the handler' stops 'T05thread:01;' "$(printf %x $((0x$(high "$sym_irq") + 4)))" s
ack() {
	ask s >/dev/null
	is pb 1b000000
}
check '... finds the interrupt' ack

check 'a watchpoint' is "Z2,$(high "$sym_counter"),4" OK
check '... is hit by the store, before it' stops "T05thread:01;watch:$(high "$sym_counter");" "$(high "$sym_store")" c
check '... and goes' is "z2,$(high "$sym_counter"),4" OK
check 'one on reads' is "Z3,$(high "$sym_counter"),4" OK
check '... is hit by the load' stops "T05thread:01;rwatch:$(high "$sym_counter");" "$(high "$sym_loop")" c
check '... and goes' is "z3,$(high "$sym_counter"),4" OK

check 'the other thread' is Hg2 OK
check '... has its own tables: none' is "m$sym__start,4" 0000a0e3
check '... a breakpoint there' is "Z1,$sym_loop2,4" OK
check '... stops with its number' stops 'T05hwbreak:;thread:02;' "$sym_loop2" c
check '... and goes' is "z1,$sym_loop2,4" OK
one=$(ask "m$sym_counter,4") two=$(ask "m$sym_counter2,4")
check 'it steps alone' stops 'T05thread:02;' "$(printf %x $((0x$sym_loop2 + 4)))" vCont\;s:2
check '... while the first one stands' is "m$sym_counter,4" "$one"

tell '&c'
check 'Ctrl-C stops it' is ! 'T02thread:02;'
# On a slow host a CPU may not have come to run before the Ctrl-C: then both run once more.
both_count() {
	[ "$(ask "m$sym_counter,4")" != "$one" ] && [ "$(ask "m$sym_counter2,4")" != "$two" ] && return
	tell '&c'
	sleep 0.2
	ask ! >/dev/null
	return 1
}
check '... and both have counted' wait_for 30 both_count
check 'rubbish is passed over' tell '=$$$m#00}}#zz+$mffff'
check '... and has no effect' is qC QC2
check 'a second debugger is turned away' sh -c "! echo '?' | timeout 60 ./rsp $port"
check 'monitor info cpus' sh -c "case '$(ask qRcmd,696e666f2063707573)' in 2[0-9a-f]*) ;; *) false ;; esac"

# If it were left in memory, it would end the guest, which has no handler.
check 'a breakpoint that is there when it leaves' is "Z0,$sym_loop2,4" OK
check '... as the word that ends the guest' is "M$(printf %x $((0x$sym_counter + 4))),4:01000000" OK
check 'it leaves' is D OK
exec 7>&-
guest_end g 20
cat "$work/g.err"
check 'the guest goes on, and powers off' same "$status" 0

guest_start g --kernel gdbguest --memory 64M --gdb unix:"$work/socket"
wait_for 20 test -S "$work/socket"
check 'a socket that is in use' sh -c "! armvmm-run --kernel gdbguest --gdb unix:$work/socket </dev/null 2>$work/err &&
	grep -q 'is in use by a running process' $work/err"
debugger "$work/socket"
check 'a debugger comes to a guest that runs' is '?' 'T05thread:01;'
check 'a breakpoint where no memory is' is Z0,50000000,4 E0e
check '... and where it is' is "Z0,$(high "$sym_loop"),4" OK
check 'a reset' is qRcmd,73797374656d5f7265736574 OK
check '... starts it anew' is pf "$(turn "$sym__start")"
kill $rsp
exec 7>&-
# The debugger is gone, and nothing of it is left.
debugger "$work/socket"
check 'the next one finds it running' is '?' 'T05thread:01;'
check '... without the breakpoint' is "z0,$(high "$sym_loop"),4" E16
tell '&k'
guest_end g 20
check 'and kills it: status 4' same "$status" 4
check 'its socket is gone' test ! -e "$work/socket"
finish
