#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# release.sh: makes build/release/armvmm-VERSION.tar.xz from the commit, and a file with its SHA-256
# beside it, ready to be signed. Two runs on one commit give the same bytes.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ARMVMM_TOP"

version=$(cat VERSION)
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "VERSION: '$version' is no version (1.2.3)"
git rev-parse -q --verify HEAD >/dev/null 2>&1 || die "this is no git repository: a release is made of a commit"
[ -z "$(git status --porcelain --untracked-files=no)" ] ||
	die "there are changes that are not committed: $(git status --porcelain --untracked-files=no | head -n 3 | cut -c4- | paste -sd ' ')"
# Every place that shows a version must show this one.
changelog=$(sed -nE '1s/^armvmm \(([^)]*)\).*/\1/p' debian/changelog)
[ "$changelog" = "$version" ] || die "debian/changelog is of '$changelog' and VERSION says $version"
for page in $(git ls-files '*.[1-9]'); do
	shown=$(sed -nE 's/^\.(TH .*"|Os )armvmm[a-z-]* ([0-9.]+).*/\2/p' "$page")
	[ -z "$shown" ] || [ "$shown" = "$version" ] ||
		die "$page shows $shown and VERSION says $version"
done
# Code takes the version from VERSION.
for old in $(sed -nE 's/^armvmm \(([^)]*)\).*/\1/p' debian/changelog); do
	written=$(git grep -lF "\"$old\"" -- ':!debian' | head -n 1 || true)
	[ -z "$written" ] || die "$written has the version \"$old\" in it: take it from VERSION"
done
tag=$(git rev-parse -q --verify "v$version^{commit}" || true)
[ -z "$tag" ] || [ "$tag" = "$(git rev-parse HEAD)" ] ||
	die "v$version is another commit than this one: raise VERSION and debian/changelog"

out=$ARMVMM_BUILD/release
mkdir -p "$out"
tarball=$out/armvmm-$version.tar.xz
make_tarball() {
	# Dates, owners and modes are the commit's; one thread gives one stream on every machine.
	git -c tar.umask=0022 archive --format=tar --prefix="armvmm-$version/" HEAD | xz -9e -T1
}
make_tarball >"$tarball.new"
make_tarball | cmp -s - "$tarball.new" || die "two runs gave different bytes"
mv "$tarball.new" "$tarball"
(cd "$out" && sha256sum "${tarball##*/}" >"${tarball##*/}.sha256")
cat "$tarball.sha256"
echo "$tarball"
