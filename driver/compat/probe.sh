#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# probe.sh KDIR OUT [MAKE-VARIABLE...]: asks the target kernel what it has, by compiling the
# snippets of driver/compat/probes as its own build system would, and writes OUT/compat-config.h.
# First it asks driver/compat/options.sh if the kernel's series and configuration have what armvmm
# must have. Stable point releases change interfaces, so that a version number answers nothing.
#
# The probes file:
#	probe HAVE_SOMETHING
#	#include <linux/something.h>
#	int f(void);
#	int f(void) { return something(1); }
#	end
# defines HAVE_SOMETHING when the text between compiles without error; wrong argument types and
# functions that are not declared are errors.
#	symbol HAVE_SOMETHING something
# defines it when the kernel or one of its modules exports something to modules.
set -euo pipefail
kdir=$1 out=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the kernel is too old for, or was built without, no header can give: a line for each, and no more.
config=$kdir/.config
[ -e "$config" ] || config=$kdir/include/config/auto.conf
if [ ! -e "$config" ]; then
	echo "armvmm: $kdir has no .config: configure and build that kernel, or name the folder of its headers (linux-headers-RELEASE, and not ...-common)" >&2
	exit 1
fi
rc=0
lacks=$("$here/options.sh" "$config" since must refuses 2>&1) || rc=$?
if [ "$rc" -ne 0 ]; then
	printf '%s\n' "$lacks" | sed 's/^/armvmm: /' >&2
	echo "armvmm: it cannot be built for the kernel of $kdir" >&2
	exit 1
fi
# What has to be done first, if it is not done yet.
"$here/options.sh" "$config" with | sed 's/^/armvmm: /' >&2

if [ ! -e "$kdir/Module.symvers" ]; then
	echo "armvmm: $kdir has no Module.symvers, which \`make\` writes there and \`make modules_prepare\` does not: build that kernel first" >&2
	exit 1
fi

# The compiler's command line and folder, as kbuild has them for an object of a module.
mkdir "$work/kbuild"
cat >"$work/kbuild/Kbuild" <<'K'
$(info armvmm-probe-cwd $(CURDIR))
obj-m := probe.o
K
echo '#include <linux/module.h>' >"$work/kbuild/probe.c"
make --no-print-directory -C "$kdir" "$@" KBUILD_VERBOSE=0 M="$work/kbuild" probe.o \
	>"$work/log" 2>&1 || {
	cat "$work/log" >&2
	echo "the kernel's build folder $kdir cannot build an empty object" >&2
	exit 1
}
cwd=$(sed -n 's/^armvmm-probe-cwd //p' "$work/log" | tail -n 1)
cmd=$(sed -nE 's/^(saved)?cmd_.*probe\.o := //p' "$work/kbuild/.probe.o.cmd")
# From the compiler up to the file: no output, no dependencies, no steps after the compiler.
cmd=${cmd%%;*}
cmd=$(sed -E 's/ -Wp,-MM?D,[^ ]+//; s/ -c -o .*$//' <<<"$cmd")
[ -n "$cmd" ] && [ -d "$cwd" ] || {
	echo "probe.sh does not understand how $kdir compiles" >&2
	exit 1
}

# Split the probes into one file each, in order.
awk -v dir="$work" '
	/^probe / { n++; name = $2; file = sprintf("%s/%04d.%s.c", dir, n, name); printf "" > file; in_probe = 1; next }
	/^end$/ { in_probe = 0; close(file); next }
	in_probe { print > file; next }
	/^symbol / { n++; file = sprintf("%s/%04d.%s.sym", dir, n, $2); print $3 > file; close(file); next }
	/^#/ || /^[ \t]*$/ { next }
	{ printf "driver/compat/probes:%d: not understood: %s\n", NR, $0 > "/dev/stderr"; exit 1 }
' "$here/probes"

answer() {
	local f=$1 name
	name=$(basename "${f%.*}")
	name=${name#*.}
	case $f in
	*.sym) awk -v s="$(cat "$f")" '$2 == s { found = 1 } END { exit !found }' \
		"$kdir/Module.symvers" ;;
	*) (cd "$cwd" && eval "$cmd -Werror=implicit-function-declaration \
		-Werror=incompatible-pointer-types -Werror=int-conversion \
		-fsyntax-only '$f'") >"${f%.c}.log" 2>&1 ;;
	esac && echo "#define $name 1" >"${f%.*}.out" || echo "/* $name: no */" >"${f%.*}.out"
}
export -f answer
export kdir cwd cmd
find "$work" -maxdepth 1 \( -name '*.c' -o -name '*.sym' \) -print0 |
	xargs -0 -r -n 1 -P "$(nproc)" bash -c 'answer "$0"'

{
	echo '/* SPDX-License-Identifier: GPL-2.0-only */'
	echo '/* Made by driver/compat/probe.sh: what the target kernel has. */'
	find "$work" -maxdepth 1 -name '*.out' | sort | xargs -r cat
} >"$out/compat-config.h.new"
mkdir -p "$out/probe-logs"
rm -f "$out/probe-logs"/*
find "$work" -maxdepth 1 -name '*.log' -exec cp {} "$out/probe-logs/" \;
# An unchanged answer keeps its date, so that nothing is built again for it.
if cmp -s "$out/compat-config.h.new" "$out/compat-config.h"; then
	rm "$out/compat-config.h.new"
else
	mv "$out/compat-config.h.new" "$out/compat-config.h"
fi
