#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# host-kernel.sh HOST: prints the folder of a host's kernel in the cache, stock or built from
# source. Fetches or builds the kernel first if it is not there. One built from source has to be as
# tests/host wants it.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
hosts="$ARMVMM_HOSTS_ALL $ARMVMM_HOSTS_SOURCE $ARMVMM_HOSTS_CHECKING"
case " $hosts " in
*" ${1-} "*) ;;
*) die "no such host kernel: '${1-}'; there are: $hosts" ;;
esac
# source-kernel.sh takes the folder as given.
mkdir -p "$ARMVMM_CACHE/kernel"
case " $ARMVMM_HOSTS_SOURCE " in
# The kernel is built once, and kept whole: ccache need not keep its thousands of files too.
*" $1 "*)
	kernel=$(CCACHE_DISABLE=1 "$ARMVMM_TOP/scripts/source-kernel.sh" "$1")
	"$ARMVMM_TOP/scripts/host-config.sh" "$1" "$kernel/build/.config"
	echo "$kernel"
	;;
*)
	stock=${1%-shadow}
	exec "$ARMVMM_TOP/scripts/fetch-kernel.sh" "${stock%-race}"
	;;
esac
