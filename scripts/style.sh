#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# style.sh: checks the rules of the house that a machine can check, and prints KTAP. It looks at the
# files that git tracks, and at the module built for the 6.1 host.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
cd "$ARMVMM_TOP" || exit 1

n=0 passed=0 failed=0 skipped=0
mapfile -t code < <(git ls-files -- '*.c' '*.h' '*.S')
mapfile -t kernel < <(git ls-files -- 'driver/*.c' 'driver/*.h' 'driver/*.S')
mapfile -t scripts < <(git grep -lE '^#!.*(bash|/sh|busybox sh|python3)' -- . ':!*.md')

# rule TEXT FINDINGS: a rule holds if FINDINGS is empty.
rule() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n $1"
		passed=$((passed + 1))
	else
		head -n 20 <<<"$2" | sed 's/^/# /'
		echo "not ok $n $1"
		failed=$((failed + 1))
	fi
}

echo "TAP version 13"
# Each rule is one program for all files: starting a process for each takes longer than reading it.
rule "line 1 names the licence" "$(awk '
	FNR == 1 {
		want = FILENAME ~ /\.c$/ ? "// SPDX-License-Identifier: " : "/* SPDX-License-Identifier: "
		if (index($0, want) != 1)
			print FILENAME
		nextfile
	}' "${code[@]}"
awk 'FNR == 1 { if (/^# SPDX-License-Identifier: /) nextfile }
	FNR == 2 { if (!/^# SPDX-License-Identifier: /) print FILENAME; nextfile }' \
	"${scripts[@]}" Makefile Kbuild)"
# A message may be longer: it is not broken in two, so that it can be searched for.
rule "no line is longer than 100 columns" "$(awk '
	length * 8 > 100 && !/https?:|"|^\/\/ (sources|cflags)/ {
		columns = 0
		parts = split($0, part, "\t")
		for (i = 1; i < parts; i++)
			columns = columns + length(part[i]) + 8 - (columns + length(part[i])) % 8
		if (columns + length(part[parts]) > 100)
			print FILENAME ":" FNR ": " columns + length(part[parts])
	}' "${code[@]}" Makefile Kbuild)"
# lintian's rule, which otherwise only `make deb` checks.
rule "a line of a package's description has 80 columns at most" \
	"$(awk '/^ / && length > 80 { print FILENAME ":" FNR ": " length }' debian/control)"
rule "no blank at a line's end, no blank before a tab" \
	"$(grep -nE ' +$|	+$| 	' "${code[@]}" | grep -v ':$')"
rule "C is indented by tabs" "$(grep -nE '^ {8}|^ +[a-z].*;$' "${code[@]}")"
# The number of locks must be that of rows: whoever adds a lock says what it protects.
rule "each lock of the module stands in docs/locking.md" "$(
	locks=$(git grep -hE '^[[:space:]]*(raw_spinlock_t|spinlock_t|struct mutex) [a-z_]+;|DEFINE_(RAW_SPINLOCK|SPINLOCK|MUTEX)\(' -- driver | wc -l)
	rows=$(sed -n '/^## Mutexes/,/^## Locks of/p' docs/locking.md | grep -c '^| `')
	[ "$locks" -eq "$rows" ] || echo "driver/ declares $locks locks, docs/locking.md has $rows"
)"
rule "a file ends with one newline" "$(python3 -c '
import sys
for name in sys.argv[1:]:
    end = open(name, "rb").read()[-2:]
    if end[-1:] != b"\n" or end == b"\n\n":
        print(name)
' "${code[@]}")"
rule "no file is over 1,000 lines" "$(wc -l "${code[@]}" | awk '$1 > 1000 && $2 != "total"')"
rule "a kernel version or HAVE_ is tested in compat/ only" \
	"$(grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION\(|^ *# *(if|elif).*\bHAVE_[A-Z]' "${kernel[@]}" |
		grep -v '^driver/compat/')"
# Except in compat/, which may define one for each of two kernels.
rule "a macro of driver/ is defined once" "$(grep -nE '^[ 	]*#[ 	]*define[ 	]' "${kernel[@]}" |
	grep -v '^driver/compat/' | sed -E 's/^([^:]*:[0-9]*):[ 	]*#[ 	]*define[ 	]+([A-Za-z0-9_]+).*/\2 \1/' | sort |
	awk '$1 == name { print $1 " is defined at " at " and at " $2 } { name = $1; at = $2 }')"
rule "the folders of driver/ call down only" "$(scripts/driver-floors.sh 2>&1)"
rule "a function that another folder calls begins with armvmm_ or hyp_" "$(scripts/driver-names 2>&1)"
rule "tests name the board's addresses by tests/guest/lib/board.h" "$(scripts/board-literals 2>&1)"
rule "each fault of tests/mutants is where its list says" "$(tests/mutants/run --check 2>&1)"
rule "no note to self is left" "$(git grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -- '*.[chS]' '*.sh' Makefile \
	Kbuild scripts tests/run ':!scripts/style.sh')"
rule "no path of one machine" "$(git grep -nE '(^|[^A-Za-z0-9_.])/(work|farm|root|home)/' -- . \
	':!scripts/style.sh' ':!*.md' | grep -vE '"?\$[A-Za-z{(]|/root/(proc|sys|dev|run)|HOME=/root' |
	grep -E '/(work|farm)/|/home/[a-z]+/|/root/\.[a-z]')"
# A reader can look up what is cited: it is a document of this tree, cited by its path.
rule "documents that are cited are in the tree" "$(git grep -nE '\bdesign( section)? [0-9]|\((rig|design)\)' -- \
	driver tests userspace scripts docs ':!scripts/style.sh'
for doc in $(git grep -ohE '\bdocs/[a-z0-9-]+\.md' | sort -u); do [ -e "$doc" ] || echo "$doc is cited"; done)"
rule "docs/abi.md shows docs/client.c" \
	"$(sed -n '/^```c$/,/^```$/p' docs/abi.md | sed '1d;$d' | diff - docs/client.c)"
