# SPDX-License-Identifier: GPL-2.0-only
# The cost of QEMU compared with armvmm-run, in the host under -icount, where an instruction takes a
# nanosecond: the same kernel, initrd, disk, network card, console and clock. Runs in the folder of
# tests/system.
. ./common.sh

guest_initrd g <<'SCRIPT'
say init
SCRIPT
truncate -s 8M "$work/disk"
# Two images, together 10 MiB. The first prints something with its first instructions.
cp monitor.raw "$work/kernel"
truncate -s 6M "$work/kernel"
head -c 4194304 /dev/zero | tr '\0' x >"$work/initrd"
qemu='/usr/bin/qemu-system-arm -M virt,highmem=off -accel armvmm -cpu host -nodefaults -display none
	-serial stdio -m 128'

# timed NAME ARG-OF-FIRSTINSN...: prints the time of each run but the first, which warms the caches.
timed() {
	_times=$1
	shift
	./firstinsn "$@" </dev/null >"$work/$_times.all" 2>"$work/$_times.err" || {
		cat "$work/$_times.all" "$work/$_times.err"
		return 1
	}
	sed 1d "$work/$_times.all" >"$work/$_times"
	cat "$work/$_times"
}
least() { sort -n "$work/$1" | head -n 1; }

linux='console=ttyAMA0 quiet panic=-1'
check 'armvmm-run boots Linux to init' timed run-linux -u '@@ init' 3 /usr/bin/armvmm-run \
	--kernel zImage --initrd "$work/g.initrd" --append "$linux" --memory 128M --disk "$work/disk" \
	--net user
# shellcheck disable=SC2086
check 'QEMU boots Linux to init' timed qemu-linux -u '@@ init' 3 $qemu -kernel zImage \
	-initrd "$work/g.initrd" -append "$linux" -drive "if=none,id=d,format=raw,file=$work/disk" \
	-device virtio-blk-device,drive=d -netdev user,id=n -device virtio-net-device,netdev=n
compare() {
	a=$(least run-linux) b=$(least qemu-linux)
	echo "Linux to init: armvmm-run $a us, QEMU $b us"
	[ -n "$a" ] && [ -n "$b" ] && [ $((b * 100)) -le $((a * 115)) ]
}
check 'at most 1.15 times what armvmm-run takes' compare
sed -n 's/^Linux/# &/p' "$work/check"

check 'armvmm-run starts a guest' timed run-first 4 /usr/bin/armvmm-run --kernel "$work/kernel" \
	--format raw --initrd "$work/initrd" --memory 128M
# shellcheck disable=SC2086
check 'QEMU starts a guest' timed qemu-first 4 $qemu -kernel "$work/kernel" -initrd "$work/initrd"
echo "# exec to the first instruction: armvmm-run $(least run-first) us, QEMU $(least qemu-first) us"
finish
