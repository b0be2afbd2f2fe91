# SPDX-License-Identifier: GPL-2.0-only
# CPUs of the host go offline and come back under a running guest of four CPUs.
. ./common.sh
online() { echo "$2" >"/sys/devices/system/cpu/cpu$1/online"; }
rounds() {
	guest_type g 'j4 1 '
	wait_for 60 more_bad "$1" && ! grep bad "$work/g.out" | grep -v 00000000
}
more_bad() { [ "$(grep -c bad "$work/g.out")" = "$1" ]; }
hotplug() {
	n=0
	for _ in 1 2 3; do
		online 1 0 || return 1
		n=$((n + 1))
		rounds $n || return 1
		online 1 1 || return 1
		n=$((n + 1))
		rounds $n || return 1
	done
}
cpu0() {
	online 0 0 || return 1
	rounds 7
	_ok=$?
	online 0 1 && return $_ok
}
start() {
	guest_start g --kernel monitor --cpus 4 --memory 64M
	guest_expect g 20 ready && guest_type g s4\ && guest_expect g 20 working
}
offline_at_load() {
	rmmod armvmm && online 1 0 && insmod /armvmm.ko && online 1 1 || return 1
	guest_start g --kernel monitor --cpus 4 --memory 64M
	guest_expect g 20 ready && guest_type g 's4 j4 1 ' && guest_expect g 60 'bad 00000000' || return 1
	guest_type g p
	guest_end g 20
	same "$status" 0
}
ending() {
	guest_type g p
	guest_end g 20
	same "$status" 0
}
check 'a guest with four CPUs works' start
check 'it works on while a CPU of the host goes and comes, three times' hotplug
if [ -e /sys/devices/system/cpu/cpu0/online ]; then
	check 'CPU 0 of the host goes and comes' cpu0
fi
check 'it powers off' ending
check 'a CPU that was offline when the module was loaded serves guests' offline_at_load
finish
