# SPDX-License-Identifier: GPL-2.0-only
# A stock kernel whose disks, network card, console and random numbers are PCI devices. It reboots
# once, compares what goes over them, and goes on from a snapshot. Each device has its messages.
. ./common.sh
cd "$dir" || exit 1
sock=$work/sock
snap=$work/snap
initrd=initrd.pci
mkdir "$work/www"
dd if=/dev/urandom of="$work/a" bs=64k count=64 2>/dev/null
dd if=/dev/urandom of="$work/b" bs=64k count=16 2>/dev/null
dd if=/dev/urandom of="$work/www/file" bs=64k count=24 2>/dev/null
a_before=$(sum <"$work/a")
truncate -s 17M "$work/a"
truncate -s 8M "$work/b"
httpd -f -p 8080 -h "$work/www" &
guests="$guests $!"

guest_initrd g disk net <<'SCRIPT'
cpus=2
dmesg -n 1
reboot_once
pci=/sys/bus/pci/devices
# id SLOT VENDOR:DEVICE CLASS
id() {
	cat $pci/0000:00:0$1.0/vendor $pci/0000:00:0$1.0/device $pci/0000:00:0$1.0/class
	[ "$(cat $pci/0000:00:0$1.0/vendor):$(cat $pci/0000:00:0$1.0/device)" = "$2" ] &&
		[ "$(cat $pci/0000:00:0$1.0/class)" = "$3" ]
}
# messages SLOT NR: all its interrupts are by MSI-X.
messages() {
	ls $pci/0000:00:0$1.0/msi_irqs
	cat $pci/0000:00:0$1.0/msi_irqs/*
	[ "$(cat $pci/0000:00:0$1.0/msi_irqs/* | grep -cx msix)" = "$2" ]
}
# came SLOT N: its N-th message has come, on whichever CPU.
came() {
	irq=$(ls $pci/0000:00:0$1.0/msi_irqs | sort -n | sed -n "$2p")
	grep "^ *$irq:" /proc/interrupts
	[ "$(awk -v irq="$irq:" '$1 == irq { print $2 + $3 }' /proc/interrupts)" -gt 0 ]
}
holds "there is no virtio-mmio device" sh -c '! ls /sys/bus/platform/devices | grep virtio'
holds "the host bridge is in slot 0" id 0 0x1b36:0x0008 0x060000
holds "a disk is in slot 1" id 1 0x1af4:0x1042 0x010000
holds "a disk is in slot 2" id 2 0x1af4:0x1042 0x010000
holds "a network card is in slot 3" id 3 0x1af4:0x1041 0x020000
holds "a console is in slot 4" id 4 0x1af4:0x1043 0x078000
holds "random numbers are in slot 5" id 5 0x1af4:0x1044 0x00ff00
wait_disk /dev/vda
holds "a disk has its messages" messages 1 2
holds "the card has its messages" messages 3 3
holds "the console has its messages" messages 4 3
holds "the disk's message came" came 1 2
holds "it gets an address by DHCP" dhcp
holds "the card's messages came" came 3 2
holds "the host gives random numbers" sh -c 'head -c 1000 /dev/hwrng | wc -c | grep -qx 1000'
disk_test
net_test 10.0.2.2 8080
holds "each register has the value that was written" sh -c '
	printf "\x55" | dd of=/sys/bus/pci/devices/0000:00:01.0/config bs=1 seek=60 conv=notrunc &&
		[ "$(dd if=/sys/bus/pci/devices/0000:00:01.0/config bs=1 skip=60 count=1 | od -An -tx1)" = " 55" ]'
# The driver leaves the device, which is reset, and comes back to it.
rebind() {
	echo virtio1 >/sys/bus/virtio/drivers/virtio_blk/unbind
	echo 0000:00:02.0 >/sys/bus/pci/drivers/virtio-pci/unbind
	[ ! -b /dev/vdb ] || return 1
	echo 1 >$pci/0000:00:02.0/reset || return 1
	echo 0000:00:02.0 >/sys/bus/pci/drivers/virtio-pci/bind
	wait_disk /dev/vdb
}
holds "a device is given up, reset and taken again" rebind
say "sum rebound $(disk_sum /dev/vdb 0 16)"
exec <>/dev/hvc0 >&0 2>&1
say console
read -r line
say "line $line"
say "sum restored $(disk_sum /dev/vda 64 64)"
holds "the disk's message came" came 1 2
holds "it gets its address again" dhcp
holds "nothing was wrong" sh -c '! dmesg | grep -v "command line" | grep -iE "nobody cared|call trace|timeout|pci.*(error|fail)"'
say "end"
SCRIPT

start() {
	linux_start g --cpus 2 --memory 128M --disk "$work/a,bus=pcie" --disk "$work/b,bus=pcie,ro" \
		--net user,loopback=on,hostfwd=tcp:127.0.0.1:7001-:7000,bus=pcie \
		--console virtio,bus=pcie --device virtio-rng,bus=pcie --control "unix:$sock" "$@"
}
start
check 'the guest reboots in place' guest_expect g 120 '@@ second boot'
guest_expect g 120 '@@ serving' >/dev/null
mkfifo "$work/hold"
sleep 10000 >"$work/hold" &
guests="$guests $!"
fetch() {
	scaled 20
	timeout $_seconds nc 127.0.0.1 7001 <"$work/hold" >"$work/served"
	[ -s "$work/served" ]
}
check 'the host reaches a server in the guest' wait_for 60 fetch
check '... and gets what it serves' same "$(guest_sum g serves)" "$(sum <"$work/served")"
check 'the guest is at its console' guest_expect g 120 '@@ console'
check 'the guest fetched a file unchanged' same "$(guest_sum g fetched)" "$(sum <"$work/www/file")"
check 'it read what the host wrote' same "$(guest_sum g host-wrote)" "$a_before"
check 'the host reads what it wrote' same "$(guest_sum g guest-wrote)" \
	"$(dd if="$work/a" bs=64k skip=64 count=64 2>/dev/null | sum)"
check 'it reads what it wrote' same "$(guest_sum g guest-wrote)" "$(guest_sum g guest-reads)"
check 'it reads a disk that it took again' same "$(guest_sum g rebound)" "$(guest_sum g readonly)"

cat "$work/g.out" >"$work/before"
ctl() { armvmm-ctl "$sock" "$@"; }
leave() { ctl stop && ctl snapshot "$snap" && ctl quit && guest_end g 60; }
check 'it is saved' leave
start --restore "$snap"
wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = paused ]"
check 'it goes on' ctl cont
guest_type g 'hello there\n'
check 'its console gets what is typed' guest_expect g 60 '@@ line hello there'
check 'it came to its end' guest_expect g 120 '@@ end'
guest_end g 30
check 'it powers off: status 0' same "$status" 0
check 'it reads what it wrote before it was saved' same "$(guest_sum g restored)" \
	"$(dd if="$work/a" bs=64k skip=64 count=64 2>/dev/null | sum)"
guest_all g "$work/before"
finish
