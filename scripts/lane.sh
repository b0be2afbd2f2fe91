# SPDX-License-Identifier: GPL-2.0-only
# The lanes of the emulated hosts: no more hosts run on a machine at once than it has lanes. Who
# waits for one is served in the order of asking. Sourced after lib.sh, never run.
#
# All that is held is a lock of flock(2) on an open file, which the kernel lets go when the last
# process that has the file open ends, however it ends: nobody waits for one that was killed.

# lane_count: one for each processor, at most four; ARMVMM_LANES, or the file `emulators` in the
# cache folder, says another number.
lane_count() {
	local n=${ARMVMM_LANES:-$(cat "$ARMVMM_CACHE/emulators" 2>/dev/null)}
	if ! [[ $n =~ ^[1-9][0-9]?$ ]]; then
		n=$(nproc)
		[ "$n" -le 4 ] || n=4
	fi
	echo "$n"
}

# lane_queue: draws a ticket, a number higher than all that wait, and waits until no lower one is
# held. The ticket is in $lane_ticket, open as $lane_ticket_fd.
lane_queue() {
	local dir=$ARMVMM_CACHE/lane tickets mutex fd t number=1
	mkdir -p "$dir"
	# A ticket is held before another can be drawn: one that nobody holds is of the dead.
	exec {mutex}>"$dir/mutex"
	flock "$mutex"
	tickets=("$dir"/ticket.*)
	t=${tickets[-1]##*/ticket.}
	[ "$t" = '*' ] || number=$((10#$t + 1))
	printf -v lane_ticket '%s/ticket.%010d' "$dir" "$number"
	exec {lane_ticket_fd}>"$lane_ticket"
	flock "$lane_ticket_fd"
	exec {mutex}>&-
	for t in "${tickets[@]}"; do
		# Gone: it was served.
		{ exec {fd}<"$t"; } 2>/dev/null || continue
		flock -ns "$fd" || {
			lane_waits
			flock -s "$fd" {lane_ticket_fd}>&-
		}
		rm -f "$t"
		exec {fd}>&-
	done
}

# Who gives ARMVMM_WAITING sees by a file of that name, a dot and a number that time passes in which
# no host runs.
lane_waits() {
	[ -z "$lane_waiting" ] || return 0
	say "waiting for another emulated host to end"
	lane_waiting=1
	[ -z "${ARMVMM_WAITING-}" ] || : >"$ARMVMM_WAITING.$$"
}

# lane_try NUMBER: takes that lane if it is free.
lane_try() {
	local fd
	exec {fd}>"$ARMVMM_CACHE/emulator${1#1}.lock"
	if flock -n "$fd"; then
		lane_fds+=("$fd")
	else
		exec {fd}>&-
		return 1
	fi
}

# lane_take [all]: waits for a lane, or for all of them, and holds it until lane_release, or until
# this script and all that it started have ended.
lane_take() {
	local lanes lane wanted=1 held=()
	lane_fds=() lane_waiting=
	lane_queue
	lanes=$(lane_count)
	[ "${1-}" != all ] || wanted=$lanes
	# Whoever is first in the queue looks for a free lane, and nobody else does.
	while :; do
		for ((lane = 1; lane <= lanes && ${#lane_fds[@]} < wanted; lane++)); do
			[ -n "${held[lane]-}" ] || ! lane_try "$lane" || held[lane]=1
		done
		[ "${#lane_fds[@]}" -lt "$wanted" ] || break
		lane_waits
		sleep 0.2 {lane_ticket_fd}>&-
	done
	rm -f "$lane_ticket" ${ARMVMM_WAITING:+"$ARMVMM_WAITING.$$"}
	exec {lane_ticket_fd}>&-
}

lane_release() {
	local fd
	for fd in "${lane_fds[@]}"; do
		exec {fd}>&-
	done
	lane_fds=()
}
