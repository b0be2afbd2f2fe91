#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Installs, by name, the Debian packages that building and testing armvmm needs, those that are
# missing only; says what it does and asks sudo when not root. `setup.sh qemu` adds what building
# QEMU needs (on a board: that alone), `setup.sh fuzz` what the fuzz targets of the build machine need,
# which is big; `setup.sh [qemu|fuzz] --list` prints the names.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

packages=(
	# to build the module, the user space and the guests' payloads for armhf
	make gcc libc6-dev gcc-12-arm-linux-gnueabihf libc6-dev-armhf-cross
	binutils-arm-linux-gnueabihf bc flex bison pkg-config python3 kmod
	libssl-dev libelf-dev rsync xz-utils zstd
	# to build the unit tests for the build machine
	libfdt-dev libglib2.0-dev
	# to make hosts, guests and their images, and to emulate the board
	qemu-system-arm device-tree-compiler cpio e2fsprogs fakeroot mmdebstrap
	debian-archive-keyring ca-certificates util-linux
	# to check the style of the source
	clang-format cppcheck sparse
)

if [ "${1:-}" = qemu ]; then
	shift
	case $(uname -m) in
	arm*) packages=(make gcc libc6-dev libfdt-dev libglib2.0-dev libpixman-1-dev libslirp-dev) ;;
	esac
	packages+=(bzip2 dpkg-dev flex bison meson ninja-build patch perl pkg-config python3 python3-venv
		xz-utils zlib1g-dev)
elif [ "${1:-}" = fuzz ]; then
	shift
	packages+=(clang libclang-rt-14-dev)
fi
if [ "${1:-}" = --list ]; then
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
