# SPDX-License-Identifier: GPL-2.0-only
# Snapshots in a qcow2 image (savevm, loadvm), a snapshot of the disk (-snapshot), memory
# ballooning, resets under load, the guest's dirty rate, and locked memory.
. ./lib.sh

guest_initrd g <<'SCRIPT'
dmesg -n 1
wait_disk /dev/vda
memcheck 24 2 &
watchcheck &
say up
n=0
while :; do
	read -r what
	case $what in
	count)
		n=$((n + 1))
		say "count $n"
		;;
	write)
		dd if=/dev/urandom of=/dev/vda bs=64k count=4 conv=fsync 2>/dev/null
		say "disk $(disk_sum /dev/vda 0 4)"
		;;
	disk) say "disk $(disk_sum /dev/vda 0 4)" ;;
	free) say "total $(awk '/MemTotal/ { print $2 }' /proc/meminfo)" ;;
	end) break ;;
	esac
done
killall memcheck watchcheck
say end
SCRIPT
# Match complete lines only: they end with a carriage return.
cr=$(printf '\r')
last() { sed -n "s/^@@ $1 \(.*\)$cr\$/\1/p" "$work/g.out" | tail -n 1; }
# ask WORD KEY: types WORD and waits for the next line of KEY; prints its value.
ask() {
	_n=$(grep -c "^@@ $2 .*$cr" "$work/g.out")
	guest_type g "$1\n"
	wait_for 60 eval "[ \$(grep -c '^@@ $2 .*$cr' $work/g.out) -gt $_n ]" || return 1
	last "$2"
}
# works: both the load and the debugger make progress.
works() {
	_n=$(last pass) _h=$(last hits)
	wait_for 60 eval "[ \"\$(last pass)\" != '$_n' -a \"\$(last hits)\" != '$_h' ]" &&
		! grep '@@ wrong' "$work/g.out"
}

# QEMU makes the image: the host has no qemu-img.
truncate -s 0 "$work/disk.qcow2"
qemu_start make -S -m 16
creates() {
	qmp make blockdev-create "{\"job-id\":\"f\",\"options\":{\"driver\":\"file\",\"filename\":\"$work/disk.qcow2\",\"size\":0}}" &&
		wait_for 30 eval 'qmp make query-jobs | grep -qF concluded' &&
		qmp make job-dismiss '{"id":"f"}' &&
		qmp make blockdev-add "{\"driver\":\"file\",\"node-name\":\"file\",\"filename\":\"$work/disk.qcow2\"}" &&
		qmp make blockdev-create '{"job-id":"q","options":{"driver":"qcow2","file":"file","size":33554432}}' &&
		wait_for 30 eval 'qmp make query-jobs | grep -qF concluded' &&
		qmp make query-jobs | grep -vF '"error"'
}
check 'QEMU makes an image' creates
qmp make quit >/dev/null
guest_end make 20

linux_qemu g -smp 2 -m 128 -drive "if=none,id=d,format=qcow2,file=$work/disk.qcow2" \
	-device virtio-blk-pci,drive=d -device virtio-balloon-pci,id=balloon
check 'the guest is up' guest_expect g 120 '@@ up'
ended "$pid" && qemu_finish
check 'counts' same "$(ask count count)" 1
sum1=$(ask write disk)
check 'savevm under load' hmp g 'savevm one'
check 'goes on' works
check 'counts on' same "$(ask count count)" 2
sum2=$(ask write disk)
check 'writes its disk' [ -n "$sum2" -a "$sum1" != "$sum2" ]
check 'the snapshot is listed' says one hmp g 'info snapshots'
check 'loadvm' hmp g 'loadvm one'
check 'goes on from there' works
check 'counts from there' same "$(ask count count)" 2
check 'has the disk that was' same "$(ask disk disk)" "$sum1"

before=$(ask free total)
deflated() { qmp g query-balloon | grep -qE "\"actual\": $1[,}]"; }
check 'the balloon takes 40 MiB' qmp g balloon '{"value":92274688}'
check '... and the guest gives them' wait_for 60 deflated 92274688
check '... goes on' works
check 'the guest sees less' [ "$(ask free total)" -lt "$before" ]
check 'and gets them back' qmp g balloon '{"value":134217728}'
check '... all' wait_for 60 deflated 134217728

# rate MODE: in one of ten measurements it is not 0. The guest may get no CPU during one, and then
# writes nothing.
rate() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		qmp g calc-dirty-rate "{\"calc-time\":1,\"mode\":\"$1\"}" || return 1
		wait_for 30 eval 'qmp g query-dirty-rate | grep -qF measured' || return 1
		! qmp g query-dirty-rate | grep -E '"dirty-rate": [1-9]' || return 0
	done
	return 1
}
check 'its dirty rate, by sampled pages' rate page-sampling
check 'its dirty rate, by the dirty bitmap' rate dirty-bitmap

for n in 1 2 3; do
	: >"$work/g.out"
	qmp g system_reset >/dev/null
	check "reset $n under load" guest_expect g 120 '@@ up'
done
guest_type g 'end\n'
check 'it ends by itself' guest_expect g 60 '@@ end'
guest_end g 60
check '... with status 0' same "$status" 0

# A disk that drops its changes when QEMU ends; locked memory.
before=$(sum <"$work/disk.qcow2")
export TMPDIR="$work"
linux_qemu g -smp 1 -m 64 -overcommit mem-lock=on -snapshot -drive "if=none,id=d,file=$work/disk.qcow2" \
	-device virtio-blk-device,drive=d
check '-snapshot, mem-lock: the guest is up' guest_expect g 120 '@@ up'
ended "$pid" && qemu_finish
check '... writes its disk' [ -n "$(ask write disk)" ]
check '... its memory is locked' sh -c "awk '/VmLck/ { exit \$2 < 60000 }' /proc/$pid/status"
guest_type g 'end\n'
guest_end g 60
check '... and the image stays as it was' same "$(sum <"$work/disk.qcow2")" "$before"
qemu_finish
