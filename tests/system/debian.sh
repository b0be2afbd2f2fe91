# SPDX-License-Identifier: GPL-2.0-only
# debian.sh CPUS...: starts a Debian guest for each argument, all at once, with the root disks
# /dev/vda, vdb ... A single guest reboots first. Then each uses its disks, its network and apt.
# /guest has the kernel and initrd, /mirror the packages for apt. Run by outside/debian.
. ./common.sh
modprobe -q virtio_blk
httpd -f -p 8080 -h /mirror &
guests="$guests $!"
reboot=
[ $# != 1 ] || reboot=1
n=0
for cpus in "$@"; do
	n=$((n + 1))
	d=$(echo a b c d | cut -d' ' -f$n)
	mkdir "$work/d$n.d"
	{
		echo "cpus=$cpus name=d$n reboot=$reboot"
		cat guest/debian
	} >"$work/d$n.d/cmd"
	cp /guest/initrd "$work/d$n.initrd"
	(cd "$work/d$n.d" && echo cmd | cpio -o -H newc 2>/dev/null) >>"$work/d$n.initrd"
	dd if=/dev/urandom of="$work/d$n.img" bs=64k count=64 2>/dev/null
	truncate -s 8M "$work/d$n.img"
	dd if="$work/d$n.img" bs=64k count=64 2>/dev/null | sum >"$work/d$n.before"
	guest_start "d$n" --kernel /guest/zImage --initrd "$work/d$n.initrd" --cpus "$cpus" \
		--append 'console=ttyAMA0 quiet loglevel=3' --memory 256M --net user,loopback=on --grace 190 \
		--disk "/dev/vd$d" --disk "$work/d$n.img"
done
n=0
for cpus in "$@"; do
	n=$((n + 1))
	[ -z "$reboot" ] || check 'Debian boots, and reboots' guest_expect d$n 400 '@@ first boot'
	check "Debian boots with $cpus CPUs" guest_expect d$n 400 '@@ up'
	check '... does its work' guest_expect d$n 400 "@@ done d$n"
	eval "kill -TERM \$pid_d$n"
	guest_end d$n 200
	check '... powers off at the press of the power button: status 0' same "$status" 0
	guest_cases d$n
	check 'it read what the host wrote' same "$(guest_sum d$n host-wrote)" "$(cat "$work/d$n.before")"
	check 'the host reads what it wrote' same "$(guest_sum d$n guest-wrote)" \
		"$(dd if="$work/d$n.img" bs=64k skip=64 count=64 2>/dev/null | sum)"
	check 'and so does it itself' same "$(guest_sum d$n guest-wrote)" "$(guest_sum d$n guest-reads)"
	check 'apt fetched the package as it is' same "$(guest_sum d$n package)" \
		"$(cat /mirror/armvmm-probe*.deb | sum)"
	[ $failed = 0 ] || tail -n 60 "$work/d$n.out" | tr -d '\r' | sed 's/^/# guest: /'
done
finish
