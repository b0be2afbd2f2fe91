#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# host-kernel.sh HOST: prints the folder of a host's kernel in the cache, stock or built from
# source; fetches or builds it first when it is not there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
case " $ARMVMM_HOSTS_SOURCE " in
# Built once and kept whole: a compiler need not remember a thousand files of it.
*" $1 "*) CCACHE_DISABLE=1 exec "$ARMVMM_TOP/scripts/source-kernel.sh" "$1" ;;
*) exec "$ARMVMM_TOP/scripts/fetch-kernel.sh" "$1" ;;
esac
