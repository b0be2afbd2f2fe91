# SPDX-License-Identifier: GPL-2.0-only
# debian.sh FOLDER DISK FILE QEMU-ARG...: the Debian system of scripts/guest-debian.sh, whose vmlinuz,
# initrd and password are in FOLDER, boots unchanged from DISK to its login. A user logs in, works
# with the disk and the network, fetches FILE, and powers off. outside/debian runs this twice, in
# the emulated host and under plain emulation on the build machine, and compares the sums.
command -v usleep >/dev/null || usleep() { sleep 0.1; }
. ./lib.sh
folder=$1 disk=$2 file=$3
shift 3

# This answers HTTP at 10.0.2.100, a process for each connection: port 80 serves the user's
# commands, port 81 serves FILE.
cat >"$work/answer" <<'ANSWER'
while read -r line && [ "$line" != "$(printf '\r')" ]; do :; done
printf 'HTTP/1.0 200 OK\r\n\r\n'
exec cat "$1"
ANSWER
cat >"$work/work" <<'WORK'
sum() { sha256sum | cut -c1-64; }
echo "@@ state $(systemctl is-system-running --wait)"
echo "@@ is cpus $(nproc) root $(findmnt -no SOURCE /) init $(readlink -f /proc/1/exe)"
echo "@@ sum tree $(find /usr/bin /usr/sbin /usr/lib/arm-linux-gnueabihf -type f | LC_ALL=C sort | xargs sha256sum | sum)"
seq 1 3000000 >/var/tmp/big
sync
echo 3 >/proc/sys/vm/drop_caches
echo "@@ sum disk $(sum </var/tmp/big)"
wget -qO /tmp/file http://10.0.2.100:81/
echo "@@ sum net $(sum </tmp/file)"
echo "@@ sum math $(awk 'BEGIN { for (i = 1; i < 200000; i++) s += sin(i) * sqrt(i); printf "%.12f", s }')"
echo "@@ worked"
WORK

qemu_start d -smp 2 -m 384 -kernel "$folder/vmlinuz" -initrd "$folder/initrd" \
	-append 'console=ttyAMA0 root=/dev/vda ro quiet' -no-reboot \
	-drive "if=none,id=d,format=raw,file=$disk" -device virtio-blk-device,drive=d \
	-netdev "user,id=n,guestfwd=tcp:10.0.2.100:80-cmd:sh $work/answer $work/work,guestfwd=tcp:10.0.2.100:81-cmd:sh $work/answer $file" \
	-device virtio-net-device,netdev=n -device virtio-rng-device "$@"
check 'Debian boots to its login' guest_expect d 900 'guest login: '
guest_type d 'root\n'
check '... asks for the password' guest_expect d 100 'Password: '
guest_type d 'not this one\n'
check '... takes no wrong one' guest_expect d 200 'Login incorrect'
asked() { [ "$(grep -o "$1" "$work/d.out" | wc -l)" = 2 ]; }
check '... asks again' wait_for 200 asked 'guest login: '
guest_type d 'root\n'
check '... for both' wait_for 100 asked 'Password: '
guest_type d "$(cat "$folder/password")\n"
check '... and lets the user in' guest_expect d 200 'root@guest:~#'
# The card may not have its address yet.
guest_type d 'until wget -qO /tmp/work http://10.0.2.100/; do sleep 1; done; sh /tmp/work\n'
check 'the user works' guest_expect d 900 '@@ worked'
check 'no service has failed' grep -q '@@ state running' "$work/d.out"
check 'there are two CPUs, the root is the disk, the first program systemd' \
	grep -q '^@@ is cpus 2 root /dev/vda init /usr/lib/systemd/systemd' "$work/d.out"
check 'what was fetched is what was served' same "$(guest_sum d net)" "$(sum <"$file")"
guest_type d 'poweroff\n'
guest_end d 300
check 'it powers off: status 0' same "$status" 0
tr -d '\r' <"$work/d.out" | sed -n 's/^@@ sum /# sum /p'
qemu_finish
