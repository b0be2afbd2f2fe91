# SPDX-License-Identifier: GPL-2.0-only
# What armvmm-run gives up before its guest runs, as /proc shows it: the table of docs/sandbox.md,
# for each thread, as root and as a user. A reset and a power-off still work, and --sandbox off
# warns. Then an attacker takes over a thread of each kind (shim.c), and finds nothing.
. ./common.sh
. ./confined.sh
cp monitor "$work/monitor"
truncate -s 1M "$work/disk"

# Rows of the second table: "field main vcpu disk net lazy dial nbd socket".
sed -n '/^| field of status/,/^$/p' sandbox.md | grep -v -e '---' -e 'field of status' |
	tr -d '|' >"$work/table"

# The kind of a thread, by its name.
kind_of() {
	case $1 in
	vcpu*) echo vcpu ;;
	disk | snapshot | dump | migration | incoming | metrics) echo disk ;;
	net-user) echo net ;;
	lazy-restore | postcopy) echo lazy ;;
	vsock) echo dial ;;
	nbd) echo nbd ;;
	armvmm-socket) echo socket ;;
	*) echo main ;;
	esac
}

# compare_thread TASK: compares it with the table's column of its kind.
compare_thread() {
	_comm=$(cat "$1/comm") && _kind=$(kind_of "$_comm") || return 1
	while read -r _field _main _vcpu _disk _net _lazy _dial _nbd _socket; do
		[ -n "$_field" ] || continue
		eval "_want=\$_$_kind"
		_is=$(field "$1" "$_field")
		# Kernels before 5.9 do not count filters.
		[ -n "$_is" ] || [ "$_field" != Seccomp_filters ] || continue
		if [ "$_is" != "$_want" ]; then
			echo "thread $_comm ($_kind): $_field is '$_is', and not '$_want'"
			return 1
		fi
	done <"$work/table"
}

# compare PID [PID]: compares each thread of these processes with the table; all kinds must exist.
compare() {
	_kinds=
	for _t in /proc/"$1"/task/* ${2:+/proc/"$2"/task/*}; do
		compare_thread "$_t" || return 1
		_kinds="$_kinds $_kind"
	done
	echo "threads:$_kinds"
	case $_kinds in *vcpu*) ;; *) return 1 ;; esac
	[ "$disks" = 0 ] || case $_kinds in *disk*) ;; *) return 1 ;; esac
	case $_kinds in *main*) ;; *) return 1 ;; esac
	[ -z "$2" ] || case $_kinds in *net* | *dial* | *nbd*) ;; *) return 1 ;; esac
}

compare_no_disk() { disks=0 compare "$@"; }

# nothing PID: its root has no file.
nothing() {
	ls -A "/proc/$1/root/"
	[ -z "$(ls -A "/proc/$1/root/")" ]
}

# limit PID NAME: prints the hard limit.
limit() { awk -v name="$2" 'index($0, name) == 1 { print $(NF - 1) }' "/proc/$1/limits"; }

[ "$(grep -c . "$work/table")" -eq 8 ] && pass 'the table is read' || fail 'the table is read'
guest_start root --kernel "$work/monitor" --disk "$work/disk" --cpus 2 --verbose
check 'a guest starts' guest_expect root 60 ready
check 'root: its threads are as the table has them' compare "$pid"
# What this kernel lacks is reported, and nothing else.
missing() {
	cat "$work/root.err"
	mount -t securityfs none /sys/kernel/security 2>/dev/null
	{
		[ -e /proc/self/ns/ipc ] || echo 'IPC namespace'
		grep -qs landlock /sys/kernel/security/lsm || echo Landlock
	} >"$work/missing"
	same "missing: $(sed -n 's/^armvmm-run: sandbox: goes on without what this host does not give: \(.*\): .*/\1/p' \
		"$work/root.err")" "missing: $(cat "$work/missing")" &&
		[ "$(grep -c sandbox "$work/root.err")" = "$(grep -c . "$work/missing")" ]
}
# Kinds that this kernel has, of those named.
kinds() {
	for ns in "$@"; do [ ! -e "/proc/self/ns/$ns" ] || echo "$ns"; done
}
check 'what is missing on this host is told' missing
for ns in $(kinds mnt net ipc uts); do
	check "its $ns namespace is its own" apart "$pid" $ns
