# SPDX-License-Identifier: GPL-2.0-only
# For tests of the sandbox: what /proc tells of a guest's processes. Sourced after common.sh.
grep -q ^nobody: /etc/passwd || echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>/etc/passwd

# field TASK NAME
field() { sed -n "s/^$2:[[:space:]]*//p" "$1/status"; }

# child PID: finds the process that it has started, in $net.
child() {
	net=
	for _p in /proc/[0-9]*; do
		[ "$(field "$_p" PPid)" = "$1" ] && net=${_p#/proc/}
	done
	echo "child of $1: $net"
	[ "$net" ]
}

# apart PID NAMESPACE: its namespace is not ours.
apart() {
	echo "$(readlink "/proc/$1/ns/$2") and ours $(readlink "/proc/self/ns/$2")"
	[ "$(readlink "/proc/$1/ns/$2")" != "$(readlink "/proc/self/ns/$2")" ]
}
