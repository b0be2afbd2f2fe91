# SPDX-License-Identifier: GPL-2.0-only
# efiboot.sh U-BOOT UEFI DISK: Debian's U-Boot and UEFI boot DISK, which has an EFI system partition with
# GRUB and a kernel, and UEFI keeps its variables in flash. outside/efi runs this in the emulated host
# and, with reference=1, on the build machine with QEMU's board.
. ./efi.sh
uboot=$1 uefi=$2 disk=$3
# UEFI takes any variable but under GUIDs that it knows.
guid=5c1e5a6e-3f0b-4d1b-9c55-7a0e6d2f4b11
truncate -s 64M "$work/vars" "$work/none" "$work/u-boot"

# linux_boots NAME BY: what the guest on DISK says.
linux_boots() {
	check "$2 boots the disk by EFI: GRUB starts" guest_expect "$1" 600 'Booting by GRUB'
	check '... and Linux with its command line' guest_expect "$1" 300 '@@ told '
	check '... and its RAM disk' guest_expect "$1" 300 '@@ end'
	check '... which UEFI has started' grep -q '^@@ efi 1' "$work/$1.out"
	guest_end "$1" 200
	check '... and which powers off: status 0' same "$status" 0
}

efi_start uboot "$uboot" "$work/u-boot" --disk "$disk"
linux_boots uboot U-Boot

# prompt NAME SECONDS: the shell of UEFI in guest NAME shows its prompt, once more than before. It takes
# no keys while it does not.
prompts=0
prompt() {
	prompts=$((prompts + 1))
	wait_for "$2" sh -c "[ \$(grep -ao 'Shell> ' $work/$1.out | wc -l) -ge $prompts ]"
}

# in_shell NAME COMMAND TEXT: the answer to COMMAND has TEXT.
in_shell() {
	guest_type "$1" "$2\r"
	prompt "$1" 200
	# What came behind the prompt where COMMAND was typed.
	{
		tr -d '\r' <"$work/$1.out"
		echo '(what is being typed)'
	} | awk -v RS='Shell> ' '{ last = this; this = $0 } END { print last }' | grep -aiF -- "$3"
}

# Without a disk there is nothing to boot: the shell starts.
efi_start first "$uefi" "$work/vars"
check 'UEFI starts its shell' prompt first 600
check 'a variable is not there' in_shell first "setvar kept -guid $guid" 'Unable to get'
guest_type first "setvar kept -guid $guid -nv -bs =4b455054\r"
prompt first 200
check '... and is, when it was set' in_shell first "setvar kept -guid $guid" '4B 45 50 54'
guest_type first 'reset\r'
check 'UEFI resets the machine, and starts its shell again' prompt first 600
check '... where the variable is as it was' in_shell first "setvar kept -guid $guid" '4B 45 50 54'
check 'the file has it' grep -q KEPT "$work/vars"
guest_type first 'reset -s\r'
guest_end first 200
check 'it powers off: status 0' same "$status" 0

# The shell is the first in UEFI's own list, which is kept, too. A disk that is new comes behind it.
prompts=0
efi_start second "$uefi" "$work/vars" --disk "$disk"
check 'a new start shows the shell, too' prompt second 600
check '... and the variable is there' in_shell second "setvar kept -guid $guid" '4B 45 50 54'
guest_type second 'fs0:\\EFI\\BOOT\\BOOTARM.EFI\r'
linux_boots second "UEFI's shell"

efi_start third "$uefi" "$work/none" --disk "$disk"
linux_boots third UEFI
[ $failed = 0 ] || for g in uboot first second third; do
	tail -c 4000 "$work/$g.out" | tr -d '\r' | sed 's/^/# /'
done
finish
