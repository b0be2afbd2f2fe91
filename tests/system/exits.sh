# SPDX-License-Identifier: GPL-2.0-only
# How a guest and armvmm-run end, with the monitor: statuses, signals, reboots.
. ./common.sh
run() { guest_start g --kernel monitor "$@"; }
ready() { guest_expect g 20 ready; }

# by_keys STATUS KEYS ARG...: the guest gets KEYS and ends with STATUS.
by_keys() {
	want=$1 keys=$2
	shift 2
	run "$@"
	ready || return 1
	guest_type g "$keys"
	guest_end g 20
	cat "$work/g.err"
	same "$status" "$want"
}

count_ready() { [ "$(grep -c ready "$work/g.out")" = "$1" ]; }

reboots() {
	run --cpus 2
	for n in 1 2 3; do
		wait_for 20 count_ready $n || return 1
		guest_type g 's2 '
		guest_type g r
	done
	wait_for 20 count_ready 4 || return 1
	guest_type g p
	guest_end g 20
	cat "$work/g.out"
	same "$status" 0
}

check 'power-off: status 0' by_keys 0 p
# Its first page does not belong to the program.
shifted() {
	{
		dd if=/dev/zero bs=4096 count=1 2>/dev/null
		cat monitor.raw
	} >"$work/shifted"
	guest_start g --kernel "$work/shifted" "$@"
	guest_expect g 20 ready || return 1
	guest_type g p
	guest_end g 20
	cat "$work/g.err"
	same "$status" 0
}

moved() {
	guest_start g --kernel monitor.moved
	guest_expect g 20 ready || return 1
	guest_type g p
	guest_end g 20
	cat "$work/g.err"
	same "$status" 0
}
check 'a raw program where it is told to go and to start' shifted --format raw \
	--load-address 0x4000f000 --entry 0x40010000
check 'an ELF program of upper addresses, moved into memory' moved
check 'power-off with all of eight CPUs at work' by_keys 0 's8 p' --cpus 8 --memory 64M
check 'the guest reboots in place, three times' reboots
check 'a guest finds what Linux expects at each start' sh -c "! grep 'bad entry' $work/g.out"
# The last 256 KiB of 64 MiB, and a word before them.
keeps() {
	run --memory 64M --device ramoops
	ready || return 1
	guest_type g 'k43fc0000 1234abcd k43fbfffc 5678 t43fbfffc '
	guest_expect g 20 'touched 00005678' || return 1
	guest_type g r
	wait_for 20 count_ready 2 || return 1
	guest_type g 't43fc0000 t43fbfffc p'
	guest_expect g 20 'touched 1234abcd' && guest_expect g 20 'touched 00000000' || return 1
	guest_end g 20
	same "$status" 0
}
check 'a reset keeps what ramoops has, and nothing else' keeps
# The register of slot 1: its BAR, its command register, and what a kernel that panics writes.
panics='k3f008010 10000000 k3f008004 2 k10000000 1 '
check 'a guest that says by pvpanic that it panicked: status 6' by_keys 6 "$panics" --device pvpanic
check '... and that is told' grep -q "pvpanic: the guest's kernel has panicked: it is ended" "$work/g.err"
check '... or it goes on, and powers off' by_keys 0 "${panics}p" --device pvpanic,action=none
check '--no-reboot: a reboot ends with status 0' by_keys 0 r --no-reboot

export LD_PRELOAD="$dir/shim.so" SHIM=hole
check 'a guest that cannot run on ends with status 3' by_keys 3 't44000000 '
unset LD_PRELOAD SHIM
check '... and says why, with its registers' grep -q 'vCPU 0: cannot run: Bad address' "$work/g.err"
check '... of each vCPU' grep -Eq 'r12 +[0-9a-f]{8} +sp +[0-9a-f]{8} +lr +[0-9a-f]{8} +pc +4001' "$work/g.err"

export LD_PRELOAD="$dir/shim.so" SHIM=part
refused_entry() {
	run
	guest_end g 20
	cat "$work/g.err"
	same "$status" 3
}
check 'a CPU of another part: status 3' refused_entry
unset LD_PRELOAD SHIM
check '... and it is told in words' grep -q \
	'vCPU 0: came to CPU 1, which is of another part .*--cpu-part' "$work/g.err"

# A big.LITTLE host, as far as /proc tells: CPU 0 is a Cortex-A15, CPU 1 another part.
awk '/^processor/ { cpu = $3 } /^CPU part/ && cpu == 1 { $0 = "CPU part\t: 0xc07" } { print }' \
	/proc/cpuinfo >"$work/cpuinfo"