done
check 'its root is empty' nothing "$pid"
check 'it has no groups' same "x$(field "/proc/$pid" Groups | tr -d ' ')" x
check 'it may open few files' test "$(limit "$pid" 'Max open files')" -le 400
check 'its memory has a bound' test "$(limit "$pid" 'Max data size')" != unlimited
guest_type root r
check 'it reboots and says ready again' wait_for 60 sh -c \
	"[ \$(grep -c ready '$work/root.out') -ge 2 ]"
check 'after a reset its threads are as before' compare "$pid"
guest_type root p
guest_end root 60
check 'it powers off' same $status 0

guest_start card --kernel "$work/monitor" --disk "$work/disk" --net user
check 'a guest with a card starts' guest_expect card 60 ready
check '--net user has a process of its own' child "$pid"
check 'with --net user all threads are as the table has them' compare "$pid" "$net"
check 'with --net user the guest'"'"'s process has no network' apart "$pid" net
check 'with --net user its root is empty' nothing "$pid"
check 'the network of --net user is the host'"'"'s' same "$(readlink "/proc/$net/ns/net")" \
	"$(readlink /proc/self/ns/net)"
for ns in $(kinds mnt pid ipc uts); do
	check "--net user: its $ns namespace is its own" apart "$net" $ns
done
check '--net user: it sees no other process' same "$(field "/proc/$net" NSpid | awk '{ print $NF }')" 1
check '--net user: /etc is in its root, and nothing else' same "$(ls -A "/proc/$net/root/")" etc
check '--net user: its files are a socket, what it says, and nothing' same \
	"$(for f in /proc/"$net"/fd/*; do readlink "$f"; done | sed 's/:.*//' | sort -u | tr '\n' ' ')" \
	'/dev/null socket '
check '--net user: it has four of them' same "$(ls "/proc/$net/fd" | tr '\n' ' ')" '0 1 2 3 '
# 512 besides these four.
check '--net user: its connections are bounded' same "$(limit "$net" 'Max open files')" 516
check '--net user: its memory has a bound' test "$(limit "$net" 'Max data size')" != unlimited
guest_type card p
guest_end card 60
check 'it powers off' same $status 0
check 'its network'"'"'s process ends with it' wait_for 20 sh -c "! [ -e /proc/$net ]"
check 'nothing was said of it' sh -c "! grep network '$work/card.err' | grep -v 'sandbox: goes on'"

