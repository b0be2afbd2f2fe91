# SPDX-License-Identifier: GPL-2.0-only
# Disks of NBD servers, with Linux in the guest: it reads what the server has, and the server has
# what it wrote; one is read-only; a snapshot and its return; the server's end, which the guest
# survives. Wrong input.
. ./common.sh
sock=$work/sock snap=$work/snap
initrd=initrd.pci
# The host has no libnbd of its own (scripts/initramfs.sh).
export LD_LIBRARY_PATH="$dir/nbdlibs"
ctl() { armvmm-ctl "$sock" "$@"; }

# serve NAME [ro]: a server of the file $work/NAME, in $server.
serve() {
	rm -f "$work/$1.sock"
	: >"$work/$1.said"
	./nbdserve "$work/$1.sock" "$work/$1" $2 2>"$work/$1.said" &
	server=$!
	guests="$guests $server"
	wait_text 20 "$work/$1.said" ready || cat "$work/$1.said"
}
dd if=/dev/urandom of="$work/disk" bs=64k count=128 2>/dev/null
dd if=/dev/urandom of="$work/rom" bs=64k count=16 2>/dev/null
before=$(sum <"$work/disk")

guest_initrd g <<'SCRIPT'
dmesg -n 1
modprobe -q virtio_pci
wait_disk /dev/vda
wait_disk /dev/vdb
say "sum read $(disk_sum /dev/vda 0 128)"
say "sum rom $(disk_sum /dev/vdb 0 16)"
holds 'the second is read-only' refuses_writes vdb
dd if=/dev/urandom of=/tmp/data bs=64k count=64 2>/dev/null
holds 'it is written' dd if=/tmp/data of=/dev/vda bs=64k seek=64 conv=fsync
say "sum wrote $(sum </tmp/data)"
say written
read -r _
say "sum again $(disk_sum /dev/vda 64 64)"
holds 'it is written again' dd if=/tmp/data of=/dev/vda bs=4k conv=fsync
say "sum whole $(disk_sum /dev/vda 0 128)"
say settled
read -r _
fails() { ! dd if=/dev/zero of=/dev/vda bs=64k count=1 conv=fsync; }
holds 'without its server it fails' fails
holds 'to read, too' sh -c '! { echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vda of=/dev/null bs=64k skip=20 count=1; }'
say "sum rom-still $(disk_sum /dev/vdb 0 16)"
say end
read -r _
SCRIPT

start() {
	linux_start g --memory 128M --control "unix:$sock" \
		--disk "nbd:unix:$work/disk.sock,bus=$bus" \
		--disk "nbd+unix:///?socket=$work/rom.sock,ro,bus=$bus" "$@"
}
leave() { ctl stop && ctl snapshot "$snap" && ctl quit && guest_end g 60; }
half() { dd if="$work/disk" bs=64k skip=64 count=64 2>/dev/null | sum; }
# What the guest has said, with the line that it is about.
told() { check "$bus: $1" same "$(guest_sum g "$2")" "$3"; }

serve rom ro
for bus in mmio pcie; do
	serve disk
	before=$(sum <"$work/disk")
	start
	check "$bus: the guest writes" guest_expect g 200 '@@ written'
	told 'it has read what the server has' read "$before"
	told 'and of the other server' rom "$(sum <"$work/rom")"
	told 'the server has what it has written' wrote "$(half)"
	check "$bus: its server gave it its size" status_of 3 'it has the size that its server gave it' \
		armvmm-ctl "$sock" resize virtio0 16M
	check "$bus: it is saved" leave
	cat "$work/g.out" >"$work/before"
	start --restore "$snap"
	wait_for 60 sh -c "[ \"\$(armvmm-ctl $sock status)\" = paused ]"
	check "$bus: it goes on" ctl cont
	: >"$work/g.out"
	want=$(half)
	guest_type g '\n'
	check "$bus: and writes" guest_expect g 120 '@@ settled'
	told 'it reads what it has written' again "$want"
	told 'the server has all of it' whole "$(sum <"$work/disk")"
	kill -9 "$server"
	check "$bus: the server's end is told" wait_text 20 "$work/g.err" \
		"nbd:unix:$work/disk.sock: its process has ended: the guest gets errors from now on"
	guest_type g '\n'
	check "$bus: the guest runs on" guest_expect g 120 '@@ end'
	told 'with its other disk' rom-still "$(sum <"$work/rom")"
	guest_type g '\n'
	guest_end g 60
	check "$bus: it powers off: status 0" same "$status" 0
	guest_all g "$work/before"
done

wrong() { status_of "$1" "$2" armvmm-run --kernel monitor --disk "$3"; }
check 'nobody listens' wrong 1 "nbd:unix:/nowhere: /nowhere: no connection: No such file" nbd:unix:/nowhere
check 'an address that is none' wrong 1 'is not like nbd://HOST[:PORT][/NAME]' nbd:host
check 'TLS' wrong 1 'nbds://h: there is no TLS here: tunnel it' nbds://h
check 'O_DIRECT' wrong 1 'direct, cache=none and cache=directsync are for files' "nbd:unix:$work/rom.sock,direct"
check 'a disk that cannot be written' wrong 1 'may be used with ,ro only' "nbd:unix:$work/rom.sock"
unset LD_LIBRARY_PATH
check 'a host without libnbd' wrong 1 "needs libnbd (Debian's package libnbd0)" "nbd:unix:$work/rom.sock,ro"
finish
