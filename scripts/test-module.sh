#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# test-module.sh HOST: builds the modules of tests/host/modules for a test host's kernel, and prints
# their folder. It leaves out a module if the kernel lacks what the module drives.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

kernel=$("$ARMVMM_TOP/scripts/host-kernel.sh" "$1") || exit $?
out=$ARMVMM_BUILD/module/$1-test
mkdir -p "$out"
exec 9>"$out/.lock"
flock 9
ln -sf "$ARMVMM_TOP"/tests/host/modules/* "$out/"
make --no-print-directory -C "$kernel/build" "${ARMVMM_KERNEL_VARS[@]}" KBUILD_VERBOSE="${V:-0}" M="$out" \
	modules >&2 9>&- || die "building the test modules for $1 failed"
# A signature is the end of the file, and one is enough.
for ko in "$out"/*.ko; do
	tail -c 28 "$ko" | grep -aqx '~Module signature appended~' || sign_module "$ko" "$kernel"
done
echo "$out"
