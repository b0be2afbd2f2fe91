# SPDX-License-Identifier: GPL-2.0-only
# vexpress.sh DTB: a stock kernel for many boards (ARCH_MULTI_V7) boots on a Versatile Express, with
# DTB, the tree of the real board, and works on its devices. outside/vexpress runs this in the
# emulated host, where the machine also makes a tree of its own; and, with reference=1, on the build
# machine with QEMU's vexpress-a15.
command -v usleep >/dev/null || usleep() { sleep 0.1; }
. ./common.sh
cd "$dir" || exit 1
dtb=$1
: "${reference:=}"

# What the guest finds of its board.
guest_initrd board disk <<SCRIPT
dmesg -n 1
say "model \$(tr -d '\0' </proc/device-tree/model)"
say "ram \$(awk '/System RAM/ { sub("-.*", "", \$1); print \$1; exit }' /proc/iomem)"
say "memory \$(awk '/^MemTotal/ { print (\$2 > 160000 && \$2 < 200000) ? "fits" : \$2 }' /proc/meminfo)"
say "cpus \$(nproc)"
say "ports \$(ls -d /sys/class/tty/ttyAMA? | wc -l)"
say "irqs \$(awk '/uart-pl011|rtc-pl031|virtio0/ { print \$(NF - 2), \$NF }' /proc/interrupts | sort | tr '\n' ' ')"
wait_disk /dev/vda
say "sum host-wrote \$(disk_sum /dev/vda 0 16)"
dd if=/dev/urandom of=/dev/vda bs=64k seek=16 count=16 conv=fsync 2>/dev/null
say "sum guest-wrote \$(disk_sum /dev/vda 16 16)"
clock=/sys/devices/system/clocksource/clocksource0
say "clocks \$(tr ' ' '\n' <\$clock/available_clocksource | grep sp804)"
# The SP804 becomes the guest's clock.
echo arm,sp804 >\$clock/current_clocksource
say "clock \$(cat \$clock/current_clocksource)"
holds "sleeping threads wake in order by the SP804, and not early" sleeper order $((200 * ${SLOWDOWN:-1}))
holds "the PL031 tells the time of day" sh -c '[ \$(cat /sys/class/rtc/rtc0/since_epoch) -gt 1700000000 ]'
read -r line
say "line \$line"
say end
SCRIPT

# board_start NAME ARG...: the guest on the machine of armvmm-run that is in \$machine, or on QEMU's.
board_start() {
	_name=$1
	shift
	dd if=/dev/urandom of="$work/$_name.disk" bs=64k count=16 2>/dev/null
	truncate -s 4M "$work/$_name.disk"
	before=$(dd if="$work/$_name.disk" bs=64k count=16 2>/dev/null | sum)
	append="console=ttyAMA0 quiet panic=-1 watchdog_thresh=$((10 * ${SLOWDOWN:-1}))"
	if [ -n "$reference" ]; then
		vmm=qemu-system-arm guest_start "$_name" -M vexpress-a15 -m 192M -nodefaults -display none \
			-audiodev none,id=none -no-reboot -chardev stdio,id=serial,signal=off -serial chardev:serial \
			-kernel zImage -initrd "$work/board.initrd" -append "$append" \
			-drive "if=none,id=disk,format=raw,file=$work/$_name.disk" \
			-device virtio-blk-device,drive=disk "$@"
	else
		guest_start "$_name" --machine "$machine" --memory 192M --kernel zImage \
			--initrd "$work/board.initrd" --append "$append" --disk "$work/$_name.disk" "$@"
	fi
}

told() { tr -d '\r' <"$work/$1.out" | sed -n "s/^@@ $2 //p" | tail -n 1; }

# board_works NAME MODEL RAM CPUS: what that guest tells.
board_works() {
	check "$1: the kernel comes to its shell" guest_expect "$1" 240 '@@ clock'
	check '... on that board' same "$(told "$1" model)" "$2"
	check '... with its memory' same "$(told "$1" ram) $(told "$1" memory)" "$3 fits"
	check '... and its CPUs' same "$(told "$1" cpus)" "$4"
	check '... and four serial ports' same "$(told "$1" ports)" 4
	check '... and interrupts' grep '^@@ irqs 36 rtc-pl031 37 uart-pl011 [0-9]* virtio0' "$work/$1.out"
	check 'the guest reads what the host wrote' same "$(guest_sum "$1" host-wrote)" "$before"
	check 'the host reads what the guest wrote' same "$(guest_sum "$1" guest-wrote)" \
		"$(dd if="$work/$1.disk" bs=64k skip=16 count=16 2>/dev/null | sum)"
	check 'it can take an SP804 as its clock' same "$(told "$1" clock)" arm,sp804
	guest_type "$1" 'typed\n'
	check 'a line reaches the guest' guest_expect "$1" 60 '@@ line typed'
	check 'it comes to its end' guest_expect "$1" 60 '@@ end'
	guest_cases "$1"
	guest_end "$1" 60
	check 'it powers off: status 0' same "$status" 0
}

if [ -n "$reference" ]; then
	board_start board -dtb "$dtb"
	# The tree has two CPUs, and this machine one.
	board_works board V2P-CA15 80000000 1
	finish
fi

machine=vexpress-a15
board_start board --dtb "$dtb" --cpus 2
board_works board V2P-CA15 80000000 2

# With a tree of its own, and memory at the other place.
machine=fvp-ve,ram=0xc0000000
board_start own --cpus 1
board_works own RTSM_VE_Cortex-A15x1 c0000000 1

# The guest's state moves to a machine that is alike, and to no other.
not_another() {
	status_of 1 "part machine: the guest's machine was vexpress-a15, and is virt here (--machine)" \
		armvmm-run --restore "$work/snapshot" --memory 192M --kernel zImage
}
machine=vexpress-a15
board_start first --dtb "$dtb" --control "unix:$work/control"
check 'a guest is there to be saved' guest_expect first 240 '@@ clock'
check 'it is saved' armvmm-ctl "$work/control" snapshot "$work/snapshot"
armvmm-ctl "$work/control" quit >/dev/null
guest_end first 60
check 'another machine does not take it' not_another
guest_start again --machine vexpress-a15 --memory 192M --disk "$work/first.disk" --kernel zImage \
	--restore "$work/snapshot"
guest_type again 'typed\n'
check 'a machine that is alike goes on with it' guest_expect again 120 '@@ line typed'
check '... to its end' guest_expect again 60 '@@ end'
guest_cases again
guest_end again 60
check 'and powers off: status 0' same "$status" 0

# Nobody can press a button that is not there.
machine=vexpress-a15
board_start signalled --dtb "$dtb"
check 'a guest is there to be ended' guest_expect signalled 240 '@@ clock'
kill -TERM "$pid"
guest_end signalled 20
check 'SIGTERM ends a guest without a button at once: status 4' same "$status" 4
check '... and the message says so' grep -q 'has no power button' "$work/signalled.err"
[ $failed = 0 ] || for g in board own first again; do
	{ tr -d '\r' <"$work/$g.out" | tail -n 30; cat "$work/$g.err"; } | sed 's/^/# /'
done
finish
