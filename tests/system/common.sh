# SPDX-License-Identifier: GPL-2.0-only
# Functions of the system tests that run in the emulated host (busybox sh): KTAP, guests. Sourced,
# in the folder of the tests.
cases=0 failed=0
dir=$(pwd)
work=$(mktemp -d /tmp/system.XXXXXX)
guests=
export LC_ALL=C

cleanup() {
	for g in $guests; do
		kill -9 "$g" 2>/dev/null
	done
	wait 2>/dev/null
	cd /
	grep "$work" /proc/mounts | while read -r _ at _; do umount "$at"; done
	rm -rf "${work:?}"
}
trap cleanup EXIT
trap 'exit 143' TERM

pass() {
	cases=$((cases + 1))
	echo "ok $cases $*"
}

fail() {
	cases=$((cases + 1)) failed=1
	echo "not ok $cases $*"
}

skip() {
	cases=$((cases + 1))
	echo "ok $cases $1 # SKIP $2"
}

# check NAME CMD...: a case that passes when the command does; else shows what it printed.
check() {
	_name=$1
	shift
	if "$@" >"$work/check" 2>&1; then
		pass "$_name"
	else
		fail "$_name"
		echo "# $*"
		head -n 60 "$work/check" | sed 's/^/#   /'
	fi
}

same() {
	echo "'$1' and '$2'"
	[ -n "$1" ] && [ "$1" = "$2" ]
}

# status_of STATUS TEXT CMD...: CMD ends with STATUS, and prints TEXT.
status_of() {
	_want=$1 _text=$2
	shift 2
	"$@" >"$work/said" 2>&1
	_is=$?
	cat "$work/said"
	echo "status $_is"
	[ $_is = "$_want" ] && grep -qF -- "$_text" "$work/said"
}

finish() {
	echo "1..$cases"
	exit $failed
}

sum() { sha256sum | cut -c1-64; }

# Seconds since the machine was started. This starts no process: on an emulated CPU a process costs
# more than what the caller waits for.
uptime_s() {
	read -r _uptime _ </proc/uptime
	_uptime=${_uptime%.*}
}

# scaled SECONDS: as long as that is on this host, in $_seconds; a debug host is SLOWDOWN times slower.
scaled() { _seconds=$(($1 * ${SLOWDOWN:-1})); }

# wait_for SECONDS CMD...: tries again and again. For a text in a file, or the end of a process, use
# wait_text and wait_end.
wait_for() {
	scaled "$1"
	uptime_s
	_end=$((_uptime + _seconds))
	shift
	until "$@" >/dev/null 2>&1; do
		uptime_s
		[ "$_uptime" -lt $_end ] || return 1
		usleep 100000
	done
}

# The program that waits for events is built for the host; a test may also run on the build machine.
case $(uname -m) in
arm*)
	# wait_text SECONDS FILE TEXT
	wait_text() { scaled "$1" && "$dir/await" "$_seconds" "$2" "$3"; }
	# wait_line SECONDS FILE TEXT: TEXT, and the end of its line.
	wait_line() { scaled "$1" && "$dir/await" -l "$_seconds" "$2" "$3"; }
	# wait_end SECONDS PID
	wait_end() { scaled "$1" && "$dir/await" "$_seconds" "$2"; }
	;;
*)
	wait_text() { wait_for "$1" grep -qF -- "$3" "$2"; }
	# A line that has not ended is none yet.
	has_line() { tr '\n' '\001' <"$1" | sed 's/[^\x01]*$//' | grep -qaF -- "$2"; }
	wait_line() { wait_for "$1" has_line "$2" "$3"; }
	wait_end() { wait_for "$1" ended "$2"; }
	;;
esac

# guest_start NAME ARG...: armvmm-run, or $vmm if that is set, in the background. $work/NAME.in is its terminal's input (see
# `guest_type`), .out and .err what it prints; $pid is its process.
guest_start() {
	guest=$1
	shift
	rm -f "$work/$guest.in"
	mkfifo "$work/$guest.in"
	: >"$work/$guest.out"
	"${vmm:-armvmm-run}" "$@" <"$work/$guest.in" >"$work/$guest.out" 2>"$work/$guest.err" &
	pid=$!
	guests="$guests $pid"
	# A writer that stays: the guest's input does not end.
	sleep 10000 >"$work/$guest.in" &
	holder=$!
	guests="$guests $holder"
	eval "pid_$guest=$pid holder_$guest=$holder"
}

guest_type() { printf "$2" >"$work/$1.in"; }

