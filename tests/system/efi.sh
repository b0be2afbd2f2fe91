# SPDX-License-Identifier: GPL-2.0-only
# Functions of the tests of UEFI: a guest with Debian's firmware for it, of armvmm-run or, with
# reference=1, of QEMU's board by plain emulation. Sourced, in the folder of the tests.
command -v usleep >/dev/null || usleep() { sleep 0.1; }
. ./common.sh
cd "$dir" || exit 1
: "${reference:=}"

# efi_start NAME FIRMWARE VARIABLES [--disk DISK]...: 1 GiB, for with less the kernel's decompressor
# writes over the initrd that GRUB may have put right behind it, on either board.
efi_start() {
	_name=$1 _firmware=$2 _vars=$3
	shift 3
	if [ -z "$reference" ]; then
		guest_start "$_name" --firmware "$_firmware" --flash "$_vars" --memory 1G --cpus 2 "$@"
		return
	fi
	# QEMU wants a whole bank.
	cp "$_firmware" "$work/$_name.code"
	truncate -s 64M "$work/$_name.code"
	_args=
	for _arg in "$@"; do
		# Linux finds QEMU's devices of virtio-mmio in reverse order.
		[ "$_arg" != --disk ] || continue
		_id=$_name${#_args}
		_args="-device virtio-blk-device,drive=$_id $_args"
		_args="-drive if=none,id=$_id,format=raw,snapshot=on,file=$_arg $_args"
	done
	# shellcheck disable=SC2086
	vmm=qemu-system-arm guest_start "$_name" -M virt,gic-version=2,highmem=off -cpu cortex-a15 \
		-smp 2 -m 1G -nodefaults -display none \
		-chardev stdio,id=serial,signal=off -serial chardev:serial \
		-drive "if=pflash,unit=0,format=raw,readonly=on,file=$work/$_name.code" \
		-drive "if=pflash,unit=1,format=raw,file=$_vars" $_args
}
