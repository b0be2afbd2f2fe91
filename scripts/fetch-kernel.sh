#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# fetch-kernel.sh [--update] HOST: fetches Debian's stock kernel HOST into the cache, and prints its
# folder there:
#   release              the kernel's release, as `uname -r` prints it
#   zImage               the kernel
#   lib/modules/RELEASE  its modules
#   dtb/                 its device tree blobs
#   build                a build folder for `make -C`
# Fetches once per host; after that it needs no network until --update asks the mirror for a newer
# release. Exits with 4 (a skip) when no mirror offers the series.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# The format of the folder. Raise it when a change below changes the folder's content: folders of an
# older format are then made anew.
format=2

update=
[ "${1:-}" != --update ] || {
	update=1
	shift
}
[ $# -eq 1 ] || die "usage: fetch-kernel.sh [--update] HOST, with HOST one of: $ARMVMM_HOSTS_ALL"
host=$1
suite=$(host_suite "$host")
case $host in
*-lpae) flavour=armmp-lpae ;;
*-rt) flavour=rt-armmp ;;
*) flavour=armmp ;;
esac
case " $ARMVMM_HOSTS_ALL " in
*" $host "*) ;;
*) die "no such host kernel: '$host'; there are: $ARMVMM_HOSTS_ALL" ;;
esac

link=$ARMVMM_CACHE/kernel/$host

# The kernel's build programs in newer suites need a newer libc than bookworm's. So each program is
# kept as PROGRAM.bin, and trixie's own loader starts it with trixie's libraries.
wrap_programs() {
	local root=$1 libs=$ARMVMM_CACHE/trixie-amd64/$format f rel tmp
	if [ ! -e "$libs" ]; then
		mkdir -p "${libs%/*}"
		temp_dir tmp
		apt_suite_update trixie || die "no mirror offers trixie, whose libc $host's scripts need"
		apt_suite_get trixie "$tmp" libc6:amd64 libelf1t64:amd64 libssl3t64:amd64 \
			zlib1g:amd64 libzstd1:amd64
		mv -T "$tmp" "$libs" 2>/dev/null || rm -rf "$tmp"
	fi
	mkdir "$root/trixie"
	cp -a "$libs"/usr/lib/x86_64-linux-gnu/*.so* "$root/trixie/"
	find "$root"/usr/lib/linux-kbuild-* -type f -perm /111 | while read -r f; do
		[ "$(head -c 4 "$f" | tr -d '\0')" = $'\177ELF' ] || continue
		rel=$(realpath --relative-to="$(dirname "$f")" "$root/trixie")
		mv "$f" "$f.bin"
		cat >"$f" <<-WRAP
			#!/bin/sh
			d=\${0%/*}
			exec "\$d/$rel/ld-linux-x86-64.so.2" --argv0 "\$0" --library-path "\$d/$rel" \
				"\$d/${f##*/}.bin" "\$@"
		WRAP
		chmod 755 "$f"
	done
}

fetch() {
	local release version dest tmp root build packages image d
	[ -z "$update" ] || rm -f "$ARMVMM_CACHE/apt/$suite"/updated*
	apt_suite_update "$suite" || {
		say "SKIP: no mirror offers Debian $suite, so there is no kernel for $host"
		exit 4
	}
	release=$(apt_suite "$suite" apt-cache depends "linux-image-$flavour" |
		sed -n 's/^  Depends: linux-image-\([0-9].*\)$/\1/p' | head -n 1)
	[ -n "$release" ] || {
		say "SKIP: Debian $suite has no linux-image-$flavour"
		exit 4
	}
	dest=$ARMVMM_CACHE/kernel/$host-$release-f$format
	if [ ! -e "$dest/format" ]; then
		say "fetching Linux $release (Debian $suite) with its headers"
		temp_dir tmp
		root=$tmp/root
		mkdir -p "$root" "$tmp/lib/modules" "$ARMVMM_CACHE/kernel"
		version=${release%-"$flavour"}
		mapfile -t packages < <(apt_suite "$suite" apt-cache depends \
			"linux-image-$release" "linux-headers-$release" |
			sed -nE 's/^ *\|?(Pre)?Depends: //p' | sort -u |
			grep -E -- "-${version//+/\\+}(-common(-rt)?|-$flavour)?\$|^linux-kbuild-[0-9.]+\$" |
			grep -vx "linux-image-.*" | sed -E 's/^linux-kbuild-.*$/&:amd64/')
		apt_suite_get "$suite" "$root" "linux-image-$release" "linux-headers-$release" \
			"${packages[@]}"
		# Bookworm and older put files in /lib that trixie puts in /usr/lib.
		image=$(find "$root" -name 'vmlinuz*' -type f | sed -n 1p)
		[ -n "$image" ] || die "the packages of $release hold no kernel image"
		cp "$image" "$tmp/zImage"
		for d in "$root/lib/modules/$release" "$root/usr/lib/modules/$release"; do
			[ ! -d "$d/kernel" ] || mv "$d" "$tmp/lib/modules/"
		done
		if [ -d "$tmp/lib/modules/$release/dtb" ]; then
			mv "$tmp/lib/modules/$release/dtb" "$tmp/dtb"
		else
			mv "$root/usr/lib/linux-image-$release" "$tmp/dtb"
		fi
		rm -rf "$root/boot" "$root/lib/modules" "$root/usr/lib/modules" "$root/usr/share"
		(cd "$tmp/lib/modules/$release" && rm -f build source vmlinuz)
		depmod -b "$tmp" "$release"
		build=$root/usr/src/linux-headers-$release
		# make will use the final folder, not the temporary one.
		{ grep -lI -- /usr/src "$build/Makefile" "$build/.kernelvariables" 2>/dev/null || true; } |
			xargs -r sed -i "s|/usr/src|$dest/root/usr/src|g"
		case $suite in
		trixie*) wrap_programs "$root" ;;
		esac
		ln -s "root/usr/src/linux-headers-$release" "$tmp/build"
		echo "$release" >"$tmp/release"
		echo "$format" >"$tmp/format"
		mv -T "$tmp" "$dest"
	fi
	ln -sfn "${dest##*/}" "$link.new"
	mv -T "$link.new" "$link"
}

have() { [ -z "$update" ] && [ "$(cat "$link/format" 2>/dev/null)" = "$format" ]; }

if ! have; then
	take_lock "kernel-$host"
	have || fetch
fi
echo "$link"
