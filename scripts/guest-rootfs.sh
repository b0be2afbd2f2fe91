#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# guest-rootfs.sh: makes the guest of `make run` and of the system tests, and prints its folder in
# the cache:
#   zImage       Debian's stock 6.1 armmp kernel
#   initrd       busybox and the modules that reach the root disk
#   root.img     Debian 12 armhf on ext4, unpacked by mmdebstrap, configured by scripts/guest
# Nothing foreign is executed on the way, and no root is needed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

suite=bookworm
include='apt bash busybox ca-certificates curl debian-archive-keyring e2fsprogs ifupdown'
include+=' initscripts iproute2 iputils-ping kmod less login mount netbase passwd procps'
include+=' sysv-rc sysvinit-core udhcpc util-linux'
# In the order in which they can be loaded; what each needs is found, and comes before it.
modules='virtio_mmio virtio_blk crc32c_generic ext4 virtio_net virtio_console virtio_rng evdev'

kernel=$("$ARMVMM_TOP/scripts/fetch-kernel.sh" 6.1) || exit $?
sysroot=$("$ARMVMM_TOP/scripts/sysroot.sh")
id=$({
	readlink -f "$kernel" "$sysroot"
	cat "$0" "$ARMVMM_TOP"/scripts/guest/{configure,image,init,register,unpack}
} | sha256sum | cut -c1-16)
dest=$ARMVMM_CACHE/guest/$suite-$id
if [ ! -e "$dest" ]; then
	take_lock guest
fi
if [ ! -e "$dest" ]; then
	mkdir -p "$ARMVMM_CACHE/guest"
	temp_dir tmp
	unpack() {
		# shellcheck disable=SC2086
		"$ARMVMM_TOP/scripts/guest/unpack" $suite $include >"$tmp/root.tar"
	}
	step "unpacking Debian 12 armhf for the guest" unpack
	step "making the guest's disk image" fakeroot "$ARMVMM_TOP/scripts/guest/image" "$tmp"
	rm -rf "$tmp/root" "$tmp/root.tar"

	root=$tmp/initrd.d
	mkdir -p "$root/bin"
	cp "$sysroot/bin/busybox" "$root/bin/"
	install -m 755 "$ARMVMM_TOP/scripts/guest/init" "$root/init"
	from=$kernel/lib/modules/$(cat "$kernel/release")
	for m in $modules; do
		# modules.dep names what a module needs in the opposite order of loading.
		sed -nE "s|^(\S*/${m//_/[-_]}\.ko):(.*)|\1\2|p" "$from/modules.dep" | tr ' ' '\n' | tac
	done | awk 'NF && !seen[$0]++' | while read -r m; do
		cp "$from/$m" "$root/"
		echo "/${m##*/}" >>"$root/modules"
	done
	(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 >"$tmp/initrd")
	rm -rf "$root"
	cp "$kernel/zImage" "$tmp/zImage"
	mv -T "$tmp" "$dest"
	forget_old "$suite-" "$dest"
fi
in_use "$dest"
