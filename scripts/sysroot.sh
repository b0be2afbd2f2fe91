#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# sysroot.sh: makes a private armhf sysroot in the cache and prints its folder. It holds the
# libraries that user space links with and what the test host runs them with, unpacked from
# Debian packages: armhf packages beside the machine's own break whenever the two architectures
# are at different security updates. In it, pkgbin/pkg-config answers for the sysroot.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

suite=bookworm
packages=(
	# what the host under test runs with
	libc6 libgcc-s1 busybox-static libglib2.0-0 libpcre2-8-0 libffi8 zlib1g libfdt1 libslirp0
	libseccomp2 libcap-ng0 libzstd1 kexec-tools libpixman-1-0
	libjansson4
	# what user space is built with
	libc6-dev linux-libc-dev libglib2.0-dev libpcre2-dev libffi-dev zlib1g-dev libfdt-dev
	libslirp-dev libpixman-1-dev libseccomp-dev libcap-ng-dev libzstd-dev
	libjansson-dev libnbd-dev
	# what armvmm-run loads for a disk of an NBD server (system/nbd)
	libnbd0 libgnutls30 libgmp10 libhogweed6 libnettle8 libidn2-0 libp11-kit0 libtasn1-6
	libunistring2 libxml2 libicu72 libstdc++6 liblzma5
)
id=$suite-$(printf '%s\n' "${packages[@]}" | cat - "$0" | sha256sum | cut -c1-12)
dest=$ARMVMM_CACHE/sysroot/$id

if [ ! -e "$dest" ]; then
	take_lock sysroot
fi
if [ ! -e "$dest" ]; then
	say "fetching armhf libraries of Debian $suite"
	temp_dir tmp
	mkdir -p "$ARMVMM_CACHE/sysroot"
	apt_suite_update "$suite" || die "no mirror offers Debian $suite"
	apt_suite_get "$suite" "$tmp" "${packages[@]}" || die "the packages could not be had"
	# Links that name the root would lead out of the sysroot.
	find "$tmp" -lname '/*' | while read -r l; do
		ln -sfnr "$tmp$(readlink "$l")" "$l"
	done
	rm -rf "$tmp/usr/share/doc" "$tmp/usr/share/locale" "$tmp/usr/share/man"
	mkdir "$tmp/pkgbin"
	cat >"$tmp/pkgbin/pkg-config" <<-'WRAP'
		#!/bin/sh
		root=$(cd "$(dirname "$0")/.." && pwd)
		export PKG_CONFIG_SYSROOT_DIR="$root"
		export PKG_CONFIG_LIBDIR="$root/usr/lib/arm-linux-gnueabihf/pkgconfig:$root/usr/share/pkgconfig"
		exec pkg-config "$@"
	WRAP
	chmod 755 "$tmp/pkgbin/pkg-config"
	# Debian's libfdt comes without one.
	cat >"$tmp/usr/lib/arm-linux-gnueabihf/pkgconfig/libfdt.pc" <<-'PC'
		Name: libfdt
		Description: Flat device trees
		Version: 1.6.1
		Libs: -L/usr/lib/arm-linux-gnueabihf -lfdt
		Cflags: -I/usr/include
	PC
	mv -T "$tmp" "$dest"
fi
echo "$dest"
