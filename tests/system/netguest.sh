# SPDX-License-Identifier: GPL-2.0-only
# What the tests of cards have in common whose guest runs net_test: it is 192.168.77.2, fetches a file
# from 192.168.77.1, and serves one. Sourced, after common.sh; $bus is the card's.
sock=$work/sock snap=$work/snap
initrd=initrd.pci
ctl() { armvmm-ctl "$sock" "$@"; }

modprobe -q tun
mkdir "$work/www"
dd if=/dev/urandom of="$work/www/file" bs=64k count=64 2>/dev/null
data_sum=$(sum <"$work/www/file")
httpd -f -p 8080 -h "$work/www" &
guests="$guests $!"

# Input that does not end: nc leaves when either side has ended.
mkfifo "$work/hold"
sleep 10000 >"$work/hold" &
guests="$guests $!"
fetch() {
	scaled 20
	timeout $_seconds nc 192.168.77.2 7000 <"$work/hold" >"$work/served"
	[ -s "$work/served" ]
}
# Sums that the guest has said so far are old ones.
carries() {
	check "$bus: $1: the guest fetches a file" guest_expect g 120 '@@ sum fetched'
	check "$bus: $1: the whole of it" same "$(guest_sum g fetched)" "$data_sum"
	check "$bus: $1: the guest serves one" guest_expect g 60 '@@ serving'
	check "$bus: $1: which the host fetches" wait_for 60 fetch
	check "$bus: $1: the whole of it" same "$(guest_sum g serves)" "$(sum <"$work/served")"
	check "$bus: $1: it is served" guest_expect g 60 '@@ served'
}
