# SPDX-License-Identifier: GPL-2.0-only
# A stock Linux that is busy (guest/busy), for tests that save or move it. Sourced, after common.sh.
# $g is the name of the process that has the guest; $work/g.all is what it printed in those before.
guest_initrd g busy <<'SCRIPT'
busy
SCRIPT
: >"$work/g.all"

# What it reports for each kind of its work.
keys='block tick'
# last KEY: the last number that it reported for KEY.
last() { sed -n "s/^@@ $1 \([0-9]*\).*/\1/p" "$work/g.all" "$work/$g.out" | tail -n 1; }
more() { [ "$(sed -n "s/^@@ $1 \([0-9]*\).*/\1/p" "$work/$g.out" | tail -n 1)" -gt "$2" ]; }
# remember: what it has done so far. further: it does more, in $g, and has seen nothing wrong. The test
# has a function `stuck`, which says where it stands.
remember() {
	for _key in $keys; do
		eval "_was_$_key=\$(last $_key)"
	done
}
goes_further() {
	for _key in $keys; do
		eval "_was=\$_was_$_key"
		wait_for 120 more "$_key" "$_was" || return 1
		echo "$_key $_was"
	done
}
# A program that the guest has not would find nothing wrong.
nothing_wrong() { ! grep -aE '@@ not ok|: not found' "$work/g.all" "$work/$g.out"; }
further() {
	goes_further || {
		stuck "$_key" "$_was"
		return 1
	}
	nothing_wrong
}
# on_disk FILE COUNT: FILE has the last COUNT blocks of which the guest has said in $work/g.all that its disk
# keeps them: all of those that it said so of, in order. There are 64 places; the next block may be in its
# place before the guest says so.
on_disk() {
	sed -n 's/^@@ wrote \([0-9]*\) \([0-9a-f]\{64\}\).*/\1 \2/p' "$work/g.all" | tail -n "$2" >"$work/wrote"
	[ -s "$work/wrote" ] || return 1
	_next=
	while read -r _n _sum; do
		[ "$_n" = "${_next:-$_n}" ] || {
			echo "nothing is known of block $_next, before $_n:"
			grep -an -B 3 -A 3 "wrote $_next" "$work/g.all"
			return 1
		}
		_next=$((_n + 1))
		_is=$(dd if="$1" bs=64k skip=$((_n % 64)) count=1 2>/dev/null | sum)
		[ "$_is" = "$_sum" ] || {
			echo "block $_n has the sum $_is, and had $_sum; the last one is:"
			tail -n 1 "$work/wrote"
			grep -n "$_is" "$work/wrote"
			return 1
		}
	done <"$work/wrote"
}
