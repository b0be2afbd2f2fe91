# SPDX-License-Identifier: GPL-2.0-only
# Machines between which the guest "monitor" moves. Sourced, after busyguest.sh.
cp monitor "$work/monitor"

# Each machine has the socket $work/NAME.sock, and takes a guest at $work/NAME.from.
ctl() {
	_m=$1
	shift
	armvmm-ctl "$work/$_m.sock" "$@"
}
machine() {
	_m=$1
	shift
	guest_start "$_m" --kernel "$work/monitor" --disk "$work/disk" --cpus 4 --memory 64M \
		--control "unix:$work/$_m.sock" "$@"
}
waits_at() {
	_m=$1 _from=$2
	shift 2
	machine "$_m" --incoming "$_from" "$@"
	wait_for 60 sh -c "[ \"\$(armvmm-ctl '$work/$_m.sock' status)\" = inmigrate ]" && return 0
	cat "$work/$_m.err"
	return 1
}
waits() {
	_at=$1
	shift
	waits_at "$_at" "unix:$work/$_at.from" "$@"
}
state() { ctl "$1" qmp '{"execute":"query-migrate"}'; }
slowly() {
	ctl "$1" qmp "{\"execute\":\"migrate-set-parameters\",\"arguments\":{\"max-bandwidth\":$2}}"
}
# away NAME: the guest that was there is not there any more, and neither is its machine.
away() {
	guest_end "$1" 60
	cat "$work/$1.err"
	same "$status" 4
}