rule "scripts parse" "$(python3 -c '
import ast, subprocess, sys
for name in sys.argv[1:]:
    text = open(name).read()
    first = text.split("\n", 1)[0]
    if first.endswith("python3"):
        try:
            ast.parse(text, name)
        except SyntaxError as error:
            print(error)
    else:
        shell = "bash" if first.endswith("bash") else "sh"
        print(subprocess.run([shell, "-n", name], stderr=subprocess.PIPE, text=True).stderr, end="")
' "${scripts[@]}")"
rule "scripts are executable" "$(for f in "${scripts[@]}"; do [ -x "$f" ] || echo "$f"; done)"

# The folders that the files of each folder of armvmm-run may include; "." is the root. Data goes
# down, results come up. A device names the machine that it is part of, never the other way round.
rule "a folder of armvmm-run includes what is below it" "$(while read -r folder may; do
	git ls-files -- "userspace/armvmm-run/$folder/*.[ch]" |
		{ [ "$folder" = . ] && grep -v '^userspace/armvmm-run/.*/' || cat; } |
		xargs awk -v may=" $may " '/^# *include "/ {
			split($0, quoted, "\"")
			into = quoted[2] ~ /\// ? substr(quoted[2], 1, index(quoted[2], "/") - 1) : "."
			if (into != "arch" && index(may, " " into " ") == 0)
				print FILENAME ": " quoted[2]
		}'
done <<-'EOF'
	core core
	net net core
	pci pci core
	chardev chardev core
	virtio virtio pci net chardev core
	hw hw core
	machines machines core
	boot boot core
	sandbox sandbox core
	snapshot snapshot core
	control control snapshot core
	gdb gdb core
	. . control snapshot sandbox boot gdb chardev core
	EOF
git ls-files -- 'userspace/armvmm-run/*/*.[ch]' | grep -vE '/(core|net|chardev|virtio|pci|hw|machines|boot|sandbox|control|snapshot|gdb)/[^/]*$')"

# Only the headers with registers' fields, which need nothing from the kernel.
rule "user space takes registers from driver/arch, and nothing else of driver/" "$(
	git grep -nE '^# *include ".*(arch|driver)/' -- userspace ':!userspace/qemu' |
		grep -vE ':#include "arch/(archregs|gic)\.h"$'
	git grep -nE '^# *define[ 	]+(CPSR|HSR|MIDR|SCTLR|PSCI|GIC[CDHV])_' -- userspace ':!userspace/qemu'
)"

if command -v cppcheck >/dev/null; then
	mapfile -t user < <(git ls-files -- 'userspace/*.c')
	# comparePointers is off: the code compares the start and end of a section (linker symbols).
	rule "cppcheck finds nothing in userspace" "$(cppcheck --quiet --std=c11 --inline-suppr \
		--enable=warning,portability --suppress=missingInclude --suppress=missingIncludeSystem \
		--suppress=unknownMacro --suppress=comparePointers --template='{file}:{line}: {id}: {message}' \
		-Iuserspace/libarmvmm/include -Iuserspace/armvmm-run -Idriver -D__arm__ "${user[@]}" 2>&1)"
else
	n=$((n + 1)) skipped=$((skipped + 1))
	echo "ok $n cppcheck finds nothing in userspace # SKIP cppcheck is not installed"
fi

if "$ARMVMM_TOP/scripts/build-module.sh" --host 6.1 >/dev/null 2>"$ARMVMM_BUILD/style-module.log"; then
	rule "each header of driver/ compiles alone" "$("$ARMVMM_TOP/scripts/headers-alone.sh" 6.1 2>&1)"
	rule "code for HYP mode needs nothing from outside" "$("$ARMVMM_TOP/scripts/hyp-symbols.sh" 6.1 2>&1)"
	module=$ARMVMM_BUILD/module/6.1/armvmm.ko
	# An exception enters HYP mode with all exceptions masked (DDI 0406C B1.8.5). vectors.S
	# unmasks asynchronous aborts for one instruction; nothing may unmask interrupts.
	rule "HYP mode masks interrupts throughout" "$("${CROSS_COMPILE}objdump" -d -j .hyp.text "$module" |
		grep -E '[[:space:]](cps[a-z]*|rfe[a-z]*|msr[[:space:]]+CPSR)' | grep -vE 'cps(ie|id)[[:space:]]+a$')"
	# Such maintenance is not broadcast, nor done in order on the Cortex-A7 (erratum 814220).
	# The module may not do it, nor call the kernel's functions that do.
	rule "no cache maintenance by set and way" "$("${CROSS_COMPILE}objdump" -d "$module" |
		grep -E 'mcr.*15, 0, [a-z0-9]+, cr7, cr(6|10|14), \{2\}'
		"${CROSS_COMPILE}nm" -u "$module" | grep -E 'flush_(kern|user|cache|dcache)_all|cpu_cache')"
else
	rule "the module builds without a warning" "$(tail -n 20 "$ARMVMM_BUILD/style-module.log")"
fi

echo "1..$n"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
