#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# source-kernel.sh HOST: builds a test host's kernel from Debian's linux-source of its series, and
# prints its folder in the cache, which is laid out as scripts/fetch-kernel.sh lays out a stock
# kernel's. Once: a checker's kernel in five minutes on two cores, the others in three.
#
# Its configuration is tests/host/base.config, then small.config where the kernel is no checker's,
# then FLAVOUR.config; the last word counts.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

host=$1
series=${host%%-*} flavour=${host#*-}
case " $ARMVMM_HOSTS_SOURCE " in
*" $host "*) ;;
*) die "no kernel is built from source for '$host', only for $ARMVMM_HOSTS_SOURCE" ;;
esac
suite=$(host_suite "$host")
configs=("$ARMVMM_TOP/tests/host/base.config")
case $flavour in
debug | gcov) ;;
*) configs+=("$ARMVMM_TOP/tests/host/small.config") ;;
esac
configs+=("$ARMVMM_TOP/tests/host/$flavour.config")
id=$(hash_of "${configs[@]}" "$0")
link=$ARMVMM_CACHE/kernel/$host-$id
have() { [ -e "$link/release" ]; }

if ! have; then
	take_lock "kernel-$host"
fi
if ! have; then
	apt_suite_update "$suite" || {
		say "SKIP: no mirror offers Debian $suite, so there is no source for $host"
		exit 4
	}
	temp_dir tmp
	say "fetching linux-source-$series"
	apt_suite_get "$suite" "$tmp" "linux-source-$series" ||
		die "linux-source-$series could not be had"
	mkdir "$tmp/src" "$tmp/build" "$tmp/lib"
	tar -C "$tmp/src" --strip-components=1 -xf "$tmp/usr/src/linux-source-$series.tar.xz" \
		--exclude='*/Documentation/*/*' --exclude='*/tools/testing' --exclude='*/tools/perf' \
		--exclude='*/arch/[b-z]*/boot/dts' --exclude='*/drivers/gpu/drm/*.[ch]'
	rm -rf "$tmp/usr"
	kmake() {
		nice -n "${ARMVMM_NICE:-5}" make -C "$tmp/src" O="$tmp/build" ARCH=arm \
			CROSS_COMPILE="$CROSS_COMPILE" CC="${CROSS_COMPILE}gcc-12" "$@"
	}
	# What is set twice has the value that comes last.
	awk '/^# CONFIG_[A-Za-z0-9_]* is not set$/ { value[$2] = $0; next }
		/^CONFIG_/ { name = $0; sub(/=.*/, "", name); value[name] = $0 }
		END { for (name in value) print value[name] }' "${configs[@]}" | sort >"$tmp/config"
	# A key of its builder's own, as docs/packages.md has it: system/signed-own signs with it.
	if grep -qx 'CONFIG_SYSTEM_TRUSTED_KEYS="certs/own.pem"' "$tmp/config"; then
		mkdir "$tmp/build/certs"
		step 'making its own key' openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 36500 \
			-subj /CN=own -keyout "$tmp/build/certs/own-key.pem" -out "$tmp/build/certs/own.pem"
	fi
	step "configuring the kernel of $host" kmake KCONFIG_ALLCONFIG="$tmp/config" allnoconfig
	missing=$(grep -E '^CONFIG_.*=[^n]' "$tmp/config" | grep -vxFf "$tmp/build/.config" || true)
	[ -z "$missing" ] || die "tests/host/$flavour.config asks for what the kernel did not take: $missing"
	step "building the kernel of $host (once)" \
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
