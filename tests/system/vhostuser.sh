# SPDX-License-Identifier: GPL-2.0-only
# Disks and folders of other processes, with Linux in the guest: a qcow2 image by Debian's
# qemu-storage-daemon, and a folder by its virtiofsd, on both buses; resets, stops, a snapshot; back
# ends that die, or stand still. Run by outside/vhost-user.
. ./common.sh
sock=$work/sock snap=$work/snap
initrd=initrd.share
disk=vhost-user:$work/q share=tag=files,vhost-user:$work/fs
ctl() { armvmm-ctl "$sock" "$@"; }
wrong() {
	_is=$1 _says=$2
	shift 2
	status_of "$_is" "$_says" armvmm-run --kernel monitor "$@"
}

# make_qcow2 FILE MIB: only the daemon itself can make one here.
make_qcow2() {
	: >"$1"
	mkfifo "$work/qmp"
	qemu-storage-daemon --chardev stdio,id=c --monitor chardev=c \
		--blockdev "file,node-name=f,filename=$1" <"$work/qmp" >"$work/made" &
	{
		echo '{"execute":"qmp_capabilities"}'
		echo "{\"execute\":\"blockdev-create\",\"arguments\":{\"job-id\":\"j\",\"options\":{\"driver\":\"qcow2\",\"file\":\"f\",\"size\":$(($2 << 20))}}}"
		wait_text 60 "$work/made" concluded
		echo '{"execute":"job-dismiss","arguments":{"id":"j"}}{"execute":"quit"}'
	} >"$work/qmp"
	wait $!
	head -c 3 "$1" | grep -q QFI
}

# qsd_start [OPTION]: serves the image.
qsd_start() {
	rm -f "$work/q"
	qemu-storage-daemon --blockdev "file,node-name=f,filename=$work/disk.qcow2" \
		--blockdev qcow2,node-name=d,file=f \
		--export "vhost-user-blk,id=e,node-name=d,addr.type=unix,addr.path=$work/q,writable=on${1-}" \
		>"$work/qsd.log" 2>&1 &
	qsd=$!
	guests="$guests $qsd"
	wait_for 60 test -S "$work/q"
}

# A daemon removes its socket as it ends: of the next one, if that has begun.
qsd_stop() {
	kill $qsd
	wait_end 60 $qsd
}

# It ends by itself when its only client does. See noseccomp.c.
fs_start() {
	rm -f "$work/fs"
	LD_PRELOAD=$dir/noseccomp.so virtiofsd --socket-path="$work/fs" -o source="$work/files" -o sandbox=chroot -f \
		>"$work/fs.log" 2>&1 &
	fs=$!
	guests="$guests $fs"
	wait_for 60 test -S "$work/fs"
}

confined() {
	grep -H Seccomp: /proc/"$pid"/task/*/status
	! grep -h Seccomp: /proc/"$pid"/task/*/status | grep -v 'Seccomp:.2'
}

check 'an image is made' make_qcow2 "$work/disk.qcow2" 64
mkdir "$work/files"
dd if=/dev/urandom of="$work/files/host" bs=64k count=32 2>/dev/null

guest_initrd g share <<'SCRIPT'
dmesg -n 1
share_test
# The disk remembers that it was here.
if ! dd if=/dev/vda bs=64k skip=900 count=1 2>/dev/null | grep -q armvmm-was-here; then
	echo armvmm-was-here | dd of=/dev/vda bs=64k seek=900 conv=fsync,notrunc 2>/dev/null
	say first
	read -r _
	share_again
	say reboots
	reboot -f
fi
say second
read -r _
holds 'nothing was wrong' sh -c '! dmesg | grep -iE "nobody cared|call trace|I/O error"'
SCRIPT

bus=mmio
qsd_start ,num-queues=2
fs_start
linux_start g --memory 128M --cpus 2 --control "unix:$sock" --disk "$disk" --share "$share"
logs() {
	[ $failed = 0 ] || {
		sed 's/^/# guest: /' "$work/$1.out" | tr -d '\r' | tail -n 40
		sed 's/^/# /' "$work/$1.err" "$work/qsd.log" "$work/fs.log" | tail -n 40
	}
}
check 'mmio: a guest starts' guest_expect g 120 '@@ first'
[ $failed = 0 ] || {
	logs g
	finish
}
check 'mmio: it is confined' confined
check 'mmio: the disk has 64 MiB, and as many queues as CPUs' grep -q '@@ disk 131072 2' "$work/g.out"
check 'mmio: it reads what it wrote' same "$(guest_sum g wrote)" "$(guest_sum g reads)"
check 'mmio: it reads the folder' same "$(guest_sum g shared)" "$(sum <"$work/files/host")"
check 'mmio: it writes there' same "$(guest_sum g wrote)" "$(sum <"$work/files/guest")"
check 'mmio: its memory is a file' sh -c "ls -l /proc/$pid/fd | grep -q memfd:guest"
check 'mmio: it cannot be sent' status_of 3 'the back end keeps no log' \
	armvmm-ctl "$sock" migrate "exec:cat >$work/sent"
