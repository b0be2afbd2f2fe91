# SPDX-License-Identifier: GPL-2.0-only
# Firmware that runs from the machine's flash: Debian's U-Boot and Debian's UEFI (edk2).
. ./lib.sh
board="-M virt,highmem=off -cpu cortex-a15 -nodefaults -display none"

qemu_start uboot -smp 1 -m 128 -bios u-boot.bin
check 'U-Boot starts' guest_expect uboot 120 'U-Boot 20'
guest_expect uboot 60 'Hit any key' >/dev/null
stopped() {
	guest_type uboot 'x'
	grep -qF '=> ' "$work/uboot.out"
}
check '... has a prompt' wait_for 60 stopped
guest_type uboot '\nprintenv arch\n'
check '... and obeys' guest_expect uboot 60 'arch=arm'
guest_type uboot 'mw.l 41000000 12345678 4; crc32 41000000 10\n'
# crc32 of 78563412, four times.
check '... writes and reads memory' guest_expect uboot 60 "$(cat crc)"
: >"$work/uboot.out"
guest_type uboot 'reset\n'
check '... resets the machine' guest_expect uboot 120 'U-Boot 20'
guest_expect uboot 60 'Hit any key' >/dev/null
check '... has its prompt again' wait_for 60 stopped
guest_type uboot '\npoweroff\n'
guest_end uboot 60
check '... powers off: status 0' same "$status" 0

# A bank is 64 MiB; efi.fd lacks the zeros behind the code.
truncate -s 64M "$work/code" && cat efi.fd >"$work/head" && dd if="$work/head" of="$work/code" conv=notrunc 2>/dev/null
truncate -s 64M "$work/vars"
guest_initrd g <<'SCRIPT'
dmesg -n 1
say "efi $(dmesg | grep -c 'efi: EFI v2')"
say end
SCRIPT
qemu_start efi -smp 2 -m 256 -drive "if=pflash,unit=0,format=raw,readonly=on,file=$work/code" \
	-drive "if=pflash,unit=1,format=raw,file=$work/vars" -kernel zImage -initrd "$work/g.initrd" \
	-append 'console=ttyAMA0 quiet panic=-1'
check 'UEFI starts, and starts Linux' guest_expect efi 300 '@@ efi 1'
check '... which ends' guest_expect efi 60 '@@ end'
guest_end efi 120
check '... with status 0' same "$status" 0
check '... and UEFI has written its variables to the other flash' sh -c "tr -d '\\0' <$work/vars | grep -q ."
qemu_finish