# The process that connects to sockets of the host for a guest.
guest_start dial --kernel "$work/monitor" --disk "$work/disk" --vsock "cid=3,unix:$work/v"
check 'a guest with vsock starts' guest_expect dial 60 ready
# dials PID: finds the process, in $dial; another one keeps the socket's name.
dials() {
	dial=
	for _p in /proc/[0-9]*; do
		[ "$(field "$_p" PPid)" != "$1" ] || [ "$(cat "$_p/comm")" != vsock ] || dial=${_p#/proc/}
	done
	[ "$dial" ]
}
check '--vsock has a process of its own' dials "$pid"
check 'with --vsock all threads are as the table has them' compare "$pid" "$dial"
check 'with --vsock its root is empty' nothing "$dial"
for ns in $(kinds mnt pid ipc uts net); do
	check "--vsock: its $ns namespace is its own" apart "$dial" $ns
done
check '--vsock: it has four files' same "$(ls "/proc/$dial/fd" | tr '\n' ' ')" '0 1 2 3 '
check '--vsock: it may open few more' test "$(limit "$dial" 'Max open files')" -le 272
guest_type dial p
guest_end dial 60
check 'it powers off' same $status 0
check 'that process ends with it' wait_for 20 sh -c "! [ -e /proc/$dial ]"

# A disk of an NBD server.
./nbdserve "$work/nbd.sock" "$work/disk" 2>"$work/nbd.said" &
guests="$guests $!"
wait_text 20 "$work/nbd.said" ready
LD_LIBRARY_PATH=$dir/nbdlibs
export LD_LIBRARY_PATH
guest_start nbd --kernel "$work/monitor" --disk "nbd:unix:$work/nbd.sock"
unset LD_LIBRARY_PATH
check 'a guest with a disk of an NBD server starts' guest_expect nbd 60 ready
# asks PID: finds the process, in $nbd.
asks() {
	nbd=
	for _p in /proc/[0-9]*; do
		[ "$(field "$_p" PPid)" != "$1" ] || [ "$(cat "$_p/comm")" != nbd ] || nbd=${_p#/proc/}
	done
	[ "$nbd" ]
}
check 'the disk has a process of its own' asks "$pid"
check 'with NBD all threads are as the table has them' compare "$pid" "$nbd"
check 'with NBD its root is empty' nothing "$nbd"
for ns in $(kinds net mnt ipc pid); do
	check "NBD: its $ns namespace is its own" apart "$nbd" $ns
done
# Its socket, four slots and the connection.
check 'NBD: it has no other files' same "$(ls "/proc/$nbd/fd" | wc -l)" 9
check 'NBD: it may open few more' test "$(limit "$nbd" 'Max open files')" -le 16
guest_type nbd p
guest_end nbd 60
check 'with NBD it powers off: status 0' same "$status" 0
check 'that process ends with it' wait_for 20 sh -c "! [ -e /proc/$nbd ]"
check 'the socket has gone' wait_for 20 sh -c "! [ -e '$work/v' ]"

# When a guest is killed, the process ends with it, whatever it is doing.
guest_start killed --kernel "$work/monitor" --net user
check 'another guest with a card starts' guest_expect killed 60 ready
child "$pid" >/dev/null
kill -STOP "$net"
kill -KILL "$pid"
check 'SIGKILL ends its network'"'"'s process too' wait_for 20 sh -c "! [ -e /proc/$net ]"
guest_end killed 20

# Its network's process dies, and the guest runs on.
guest_start alone --kernel "$work/monitor" --net user --user nobody
check 'a guest of --user nobody with a card starts' guest_expect alone 60 ready
child "$pid" >/dev/null
check '--user nobody: all its threads are as the table has them' compare_no_disk "$pid" "$net"
check '--user nobody: its network is too' same "$(field "/proc/$net" Uid | tr '\t' ' ')" \
	'65534 65534 65534 65534'
kill -KILL "$net"
check 'it is told when its network'"'"'s process dies' wait_text 20 "$work/alone.err" \
	'armvmm-run: --net user: its process has ended of signal 9: the guest'"'"'s cable is pulled'
guest_type alone r
check 'a reset after that works' wait_for 60 sh -c "[ \$(grep -c ready '$work/alone.out') -ge 2 ]"
guest_type alone p
guest_end alone 60
check 'and it powers off' same $status 0

guest_start user --kernel "$work/monitor" --disk "$work/disk" --user nobody
check 'a guest of --user nobody starts' guest_expect user 60 ready
check '--user nobody: its threads are as the table has them' compare "$pid"
check '--user nobody: it is' same "$(field "/proc/$pid" Uid | tr '\t' ' ')" '65534 65534 65534 65534'
guest_type user p
guest_end user 60
check '--user nobody: it powers off' same $status 0

# Threads that are there only while a guest is saved, dumped or moved, or its statistics are written.
# settles PID NAME: its thread NAME comes, and is as the table has it, once it has confined itself.
settled() {
	for _t in /proc/"$1"/task/*; do
		[ "$(cat "$_t/comm")" != "$2" ] || { compare_thread "$_t" && return; }
	done
	return 1
}
settles() {
	wait_for 60 settled "$1" "$2" && return
	settled "$1" "$2"
	cat "/proc/$1/task/"*/comm
	return 1
}
with_control() {
	_m=$1
	shift
	guest_start "$_m" --kernel "$work/monitor" --disk "$work/disk" --cpus 2 --memory 64M \
		--control "unix:$work/$_m.sock" "$@"
}
with_control from --metrics "$work/metrics"
check 'a guest with a control socket starts' guest_expect from 60 ready
check 'with --control its threads are as before' compare "$pid_from"
# keeper PID: finds the process that keeps the socket's name, in $keeper, and compares it.
keeper() {
	keeper=
	for _p in /proc/[0-9]*; do
		[ "$(field "$_p" PPid)" != "$1" ] || [ "$(cat "$_p/comm")" != armvmm-socket ] || keeper=${_p#/proc/}
	done
	[ "$keeper" ] && compare_thread "/proc/$keeper"
}
check 'the process that keeps its name is as the table has it' keeper "$pid_from"
check '... its root is empty' nothing "$keeper"
for ns in $(kinds mnt net ipc uts); do
	check "... its $ns namespace is its own" apart "$keeper" $ns
done
check '... its files are two' same "$(ls "/proc/$keeper/fd" | tr '\n' ' ')" '0 1 '
check '... and it may open no more' same "$(limit "$keeper" 'Max open files')" 2
check '... it has no groups' same "x$(field "/proc/$keeper" Groups | tr -d ' ')" x
check 'the thread that writes statistics is as a disk'"'"'s' settles "$pid_from" metrics
guest_type from 'm8 '
check 'it fills some memory' guest_expect from 60 filled
with_control to --incoming "unix:$work/to.from"
check 'a machine waits for it' wait_for 60 sh -c \
	"[ \"\$(armvmm-ctl '$work/to.sock' status)\" = inmigrate ]"
armvmm-ctl "$work/from.sock" qmp \
	'{"execute":"migrate-set-parameters","arguments":{"max-bandwidth":65536}}' >/dev/null
armvmm-ctl "$work/from.sock" migrate "unix:$work/to.from" >"$work/mover" 2>&1 &
mover=$!
check 'the thread that sends a guest is, too' settles "$pid_from" migration
check 'and the one that receives it' settles "$pid_to" incoming
# A shell's background has SIGINT ignored.
kill -TERM $mover
wait $mover
guest_end to 60

# To a pipe that nobody reads.
mkfifo "$work/pipe" "$work/hold"
exec 7<>"$work/hold"
sleep 1000 <>"$work/pipe" &
guests="$guests $!"
slow() {
	./talk "$work/from.sock" "$work/pipe" <"$work/hold" >"$work/talk" &
	client=$!
	guests="$guests $client"
	echo '{"execute":"qmp_capabilities"}{"execute":"getfd","arguments":{"fdname":"a"}}' >&7
	echo "{\"execute\":\"$1\",\"arguments\":{$2}}" >&7
}
slow dump-guest-memory '"paging":false,"protocol":"fd:a"'
check 'the thread that dumps a guest is, too' settles "$pid_from" dump
kill $client
check 'the guest goes on' wait_for 20 sh -c \
	"[ \"\$(armvmm-ctl '$work/from.sock' status)\" = running ]"
slow migrate '"uri":"fd:a"'
check 'and the one that saves it' settles "$pid_from" snapshot
armvmm-ctl "$work/from.sock" qmp '{"execute":"migrate_cancel"}' >/dev/null
check 'it goes on again' wait_for 20 sh -c \
	"[ \"\$(armvmm-ctl '$work/from.sock' status)\" = running ]"
kill $client
# 46 MiB, which take a while to be read again.
guest_type from 'm2e '
check 'it fills more memory' wait_for 60 sh -c "[ \$(grep -c filled '$work/from.out') -ge 2 ]"
armvmm-ctl "$work/from.sock" snapshot "$work/snap" >/dev/null

# It moves before nearly all of this; its old process stands still, so that the rest does not come.
with_control there --incoming "unix:$work/there.from"
check 'a machine waits for it' wait_for 60 sh -c \
	"[ \"\$(armvmm-ctl '$work/there.sock' status)\" = inmigrate ]"
armvmm-ctl "$work/from.sock" qmp \
	'{"execute":"migrate-set-parameters","arguments":{"max-bandwidth":500000}}' >/dev/null
armvmm-ctl "$work/from.sock" migrate --postcopy "unix:$work/there.from" >"$work/mover" 2>&1 &
mover=$!
check 'the guest goes before its memory' wait_for 20 armvmm-ctl "$work/from.sock" qmp \
	'{"execute":"migrate-start-postcopy"}'
check '... which follows' wait_for 60 sh -c "armvmm-ctl '$work/from.sock' qmp '{\"execute\":\"query-migrate\"}' |
	grep -q postcopy-active && kill -STOP $pid_from"
check 'the thread of post-copy is as the table has it' settles "$pid_there" postcopy
kill -CONT "$pid_from"
wait $mover
check 'the guest has moved' same $? 0
cat "$work/mover"
guest_end from 60
guest_type there p
guest_end there 60
check 'and powers off' same $status 0
check 'the names of their sockets are gone' sh -c "! [ -e '$work/from.sock' ] && ! [ -e '$work/there.sock' ]"
# A file that is read while the guest runs.
with_control lazy --restore "$work/snap" --lazy-restore
check 'the thread that brings memory is as the table has it' settles "$pid_lazy" lazy-restore
guest_type lazy p
guest_end lazy 60
check 'and that guest powers off' same $status 0

guest_start off --kernel "$work/monitor" --disk "$work/disk" --sandbox off
check '--sandbox off: a guest starts' guest_expect off 60 ready
check '--sandbox off: warns' same "$(cat "$work/off.err")" \
	'armvmm-run: --sandbox off: a guest that takes over this program has all that its user has'
check '--sandbox off: no filter' same "$(field "/proc/$pid" Seccomp)" 0
guest_type off p
guest_end off 60

# attack THREAD CALL ARG...: makes the call in the thread, of a guest that has a disk.
attack() {
	_thread=$1 _call=$2
	shift 2
	export LD_PRELOAD="$dir/shim.so" SHIM=attack SHIM_THREAD="$_thread" SHIM_CALL="$_call"
	timeout 60 armvmm-run --kernel "$work/monitor" --disk "$work/disk" "$@" \
		</dev/null >"$work/attack.out" 2>"$work/attack.err"
	status=$?
	unset LD_PRELOAD SHIM SHIM_THREAD SHIM_CALL
	cat "$work/attack.err"
}
# ended_for THREAD CALL NAME ARG...: the call ends the process, which says so.
ended_for() {
	_is_called=$3 _t=$1 _c=$2
	case $_t in vcpu) _says=vcpu0 ;; main) _says=armvmm-run ;; *) _says=$_t ;; esac
	shift 3
	attack "$_t" "$_c" "$@"
	echo "status $status"
	[ $status = 159 ] && tr -d '\r' <"$work/attack.err" | grep -Eqx \
		"armvmm-run: sandbox: thread $_says is ended for system call [0-9]+ \($_is_called\)"
}
came_of_it() {
	attack "$1" "$2" $4
	echo "status $status"
	[ $status = 77 ] && grep -q "^attack: $2 in .*: $3\$" "$work/attack.err"
}
for thread in main vcpu disk; do
	for call in execve socket kill mprotect ioctl; do
		check "a taken-over $thread thread is ended for $call" ended_for $thread $call $call
	done
	check "a taken-over $thread thread is ended for a fork" ended_for $thread fork clone
	check "a taken-over $thread thread opens no file" came_of_it $thread openat 'Permission denied'
	check "without a sandbox the $thread thread opens it" came_of_it $thread openat succeeded \
		'--sandbox off'
done

# cut_off CALL NAME: the call ends the process of the network, and the guest runs on.
cut_off() {
	export LD_PRELOAD="$dir/shim.so" SHIM=attack SHIM_THREAD=net-user SHIM_CALL="$1"
	guest_start cut --kernel "$work/monitor" --net user
	unset LD_PRELOAD SHIM SHIM_THREAD SHIM_CALL
	guest_expect cut 60 ready && wait_text 20 "$work/cut.err" "cable is pulled"
	guest_type cut p
	guest_end cut 60
	cat "$work/cut.err"
	echo "status $status"
	[ $status = 0 ] && tr -d '\r' <"$work/cut.err" | grep -Eqx \
		"armvmm-run: network: sandbox: thread net-user is ended for system call [0-9]+ \($2\)" &&
		grep -q 'ended with status 159: the guest' "$work/cut.err"
}
for call in execve kill mprotect ioctl bind; do
	check "a taken-over network is cut off for $call" cut_off $call $call
done
check 'a taken-over network is cut off for a fork' cut_off fork clone
finish