# Each vCPU's thread binds itself: one may not have done so yet when the other's guest is ready.
both_bound() {
	bound=0 other=
	for t in /proc/"$pid"/task/*; do
		list=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "$t/status")
		case $(cat "$t/comm") in
		vcpu*) [ "$list" = "$cpus" ] && bound=$((bound + 1)) ;;
		*) other=$list ;;
		esac
	done
	[ $bound = 2 ]
}
# on CPUS ARG...: the vCPUs are on CPUS, the other threads are not bound.
on() {
	cpus=$1
	shift
	run --cpus 2 "$@"
	ready || return 1
	wait_for 20 both_bound
	guest_type g 's2 '
	guest_type g p
	guest_end g 20
	cat "$work/g.err"
	echo "$bound vCPUs on CPUs $cpus, others on $other, status $status"
	[ $bound = 2 ] && [ "$other" = 0-1 ] && same "$status" 0
}
no_part() {
	! armvmm-run --kernel monitor --cpu-part a17 2>"$work/err" </dev/null && cat "$work/err" &&
		grep -qx 'armvmm-run: --cpu-part a17: the host has no such CPU: .*' "$work/err"
}
check 'CPUs of one part: vCPUs run on all' on 0-1
check '... and nothing is said of it' sh -c "! grep 'vCPUs run' $work/g.err"
check '... --cpu-part names no part that is not there' no_part
mount --bind "$work/cpuinfo" /proc/cpuinfo
check "big.LITTLE: vCPUs run on the boot CPU's part" on 0
check '... and it is said' grep -q 'vCPUs run on CPUs 0 (Cortex-A15) alone' "$work/g.err"
check '... --cpu-part chooses another' on 1 --cpu-part a7
check '... or none that is not there' no_part
allowed() {
	! taskset 1 armvmm-run --kernel monitor --cpu-part a7 2>"$work/err" </dev/null &&
		cat "$work/err" && grep -q 'may run on CPUs 0 alone' "$work/err"
}
check '... nor one that is forbidden' allowed
umount /proc/cpuinfo

button() {
	run --cpus 2 --grace 100
	ready || return 1
	guest_type g w
	guest_expect g 20 waiting || return 1
	kill -TERM "$pid"
	guest_end g 20
	tail -n 3 "$work/g.out"
	same "$status" 0 && grep -q button "$work/g.out"
}
check 'SIGTERM presses the power button; the guest powers off' button

deadline() {
	run --grace 2
	ready || return 1
	guest_type g h
	guest_expect g 20 hanging || return 1
	from=$(date +%s)
	kill -TERM "$pid"
	guest_end g 20
	took=$(($(date +%s) - from))
	echo "took $took s, status $status"
	cat "$work/g.err"
	[ "$status" = 4 ] && [ $took -ge 1 ] &&
		grep -q 'the guest has not powered off within 2 s and is ended' "$work/g.err"
}
check 'a guest deaf to the button is ended at the deadline, status 4' deadline

# A shell gives its background jobs an ignored SIGINT, so this one comes from ptydrive.
impatient() {
	./ptydrive armvmm-run --kernel monitor --grace 1000 <<-'STEPS'
		expect ready
		signal 2
		alive
		signal 2
		exit 4
	STEPS
}
check 'a second SIGINT ends the guest at once' impatient

# The end of standard input does not end a guest, nor does output that nobody reads.
armvmm-run --kernel monitor </dev/null >"$work/eof" 2>&1 &
pid=$!
guests="$guests $pid"
check 'input at its end: the guest runs on' wait_for 20 grep -q ready "$work/eof"
check '... and is there' kill -0 $pid
kill -9 $pid
check 'an output that is closed: the guest runs and powers off' sh -c \
	'(sleep 2; echo offff; sleep 1; echo p) | timeout 60 armvmm-run --kernel monitor >&-'

# In bulk, without loss, as fast as the guest takes it.
bulk() {
	{
		printf 'i2000 '
		cat "$work/bulk"
		printf 'o2000 p'
	} | timeout 60 armvmm-run --kernel monitor >"$work/bulk.out" || return 1
	set -- $(sed -n 's/\r$//; s/^hash //p' "$work/bulk.out")
	echo "hashes in and out: $*; here $in"
	[ "$1" = "$in" ] || return 1
	sed -n '/^begin$/,$p' "$work/bulk.out" | sed 1d | head -c 8192 | ./ptydrive --hash >"$work/hash"
	cat "$work/hash"
	[ "$2" = "$(cat "$work/hash")" ]
}
dd if=/dev/urandom of="$work/bulk" bs=8k count=1 2>/dev/null
in=$(./ptydrive --hash <"$work/bulk")
check '8 KiB each way over the console, not a byte lost' bulk

version() { armvmm-run --version | grep -Eqx 'armvmm-run [0-9]+\.[0-9]+(\.[0-9]+)?'; }
check '--version' version
check '--help is no error' sh -c 'armvmm-run --help | grep -q "Usage: armvmm-run"'
check '--dump-dtb writes a tree without a guest' sh -c \
	"rm -f $work/dtb; armvmm-run --dump-dtb $work/dtb --cpus 4 && grep -aq 'linux,dummy-virt\|virt' $work/dtb"
finish
