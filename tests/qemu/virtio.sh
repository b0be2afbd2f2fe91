# SPDX-License-Identifier: GPL-2.0-only
# Disks, network cards and a serial port, attached in every way: virtio over MMIO; virtio and others
# over PCI, with MSIs by GICv2m and with INTx; vhost-net in the host's kernel; and with the
# interrupt controller in QEMU. Sums are compared on both sides.
. ./lib.sh

mkdir "$work/www"
dd if=/dev/urandom of="$work/www/file" bs=64k count=24 2>/dev/null
httpd -f -p 8080 -h "$work/www" &
guests="$guests $!"
modprobe -q -a tun vhost_net
tunctl -t tap0 >/dev/null && ip addr add 192.168.77.1/24 dev tap0 && ip link set tap0 up ||
	fail 'a tap in the host'

user="-netdev user,id=n,hostfwd=tcp:127.0.0.1:7001-:7000"
# road NAME SERVER QEMU-ARG...: tests a guest with these devices, whose network reaches SERVER.
road() {
	name=$1 server=$2
	shift 2
	dd if=/dev/urandom of="$work/a" bs=64k count=64 2>/dev/null
	truncate -s 16M "$work/a"
	dd if=/dev/urandom of="$work/b" bs=64k count=16 2>/dev/null
	a_before=$(dd if="$work/a" bs=64k count=64 2>/dev/null | sum) b_before=$(sum <"$work/b")
	guest_initrd "$name" disk net <<-SCRIPT
		dmesg -n 1
		if [ $server = 192.168.77.1 ]; then
			ip link set eth0 up
			holds "its network card has an address" ip addr add 192.168.77.2/24 dev eth0
		else
			holds "it gets an address by DHCP" dhcp
		fi
		disk_test
		net_test $server 8080
		say "msi \$(grep -cE 'MSI.*virtio' /proc/interrupts)"
		if [ -c /dev/ttyS0 ] && stty -F /dev/ttyS0 raw; then echo through PCI >/dev/ttyS0; fi
		say end
	SCRIPT
	linux_qemu "$name" -smp 2 -m 128 -drive "if=none,id=a,format=raw,file=$work/a" \
		-drive "if=none,id=b,format=raw,readonly=on,file=$work/b" "$@"
	guest_expect "$name" 200 '@@ serving' >"$work/serving" || cat "$work/serving"
	fetch() {
		timeout 60 nc $([ $server = 10.0.2.2 ] && echo 127.0.0.1 7001 || echo 192.168.77.2 7000) \
			<"$work/$name.in.hold" >"$work/served"
		[ -s "$work/served" ]
	}
	mkfifo "$work/$name.in.hold"
	sleep 1000 >"$work/$name.in.hold" &
	guests="$guests $!"
	check "$name: the host reaches a server in the guest" wait_for 60 fetch
	check "$name: ... and gets what it serves" same "$(guest_sum "$name" serves)" "$(sum <"$work/served")"
	eventfds=$(ls -l "/proc/$pid/fd" | grep -c eventfd)
	vhost=$(ls -l "/proc/$pid/fd" | grep -c /dev/vhost-net)
	check "$name: the guest came to its end" guest_expect "$name" 100 '@@ end'
	guest_end "$name" 60
	check "$name: status 0" same "$status" 0
	check "$name: the guest fetched a file, unchanged" same "$(guest_sum "$name" fetched)" "$(sum <"$work/www/file")"
	check "$name: it read what the host wrote" same "$(guest_sum "$name" host-wrote)" "$a_before"
	check "$name: the host reads what it wrote" same "$(guest_sum "$name" guest-wrote)" \
		"$(dd if="$work/a" bs=64k skip=64 count=64 2>/dev/null | sum)"
	check "$name: ... and so does it" same "$(guest_sum "$name" guest-wrote)" "$(guest_sum "$name" guest-reads)"
	check "$name: a read-only disk stays as it is" same "$(guest_sum "$name" readonly) $(sum <"$work/b")" \
		"$b_before $b_before"
	guest_cases "$name"
}
msis() { sed -n 's/^@@ msi //p' "$work/$1.out" | tr -d '\r'; }
# The guest finds virtio-mmio slots in reverse order: the last device gets the first name.
road mmio 10.0.2.2 -device virtio-blk-device,drive=b -device virtio-blk-device,drive=a $user \
	-device virtio-net-device,netdev=n
check 'mmio: queues are kicked by eventfds' [ "$eventfds" -gt 3 ]

road pci 192.168.77.1 -device virtio-blk-pci,drive=a -device virtio-blk-pci,drive=b \
	-netdev tap,id=n,ifname=tap0,script=no,downscript=no,vhost=on \
	-device virtio-net-pci,netdev=n,romfile= -chardev "file,id=pci,path=$work/serial" \
	-device pci-serial,chardev=pci
check 'pci: the kernel of the host serves the tap' [ "$vhost" = 1 ]
check 'pci: interrupts are MSIs' [ "$(msis pci)" -gt 3 ]
check 'pci: the serial port writes' grep -q 'through PCI' "$work/serial"

road usergic 10.0.2.2 -machine kernel-irqchip=off -device virtio-blk-device,drive=a \
	-device virtio-blk-pci,drive=b $user -device e1000,netdev=n,romfile=
check 'usergic: those of the disk are MSIs' [ "$(msis usergic)" -gt 1 ]
tunctl -d tap0 >/dev/null
qemu_finish
