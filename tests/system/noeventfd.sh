# SPDX-License-Identifier: GPL-2.0-only
# armvmm-run on a kernel without eventfd: it names the option that is missing.
. ./common.sh
check 'armvmm-run names what the kernel lacks' status_of 1 \
	'armvmm-run: the kernel has no eventfd, which armvmm-run needs: build it with CONFIG_EVENTFD=y' \
	armvmm-run --kernel monitor
check '... in one line' same "$(wc -l <"$work/said")" 1
finish
