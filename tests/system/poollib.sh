# SPDX-License-Identifier: GPL-2.0-only
# What tests do on the other host of a pool. Sourced on host a, after common.sh.

# there CMD ARG...: runs CMD on host b, in the same folder, with the same standard files.
there() {
	_line=
	for _word in "$@"; do
		_line="$_line '$(printf %s "$_word" | sed "s/'/'\\\\''/g")'"
	done
	ssh b "cd $dir && $_line"
}
there_run() { there armvmm-run "$@"; }
ssh b "mkdir -p $work"

# on NAME CMD ARG...: runs CMD on the host of the machine NAME, whose name begins with the host's.
on() {
	case $1 in
	b*) _where=there ;;
	*) _where= ;;
	esac
	shift
	$_where "$@"
}
# Each machine has the socket $work/NAME.sock, on its host.
ctl() {
	_m=$1
	shift
	on "$_m" armvmm-ctl "$work/$_m.sock" "$@"
}
state_is() { [ "$(ctl "$1" status)" = "$2" ]; }
# starts NAME ARG...: a machine, on its host. Its terminal is here.
starts() {
	_m=$1
	shift
	case $_m in
	b*) vmm=there_run ;;
	*) vmm=armvmm-run ;;
	esac
	guest_start "$_m" --control "unix:$work/$_m.sock" "$@"
}
# comes_to NAME STATE: the machine comes to that state.
comes_to() {
	wait_for 60 state_is "$1" "$2" && return 0
	cat "$work/$1.err"
	return 1
}
# away NAME: the guest that was there is not there any more, and neither is its process.
away() {
	guest_end "$1" 60
	cat "$work/$1.err"
	same "$status" 4
}
# address NAME: of the machine's host.
address() {
	case $1 in
	b*) echo 10.7.0.2 ;;
	*) echo 10.7.0.1 ;;
	esac
}
