#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# build-module.sh --host HOST | --kdir KDIR [--out DIR] [MAKE-VARIABLE...]: builds armvmm.ko for a
# test host's kernel or for any kernel's build folder, in DIR (by default build/module/HOST). DIR
# gets links to the sources, whose folders stay clean. Only what changed is built again.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

host= kdir= out= vars=()
while [ $# -gt 0 ]; do
	case $1 in
	--host) host=$2 && shift 2 ;;
	--kdir) kdir=$2 && shift 2 ;;
	--out) out=$2 && shift 2 ;;
	*=*) vars+=("$1") && shift ;;
	*) die "build-module.sh: what is '$1'?" ;;
	esac
done

name=${host:-${kdir:+$(cat "$kdir/include/config/kernel.release" 2>/dev/null || echo native)}}
[ -n "$name" ] || die "build-module.sh: say --host HOST or --kdir KDIR"
out=${out:-$ARMVMM_BUILD/module/$name}
if [ -n "$host" ]; then
	kdir=$("$ARMVMM_TOP/scripts/host-kernel.sh" "$host")/build || exit $?
	vars+=("${ARMVMM_KERNEL_VARS[@]}")
fi
[ -e "$kdir/Makefile" ] ||
	die "$kdir is no kernel build folder: install the kernel's headers, or set KDIR"

# One run at a time may link and build in the folder.
mkdir -p "$out"
exec 9>"$out/.lock"
flock 9

# Link the sources, and remove links whose source is gone.
(
	cd "$ARMVMM_TOP"
	find driver include/uapi -type d
) | sed "s|^|$out/|" | xargs mkdir -p
(
	cd "$ARMVMM_TOP"
	find driver include/uapi -type f \( -name '*.[chS]' -o -path 'driver/compat/*' \)
	echo Kbuild
) | while read -r f; do
	[ -L "$out/$f" ] || ln -s "$ARMVMM_TOP/$f" "$out/$f"
done
find "$out/Kbuild" "$out/driver" "$out/include" -xtype l -delete

# forget: removes what was built in the folder, by names: it may be one where others have files.
forget() {
	find "$out" -maxdepth 1 -type f \( -name armvmm.ko -o -name armvmm.o -o -name 'armvmm.mod*' -o -name '.armvmm.*' \
		-o -name 'compat-config.h*' -o -name Module.symvers -o -name modules.order -o -name .Module.symvers.cmd \
		-o -name .modules.order.cmd -o -name '.module-common.*' -o -name '..module-common.*' \) -delete
	find "$out/driver" -type f \( -name '*.o' -o -name '.*.cmd' -o -name '.*.d' -o -name '*.gcno' \) -delete
}

kmake() {
	make --no-print-directory -j"$(nproc)" -C "$kdir" "${vars[@]}" KBUILD_VERBOSE="${V:-0}" M="$1" "${@:2}" 9>&-
}

probe=$ARMVMM_TOP/driver/compat/probe.sh

# ask: probes the kernel, and writes compat-config.h. For a kernel of the cache, whose folder never
# changes, the result is kept, under a hash of the probes, the compiler and the configuration.
ask() {
	local kept=
	if [ -n "$host" ]; then
		kept=$(cd "$kdir" && pwd -P && "${CROSS_COMPILE}gcc-12" --version &&
			cat "$probe" "${probe%.sh}s" "${probe%/*}"/{options.sh,kernel-options} .config Module.symvers)
		kept=$ARMVMM_CACHE/probe/$host-$(hash_of - <<<"$kept")
		if [ -s "$kept" ]; then
			cmp -s "$kept" "$out/compat-config.h" || cp "$(in_use "$kept")" "$out/compat-config.h"
			return
		fi
	fi
	say "probing the kernel's headers ($name)"
	"$probe" "$kdir" "$out" "${vars[@]}" >&2 9>&-
	[ -n "$kept" ] || return 0
	mkdir -p "${kept%/*}"
	cp "$out/compat-config.h" "$kept.$$" && mv "$kept.$$" "$kept"
	forget_old "$host-" "$kept"
}

# The folder was for another kernel, or for another release of this one: nothing in it is right, and
# make, which goes by dates, may not see that.
this=$(cd "$kdir" && pwd -P) || exit 1
this+=" $(cat "$kdir/include/config/kernel.release" 2>/dev/null || true)"
if [ -e "$out/.probed" ] && [ "$this" != "$(cat "$out/.probed")" ]; then
	forget
	rm "$out/.probed"
fi
if [ -n "$(find "${probe%.sh}s" "$probe" "${probe%/*}"/{options.sh,kernel-options} "$kdir/.config" \
	"$kdir/Module.symvers" -newer "$out/.probed" 2>&1)" ]; then
	ask
	echo "$this" >"$out/.probed"
fi

# The coverage host counts the lines that ran; the shadow host's guests have copies of its pages; on
# the race host the module watches its own accesses.
case $host in
*-gcov) vars+=(ARMVMM_GCOV=y) ;;
*-shadow) vars+=(ARMVMM_SHADOW=y) ;;
*-race) vars+=(ARMVMM_RACE=y) ;;
esac

# A warning is an error with the compiler and the kernels of the test hosts.
werror=
[ -z "$host" ] || werror=-Werror
rc=0
kmake "$out" -k ARMVMM_RELEASE="$(cat "$ARMVMM_TOP/VERSION")" ARMVMM_CFLAGS="$werror" ARMVMM_PROBED=y modules >&2 || rc=$?
if [ "$rc" -ne 0 ]; then
	# The probe has said this once, perhaps long ago.
	"${probe%/*}/options.sh" "$kdir/.config" with 2>/dev/null | sed 's/^/armvmm: /' >&2 || true
	die "building armvmm.ko for $name failed"
fi
[ -e "$out/armvmm.ko" ] || die "the build for $name made no armvmm.ko"
echo "$out/armvmm.ko"
