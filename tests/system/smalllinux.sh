# SPDX-License-Identifier: GPL-2.0-only
# A stock kernel with busybox boots with two CPUs, reboots in place, and works on its disks. It
# needs no network, file system or loop device of the host: for hosts whose kernels have few
# drivers.
. ./common.sh
cd "$dir" || exit 1
dd if=/dev/urandom of="$work/a" bs=64k count=64 2>/dev/null
truncate -s 16M "$work/a"
a_before=$(dd if="$work/a" bs=64k count=64 2>/dev/null | sum)

guest_initrd g disk console <<'SCRIPT'
dmesg -n 1
reboot_once
holds "2 CPUs are online" has_cpus 2
console_test
say "sum host-wrote $(disk_sum /dev/vda 0 64)"
dd if=/dev/urandom of=/dev/vda bs=64k seek=64 count=64 conv=fsync 2>/dev/null
say "sum guest-wrote $(disk_sum /dev/vda 64 64)"
# Writes and reads all free memory: what the guest gets from the host belongs to it alone.
fill() {
	mount -t tmpfs -o size=100m tmpfs /mnt
	dd if=/dev/urandom of=/mnt/one bs=1M count=40 2>/dev/null
	cp /mnt/one /mnt/two
	[ "$(sum </mnt/one)" = "$(sum </mnt/two)" ]
}
mkdir -p /mnt
holds "80 MiB of memory hold what was written" fill
holds "sleeping threads wake in order, and not early" sleeper order $((200 * ${SLOWDOWN:-1}))
say end
SCRIPT
linux_start g --cpus 2 --memory 192M --disk "$work/a"
check 'the guest reboots in place' guest_expect g 120 '@@ second boot'
guest_expect g 60 '@@ console' >/dev/null
guest_type g 'a line for the guest\n'
check 'a line reaches the guest' guest_expect g 20 '@@ line a line for the guest'
guest_expect g 20 '@@ bulk-input' >/dev/null
head -c 8192 /dev/urandom >"$work/keys"
cat "$work/keys" >"$work/g.in"
check '8 KiB reach the guest' guest_expect g 60 '@@ sum console-in'
check '... as they were sent' same "$(guest_sum g console-in)" "$(sum <"$work/keys")"
check 'the guest came to its end' guest_expect g 120 '@@ end'
guest_end g 30
check 'it powers off: status 0' same "$status" 0
check 'the guest read what the host wrote' same "$(guest_sum g host-wrote)" "$a_before"
check 'the host reads what the guest wrote' same "$(guest_sum g guest-wrote)" \
	"$(dd if="$work/a" bs=64k skip=64 count=64 2>/dev/null | sum)"
guest_cases g
[ $failed = 0 ] || sed 's/^/# guest: /' "$work/g.out" | tr -d '\r' | tail -n 40
finish
