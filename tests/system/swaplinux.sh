# SPDX-License-Identifier: GPL-2.0-only
# Linux in the guest, with four CPUs that work on files in memory, while the host swaps the guest
# out: more than half of it, again and again. The guest's hashes stay the same.
. ./common.sh
modprobe -q zram || modprobe -q -a zsmalloc zram
echo 400M >/sys/block/zram0/disksize
mkswap /dev/zram0 >/dev/null && swapon /dev/zram0 || fail 'the host has swap'
guest_initrd g <<'SCRIPT'
for n in 1 2 3 4; do
	dd if=/dev/urandom of=/tmp/f$n bs=1M count=11 2>/dev/null
	sum </tmp/f$n >/tmp/s$n
done
say filled
read -r _
say again
for n in 1 2 3 4; do
	sh -c ". /lib.sh; [ \$(sum </tmp/f$n) = \$(cat /tmp/s$n) ] && say ok file $n || say not ok file $n" &
done
wait
say end
SCRIPT
sed '/^for n in 1/,$d' "$work/g.d/cmd" >"$work/g.d/lib.sh"
(cd "$work/g.d" && echo lib.sh | cpio -o -H newc 2>/dev/null) >>"$work/g.initrd"
linux_start g --cpus 4 --memory 128M
check 'the guest fills its memory' guest_expect g 120 '@@ filled'
half() {
	for _ in 1 2 3 4 5 6; do
		./pageout "$pid" || return 1
		now=$(awk '/^VmSwap/ { print $2 }' "/proc/$pid/status")
		echo "in swap: $now kB"
		[ "$now" -lt 65536 ] || return 0
	done
	return 1
}
check 'half of its memory is in swap' half
guest_type g '\n'
while ! grep -q '@@ end' "$work/g.out" && ! ended "$pid"; do
	./pageout "$pid" >/dev/null 2>&1
	usleep 500000
done
check 'the guest reads it again while the host swaps' guest_expect g 1 '@@ end'
guest_end g 60
check 'it powers off: status 0' same "$status" 0
guest_cases g
check 'all four files were unchanged' [ "$(grep -c '@@ ok file' "$work/g.out")" = 4 ]
[ $failed = 0 ] || tail -n 40 "$work/g.out" | tr -d '\r' | sed 's/^/# guest: /'
swapoff /dev/zram0
echo 1 >/sys/block/zram0/reset
finish
