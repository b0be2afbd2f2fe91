#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# driver-floors.sh: lists each #include of driver/ that goes up or sideways in the table of
# scripts/driver-floors, and each folder that the table lacks. Prints nothing if all is well.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ARMVMM_TOP"
git grep -nE '^#[ 	]*include "' -- 'driver/*.[chS]' 'driver/**/*.[chS]' |
	sort -u | awk '
FILENAME != "-" {
	if ($0 !~ /^(#|$)/) {
		floor++
		for (i = 1; i <= NF; i++)
			floor_of[$i] = floor
	}
	next
}
{
	split($0, at, ":")
	n = split(at[1], path, "/")
	from = n > 2 ? path[2] : "top"
	split($0, quoted, "\"")
	to = quoted[2] ~ /\// ? substr(quoted[2], 1, index(quoted[2], "/") - 1) : \
		quoted[2] in floor_of ? quoted[2] : "top"
	if (from == to)
		next
	if (!(from in floor_of) || !(to in floor_of))
		print at[1] ":" at[2] ": the table has no folder " (from in floor_of ? to : from)
	else if (floor_of[to] <= floor_of[from])
		print at[1] ":" at[2] ": " from "/ is not above " to "/ (" quoted[2] ")"
}' scripts/driver-floors -
