#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# uapi-headers.sh [KDIR]: makes build/uapi, the headers that user space compiles with: the ABI's
# arch-independent half from the kernel whose build folder is KDIR (by default the 6.1 host's), made
# fit for user space, and our own half. The C library's headers for armhf lack <linux/kvm.h>,
# because Linux installs it for architectures with KVM only.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

out=$ARMVMM_BUILD/uapi
kdir=${1:-}
if [ -z "$kdir" ]; then
	kdir=$("$ARMVMM_TOP/scripts/fetch-kernel.sh" 6.1)/build
fi

# A build folder names its source tree in one of several ways: it is the source tree itself, or has
# a link, or its Makefile includes the source's.
source=
for d in "$kdir" "$kdir/source" "$kdir/../source" \
	$(sed -nE 's/^include +(.*)\/Makefile *$/\1/p' "$kdir/Makefile" 2>/dev/null); do
	[ ! -e "$d/include/uapi/linux/kvm.h" ] || source=$d
done
[ -n "$source" ] || die "$kdir has no include/uapi/linux/kvm.h: install the kernel's headers"

temp_dir tmp
mkdir -p "$tmp/linux" "$tmp/asm"
# As `make headers_install` does: remove annotations, and includes of the kernel's own headers.
sed -E -e '/^#include <linux\/(compiler|compiler_types|kvm_types)\.h>/d' \
	-e 's/\b(__user|__force|__iomem)\b ?//g' \
	-e 's/\b(__attribute_const__|__packed)\b/__attribute__((packed))/g' \
	-e 's/\b__(inline|asm|volatile)\b/__\1__/g' \
	"$source/include/uapi/linux/kvm.h" >"$tmp/linux/kvm.h"
(cd "$ARMVMM_TOP/include/uapi" && find . -name '*.h' -print0 | xargs -0 cp --parents -t "$tmp")

# A header that did not change keeps its time.
mkdir -p "$out"
(cd "$tmp" && find . -type f) | while read -r f; do
	cmp -s "$tmp/$f" "$out/$f" || install -D -m 644 "$tmp/$f" "$out/$f"
done
(cd "$out" && find . -type f) | while read -r f; do
	[ -e "$tmp/$f" ] || rm "$out/$f"
done
