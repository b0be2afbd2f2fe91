#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# dkms.sh [DESTDIR]: puts the module's sources where DKMS looks for them.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(cat VERSION)
dest=${1:-}/usr/src/armvmm-$version
rm -rf "$dest"
mkdir -p "$dest"
# The sources are root's own, whoever has the tree: root builds the next kernel's module of them.
cp -R --preserve=mode,timestamps --parents COPYING Kbuild Makefile VERSION driver include/uapi scripts/lib.sh \
	scripts/build-folder scripts/build-module.sh scripts/ccache.mk scripts/check-kernel "$dest/"
config=$(awk '$1 == "must" { print "CONFIG_" $2 } $1 == "refuses" { print "!CONFIG_" $2 }' \
	driver/compat/kernel-options | xargs)
chmod -R go-w "$dest"
sed "s/@VERSION@/$version/; s/@CONFIG@/$config/" scripts/install/dkms.conf.in >"$dest/dkms.conf"
echo "$dest: now 'dkms install armvmm/$version'"
