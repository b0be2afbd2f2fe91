#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# hyp-same.sh OLD [NEW]: is the code that runs in HYP mode the same in OLD and NEW (by default the
# working tree)? Each is a git revision, which is built for the 6.1 host, or an armvmm.ko. Functions
# are compared by name, without addresses. If they differ, the differences are shown and the status
# is 1.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ $# -ge 1 ] && [ $# -le 2 ] || die "hyp-same.sh: say an old revision, or the armvmm.ko of one"

work=$ARMVMM_BUILD/hyp-same
mkdir -p "$work"

# module WHAT: prints the path of WHAT's armvmm.ko
module() {
	local rev tree
	case $1 in
	*.ko) [ -e "$1" ] || die "hyp-same.sh: there is no $1"; echo "$1" && return ;;
	"") "$ARMVMM_TOP/scripts/build-module.sh" --host 6.1 && return ;;
	esac
	rev=$(git -C "$ARMVMM_TOP" rev-parse --verify --quiet "$1^{commit}") || die "hyp-same.sh: there is no revision '$1'"
	tree=$work/$rev
	if [ ! -e "$tree/Kbuild" ]; then
		mkdir -p "$tree"
		git -C "$ARMVMM_TOP" archive "$rev" | tar -x -C "$tree"
	fi
	ARMVMM_BUILD=$tree/build "$tree/scripts/build-module.sh" --host 6.1
}

# code MODULE: prints its functions for HYP mode, sorted by name
code() {
	"${CROSS_COMPILE}objdump" -dr --no-show-raw-insn --no-addresses -j .hyp.text "$1" | awk '
		/^<.*>:$/ { if (f) print f; f = $0; next }
		f && NF { gsub(/[ \t]+/, " "); sub(/^ /, ""); f = f "\t" $0 }
		END { if (f) print f }' | sort | tr '\t' '\n'
}

old=$(module "$1")
new=$(module "${2:-}")
code "$old" >"$work/old"
code "$new" >"$work/new"
[ -s "$work/old" ] || die "hyp-same.sh: $old has no .hyp.text"
if diff -u --label "$1" --label "${2:-the working tree}" "$work/old" "$work/new"; then
	say "the same code in HYP mode: $(grep -c '^<' "$work/new") functions"
else
	die "the code in HYP mode differs"
fi