# guest_expect NAME SECONDS TEXT: TEXT appears on its console; if not, the last lines are shown. The
# guest's reports (@@) are read from the file afterwards, so their line has to be complete.
guest_expect() {
	case $3 in
	'@@ '*) wait_line "$2" "$work/$1.out" "$3" ;;
	*) wait_text "$2" "$work/$1.out" "$3" ;;
	esac && return 0
	echo "no '$3' from guest $1; its last words:"
	tail -n 15 "$work/$1.out"
	cat "$work/$1.err"
	return 1
}

guest_threads() {
	eval "_pid=\$pid_$1"
	for _t in /proc/"$_pid"/task/*; do
		read -r _stat <"$_t/stat"
		set -- ${_stat##*) }
		echo "  $(cat "$_t/comm") $1 $(cat "$_t/wchan"), ${12} and ${13} ticks, on ${37}," \
			$(sed -n 's/.*ctxt.*:\t//p' "$_t/status")
	done
}
host_stands() {
	guest_threads "$1"
	grep -E 'CPU0|arch_timer|IPI' /proc/interrupts
}
# guest_stands NAME: where a guest stands that gives no answer: its last words, and what its threads,
# its vCPUs and the host's CPUs do within 2 s. It does nothing to the guest.
guest_stands() {
	tail -n 5 "$work/$1.out"
	tail -n 2 "$work/$1.err"
	host_stands "$1" >"$work/stands"
	armvmm-stat -1 -c -z -i 2 -p "$_pid" -f '^(exits|irq_|signal|page_faults|hyp_mmio|mmio)' 2>&1
	host_stands "$1" >"$work/moved"
	cat "$work/stands"
	echo "2 s later:"
	diff "$work/stands" "$work/moved" | grep '^>'
	# The log of the host has where its CPUs are.
	echo l >/proc/sysrq-trigger
}

# guest_end NAME SECONDS: waits for its end; the status is in $status, 255 if it did not end.
guest_end() {
	eval "_pid=\$pid_$1 _holder=\$holder_$1"
	if wait_end "$2" "$_pid"; then
		wait "$_pid"
		status=$?
	else
		status=255
		kill -9 "$_pid"
	fi
	kill "$_holder" 2>/dev/null
}

# A child that has ended stays as a zombie until it is waited for.
ended() {
	{ read -r _stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	# What follows the name, in brackets, is the state.
	case ${_stat##*) } in Z*) return 0 ;; esac
	return 1
}

guest_sum() { sed -n "s/^@@ sum $2 //p" "$work/$1.out" | tr -d '\r' | tail -n 1; }

# guest_cases NAME: what the guest itself tested, as cases of this test.
guest_cases() {
	tr -d '\r' <"$work/$1.out" | sed -n 's/^@@ \(ok\|not ok\|#\)/\1/p' >"$work/told"
	while read -r line; do
		case $line in
		'ok '*) pass "guest: ${line#ok }" ;;
		'not ok '*) fail "guest: ${line#not ok }" ;;
		*) echo "$line" ;;
		esac
	done <"$work/told"
}

# guest_all NAME BEFORE: the same of a guest that was saved and went on; BEFORE has what it printed before.
# If anything has failed, its last words follow.
guest_all() {
	cat "$2" "$work/$1.out" >"$work/all"
	mv "$work/all" "$work/$1.out"
	guest_cases "$1"
	[ $failed = 0 ] || {
		sed 's/^/# guest: /' "$work/$1.out" | tr -d '\r' | tail -n 60
		cat "$work/$1.err"
	}
}

# guest_initrd NAME: makes $work/NAME.initrd of the base (or of $initrd) and /cmd from stdin, after
# what guest/ has of each further argument.
guest_initrd() {
	_n=$1
	shift
	mkdir -p "$work/$_n.d"
	{
		for _f in base "$@"; do cat "guest/$_f"; done
		cat
	} >"$work/$_n.d/cmd"
	cp "${initrd:-initrd}" "$work/$_n.initrd"
	(cd "$work/$_n.d" && echo cmd | cpio -o -H newc 2>/dev/null) >>"$work/$_n.initrd"
}

# linux_start NAME ARG...: the busybox guest with $work/NAME.initrd, and with $kernel if that is set.
linux_start() {
	_n=$1
	shift
	# What the guest's kernel takes for a lockup is slow on a slow host: 4 KiB to the serial port
	# are 8,000 exits, with interrupts off.
	guest_start "$_n" --kernel "${kernel:-zImage}" --initrd "$work/$_n.initrd" \
		--append "console=ttyAMA0 quiet panic=-1 watchdog_thresh=$((10 * ${SLOWDOWN:-1})) rcupdate.rcu_cpu_stall_timeout=$((21 * ${SLOWDOWN:-1}))" "$@"
}

memory_free() { awk '/^MemFree|^Cached|^Buffers/ { n += $2 } END { print n }' /proc/meminfo; }
