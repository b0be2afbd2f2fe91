# SPDX-License-Identifier: GPL-2.0-only
# Wrong input to armvmm-run: each gets one line that names the file or option and the reason, and
# the documented status, and starts no guest.
. ./common.sh
cd "$work"
cp "$dir/monitor" monitor
zimage=$dir/zImage

# bad STATUS MESSAGE ARG...: MESSAGE is a shell pattern; with the monitor as kernel unless another is named.
bad() {
	want=$1 message=$2
	shift 2
	case " $* " in
	*' --kernel '* | '  ') ;;
	*) set -- --kernel monitor "$@" ;;
	esac
	timeout 60 armvmm-run "$@" </dev/null >out 2>err
	status=$?
	# tests/run tries once more, alone, what failed of time.
	case $status in 124 | 143) echo '# timing: armvmm-run did not end in its time' ;; esac
	# What this host's kernel lacks is no part of it.
	case $(grep -v 'armvmm-run: sandbox: goes on without what this host does not give: ' err) in
	"armvmm-run: "$message) said=1 ;;
	*) said= ;;
	esac
	if [ $status -eq "$want" ] && [ "$said" ] && [ ! -s out ]; then
		pass "$message"
	else
		fail "$message"
		echo "# armvmm-run $*"
		echo "# status $status, and not $want; it said:"
		sed 's/^/#   /' err
		head -n 5 out | sed 's/^/#   stdout: /'
	fi
}

# Kernels.
size=$(stat -c %s "$zimage")
mkdir folder
: >empty
echo '#!/bin/sh' >text
head -c 1000 /dev/urandom >noise
head -c $((size / 2)) "$zimage" >half
head -c 60 "$zimage" >header
head -c 2000 monitor >cut
bad 2 '--kernel FILE is missing (see --help)'
bad 1 ': No such file or directory' --kernel ''
bad 1 'missing: No such file or directory' --kernel missing
bad 1 'folder: is a directory' --kernel folder
bad 1 '/dev/null: is no regular file' --kernel /dev/null
bad 1 'empty: is empty' --kernel empty
bad 1 'text: is no zImage, Image or ELF program (a raw program needs --format raw)' --kernel text
bad 1 'noise: is no zImage, Image or ELF program (a raw program needs --format raw)' --kernel noise
bad 1 "half: is truncated: $((size / 2)) bytes of the $size that its header tells" --kernel half
bad 1 "header: is truncated: 60 bytes of the $size that its header tells" --kernel header
bad 1 'cut: is truncated' --kernel cut
bad 1 'text: is truncated' --kernel text --format zimage
bad 1 'noise: is no zImage' --kernel noise --format zimage
bad 1 'text: is truncated' --kernel text --format elf
bad 1 'noise: is no ELF program' --kernel noise --format elf
# An ELF program for memory at 0: the segment's address, its size in the file and in memory.
cp monitor low
printf '\0\20\0\0\0\20\0\0\0\20\0\0' | dd of=low bs=1 seek=64 conv=notrunc 2>/dev/null
bad 1 'low: a segment at 0x1000, 0x1000 bytes, lies outside of memory' --kernel low
gzip -c text >text.gz
bad 1 'text.gz: is no zImage, Image or ELF program (a raw program needs --format raw)' --kernel text.gz
head -c 20 text.gz >cut.gz
bad 1 'cut.gz: is truncated: its gzip data does not end' --kernel cut.gz
# 20 KiB that would unpack to 20 MiB.
dd if=/dev/zero bs=1M count=20 2>/dev/null | gzip -c >bomb.gz
bad 1 'bomb.gz: unpacks to more than 16 MiB, for which there is no room' --kernel bomb.gz --memory 16M
printf '\375\067zXZ\0 and no more' >text.xz
bad 1 'text.xz: is compressed by xz: unpack it (xz -dc FILE), or use its zImage' --kernel text.xz
bad 1 'text: is no FIT image, and has no configuration conf-1' --kernel text#conf-1
bad 1 'missing: No such file or directory' --kernel missing#conf-1
bad 1 "$dir/kernel.itb: kernel-2 is for another architecture (arm64), and guests are 32-bit Arm" --kernel "$dir/kernel.itb"
bad 1 "$dir/kernel.itb: has no configuration none: it has other, guest" --kernel "$dir/kernel.itb#none"
printf '\047\005\031\126%60s' '' >uinitrd
bad 1 'uinitrd: is damaged: the checksum of its U-Boot header is wrong' --initrd uinitrd
bad 2 '--format gzip: must be auto, zimage, image, elf or raw' --format gzip
# Larger than memory: a zImage, and a raw program of 3 MiB.
truncate -s 3M big
bad 1 "$zimage: needs * MiB of memory while it starts, and --memory gives 16" --kernel "$zimage" --memory 16M
bad 1 'big: needs 4 MiB of memory while it starts, and --memory gives 2' --kernel big --format raw --memory 2M

