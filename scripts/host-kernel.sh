#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# host-kernel.sh HOST: prints the folder of a host's kernel in the cache, stock or debug; makes
# or fetches it first when it is not there.
set -euo pipefail
here=$(dirname "$0")
case $1 in
*-debug) exec "$here/debug-kernel.sh" "$1" ;;
*) exec "$here/fetch-kernel.sh" "$1" ;;
esac
