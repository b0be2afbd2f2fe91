#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# guest-debian.sh [dkms|efi]: makes a Debian system as its own packages make it, and prints its folder
# in the cache. There is no image of Debian for armhf to fetch: its packages are unpacked here, and their
# own scripts configure it, on an emulated machine, in about five minutes.
#   root.img     Debian 12 armhf on ext4, with systemd, udev, a kernel; it boots to a login
#   vmlinuz      its kernel
#   initrd       its initrd, as its initramfs-tools made it
#   password     root's
# That of "dkms" is a host to be: it also has DKMS, the kernel's headers, a compiler, and what the
# packages of armvmm depend on, so that they are installed without a network; when it has booted, it
# runs /next of the folder that it gets by 9p under the tag "share" (scripts/guest/next.service).
# That of "efi" boots by firmware alone, as Debian's installer leaves a machine with UEFI: root.img has
# a GPT, an EFI system partition with GRUB, which Debian's grub-install put there, and a root partition.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

suite=bookworm
packages='apt ca-certificates dbus debian-archive-keyring initramfs-tools iproute2 iputils-ping kmod
	less linux-image-armmp login mount passwd procps systemd-sysv udev wget zstd'
kind=${1:-installed} size=1024 esp=0
case $kind in
installed) ;;
dkms)
	packages+=' adduser dkms linux-headers-armmp libcap-ng0 libfdt1 libglib2.0-0 libjansson4
		libpixman-1-0 libseccomp2 libslirp0 libzstd1 zlib1g'
	size=2048
	;;
efi)
	packages+=' grub-efi-arm'
	size=1408 esp=64
	;;
*) die "usage: guest-debian.sh [dkms|efi]" ;;
esac

installer=$("$ARMVMM_TOP/scripts/guest-rootfs.sh") || exit $?
id=$({
	echo "$installer" "$kind"
	cat "$0" "$ARMVMM_TOP"/scripts/guest/{install,next.service,register,unpack}
} | sha256sum | cut -c1-16)
dest=$ARMVMM_CACHE/guest/$suite-$kind-$id
if [ ! -e "$dest" ]; then
	take_lock guest-debian
fi
if [ ! -e "$dest" ]; then
	temp_dir tmp
	echo armvmm >"$tmp/password"
	unpack() {
		# shellcheck disable=SC2086
		"$ARMVMM_TOP/scripts/guest/unpack" $suite $packages >"$tmp/root.tar"
	}
	step "unpacking Debian 12 armhf, with systemd ($kind)" unpack
	offset=0 disk=root.img root=/dev/vda
	[ $esp = 0 ] || offset=$(((1 + esp) << 20)) root=/dev/vda2
	[ $offset = 0 ] || disk+="?offset=$offset"
	image() {
		fakeroot sh -ec '
			mkdir root
			tar -C root -xf root.tar --exclude="./dev/*"
			install -m 755 "$0" root/install
			cp password root/
			[ "$2" != dkms ] || install -D -m 644 "$3" root/etc/systemd/system/next.service
			mkdir root/install.ko
			for m in $5; do cp "$m" root/install.ko/; done
			mke2fs -q -F -t ext4 -L guest -E "root_owner=0:0,lazy_itable_init=0,offset=$4" \
				-d root root.img "$1M"
		' "$ARMVMM_TOP/scripts/guest/install" $size "$kind" "$ARMVMM_TOP/scripts/guest/next.service" \
			$offset "$modules"
	}
	# The copy of the table, at the end, has the last MiB.
	modules=
	partition() {
		modules=$(find "$("$ARMVMM_TOP/scripts/fetch-kernel.sh" 6.1)/lib/modules" \
			-name fat.ko -o -name vfat.ko -o -name nls_ascii.ko -o -name nls_cp437.ko)
		truncate -s $((1 + esp + size + 1))M root.img
		sfdisk -q root.img <<-TABLE
			label: gpt
			size=${esp}MiB, type=uefi
			size=${size}MiB, type=linux
		TABLE
		mformat -i root.img@@1M -F -T $((esp * 2048)) -v ESP ::
	}
	(
		cd "$tmp"
		[ $esp = 0 ] || partition
		step "making its disk" image
	)
	rm -rf "$tmp/root" "$tmp/root.tar"
	configure() {
		timeout --foreground 3000 qemu-system-arm -M virt,highmem=off -cpu cortex-a15 -smp 2 -m 1024 -nodefaults \
			-display none -no-reboot -serial stdio -kernel "$installer/zImage" -initrd "$installer/initrd" \
			-append "console=ttyAMA0 quiet root=$root init=/install" \
			-drive "if=none,id=d,format=raw,cache=unsafe,file=$tmp/root.img" \
			-device virtio-blk-device,drive=d -device virtio-net-device \
			-device virtio-rng-device </dev/null >"$tmp/log" 2>&1 &&
			grep -qx $'installed\r*' "$tmp/log" || {
			cat "$tmp/log"
			return 1
		}
	}
	step "having Debian configure itself, on an emulated machine (about five minutes)" configure
	e2fsck -fy "$tmp/$disk" >"$tmp/fsck" 2>&1 || [ $? -le 1 ] ||
		die "its disk is broken: $(tail -n 3 "$tmp/fsck")"
	rm "$tmp/fsck"
	take() {
		local name
		name=$(debugfs -R 'ls -p /boot' "$tmp/$disk" 2>/dev/null | grep -oE "$1-[^/]*" | head -n 1) || true
		debugfs -R "dump /boot/$name $tmp/$2" "$tmp/$disk" 2>/dev/null
		[ -s "$tmp/$2" ] || die "the system has no $1"
	}
	take vmlinuz vmlinuz
	take initrd.img initrd
	mv -T "$tmp" "$dest"
	forget_old "$suite-$kind-" "$dest"
fi
in_use "$dest"