# Flash.
bad 1 'missing: No such file or directory' --flash missing
bad 1 'folder: is a directory' --flash folder,ro
bad 1 'text: has 10 bytes, and flash that is written has 67108864: truncate -s 64M FILE makes it so (or add ,ro)' --flash text
truncate -s 65M flash
bad 1 'flash: is larger than a bank of flash: 64 MiB' --firmware flash
bad 1 '--flash text,ro: both banks of flash have a file' --firmware text --flash text,ro --flash text,ro
bad 2 '--firmware text: no more than 1 firmware' --firmware text --firmware text
bad 2 '--flash : names no file' --flash ''

# Initial RAM disks, device trees.
truncate -s 60M initrd
bad 1 'missing: No such file or directory' --initrd missing
bad 1 'folder: is a directory' --initrd folder
bad 1 'empty: is empty' --initrd empty
bad 1 'initrd: 60 MiB overlap the kernel or the end of low memory; memory of 60 MiB has room for 59' --initrd initrd --memory 60M
bad 1 'noise: is no device tree, or a damaged one' --dtb noise
bad 1 'missing: No such file or directory' --dtb missing

# A command line that Linux would cut off; and one that it would not, of which nothing is said.
long=$(printf '%01023d' 0)
bad 0 '--append: has 1024 characters, of which Linux takes the first 1023' --kernel "$zimage" \
	--append "x$long" --dump-dtb tree
fits() {
	armvmm-run --kernel "$zimage" --append "$long" --dump-dtb tree >"$work/said" 2>&1 || return
	cat "$work/said"
	[ ! -s "$work/said" ]
}
check 'no word of a command line that fits' fits

# A tree that lacks what the options ask for.
armvmm-run --kernel "$zimage" --dump-dtb tree
bad 0 'tree: does not have virtio-rng@a000000, so the guest will not find it' --kernel "$zimage" \
	--dtb tree --rng --dump-dtb other

# Disks.
truncate -s 1000 odd
truncate -s 1M disk
mkfifo fifo
bad 1 'missing: No such file or directory' --disk missing
bad 1 'folder: is a directory' --disk folder
bad 1 'folder: is a directory' --disk folder,ro
bad 1 'empty: is empty' --disk empty
bad 1 'odd: its size, 1000 bytes, is not a multiple of 512' --disk odd
bad 1 'fifo: neither a file nor a block device' --disk fifo
bad 1 '/dev/null: neither a file nor a block device' --disk /dev/null
bad 2 '--disk ,ro: names no file' --disk ,ro
printf 'QFI\373' >qcow2
truncate -s 1M qcow2
bad 1 'qcow2: is a qcow2 image, and disks here are raw: qemu-img convert -O raw makes it one, or qemu-storage-daemon serves it (vhost-user:PATH); ,format=raw takes it as it is' --disk qcow2
bad 1 'disk: in use by another virtual machine' --disk disk --disk disk

# CPUs and memory.
for n in 0 9 -1 x '' 2x 0x2 18446744073709551617; do
	bad 2 "--cpus $n: must be 1 to 8" --cpus "$n"
done
for n in 0 1K 3073M 4G 1048576G; do
	bad 2 "--memory $n: must be 1M to 3072M" --memory "$n"
done
for n in x '' M 12T 1.5G -1 '1 M'; do
	bad 2 "--memory $n: is no size (a number, with K, M or G behind it)" --memory "$n"
done
bad 2 '--memory 2049K: must be a multiple of 4K' --memory 2049K

