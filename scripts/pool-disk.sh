#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# pool-disk.sh HOST: makes the disk of a host that shares its guests with another one, and prints the
# image's path in the cache. It has Debian 12 for armhf, unpacked by mmdebstrap and configured by
# scripts/pool/configure, with sshd, an NFS server, libvirt, and what armvmm-run and QEMU need; and the
# modules for NFS of HOST's kernel. Nothing of it is executed on the way, and no root is needed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ $# = 1 ] || die "usage: pool-disk.sh HOST"
host=$1

suite=bookworm
include='kmod openssh-client openssh-server nfs-kernel-server libvirt-daemon libvirt-daemon-driver-qemu'
include+=' libvirt-clients libcap-ng0 libfdt1 libglib2.0-0 libjansson4 libpixman-1-0 libseccomp2'
include+=' libslirp0 libzstd1 zlib1g'

kernel=$("$ARMVMM_TOP/scripts/host-kernel.sh" "$host") || exit $?
id=$({
	readlink -f "$kernel"
	cat "$0" "$ARMVMM_TOP"/scripts/pool/* "$ARMVMM_TOP"/scripts/guest/{register,unpack}
} | sha256sum | cut -c1-16)
dest=$ARMVMM_CACHE/pool/$host-$id.img
if [ ! -e "$dest" ]; then
	take_lock pool
fi
if [ ! -e "$dest" ]; then
	mkdir -p "$ARMVMM_CACHE/pool"
	temp_dir tmp
	unpack() {
		# shellcheck disable=SC2086
		"$ARMVMM_TOP/scripts/guest/unpack" $suite $include >"$tmp/root.tar"
	}
	step "unpacking Debian 12 armhf, with libvirt and NFS" unpack
	step "making the disk of a pool's hosts ($host)" \
		fakeroot "$ARMVMM_TOP/scripts/pool/image" "$tmp" "$kernel"
	mv "$tmp/root.img" "$dest"
	forget_old "$host-" "$dest" .img
fi
in_use "$dest"
