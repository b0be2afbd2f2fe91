# SPDX-License-Identifier: GPL-2.0-only
# The lanes of the emulated hosts: a machine has a number of lanes, and runs at most as many hosts
# at once. Whoever asks first gets a free lane first. Sourced after lib.sh, never run.
#
# Lanes and tickets are flock(2) locks on open files. The kernel drops such a lock when the last
# process that has the file open ends, however it ends: nobody waits for a process that was killed.

# lane_count: prints the number of lanes: one for each processor, at most four, unless ARMVMM_LANES
# or the file `emulators` in the cache folder has another number.
lane_count() {
	local n=${ARMVMM_LANES:-$(cat "$ARMVMM_CACHE/emulators" 2>/dev/null)}
	if ! [[ $n =~ ^[1-9][0-9]?$ ]]; then
		n=$(nproc)
		[ "$n" -le 4 ] || n=4
	fi
	echo "$n"
}

# lane_queue: draws a ticket, with a higher number than any that waits, and waits until no lower
# ticket is held. $lane_ticket is the ticket's file, open as $lane_ticket_fd.
lane_queue() {
	local dir=$ARMVMM_CACHE/lane tickets mutex fd t number=1
	mkdir -p "$dir"
	# A ticket is locked before another can be drawn: if nobody holds it, its process is dead.
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
		# No such file: it was served.
		{ exec {fd}<"$t"; } 2>/dev/null || continue
		flock -ns "$fd" || {
			lane_waits
			flock -s "$fd" {lane_ticket_fd}>&-
		}
		rm -f "$t"
		exec {fd}>&-
	done
}

# lane_waits: says once that this process waits. While it does, there is a file $ARMVMM_WAITING.PID,
# if ARMVMM_WAITING is set: tests/run then does not count the time.
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

# lane_take [N | all]: waits for a lane, or for N, or for all of them (there may be fewer than N), and
# holds it until lane_release, or until this script and all that it started have ended. With
# ARMVMM_LANE_HELD=1 whoever started this script holds a lane for it.
lane_take() {
	local lanes lane wanted=${1:-1} held=()
	lane_fds=() lane_waiting=
	[ -z "${ARMVMM_LANE_HELD-}" ] || return 0
	lane_queue
	lanes=$(lane_count)
	[ "$wanted" != all ] && [ "$wanted" -le "$lanes" ] || wanted=$lanes
	# Only the first in the queue looks for a free lane.
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

# log_take NAME: sets log to the path of the log of that name, which is empty then. No other host writes
# there until this script and all that it started have ended.
log_take() {
	local fd
	log=$ARMVMM_BUILD/log/$1.log
	mkdir -p "${log%/*}"
	exec {fd}>>"$log"
	# What the last host of that name started may end after it.
	flock -w 10 "$fd" || die "the log $1 is another emulated host's, which still runs: use another name (--name)"
	: >"$log"
}
