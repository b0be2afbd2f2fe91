#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# host-kernel.sh HOST: prints the folder of a host's kernel in the cache, stock or built from
# source; fetches or builds it first when it is not there.
set -euo pipefail
here=$(dirname "$0")
case $1 in
*-debug | *-gcov) exec "$here/source-kernel.sh" "$1" ;;
*) exec "$here/fetch-kernel.sh" "$1" ;;
esac
