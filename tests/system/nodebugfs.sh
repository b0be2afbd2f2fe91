# SPDX-License-Identifier: GPL-2.0-only
# armvmm-stat on a kernel without debugfs: it names the option that is missing, and does what it can
# without.
. ./common.sh
lacks='armvmm-stat: the kernel has no debugfs, which armvmm-stat reads: build it with CONFIG_DEBUG_FS=y'

check 'the kernel has no debugfs' sh -c '! grep -w debugfs /proc/filesystems'
check 'once: it names what the kernel lacks' status_of 1 "$lacks" armvmm-stat -1
check '... in one line' same "$(wc -l <"$work/said")" 1
check 'a log' status_of 1 "$lacks" armvmm-stat -L "$work/log" -i 0.1
check '... is not begun' test ! -s "$work/log"
check 'on a terminal' ./ptydrive armvmm-stat <<STEPS
	expect $lacks
	exit 1
	cooked
STEPS
check "--host tells the host's CPUs" status_of 0 'Cortex-A15' armvmm-stat --host
finish
