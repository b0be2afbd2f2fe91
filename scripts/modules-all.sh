#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# modules-all.sh HOST...: builds the module for each host's kernel, and prints KTAP.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
passed=0 failed=0 skipped=0 n=0
echo "TAP version 13"
echo "1..$#"
for host in "$@"; do
	n=$((n + 1))
	rc=0
	"$ARMVMM_TOP/scripts/host-kernel.sh" "$host" >/dev/null || rc=$?
	if [ "$rc" -eq 4 ]; then
		echo "ok $n module $host # SKIP no mirror offers its kernel"
		skipped=$((skipped + 1))
	elif [ "$rc" -eq 0 ] &&
		"$ARMVMM_TOP/scripts/build-module.sh" --host "$host" >/dev/null &&
		"$ARMVMM_TOP/scripts/hyp-symbols.sh" "$host"; then
		echo "ok $n module $host"
		passed=$((passed + 1))
	else
		echo "not ok $n module $host"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