# Networks.
bad 2 '--net x: must begin with "user", "tap=NAME" or "stream"' --net x
bad 2 '--net stream,addr.path=: a socket'"'"'s path has 1 to 107 characters' --net stream,addr.path=
bad 1 '--net stream,addr.path=/nowhere: nobody listens there: start the other program first (passt --socket /nowhere)' --net stream,addr.path=/nowhere
bad 2 '--net user,x: unknown word "x" (--device help lists those of user)' --net user,x
bad 2 '--net user,mac=1: 1 is no card'"'"'s address (like 52:54:00:12:34:56)' --net user,mac=1
bad 2 '--net user,hostfwd=tcp:1-2: hostfwd=tcp:1-2 is not like hostfwd=tcp::2222-:22' --net user,hostfwd=tcp:1-2
bad 2 '--net tap=: an interface name has 1 to 15 characters' --net tap=
bad 2 '--net tap=t,hostfwd=tcp::1-:1: unknown word "hostfwd=tcp::1-:1" (--device help lists those of tap)' --net tap=t,hostfwd=tcp::1-:1
nc -l -p 4321 &
guests="$guests $!"
# 4321 in hexadecimal, and the state of a listening socket.
wait_for 20 grep -qi ':10E1 .* 0A ' /proc/net/tcp /proc/net/tcp6
bad 1 '--net user,hostfwd=tcp::4321-:1: cannot listen on host TCP port 4321: Address already in use' --net user,hostfwd=tcp::4321-:1

# Options.
bad 2 '--bogus: unknown option' --bogus
bad 2 '--cpus: needs an argument' --cpus
bad 2 'word: is no option (see --help)' word
bad 2 '--grace x: must be 0 to 86400 seconds' --grace x
bad 2 '--console serial: must begin with stdio, null, pty, file:PATH or unix:PATH' --console serial
bad 2 '--serial virtio: must begin with stdio, null, pty, file:PATH or unix:PATH' --serial virtio
bad 2 '--serial unix: names no path (unix:PATH)' --serial unix
bad 1 '--serial unix:/missing/x: /missing/x: No such file or directory' --serial unix:/missing/x
bad 1 '--console file:/missing/x: /missing/x: No such file or directory' --console file:/missing/x
bad 2 '--sandbox maybe: must be on or off' --sandbox maybe
bad 2 '--control tcp:1: must be unix:PATH or name:NAME' --control tcp:1
bad 2 '--control name:../x: a name has letters, digits, and . _ - behind the first, 64 at most' --control name:../x
bad 1 '--control /missing/x: No such file or directory' --control unix:/missing/x
bad 1 '--control /dev/null: is there already, and is no socket' --control unix:/dev/null
bad 2 '--user nobody: needs --sandbox on' --user nobody --sandbox off
bad 1 '--user no-such-user: there is no such user' --user no-such-user
bad 2 '--no-reboot=1: takes no argument' --no-reboot=1

# As many disks as there may be, on both buses, with other devices beside them; one more is refused.
truncate -s 1M plain
many() {
	n=0
	set --
	while [ $((n += 1)) -le 16 ]; do
		set -- "$@" --disk plain,ro --disk plain,ro,bus=pcie
	done
	armvmm-run --kernel monitor "$@" --console virtio --balloon --watchdog i6300esb \
		--device virtio-rng,bus=pcie --dump-dtb many.dtb && [ -s many.dtb ]
}
check '32 disks' many
one_more() {
	n=0
	set --
	while [ $((n += 1)) -le 33 ]; do
		set -- "$@" --disk plain,ro
	done
	bad 2 '--disk plain,ro: no more than 32 virtio-blk' "$@"
}
one_more

# The hypervisor.
bad 1 '/dev/missing: No such file or directory: is the module loaded (modprobe armvmm)?' --node /dev/missing
bad 1 "/dev/null: is no hypervisor's device node" --node /dev/null
bad 1 "folder: is no hypervisor's device node" --node folder
export LD_PRELOAD="$dir/shim.so" SHIM=version
bad 1 '/dev/armvmm: speaks version 11 of the KVM interface, and version 12 is needed' --cpus 1
unset LD_PRELOAD SHIM
rmmod armvmm
bad 1 '/dev/armvmm: No such file or directory: is the module loaded (modprobe armvmm)?' --cpus 1
insmod /armvmm.ko
chmod 755 "$work"
chmod 600 /dev/armvmm
grep -q ^nobody: /etc/passwd || echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>/etc/passwd
timeout 60 start-stop-daemon -S -q -c nobody -x /usr/bin/armvmm-run -- --kernel monitor \
	</dev/null >out 2>err
status=$?
check 'no permission: status 1' same $status 1
check 'no permission: says so' same "$(cat err)" \
	'armvmm-run: /dev/armvmm: Permission denied: its group is usually kvm'

# A guest with more memory than the host has room for in its address space.
(ulimit -v 262144; bad 1 "--memory: 512 MiB: this host has room for * in a program's address space" --memory 512M; exit $failed) ||
	failed=1
cases=$((cases + 1))
finish
