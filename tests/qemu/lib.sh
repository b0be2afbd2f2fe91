# SPDX-License-Identifier: GPL-2.0-only
# Functions of the tests of -accel armvmm that run in the emulated host (busybox sh): QEMU, its
# console and its monitor (QMP). Sourced, in the folder of the tests.
. ./common.sh
cd "$dir" || exit 1
# The machine of these tests, unless a test sets another.
accel=${accel:--accel armvmm}
board="-M virt,highmem=off -cpu host -nodefaults -display none"

# qemu_start NAME ARG...: starts QEMU in the background. The serial port is $work/NAME.in (see
# guest_type) and .out; .err has QEMU's messages, `qmp` is for QMP. $pid and $pid_NAME: the process.
qemu_start() {
	guest=$1
	shift
	rm -f "$work/$guest.in" "$work/$guest.qmp.in" "$work/$guest.qmp.out"
	mkfifo "$work/$guest.in" "$work/$guest.qmp.in" "$work/$guest.qmp.out"
	: >"$work/$guest.qmp"
	: >"$work/$guest.out"
	cat "$work/$guest.qmp.out" >"$work/$guest.qmp" &
	guests="$guests $!"
	sleep 10000 >"$work/$guest.qmp.in" &
	guests="$guests $!"
	_holders=$!
	# shellcheck disable=SC2086
	qemu-system-arm $board $accel -chardev "pipe,id=qmp,path=$work/$guest.qmp" \
		-mon chardev=qmp,mode=control -chardev stdio,id=serial,signal=off -serial chardev:serial \
		"$@" <"$work/$guest.in" >>"$work/$guest.out" 2>"$work/$guest.err" &
	pid=$!
	guests="$guests $pid"
	sleep 10000 >"$work/$guest.in" &
	guests="$guests $!"
	eval "pid_$guest=$pid holder_$guest='$! $_holders'"
	qmp "$guest" qmp_capabilities >/dev/null
}

# qmp NAME COMMAND [ARGUMENTS]: sends COMMAND and prints the answer; fails if that is an error.
qmp() {
	# A counter would not do: this may run in a subshell.
	read -r _id </proc/sys/kernel/random/uuid
	eval "_qpid=\$pid_$1"
	printf '{"execute":"%s"%s,"id":"%s"}\n' "$2" "${3:+,\"arguments\":$3}" "$_id" >"$work/$1.qmp.in" || return 1
	_qend=${QMP_SECONDS:-60}
	# Wait a second at a time: a QEMU that has ended does not answer.
	until wait_line 1 "$work/$1.qmp" "\"id\": \"$_id\""; do
		_qend=$((_qend - 1))
		if [ $_qend -le 0 ] || ended "$_qpid"; then
			echo "no answer to $2 from $1"
			tail -n 5 "$work/$1.err"
			return 1
		fi
	done
	_answer=$(grep -F "\"id\": \"$_id\"" "$work/$1.qmp")
	printf '%s\n' "$_answer" | tr -d '\r'
	case $_answer in
	*'"error": {'*) return 1 ;;
	esac
}

# says PATTERN CMD...: CMD succeeds, and its output matches PATTERN (grep -E).
says() {
	_pattern=$1
	shift
	"$@" >"$work/says" 2>&1
	_says=$?
	cat "$work/says"
	[ $_says = 0 ] && grep -qE -- "$_pattern" "$work/says"
}

hmp() { qmp "$1" human-monitor-command "{\"command-line\":\"$2\"}"; }

# qmp_event NAME SECONDS EVENT
qmp_event() { wait_line "$2" "$work/$1.qmp" "\"event\": \"$3\""; }

# linux_qemu NAME ARG...: starts the busybox guest with $work/NAME.initrd.
linux_qemu() {
	_n=$1
	shift
	qemu_start "$_n" -kernel zImage -initrd "$work/$_n.initrd" \
		-append 'console=ttyAMA0 quiet panic=-1' "$@"
}

# migrated NAME [SECONDS]: its migration ends successfully.
migrated() {
	wait_for "${2:-120}" eval "qmp $1 query-migrate | grep -qE '\"status\": \"(completed|failed)\"'"
	qmp "$1" query-migrate
	qmp "$1" query-migrate | grep -q '"status": "completed"'
}

# quits NAME: it obeys QMP's quit, with status 0.
quits() {
	qmp "$1" quit >/dev/null
	guest_end "$1" 30
	[ "$status" = 0 ] || { echo "status $status"; cat "$work/$1.err"; return 1; }
}

# to_file NAME FILE: stops it, saves it in FILE and quits. Load it with -incoming "exec:cat FILE".
to_file() {
	qmp "$1" stop >/dev/null
	qmp "$1" migrate "{\"uri\":\"exec:cat >$2\"}" && migrated "$1" && quits "$1"
}

# loaded NAME: waits until a guest from a file is loaded, and lets it run.
loaded() {
	wait_for 60 eval "qmp $1 query-status | grep -qF '\"status\": \"paused\"'" && qmp "$1" cont >/dev/null
}

# qemu_said: shows QEMU's messages and consoles if a case failed.
qemu_said() {
	[ $failed = 0 ] && return
	for _f in "$work"/*.err "$work"/*.out; do
		[ -s "$_f" ] || continue
		echo "# --- ${_f##*/}"
		tail -n 25 "$_f" | tr -d '\r' | sed 's/^/#   /'
	done
}
qemu_finish() {
	qemu_said
	finish
}
