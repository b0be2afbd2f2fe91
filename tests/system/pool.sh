# SPDX-License-Identifier: GPL-2.0-only
# Guests move between two hosts that are joined by a network, there and back, while they work. Their
# disk is on NFS, which both hosts have. Runs on host a (poolhost.sh).
. ./common.sh
. ./busyguest.sh
. ./poollib.sh
disk=/shared/monitor.disk
truncate -s 1M "$disk"
cp monitor "$work/"
there cp monitor "$work/"
machine() {
	_m=$1
	shift
	starts "$_m" --kernel "$work/monitor" --disk "$disk" --cpus 4 --memory 64M "$@"
}
waits() {
	machine "$1" --incoming "tcp:$(address "$1"):7000" && comes_to "$1" inmigrate
}

check 'two hosts' same "$(hostname) $(there hostname)" 'a b'
check '... each with the module' there test -c /dev/armvmm
machine a
busy a
check 'its disk is in use on the other host' status_of 1 'in use by another virtual machine' \
	there armvmm-run --kernel monitor --disk "$disk"
# goes FROM TO COMMAND...: the guest moves by COMMAND of armvmm-ctl. It runs there, and nowhere else.
goes() {
	_from=$1 _to=$2
	shift 2
	clock "$_from" || return 1
	_then=$clock
	ctl "$_from" "$@" || return 1
	away "$_from" || return 1
	[ "$(ctl "$_to" status)" = running ] || return 1
	clock "$_to" || return 1
	echo "clock $_then, now $clock"
	[ "$clock" -gt "$_then" ] && whole "$_to"
}
by_tcp() {
	_here=$1 _there=$2
	shift 2
	waits "$_there" && goes "$_here" "$_there" migrate "$@" "tcp:$(address "$_there"):7000"
}
# moves NAME COMMAND...: a case that tells how long the guest stood still.
moves() {
	check "$@"
	sed -n 's/.*: \([0-9]* bytes in .*\)/# \1/p' "$work/check"
}
moves 'it moves to the other host' by_tcp a b
check '... where its disk is in use' status_of 1 'in use by another virtual machine' \
	armvmm-run --kernel monitor --disk "$disk"
moves '... and back' by_tcp b a
moves '... there again, by post-copy' by_tcp a b --postcopy
moves '... and back' by_tcp b a --postcopy
asks a 'm30 ' filled

# The cable is pulled out while it moves.
waits b
ctl a qmp '{"execute":"migrate-set-parameters","arguments":{"max-bandwidth":2000000}}' >/dev/null
armvmm-ctl "$work/a.sock" migrate tcp:10.7.0.2:7000 >"$work/cut" 2>&1 &
cut=$!
moving() { ctl a qmp '{"execute":"query-migrate"}' | grep -q '"normal":[1-9]'; }
check 'it moves slowly' wait_for 30 moving
ip link set eth0 down
fails() {
	wait_end 150 $cut || return 1
	wait $cut
	same "$? $(cat "$work/cut")" "3 armvmm-ctl: tcp:10.7.0.2:7000: $1"
}
check 'no network: the migration fails' fails 'the connection to the far end: Connection timed out'
check '... and the guest runs here' same "$(ctl a status)" running
check '... as it was' whole a
ip link set eth0 up
guest_end b 150
check '... and the other machine ends' same "$status" 1
cat "$work/b.err"
ctl a qmp '{"execute":"migrate-set-parameters","arguments":{"max-bandwidth":0}}' >/dev/null
check 'with the network it moves again' by_tcp a b
check '... and back' by_tcp b a

guest_type a p
guest_end a 60
check 'it powers off' same "$status" 0

# A stock Linux, which writes to its disk, reads it back, and looks at its memory and its clock.
. ./busylinux.sh
cp zImage "$work/g.initrd" /shared/
truncate -s 16M /shared/linux.disk
options='--kernel /shared/zImage --initrd /shared/g.initrd --cpus 2 --memory 96M --disk /shared/linux.disk,bps=2M'
linux() {
	_m=$1
	shift
	# shellcheck disable=SC2086
	starts "$_m" $options --append 'console=ttyAMA0 quiet panic=-1' "$@"
}
stuck() {
	echo "stuck: $(ctl $g status), $1 was $2, is $(last "$1")"
	tail -n 5 "$work/$g.out" "$work/$g.err"
}
# migrates TO [OPTION]: it does, while it works.
migrates() {
	_old=$g g=$1
	shift
	linux "$g" --incoming "tcp:$(address "$g"):7000" && comes_to "$g" inmigrate || return 1
	usleep $((RANDOM * 60))
	ctl "$_old" migrate "$@" "tcp:$(address "$g"):7000" && away "$_old" && state_is "$g" running || return 1
	cat "$work/$_old.out" >>"$work/g.all"
	remember
	further
}
g=a0
linux $g
check 'Linux boots' guest_expect $g 240 '@@ busy'
check '... and works' guest_expect $g 240 '@@ block '
for i in 1 2 3; do
	moves "it moves to the other host, $i" migrates b$i
	moves "... and back, $i" migrates a$i
done
# By ssh, which holds megabytes on the way. The machine there has its terminal for that, so what the guest
# prints is seen only when it is back. (The guest "monitor" would not do: it runs with its caches off, so
# that all of its memory goes while it stands still.)
by_ssh() {
	ctl "$g" migrate "exec:ssh b 'exec armvmm-run $options --append \"console=ttyAMA0 quiet panic=-1\" \
--incoming - --control unix:$work/bs.sock 2>$work/bs.err'" || return 1
	away "$g" && cat "$work/$g.out" >>"$work/g.all" && state_is bs running
}
from_ssh() {
	g=a4
	linux $g --incoming "tcp:$(address $g):7000" && comes_to $g inmigrate || return 1
	ctl bs migrate "tcp:$(address $g):7000" && state_is $g running && remember && further
}
moves 'it moves by ssh' by_ssh
moves '... and back' from_ssh
moves 'and by post-copy' migrates b4 --postcopy
guest_type $g 'end\n'
check 'it ends' guest_expect $g 120 '@@ done'
guest_end $g 60
check '... with status 0' same "$status" 0
cat "$work/$g.out" >>"$work/g.all"
check 'nothing was wrong' nothing_wrong
check 'it saw no lockup' grep -qa '@@ lockups 0' "$work/g.all"
finish
