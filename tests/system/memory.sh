# SPDX-License-Identifier: GPL-2.0-only
# What the host does with a guest's memory: more than half of it is swapped out while the guest
# runs; all is given back when the guest is killed, at any moment; and what armvmm-run needs
# besides.
. ./common.sh
modprobe -q zram || modprobe -q -a zsmalloc zram
swap_on() {
	[ -b /dev/zram0 ] || return 1
	echo 400M >/sys/block/zram0/disksize
	mkswap /dev/zram0 && swapon /dev/zram0
}

swapped() { awk '/^VmSwap/ { print $2 }' "/proc/$pid/status"; }

# The guest fills 40 of its 64 MiB, while a second CPU works all the time.
swap() {
	guest_start g --kernel monitor --cpus 2 --memory 64M
	guest_expect g 20 ready || return 1
	guest_type g 's2 m28 '
	guest_expect g 60 filled || return 1
	most=0
	for _ in 1 2 3 4 5 6; do
		./pageout "$pid" || return 1
		now=$(swapped)
		[ "$now" -le $most ] || most=$now
		[ $most -lt 32768 ] || break
	done
	echo "in swap: $most kB"
	[ $most -ge 32768 ]
}
unchanged() {
	guest_type g 'v28 '
	guest_expect g 120 wrong || return 1
	grep wrong "$work/g.out"
	grep -q 'wrong 00000000' "$work/g.out" || return 1
	# And again, with the host at it at the same time.
	guest_type g 'v28 '
	for _ in 1 2 3; do
		./pageout "$pid"
	done
	wait_for 120 [ "$(grep -c wrong "$work/g.out")" = 2 ]
	guest_type g 'j2 1 '
	guest_expect g 120 bad || return 1
	! grep wrong "$work/g.out" | grep -v 00000000 && grep -q 'bad 00000000' "$work/g.out"
}
wait_swap() {
	guest_type g p
	guest_end g 20
	same "$status" 0
}
check 'the host has swap' swap_on
check 'half of the memory of a guest at work is in swap' swap
check 'the guest finds its memory unchanged' unchanged
check 'it powers off' wait_swap
swapoff /dev/zram0
echo 1 >/sys/block/zram0/reset

# Pss besides guest memory, for a machine with all its devices that has done some work.
pss() {
	truncate -s 1M "$work/disk"
	guest_start g --kernel monitor --cpus 2 --memory 128M --disk "$work/disk" --net user --rng
	guest_expect g 20 ready || return 1
	guest_type g 'm20 o1000 '
	guest_expect g 20 hash || return 1
	# The memory is the one mapping of its size; the header line of each names its addresses.
	# A 32-bit kernel computes a huge page's Pss as 0 (2 MiB << 12): that it is there, Rss says.
	awk '
		/^[0-9a-f]+-[0-9a-f]+ / { size = 0 }
		/^Size:/ { ram = $2 == 131072 }
		/^Rss:/ { if (ram) guest += $2 }
		/^Pss:/ { if (!ram) own += $2 }
		END { print "guest memory", guest, "kB, beyond it", own, "kB"
		      exit !(guest >= 32768 && own <= 4096) }' "/proc/$pid/smaps"
}
check 'Pss beyond guest memory is at most 4 MiB' pss
sed -n 's/^/# /p' "$work/check"
guest_type g p
guest_end g 20

# SIGKILL at any moment: afterwards the kernel uses as much memory as before, within 1 %, and as
# many pages are free. Their number varies by some hundred pages by itself; what is charged to the
# guests' own cgroup does not.
in_use() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(Slab|SUnreclaim|PageTables|KernelStack|VmallocUsed|Percpu|AnonPages):/ { n += $2 }
		/^(MemFree|Cached|Buffers)/ { f += $2 }
		END { print n, f }' /proc/meminfo
}
group=$work/cgroup
group_kernel() {
	awk '/^kernel / { print $2 / 1024; found = 1 } END { exit !found }' "$group/g/memory.stat"
}
group_make() {
	mkdir "$group" && mount -t cgroup2 none "$group" &&
		echo +memory >"$group/cgroup.subtree_control" && mkdir "$group/g"
}
kill_some() {
	i=0
	while [ $i -lt "$1" ]; do
		i=$((i + 1))
		guest_start k --kernel monitor --cpus 4 --memory 64M --disk "$work/disk" --net user
		case $((i % 4)) in
		0) ;;
		1) usleep $((i * 37000 % 400000)) ;;
		*)
			guest_expect k 20 ready || return 1
			guest_type k 's4 m20 v20 '
			usleep $((i * 91000 % 500000))
			;;
		esac
		kill -9 "$pid" "$holder"
		wait "$pid" "$holder" 2>/dev/null
		guests=
	done
	return 0
}
# Freed memory comes back a little later (RCU), and leaked memory never does.
as_before() {
	after=$(in_use)
	echo "$before $after" | awk '{ exit !($3 <= $1 * 1.01 + 64 && $4 >= $2 * 0.99) }'
}
# The kernel charges in batches, and each CPU keeps what is left of its own. A limit that is passed
# makes all CPUs give that back.
group_gone() {
	echo 0 >"$group/g/memory.high" || return 1
	left=$(group_kernel)
	echo "$alive $left" | awk '{ exit !($1 >= 200 && $2 <= 64) }'
}
nothing_left() {
	group_make || return 1
	kill_some 3 || return 1
	rmmod armvmm && insmod /armvmm.ko
	sleep 1
	before=$(in_use)
	echo $$ >"$group/g/cgroup.procs"
	kill_some 8
	killed=$?
	guest_start k --kernel monitor --cpus 4 --memory 64M
	guest_expect k 20 ready || return 1
	alive=$(group_kernel)
	kill -9 "$pid" "$holder"
	wait "$pid" "$holder" 2>/dev/null
	echo $$ >"$group/cgroup.procs"
	rmmod armvmm && insmod /armvmm.ko || return 1
	wait_for 20 as_before
	as_was=$?
	echo "kernel structures and free pages, kB: before $before, after $after"
	[ $as_was = 0 ] || return 1
	# Kernels before 5.18 do not tell it.
	left=$(group_kernel) || return $killed
	wait_for 20 group_gone
	gone=$?
	echo "kernel memory charged to the guests, kB: of one alive $alive, of nine killed $left"
	[ $gone = 0 ] && return $killed
}
check 'nine guests killed at work leave nothing behind; the module unloads' nothing_left
sed -n 's/^kernel/# &/p' "$work/check"

# The same for a program that dies while the guest's CPUs are in the middle of an exit.
abrupt() {
	guest_start k --kernel monitor --cpus 8 --memory 64M
	guest_expect k 20 ready || return 1
	guest_type k 's8 w'
	guest_expect k 20 waiting || return 1
	kill -9 "$pid"
	wait "$pid"
	rmmod armvmm && insmod /armvmm.ko
}
check 'rmmod at once after SIGKILL, with eight CPUs at work' wait_for 60 abrupt
finish
