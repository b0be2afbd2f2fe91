# SPDX-License-Identifier: GPL-2.0-only
# efidebian.sh U-BOOT UEFI PASSWORD DISK KERNELS: Debian on DISK, as its installer leaves it, boots by
# Debian's UEFI and GRUB alone. A user installs another kernel, from the file system on KERNELS, and
# reboots into it. U-Boot boots the same disk. outside/efi-debian runs this in the emulated host and,
# with reference=1, on the build machine with QEMU's board.
. ./efi.sh
uboot=$1 uefi=$2 password=$3 disk=$4 kernels=$5
truncate -s 64M "$work/vars" "$work/none"

# log_in CASE HOST: the password is typed when it is asked for: what comes before is lost.
logins=0
asked() { [ "$(grep -ao 'Password: ' "$work/d.out" | wc -l)" -ge $logins ]; }
log_in() {
	logins=$((logins + 1))
	check "$1" guest_expect d 1500 "$2 login: "
	guest_type d 'root\n'
	wait_for 200 asked
	guest_type d "$password\n"
	check '... and lets the user in' guest_expect d 400 "root@$2:~#"
	# A shell that does not write to the terminal before a command's output.
	guest_type d 'exec sh\n'
}

# tells WHAT COMMAND: what the guest's command prints, behind "@@ WHAT". The terminal shows what is
# typed, too, so that has no "@@".
tells() {
	guest_type d "echo @''@ $1 \$($2)\n"
	guest_expect d 300 "@@ $1 "
}
# told WHAT: what it printed.
told() { tr -d '\r' <"$work/d.out" | sed -n "s/.*@@ $1 //p" | tail -n 1; }

efi_start d "$uefi" "$work/vars" --disk "$disk" --disk "$kernels"
log_in 'Debian boots by firmware alone' guest
tells kernel 'uname -r'
old=$(told kernel)
check 'its kernel was started by UEFI' tells efi 'cat /sys/firmware/efi/fw_platform_size'
check '... of 32 bits' same "$(told efi)" 32
tells root 'findmnt -no SOURCE,FSTYPE /'
check 'its root is a partition' same "$(told root)" '/dev/vda2 ext4'
tells esp 'findmnt -no SOURCE,FSTYPE /boot/efi'
check '... and the firmware has another' same "$(told esp)" '/dev/vda1 vfat'
guest_type d "mount -o ro /dev/vdb /mnt && dpkg -i /mnt/*.deb; echo @''@ installed \$?.\n"
check 'the user installs another kernel' guest_expect d 3000 '@@ installed 0.'
guest_type d 'echo again >/etc/hostname; reboot\n'
log_in 'Debian reboots, by firmware alone' again
tells new 'uname -r'
new=$(told new)
check '... into the other kernel' same "$new" "$old-lpae"
tells errors 'systemctl --failed --no-legend | wc -l'
check 'no service has failed' same "$(told errors)" 0
guest_type d 'poweroff\n'
guest_end d 600
check 'it powers off: status 0' same "$status" 0
efi_start u "$uboot" "$work/none" --disk "$disk"
check 'U-Boot boots the same disk to its login' guest_expect u 1500 ' login: '
[ $failed = 0 ] || tail -c 6000 "$work/d.out" | tr -d '\r' | sed 's/^/# /'
finish
