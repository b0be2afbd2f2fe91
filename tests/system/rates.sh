# SPDX-License-Identifier: GPL-2.0-only
# Rates of disks and cards, with Linux in the guest: what it moves takes the time that its rate says,
# and no more than twice that; beside each is a disk or a card without a rate, which takes less.
. ./common.sh
initrd=initrd.pci

modprobe -q tun
mkdir "$work/www"
dd if=/dev/urandom of="$work/www/file" bs=64k count=16 2>/dev/null
httpd -f -p 8080 -h "$work/www" &
guests="$guests $!"
# Input that does not end: nc leaves when either side has ended.
mkfifo "$work/hold"
sleep 10000 >"$work/hold" &
guests="$guests $!"
for d in bytes requests free; do
	truncate -s 16M "$work/$d"
done

guest_initrd g <<'SCRIPT'
dmesg -n 1
modprobe -q virtio_pci
for d in a b c; do wait_disk /dev/vd$d; done
for n in 0 1 2; do
	ip link set eth$n up
	ip addr add 192.168.7$n.2/24 dev eth$n
	# The first frames are ARP's.
	ping -c 1 192.168.7$n.1 >/dev/null
done
now() {
	read -r t _ </proc/uptime
	echo "${t%.*}${t#*.}"
}
# takes NAME CMD...: hundredths of a second.
takes() {
	name=$1
	shift
	begin=$(now)
	"$@" >/tmp/out 2>&1 || holds "$name" cat /tmp/out
	say "took $name $(($(now) - begin))"
}
reads() { dd if=/dev/$1 of=/dev/null bs=$2 count=$3 iflag=direct; }
writes() { dd if=/dev/zero of=/dev/$1 bs=$2 count=$3 oflag=direct; }
fetches() { wget -q -O /dev/null http://192.168.7$1.1:8080/file; }
# The host sees when all of it has come.
sends() {
	say "sends $1"
	dd if=/dev/zero bs=64k count=16 2>/dev/null | timeout 100 nc -l -p 7000 >/dev/null
}
pings() { ping -q -A -c 300 192.168.7$1.1; }
takes disk-bytes reads vda 64k 64
takes disk-bytes-written writes vda 64k 64
takes disk-bytes-free reads vdc 64k 64
takes disk-requests reads vdb 4k 200
takes disk-requests-free reads vdc 4k 200
takes net-fetched fetches 0
takes net-fetched-free fetches 2
takes net-frames pings 1
takes net-frames-free pings 2
sends 0
sends 2
holds 'nothing was wrong' sh -c '! dmesg | grep -iE "nobody cared|call trace|I/O error"'
say end
read -r _
SCRIPT

linux_start g --memory 96M --disk "$work/bytes,bps=1M" --disk "$work/requests,iops=50" \
	--disk "$work/free,bus=pcie" --net tap=tap0,bps=256K --net tap=tap1,pps=100 --net tap=tap2
for n in 0 1 2; do
	wait_for 20 ip link set tap$n up
	ip addr add 192.168.7$n.1/24 dev tap$n
done
now() {
	read -r t _ </proc/uptime
	echo "${t%.*}${t#*.}"
}
# gets NAME N: from the card N; says how long it takes, as the guest does.
gets() {
	guest_expect g 300 "@@ sends $2" || return
	_begin=$(now)
	# The guest may not listen yet: it is asked again.
	until timeout 60 nc 192.168.7$2.2 7000 <"$work/hold" >"$work/sent$2" && [ -s "$work/sent$2" ]; do
		_begin=$(now)
		usleep 10000
	done
	echo "@@ took $1 $(($(now) - _begin))" >>"$work/took"
}
gets net-sent 0
gets net-sent-free 2
check 'a guest has moved all' guest_expect g 300 '@@ end'
guest_type g '\n'
guest_end g 60
check 'it powers off: status 0' same "$status" 0
guest_cases g
check 'what it sent has arrived' same "$(sum <"$work/sent0")" "$(head -c 1048576 /dev/zero | sum)"
check '... on both cards' cmp "$work/sent0" "$work/sent2"

took() { cat "$work/g.out" "$work/took" | tr -d '\r' | sed -n "s/^@@ took $1 //p"; }
# limited NAME FREE LEAST: NAME took LEAST hundredths of a second at least, and less than twice that;
# and FREE, which does the same without a rate, less than half of LEAST.
limited() {
	_is=$(took "$1") _free=$(took "$2")
	echo "$_is hundredths of a second, $_free without a rate"
	[ "$_is" -ge "$3" ] && [ "$_is" -lt $(($3 * 2)) ] && [ "$_free" -lt $(($3 / 2)) ]
}
# What is free is the burst of 100 ms, and what is only paid for by the next request: the last one.
# 4 MiB at 1 MiB/s, less 102 and 64 KiB
check 'bps= of a disk that is read' limited disk-bytes disk-bytes-free 383
check 'bps= of a disk that is written' limited disk-bytes-written disk-bytes-free 383
# 200 requests at 50, less 5 and 1
check 'iops= of a disk' limited disk-requests disk-requests-free 388
# 1 MiB at 256 KiB/s, less 26 and 64 KiB, a large frame
check 'bps= of a card that receives' limited net-fetched net-fetched-free 365
check 'bps= of a card that sends' limited net-sent net-sent-free 365
# 300 at 100, less 10 and 1
check 'pps= of a card' limited net-frames net-frames-free 289
finish
