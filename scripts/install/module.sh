#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# module.sh KO [DESTDIR [KDIR]]: installs a built module for the kernel that it was built for, which
# is the one of the build folder KDIR, if one is given. LIBROOT is where DESTDIR has its /lib.
set -euo pipefail
# Debian keeps modinfo and depmod in folders that a plain user's PATH does not have.
PATH=$PATH:/usr/sbin:/sbin
ko=$1 root=${2:-} kdir=${3:-}
release=$(modinfo -F vermagic "$ko" | cut -d' ' -f1)
wanted=$(cat "${kdir:-/nonexistent}/include/config/kernel.release" 2>/dev/null || echo "$release")
if [ "$release" != "$wanted" ]; then
	echo "$ko is built for $release and not for $wanted: run make KDIR=$kdir first" >&2
	exit 1
fi
dir=$root${LIBROOT:-/lib}/modules/$release
install -D -m 644 "$ko" "$dir/updates/armvmm.ko"
# As distributions do: nine tenths of the file are debug information. A signature would go with it.
if ! tail -c 28 "$ko" | grep -aqx '~Module signature appended~'; then
	"${CROSS_COMPILE:-}strip" --strip-debug "$dir/updates/armvmm.ko"
fi
if [ -n "$root" ]; then
	echo "in $root: run depmod $release where it ends up"
else
	depmod "$release"
fi
if [ -z "$root" ] && ! getent group kvm >/dev/null; then
	echo "note: there is no group 'kvm'; 'groupadd --system kvm' makes /dev/armvmm usable by others"
fi
