#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# initramfs.sh HOST: makes the part of the test host's file system that all runs share (busybox,
# libraries, kernel modules, tests/host/init) as a cpio archive in the cache, and prints its name.
# A second archive, with what one run needs, is appended by scripts/testhost.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
host=$1

# The modules that tests ask for; what they need comes along. Built-in ones are no error.
modules='virtio_mmio virtio_pci virtio_blk virtio_console virtio_net virtio_rng virtio_balloon
	9p 9pnet_virtio ext4 loop tun zram zsmalloc lzo lz4 lz4hc zstd crc32c_generic bridge vhost_net vhost_vsock
	overlay ip_tables iptable_nat'

# What armvmm-run loads for a disk of an NBD server: 40 MB, which system/nbd brings along.
of_nbd='nbd\|gnutls\|gmp\|hogweed\|nettle\|idn2\|p11-kit\|tasn1\|unistring\|xml2\|icu[a-z]*\|stdc[+]*\|lzma'

kernel=$("$ARMVMM_TOP/scripts/host-kernel.sh" "$host") || exit $?
sysroot=$("$ARMVMM_TOP/scripts/sysroot.sh")
id=$({
	readlink -f "$kernel" "$sysroot"
	cat "$0" "$ARMVMM_TOP/tests/host/init"
} | sha256sum | cut -c1-16)
dest=$ARMVMM_CACHE/initramfs/$host-$id.cpio
if [ ! -e "$dest" ]; then
	take_lock "initramfs-$host"
fi
if [ ! -e "$dest" ]; then
	say "making the test host's base file system ($host)"
	mkdir -p "$ARMVMM_CACHE/initramfs"
	temp_dir tmp
	root=$tmp/root
	mkdir -p "$root"/{bin,sbin,etc,lib,usr/lib}
	cp "$sysroot/bin/busybox" "$root/bin/"
	ln -s busybox "$root/bin/sh"
	cp "$sysroot"/sbin/kexec "$root/sbin/"
	for d in lib usr/lib; do
		mkdir -p "$root/$d/arm-linux-gnueabihf"
		(cd "$sysroot/$d/arm-linux-gnueabihf" &&
			find . -maxdepth 1 \( -name '*.so.*' -o -type f -name '*.so' \) \
				! -regex "\./lib\($of_nbd\)\.so.*" -print0 |
			xargs -0 -r cp -a -t "$root/$d/arm-linux-gnueabihf")
	done
	cp -L "$sysroot/lib/ld-linux-armhf.so.3" "$root/lib/"
	install -m 755 "$ARMVMM_TOP/tests/host/init" "$root/init"

	release=$(cat "$kernel/release")
	from=$kernel/lib/modules/$release
	to=$root/lib/modules/$release
	mkdir -p "$to"
	if [ -e "$from/modules.dep" ]; then
		cp "$from"/modules.{order,builtin}* "$to/"
		# modules.dep lists for each module all that it needs, itself first.
		awk -v want="$modules" '
			BEGIN { n = split(want, w, /[ \t\n]+/); for (i = 1; i <= n; i++) wanted[w[i]] = 1 }
			{
				path = $1; sub(/:$/, "", path); name = path
				sub(/.*\//, "", name); sub(/\.ko.*/, "", name); gsub(/-/, "_", name)
				if (name in wanted) { print path; for (i = 2; i <= NF; i++) print $i }
			}' "$from/modules.dep" | sort -u | while read -r m; do
			mkdir -p "$to/${m%/*}"
			case $m in
			# busybox reads plain modules only.
			*.xz) xz -dc "$from/$m" >"$to/${m%.xz}" ;;
			*.zst) zstd -qdc "$from/$m" >"$to/${m%.zst}" ;;
			*) cp "$from/$m" "$to/$m" ;;
			esac
		done
		depmod -b "$root" "$release"
	fi
	(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 >"$tmp/cpio")
	mv "$tmp/cpio" "$dest"
	forget_old "$host-" "$dest" .cpio
fi
in_use "$dest"