check 'mmio: nor saved, with a folder' status_of 3 "the guest's open files cannot be saved" \
	armvmm-ctl "$sock" snapshot "$snap"
pauses() { ctl stop && sleep 1 && ctl cont; }
check 'mmio: it stops and goes on' pauses
echo changed >"$work/files/new"
guest_type g '\n'
check 'mmio: it reads on, and sees a new file' guest_expect g 60 '@@ reboots'
check 'mmio: it is reset, and starts again' guest_expect g 120 '@@ second'
guest_type g '\n'
guest_end g 60
check 'mmio: it powers off: status 0' same "$status" 0
guest_cases g
logs g
wrote=$(guest_sum g wrote)
qsd_stop
check 'the image has grown by what was written, and no more' sh -c \
	"s=\$(stat -c %s $work/disk.qcow2); [ \$s -gt 4000000 ] && [ \$s -lt 20000000 ]"

guest_initrd h share <<'SCRIPT'
dmesg -n 1
wait_disk /dev/vda
say "sum found $(disk_sum /dev/vda 0 64)"
say up
while read -r line; do
	[ "$line" != end ] || break
	say "sum again $(disk_sum /dev/vda 0 64)"
done
SCRIPT

bus=pcie
start() {
	qsd_start
	linux_start h --memory 128M --control "unix:$sock" --disk "$disk,bus=pcie" "$@"
}
start
check 'pcie: a guest starts' guest_expect h 120 '@@ up'
check 'pcie: the image has what the other guest wrote' same "$(guest_sum h found)" "$wrote"
check 'pcie: no snapshot with a log' status_of 3 'only whole snapshots' \
	armvmm-ctl "$sock" snapshot --track "$snap"
leave() { ctl stop && ctl snapshot "$snap" && ctl quit && guest_end h 60; }
check 'pcie: it is saved' leave
qsd_stop
start --restore "$snap"
wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = paused ]"
check 'pcie: it goes on' ctl cont
guest_type h '\n'
check 'pcie: and reads' guest_expect h 60 '@@ sum again'
check 'pcie: the same' same "$(guest_sum h again)" "$wrote"

# A back end that stands still while the guest wants something. The process itself does not.
kill -STOP $qsd
guest_type h '\n'
# A stopped guest's back ends go on. A snapshot takes the queues from them.
ends_in_time() { timeout 60 armvmm-ctl "$sock" snapshot "$snap" || [ $? -ne 124 ]; }
check 'one that stands still: a snapshot does not wait for ever' ends_in_time
given_up() { grep -q 'the back end does not answer within 5 s' "$work/h.err" || { cat "$work/h.err"; false; }; }
check 'one that stands still is given up, in words' given_up
ctl quit
guest_end h 60
check 'and the process ends' test "$status" -ne 255
kill -CONT $qsd
qsd_stop

start
check 'another guest starts' guest_expect h 120 '@@ up'
kill -9 $qsd
check 'one that dies is told of' wait_text 60 "$work/h.err" 'the back end has closed the connection'
check 'the guest runs on' sh -c "armvmm-ctl $sock status | grep -q running"
check 'it stops and goes on' pauses
ctl quit
guest_end h 60

check 'nobody listens' wrong 1 'is the back end started?' --disk "$disk"
check 'no words' wrong 2 'vhost-user: knows bus= alone' --disk "$disk,ro"
check 'a folder needs a tag' wrong 2 'needs tag=NAME' --share "vhost-user:$work/fs"
fs_start
check 'no more queues than there are' wrong 1 'the back end has 2 queues, and 4 are needed' --share "$share,queues=3"
lazy() { wrong 1 'lazy-restore: not with vhost-user' --disk "$disk" --restore "$snap" --lazy-restore; }
qsd_start
check 'not with memory that comes late' lazy
finish
