#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# deb.sh [VERSION FOLDER]: cross-builds the Debian packages for armhf from what git tracks, or from all
# of an unpacked tarball, puts them into build/deb, looks them through with lintian and prints their names. On a board
# dpkg-buildpackage does it. Given a version, they are what its release would have, in FOLDER: there
# the test of upgrades has them from. QEMU=7.2 or 10.0 makes qemu-system-arm-armvmm, too, of what
# `make qemu` builds.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ARMVMM_TOP"

case $(uname -m) in
arm*) die "make deb cross-builds on a PC: on a board run dpkg-buildpackage -b -us -uc (docs/packages.md)" ;;
esac
"$ARMVMM_TOP/scripts/setup.sh" deb
version=$(cat VERSION)
[ "$(dpkg-parsechangelog -S Version)" = "$version" ] ||
	die "debian/changelog is of $(dpkg-parsechangelog -S Version) and VERSION says $version"
kernel=$("$ARMVMM_TOP/scripts/fetch-kernel.sh" 6.1)
sysroot=$("$ARMVMM_TOP/scripts/sysroot.sh")

profiles=cross
if [ -n "${QEMU-}" ]; then
	ARMVMM_QEMU=$("$ARMVMM_TOP/userspace/qemu/build")
	ARMVMM_QEMU_SOURCE=$("$ARMVMM_TOP/userspace/qemu/build" --source)
	export ARMVMM_QEMU ARMVMM_QEMU_SOURCE
	profiles+=' pkg.armvmm.qemu'
fi

# The libraries that programs link with, each with its package's own word on who needs which
# version: dpkg-shlibdeps takes a package's tree for that.
libs=(libc6 libfdt1 libgcc-s1 libglib2.0-0 libjansson4 libslirp0 libseccomp2 libcap-ng0
	zlib1g libzstd1 ${QEMU:+libpixman-1-0})
id=$(printf '%s\n' bookworm "${libs[@]}" | cat - "$0" | sha256sum | cut -c1-16)
libdir=$ARMVMM_CACHE/deblibs/libs-$id
if [ ! -e "$libdir" ]; then
	take_lock deblibs
fi
if [ ! -e "$libdir" ]; then
	apt_suite_update bookworm || die "no mirror offers Debian bookworm"
	temp_dir tmp
	mkdir -p "$tmp/debs" "$tmp/libs" "${libdir%/*}"
	(cd "$tmp/debs" && retry 3 apt_suite bookworm apt-get -q download "${libs[@]}" </dev/null >&2) ||
		die "the packages of the libraries could not be had"
	for deb in "$tmp"/debs/*.deb; do
		dpkg-deb -R "$deb" "$tmp/libs/$(dpkg-deb -f "$deb" Package)"
	done
	mv -T "$tmp/libs" "$libdir"
	forget_old libs- "$libdir"
fi

out=${2:-$ARMVMM_BUILD/deb}
as=${1:-$version}
rm -rf "$out"
mkdir -p "$out/armvmm-$as"
tree_files | xargs -0 cp --parents -a -t "$out/armvmm-$as"
cd "$out/armvmm-$as"
if [ "$as" != "$version" ]; then
	echo "$as" >VERSION
	{
		printf 'armvmm (%s) unstable; urgency=medium\n\n  * As of this release.\n\n -- %s  %s\n\n' "$as" \
			"$(dpkg-parsechangelog -S Maintainer)" \
			"$(date -R -u -d "@$(($(dpkg-parsechangelog -S Timestamp) + 86400))")"
		cat debian/changelog
	} >debian/changelog.new
	mv debian/changelog.new debian/changelog
fi
# The dates in the packages are the changelog's, so that two builds are alike.
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -S Timestamp)
export SOURCE_DATE_EPOCH
export ARMVMM_KHEADERS=$kernel/build ARMVMM_SYSROOT=$sysroot ARMVMM_LIBS=$libdir
export DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" DEB_BUILD_PROFILES=$profiles
unset ARMVMM_BUILD ARMVMM_CACHE CROSS_COMPILE MAKEFLAGS MFLAGS MAKELEVEL
# -d: the build dependencies for armhf are not installed here: the sysroot has what they hold.
step "building the Debian packages" dpkg-buildpackage -a armhf -b -d -uc -us
cd ..
# Of its tags "info" some are about hardening.
lintian --allow-root --display-info --fail-on error,warning,info --tag-display-limit 0 ./*.changes >&2 ||
	die "lintian finds fault with the packages"
rm -rf "$out/armvmm-$as"
printf '%s\n' "$out"/*.deb
