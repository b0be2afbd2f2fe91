# SPDX-License-Identifier: GPL-2.0-only
# A stock Linux that is busy (guest/busy), for tests that save or move it. Sourced, after common.sh.
# $g is the name of the process that has the guest; $work/g.all is what it printed in those before.
guest_initrd g busy <<'SCRIPT'
busy
SCRIPT
: >"$work/g.all"

# last KEY: the last number that it reported for KEY, "block" or "tick".
last() { sed -n "s/^@@ $1 \([0-9]*\).*/\1/p" "$work/g.all" "$work/$g.out" | tail -n 1; }
more() { [ "$(sed -n "s/^@@ $1 \([0-9]*\).*/\1/p" "$work/$g.out" | tail -n 1)" -gt "$2" ]; }
# remember: what it has done so far. further: it does more, in $g, and has seen nothing wrong. The test
# has a function `stuck`, which says where it stands.
remember() { _block=$(last block) _tick=$(last tick); }
further() {
	wait_for 120 more block "$_block" && wait_for 120 more tick "$_tick" || {
		stuck "$_block" "$_tick"
		return 1
	}
	echo "block $_block, tick $_tick"
	! grep -a '@@ not ok' "$work/g.all" "$work/$g.out"
}
