#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# options.sh CONFIG [LEVEL...]: holds a kernel's configuration against driver/compat/kernel-options
# and prints a line for each thing that it lacks, of the levels that are named (all of them unless
# told). Status: 0 when armvmm builds and loads on such a kernel, 1 when it does not, 2 when CONFIG
# is no whole configuration of a kernel.
#
# The kernel's series is in the first lines of CONFIG, which Kconfig writes. If they are gone, the build
# folder that CONFIG is in has it.
set -euo pipefail
config=$1
shift
levels=${*:-since must refuses without with}
folder=.
case $config in
*/*) folder=${config%/*} ;;
esac
release=
for file in "$folder/include/config/kernel.release" "$folder/kernel.release"; do
	[ ! -r "$file" ] || release=$(cat "$file")
done

awk -v levels="$levels" -v release="$release" '
	function older(a, b,	x, y) {
		split(a, x, ".")
		split(b, y, ".")
		return x[1] + 0 < y[1] + 0 || (x[1] + 0 == y[1] + 0 && x[2] + 0 < y[2] + 0)
	}
	BEGIN { n = split(levels, l, " "); for (i = 1; i <= n; i++) shown[l[i]] = 1 }
	FNR == 1 { file++ }
	# The list.
	file == 1 && !/^#/ && NF {
		level[++count] = $1
		option[count] = $2
		line = $0
		sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+/, "", line)
		text[count] = line
		if (NF < 3 || $1 !~ /^(since|must|refuses|without|with)$/) {
			printf "kernel-options: line %d is not understood: %s\n", FNR, $0 > "/dev/stderr"
			failed = 2
			exit
		}
	}
	# The configuration: KEY=VALUE, and KEYs that are not set.
	file == 2 && /^CONFIG_[A-Za-z0-9_]+=/ {
		at = index($0, "=")
		value[substr($0, 8, at - 8)] = substr($0, at + 1)
		known++
	}
	file == 2 && /^# CONFIG_[A-Za-z0-9_]+ is not set$/ { known++ }
	# What Kconfig writes has either of the two; a defconfig, or a fragment, has neither.
	file == 2 && FNR <= 8 && /^# Linux\/[^ ]+ [^ ]+ Kernel Configuration$/ {
		whole = 1
		release = $3
	}
	file == 2 && /^CONFIG_CC_VERSION_TEXT=/ { whole = 1 }
	END {
		if (failed)
			exit failed
		if (!known) {
			print "this is no configuration of a kernel (no line CONFIG_NAME=...)" > "/dev/stderr"
			exit 2
		}
		if (!whole) {
			print "this is a defconfig or a piece of a configuration: make a .config of it (make olddefconfig)" > "/dev/stderr"
			exit 2
		}
		for (i = 1; i <= count; i++) {
			on = value[option[i]] ~ /^[ym]$/
			if (level[i] == "since" && release != "" && older(release, option[i])) {
				match(release, /^[0-9]+\.[0-9]+/)
				say = "refuses    Linux " substr(release, 1, RLENGTH) ": armvmm is for " option[i] \
					" and later; " text[i]
				failed = 1
			} else if (level[i] == "must" && !on) {
				say = "must have  CONFIG_" option[i] "=y: " text[i]
				failed = 1
			} else if (level[i] == "refuses" && on) {
				say = "refuses    CONFIG_" option[i] "=y: " text[i]
				failed = 1
			} else if (level[i] == "without" && !on) {
				say = "works without CONFIG_" option[i] ": " text[i]
			} else if (level[i] == "with" && on) {
				say = "works with CONFIG_" option[i] "=y: " text[i]
			} else {
				continue
			}
			if (level[i] in shown)
				print say
			if (i == 1)
				break
		}
		exit failed
	}' "$(dirname "$0")/kernel-options" "$config"
