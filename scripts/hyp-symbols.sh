#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# hyp-symbols.sh HOST|DIR: fails if an object of driver/hyp/ needs a symbol that no other of these
# objects defines and scripts/hyp-symbols does not list. HYP mode maps nothing else: a call to such
# a symbol would fault there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
dir=$1
[ -d "$dir" ] || dir=$ARMVMM_BUILD/module/$1
nm=${CROSS_COMPILE}nm
shopt -s nullglob
objects=()
for o in "$dir"/driver/hyp/*.o; do
	case $o in
	*.mod.o) ;;
	*) objects+=("$o") ;;
	esac
done
[ ${#objects[@]} -gt 0 ] || die "$dir holds no object of driver/hyp: build the module first"
bad=$(comm -23 <("$nm" -u "${objects[@]}" | sed -nE 's/^ +[Uuw] //p' | sort -u) \
	<({
		"$nm" --defined-only "${objects[@]}" | awk 'NF == 3 { print $3 }'
		sed -E '/^#/d; s/[ \t].*//; /^$/d' "$ARMVMM_TOP/scripts/hyp-symbols"
	} | sort -u))
if [ -n "$bad" ]; then
	warn "objects of driver/hyp/ need what is not mapped in HYP mode:"
	for s in $bad; do
		printf '  %s: %s\n' "$s" "$("$nm" -A -u "${objects[@]}" | sed -nE "s|^.*/([^/]+\.o): +[Uuw] $s\$|\1|p" | xargs)" >&2
	done
	exit 1
fi
