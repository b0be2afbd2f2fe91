#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# module.sh KO [DESTDIR]: installs a built module for the kernel that it was built for.
set -euo pipefail
# Debian keeps modinfo and depmod in folders that a plain user's PATH does not have.
PATH=$PATH:/usr/sbin:/sbin
ko=$1 root=${2:-}
release=$(modinfo -F vermagic "$ko" | cut -d' ' -f1)
dir=$root/lib/modules/$release
install -D -m 644 "$ko" "$dir/updates/armvmm.ko"
# As distributions do: nine tenths of the file are debug information.
"${CROSS_COMPILE:-}strip" --strip-debug "$dir/updates/armvmm.ko"
if [ -n "$root" ]; then
	echo "in $root: run depmod $release where it ends up"
else
	depmod "$release"
fi
if [ -z "$root" ] && ! getent group kvm >/dev/null; then
	echo "note: there is no group 'kvm'; 'groupadd --system kvm' makes /dev/armvmm usable by others"
fi
