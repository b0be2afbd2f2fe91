# SPDX-License-Identifier: GPL-2.0-only
# Debian's U-Boot, in u-boot/, starts in flash, and keeps its environment in the second bank: over a
# reset, and over a new start.
. ./common.sh
cd "$dir" || exit 1
truncate -s 64M "$work/vars"

# uboot_start NAME FLASH ARG...: starts U-Boot, up to its prompt.
uboot_start() {
	_uboot=$1 _flash=$2
	shift 2
	guest_start "$_uboot" --firmware u-boot/u-boot.bin --flash "$_flash" --memory 128M "$@"
	check "$_uboot: U-Boot starts" guest_expect "$_uboot" 120 'Hit any key to stop autoboot'
	guest_type "$_uboot" '\n'
	check "$_uboot: U-Boot shows its prompt" guest_expect "$_uboot" 60 '=> '
}

# uboot_says NAME SECONDS COMMAND TEXT: U-Boot's answer to COMMAND contains TEXT. Nothing may be
# typed before a command has ended: some commands check for Ctrl-C meanwhile, and drop other input.
nr=0
uboot_says() {
	nr=$((nr + 1))
	guest_type "$1" "$3; echo @@\${none}$nr\n"
	guest_expect "$1" "$2" "@@$nr" && grep -aF -- "$4" "$work/$1.out"
}

uboot_start first "$work/vars"
check 'it has both banks of flash' grep 'Flash: 64 MiB' "$work/first.out"
check 'and finds no environment there' grep 'bad CRC, using default environment' "$work/first.out"
check 'it writes its environment' uboot_says first 180 'setenv kept in flash; saveenv' \
	'Writing to Flash... done'
guest_type first 'setenv kept lost; reset\n'
check 'it resets' wait_for 180 sh -c "[ \$(grep -c 'Hit any key' $work/first.out) = 2 ]"
guest_type first '\n'
check 'after the reset the environment is there' uboot_says first 60 'printenv kept' 'kept=in flash'
check 'the file has it' grep -q 'kept=in flash' "$work/vars"
guest_type first 'poweroff\n'
guest_end first 60
check 'it powers off: status 0' same "$status" 0

# A read-only file is not written, and U-Boot gets an error.
before=$(sum <"$work/vars")
uboot_start second "$work/vars,ro"
check 'a new start finds the environment' uboot_says second 60 'printenv kept' 'kept=in flash'
check 'it cannot write flash that is read-only' uboot_says second 60 'setenv kept changed; saveenv' \
	'Flash not Erased'
check '... which stays as it is' same "$before" "$(sum <"$work/vars")"
guest_type second 'poweroff\n'
guest_end second 60
check 'it powers off again: status 0' same "$status" 0

# A disk boots without help; outside/bootdisk makes it.
modprobe -q virtio_blk
guest_start disk --firmware u-boot/u-boot.bin --disk /dev/vda --memory 256M
check 'U-Boot boots a disk by extlinux' guest_expect disk 240 '@@ told'
check '... with the command line of its menu' grep -q '^@@ told .*by=extlinux' "$work/disk.out"
check '... and the RAM disk' guest_expect disk 60 '@@ end'
guest_end disk 60
check '... which powers off: status 0' same "$status" 0

# U-Boot fetches a kernel, its RAM disk and its command line by fw_cfg, and starts it.
guest_initrd linux <<'SCRIPT'
say "told $(cat /proc/cmdline)"
say end
SCRIPT
guest_start linux --firmware u-boot/u-boot.bin --kernel zImage --initrd "$work/linux.initrd" \
	--append 'console=ttyAMA0 quiet panic=-1 by=fw_cfg' --memory 256M
check 'U-Boot starts a kernel that it has of fw_cfg' guest_expect linux 240 '@@ told'
check '... with the command line' grep -q '^@@ told .*by=fw_cfg' "$work/linux.out"
check '... and the RAM disk' guest_expect linux 30 '@@ end'
guest_end linux 60
check 'which powers off: status 0' same "$status" 0
[ $failed = 0 ] || tail -n 60 "$work/first.out" "$work/second.out" "$work/disk.out" "$work/linux.out" | tr -d '\r' | sed 's/^/# /'
finish
