#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# source-kernel.sh 6.1-FLAVOUR: builds a test host's kernel from Debian's linux-source with
# tests/host/base.config and tests/host/FLAVOUR.config, and prints its folder in the cache, which
# is laid out as scripts/fetch-kernel.sh lays out a stock kernel's. Five minutes on two cores, once.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

host=$1
flavour=${host#6.1-}
configs=("$ARMVMM_TOP/tests/host/base.config" "$ARMVMM_TOP/tests/host/$flavour.config")
[ "6.1-$flavour" = "$host" ] && [ -e "${configs[1]}" ] ||
	die "no kernel is built from source for '$host', only for 6.1-debug and 6.1-gcov"
id=$(hash_of "${configs[@]}" "$0")
link=$ARMVMM_CACHE/kernel/$host-$id
have() { [ -e "$link/release" ]; }

if ! have; then
	take_lock "kernel-$host"
fi
if ! have; then
	apt_suite_update bookworm || die "no mirror offers Debian bookworm"
	temp_dir tmp
	say "fetching linux-source-6.1"
	apt_suite_get bookworm "$tmp" linux-source-6.1 || die "linux-source-6.1 could not be had"
	mkdir "$tmp/src" "$tmp/build" "$tmp/lib"
	tar -C "$tmp/src" --strip-components=1 -xf "$tmp"/usr/src/linux-source-6.1.tar.xz \
		--exclude='*/Documentation/*/*' --exclude='*/tools/testing' --exclude='*/tools/perf' \
		--exclude='*/arch/[b-z]*/boot/dts'
	rm -rf "$tmp/usr"
	kmake() {
		nice -n "${ARMVMM_NICE:-5}" make -C "$tmp/src" O="$tmp/build" ARCH=arm \
			CROSS_COMPILE="$CROSS_COMPILE" CC="${CROSS_COMPILE}gcc-12" "$@"
	}
	cat "${configs[@]}" >"$tmp/config"
	step "configuring the kernel of $host" kmake KCONFIG_ALLCONFIG="$tmp/config" allnoconfig
	missing=$(grep -E '^CONFIG_.*=[^n]' "$tmp/config" | grep -vxFf "$tmp/build/.config" || true)
	[ -z "$missing" ] || die "tests/host/$flavour.config asks for what the kernel did not take: $missing"
	step "building the kernel of $host (once, about five minutes)" \
		kmake -j"$(nproc)" KBUILD_BUILD_TIMESTAMP='1 January 2026' zImage modules
	cp "$tmp/build/arch/arm/boot/zImage" "$tmp/zImage"
	release=$(cat "$tmp/build/include/config/kernel.release")
	mkdir -p "$tmp/lib/modules/$release" "$tmp/dtb"
	find "$tmp/build" -name '*.o' ! -path '*/scripts/*' -delete
	rm -f "$tmp/build/vmlinux.map" "$tmp/build/arch/arm/boot/compressed/vmlinux"
	# The build folder names its source by the temporary folder's name.
	final=$link
	find "$tmp/build" -maxdepth 1 -type f -name Makefile -exec sed -i "s|$tmp|$final|g" {} +
	ln -sfn "$final/src" "$tmp/build/source"
	echo "$release" >"$tmp/release"
	mv -T "$tmp" "$final"
	forget_old "$host-" "$final"
fi
in_use "$link"
