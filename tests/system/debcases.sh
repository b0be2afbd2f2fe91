# SPDX-License-Identifier: GPL-2.0-only
# The cases of a script that outside/machine runs on a machine of its own: sourced there, as cases.sh. A script that has
# steps finds the next one in /mnt/step.

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

# next STEP CMD: STEP is what comes when CMD has started the machine again.
next() {
	echo "$1" >/mnt/step
	sync
	"$2"
	exit
}

# The machine has started, and no unit of it has failed.
state() {
	state=$(systemctl is-system-running --wait)
	echo "$state"
	systemctl --failed
	[ "$state" = running ]
}
