# SPDX-License-Identifier: GPL-2.0-only
# vsock, with Linux in the guest and Unix sockets on its host: connections from both sides, with
# megabytes in both directions at once, on both buses; refusals; a snapshot. Wrong input.
. ./common.sh
. ./vsockguest.sh
v=$work/v
vsock=unix:$v connect="via $v"

# listen PORT [FILE]: a program of the host that listens for the guest.
listen() {
	rm -f "$v"_"$1"
	listens "$1" "${2:-$work/data}" unix-listen "$v"_"$1"
}
try() {
	bus=$1
	rm -f "$v"_*
	listen 700
	listen_open 702
	start
	check "$bus: a guest starts" guest_expect g 120 '@@ listening'
	speaks
}

try mmio
again 'it connects while another connection is open'
guest_cases g
gone() { ! [ -e "$v" ]; }
check 'mmio: the socket has gone with it' wait_for 20 gone
[ $failed = 0 ] || sed 's/^/# guest: /' "$work/g.out" | tr -d '\r' | tail -n 40

try pcie
comes_back

# Wrong input.
wrong() { status_of "$1" "$2" armvmm-run --kernel monitor --vsock "$3"; }
check 'the host has no guest number 2' wrong 2 'cid must be 3 to 4294967294' "cid=2,unix:$v"
check 'a guest needs a number' wrong 2 'needs cid=N' "unix:$v"
check 'its host needs a socket' wrong 2 'needs unix:PATH' cid=3
check 'a word that it does not know is refused' wrong 2 'unknown word "vhots=on"' "cid=3,unix:$v,vhots=on"
check 'a folder that is not there is named' wrong 1 '/nowhere: No such file' 'cid=3,unix:/nowhere/v'
echo >"$work/file"
check 'a file is not overwritten' wrong 1 'is no socket' "cid=3,unix:$work/file"
guest_start m --kernel monitor --vsock "cid=3,unix:$v"
check 'a guest without a driver' guest_expect m 60 ready
check 'refuses' refuses 5000
check 'a path in use is refused' wrong 1 'is in use by a running process' "cid=3,unix:$v"
guest_type m p
guest_end m 20
check 'it powers off: status 0' same "$status" 0
finish
