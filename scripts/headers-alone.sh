#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# headers-alone.sh [HOST]: lists each header of driver/ that does not compile by itself, with the
# compiler's errors. It compiles as the module of HOST (6.1) was compiled, which must be built.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ARMVMM_TOP"

out=$ARMVMM_BUILD/module/${1:-6.1}
[ -e "$out/driver/.main.o.cmd" ] || die "$out is not built: run scripts/build-module.sh --host ${1:-6.1}"
kdir=$(scripts/host-kernel.sh "${1:-6.1}")/build
# The command that compiled main.c, without its output and its source.
command=$(sed -nE '1s/^[^=]*= //; 1s/ -Wp,-MMD,[^ ]*//; 1s/ -c -o [^ ]+ [^ ]+ *$//p' "$out/driver/.main.o.cmd")
export command kdir out

# compile_one HEADER
compile_one() {
	local log
	log=$(cd "$kdir" && eval "$command -fsyntax-only -include $out/$1 -x c /dev/null" 2>&1) || {
		echo "$1 does not compile alone:"
		grep -m 3 -E 'error|warning' <<<"$log" || echo "$log" | head -n 3
	}
}
export -f compile_one
git ls-files -- 'driver/*.h' 'driver/**/*.h' | sort -u | grep -v '^driver/compat/include/' |
	xargs -P "$(nproc)" -I{} bash -c 'compile_one {}'
