#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# host-config.sh HOST CONFIG: checks that CONFIG, the .config of a test host's kernel that was built
# from source, has each option as tests/host asks for it, also those that shall not be set: the kernel's
# dependencies may have had the last word.
#
# This is no part of source-kernel.sh, whose text names the kernel's folder in the cache: a change
# there builds all kernels anew.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ $# -eq 2 ] || die "host-config.sh HOST CONFIG"
[ -r "$2" ] || die "host-config.sh: $2 cannot be read"
flavour=${1#*-}
configs=("$ARMVMM_TOP/tests/host/base.config")
case $flavour in
debug | gcov) ;;
*) configs+=("$ARMVMM_TOP/tests/host/small.config") ;;
esac
configs+=("$ARMVMM_TOP/tests/host/$flavour.config")

# Prints "NAME VALUE" for each option, n if it is not set; the last word counts.
options() {
	awk '/^# CONFIG_[A-Za-z0-9_]* is not set$/ { value[$2] = "n" }
		/^CONFIG_/ { at = index($0, "="); value[substr($0, 1, at - 1)] = substr($0, at + 1) }
		END { for (name in value) print name, value[name] }' "$@"
}
wrong=$(awk 'NR == FNR { want[$1] = $0; next }
	{ has[$1] = $0 }
	END {
		for (name in want)
			if (want[name] != (name in has ? has[name] : name " n"))
				print name "=" substr(want[name], length(name) + 2)
	}' <(options "${configs[@]}") <(options "$2") | sort | xargs)
[ -z "$wrong" ] || die "tests/host/$flavour.config asks for what the kernel did not take: $wrong"
