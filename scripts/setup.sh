#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# setup.sh [PURPOSE...] [--list]: installs the Debian packages that a purpose needs and that are
# missing. It says what it does, and uses sudo if not root. --list prints the names instead.
#   base    (the default) to build, to run, and to test on the emulated hosts; on a board: board
#   style, bench, deb, fuzz, models, qemu, fresh   all that `make style`, `make bench`, `make deb`,
#           `make check-fuzz`, `make check-models`, `make qemu` and `make check-fresh` need
#   board   to build on a board, beside the headers of its kernel
#   all     every purpose of this machine
set -euo pipefail
. "$(dirname "$0")/lib.sh"

base=(
	# to build the module, the user space and the guests' payloads for armhf
	make gcc libc6-dev gcc-12-arm-linux-gnueabihf libc6-dev-armhf-cross
	binutils-arm-linux-gnueabihf bc flex bison pkg-config python3 kmod
	libssl-dev libelf-dev rsync xz-utils zstd ccache
	# to build the unit tests for the build machine
	libfdt-dev libglib2.0-dev libjansson-dev libslirp-dev libseccomp-dev libcap-ng-dev zlib1g-dev
	libzstd-dev libnbd-dev
	# to make hosts, guests and their images, and to emulate the board
	qemu-system-arm gdb-multiarch device-tree-compiler cpio e2fsprogs fakeroot mmdebstrap
	debian-archive-keyring ca-certificates util-linux fdisk mtools grub-common
)
board=(make gcc libc6-dev cpio pkg-config device-tree-compiler libfdt-dev libglib2.0-dev
	libjansson-dev libslirp-dev libseccomp-dev libcap-ng-dev zlib1g-dev libzstd-dev
	libnbd-dev)
# to build Debian's source of QEMU, in addition to base or board
qemu=(bzip2 dpkg-dev flex bison meson ninja-build patch perl pkg-config python3 python3-venv
	xz-utils zlib1g-dev)
qemu_board=(libpixman-1-dev)

case $(uname -m) in
arm*) on_board=1 ;;
*) on_board= ;;
esac

# packages_for PURPOSE: prints one name a line.
packages_for() {
	local p list=()
	case $1 in
	base | bench) [ -z "$on_board" ] && list=("${base[@]}") || list=("${board[@]}") ;;
	board) list=("${board[@]}") ;;
	style) list=("${base[@]}" cppcheck git) ;;
	deb) list=("${base[@]}" debhelper dh-dkms dpkg-dev lintian git) ;;
	fuzz) list=("${base[@]}" clang libclang-rt-14-dev) ;;
	models) list=(make gcc libc6-dev spin) ;;
	qemu)
		[ -z "$on_board" ] && list=("${base[@]}") || list=("${board[@]}" "${qemu_board[@]}")
		list+=("${qemu[@]}")
		;;
	fresh) list=(debian-archive-keyring git mmdebstrap tar uidmap util-linux) ;;
	all)
		for p in base bench qemu ${on_board:+board}; do
			packages_for "$p"
		done
		[ -n "$on_board" ] || for p in style deb fuzz models fresh; do
			packages_for "$p"
		done
		return
		;;
	*) die "setup.sh: what is '$1'? There are base, style, bench, deb, fuzz, models, qemu, fresh, board and all" ;;
	esac
	printf '%s\n' "${list[@]}"
}

list= purposes=()
for a in "$@"; do
	case $a in
	--list) list=1 ;;
	*) purposes+=("$a") ;;
	esac
done
[ ${#purposes[@]} -gt 0 ] || purposes=(base)
names=
for p in "${purposes[@]}"; do
	names+=$(packages_for "$p")$'\n'
done
mapfile -t packages < <(awk 'NF && !seen[$0]++' <<<"$names")
if [ -n "$list" ]; then
	printf '%s\n' "${packages[@]}"
	exit 0
fi

installed() { dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^.i'; }

missing=()
for p in "${packages[@]}"; do
	installed "$p" || missing+=("$p")
done
if [ ${#missing[@]} -eq 0 ]; then
	exit 0
fi

command -v apt-get >/dev/null ||
	die "these Debian packages are needed and this is no Debian: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null ||
		die "as root, install these packages first: apt-get install ${missing[*]}"
	as_root=(sudo)
	say "sudo is asked to install packages"
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q
	-o DPkg::Lock::Timeout=300 -o Acquire::Retries=5)

say "installing: ${missing[*]}"
retry 3 "${apt[@]}" update >&2 </dev/null || die "apt-get update failed"
retry 2 "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 </dev/null ||
	die "apt-get could not install: ${missing[*]}"
say "packages installed"
