# SPDX-License-Identifier: GPL-2.0-only
# The cases of a script that outside/machine runs on a machine of its own: sourced there, as cases.sh.

# check NAME CMD...: a case that passes when the command does; else shows what it printed.
check() {
	name=$1
	shift
	if "$@" >/tmp/check 2>&1; then
		echo "ok 1 $name"
	else
		echo "not ok 1 $name"
		tail -n 40 /tmp/check | sed 's/^/#   /'
	fi
	echo "# at $(cut -d. -f1 /proc/uptime) s"
}
