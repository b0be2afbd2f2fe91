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
check 'it moves to the other host' by_tcp a b
check '... where its disk is in use' status_of 1 'in use by another virtual machine' \
	armvmm-run --kernel monitor --disk "$disk"
check '... and back' by_tcp b a
check '... there again, by post-copy' by_tcp a b --postcopy
check '... and back' by_tcp b a --postcopy
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
finish
